//! What trails: tested at its old level first, then it follows.

use crate::script::{Points, both, free, lives, plan, run, trades};
use fx_engine::{IntrabarPolicy, RunConfig};

const FLAT: Points = [110_000; 4];

fn after(policy: IntrabarPolicy, decision: &str, rows: &[Points]) -> Vec<String> {
    let config = RunConfig { fill_policy: policy, ..free() };
    trades(&run(&plan(&[(0, decision)]), &config, &both(20, rows)))
}

/// Bought at 110020 with a bid of 110000: the stop stands at 109900.
const LONG: &str = "buy(units=1000, trailing=pips(10))";

#[test]
fn the_old_level_is_tested_before_the_stop_follows() {
    use IntrabarPolicy::{NearestExtremeFirst as Nearest, Ohlc, Olhc, Optimistic, Pessimistic};
    // Up to 110200, which would carry the stop to 110100, and down to 109950.
    let row = [110_000, 110_200, 109_950, 110_150];
    for policy in [Pessimistic, Optimistic, Olhc, Nearest] {
        assert_eq!(after(policy, LONG, &[FLAT, FLAT, row]), Vec::<String>::new(), "{policy:?}");
    }
    // With the high first the stop has followed when the low comes.
    let stopped = "long 1000 110020@1 to 110100@2 trailing_stop";
    assert_eq!(after(Ohlc, LONG, &[FLAT, FLAT, row]), [stopped]);
    // It has followed at the end of the bar in any case.
    let next = [110_150, 110_160, 110_100, 110_140];
    for policy in [Pessimistic, Optimistic, Olhc, Nearest] {
        let found = after(policy, LONG, &[FLAT, FLAT, row, next]);
        assert_eq!(found, ["long 1000 110020@1 to 110100@3 trailing_stop"], "{policy:?}");
    }
}

#[test]
fn a_short_positions_stop_follows_the_ask_down() {
    // Sold at 110000 with an ask of 110020: the stop stands at 110120; an ask of 109920 carries it to 110020.
    let rows = [FLAT, FLAT, [110_000, 110_000, 109_900, 109_950], [109_950, 110_000, 109_950, 109_960]];
    for policy in [IntrabarPolicy::Pessimistic, IntrabarPolicy::Optimistic, IntrabarPolicy::Ohlc] {
        let found = after(policy, "sell(units=1000, trailing=pips(10))", &rows);
        assert_eq!(found, ["short 1000 110000@1 to 110020@3 trailing_stop"], "{policy:?}");
    }
    let missed = [rows[0], rows[1], rows[2], [109_950, 109_999, 109_950, 109_960]];
    assert!(after(IntrabarPolicy::Pessimistic, "sell(units=1000, trailing=pips(10))", &missed).is_empty());
}

#[test]
fn a_stop_never_moves_back_and_a_gap_fills_at_the_open() {
    let rows = [
        FLAT,
        FLAT,
        [110_000, 110_100, 110_000, 110_050],
        [110_050, 110_050, 110_010, 110_010],
        [109_990; 4],
    ];
    let found = after(IntrabarPolicy::Pessimistic, LONG, &rows);
    assert_eq!(found, ["long 1000 110020@1 to 109990@4 trailing_stop"]);
}

#[test]
fn of_stop_loss_and_trailing_stop_the_nearer_one_is_met() {
    let decision = "buy(units=1000, stop_loss=1.0995, trailing=pips(10))";
    let found =
        after(IntrabarPolicy::Pessimistic, decision, &[FLAT, FLAT, [110_000, 110_000, 109_800, 109_900]]);
    assert_eq!(found, ["long 1000 110020@1 to 109950@2 stop_loss"]);
    let rows = [FLAT, FLAT, [110_000, 110_100, 109_990, 110_050], [110_050, 110_050, 109_900, 109_950]];
    let found = after(IntrabarPolicy::Pessimistic, decision, &rows);
    assert_eq!(found, ["long 1000 110020@1 to 110000@3 trailing_stop"]);
}

#[test]
fn a_trailing_entry_follows_the_low_and_turns_with_the_price() {
    // The ask closes at 110020, the order waits at 110070; an ask of 109960 carries it to 110010.
    let order = "buy(units=1000, trail=pips(5))";
    let found = |rows: &[Points]| lives(&run(&plan(&[(0, order)]), &free(), &both(20, rows)));
    let down = [110_000, 110_000, 109_940, 109_950];
    let events = found(&[FLAT, down, [109_950, 109_990, 109_950, 109_980]]);
    assert_eq!(events, ["0 #0 buys 1000 trailing_stop 110070", "2 #0 filled: buys 1000 at 110010"]);
    assert_eq!(found(&[FLAT, down, [109_950, 109_989, 109_950, 109_980]]).len(), 1);
    // The bar that falls first and turns: only a path with the low first sees it.
    let turn = [110_000, 110_000, 109_940, 109_995];
    let config = RunConfig { fill_policy: IntrabarPolicy::Olhc, ..free() };
    let events = lives(&run(&plan(&[(0, order)]), &config, &both(20, &[FLAT, turn])));
    assert_eq!(events[1..], ["1 #0 filled: buys 1000 at 110010"]);
}
