//! [`StrategyStore`].

use super::{CONTENDERS, Run, contend, hostile_pages_are_answered, large_text, walk};
use crate::fixtures::{FRIDAY, strategy_version};
use fx_app::ports::{PageRequest, Put, StrategyStore};
use fx_app::records::StrategyVersion;
use fx_domain::{Digest, NANOS_PER_MINUTE, StrategyId};
use std::sync::Arc;

type Store = Arc<dyn StrategyStore>;

/// Holds an adapter to the docs of [`StrategyStore`].
///
/// # Panics
/// When a property does not hold.
pub async fn strategy_store(store: &Store) {
    let run = &Run::new();
    what_is_unknown_is_none(store, run).await;
    a_version_is_created_once_and_keeps_its_time(store, run).await;
    the_latest_is_what_was_put_last(store, run).await;
    one_of_several_first_puts_creates(store, run).await;
    several_writers_lose_no_version(store, run).await;
    versions_are_listed_oldest_first(store, run).await;
    strategies_are_listed_by_id_and_owner(store, run).await;
    a_deletion_hides_and_a_put_undoes_it(store, run).await;
    readers_never_see_a_pointer_without_its_version(store, run).await;
    any_text_comes_back_as_it_is(store, run).await;
    let owner = run.owner("pages");
    hostile_pages_are_answered(|page| async move { store.list(&run.owner("pages"), &page).await }).await;
    let version = strategy_version(&owner, "s", "pass", FRIDAY);
    store.put(&version).await.unwrap();
    let id = &version.id;
    hostile_pages_are_answered(|page| async move { store.versions(id, &page).await }).await;
}

fn minute(number: i64) -> fx_domain::UnixNanos {
    FRIDAY.plus_nanos(number * NANOS_PER_MINUTE)
}

async fn all_versions(store: &Store, id: &StrategyId, size: usize) -> Vec<StrategyVersion> {
    walk(size, |page| async move { store.versions(id, &page).await }).await
}

async fn what_is_unknown_is_none(store: &Store, run: &Run) {
    let owner = run.owner("nobody");
    let id = StrategyId::of(&owner, "nothing");
    assert_eq!(store.latest(&id).await.unwrap(), None);
    assert_eq!(store.version(&id, &Digest::of(b"")).await.unwrap(), None);
    let empty = store.versions(&id, &PageRequest::default()).await.unwrap();
    assert!(empty.items.is_empty() && empty.next.is_none());
    let empty = store.list(&owner, &PageRequest::default()).await.unwrap();
    assert!(empty.items.is_empty() && empty.next.is_none());
    assert!(!store.delete(&id).await.unwrap());
}

async fn a_version_is_created_once_and_keeps_its_time(store: &Store, run: &Run) {
    let first = strategy_version(&run.owner("once"), "s", "pass", minute(0));
    let later = StrategyVersion { created_at: minute(9), ..first.clone() };
    assert_eq!(store.put(&first).await.unwrap(), Put::Created);
    assert_eq!(store.put(&later).await.unwrap(), Put::AlreadyThere);
    assert_eq!(store.latest(&first.id).await.unwrap().as_ref(), Some(&first));
    assert_eq!(store.version(&first.id, &first.version).await.unwrap().as_ref(), Some(&first));
    assert_eq!(all_versions(store, &first.id, 5).await, [first]);
}

async fn the_latest_is_what_was_put_last(store: &Store, run: &Run) {
    let owner = run.owner("latest");
    let old = strategy_version(&owner, "s", "old", minute(0));
    let new = strategy_version(&owner, "s", "new", minute(1));
    for (version, put) in [(&old, Put::Created), (&new, Put::Created), (&old, Put::AlreadyThere)] {
        assert_eq!(store.put(version).await.unwrap(), put);
        assert_eq!(store.latest(&old.id).await.unwrap().as_ref(), Some(version));
        let listed = store.list(&owner, &PageRequest::default()).await.unwrap().items;
        assert_eq!(listed, std::slice::from_ref(version));
    }
    assert_eq!(all_versions(store, &old.id, 5).await, [old, new]);
}

async fn one_of_several_first_puts_creates(store: &Store, run: &Run) {
    let version = strategy_version(&run.owner("first"), "s", "pass", FRIDAY);
    let puts = contend(|_| {
        let (store, version) = (Arc::clone(store), version.clone());
        async move { store.put(&version).await.unwrap() }
    })
    .await;
    assert_eq!(puts.iter().filter(|put| **put == Put::Created).count(), 1, "{puts:?}");
    assert_eq!(store.latest(&version.id).await.unwrap(), Some(version));
}

