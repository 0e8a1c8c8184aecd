//! The file: its form, and who may use it when.
//!
//! One writer connection behind a lock, because SQLite has one writer at a time anyway and a queue in the process is fairer
//! than its busy wait; [`READERS`] read connections, which WAL lets read beside the writer. Other processes are waited for
//! up to [`BUSY_TIMEOUT`].

use crate::EmbeddedError;
use fx_app::ports::{PAGE_SIZE_MAX, Page, PageRequest, StoreError, StoreResult};
use rusqlite::{Connection, TransactionBehavior};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Read connections, and so reads at the same time.
const READERS: usize = 4;
/// How long a call waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Statements kept prepared by each connection.
const STATEMENTS_CACHED: usize = 32;

/// What the operator calls it.
pub(crate) const STORE: &str = "embedded database";

/// Each entry brings the file from the form before it to its own: form 1 is the first. Entries are never changed, only
/// added. `position` sorts as the list does and is the page token.
const MIGRATIONS: [&str; 3] = ["
CREATE TABLE strategy_versions (
    id TEXT NOT NULL, version TEXT NOT NULL, position TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (id, version)
) STRICT;
CREATE UNIQUE INDEX strategy_versions_in_order ON strategy_versions (id, position);
CREATE TABLE strategies (
    id TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, latest TEXT NOT NULL, deleted INTEGER NOT NULL,
    FOREIGN KEY (id, latest) REFERENCES strategy_versions (id, version)
) STRICT;
CREATE INDEX strategies_of_owner ON strategies (owner, id);
CREATE TABLE series_versions (
    series TEXT NOT NULL, version TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (series, version)
) STRICT;
CREATE TABLE series (
    series TEXT NOT NULL PRIMARY KEY, latest TEXT NOT NULL,
    FOREIGN KEY (series, latest) REFERENCES series_versions (series, version)
) STRICT;
CREATE TABLE backtests (
    id TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, strategy TEXT NOT NULL, position TEXT NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX backtests_of_owner ON backtests (owner, position);
CREATE INDEX backtests_of_strategy ON backtests (owner, strategy, position);
CREATE TABLE executions (
    id TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, strategy TEXT NOT NULL, position TEXT NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX executions_of_owner ON executions (owner, position);
CREATE INDEX executions_of_strategy ON executions (owner, strategy, position);
", "
CREATE TABLE feature_versions (
    series TEXT NOT NULL, version TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (series, version)
) STRICT;
CREATE TABLE features (
    series TEXT NOT NULL PRIMARY KEY, latest TEXT NOT NULL,
    FOREIGN KEY (series, latest) REFERENCES feature_versions (series, version)
) STRICT;
", "
CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, open INTEGER NOT NULL, position TEXT NOT NULL,
    epoch INTEGER NOT NULL, revision INTEGER NOT NULL, expires INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX jobs_open ON jobs (position) WHERE open = 1;
CREATE INDEX jobs_open_of_owner ON jobs (owner, position) WHERE open = 1;
CREATE INDEX jobs_by_expiry ON jobs (expires);
CREATE TABLE chunks (
    job TEXT NOT NULL, epoch INTEGER NOT NULL, idx INTEGER NOT NULL, revision INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (job, epoch, idx)
) STRICT;
CREATE TABLE messages (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, visible_at INTEGER NOT NULL,
    receives INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX messages_of_owner ON messages (owner, visible_at, id);
CREATE TABLE message_owners (owner TEXT NOT NULL PRIMARY KEY, turn INTEGER NOT NULL) STRICT;
CREATE INDEX message_owners_by_turn ON message_owners (turn);
"];

pub(crate) struct Database {
    path: PathBuf,
    writer: Arc<Mutex<Connection>>,
    readers: Arc<Mutex<Vec<Connection>>>,
    free_readers: Arc<Semaphore>,
}

impl Database {
    pub(crate) fn open(path: &Path) -> Result<Self, EmbeddedError> {
        let _turn = opening_turn(path)?;
        let mut writer = connect(path)?;
        migrate(&mut writer, path)?;
        let readers = (0..READERS).map(|_| connect_reader(path)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            path: path.to_owned(),
            writer: Arc::new(Mutex::new(writer)),
            readers: Arc::new(Mutex::new(readers)),
            free_readers: Arc::new(Semaphore::new(READERS)),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` in one immediate transaction and commits it if it succeeds.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> StoreResult<T> {
        let (writer, path) = (Arc::clone(&self.writer), self.path.clone());
        blocking(action, move || {
            let mut writer = lock(&writer);
            let write = || {
                let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let answer = work(&transaction)?;
                transaction.commit()?;
                Ok(answer)
            };
            write().map_err(EmbeddedError::database(action, &path))
        })
        .await
    }

    /// Runs `work` on one snapshot that holds every write acknowledged so far.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> StoreResult<T> {
        // The permit moves into the blocking call: if this future is dropped, the connection stays counted until the call ends.
        let permit = Arc::clone(&self.free_readers)
            .acquire_owned()
            .await
            .map_err(|source| StoreError::Unavailable { store: STORE, source: Box::new(source) })?;
        let (readers, path) = (Arc::clone(&self.readers), self.path.clone());
        blocking(action, move || {
            let _permit = permit;
            let idle = lock(&readers).pop();
            // None idle only after a panic inside `work` took a connection along.
            let mut reader = idle.map_or_else(|| connect_reader(&path), Ok)?;
            let snapshot = reader.transaction_with_behavior(TransactionBehavior::Deferred);
            let answer = snapshot.and_then(|snapshot| work(&snapshot));
            lock(&readers).push(reader);
            answer.map_err(EmbeddedError::database(action, &path))
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    action: &'static str,
    work: impl FnOnce() -> Result<T, EmbeddedError> + Send + 'static,
) -> StoreResult<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|source| Err(EmbeddedError::Interrupted { action, source }))
        .map_err(|error| error.into_store_error(STORE))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic inside a call rolls its transaction back when it unwinds: the connection stays usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes processes that open the same database wait for each other. Of two that give a new file its write-ahead log at once,
/// SQLite tells one "busy" without letting it wait, for they would wait for each other. The turn ends with the returned file.
fn opening_turn(path: &Path) -> Result<File, EmbeddedError> {
    let path = path.with_extension("lock");
    let turn = File::create(&path).and_then(|file| file.lock().map(|()| file));
    turn.map_err(EmbeddedError::file("lock", &path))
}

fn connect(path: &Path) -> Result<Connection, EmbeddedError> {
    let open = || -> rusqlite::Result<(Connection, String)> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
        let mode = connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
        connection
            .execute_batch("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF")?;
        Ok((connection, mode))
    };
    let (connection, mode) = open().map_err(EmbeddedError::database("opening the database", path))?;
    if mode == "wal" {
        Ok(connection)
    } else {
        Err(EmbeddedError::NoWriteAheadLog { path: path.to_owned(), mode })
    }
}

fn connect_reader(path: &Path) -> Result<Connection, EmbeddedError> {
    let reader = connect(path)?;
    reader
        .execute_batch("PRAGMA query_only=ON")
        .map_err(EmbeddedError::database("opening the database to read", path))?;
    Ok(reader)
}

fn migrate(writer: &mut Connection, path: &Path) -> Result<(), EmbeddedError> {
    let known = MIGRATIONS.len() as i64;
    let failed = || EmbeddedError::database("migrating the database", path);
    // Read inside the transaction: of two processes that start at once, the second sees the first one's work.
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed())?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed())?;
    if !(0..=known).contains(&found) {
        return Err(EmbeddedError::NewerForm { path: path.to_owned(), found, known });
    }
    for step in &MIGRATIONS[found as usize..] {
        transaction.execute_batch(step).map_err(failed())?;
    }
    transaction.pragma_update(None, "user_version", known).map_err(failed())?;
    transaction.commit().map_err(failed())
}

/// Reads a table and writes what is there already: a read alone would not see a full disk, or one that became read-only.
pub(crate) fn try_out(writer: &Connection) -> rusqlite::Result<()> {
    writer.query_row("SELECT EXISTS (SELECT 1 FROM strategies)", [], |_| Ok(()))?;
    let form: i64 = writer.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    writer.pragma_update(None, "user_version", form)
}

/// A record's place in its list, and its body.
pub(crate) type Row = (String, String);

/// How many rows to ask for: one more than the page, to know whether there is a next one.
pub(crate) fn rows_of(page: &PageRequest) -> usize {
    page_size(page) + 1
}

fn page_size(page: &PageRequest) -> usize {
    page.size.clamp(1, PAGE_SIZE_MAX)
}

/// The page of `rows`, which were asked for with [`rows_of`].
pub(crate) fn page_of<R: serde::de::DeserializeOwned>(
    mut rows: Vec<Row>,
    page: &PageRequest,
) -> StoreResult<Page<R>> {
    let more = rows.len() > page_size(page);
    rows.truncate(page_size(page));
    let next = if more { rows.last().map(|(position, _)| position.clone()) } else { None };
    let items = rows
        .iter()
        .map(|(position, body)| fx_app::stored::decode(STORE, position, body))
        .collect::<StoreResult<_>>()?;
    Ok(Page { items, next })
}

/// Runs a query whose rows are [`Row`]s.
pub(crate) fn select_rows(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<Vec<Row>> {
    connection.prepare_cached(sql)?.query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Runs a query that yields one body, or none.
pub(crate) fn select_body(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<Option<String>> {
    use rusqlite::OptionalExtension as _;
    connection.prepare_cached(sql)?.query_row(parameters, |row| row.get(0)).optional()
}
