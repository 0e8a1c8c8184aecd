//! Up and down are alike: prices reflected at a level, bid and ask exchanged, buys for sells.

use crate::bounded;
use fx_domain::{Bar, Bars, Currency, Granularity, Instrument, Money, Ohlc, Price, Side, UnixNanos};
use fx_engine::{
    AccountKind, Commission, FillTime, Inputs, IntrabarPolicy, RunConfig, Slice, Slippage, State, advance,
};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Twice the level of the reflection, in points.
const TWICE: i64 = 220_000;
const POINT_NANOS: i64 = 10_000;

/// What is decided at a bar: kind, distance, size, exits.
type Choice = (u8, i64, i64, u8);

/// A script of decisions, as it is or reflected.
fn source(choices: &[Choice], mirrored: bool) -> String {
    let sign = |units: i64| if mirrored { -units } else { units };
    let level = |points: i64| (if mirrored { TWICE - points } else { points }) as f64 / 1e5;
    let mut source = "class Script(Strategy):\n    def analyze(self, data):\n".to_owned();
    for (bar, (kind, away, units, exits)) in choices.iter().enumerate() {
        let (buys, size) = (units % 2 == 0, 10 * (1 + units / 2));
        let units = sign(if buys { size } else { -size });
        // Below the price for a buy, above it for a sell.
        let (better, worse) =
            if buys { (110_000 - away, 110_000 + away) } else { (110_000 + away, 110_000 - away) };
        let ticket = [
            String::new(),
            ", stop_loss=pips(3)".to_owned(),
            ", take_profit=pips(4)".to_owned(),
            ", stop_loss=pips(3), take_profit=pips(4)".to_owned(),
            ", trailing=pips(3)".to_owned(),
        ][usize::from(exits % 5)]
        .clone();
        let entry = match kind % 9 {
            0 => String::new(),
            1 => format!(", limit={}", level(better)),
            2 => format!(", stop={}", level(worse)),
            3 => format!(", stop={}, limit={}", level(worse), level(worse + if buys { 7 } else { -7 })),
            4 => format!(", touch={}", level(better)),
            5 => format!(", trail=distance({})", away.abs() as f64 / 1e5 + 1e-5),
            6 => format!(", limit={}, tif=\"ioc\"", level(worse)),
            7 => format!(", stop={}, limit={}", level(worse), level(worse - if buys { 9 } else { -9 })),
            _ => format!(", limit={}, expires=2", level(better)),
        };
        let label = ["a", "b", "c"][bar % 3];
        let what = match exits / 5 % 8 {
            6 => "close()".to_owned(),
            7 => format!("target(units={units})"),
            _ => format!("order(units={units}{entry}{ticket}, label=\"{label}\")"),
        };
        let _ = writeln!(source, "        if data.index == {bar}:\n            return {what}");
    }
    source + "        return {}\n"
}

fn bars(rows: &[(i64, i64, i64, i64)], spread: i64, mirrored: bool) -> Bars {
    let mut bars = Bars::empty(None);
    let mut last = 110_000;
    for (number, (jump, step, up, down)) in (0..).zip(rows) {
        let open = last + jump;
        last = open + step;
        let ohlc = |add: i64| {
            let price = |points: i64| {
                Price::from_nanos((if mirrored { TWICE - points } else { points }) * POINT_NANOS)
            };
            let (high, low) = (open.max(last) + up + add, open.min(last) - down + add);
            let (high, low) = if mirrored { (low, high) } else { (high, low) };
            Ohlc { open: price(open + add), high: price(high), low: price(low), close: price(last + add) }
        };
        let (bid, ask) = if mirrored { (ohlc(spread), ohlc(0)) } else { (ohlc(0), ohlc(spread)) };
        let time = UnixNanos::new(number * Granularity::M1.nominal_nanos());
        bars.push(Bar { time, bid, ask: Some(ask), volume: 1 });
    }
    bars
}

fn run(choices: &[Choice], config: &RunConfig, bars: &Bars, mirrored: bool) -> Slice {
    let source = source(choices, mirrored);
    let plan = fx_strategy::compile(&source, &BTreeMap::new())
        .unwrap_or_else(|found| panic!("{found:?}\n{source}"))
        .plan;
    advance(&plan, config, State::start(&plan, config).unwrap(), &Inputs::of(bars)).unwrap()
}

