//! [`FeatureStore`].

use super::{Run, hostile_pages_are_answered, walk};
use crate::fixtures::{FRIDAY, feature_key};
use fx_app::ports::{FeatureColumn, FeatureStore, FeatureValues};
use fx_app::records::Told;
use fx_domain::{Granularity, UnixNanos};
use std::sync::Arc;

type Store = Arc<dyn FeatureStore>;

fn numbers(rows: &[(i64, f64)]) -> FeatureValues {
    let (available_at, values) = rows.iter().map(|(nanos, value)| (UnixNanos::new(*nanos), *value)).unzip();
    FeatureValues { available_at, values: FeatureColumn::Numbers(values) }
}

/// Holds an adapter to the docs of [`FeatureStore`].
///
/// # Panics
/// When a property does not hold.
pub async fn feature_store(store: &Store) {
    let run = &Run::new();
    values_come_back_as_they_are(store, run).await;
    names_come_back_and_are_listed_once(store, run).await;
    earlier_versions_stay_readable(store, run).await;
    kinds_and_timeframes_are_different_features(store, run).await;
    hostile_pages_are_answered(|page| async move { store.list(&page).await }).await;
}

async fn values_come_back_as_they_are(store: &Store, run: &Run) {
    let key = feature_key(&run.name("set"), Told::Feature("mood".to_owned()));
    assert_eq!(store.describe(&key).await.unwrap(), None);
    let given = numbers(&[
        (i64::MIN + 1, -0.0),
        (-1, f64::MIN_POSITIVE / 4.0),
        (0, 0.1),
        (1_700_000_000_123_456_789, 1e308),
    ]);
    let version = store.put(&key, given.clone(), FRIDAY).await.unwrap();
    assert_eq!(
        (version.rows, version.first, version.last.get()),
        (4, UnixNanos::new(i64::MIN + 1), 1_700_000_000_123_456_789)
    );
    assert_eq!((&version.series, version.created_at, version.names.len()), (&key, FRIDAY, 0));
    assert_eq!(store.describe(&key).await.unwrap().as_ref(), Some(&version));
    let read = store.load(&version).await.unwrap();
    assert_eq!(read.available_at, given.available_at);
    let bits = |values: &FeatureValues| match &values.values {
        FeatureColumn::Numbers(numbers) => numbers.iter().map(|value| value.to_bits()).collect::<Vec<_>>(),
        FeatureColumn::Names(names) => panic!("{names:?}"),
    };
    assert_eq!(bits(&read), bits(&given));
    let again = store.put(&key, given, FRIDAY.plus_nanos(1)).await.unwrap();
    assert_eq!(again, version, "the same values are the same version, as it was first stored");
}

async fn names_come_back_and_are_listed_once(store: &Store, run: &Run) {
    let key = feature_key(&run.name("set"), Told::Regime(Granularity::H1));
    let names = ["wild", "calm", "größer 📈", "wild"].map(str::to_owned).to_vec();
    let available_at = (0..4).map(UnixNanos::new).collect();
    let given = FeatureValues { available_at, values: FeatureColumn::Names(names) };
    let version = store.put(&key, given.clone(), FRIDAY).await.unwrap();
    assert_eq!(version.names, ["calm", "größer 📈", "wild"]);
    assert_eq!(store.load(&version).await.unwrap(), given);
}

async fn earlier_versions_stay_readable(store: &Store, run: &Run) {
    let key = feature_key(&run.name("versions"), Told::Feature("mood".to_owned()));
    let (one, two) = (numbers(&[(1, 1.0)]), numbers(&[(1, 1.0), (2, 2.0)]));
    let first = store.put(&key, one.clone(), FRIDAY).await.unwrap();
    let second = store.put(&key, two.clone(), FRIDAY).await.unwrap();
    assert_ne!(first.version, second.version);
    assert_eq!(store.describe(&key).await.unwrap().as_ref(), Some(&second));
    assert_eq!((store.load(&first).await.unwrap(), store.load(&second).await.unwrap()), (one.clone(), two));
    assert_eq!(store.put(&key, one, FRIDAY).await.unwrap(), first);
    assert_eq!(store.describe(&key).await.unwrap(), Some(first), "an earlier one can be the latest again");
}

async fn kinds_and_timeframes_are_different_features(store: &Store, run: &Run) {
    let set = run.name("kinds");
    let all = [
        Told::Feature("x".to_owned()),
        Told::Pattern("x".to_owned(), Granularity::H1),
        Told::Pattern("x".to_owned(), Granularity::D1),
    ];
    let mut stored = Vec::new();
    for (told, value) in all.into_iter().zip([1.0, 0.5, 0.25]) {
        stored.push(store.put(&feature_key(&set, told), numbers(&[(1, value)]), FRIDAY).await.unwrap());
    }
    for version in &stored {
        assert_eq!(store.describe(&version.series).await.unwrap().as_ref(), Some(version));
    }
    stored.sort_by_key(|version| version.series.to_string());
    let listed = walk(1, |page| async move { store.list(&page).await }).await;
    let ours: Vec<_> = listed.into_iter().filter(|version| stored.contains(version)).collect();
    assert_eq!(ours, stored, "each is listed once, by key");
}
