//! Strategies that read other timeframes and instruments.

use super::*;
use fx_app::records::InputRole;
use fx_domain::ErrorKind;

/// Buys while the pound stands above its mean of two bars of four hours.
const POUND: [&str; 4] = [
    "pound = data.instrument(\"GBP/USD\").timeframe(\"4h\")",
    "if pound.close > sma(pound.close, 2):",
    "    return buy(units=1000)",
    "return close()",
];

#[tokio::test]
async fn another_instrument_is_read_and_named_with_its_version() {
    let bench = Bench::new();
    bench.hours("EUR/USD", (0..48).map(|_| flat(10_800)));
    // Four hours end at 02:00, 06:00, 10:00, 14:00 UTC: the pound rises from the bar that ends at 14:00 on.
    bench.hours("GBP/USD", (0..48).map(|hour| flat(if hour < 13 { 12_500 } else { 12_500 + hour })));
    let strategy = bench.strategy(&["EUR/USD"], &POUND).await;
    let outcome = bench.run(bench.request(strategy)).await.unwrap();
    let inputs: Vec<_> =
        outcome.record.inputs.iter().map(|input| (input.series.instrument.to_string(), input.role)).collect();
    assert_eq!(
        inputs,
        [("EUR/USD".to_owned(), InputRole::Track), ("GBP/USD".to_owned(), InputRole::Reference)]
    );
    assert_ne!(
        outcome.record.data_version, outcome.record.inputs[0].version,
        "the version is of both series"
    );
    let open = &outcome.record.open_positions[0];
    assert_eq!(open.entry_time, after_monday(14));
}

#[tokio::test]
async fn a_series_that_is_missing_or_does_not_reach_is_named() {
    let bench = Bench::new();
    bench.hours("EUR/USD", (0..48).map(|_| flat(10_800)));
    let strategy = bench.strategy(&["EUR/USD"], &POUND).await;
    let refused = bench.run(bench.request(strategy.clone())).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BacktestData);
    assert!(refused.message().contains("instruments: no 1h bars of GBP/USD"), "{}", refused.message());
    let elsewhere = bars(&pair("GBP/USD"), after_monday(9_000), NANOS_PER_HOUR, [flat(12_500)]);
    bench.bars.add(&bench.key("GBP/USD", Granularity::H1), elsewhere);
    let refused = bench.run(bench.request(strategy)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BacktestData);
    assert!(refused.message().contains("no bars of default/GBP_USD/1h"), "{}", refused.message());
}

#[tokio::test]
async fn bars_before_the_range_make_longer_timeframes_ready_at_its_start() {
    let bench = Bench::new();
    bench.hours("EUR/USD", (0..72).map(|hour| flat(10_800 + hour)));
    let body = [
        "if defined(sma(data.timeframe(\"4h\").close, 6)) and position.units == 0:",
        "    return buy(units=1000)",
        "return {}",
    ];
    let strategy = bench.strategy(&["EUR/USD"], &body).await;
    let request = BacktestRequest { start: after_monday(48), ..bench.request(strategy) };
    let outcome = bench.run(request).await.unwrap();
    assert_eq!(outcome.record.open_positions[0].entry_time, after_monday(49));
}

#[tokio::test]
async fn a_timeframe_that_is_not_longer_is_refused_at_registration() {
    let bench = Bench::new();
    let code = "class S(Strategy):\n    def analyze(self, data):\n        return target(units=data.timeframe(\"30m\").close)\n";
    let registration = Registration {
        name: "s".to_owned(),
        description: None,
        instruments: vec![pair("EUR/USD")],
        timeframe: Granularity::H1,
        parameters: Default::default(),
        code: code.to_owned(),
    };
    let refused = bench.app.register_strategy(&bench.caller, registration).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::StrategyConfiguration);
    assert!(refused.message().contains("timeframe: the strategy reads bars of 30m"), "{}", refused.message());
}

#[tokio::test]
async fn what_is_executed_now_reads_them_too() {
    let bench = Bench::new();
    bench.hours("EUR/USD", (0..46).map(|_| flat(10_800)));
    bench.hours("GBP/USD", (0..46).map(|hour| flat(if hour < 45 { 12_500 } else { 12_500 + hour })));
    let strategy = bench.strategy(&["EUR/USD"], &POUND).await;
    let request = fx_app::executions::ExecutionRequest {
        strategy_id: strategy,
        capital_allocation: 10_000.0,
        parameters: Default::default(),
        dataset: DatasetName::default(),
    };
    let record = bench.app.execute(&bench.caller, request).await.unwrap();
    // The pound's bar of four hours that ends with the newest hour has the rise.
    assert_eq!(record.signals.iter().map(|signal| signal.action.as_str()).collect::<Vec<_>>(), ["buy"]);
}
