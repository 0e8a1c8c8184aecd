//! Instruments with accounts of their own.

use super::*;
use fx_domain::{Currency, LedgerKind, LedgerRow, Trade};

/// Buys with all that there is where the price falls, and leaves where it rises.
const SWING: [&str; 5] = [
    "if data.close < data.close[-2]:",
    "    return buy(equity_percent=300, stop_loss=pips(7))",
    "if data.close > data.close[-2] + 0.0003:",
    "    return close()",
    "return {}",
];

/// Prices that wander on their own way.
fn wander(seed: i64) -> impl Iterator<Item = Pips> {
    let mut last = 10_800;
    (0..96).map(move |hour| {
        let open = last;
        last += (hour * hour * 31 + hour * seed * 17) % 23 - 11;
        Pips { open, high: open.max(last) + 3, low: open.min(last) - 3, close: last }
    })
}

fn without_numbers(trade: &Trade) -> Trade {
    Trade { id: 0, position_id: 0, ..*trade }
}

/// What a row books, without what depends on the rows beside it.
fn booked(row: &LedgerRow) -> (UnixNanos, LedgerKind, i64, String) {
    (row.time, row.kind, row.amount.micros(), format!("{:?}", row.conversion))
}

#[tokio::test]
async fn each_is_the_run_that_it_would_be_alone_with_its_share() {
    let bench = Bench::new();
    let pairs = ["EUR/USD", "GBP/USD", "EUR/GBP"];
    for (pair, seed) in pairs.iter().zip(1..) {
        bench.hours(pair, wander(seed));
    }
    let strategy = bench.strategy(&pairs, &SWING).await;
    let currency = Some(Currency::USD);
    // Two millionths do not divide by three.
    let request = BacktestRequest {
        initial_capital: 10_000.000_001,
        account_currency: currency,
        independent: true,
        ..bench.request(strategy.clone())
    };
    let together = bench.run(request.clone()).await.unwrap();
    assert!(together.record.independent);
    let mut alone = Vec::new();
    for (pair_name, capital) in pairs.iter().zip([3_333.333_335, 3_333.333_333, 3_333.333_333]) {
        let request = BacktestRequest {
            initial_capital: capital,
            instruments: vec![pair(pair_name)],
            independent: false,
            ..request.clone()
        };
        alone.push(bench.run(request).await.unwrap());
    }
    let trades = bench.trades(&together).await;
    let mut closed = 0;
    for (outcome, name) in alone.iter().zip(pairs) {
        let mine: Vec<_> = trades.iter().filter(|trade| trade.instrument == pair(name)).collect();
        let own = bench.trades(outcome).await;
        closed += own.len();
        assert!(mine.len() > 5, "{name}: {}", mine.len());
        let (mine, own): (Vec<_>, Vec<_>) =
            (mine.into_iter().map(without_numbers).collect(), own.iter().map(without_numbers).collect());
        assert_eq!(mine, own, "{name}");
    }
    assert_eq!(trades.len(), closed);
    assert!(trades.iter().zip(0..).all(|(trade, id)| trade.id == id));
    let order =
        |trade: &Trade| (trade.exit_time, pairs.iter().position(|name| pair(name) == trade.instrument));
    assert!(trades.is_sorted_by_key(order), "in order of exit, at equal times in registered order");
    let positions: std::collections::BTreeSet<_> = trades.iter().map(|trade| trade.position_id).collect();
    assert_eq!(positions.len(), trades.len(), "no two positions share a number");

    let ledger = bench.ledger(&together).await;
    let mut rows = Vec::new();
    for outcome in &alone {
        rows.extend(bench.ledger(outcome).await.iter().map(booked));
    }
    rows.sort_by_key(|row| row.0);
    assert_eq!(ledger.iter().map(booked).collect::<Vec<_>>(), rows);
    let mut balance = 0;
    for (row, sequence) in ledger.iter().zip(0..) {
        balance += row.amount.micros();
        assert_eq!((row.sequence, row.balance.micros()), (sequence, balance));
    }

    let equity = bench.equity(&together).await;
    assert!(equity.times.is_sorted_by(|a, b| a < b));
    let mut sum = 0;
    for outcome in &alone {
        sum += bench.equity(outcome).await.micros.last().unwrap();
    }
    assert_eq!(equity.micros.last(), Some(&sum));
    let metrics = |outcome: &BacktestOutcome| outcome.record.report.metrics.final_balance;
    let total: f64 = alone.iter().map(metrics).sum();
    assert!((metrics(&together) - total).abs() < 1e-6);
    assert_eq!(
        together.record.inputs.iter().filter(|input| input.role == fx_app::records::InputRole::Track).count(),
        3
    );

    let shared = bench.run(BacktestRequest { independent: false, ..request.clone() }).await.unwrap();
    assert_ne!(shared.record.result_hash, together.record.result_hash);
    assert_ne!(shared.record.id, together.record.id);
    let again = BacktestRequest { data_version: Some(together.record.data_version), ..request };
    assert_eq!(bench.run(again).await.unwrap().record.result_hash, together.record.result_hash);
}

#[tokio::test]
async fn equities_are_summed_at_every_close_of_any_pair() {
    let bench = Bench::new();
    bench.hours("EUR/USD", (0..4).map(|hour| flat(10_800 + 10 * hour)));
    let late =
        bars(&pair("GBP/USD"), after_monday(2), NANOS_PER_HOUR, (0..4).map(|hour| flat(12_500 - 10 * hour)));
    bench.bars.add(&bench.key("GBP/USD", Granularity::H1), late);
    let strategy = bench.strategy(&["EUR/USD", "GBP/USD"], &HOLD).await;
    let request = BacktestRequest { independent: true, ..bench.request(strategy) };
    let outcome = bench.run(request).await.unwrap();
    let curve = bench.equity(&outcome).await;
    assert_eq!(curve.times, (0..6).map(after_monday).collect::<Vec<_>>());
    // Ten thousand units a pip of a dollar; the second bar opens ten pips higher, on an ask one pip above.
    let whole: Vec<f64> = curve.micros.iter().map(|micros| *micros as f64 / 1e6).collect();
    assert_eq!(whole, [10_000.0, 9_999.0, 10_009.0, 10_018.0, 10_008.0, 9_998.0]);
}

#[tokio::test]
async fn one_instrument_alone_has_the_whole_capital() {
    let bench = Bench::new();
    bench.hours("EUR/USD", wander(1));
    let strategy = bench.strategy(&["EUR/USD"], &SWING).await;
    let shared = bench.run(bench.request(strategy.clone())).await.unwrap().record;
    let request = BacktestRequest { independent: true, ..bench.request(strategy) };
    let alone = bench.run(request).await.unwrap().record;
    assert_eq!((alone.result_hash, alone.data_version), (shared.result_hash, shared.data_version));
    assert!(alone.independent && !shared.independent);
}
