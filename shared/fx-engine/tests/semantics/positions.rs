//! Netting and hedging, reversals, partial closes, targets, reduce-only.

use crate::script::{Points, both, free, lives, plan, rows, run, trades};
use fx_engine::{Account, AccountKind, Commission, RunConfig, Slice, Slippage};

const FLAT: Points = [110_000; 4];

fn hedging() -> RunConfig {
    RunConfig { account: Account { kind: AccountKind::Hedging, ..free().account }, pyramiding: 9, ..free() }
}

fn after(config: &RunConfig, decisions: &[(u64, &str)], bars: usize) -> Slice {
    run(&plan(decisions), config, &both(20, &vec![FLAT; bars]))
}

#[test]
fn buy_and_sell_reverse_and_ignore_the_side_that_is_held() {
    let decisions = [(0, "buy(units=1000)"), (1, "buy(units=500)"), (2, "sell(units=300)")];
    let slice = after(&free(), &decisions, 4);
    // The second buy is not even an order.
    let expected = [
        "0 #0 buys 1000 at the market",
        "1 #0 filled: buys 1000 at 110020",
        "2 #1 sells 300 at the market",
        "3 #1 filled: sells 1000 at 110000",
        "3 #1 filled: sells 300 at 110000",
    ];
    assert_eq!(lives(&slice), expected);
    assert_eq!(trades(&slice), ["long 1000 110020@1 to 110000@3 reverse"]);
    assert_eq!(slice.state.net_units(0).get(), -300);
    let slice = after(&RunConfig { pyramiding: 1, ..free() }, &decisions[..2], 4);
    assert_eq!(slice.state.net_units(0).get(), 1_500);
}

#[test]
fn raw_orders_net_the_oldest_first_or_stand_beside_each_other() {
    let decisions = [
        (0, "order(units=1000)"),
        (1, "order(units=500)"),
        (2, "order(units=-1200)"),
        (3, "order(units=-800)"),
    ];
    let slice = after(&free(), &decisions, 5);
    let expected = [
        "long 1000 110020@1 to 110000@3 close",
        "long 200 110020@2 to 110000@3 close",
        "long 300 110020@2 to 110000@4 close",
    ];
    assert_eq!(trades(&slice), expected);
    assert_eq!(slice.state.net_units(0).get(), -500);
    let slice = after(&hedging(), &decisions, 5);
    assert!(slice.trades.is_empty());
    let open: Vec<_> =
        slice.state.open_positions().iter().map(|lot| lot.side.sign() * lot.units.get()).collect();
    assert_eq!(open, [1_000, 500, -1_200, -800]);
}

#[test]
fn reduce_only_closes_no_more_than_there_is() {
    let decisions = [
        (0, "buy(units=1000)"),
        (1, "order(units=-1500, reduce_only=True)"),
        (2, "order(units=-10, reduce_only=True)"),
    ];
    let slice = after(&free(), &decisions, 4);
    assert_eq!(
        lives(&slice)[3..],
        ["2 #1 filled: sells 1000 at 110000", "2 #2 sells 10 at the market", "3 #2 lapsed"]
    );
    // Beside a short leg a reducing sell closes longs alone, and a reducing buy shorts alone.
    let decisions = [
        (0, "[order(units=1000), order(units=-400)]"),
        (1, "order(units=-1500, reduce_only=True)"),
        (2, "order(units=100, reduce_only=True)"),
    ];
    let slice = after(&hedging(), &decisions, 4);
    let expected = ["long 1000 110020@1 to 110000@2 close", "short 100 110000@1 to 110020@3 close"];
    assert_eq!(trades(&slice), expected);
}

#[test]
fn a_target_trades_the_difference() {
    let decisions = [
        (0, "target(units=1000)"),
        (1, "target(units=400)"),
        (2, "target(units=400)"),
        (3, "target(units=-500)"),
        (4, "target(units=0)"),
    ];
    let slice = after(&free(), &decisions, 6);
    let expected = [
        "long 600 110020@1 to 110000@2 close",
        "long 400 110020@1 to 110000@4 reverse",
        "short 500 110000@4 to 110020@5 close",
    ];
    assert_eq!(trades(&slice), expected);
    // The third would change nothing: four orders.
    assert_eq!(lives(&slice).iter().filter(|line| line.contains("at the market")).count(), 4);
}

#[test]
fn a_target_of_hedged_legs_is_their_net() {
    for target in [800, 600, 300, 0, -500, -300, 5_000] {
        let aim = format!("target(units={target})");
        let slice = after(&hedging(), &[(0, "[order(units=1000), order(units=-400)]"), (1, &aim)], 3);
        assert_eq!(slice.state.net_units(0).get(), target);
    }
}

