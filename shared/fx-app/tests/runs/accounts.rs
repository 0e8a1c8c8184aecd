//! Several currencies and instruments in one account, and its margin.

use super::*;
use fx_app::records::{InputRole, MarginCause};
use fx_domain::{Currency, ErrorKind, ExitReason, LedgerKind};

/// Buys at the first bar, closes at the tenth.
const TRIP: [&str; 5] = [
    "if data.index == 0:",
    "    return buy(units=10000)",
    "if data.index == 10:",
    "    return close()",
    "return {}",
];

#[tokio::test]
async fn yen_become_euros_through_the_dollar() {
    let bench = Bench::new();
    bench.hours("USD/JPY", (0..24).map(|hour| flat(15_000 + 10 * hour)));
    bench.hours("EUR/USD", (0..24).map(|_| flat(10_800)));
    let strategy = bench.strategy(&["USD/JPY"], &TRIP).await;
    let request = BacktestRequest { account_currency: Some(Currency::EUR), ..bench.request(strategy) };
    let outcome = bench.run(request).await.unwrap();
    let record = &outcome.record;
    assert_eq!(record.config.account.currency, Currency::EUR);
    let inputs: Vec<_> =
        record.inputs.iter().map(|input| (input.series.instrument.to_string(), input.role)).collect();
    let expected = [("USD/JPY".to_owned(), InputRole::Track), ("EUR/USD".to_owned(), InputRole::Rate)];
    assert_eq!(inputs, expected);
    assert_eq!(record.config.rates.len(), 1);
    let ledger = bench.ledger(&outcome).await;
    let row = ledger.iter().find(|row| row.kind == LedgerKind::ProfitLoss).unwrap();
    let conversion = row.conversion.unwrap();
    assert_eq!(conversion.to_string(), "1/USD/JPY x 1/EUR/USD");
    // Bought at the ask of hour 1, sold at the bid of hour 11: 99 pips of 10 000; mid prices of hours 11.
    let [yen, dollar_yen, euro_dollar] = [9_900.0, 151.105, 1.08005];
    let euros = yen / dollar_yen / euro_dollar;
    assert!((row.amount.to_f64() - euros).abs() < 1e-6, "{} is not {euros}", row.amount.to_f64());
    assert!(warned(&outcome, "Amounts in JPY became EUR"), "{:?}", record.warnings);
}

#[tokio::test]
async fn what_is_traded_converts_before_anything_else_is_read() {
    let bench = Bench::new();
    for instrument in ["USD/JPY", "EUR/USD", "EUR/JPY"] {
        bench.hours(instrument, (0..24).map(|_| flat(10_800)));
    }
    let strategy = bench.strategy(&["EUR/USD", "USD/JPY"], &TRIP).await;
    let request =
        BacktestRequest { account_currency: Some(Currency::EUR), ..bench.request(strategy.clone()) };
    assert!(bench.run(request).await.unwrap().record.config.rates.is_empty());
    let alone = BacktestRequest {
        account_currency: Some(Currency::EUR),
        instruments: vec![pair("USD/JPY")],
        ..bench.request(strategy)
    };
    let rates = bench.run(alone).await.unwrap().record.config.rates;
    let rates: Vec<_> = rates.iter().map(|rate| rate.instrument.to_string()).collect();
    assert_eq!(rates, ["EUR/JPY"], "the pair itself before the way through the dollar");
}

#[tokio::test]
async fn a_rate_of_another_length_serves_and_one_that_misses_the_range_does_not() {
    let bench = Bench::new();
    bench.hours("USD/JPY", (0..24).map(|_| flat(15_000)));
    let strategy = bench.strategy(&["USD/JPY"], &TRIP).await;
    let request = BacktestRequest { account_currency: Some(Currency::USD), ..bench.request(strategy) };
    bench.minutes("EUR/USD", 0, (0..24 * 60).map(|_| flat(10_800)));
    let euros = BacktestRequest { account_currency: Some(Currency::EUR), ..request };
    let outcome = bench.run(euros.clone()).await.unwrap();
    assert_eq!(outcome.record.config.rates[0].granularity, Granularity::M1);
    let other = Bench::new();
    other.hours("USD/JPY", (0..24).map(|_| flat(15_000)));
    let strategy_id = other.strategy(&["USD/JPY"], &TRIP).await;
    other.minutes("EUR/USD", 200, (0..60).map(|_| flat(10_800)));
    let refused = other.run(BacktestRequest { strategy_id, ..euros }).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BacktestData);
}

