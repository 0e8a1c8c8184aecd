//! The bar loop does not allocate: ten times the bars cost as many allocations as the bars themselves, whatever a
//! strategy does at them. What is kept of a run is the recorder's, and this one keeps nothing. Where other bars are read,
//! one list of them may be made for each block.

#![allow(clippy::unwrap_used)]

#[path = "../benches/walk/mod.rs"]
mod walk;

use allocation_counter::measure;
use fx_domain::{Bars, Currency, Granularity, Instrument, LedgerRow, Money, Trade, UnixNanos};
use fx_engine::{
    AccountKind, Inputs, MarginPoint, Market, OrderEvent, Recorder, RunConfig, State, advance_over,
};
use std::collections::BTreeMap;

/// Bars behind which every buffer has the size that it keeps.
const BARS: usize = 40_000;

/// Bars that the engine evaluates at a time.
const BLOCK: usize = 1_024;

/// Counts what it is told of, and keeps none of it.
#[derive(Default)]
struct Forgets {
    trades: usize,
    events: usize,
    points: usize,
}

impl Recorder for Forgets {
    fn trade(&mut self, _: &Trade) {
        self.trades += 1;
    }

    fn ledger(&mut self, _: &LedgerRow) {}

    fn event(&mut self, event: impl FnOnce() -> OrderEvent) {
        let _event = event();
        self.events += 1;
    }

    fn margin(&mut self, point: impl FnOnce() -> MarginPoint) {
        let _point = point();
    }

    fn equity(&mut self, _: &[UnixNanos], micros: &[i64]) {
        self.points += micros.len();
    }

    fn recording(&mut self, _: usize, _: &[f64]) {}
}

/// Allocations of a run over `bars`, and the trades that it made.
fn allocations(body: &str, kind: AccountKind, bars: &Bars) -> (u64, usize) {
    let source =
        format!("class S(Strategy):\n    n = state(0)\n\n    def analyze(self, data):\n        {body}\n");
    let plan = fx_strategy::compile(&source, &BTreeMap::new()).unwrap().plan;
    let capital = Money::from_micros(1_000_000 * Money::SCALE, Currency::USD);
    let mut config = RunConfig::new(Instrument::parse("EUR/USD").unwrap(), Granularity::M1, capital);
    (config.account.leverage, config.account.kind) = (100.0, kind);
    let start = || State::start(&plan, &config).unwrap();
    let market = Market::new(&config, &start(), &Inputs::of(bars)).unwrap();
    let mut forgets = Forgets::default();
    let counted = measure(|| {
        advance_over(&plan, &config, start(), &market, &mut forgets).unwrap();
    });
    assert_eq!(forgets.points, bars.len(), "every bar is met");
    assert!(forgets.events > forgets.trades);
    (counted.count_total, forgets.trades)
}

#[test]
fn ten_times_the_bars_cost_the_allocations_of_the_bars() {
    let bars = walk::bars(10 * BARS);
    let few = bars.slice(0..BARS);
    for body in [
        "quick, calm = sma(data.close, 10), sma(data.close, 30)
        if quick > calm:
            return buy(units=1000)
        if quick < calm:
            return sell(units=1000)",
        "strength = rsi(data.close, 14)
        record(\"strength\", strength)
        if position.units == 0 and strength < 30:
            return buy(risk_percent=0.1, stop_loss=pips(10), take_profit=distance(2 * atr(14)))
        if position.units == 0 and strength > 70:
            return sell(equity_percent=10, stop_loss=pips(10), trailing=pips(5))",
        "self.n += 1
        if self.n > 20 and data.close > data.open:
            self.n = 0
            return target(units=1000)
        if self.n == 10:
            return close()",
        "upper, middle, lower = donchian(20)
        record(\"width\", position.units * 1.0)
        if position.bars == 1:
            return [cancel(), modify(stop_loss=position.entry_price - 0.0010), close_partial(percent=50)]
        if position.bars > 5:
            return close()
        if position.units != 0:
            return {}
        return [buy(units=1000, stop=upper, stop_loss=middle), sell(units=1000, limit=upper + 0.0005, expires=3, label=\"fade\")]",
        "line, signal, hist = macd(data.close)
        mid, high, low = bollinger(data.close, 20)
        if crosses_above(line, signal) and zscore(data.close, 50) < highest(hist, 30) + psar() + kama(data.close, 10):
            return buy(units=1000)
        if crosses_below(line, signal) or barssince(line > signal) == 50:
            return close()",
    ] {
        for kind in [AccountKind::Netting, AccountKind::Hedging] {
            let (of_few, trades_of_few) = allocations(body, kind, &few);
            let (of_all, trades) = allocations(body, kind, &bars);
            assert!(trades_of_few > 0 && trades > 3 * trades_of_few, "{trades_of_few} and {trades} trades:\n{body}");
            assert_eq!(of_all, of_few, "{kind:?}, allocations of {} and {BARS} bars:\n{body}", 10 * BARS);
        }
    }
}

#[test]
fn bars_of_a_longer_timeframe_cost_at_most_one_allocation_a_block() {
    let bars = walk::bars(10 * BARS);
    let body = "slow = data.timeframe(\"1h\")
        if slow.close > sma(slow.close, 5):
            return buy(units=1000)
        if slow.close < sma(slow.close, 5):
            return sell(units=1000)";
    let (of_few, _) = allocations(body, AccountKind::Netting, &bars.slice(0..BARS));
    let (of_all, trades) = allocations(body, AccountKind::Netting, &bars);
    let blocks = (bars.len().div_ceil(BLOCK) - BARS.div_ceil(BLOCK)) as u64;
    assert!(trades > 100, "{trades} trades");
    assert!(of_all <= of_few + blocks, "{of_few} and {of_all}, {blocks} blocks more");
}
