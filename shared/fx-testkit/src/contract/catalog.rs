//! [`Catalog`].

use super::{Run, contend, hostile_pages_are_answered, walk};
use crate::fixtures::{eur_usd, feature_version, series_key, series_version};
use fx_app::ports::{Catalog, Publish, Versioned};
use fx_app::records::{FeatureVersion, SeriesVersion};
use fx_domain::Digest;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

type Store<V> = Arc<dyn Catalog<V>>;

/// Versions to publish.
pub trait Sample: Versioned + Debug {
    /// Version `number` of what `name` calls.
    fn sample(name: &str, number: u32) -> Self;
    /// The same version, made later.
    fn later(&self) -> Self;
}

impl Sample for SeriesVersion {
    fn sample(name: &str, number: u32) -> Self {
        series_version(&series_key(name, eur_usd()), number)
    }

    fn later(&self) -> Self {
        Self { created_at: self.created_at.plus_nanos(1), ..self.clone() }
    }
}

impl Sample for FeatureVersion {
    fn sample(name: &str, number: u32) -> Self {
        feature_version(name, number)
    }

    fn later(&self) -> Self {
        Self { created_at: self.created_at.plus_nanos(1), ..self.clone() }
    }
}

/// Holds an adapter to the docs of [`Catalog`].
///
/// # Panics
/// When a property does not hold.
pub async fn catalog<V: Sample>(store: &Store<V>) {
    let run = &Run::new();
    only_what_was_expected_is_replaced(store, run).await;
    publishing_the_latest_again_changes_nothing(store, run).await;
    an_earlier_version_can_be_the_latest_again(store, run).await;
    one_of_several_publishers_wins_each_round(store, run).await;
    every_series_is_listed_once_in_order(store, run).await;
    hostile_pages_are_answered(|page| async move { store.list(&page).await }).await;
}

async fn only_what_was_expected_is_replaced<V: Sample>(store: &Store<V>, run: &Run) {
    let series = run.name("expected");
    assert_eq!(store.latest(V::sample(&series, 0).key()).await.unwrap(), None);
    let [one, two, other] = [1, 2, 3].map(|number| V::sample(&series, number));
    assert_eq!(store.version(V::sample(&series, 0).key(), one.version()).await.unwrap(), None);
    assert_eq!(
        store.publish(&one, Some(other.version())).await.unwrap(),
        Publish::Conflict,
        "nothing is there"
    );
    assert_eq!(store.latest(V::sample(&series, 0).key()).await.unwrap(), None);
    assert_eq!(store.publish(&one, None).await.unwrap(), Publish::Published);
    for expected in [None, Some(other.version()), Some(two.version())] {
        assert_eq!(store.publish(&two, expected).await.unwrap(), Publish::Conflict, "{expected:?}");
        assert_eq!(store.latest(V::sample(&series, 0).key()).await.unwrap().as_ref(), Some(&one));
    }
    assert_eq!(store.publish(&two, Some(one.version())).await.unwrap(), Publish::Published);
    assert_eq!(store.latest(V::sample(&series, 0).key()).await.unwrap().as_ref(), Some(&two));
    for version in [one, two] {
        assert_eq!(
            store.version(V::sample(&series, 0).key(), version.version()).await.unwrap(),
            Some(version)
        );
    }
}

async fn publishing_the_latest_again_changes_nothing<V: Sample>(store: &Store<V>, run: &Run) {
    let series = run.name("again");
    let one = V::sample(&series, 1);
    assert_eq!(store.publish(&one, None).await.unwrap(), Publish::Published);
    let later = one.later();
    for expected in [None, Some(one.version()), Some(&Digest::of(b"other"))] {
        assert_eq!(store.publish(&later, expected).await.unwrap(), Publish::Published, "{expected:?}");
        assert_eq!(store.latest(V::sample(&series, 0).key()).await.unwrap().as_ref(), Some(&one));
    }
}

async fn an_earlier_version_can_be_the_latest_again<V: Sample>(store: &Store<V>, run: &Run) {
    let series = run.name("earlier");
    let [one, two] = [1, 2].map(|number| V::sample(&series, number));
    for (next, expected) in [(&one, None), (&two, Some(one.version())), (&one, Some(two.version()))] {
        assert_eq!(store.publish(next, expected).await.unwrap(), Publish::Published);
        assert_eq!(store.latest(V::sample(&series, 0).key()).await.unwrap().as_ref(), Some(next));
    }
    assert_eq!(store.version(V::sample(&series, 0).key(), two.version()).await.unwrap(), Some(two));
}

async fn one_of_several_publishers_wins_each_round<V: Sample>(store: &Store<V>, run: &Run) {
    const ROUNDS: u32 = 3;
    let series = run.name("race");
    let mut expected: Option<Digest> = None;
    for round in 0..ROUNDS {
        let answers = contend(|number| {
            let next = V::sample(&series, 100 * (round + 1) + number as u32);
            let store = Arc::clone(store);
            async move { (*next.version(), store.publish(&next, expected.as_ref()).await.unwrap()) }
        })
        .await;
        let winners: Vec<_> = answers
            .iter()
            .filter(|(_, answer)| *answer == Publish::Published)
            .map(|(version, _)| version)
            .collect();
        assert_eq!(winners.len(), 1, "round {round}: {answers:?}");
        let latest = store.latest(V::sample(&series, 0).key()).await.unwrap().map(|latest| *latest.version());
        assert_eq!(latest.as_ref(), winners.first().copied(), "the latest is the winner's");
        expected = latest;
    }
}

async fn every_series_is_listed_once_in_order<V: Sample>(store: &Store<V>, run: &Run) {
    let mut ours: Vec<_> = ["b", "a", "c"].map(|name| V::sample(&run.name(name), 1)).into();
    for version in &ours {
        store.publish(version, None).await.unwrap();
    }
    ours.sort_by_key(|version| version.key().to_string());
    for size in [1, 50] {
        // The catalogue has one list for everyone: other runs' keys are in it too.
        let listed = walk(size, |page| async move { store.list(&page).await }).await;
        let keys: Vec<_> = listed.iter().map(|version| version.key().to_string()).collect();
        assert!(keys.is_sorted(), "pages of {size}");
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len(), "pages of {size}");
        let found: Vec<_> = listed.into_iter().filter(|version| ours.contains(version)).collect();
        assert_eq!(found, ours, "pages of {size}");
    }
}
