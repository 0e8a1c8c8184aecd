//! However a run is cut, stepped, scheduled or repeated, it is the same run.

use crate::bounded;
use crate::cases::{Case, cases, digest, join, single};
use crate::plans::of_bars;
use fx_domain::{Bars, Granularity, Instrument, QuoteSide, UnixNanos};
use fx_engine::{EngineError, Slice, State, Track};
use fx_strategy::{Node, NodeId, PositionField, Recording};
use proptest::prelude::*;

fn bits(columns: &[Vec<f64>]) -> Vec<Vec<u64>> {
    columns.iter().map(|column| column.iter().map(|value| value.to_bits()).collect()).collect()
}

fn assert_same(one: &Slice, other: &Slice) -> Result<(), TestCaseError> {
    prop_assert_eq!(&one.events, &other.events);
    prop_assert_eq!(&one.trades, &other.trades);
    prop_assert_eq!(&one.ledger, &other.ledger);
    prop_assert_eq!(&one.equity, &other.equity);
    prop_assert_eq!(&one.equity_times, &other.equity_times);
    Ok(())
}

/// The plan with a recording that makes every bar be looked at.
fn watching(case: &Case) -> Case {
    let mut case = case.clone();
    let watched = Node::Position(PositionField::Units);
    let index = case.plan.nodes.iter().position(|node| *node == watched).unwrap();
    case.plan.recordings.push(Recording { name: "watched".into(), value: NodeId(index as u32) });
    case
}

proptest! {
    // Every cut of every case is a run of its own.
    #![proptest_config(bounded(48))]

    #[test]
    fn a_run_cut_anywhere_is_the_same_run(case in cases(64), bars_only in any::<bool>()) {
        let case = if bars_only { Case { plan: of_bars(case.plan), ..case } } else { case };
        let whole = case.run().unwrap();
        let (first, last) = (UnixNanos::new(i64::MIN), UnixNanos::new(i64::MAX));
        let mut times: Vec<_> = case.bars.iter().flat_map(|bars| bars.times.iter().copied()).collect();
        times.extend([first, last]);
        times.sort_unstable();
        times.dedup();
        let mut refused = 0;
        for time in &times {
            let mut joined = case.between(first, *time).run().unwrap();
            let stored = joined.state.to_bytes();
            let state = State::from_bytes(&case.plan, &case.config, &stored).unwrap();
            prop_assert_eq!(&state.to_bytes(), &stored);
            match case.between(*time, last).run_from(state) {
                Ok(rest) => join(&mut joined, rest),
                Err(EngineError::CutThroughBar { .. }) if case.bars.len() + case.rates.len() > 1 => {
                    refused += 1;
                    continue;
                }
                Err(other) => return Err(TestCaseError::fail(other.to_string())),
            }
            prop_assert_eq!(digest(&joined), digest(&whole), "cut at {}", time);
            prop_assert_eq!(&joined.events, &whole.events);
            prop_assert_eq!(&joined.margin, &whole.margin);
            prop_assert_eq!(bits(&joined.recordings), bits(&whole.recordings));
            prop_assert_eq!(joined.state.to_bytes(), whole.state.to_bytes(), "cut at {}", time);
        }
        prop_assert!(refused < times.len());
    }
}

proptest! {
    #![proptest_config(bounded(256))]

    /// Bars that are passed over, by levels and danger prices known before, would not have shown anything.
    #[test]
    fn stepping_every_bar_changes_nothing(case in single(300)) {
        let (passing, stepping) = (case.run().unwrap(), watching(&case).run().unwrap());
        assert_same(&passing, &stepping)?;
        prop_assert_eq!(&passing.margin, &stepping.margin);
    }

    #[test]
    fn a_series_that_nothing_is_converted_by_changes_nothing(case in single(160)) {
        let alone = case.run().unwrap();
        let mut beside = case.clone();
        beside.config.rates.push(Track { instrument: Instrument::parse("AUD/NZD").unwrap(), granularity: Granularity::M15 });
        beside.rates.push(Bars::empty(Some(QuoteSide::Bid)));
        assert_same(&beside.run().unwrap(), &alone)?;
    }

    #[test]
    fn a_run_gives_the_same_on_every_thread(case in cases(160)) {
        let name = digest(&case.run().unwrap());
        let names: Vec<_> = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..3).map(|_| scope.spawn(|| digest(&case.run().unwrap()))).collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        prop_assert!(names.iter().all(|other| *other == name));
    }
}

#[test]
fn the_random_plans_trade_in_every_way() {
    use proptest::strategy::ValueTree;
    use std::collections::BTreeSet;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut trading, mut reasons, mut kinds) = (0, BTreeSet::new(), BTreeSet::new());
    for _ in 0..400 {
        let slice = cases(160).new_tree(&mut runner).unwrap().current().run().unwrap();
        trading += usize::from(!slice.trades.is_empty());
        reasons.extend(slice.trades.iter().map(|trade| trade.exit_reason));
        for event in &slice.events {
            let text = serde_json::to_value(event.kind).unwrap();
            kinds.extend(text.as_object().into_iter().flatten().map(|(name, _)| name.clone()));
            kinds.extend(text.as_str().map(str::to_owned));
        }
        kinds.extend(slice.ledger.iter().map(|row| row.kind.as_str().to_owned()));
    }
    assert!(trading > 100, "{trading}");
    assert_eq!(reasons.len(), 6, "{reasons:?}");
    for kind in [
        "triggered",
        "filled",
        "exited",
        "protected",
        "moved",
        "cancelled",
        "expired",
        "lapsed",
        "rejected",
        "financing",
        "negative_balance",
    ] {
        assert!(kinds.contains(kind), "none is {kind}: {kinds:?}");
    }
}
