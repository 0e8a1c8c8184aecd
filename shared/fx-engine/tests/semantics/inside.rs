//! The path inside a bar: entry bars, several orders in one bar, finer bars.

use crate::script::{Points, advance_all, both, both_from, free, lives, plan, run, run_with, start, trades};
use fx_domain::Granularity;
use fx_engine::IntrabarPolicy::{self, NearestExtremeFirst, Ohlc, Olhc, Optimistic, Pessimistic};
use fx_engine::{Inputs, RunConfig, TrackBars};

const FLAT: Points = [110_000; 4];
const POLICIES: [IntrabarPolicy; 5] = [Pessimistic, Optimistic, Ohlc, Olhc, NearestExtremeFirst];

fn with(policy: IntrabarPolicy) -> RunConfig {
    RunConfig { fill_policy: policy, ..free() }
}

/// How a trade ends in the bar of its entry, or `open`.
fn ends(policy: IntrabarPolicy, decision: &str, row: Points) -> String {
    let slice = run(&plan(&[(0, decision)]), &with(policy), &both(0, &[FLAT, row]));
    match trades(&slice).first() {
        Some(trade) => trade.split_once(" to ").unwrap().1.to_owned(),
        None if slice.state.open_positions().is_empty() => "none".to_owned(),
        None => "open".to_owned(),
    }
}

#[test]
fn an_entry_at_the_open_stops_out_or_gains_where_that_is_unambiguous() {
    let decision = "buy(units=1000, stop_loss=1.099, take_profit=1.101)";
    let (both_touched, target, stop) = (
        [110_000, 110_100, 109_900, 110_000],
        [110_000, 110_100, 109_901, 110_000],
        [110_000, 110_099, 109_900, 110_000],
    );
    for policy in POLICIES {
        assert_eq!(ends(policy, decision, target), "110100@1 take_profit", "{policy:?}");
        assert_eq!(ends(policy, decision, stop), "109900@1 stop_loss", "{policy:?}");
    }
    for (policy, end) in [
        (Pessimistic, "109900@1 stop_loss, ambiguous"),
        (Optimistic, "110100@1 take_profit, ambiguous"),
        (Ohlc, "110100@1 take_profit, ambiguous"),
        (Olhc, "109900@1 stop_loss, ambiguous"),
        // Equally near: the low first.
        (NearestExtremeFirst, "109900@1 stop_loss, ambiguous"),
    ] {
        assert_eq!(ends(policy, decision, both_touched), end, "{policy:?}");
    }
    let nearer_high = [110_050, 110_100, 109_900, 110_000];
    assert_eq!(ends(NearestExtremeFirst, decision, nearer_high), "110100@1 take_profit, ambiguous");
}

#[test]
fn an_entry_inside_the_bar_gains_only_where_the_close_is_beyond_its_target() {
    // Bought at 110050 on the way up; the target at 110100, the stop at 109950.
    let decision = "buy(units=1000, stop=1.1005, stop_loss=1.0995, take_profit=1.101)";
    let row = |low, close| [110_000, 110_120, low, close];
    assert_eq!(ends(Pessimistic, decision, row(109_990, 110_099)), "open");
    assert_eq!(ends(Pessimistic, decision, row(109_990, 110_100)), "110100@1 take_profit");
    // The stop is touched, perhaps before the entry: pessimism takes it, and says so.
    assert_eq!(ends(Pessimistic, decision, row(109_950, 110_100)), "109950@1 stop_loss, ambiguous");
    assert_eq!(ends(Pessimistic, decision, row(109_950, 110_060)), "109950@1 stop_loss, ambiguous");
    // Optimism takes the target, and a loss only where the close shows it.
    assert_eq!(ends(Optimistic, decision, row(109_990, 110_060)), "110100@1 take_profit, ambiguous");
    let fallen = [110_000, 110_060, 109_940, 109_950];
    assert_eq!(ends(Optimistic, decision, fallen), "109950@1 stop_loss");
    assert_eq!(ends(Optimistic, decision, [110_000, 110_060, 109_940, 109_951]), "open");
    // The paths know the order: high first comes by the target; low first enters after the low.
    assert_eq!(ends(Ohlc, decision, row(109_940, 110_000)), "110100@1 take_profit, ambiguous");
    assert_eq!(ends(Olhc, decision, [110_000, 110_060, 109_940, 109_960]), "open");
    assert_eq!(ends(Ohlc, decision, [110_000, 110_060, 109_940, 109_960]), "109950@1 stop_loss");
}

/// A short position is the mirror image.
#[test]
fn a_short_entry_inside_the_bar_mirrors_a_long_one() {
    let decision = "sell(units=1000, stop=1.0995, stop_loss=1.1005, take_profit=1.099)";
    let row = |high, close| [110_000, high, 109_880, close];
    assert_eq!(ends(Pessimistic, decision, row(110_010, 109_901)), "open");
    assert_eq!(ends(Pessimistic, decision, row(110_010, 109_900)), "109900@1 take_profit");
    assert_eq!(ends(Pessimistic, decision, row(110_050, 109_900)), "110050@1 stop_loss, ambiguous");
}

const LADDER: &str = "[order(units=100, stop=1.1005, label=\"a\"), order(units=200, limit=1.0997, label=\"b\"), \
    order(units=-400, limit=1.101, label=\"c\"), order(units=-800, stop=1.099, label=\"d\")]";

