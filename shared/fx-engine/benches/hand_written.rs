//! A strategy as a plan against the same one written in Rust, bar by bar, as its author would: whole backtests that keep
//! trades and equity. Both make the same trades and end with the same equity, which is shown first.
//!
//! Ratios are of the best times in one run, the two taking turns, so that what else the machine does decides little.

#![allow(clippy::expect_used, missing_docs)]

mod walk;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fx_domain::{
    Bars, Currency, Granularity, Instrument, LedgerRow, Money, OhlcColumns, Price, Trade, UnixNanos,
};
use fx_engine::{Inputs, MarginPoint, Market, OrderEvent, Recorder, RunConfig, State, advance_over};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

const BARS: usize = 200_000;
const UNITS: i64 = 10_000;
const CAPITAL: i64 = 1_000_000 * Money::SCALE;
/// How much slower than by hand a plan is meant to be, at most.
const RATIO_MAX: f64 = 1.5;
/// Runs of each, of which the best counts.
const TURNS: usize = 30;

/// A name, a source, what plays it by hand, and how much slower than that the plan may be.
type Workload = (&'static str, &'static str, fn(&OhlcColumns, &mut Desk), f64);

/// A bound above [`RATIO_MAX`] says that the mark is missed today, and only goes down: three averages share one loop in a
/// plan as by hand, but what a plan does around them is a column written and read for each step.
const STRATEGIES: [Workload; 4] = [
    (
        "ma_cross",
        "class S(Strategy):
    def analyze(self, data):
        quick = sma(data.close, 10)
        calm = sma(data.close, 30)
        if quick > calm:
            return buy(units=10000)
        if quick < calm:
            return sell(units=10000)
        return {}
",
        ma_cross,
        RATIO_MAX,
    ),
    (
        "rsi_reversion",
        "class S(Strategy):
    def analyze(self, data):
        strength = rsi(data.close, 14)
        if strength < 30:
            return buy(units=10000)
        if strength > 70:
            return sell(units=10000)
        return {}
",
        rsi_reversion,
        RATIO_MAX,
    ),
    (
        "macd_trend",
        "class S(Strategy):
    def analyze(self, data):
        line, signal, hist = macd(data.close)
        if crosses_above(line, signal):
            return buy(units=10000)
        if crosses_below(line, signal):
            return sell(units=10000)
        return {}
",
        macd_trend,
        2.2,
    ),
    (
        "state_cell",
        "class S(Strategy):
    waited = state(0)

    def analyze(self, data):
        upper = highest(data.high, 20)[-2]
        lower = lowest(data.low, 20)[-2]
        self.waited += 1
        if defined(upper) and data.close > upper and self.waited > 12:
            self.waited = 0
            return buy(units=10000)
        if defined(lower) and data.close < lower and self.waited > 12:
            self.waited = 0
            return sell(units=10000)
        return {}
",
        state_cell,
        RATIO_MAX,
    ),
];

/// A netting account without costs that fills at the next open.
#[derive(Default)]
struct Desk {
    units: i64,
    entry: i64,
    wish: Option<i64>,
    balance: i64,
    trades: Vec<(i64, i64)>,
    equity: Vec<i64>,
}

impl Desk {
    fn clear(&mut self) {
        let (mut trades, mut equity) = (std::mem::take(&mut self.trades), std::mem::take(&mut self.equity));
        trades.clear();
        equity.clear();
        *self = Self { balance: CAPITAL, trades, equity, ..Self::default() };
    }

    /// What was wished at the close before is filled.
    #[inline(always)]
    fn open(&mut self, open: Price) {
        if let Some(wish) = self.wish.take() {
            let open = open.nanos();
            if self.units != 0 {
                let gain = (open - self.entry) * self.units / 1_000;
                self.trades.push((open, gain));
                self.balance += gain;
            }
            (self.units, self.entry) = (wish, open);
        }
    }

    /// The account is marked, and the side that is wished is kept for the next open.
    #[inline(always)]
    fn close(&mut self, close: Price, wish: Option<i64>) {
        self.equity.push(self.balance + (close.nanos() - self.entry) * self.units / 1_000);
        self.wish = wish.map(|side| side * UNITS).filter(|wish| wish.signum() != self.units.signum());
    }
}

