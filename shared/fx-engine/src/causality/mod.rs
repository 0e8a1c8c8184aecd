//! That a strategy cannot look ahead, shown: what it decides on the first k bars is what it decides at these bars when
//! all of them are there.
//!
//! The language has no way to name a later bar. This check does not trust that: it runs the plan on seeded bars as a
//! whole and cut off behind several bars, the deciding ones first of all, and compares everything that came out up to
//! the cut, to the bit.

mod sample;

use crate::estimate::nanos_per_bar;
use crate::{
    ENGINE_VERSION, EngineError, FeatureSeries, FeatureTrack, Inputs, OrderEventKind, PRICE_MAX, RunConfig,
    Slice, State, Track, advance,
};
use fx_domain::{Bars, Digest, Money, NANOS_PER_SECOND, Price, UnixNanos};
use fx_strategy::{Feature, Plan};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Bars behind the warm-up that decisions are looked for on.
const DECISION_BARS: u64 = 3_000;
/// Bars of a sample, at most and at least.
const SAMPLE_BARS: [u64; 2] = [64, 50_000];
/// What one run over the sample may cost by the engine's cost model, in nanoseconds. A plan that is dearer sees fewer
/// bars.
const RUN_NANOS_MAX: f64 = 1e8;
/// Cuts right behind a deciding bar.
const DECISION_CUTS: usize = 4;
/// Further cuts, in thousandths of the sample.
const PLAIN_CUTS: [u64; 3] = [371, 613, 887];
/// Capital of the sample's account: a size that is meant for any account is filled.
const CAPITAL: i64 = 1_000_000;

/// What was shown of a plan, and on what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Causality {
    /// The engine that ran.
    pub engine_version: String,
    /// Digest of the bars.
    pub sample: Digest,
    /// How many there were.
    pub bars: u64,
    /// Those of them before the first decision.
    pub warm_up_bars: u64,
    /// After how many bars the run was cut off, each time.
    pub cuts: Vec<u64>,
    /// Orders that the strategy submitted on all bars.
    pub decisions: u64,
    /// Values that it recorded.
    pub recorded: u64,
}

