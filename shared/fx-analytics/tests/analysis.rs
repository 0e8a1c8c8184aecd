//! A run that is measured as it comes has the figures of the whole, however it comes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod runs;
mod whole;

use fx_analytics::{
    Analysis, MarginFigures, Report, RunEnd, RunStart, Sketch, TearSheet, TradeBars, tear_sheet,
};
use fx_domain::{Granularity, Instrument, NANOS_PER_HOUR, Price, Side};
use proptest::prelude::*;
use runs::{Run, trade, usd};
use serde_json::Value;
use whole::Whole;

const CAPITAL: i64 = 1_000_000_000;
const TOLERANCE: f64 = 1e-9;

#[derive(Clone, Debug)]
struct Case {
    run: Run,
    start: RunStart,
    end: RunEnd,
}

impl Case {
    fn whole(&self) -> Report {
        whole::report(&Whole {
            trades: &self.run.trades,
            equity: &self.run.equity,
            initial_capital: self.start.initial_capital,
            final_balance: self.end.final_balance,
            closes: &self.run.closes,
            first_decision: self.start.first_decision,
            granularity: self.start.granularity,
            trade_bars: self.start.trade_bars,
            margin: self.end.margin,
        })
    }

    /// Measured in calls that end before the bars of `cuts`; at each, `between` looks at what there is.
    fn cut(&self, cuts: &[usize], between: impl Fn(Analysis) -> Analysis) -> (Report, Sketch) {
        let (equity, closes) = (&self.run.equity, &self.run.closes);
        let mut analysis = Analysis::new(self.start);
        let (mut from, mut trades) = (0, self.run.trades.as_slice());
        for to in cuts.iter().copied().chain([equity.times.len()]) {
            let to = to.clamp(from, equity.times.len());
            analysis.points(
                &equity.times[from..to],
                &equity.micros[from..to],
                closes.get(from..to).unwrap_or_default(),
            );
            let (ended, later) = trades.split_at(trades.partition_point(|trade| trade.exit_bar < to as u64));
            analysis.trades(ended);
            (from, trades) = (to, later);
            analysis = between(analysis);
        }
        analysis.finish(self.end)
    }
}

/// Walks of equity and price that often stand still, with gaps in time, and trades that overlap.
fn cases() -> impl Strategy<Value = Case> {
    let steps =
        prop_oneof![Just((0, 0, 0)), (-40i64..40, -9i64..10, 0i64..2), (-900i64..900, -9i64..10, 0i64..90)];
    let trades = (any::<prop::sample::Index>(), 0usize..50, -30_000_000i64..30_000_000, any::<bool>());
    (
        prop::collection::vec(steps, 0..1_200),
        prop::collection::vec(trades, 0..30),
        prop::sample::select(Granularity::ALL.to_vec()),
        any::<bool>(),
        any::<bool>(),
        0usize..1_400,
        0i64..20_000,
    )
        .prop_map(|(steps, trades, granularity, priced, several, first_decision, hours)| {
            let mut run = Run::of_equity("2023-01-01", granularity, CAPITAL, vec![CAPITAL; steps.len()]);
            let (mut equity, mut price, mut time) = (CAPITAL, 1_100_000_000, hours * NANOS_PER_HOUR);
            for (bar, (gain, move_, gap)) in steps.into_iter().enumerate() {
                equity += gain * 1_000_000;
                price += move_ * 10_000;
                run.equity.micros[bar] = equity;
                run.closes[bar] = Price::from_nanos(price);
                let length = granularity.nominal_nanos().max(777_777_777);
                time += length + gap * length.min(NANOS_PER_HOUR);
                run.equity.times[bar] = run.equity.times[0].plus_nanos(if bar == 0 { 0 } else { time });
            }
            let bars = run.closes.len();
            for (exit, held, gain, ambiguous) in trades.into_iter().filter(|_| bars > 0) {
                let exit = exit.index(bars);
                let entry = exit.saturating_sub(held);
                let side = if gain % 2 == 0 { Side::Long } else { Side::Short };
                let mut made = trade(0, side, (entry, run.closes[entry]), (exit, run.closes[exit]));
                (made.profit_loss, made.ambiguous) = (usd(gain / 1_000_000 * 1_000_000), ambiguous);
                (made.entry_time, made.exit_time) = (run.equity.times[entry], run.equity.times[exit]);
                run.trades.push(made);
            }
            run.trades.sort_by_key(|trade| trade.exit_bar);
            if !priced {
                run.closes.clear();
            }
            let trade_bars = if several { TradeBars::OfInstrument } else { TradeBars::OfEquity };
            let start = RunStart { trade_bars, first_decision, ..run.start() };
            let margin = MarginFigures { stop_outs: 1, margin_calls: 2, lowest_level_pct: Some(60.0) };
            let end = RunEnd { margin, ..run.end() };
            Case { run, start, end }
        })
}