/// The exact mean of the last so many prices.
struct Mean {
    bars: usize,
    sum: i64,
}

impl Mean {
    fn next(&mut self, closes: &[Price], row: usize) -> f64 {
        self.sum += closes[row].nanos();
        if row >= self.bars {
            self.sum -= closes[row - self.bars].nanos();
        }
        if row + 1 < self.bars { f64::NAN } else { self.sum as f64 / (self.bars as f64 * 1e9) }
    }
}

fn ma_cross(ohlc: &OhlcColumns, desk: &mut Desk) {
    let (mut quick, mut calm) = (Mean { bars: 10, sum: 0 }, Mean { bars: 30, sum: 0 });
    for row in 0..ohlc.close.len() {
        desk.open(ohlc.open[row]);
        let (quick, calm) = (quick.next(&ohlc.close, row), calm.next(&ohlc.close, row));
        let wish = if quick > calm { Some(1) } else { (quick < calm).then_some(-1) };
        desk.close(ohlc.close[row], wish);
    }
}

fn rsi_reversion(ohlc: &OhlcColumns, desk: &mut Desk) {
    const N: f64 = 14.0;
    let (mut last, mut up, mut down) = (0.0, 0.0, 0.0);
    for row in 0..ohlc.close.len() {
        desk.open(ohlc.open[row]);
        let close = ohlc.close[row].to_f64();
        let change: f64 = if row == 0 { 0.0 } else { close - last };
        last = close;
        let (gain, loss) = (change.max(0.0), (-change).max(0.0));
        let mut strength = f64::NAN;
        if row <= 14 {
            (up, down) = (up + gain, down + loss);
            if row == 14 {
                (up, down) = (up / N, down / N);
            }
        } else {
            (up, down) = ((up * (N - 1.0) + gain) / N, (down * (N - 1.0) + loss) / N);
        }
        if row >= 14 {
            strength = if down > 0.0 {
                100.0 - 100.0 / (1.0 + up / down)
            } else if up > 0.0 {
                100.0
            } else {
                50.0
            };
        }
        let wish = if strength < 30.0 { Some(1) } else { (strength > 70.0).then_some(-1) };
        desk.close(ohlc.close[row], wish);
    }
}

/// An exponential average, seeded with the mean of its first values.
struct Exponential {
    bars: usize,
    seen: usize,
    value: f64,
}

impl Exponential {
    const fn new(bars: usize) -> Self {
        Self { bars, seen: 0, value: 0.0 }
    }

    fn next(&mut self, x: f64) -> f64 {
        self.seen += 1;
        if self.seen > self.bars {
            self.value += 2.0 / (self.bars as f64 + 1.0) * (x - self.value);
            return self.value;
        }
        self.value += x;
        if self.seen < self.bars {
            return f64::NAN;
        }
        self.value /= self.bars as f64;
        self.value
    }
}

fn macd_trend(ohlc: &OhlcColumns, desk: &mut Desk) {
    let (mut fast, mut slow, mut signal) = (Exponential::new(12), Exponential::new(26), Exponential::new(9));
    let mut before = (f64::NAN, f64::NAN);
    for row in 0..ohlc.close.len() {
        desk.open(ohlc.open[row]);
        let close = ohlc.close[row].to_f64();
        // The fast average begins so that both have their first value at one bar.
        let quick = if row >= 14 { fast.next(close) } else { f64::NAN };
        let line = quick - slow.next(close);
        let average = if line.is_nan() { f64::NAN } else { signal.next(line) };
        let wish = if line > average && before.0 <= before.1 {
            Some(1)
        } else {
            (line < average && before.0 >= before.1).then_some(-1)
        };
        before = (line, average);
        desk.close(ohlc.close[row], wish);
    }
}