proptest! {
    #![proptest_config(bounded(256))]

    #[test]
    fn a_reflected_run_gains_the_same(
        choices in vec((any::<u8>(), -30_i64..60, 0_i64..40, any::<u8>()), 1..24),
        rows in vec((-15_i64..16, -30_i64..31, 0_i64..25, 0_i64..25), 30),
        spread in 0_i64..12,
        (policy, fill, hedging, slips) in (0_usize..4, any::<bool>(), any::<bool>(), any::<bool>()),
    ) {
        let (policy, reflected) = [
            (IntrabarPolicy::Pessimistic, IntrabarPolicy::Pessimistic),
            (IntrabarPolicy::Optimistic, IntrabarPolicy::Optimistic),
            (IntrabarPolicy::Ohlc, IntrabarPolicy::Olhc),
            (IntrabarPolicy::Olhc, IntrabarPolicy::Ohlc),
        ][policy];
        let capital = Money::from_micros(1_000_000 * Money::SCALE, Currency::USD);
        let mut config = RunConfig::new(Instrument::parse("EUR/USD").unwrap(), Granularity::M1, capital);
        config.account.kind = if hedging { AccountKind::Hedging } else { AccountKind::Netting };
        config.fill = if fill { FillTime::Open } else { FillTime::Close };
        config.slippage = if slips { Slippage::Pips(0.3) } else { Slippage::None };
        config.commission = Commission::PerLot(3.5);
        let one = run(&choices, &RunConfig { fill_policy: policy, ..config.clone() }, &bars(&rows, spread, false), false);
        let other = run(&choices, &RunConfig { fill_policy: reflected, ..config }, &bars(&rows, spread, true), true);
        // Of hedged legs the long one is closed first, here and there: the order within a bar is not mirrored.
        let told = |slice: &Slice, longs: Side| {
            let mut told: Vec<_> = slice.trades.iter().map(|trade| {
                let when = (trade.exit_bar, trade.entry_bar, trade.units, trade.side == longs);
                (when, trade.exit_reason, trade.ambiguous, trade.profit_loss.micros(), trade.mae, trade.mfe)
            }).collect();
            told.sort_unstable();
            told
        };
        prop_assert_eq!(told(&one, Side::Long), told(&other, Side::Short));
        prop_assert_eq!(one.equity, other.equity);
    }

    /// One position, one bar that may touch both of its exits.
    #[test]
    fn optimism_gains_no_less_than_pessimism_from_the_same_state(
        (stop, target) in (1_i64..60, 1_i64..60),
        row in (-20_i64..20, -50_i64..50, 0_i64..50, 0_i64..50),
        long in any::<bool>(),
    ) {
        let source = format!("class One(Strategy):\n    def analyze(self, data):\n        if data.index == 0:\n            \
            return {}(units=1000, stop_loss=distance({}), take_profit=distance({}))\n        return {{}}\n",
            if long { "buy" } else { "sell" }, stop as f64 / 1e5, target as f64 / 1e5);
        let plan = fx_strategy::compile(&source, &BTreeMap::new()).unwrap().plan;
        let bars = bars(&[(0, 0, 0, 0), (0, 0, 0, 0), row], 0, false);
        let capital = Money::from_micros(10_000 * Money::SCALE, Currency::USD);
        let gained = |fill_policy| {
            let config = RunConfig { fill_policy, ..RunConfig::new(Instrument::parse("EUR/USD").unwrap(), Granularity::M1, capital) };
            let slice = advance(&plan, &config, State::start(&plan, &config).unwrap(), &Inputs::of(&bars)).unwrap();
            (slice.equity[2], slice.trades.iter().any(|trade| trade.ambiguous))
        };
        let [pessimistic, optimistic] = [IntrabarPolicy::Pessimistic, IntrabarPolicy::Optimistic].map(gained);
        prop_assert!(pessimistic.0 <= optimistic.0);
        // Without a doubt the policies agree, and with one they do not.
        prop_assert_eq!(pessimistic.1, optimistic.1);
        prop_assert_eq!(pessimistic.1, pessimistic.0 != optimistic.0);
        for path in [IntrabarPolicy::Ohlc, IntrabarPolicy::Olhc, IntrabarPolicy::NearestExtremeFirst] {
            let gained = gained(path).0;
            prop_assert!(pessimistic.0 <= gained && gained <= optimistic.0);
        }
    }
}
