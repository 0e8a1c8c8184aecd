//! A run is the same run in however many windows its bars are read.

use super::*;
use fx_app::backtests::{FillTime, IntrabarPolicy};
use fx_domain::Currency;

/// Trades often, at the market and with exits and waiting orders.
const BUSY: [&str; 7] = [
    "mean = sma(data.close, 5)",
    "if crosses_above(data.close, mean):",
    "    return buy(units=10000, stop_loss=pips(12), take_profit=pips(15))",
    "if crosses_below(data.close, mean):",
    "    return [sell(units=8000, stop_loss=pips(9)), order(units=1000, limit=data.close - 0.0020)]",
    "record(\"mean\", mean)",
    "return {}",
];

/// The same, reading the pound, and bars of four hours.
const READS: [&str; 7] = [
    "pound = data.instrument(\"GBP/USD\")",
    "slow = sma(data.timeframe(\"4h\").close, 3)",
    "if data.close > slow and pound.close > sma(pound.close, 4):",
    "    return buy(units=5000, stop_loss=pips(20))",
    "if data.close < slow:",
    "    return close()",
    "return {}",
];

/// A walk that is the same for the same seed.
fn walk(seed: u64, from: i64, count: usize) -> impl Iterator<Item = Pips> {
    let mut state = seed;
    let mut step = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 59) as i64 - 15
    };
    let mut open = from;
    (0..count).map(move |_| {
        let close = open + step();
        let row = Pips {
            open,
            high: open.max(close) + step().abs() / 2,
            low: open.min(close) - step().abs() / 2,
            close,
        };
        open = close;
        row
    })
}

/// Eight days of hours of four pairs, one with a hole, and a day of minutes of one.
fn filled(bench: Bench) -> Bench {
    bench.hours("EUR/USD", walk(1, 10_800, 192));
    bench.hours("GBP/USD", walk(2, 12_500, 150));
    bench.hours("USD/JPY", walk(3, 15_000, 192));
    let later = bars(&pair("AUD/USD"), after_monday(30), NANOS_PER_HOUR, walk(4, 6_500, 100));
    bench.bars.add(&bench.key("AUD/USD", Granularity::H1), later);
    bench.minutes("EUR/USD", 24, walk(5, 10_800, 24 * 60).map(|row| Pips { high: row.high, ..row }));
    bench
}

/// What is asked: of which pairs and strategy, and what besides.
type Case = (&'static [&'static str], [&'static str; 7], fn(BacktestRequest) -> BacktestRequest);

const CASES: [Case; 11] = [
    (&["EUR/USD"], BUSY, |request| request),
    (&["EUR/USD"], BUSY, |request| BacktestRequest { start: after_monday(40), ..request }),
    (&["EUR/USD"], BUSY, |request| BacktestRequest {
        scenarios: vec![IntrabarPolicy::Optimistic, IntrabarPolicy::Pessimistic],
        ..request
    }),
    (&["EUR/USD"], BUSY, |request| BacktestRequest { intrabar: Some(Granularity::M1), ..request }),
    (&["GBP/USD", "EUR/USD", "AUD/USD"], BUSY, |request| request),
    (&["EUR/USD", "AUD/USD"], READS, |request| BacktestRequest { start: after_monday(50), ..request }),
    (&["EUR/USD", "AUD/USD"], READS, |request| request),
    (&["USD/JPY"], BUSY, |request| BacktestRequest {
        account_currency: Some(Currency::EUR),
        initial_capital: 100_000.0,
        ..request
    }),
    (&["GBP/USD", "EUR/USD", "AUD/USD"], BUSY, |request| BacktestRequest {
        independent: true,
        scenarios: vec![IntrabarPolicy::Optimistic, IntrabarPolicy::Pessimistic],
        ..request
    }),
    (&["EUR/USD", "AUD/USD"], READS, |request| BacktestRequest {
        independent: true,
        start: after_monday(50),
        ..request
    }),
    (&["USD/JPY", "EUR/USD"], BUSY, |request| BacktestRequest {
        independent: true,
        fill: FillTime::Close,
        account_currency: Some(Currency::EUR),
        initial_capital: 100_000.0,
        ..request
    }),
];

impl Bench {
    async fn case(&self, (instruments, body, with): Case) -> BacktestOutcome {
        let strategy = self.strategy(instruments, &body).await;
        let request = BacktestRequest { end: after_monday(190), ..self.request(strategy) };
        self.run(with(request)).await.unwrap()
    }
}

#[tokio::test]
async fn however_the_bars_are_read_the_run_is_the_same() {
    let whole = filled(Bench::in_pieces_of(usize::MAX));
    for (number, case) in CASES.into_iter().enumerate() {
        let expected = whole.case(case).await;
        let metrics = &expected.record.report.metrics;
        assert!(metrics.total_trades > 5, "case {number}: {metrics:?}");
        for piece in [1, 7, 40] {
            let bench = filled(Bench::in_pieces_of(piece));
            let outcome = bench.case(case).await;
            let what = format!("case {number} in pieces of {piece}");
            assert_eq!(outcome.record.result_hash, expected.record.result_hash, "{what}");
            assert_eq!(outcome.record.report, expected.record.report, "{what}");
            assert_eq!(outcome.record.scenarios, expected.record.scenarios, "{what}");
            assert_eq!(outcome.record.warnings, expected.record.warnings, "{what}");
            assert_eq!(outcome.record.open_positions, expected.record.open_positions, "{what}");
            assert_eq!(outcome.shown, expected.shown, "{what}");
            assert_eq!(bench.trades(&outcome).await, whole.trades(&expected).await, "{what}");
            assert_eq!(bench.ledger(&outcome).await, whole.ledger(&expected).await, "{what}");
            assert_eq!(bench.equity(&outcome).await, whole.equity(&expected).await, "{what}");
            assert_eq!(bench.events(&outcome).await, whole.events(&expected).await, "{what}");
            assert_eq!(bench.margin(&outcome).await, whole.margin(&expected).await, "{what}");
        }
    }
}