#[test]
fn the_paths_meet_orders_in_the_order_of_the_price() {
    // a at 110050, c at 110100 on the way up; b at 109970, d at 109900 on the way down.
    let row = [110_000, 110_120, 109_880, 110_000];
    let found = |policy| {
        let slice = run(&plan(&[(0, LADDER)]), &with(policy), &both(0, &[FLAT, row]));
        slice
            .events
            .iter()
            .filter(|event| matches!(event.kind, fx_engine::OrderEventKind::Filled { .. }))
            .map(|event| event.order.0)
            .fold(Vec::new(), |mut orders, order| {
                if orders.last() != Some(&order) {
                    orders.push(order);
                }
                orders
            })
    };
    assert_eq!(found(Ohlc), [0, 2, 1, 3]);
    assert_eq!(found(Olhc), [1, 3, 0, 2]);
    assert_eq!(found(NearestExtremeFirst), [1, 3, 0, 2]);
    // Without a path they come by their distance from the open: 30, 50, 100, 100, the older of two first.
    assert_eq!(found(Pessimistic), [1, 0, 2, 3]);
    assert_eq!(found(Optimistic), [1, 0, 2, 3]);
}

#[test]
fn finer_bars_decide_what_the_bar_leaves_open() {
    let decision = "buy(units=1000, stop_loss=1.099, take_profit=1.101)";
    let coarse = both(0, &[FLAT, FLAT, [110_000, 110_100, 109_900, 110_000]]);
    let target_first = [[110_000, 110_100, 110_000, 110_050], [110_050, 110_060, 109_900, 110_000]];
    let stop_first = [[110_000, 110_010, 109_900, 109_950], [109_950, 110_100, 109_950, 110_000]];
    for policy in POLICIES {
        let config = RunConfig { intrabar: Some(Granularity::M30), ..with(policy) };
        for (rows, end) in [
            (target_first, "long 1000 110000@1 to 110100@2 take_profit"),
            (stop_first, "long 1000 110000@1 to 109900@2 stop_loss"),
        ] {
            let rows = [FLAT, FLAT, FLAT, FLAT, rows[0], rows[1]];
            let finer = both_from(start(), Granularity::M30, 0, &rows);
            let track = TrackBars { bars: &coarse, finer: Some(&finer) };
            assert_eq!(trades(&run_with(&plan(&[(0, decision)]), &config, track)), [end], "{policy:?}");
        }
        // Where there are none the policy decides; where the configuration does not name them they are not looked at.
        let none = both_from(start(), Granularity::M30, 0, &[FLAT; 4]);
        let track = TrackBars { bars: &coarse, finer: Some(&none) };
        let by_policy = trades(&run(&plan(&[(0, decision)]), &with(policy), &coarse));
        assert_eq!(trades(&run_with(&plan(&[(0, decision)]), &config, track)), by_policy, "{policy:?}");
        assert_eq!(trades(&run_with(&plan(&[(0, decision)]), &with(policy), track)), by_policy, "{policy:?}");
    }
}

#[test]
fn an_exit_in_a_gap_between_finer_bars_fills_at_the_next_ones_open() {
    let coarse = both(0, &[FLAT, FLAT, [110_000, 110_000, 109_800, 109_850]]);
    let finer =
        [FLAT, FLAT, FLAT, FLAT, [110_000, 110_000, 109_950, 109_950], [109_850, 109_860, 109_800, 109_850]];
    let finer = both_from(start(), Granularity::M30, 0, &finer);
    let config = RunConfig { intrabar: Some(Granularity::M30), ..free() };
    let track = TrackBars { bars: &coarse, finer: Some(&finer) };
    let slice = run_with(&plan(&[(0, "buy(units=1000, stop_loss=1.099)")]), &config, track);
    assert_eq!(trades(&slice), ["long 1000 110000@1 to 109850@2 stop_loss"]);
}

#[test]
fn an_exit_and_an_entry_of_one_bar_are_told_in_their_order() {
    let decisions = [(0, "[buy(units=1000, stop_loss=1.0995), order(units=-500, stop=1.099)]")];
    let bars = both(0, &[FLAT, FLAT, [110_000, 110_000, 109_880, 109_900]]);
    for policy in POLICIES {
        let expected = [
            "1 #0 filled: buys 1000 at 110000",
            "2 #0 exits 1000 by stop_loss at 109950",
            "2 #1 filled: sells 500 at 109900",
        ];
        assert_eq!(lives(&run(&plan(&decisions), &with(policy), &bars))[2..], expected, "{policy:?}");
    }
}

#[test]
fn fills_at_the_close_are_stamped_by_the_deciding_bar_and_lapse_without_a_next_one() {
    let config = RunConfig { fill: fx_engine::FillTime::Close, ..free() };
    let rows = [[110_000, 110_010, 110_000, 110_010], [110_100; 4], [110_200; 4]];
    let slice = run(&plan(&[(0, "buy(units=1000)"), (1, "close()")]), &config, &both(20, &rows));
    // Bought at the ask of the first close, sold at the bid of the second.
    assert_eq!(trades(&slice), ["long 1000 110030@0 to 110100@1 close"]);
    let (plan, bars) = (plan(&[(0, "buy(units=1000)")]), both(20, &rows[..1]));
    let slice = advance_all(&plan, &config, &Inputs::of(&bars)).unwrap();
    assert_eq!((slice.state.pending_orders().len(), slice.state.open_positions().len()), (1, 0));
}

#[test]
fn an_exit_that_the_entry_has_passed_already_goes_at_its_moment() {
    // Sold at 110050 inside the bar with its stop below, at 109900, where no price has been.
    let rising = [110_000, 110_100, 110_000, 110_080];
    for policy in [Pessimistic, Optimistic, Ohlc, Olhc] {
        let wrong = "sell(units=1000, limit=1.1005, stop_loss=1.099)";
        assert_eq!(ends(policy, wrong, rising), "110050@1 stop_loss", "{policy:?}");
        let wrong = "buy(units=1000, stop=1.1005, take_profit=1.099)";
        assert_eq!(ends(policy, wrong, rising), "110050@1 take_profit", "{policy:?}");
    }
}
