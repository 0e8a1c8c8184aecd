//! Strategies that read what other services told.

use super::*;
use fx_app::executions::ExecutionRequest;
use fx_app::ports::{FeatureColumn, FeatureStore as _, FeatureValues};
use fx_app::records::{FeatureKey, FeatureVersion, Told};
use fx_domain::ErrorKind;

/// Long while the mood is good.
const MOOD: [&str; 3] =
    ["if feature(\"mood\") > 0:", "    return target(units=1000)", "return target(units=0)"];
/// Long while it trends.
const TREND: [&str; 3] =
    ["if regime() == \"trending\":", "    return target(units=1000)", "return target(units=0)"];

impl Bench {
    /// Stores what is told of a pair from so many nanoseconds after [`monday`] on.
    async fn tell(&self, instrument: &str, told: Told, rows: &[(i64, f64)]) -> FeatureVersion {
        let column = FeatureColumn::Numbers(rows.iter().map(|(_, value)| *value).collect());
        self.put(instrument, told, rows.iter().map(|(nanos, _)| *nanos), column).await
    }

    async fn put(
        &self,
        instrument: &str,
        told: Told,
        nanos: impl Iterator<Item = i64>,
        values: FeatureColumn,
    ) -> FeatureVersion {
        let key = FeatureKey { dataset: DatasetName::default(), instrument: pair(instrument), told };
        let available_at = nanos.map(|nanos| monday().plus_nanos(nanos)).collect();
        let values = FeatureValues { available_at, values };
        self.features.put(&key, values, fixtures::FRIDAY).await.unwrap()
    }
}

fn mood() -> Told {
    Told::Feature("mood".to_owned())
}

const HOUR: i64 = NANOS_PER_HOUR;

#[tokio::test]
async fn a_value_decides_from_the_first_close_at_which_it_was_available_and_is_named_with_its_version() {
    let bench = Bench::new();
    bench.hours("EUR/USD", (0..48).map(|_| flat(10_800)));
    let strategy = bench.strategy(&["EUR/USD"], &MOOD).await;
    for (available, entry) in [(10 * HOUR, 10), (10 * HOUR + 1, 11)] {
        let version = bench.tell("EUR/USD", mood(), &[(-HOUR, -1.0), (available, 1.0)]).await;
        let record = bench.run(bench.request(strategy.clone())).await.unwrap().record;
        assert_eq!(record.open_positions[0].entry_time, after_monday(entry), "the next bar's open");
        assert_eq!(
            (&record.features[0].series, record.features[0].version),
            (&version.series, version.version)
        );
        assert_ne!(record.data_version, record.inputs[0].version, "the version is of both");
    }
    let [first, second] = [1.0, 2.0].map(|value| vec![(-HOUR, value)]);
    bench.tell("EUR/USD", mood(), &first).await;
    let one = bench.run(bench.request(strategy.clone())).await.unwrap().record;
    bench.tell("EUR/USD", mood(), &second).await;
    let two = bench.run(bench.request(strategy.clone())).await.unwrap().record;
    assert_eq!(one.result_hash, two.result_hash);
    assert_ne!(one.data_version, two.data_version, "other values are other data");
    let pinned = BacktestRequest { data_version: Some(two.data_version), ..bench.request(strategy.clone()) };
    assert_eq!(bench.run(pinned).await.unwrap().record.result_hash, two.result_hash);
    let older = BacktestRequest { data_version: Some(one.data_version), ..bench.request(strategy) };
    assert!(bench.run(older).await.unwrap_err().message().contains("data_version"));
}

#[tokio::test]
async fn a_period_that_is_not_covered_names_feature_pair_and_time() {
    let bench = Bench::new();
    bench.hours("EUR/USD", (0..48).map(|_| flat(10_800)));
    let strategy = bench.strategy(&["EUR/USD"], &MOOD).await;
    let refused = async |request: BacktestRequest| {
        let error = bench.run(request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BacktestData);
        error.message().to_owned()
    };
    let message = refused(bench.request(strategy.clone())).await;
    assert_eq!(
        message,
        "features: no values of feature(\"mood\") for EUR/USD are stored in data set `default`"
    );
    bench.tell("EUR/USD", mood(), &[(HOUR + 1, 1.0)]).await;
    let message = refused(bench.request(strategy.clone())).await;
    assert!(
        message.contains("at 2024-03-04T01:00:00Z there is no value of feature(\"mood\") for EUR/USD"),
        "{message}"
    );
    // Decisions that begin later are covered.
    let later = BacktestRequest { start: after_monday(1), ..bench.request(strategy.clone()) };
    bench.run(later).await.unwrap();
    bench.tell("EUR/USD", mood(), &[(0, 1.0)]).await;
    bench.run(bench.request(strategy.clone())).await.unwrap();
    let strict = BacktestRequest { features_age_hours_max: 24, ..bench.request(strategy) };
    let message = refused(strict).await;
    assert!(
        message.contains("at 2024-03-05T01:00:00Z") && message.contains("more than 24 hours"),
        "{message}"
    );
}

