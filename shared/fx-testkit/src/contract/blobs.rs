//! [`BlobStore`].

use super::{CONTENDERS, Run, contend};
use bytes::Bytes;
use fx_app::ports::{BLOB_BYTES_MAX, BlobKey, BlobStore, Put, StoreError};
use std::sync::Arc;

type Store = Arc<dyn BlobStore>;

/// Bytes of the blobs that several writers race with: more than one write of a file or a socket.
const RACE_BLOB_BYTES: usize = 1024 * 1024;

/// Holds an adapter to the docs of [`BlobStore`].
///
/// # Panics
/// When a property does not hold.
pub async fn blob_store(store: &Store) {
    let run = &Run::new();
    what_is_unknown_is_none(store, run).await;
    the_first_blob_stays(store, run).await;
    one_of_several_first_puts_creates_and_its_bytes_stay(store, run).await;
    a_range_is_cut_at_the_end(store, run).await;
    an_empty_blob_is_there(store, run).await;
    keys_beside_each_other_do_not_mix(store, run).await;
    a_folder_lists_what_lies_directly_in_it(store, run).await;
    a_blob_over_the_limit_is_refused(store, run).await;
}

fn key(run: &Run, name: &str) -> BlobKey {
    BlobKey::parse(&format!("contract/{}/{name}", run.tag)).unwrap()
}

async fn what_is_unknown_is_none(store: &Store, run: &Run) {
    let key = key(run, "none");
    assert_eq!(store.get(&key).await.unwrap(), None);
    for (offset, length) in [(0, 0), (0, 1), (5, 5)] {
        assert_eq!(
            store.get_range(&key, offset, length).await.unwrap(),
            None,
            "{length} bytes from {offset}"
        );
    }
    let folder = BlobKey::parse("contract").unwrap();
    store.put(&self::key(run, "folder/blob"), Bytes::from_static(b"x")).await.unwrap();
    assert_eq!(store.get(&folder).await.unwrap(), None, "the beginning of a key is not a blob");
    let below = self::key(run, "folder/blob/below");
    assert_eq!(store.get(&below).await.unwrap(), None, "a blob holds no other");
}

async fn the_first_blob_stays(store: &Store, run: &Run) {
    let key = key(run, "first");
    let (first, second) = (Bytes::from_static(b"first"), Bytes::from_static(b"second"));
    assert_eq!(store.put(&key, first.clone()).await.unwrap(), Put::Created);
    assert_eq!(store.put(&key, first.clone()).await.unwrap(), Put::AlreadyThere);
    assert_eq!(store.put(&key, second).await.unwrap(), Put::AlreadyThere);
    assert_eq!(store.get(&key).await.unwrap(), Some(first));
}

async fn one_of_several_first_puts_creates_and_its_bytes_stay(store: &Store, run: &Run) {
    let key = key(run, "race");
    let reader = {
        let (store, key) = (Arc::clone(store), key.clone());
        tokio::spawn(async move {
            loop {
                if let Some(blob) = store.get(&key).await.unwrap() {
                    assert_eq!(blob.len(), RACE_BLOB_BYTES, "a blob is readable whole or not at all");
                    return blob;
                }
            }
        })
    };
    let puts = contend(|number| {
        let (store, key) = (Arc::clone(store), key.clone());
        let blob = Bytes::from(vec![number as u8; RACE_BLOB_BYTES]);
        async move { (number, store.put(&key, blob).await.unwrap()) }
    })
    .await;
    let winners: Vec<_> =
        puts.iter().filter(|(_, put)| *put == Put::Created).map(|(number, _)| *number).collect();
    assert_eq!((puts.len(), winners.len()), (CONTENDERS, 1), "{puts:?}");
    let expected = Bytes::from(vec![winners[0] as u8; RACE_BLOB_BYTES]);
    assert!(store.get(&key).await.unwrap().as_ref() == Some(&expected), "the winner's bytes stay");
    assert!(reader.await.unwrap() == expected, "a reader beside the writers saw the winner's bytes");
}

async fn a_range_is_cut_at_the_end(store: &Store, run: &Run) {
    let key = key(run, "range");
    let blob: Vec<u8> = (0..100).collect();
    store.put(&key, blob.clone().into()).await.unwrap();
    let cases = [
        (0, 100, 0..100),
        (0, 1, 0..1),
        (99, 1, 99..100),
        (40, 20, 40..60),
        (99, 2, 99..100),
        (90, u64::MAX, 90..100),
        (0, u64::MAX, 0..100),
        (50, 0, 50..50),
        (100, 1, 0..0),
        (101, 1, 0..0),
        (u64::MAX, 1, 0..0),
        (u64::MAX, u64::MAX, 0..0),
    ];
    for (offset, length, expected) in cases {
        let range = store.get_range(&key, offset, length).await.unwrap();
        assert_eq!(range.as_deref(), Some(&blob[expected]), "{length} bytes from {offset}");
    }
}

async fn an_empty_blob_is_there(store: &Store, run: &Run) {
    let key = key(run, "empty");
    assert_eq!(store.put(&key, Bytes::new()).await.unwrap(), Put::Created);
    assert_eq!(store.put(&key, Bytes::from_static(b"x")).await.unwrap(), Put::AlreadyThere);
    assert_eq!(store.get(&key).await.unwrap(), Some(Bytes::new()));
    for (offset, length) in [(0, 0), (0, 10), (10, 10)] {
        assert_eq!(store.get_range(&key, offset, length).await.unwrap(), Some(Bytes::new()));
    }
}

async fn keys_beside_each_other_do_not_mix(store: &Store, run: &Run) {
    let names = ["a.b", "a_b", "a-b", "a/b", "a/b.c", "a/b-c/d", "z...", &"n".repeat(200)];
    for name in names {
        let put = store.put(&key(run, name), Bytes::copy_from_slice(name.as_bytes())).await;
        assert_eq!(put.unwrap(), Put::Created, "{name}");
    }
    for name in names {
        let blob = store.get(&key(run, name)).await.unwrap();
        assert_eq!(blob.as_deref(), Some(name.as_bytes()), "{name}");
    }
}

async fn a_folder_lists_what_lies_directly_in_it(store: &Store, run: &Run) {
    let folder = key(run, "listed");
    assert_eq!(store.list(&folder).await.unwrap(), []);
    for name in ["listed/b.csv", "listed/a", "listed/deeper/c", "listed/B", "listed.d", "listed-e/f"] {
        store.put(&key(run, name), Bytes::new()).await.unwrap();
    }
    let expected = ["listed/B", "listed/a", "listed/b.csv"].map(|name| key(run, name));
    assert_eq!(store.list(&folder).await.unwrap(), expected);
    assert_eq!(store.list(&key(run, "listed/a")).await.unwrap(), [], "a blob is no folder");
}

async fn a_blob_over_the_limit_is_refused(store: &Store, run: &Run) {
    let key = key(run, "large");
    let refused = store.put(&key, Bytes::from(vec![0; BLOB_BYTES_MAX + 1])).await;
    assert!(
        matches!(refused, Err(StoreError::TooLarge { limit_bytes: BLOB_BYTES_MAX, .. })),
        "one byte over the limit: {refused:?}"
    );
    assert_eq!(store.get(&key).await.unwrap(), None);
}