/// What differs beyond [`TOLERANCE`], by name.
fn differences(found: &Value, expected: &Value, name: &str, list: &mut Vec<String>) {
    match (found, expected) {
        (Value::Object(a), Value::Object(b)) if a.len() == b.len() => {
            a.iter().for_each(|(key, value)| differences(value, &b[key], &format!("{name}.{key}"), list));
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).for_each(|(a, b)| differences(a, b, name, list));
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            if (a - b).abs() > TOLERANCE * b.abs().max(1e-6) {
                list.push(format!("{name}: {a} instead of {b}"));
            }
        }
        _ if found == expected => {}
        _ => list.push(format!("{name}: {found} instead of {expected}")),
    }
}

fn bytes<T: serde::Serialize>(value: &T) -> Vec<u8> {
    postcard::to_allocvec(value).unwrap()
}

fn page(case: &Case, (report, sketch): &(Report, Sketch)) -> String {
    tear_sheet(&TearSheet {
        title: "A run",
        subtitle: "",
        report,
        sketch,
        instrument: Instrument::parse("EUR/USD").unwrap(),
        warnings: &[],
        reproduce: &[],
        synthetic: case.run.closes.is_empty(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn one_pass_gives_the_figures_of_the_whole(case in cases()) {
        let (found, _) = case.cut(&[], |analysis| analysis);
        let mut list = Vec::new();
        let value = |report: &Report| serde_json::to_value(report).unwrap();
        differences(&value(&found), &value(&case.whole()), "report", &mut list);
        prop_assert!(list.is_empty(), "{}", list.join("\n"));
    }

    #[test]
    fn however_a_run_is_cut_and_stored_on_the_way_its_figures_are_the_same_bits(
        case in cases(), mut cuts in prop::collection::vec(0usize..1_200, 0..12),
    ) {
        cuts.sort_unstable();
        let whole = case.cut(&[], |analysis| analysis);
        let stored = case.cut(&cuts, |analysis| {
            let stored = bytes(&analysis);
            let back: Analysis = postcard::from_bytes(&stored).unwrap();
            assert_eq!(bytes(&back), stored);
            back
        });
        prop_assert_eq!(bytes(&whole.0), bytes(&stored.0));
        prop_assert_eq!(bytes(&whole.1), bytes(&stored.1));
        prop_assert_eq!(page(&case, &whole), page(&case, &stored));
    }
}

#[test]
fn a_long_run_in_windows_is_the_whole_too() {
    let run = Run::walk(300_000, 9_000);
    let case = Case { start: run.start(), end: run.end(), run };
    let whole = case.cut(&[], |analysis| analysis);
    let mut list = Vec::new();
    let value = |report: &Report| serde_json::to_value(report).unwrap();
    differences(&value(&whole.0), &value(&case.whole()), "report", &mut list);
    assert!(list.is_empty(), "{}", list.join("\n"));
    let cuts: Vec<usize> = (0..300_000).step_by(13_107).collect();
    let stored = case.cut(&cuts, |analysis| postcard::from_bytes(&bytes(&analysis)).unwrap());
    assert_eq!((bytes(&whole.0), bytes(&whole.1)), (bytes(&stored.0), bytes(&stored.1)));
    // One bar at a time.
    let every: Vec<usize> = (0..20_000).collect();
    let single = case.cut(&every, |analysis| analysis);
    assert_eq!((bytes(&whole.0), bytes(&whole.1)), (bytes(&single.0), bytes(&single.1)));
}

#[test]
fn what_is_kept_of_a_run_hardly_grows_with_its_bars() {
    let kept = |bars: usize| {
        let run = Run::walk(bars, 1_000);
        let mut analysis = Analysis::new(run.start());
        analysis.points(&run.equity.times, &run.equity.micros, &run.closes);
        analysis.trades(&run.trades);
        bytes(&analysis).len()
    };
    let (short, long) = (kept(1 << 18), kept(1 << 21));
    println!("{short} and {long} bytes");
    // Three doublings of three curves in buckets of 70 bytes, and the bits of the bars in the market.
    assert!(long - short < 3 * 3 * 4_096 * 72 + (1 << 21) / 8 * 5 / 4, "{short}, {long}");
}

#[test]
#[should_panic(expected = "all bars of a run have a close or none has")]
fn closes_of_some_bars_only_are_refused() {
    let run = Run::walk(10, 0);
    let mut analysis = Analysis::new(run.start());
    analysis.points(&run.equity.times[..5], &run.equity.micros[..5], &run.closes[..5]);
    analysis.points(&run.equity.times[5..], &run.equity.micros[5..], &[]);
}
