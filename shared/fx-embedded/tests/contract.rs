//! The embedded adapters pass the contract suite, and a folder is what it promises to be.

#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use fx_app::Stores;
use fx_app::ports::{BlobKey, HealthStatus, Put, StoreError};
use fx_embedded::{BLOBS_FOLDER, DATABASE_FILE, EmbeddedError, QueueSettings};
use fx_testkit::fixtures::{FRIDAY, principal, strategy_version};
use fx_testkit::memory::ManualClock;
use fx_testkit::{contract, fixtures};
use std::fs;
use std::sync::Arc;
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(folder: &TempDir) -> Stores {
    fx_embedded::open(folder.path(), settings()).unwrap().stores
}

/// A queue whose time stands.
fn settings() -> QueueSettings {
    QueueSettings::new(Arc::new(ManualClock::new(FRIDAY)))
}

#[tokio::test(flavor = "multi_thread")]
async fn strategies() {
    contract::strategy_store(&open(&folder()).strategies).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn series() {
    contract::catalog(&open(&folder()).series).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn feature_versions() {
    contract::catalog(&open(&folder()).features).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn features() {
    contract::feature_store(&fx_store::files(&open(&folder())).features).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn backtests() {
    contract::backtest_store(&open(&folder()).backtests).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn executions() {
    contract::execution_store(&open(&folder()).executions).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs() {
    contract::blob_store(&open(&folder()).blobs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn results() {
    contract::result_store(&fx_store::files(&open(&folder())).results).await;
}

#[tokio::test]
async fn what_was_stored_is_there_after_a_restart() {
    let folder = folder();
    let version = strategy_version(&principal("ann"), "s", "pass", FRIDAY);
    let backtest = fixtures::backtest(&principal("ann"), "s", "1", FRIDAY);
    let key = BlobKey::parse("bars/default/x.parquet").unwrap();
    {
        let store = open(&folder);
        store.strategies.put(&version).await.unwrap();
        store.backtests.put(&backtest).await.unwrap();
        store.blobs.put(&key, Bytes::from_static(b"bars")).await.unwrap();
    }
    let store = open(&folder);
    assert_eq!(store.strategies.latest(&version.id).await.unwrap(), Some(version));
    assert_eq!(store.backtests.get(&backtest.id).await.unwrap(), Some(backtest));
    assert_eq!(store.blobs.get(&key).await.unwrap().as_deref(), Some(&b"bars"[..]));
    let file = folder.path().join(BLOBS_FOLDER).join(key.as_str());
    assert_eq!(fs::read(file).unwrap(), b"bars", "a blob is a file under its key");
}

#[test]
fn several_processes_may_open_a_new_folder_at_once() {
    let folder = folder();
    let openers: Vec<_> = (0..8)
        .map(|_| {
            let path = folder.path().join("new/folder");
            std::thread::spawn(move || fx_embedded::open(&path, settings()).map(drop))
        })
        .collect();
    for opener in openers {
        opener.join().unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_openers_of_a_folder_are_one_store() {
    let folder = folder();
    let (one, two) = (open(&folder), open(&folder));
    let version = strategy_version(&principal("ann"), "s", "pass", FRIDAY);
    assert_eq!(one.strategies.put(&version).await.unwrap(), Put::Created);
    assert_eq!(two.strategies.put(&version).await.unwrap(), Put::AlreadyThere);
    assert_eq!(two.strategies.latest(&version.id).await.unwrap(), Some(version));
}

#[test]
fn a_database_of_a_newer_release_is_refused_untouched() {
    let folder = folder();
    drop(open(&folder));
    let file = folder.path().join(DATABASE_FILE);
    let newer = rusqlite::Connection::open(&file).unwrap();
    newer.pragma_update(None, "user_version", 999).unwrap();
    let refused = fx_embedded::open(folder.path(), settings()).err().unwrap();
    assert!(matches!(&refused, EmbeddedError::NewerForm { found: 999, .. }), "{refused:?}");
    assert!(refused.to_string().contains(&file.display().to_string()), "{refused}");
    let version: i64 = newer.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 999);
}

#[test]
fn a_file_that_is_no_database_is_refused_by_name() {
    let folder = folder();
    let file = folder.path().join(DATABASE_FILE);
    fs::write(&file, "not a database, but long enough to have a header of one ".repeat(40)).unwrap();
    let refused = fx_embedded::open(folder.path(), settings()).err().unwrap();
    assert!(refused.to_string().contains(&file.display().to_string()), "{refused}");
}

#[test]
fn a_file_in_the_place_of_the_folder_is_refused_by_name() {
    let folder = folder();
    let file = folder.path().join("data");
    fs::write(&file, "").unwrap();
    let refused = fx_embedded::open(&file, settings()).err().unwrap();
    assert!(matches!(&refused, EmbeddedError::File { path, .. } if path.starts_with(&file)), "{refused:?}");
}

#[tokio::test]
async fn a_broken_record_is_reported_not_skipped() {
    let folder = folder();
    let store = open(&folder);
    let version = strategy_version(&principal("ann"), "s", "pass", FRIDAY);
    store.strategies.put(&version).await.unwrap();
    let database = rusqlite::Connection::open(folder.path().join(DATABASE_FILE)).unwrap();
    for body in [r#"{"schema":1}"#, r#"{"schema":2}"#, "", "{"] {
        database.execute("UPDATE strategy_versions SET body = ?1", [body]).unwrap();
        let found = store.strategies.latest(&version.id).await;
        assert!(matches!(found, Err(StoreError::Corrupt { .. })), "{body}: {found:?}");
        let listed = store.strategies.list(&version.owner, &Default::default()).await;
        assert!(matches!(listed, Err(StoreError::Corrupt { .. })), "{body}: {listed:?}");
    }
}

#[tokio::test]
async fn a_record_that_json_cannot_hold_is_refused() {
    let folder = folder();
    let store = open(&folder);
    let mut record = fixtures::backtest(&principal("ann"), "s", "1", FRIDAY);
    record.report.sharpe_ratio = Some(f64::NAN);
    let refused = store.backtests.put(&record).await;
    assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{refused:?}");
    assert_eq!(store.backtests.get(&record.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_key_that_begins_another_is_refused_and_changes_nothing() {
    let folder = folder();
    let store = open(&folder);
    let key = |text| BlobKey::parse(text).unwrap();
    store.blobs.put(&key("a/b"), Bytes::from_static(b"first")).await.unwrap();
    for taken in ["a", "a/b/c"] {
        let refused = store.blobs.put(&key(taken), Bytes::from_static(b"second")).await;
        assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{taken}: {refused:?}");
        assert_eq!(store.blobs.get(&key(taken)).await.unwrap(), None);
    }
    assert_eq!(store.blobs.get(&key("a/b")).await.unwrap().as_deref(), Some(&b"first"[..]));
}

#[tokio::test]
async fn the_probe_tells_a_working_database_from_a_broken_one() {
    let folder = folder();
    let store = open(&folder);
    assert_eq!(store.probe.name(), "database");
    assert_eq!(store.probe.check().await.status, HealthStatus::Healthy);
    let database = rusqlite::Connection::open(folder.path().join(DATABASE_FILE)).unwrap();
    database.execute_batch("ALTER TABLE strategies RENAME TO lost").unwrap();
    let health = store.probe.check().await;
    assert_eq!(health.status, HealthStatus::Unhealthy, "{health:?}");
    assert!(health.message.contains(DATABASE_FILE), "{}", health.message);
}