async fn several_writers_lose_no_version(store: &Store, run: &Run) {
    let owner = run.owner("writers");
    let id = StrategyId::of(&owner, "s");
    let puts = contend(|number| {
        let version = strategy_version(&owner, "s", &format!("x = {number}"), minute(number as i64));
        let store = Arc::clone(store);
        async move { store.put(&version).await.unwrap() }
    })
    .await;
    assert!(puts.iter().all(|put| *put == Put::Created), "{puts:?}");
    let kept = all_versions(store, &id, 5).await;
    assert_eq!(kept.len(), CONTENDERS);
    let latest = store.latest(&id).await.unwrap();
    assert!(latest.is_some_and(|latest| kept.contains(&latest)));
}

async fn versions_are_listed_oldest_first(store: &Store, run: &Run) {
    let owner = run.owner("order");
    // Put newest first; two share an instant, one lies before 1970.
    let times = [minute(2), minute(1), minute(1), fx_domain::UnixNanos::new(-1)];
    let mut versions: Vec<_> = (0..)
        .zip(times)
        .map(|(number, time)| strategy_version(&owner, "s", &format!("x = {number}"), time))
        .collect();
    for version in &versions {
        store.put(version).await.unwrap();
    }
    versions.sort_by_key(|version| (version.created_at, version.version));
    for size in [1, 3, 4, 5] {
        assert_eq!(all_versions(store, &versions[0].id, size).await, versions, "pages of {size}");
    }
}

async fn strategies_are_listed_by_id_and_owner(store: &Store, run: &Run) {
    let (ann, bob) = (run.owner("ann"), run.owner("bob"));
    let mut anns = Vec::new();
    for number in 0..5 {
        let version = strategy_version(&ann, &format!("s{number}"), "pass", minute(number));
        store.put(&version).await.unwrap();
        anns.push(version);
    }
    let bobs = strategy_version(&bob, "s1", "pass", FRIDAY);
    store.put(&bobs).await.unwrap();
    anns.sort_by(|a, b| a.id.cmp(&b.id));
    for size in [1, 2, 5, 6] {
        let listed = walk(size, |page| async move { store.list(&run.owner("ann"), &page).await }).await;
        assert_eq!(listed, anns, "pages of {size}");
    }
    assert_eq!(store.list(&bob, &PageRequest::default()).await.unwrap().items, [bobs]);
}

async fn a_deletion_hides_and_a_put_undoes_it(store: &Store, run: &Run) {
    let owner = run.owner("deleted");
    let old = strategy_version(&owner, "s", "old", minute(0));
    let new = strategy_version(&owner, "s", "new", minute(1));
    let other = strategy_version(&owner, "other", "pass", minute(0));
    for version in [&old, &new, &other] {
        store.put(version).await.unwrap();
    }
    assert!(store.delete(&old.id).await.unwrap());
    assert!(!store.delete(&old.id).await.unwrap(), "it is deleted already");
    assert_eq!(store.latest(&old.id).await.unwrap(), None);
    assert!(all_versions(store, &old.id, 5).await.is_empty());
    assert_eq!(
        store.list(&owner, &PageRequest::default()).await.unwrap().items,
        std::slice::from_ref(&other)
    );
    for version in [&old, &new] {
        assert_eq!(store.version(&old.id, &version.version).await.unwrap().as_ref(), Some(version));
    }
    assert_eq!(store.put(&old).await.unwrap(), Put::AlreadyThere);
    assert_eq!(store.latest(&old.id).await.unwrap().as_ref(), Some(&old));
    assert_eq!(all_versions(store, &old.id, 1).await, [old, new]);
    assert_eq!(store.list(&owner, &PageRequest::default()).await.unwrap().items.len(), 2);
}

async fn readers_never_see_a_pointer_without_its_version(store: &Store, run: &Run) {
    let owner = run.owner("readers");
    let versions: Vec<_> = (0..CONTENDERS)
        .map(|number| strategy_version(&owner, "s", &format!("x = {number}"), minute(number as i64)))
        .collect();
    let reader = {
        let (store, id) = (Arc::clone(store), versions[0].id.clone());
        tokio::spawn(async move {
            let mut last = None;
            while last != Some(minute(CONTENDERS as i64 - 1)) {
                let seen = store.latest(&id).await.unwrap().map(|version| version.created_at);
                assert!(seen >= last, "the pointer moved back from {last:?} to {seen:?}");
                last = seen;
            }
        })
    };
    for version in &versions {
        store.put(version).await.unwrap();
    }
    reader.await.unwrap();
}

async fn any_text_comes_back_as_it_is(store: &Store, run: &Run) {
    let owner = run.owner("texts");
    let texts = ["", "\0", "\u{10FFFF}", "\"quoted\" \\ 'text'\r\n\t", "नमस्ते 📈", &large_text()];
    for text in texts {
        let mut version = strategy_version(&owner, "s", text, FRIDAY);
        version.name = text.chars().take(100).collect();
        version.description = None;
        assert_eq!(store.put(&version).await.unwrap(), Put::Created);
        let found = store.version(&version.id, &version.version).await.unwrap();
        assert!(found.as_ref() == Some(&version), "{:?} came back changed", &version.name);
    }
}