#[test]
fn a_part_takes_its_share_of_the_costs_and_the_oldest_entries_go_first() {
    let config = RunConfig { commission: Commission::PerLot(7.0), pyramiding: 1, ..free() };
    // 1001 units cost 0.07007 and 500 units 0.035 to enter.
    let decisions = [
        (0, "buy(units=1001)"),
        (1, "buy(units=500)"),
        (2, "close_partial(units=500)"),
        (3, "close_partial(percent=50)"),
        (4, "close()"),
    ];
    let slice = after(&config, &decisions, 6);
    let expected = [
        "long 500 110020@1 to 110000@3 close",
        "long 500 110020@1 to 110000@4 close",
        "long 1 110020@1 to 110000@5 close",
        "long 500 110020@2 to 110000@5 close",
    ];
    assert_eq!(trades(&slice), expected);
    // Entry: 70070 · 500/1001 = 35000, of the remaining 35070 again 35000, then the 70 that are left.
    let paid: Vec<_> = slice.trades.iter().map(|trade| trade.costs.commission_micros).collect();
    assert_eq!(paid, [70_000, 70_000, 140, 70_000]);
    // 500 units lose 20 points of 1e-5: 0.1.
    let booked = [
        ("commission", -70_070),
        ("commission", -35_000),
        ("profit_loss", -100_000),
        ("commission", -35_000),
        ("profit_loss", -100_000),
        ("commission", -35_000),
        ("profit_loss", -200),
        ("profit_loss", -100_000),
        ("commission", -35_070),
    ];
    assert_eq!(rows(&slice), booked);
}

#[test]
fn a_part_of_nothing_and_a_close_of_nothing_are_no_orders() {
    let slice = after(&free(), &[(0, "close()"), (1, "close_partial(percent=50)")], 3);
    assert!(slice.events.is_empty());
    // What is gone when the time comes lapses: the stop is passed at the open, before the close.
    let bars = both(20, &[FLAT, FLAT, FLAT, [109_000; 4]]);
    let slice = run(&plan(&[(0, "buy(units=1000, stop_loss=1.095)"), (2, "close()")]), &free(), &bars);
    assert_eq!(
        lives(&slice)[2..],
        ["2 #1 sells 1000 at the market", "3 #0 exits 1000 by stop_loss at 109000", "3 #1 lapsed"]
    );
    // A percentage that comes to less than a unit.
    let slice = after(&free(), &[(0, "buy(units=10)"), (1, "close_partial(percent=9)")], 3);
    assert_eq!(lives(&slice)[3..], ["2 #1 lapsed"]);
}

#[test]
fn a_percentage_of_hedged_legs_is_taken_of_each() {
    let slice = after(
        &hedging(),
        &[(0, "[order(units=1000), order(units=-400)]"), (1, "close_partial(percent=50)")],
        3,
    );
    assert_eq!(
        trades(&slice),
        ["long 500 110020@1 to 110000@2 close", "short 200 110000@1 to 110020@2 close"]
    );
}

#[test]
fn an_entry_after_a_partial_close_is_looked_at_when_its_time_comes() {
    let decisions = [(0, "buy(units=1000)"), (1, "[close_partial(percent=100), buy(units=300)]")];
    let slice = after(&free(), &decisions, 3);
    assert_eq!(slice.state.net_units(0).get(), 300);
    let decisions = [(0, "buy(units=1000)"), (1, "[close_partial(percent=50), buy(units=300)]")];
    let slice = after(&free(), &decisions, 3);
    assert_eq!(lives(&slice).last().unwrap(), "2 #2 lapsed");
}

#[test]
fn a_limit_that_reverses_slips_on_neither_leg() {
    let config = RunConfig { slippage: Slippage::Pips(1.0), ..free() };
    let rising = [110_000, 110_060, 110_000, 110_000];
    for order in ["sell(units=300, limit=1.1005)", "order(units=-1300, limit=1.1005)"] {
        let slice =
            run(&plan(&[(0, "buy(units=1000)"), (1, order)]), &config, &both(20, &[FLAT, FLAT, rising]));
        let filled: Vec<_> = lives(&slice)[3..].to_vec();
        let expected = ["2 #1 filled: sells 1000 at 110050", "2 #1 filled: sells 300 at 110050"];
        assert_eq!(filled, expected, "{order}");
        assert_eq!(slice.trades[0].entry_price, crate::script::price(110_030));
    }
}

#[test]
fn an_entry_that_would_be_ignored_is_not_looked_at() {
    // 1e15 units are an error, unless the position is full.
    let decisions = [(0, "buy(units=1000)"), (1, "buy(units=data.close * 1e15)")];
    assert_eq!(after(&free(), &decisions, 3).trades.len(), 0);
}