#[tokio::test]
async fn without_a_rate_the_pairs_that_would_do_are_named() {
    let bench = Bench::new();
    bench.hours("USD/JPY", (0..24).map(|_| flat(15_000)));
    let strategy = bench.strategy(&["USD/JPY"], &TRIP).await;
    let request = BacktestRequest { account_currency: Some(Currency::EUR), ..bench.request(strategy) };
    let refused = bench.run(request).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BacktestData);
    for named in ["account_currency: ", "JPY", "EUR/JPY", "USD/JPY", "EUR/USD", "`default`"] {
        assert!(refused.message().contains(named), "{named}: {}", refused.message());
    }
}

#[tokio::test]
async fn two_instruments_share_an_account_in_their_order() {
    let bench = Bench::new();
    bench.hours("EUR/USD", (0..24).map(|hour| flat(10_800 + hour)));
    bench.hours("GBP/USD", (0..24).map(|hour| flat(12_700 - hour)));
    let strategy = bench.strategy(&["GBP/USD", "EUR/USD"], &TRIP).await;
    let request = bench.request(strategy);
    let outcome = bench.run(request.clone()).await.unwrap();
    let record = &outcome.record;
    let traded: Vec<_> = record.config.tracks.iter().map(|track| track.instrument).collect();
    assert_eq!(traded, [pair("GBP/USD"), pair("EUR/USD")]);
    assert_eq!(record.series.instrument, pair("GBP/USD"));
    // 10 000 units, ten hours of a pip each, less the spread of one.
    let gains: Vec<_> = bench
        .trades(&outcome)
        .await
        .iter()
        .map(|trade| (trade.instrument, trade.profit_loss.micros()))
        .collect();
    assert_eq!(gains, [(pair("GBP/USD"), -11_000_000), (pair("EUR/USD"), 9_000_000)]);
    assert!((record.report.metrics.net_profit + 2.0).abs() < 1e-9);
    assert_eq!(record.report.comparable.trades, 2);
    assert_eq!(record.bars, 24);

    let versions: Vec<_> = record.inputs.iter().map(|input| input.version).collect();
    assert!(!versions.contains(&record.data_version), "together they have a version of their own");
    let pinned = BacktestRequest { data_version: Some(record.data_version), ..request.clone() };
    assert_eq!(bench.run(pinned.clone()).await.unwrap().record.result_hash, record.result_hash);
    bench.hours("EUR/USD", (0..24).map(|hour| flat(10_900 + hour)));
    let moved = bench.run(pinned).await.unwrap_err();
    assert_eq!(moved.kind(), ErrorKind::BacktestData);
    assert!(moved.message().starts_with("data_version: the latest versions"), "{}", moved.message());
}

#[tokio::test]
async fn one_series_is_asked_for_by_its_own_version() {
    let bench = Bench::new();
    bench.hours("EUR/USD", (0..24).map(|hour| flat(10_800 + hour)));
    let strategy = bench.strategy(&["EUR/USD"], &TRIP).await;
    let first = bench.run(bench.request(strategy.clone())).await.unwrap().record;
    assert_eq!(first.data_version, first.inputs[0].version);
    bench.hours("EUR/USD", (0..24).map(|hour| flat(10_900 - hour)));
    let pinned =
        BacktestRequest { data_version: Some(first.data_version), ..bench.request(strategy.clone()) };
    assert_eq!(bench.run(pinned).await.unwrap().record.result_hash, first.result_hash);
    assert_ne!(bench.run(bench.request(strategy)).await.unwrap().record.result_hash, first.result_hash);
}

#[tokio::test]
async fn an_account_that_cannot_carry_its_position_is_stopped_out() {
    let bench = Bench::new();
    // 250 000 units at 1.08 with leverage 30 hold 9 000 of 10 000; 300 pips are 7 500.
    bench.hours("EUR/USD", (0..24).map(|hour| flat(10_800 - 50 * hour)));
    let strategy = bench
        .strategy(&["EUR/USD"], &["if data.index == 0:", "    return buy(units=250000)", "return {}"])
        .await;
    let outcome = bench.run(bench.request(strategy.clone())).await.unwrap();
    let metrics = &outcome.record.report.metrics;
    assert_eq!((metrics.stop_outs, metrics.margin_calls), (1, 1));
    assert!(metrics.lowest_margin_level_pct.unwrap() <= 50.0);
    assert_eq!(bench.trades(&outcome).await[0].exit_reason, ExitReason::StopOut);
    assert!(warned(&outcome, "stopped out 1 times"), "{:?}", outcome.record.warnings);
    let id = &outcome.record.id;
    let points = bench.app.backtest_margin(&bench.caller, id, ALL).await.unwrap();
    assert!(points.iter().any(|point| point.cause == MarginCause::StopOut));
    let patient = BacktestRequest { stop_out_pct: 0.0, margin_call_pct: 0.0, ..bench.request(strategy) };
    assert_ne!(bench.run(patient).await.unwrap().record.result_hash, outcome.record.result_hash);
}