#[tokio::test]
async fn a_regime_has_a_name_that_is_stored_and_a_misspelt_one_is_refused() {
    let bench = Bench::new();
    bench.hours("EUR/USD", (0..48).map(|_| flat(10_800)));
    let strategy = bench.strategy(&["EUR/USD"], &TREND).await;
    let names = |names: &[&str]| FeatureColumn::Names(names.iter().map(|name| (*name).to_owned()).collect());
    let regime = Told::Regime(Granularity::H1);
    bench
        .put("EUR/USD", regime.clone(), [-HOUR, 10 * HOUR].into_iter(), names(&["ranging", "trending"]))
        .await;
    let record = bench.run(bench.request(strategy.clone())).await.unwrap().record;
    assert_eq!(record.open_positions[0].entry_time, after_monday(10));
    bench.put("EUR/USD", regime, [-HOUR, 10 * HOUR].into_iter(), names(&["ranging", "Trending"])).await;
    let refused = bench.run(bench.request(strategy)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BacktestData);
    assert_eq!(
        refused.message(),
        "features: the stored regimes of EUR/USD are never \"trending\": they are Trending, ranging"
    );
}

#[tokio::test]
async fn each_instrument_reads_its_own_and_patterns_are_of_the_strategy_s_timeframe() {
    let bench = Bench::new();
    for pair in ["EUR/USD", "GBP/USD"] {
        bench.hours(pair, (0..48).map(|_| flat(10_800)));
    }
    let body = ["if pattern(\"double_top\") > 0.5:", "    return target(units=1000)", "return {}"];
    let strategy = bench.strategy(&["EUR/USD", "GBP/USD"], &body).await;
    let top = |timeframe| Told::Pattern("double_top".to_owned(), timeframe);
    bench.tell("EUR/USD", top(Granularity::H1), &[(-HOUR, 0.0)]).await;
    bench.tell("GBP/USD", top(Granularity::H4), &[(-HOUR, 0.9)]).await;
    let refused = bench.run(bench.request(strategy.clone())).await.unwrap_err();
    let wanted = "no values of pattern(\"double_top\") for GBP/USD on bars of 1h";
    assert!(refused.message().contains(wanted), "{}", refused.message());
    bench.tell("GBP/USD", top(Granularity::H1), &[(-HOUR, 0.9)]).await;
    let record = bench.run(bench.request(strategy)).await.unwrap().record;
    let held: Vec<_> = record.open_positions.iter().map(|open| open.instrument).collect();
    assert_eq!((held, record.features.len()), (vec![pair("GBP/USD")], 2));
}

#[tokio::test]
async fn what_is_executed_now_reads_them_by_the_same_rule() {
    let bench = Bench::new();
    bench.hours("EUR/USD", (0..48).map(|_| flat(10_800)));
    let strategy = bench.strategy(&["EUR/USD"], &MOOD).await;
    let request = || ExecutionRequest {
        strategy_id: strategy.clone(),
        capital_allocation: 10_000.0,
        parameters: Default::default(),
        dataset: DatasetName::default(),
    };
    // The newest bar closes after 48 hours; values begin in the middle of the history.
    for (available, actions) in [(48 * HOUR, 1), (48 * HOUR + 1, 0)] {
        bench.tell("EUR/USD", mood(), &[(20 * HOUR, -1.0), (available, 1.0)]).await;
        let record = bench.app.execute(&bench.caller, request()).await.unwrap();
        assert_eq!(record.orders.len(), actions, "{available}: {record:?}");
    }
    bench.tell("EUR/USD", mood(), &[(48 * HOUR + 1, 1.0)]).await;
    let refused = bench.app.execute(&bench.caller, request()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BacktestData);
    assert!(refused.message().contains("at 2024-03-06T00:00:00Z there is no value"), "{}", refused.message());
    bench.tell("EUR/USD", mood(), &[(-167 * HOUR, 1.0)]).await;
    let refused = bench.app.execute(&bench.caller, request()).await.unwrap_err();
    assert!(refused.message().contains("more than 168 hours before"), "{}", refused.message());
}
