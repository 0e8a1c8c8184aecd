//! [`SeriesCatalog`].

use super::{Run, contend, hostile_pages_are_answered, walk};
use crate::fixtures::{eur_usd, series_key, series_version};
use fx_app::ports::{Publish, SeriesCatalog};
use fx_app::records::SeriesVersion;
use fx_domain::Digest;
use std::collections::BTreeSet;
use std::sync::Arc;

type Store = Arc<dyn SeriesCatalog>;

/// Holds an adapter to the docs of [`SeriesCatalog`].
///
/// # Panics
/// When a property does not hold.
pub async fn series_catalog(store: &Store) {
    let run = &Run::new();
    only_what_was_expected_is_replaced(store, run).await;
    publishing_the_latest_again_changes_nothing(store, run).await;
    an_earlier_version_can_be_the_latest_again(store, run).await;
    one_of_several_publishers_wins_each_round(store, run).await;
    every_series_is_listed_once_in_order(store, run).await;
    hostile_pages_are_answered(|page| async move { store.list(&page).await }).await;
}

async fn only_what_was_expected_is_replaced(store: &Store, run: &Run) {
    let series = series_key(&run.name("expected"), eur_usd());
    assert_eq!(store.latest(&series).await.unwrap(), None);
    let [one, two, other] = [1, 2, 3].map(|number| series_version(&series, number));
    assert_eq!(store.version(&series, &one.version).await.unwrap(), None);
    assert_eq!(
        store.publish(&one, Some(&other.version)).await.unwrap(),
        Publish::Conflict,
        "nothing is there"
    );
    assert_eq!(store.latest(&series).await.unwrap(), None);
    assert_eq!(store.publish(&one, None).await.unwrap(), Publish::Published);
    for expected in [None, Some(&other.version), Some(&two.version)] {
        assert_eq!(store.publish(&two, expected).await.unwrap(), Publish::Conflict, "{expected:?}");
        assert_eq!(store.latest(&series).await.unwrap().as_ref(), Some(&one));
    }
    assert_eq!(store.publish(&two, Some(&one.version)).await.unwrap(), Publish::Published);
    assert_eq!(store.latest(&series).await.unwrap().as_ref(), Some(&two));
    for version in [one, two] {
        assert_eq!(store.version(&series, &version.version).await.unwrap(), Some(version));
    }
}

async fn publishing_the_latest_again_changes_nothing(store: &Store, run: &Run) {
    let series = series_key(&run.name("again"), eur_usd());
    let one = series_version(&series, 1);
    assert_eq!(store.publish(&one, None).await.unwrap(), Publish::Published);
    let later = SeriesVersion { created_at: one.created_at.plus_nanos(1), ..one.clone() };
    for expected in [None, Some(&one.version), Some(&Digest::of(b"other"))] {
        assert_eq!(store.publish(&later, expected).await.unwrap(), Publish::Published, "{expected:?}");
        assert_eq!(store.latest(&series).await.unwrap().as_ref(), Some(&one));
    }
}

async fn an_earlier_version_can_be_the_latest_again(store: &Store, run: &Run) {
    let series = series_key(&run.name("earlier"), eur_usd());
    let [one, two] = [1, 2].map(|number| series_version(&series, number));
    for (next, expected) in [(&one, None), (&two, Some(&one.version)), (&one, Some(&two.version))] {
        assert_eq!(store.publish(next, expected).await.unwrap(), Publish::Published);
        assert_eq!(store.latest(&series).await.unwrap().as_ref(), Some(next));
    }
    assert_eq!(store.version(&series, &two.version).await.unwrap(), Some(two));
}

async fn one_of_several_publishers_wins_each_round(store: &Store, run: &Run) {
    const ROUNDS: u32 = 3;
    let series = series_key(&run.name("race"), eur_usd());
    let mut expected: Option<Digest> = None;
    for round in 0..ROUNDS {
        let answers = contend(|number| {
            let next = series_version(&series, 100 * (round + 1) + number as u32);
            let store = Arc::clone(store);
            async move { (next.version, store.publish(&next, expected.as_ref()).await.unwrap()) }
        })
        .await;
        let winners: Vec<_> = answers
            .iter()
            .filter(|(_, answer)| *answer == Publish::Published)
            .map(|(version, _)| version)
            .collect();
        assert_eq!(winners.len(), 1, "round {round}: {answers:?}");
        let latest = store.latest(&series).await.unwrap().map(|latest| latest.version);
        assert_eq!(latest.as_ref(), winners.first().copied(), "the latest is the winner's");
        expected = latest;
    }
}

async fn every_series_is_listed_once_in_order(store: &Store, run: &Run) {
    let mut ours: Vec<_> =
        ["b", "a", "c"].map(|name| series_version(&series_key(&run.name(name), eur_usd()), 1)).into();
    for version in &ours {
        store.publish(version, None).await.unwrap();
    }
    ours.sort_by_key(|version| version.series.to_string());
    for size in [1, 50] {
        // The catalogue has one list for everyone: other runs' series are in it too.
        let listed = walk(size, |page| async move { store.list(&page).await }).await;
        let keys: Vec<_> = listed.iter().map(|version| version.series.to_string()).collect();
        assert!(keys.is_sorted(), "pages of {size}");
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len(), "pages of {size}");
        let found: Vec<_> = listed.into_iter().filter(|version| ours.contains(version)).collect();
        assert_eq!(found, ours, "pages of {size}");
    }
}