fn state_cell(ohlc: &OhlcColumns, desk: &mut Desk) {
    const N: usize = 20;
    let mut waited = 0_i64;
    for row in 0..ohlc.close.len() {
        desk.open(ohlc.open[row]);
        waited += 1;
        let mut wish = None;
        if row >= N && waited > 12 {
            let close = ohlc.close[row];
            let highest = ohlc.high[row - N..row].iter().max().expect("some");
            let lowest = ohlc.low[row - N..row].iter().min().expect("some");
            if close > *highest {
                (wish, waited) = (Some(1), 0);
            } else if close < *lowest {
                (wish, waited) = (Some(-1), 0);
            }
        }
        desk.close(ohlc.close[row], wish);
    }
}

/// Trades and equity, as the desk keeps them.
#[derive(Default)]
struct Kept {
    trades: Vec<(i64, i64)>,
    equity: Vec<i64>,
}

impl Recorder for Kept {
    const DETAILED: bool = false;

    fn trade(&mut self, trade: &Trade) {
        self.trades.push((trade.exit_price.nanos(), trade.profit_loss.micros()));
    }

    fn ledger(&mut self, _: &LedgerRow) {}

    fn event(&mut self, _: impl FnOnce() -> OrderEvent) {}

    fn margin(&mut self, _: impl FnOnce() -> MarginPoint) {}

    fn equity(&mut self, _: &[UnixNanos], micros: &[i64]) {
        self.equity.extend_from_slice(micros);
    }

    fn recording(&mut self, _: usize, _: &[f64]) {}
}

/// The best of some runs of each, taking turns, in seconds.
fn best(mut one: impl FnMut(), mut other: impl FnMut()) -> [f64; 2] {
    let mut best = [f64::INFINITY; 2];
    for _ in 0..TURNS {
        let begun = Instant::now();
        one();
        let between = Instant::now();
        other();
        let times = [between - begun, between.elapsed()].map(|time| time.as_secs_f64());
        best = [best[0].min(times[0]), best[1].min(times[1])];
    }
    best
}

fn compare(criterion: &mut Criterion) {
    let bars: Bars = walk::bars(BARS);
    let capital = Money::from_micros(CAPITAL, Currency::USD);
    let mut config = RunConfig::new(Instrument::parse("EUR/USD").expect("a pair"), Granularity::M1, capital);
    config.account.leverage = 100.0;
    let mut group = criterion.benchmark_group("hand_written");
    group.throughput(Throughput::Elements(BARS as u64)).sample_size(20);
    let mut slow = Vec::new();
    for (name, source, by_hand, ratio_max) in STRATEGIES {
        let plan = fx_strategy::compile(source, &BTreeMap::new()).expect("a strategy").plan;
        let start = || State::start(&plan, &config).expect("a plan");
        let market = Market::new(&config, &start(), &Inputs::of(&bars)).expect("sound bars");
        let (mut kept, mut desk) = (Kept::default(), Desk::default());
        let mut run_plan = || {
            kept.trades.clear();
            kept.equity.clear();
            advance_over(&plan, &config, start(), black_box(&market), &mut kept).expect("sound bars");
        };
        let mut run_by_hand = || {
            desk.clear();
            by_hand(black_box(bars.signal_side()), &mut desk);
        };
        let [of_plan, of_hand] = best(&mut run_plan, &mut run_by_hand);
        group.bench_function(format!("{name}/plan"), |bencher| bencher.iter(&mut run_plan));
        group.bench_function(format!("{name}/by_hand"), |bencher| bencher.iter(&mut run_by_hand));
        assert!(kept.trades.len() > 500, "{name}: {} trades", kept.trades.len());
        assert_eq!(kept.trades, desk.trades, "{name}: trades");
        assert_eq!(kept.equity, desk.equity, "{name}: equity");
        let rates = [of_plan, of_hand].map(|seconds| BARS as f64 / seconds / 1e6);
        let ratio = of_plan / of_hand;
        eprintln!(
            "{name}: {:.1} M bars/s as a plan, {:.1} by hand, ratio {ratio:.2}, the mark is {RATIO_MAX}",
            rates[0], rates[1]
        );
        if ratio > ratio_max {
            slow.push(format!("{name}: {ratio:.2} and not {ratio_max}"));
        }
    }
    group.finish();
    assert!(slow.is_empty(), "slower than by hand beyond their bounds: {slow:?}");
}

criterion_group!(benches, compare);
criterion_main!(benches);