/// Why a plan is not shown to be causal.
#[derive(Debug, thiserror::Error)]
pub enum CausalityFault {
    /// Something came out otherwise when later bars were there.
    #[error("{what} of the first {cut} bars depend on the bars after them")]
    Leak {
        /// What differs: `decisions`, `recorded values`, `trades` and the like.
        what: &'static str,
        /// The bars of the shorter run.
        cut: u64,
    },
    /// The plan cannot be run on the sample.
    #[error("the plan cannot be run on sample bars")]
    Engine(#[from] EngineError),
}

/// Runs `plan` on a sample of `track`'s bars and on several beginnings of it.
///
/// # Errors
/// [`CausalityFault::Leak`] for the first difference; [`CausalityFault::Engine`] when the plan does not run.
pub fn check_causality(plan: &Plan, track: Track) -> Result<Causality, CausalityFault> {
    let affordable = (RUN_NANOS_MAX / nanos_per_bar(plan)) as u64;
    let [least, most] = SAMPLE_BARS;
    let most = most.min(sample::bars_max(track.granularity));
    let wanted = warm_up_bars(plan, track);
    let count = wanted.saturating_add(DECISION_BARS).min(affordable).clamp(least, most);
    let bars = sample::bars(track, count as usize);
    // A plan that is too dear for its whole warm-up decides in the second half.
    let warm_up = Some(wanted).filter(|bars| *bars < count).unwrap_or(count / 2);
    let config = config(plan, track, bars.times[warm_up as usize]);
    let references: Vec<_> =
        config.references.iter().map(|reference| sample::bars(*reference, count as usize)).collect();
    let features: Vec<_> =
        config.features.iter().map(|told| sample::feature(told, track.granularity, &bars)).collect();
    let run = |bars: &Bars, references: &[Bars], features: &[FeatureSeries]| {
        let (references, features) = (references.iter().collect(), features.iter().collect());
        let inputs = Inputs { references, features, ..Inputs::of(bars) };
        advance(plan, &config, State::start(plan, &config)?, &inputs)
    };
    let whole = run(&bars, &references, &features)?;
    let cuts = cuts(&bars, &whole);
    for &cut in &cuts {
        // What opens later is there for nobody.
        let next = bars.times[cut as usize];
        let earlier: Vec<_> = references.iter().map(|bars| bars.slice(0..bars.lower_bound(next))).collect();
        let close = track.granularity.close_of(bars.times[cut as usize - 1]);
        let known: Vec<_> = features.iter().map(|series| series.between(None, close)).collect();
        let beginning = run(&bars.slice(0..cut as usize), &earlier, &known)?;
        if let Some(what) = difference(&beginning, &whole, next) {
            return Err(CausalityFault::Leak { what, cut });
        }
    }
    Ok(Causality {
        engine_version: ENGINE_VERSION.to_owned(),
        sample: sample::digest(std::iter::once(&bars).chain(&references), &features),
        bars: count,
        warm_up_bars: warm_up,
        cuts,
        decisions: submissions(&whole).count() as u64,
        recorded: whole.recordings.iter().map(|column| column.len() as u64).sum(),
    })
}

/// Own bars before the first decision: what the plan's nodes look back, and what its longer timeframes do.
fn warm_up_bars(plan: &Plan, track: Track) -> u64 {
    let step = track.granularity.nominal_nanos().max(NANOS_PER_SECOND);
    let longer = plan.feed_lead_nanos(track.granularity) / step;
    plan.warm_up_bars().max(longer.unsigned_abs())
}

/// An account in the pair's quote currency: nothing is converted. Other pairs are read as the strategy names them.
fn config(plan: &Plan, track: Track, start: UnixNanos) -> RunConfig {
    let capital = Money::from_micros(CAPITAL * Money::SCALE, track.instrument.quote());
    let mut config = RunConfig::new(track.instrument, track.granularity, capital);
    config.start = start;
    let pairs: BTreeSet<_> = plan.feeds().into_iter().filter_map(|feed| feed.instrument).collect();
    let told = |feature: &Feature| FeatureTrack { instrument: track.instrument, feature: feature.clone() };
    // Those of long bars may be told of seldom.
    config.features_age_hours_max = u32::MAX;
    config.features = plan.features.iter().map(told).collect();
    let reference = |instrument| Track { instrument, granularity: track.granularity };
    config.references = pairs.into_iter().map(reference).collect();
    config
}

/// When the strategy submitted orders: the open times of the deciding bars.
fn submissions(slice: &Slice) -> impl Iterator<Item = UnixNanos> {
    let submitted =
        slice.events.iter().filter(|event| matches!(event.kind, OrderEventKind::Submitted { .. }));
    submitted.map(|event| event.time)
}

/// Behind some of the deciding bars, from the first to the last, and at some other places; a bar follows each.
fn cuts(bars: &Bars, whole: &Slice) -> Vec<u64> {
    let count = bars.len() as u64;
    let mut decided: Vec<_> = submissions(whole).map(|time| bars.lower_bound(time) as u64 + 1).collect();
    decided.dedup();
    let step = decided.len().div_ceil(DECISION_CUTS).max(1);
    let mut cuts: Vec<_> = decided.into_iter().step_by(step).collect();
    cuts.extend(PLAIN_CUTS.map(|thousandths| count * thousandths / 1_000));
    cuts.retain(|cut| (1..count).contains(cut));
    cuts.sort_unstable();
    cuts.dedup();
    cuts
}

/// What a run of the bars up to `next` yields otherwise than the run of all bars did up to there.
fn difference(beginning: &Slice, whole: &Slice, next: UnixNanos) -> Option<&'static str> {
    let decided = submissions(whole).filter(|time| *time < next).count();
    if submissions(beginning).count() != decided || !begins(&beginning.events, &whole.events) {
        return Some("decisions");
    }
    let recorded = beginning.recordings.iter().zip(&whole.recordings);
    let bits = |column: &[f64]| column.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    if recorded.into_iter().any(|(part, all)| all.get(..part.len()).is_none_or(|all| bits(all) != bits(part)))
    {
        return Some("recorded values");
    }
    let checks = [
        (begins(&beginning.trades, &whole.trades), "trades"),
        (begins(&beginning.ledger, &whole.ledger), "ledger rows"),
        (begins(&beginning.equity, &whole.equity), "equities"),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map(|(_, what)| what)
}

fn begins<T: PartialEq>(part: &[T], all: &[T]) -> bool {
    all.get(..part.len()) == Some(part)
}

/// The price that a sample starts at: some ten thousand pips, and below what the engine takes.
fn start_price(track: Track) -> Price {
    Price::from_nanos((track.instrument.pip().nanos() * 11_000).min(PRICE_MAX.nanos() / 4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::LEAKING_LAG;
    use fx_domain::{Granularity, Instrument};

    fn track(pair: &str, granularity: Granularity) -> Track {
        Track { instrument: Instrument::parse(pair).unwrap(), granularity }
    }

    fn plan(body: &str) -> Plan {
        let source = format!("class S(Strategy):\n    def analyze(self, data):\n        {body}\n");
        fx_strategy::compile(&source, &Default::default()).unwrap().plan
    }

    fn checked(body: &str) -> Result<Causality, CausalityFault> {
        check_causality(&plan(body), track("EUR/USD", Granularity::H1))
    }

    const CROSS: &str = "fast = sma(data.close, 5)\n        slow = ema(data.close, 20)\n        record(\"fast\", fast)\n        \
        if crosses_above(fast, slow):\n            return buy(risk_percent=1, stop_loss=pips(20), take_profit=pips(30))\n        \
        if crosses_below(fast, slow):\n            return sell(units=1000)";

    #[test]
    fn a_strategy_that_decides_is_shown_causal_on_every_timeframe_and_scale_of_price() {
        let plan = plan(CROSS);
        for pair in ["EUR/USD", "USD/JPY"] {
            for granularity in Granularity::ALL {
                let shown = check_causality(&plan, track(pair, granularity)).unwrap();
                assert!(shown.decisions > 20, "{pair} {granularity}: {shown:?}");
                assert_eq!(shown.recorded, DECISION_BARS);
                assert!(shown.cuts.len() >= 6 && shown.bars == DECISION_BARS + shown.warm_up_bars);
                assert_eq!(shown, check_causality(&plan, track(pair, granularity)).unwrap());
            }
        }
    }

    #[test]
    fn an_operator_that_reads_the_next_bar_is_caught() {
        // In a test build a lag of this length yields the bar after this one.
        let next = format!("data.close[-{}]", LEAKING_LAG + 1);
        for (body, expected) in [
            (
                format!(
                    "if {next} > data.close:\n            return buy(units=1000)\n        return close()"
                ),
                "decisions",
            ),
            (format!("if {next} > data.close + 0.0005:\n            return order(units=1000)"), "decisions"),
            (format!("return buy(units=1000, limit={next})"), "decisions"),
            (format!("record(\"x\", {next})"), "recorded values"),
            (format!("record(\"x\", sma({next}, 3))"), "recorded values"),
        ] {
            match checked(&body) {
                Err(CausalityFault::Leak { what, .. }) => assert_eq!(what, expected, "{body}"),
                other => panic!("{body}: {other:?}"),
            }
        }
    }

    #[test]
    fn other_timeframes_and_pairs_are_there_for_the_sample_too() {
        let far = "trend = ema(data.timeframe(\"4h\").close, 10)\n        other = data.instrument(\"GBP/USD\").close\n        \
            record(\"trend\", trend)\n        if data.close > trend and other > other[-5]:\n            \
            return buy(units=1000)\n        if data.close < trend:\n            return sell(units=1000)";
        let shown = checked(far).unwrap();
        assert!(shown.decisions > 20, "{shown:?}");
    }

    #[test]
    fn features_are_there_for_the_sample_too() {
        let body = "record(\"mood\", sma(feature(\"mood\"), 3))\n        \
            if feature(\"mood\") > 0 and regime() != \"calm\":\n            return buy(units=1000)\n        \
            if pattern(\"double_top\") > 0.5:\n            return sell(units=1000)";
        let shown = checked(body).unwrap();
        assert!(shown.decisions > 20, "{shown:?}");
        let other = checked(&body.replace("mood\") > 0", "mood\") > 0.1")).unwrap();
        assert_eq!(shown.sample, other.sample, "the same names are told the same");
        assert_ne!(shown.sample, checked(&body.replace("mood", "fear")).unwrap().sample);
    }

    #[test]
    fn a_plan_that_is_dear_sees_fewer_bars_and_one_that_never_decides_is_causal() {
        let idle = checked("return {}").unwrap();
        assert_eq!((idle.decisions, idle.recorded, idle.bars), (0, 0, DECISION_BARS));
        assert_eq!(idle.cuts.len(), PLAIN_CUTS.len());
        // Thousands of steps that depend on the position, at every bar.
        let steps = "t = position.bars\n        for i in range(950):\n            \
            t = ((((t + i) * 2 + i) * 3 + i) * 4 + i) * 5 + i\n        record(\"t\", t)";
        let dear = checked(steps).unwrap();
        assert!(dear.bars < DECISION_BARS, "{dear:?}");
    }
}
