//! How long orders wait, and who takes their place.

use crate::script::{Points, at, both, flat_at, free, lives, plan, run};

const FLAT: Points = [110_000; 4];
/// The ask of it touches 109980.
const DIP: Points = [110_000, 110_010, 109_960, 110_000];

fn after(decisions: &[(u64, &str)], rows: &[Points]) -> Vec<String> {
    lives(&run(&plan(decisions), &free(), &both(20, rows)))
}

#[test]
fn an_order_waits_until_it_is_met() {
    let events = after(&[(0, "buy(units=1000, limit=1.0998)")], &[FLAT, FLAT, FLAT, DIP]);
    assert_eq!(events, ["0 #0 buys 1000 limit 109980", "3 #0 filled: buys 1000 at 109980"]);
}

#[test]
fn bars_count_from_the_one_after_the_decision() {
    let order = |bars: &str| format!("buy(units=1000, limit=1.0998, expires={bars})");
    let filled = after(&[(0, &order("2"))], &[FLAT, FLAT, DIP]);
    assert_eq!(filled[1..], ["2 #0 filled: buys 1000 at 109980"]);
    assert_eq!(after(&[(0, &order("1"))], &[FLAT, FLAT, DIP])[1..], ["2 #0 expired"]);
    assert_eq!(after(&[(0, &order("data.index"))], &[FLAT, DIP])[1..], ["1 #0 expired"]);
}

#[test]
fn a_bar_that_opens_at_the_date_does_not_see_the_order() {
    let order = |until| format!("buy(units=1000, limit=1.0998, expires=\"2024-01-03T{until}Z\")");
    let rows = [FLAT, FLAT, DIP];
    assert_eq!(after(&[(0, &order("02:00:00"))], &rows)[1..], ["2 #0 expired"]);
    assert_eq!(after(&[(0, &order("02:00:01"))], &rows)[1..], ["2 #0 filled: buys 1000 at 109980"]);
}

#[test]
fn immediate_or_cancel_takes_the_first_price_or_nothing() {
    let order = |tif| format!("buy(units=1000, limit=1.0998, tif=\"{tif}\")");
    for tif in ["ioc", "fok"] {
        assert_eq!(after(&[(0, &order(tif))], &[FLAT, DIP])[1..], ["1 #0 expired"]);
        assert_eq!(
            after(&[(0, &order(tif))], &[FLAT, [109_900; 4]])[1..],
            ["1 #0 filled: buys 1000 at 109920"]
        );
    }
}

#[test]
fn immediate_or_cancel_does_not_wait_for_the_limit_once_its_stop_was_passed() {
    let order = "buy(units=1000, stop=1.1007, limit=1.1008, tif=\"ioc\")";
    // The ask opens at 110120 and comes back to 110080 later.
    let events = after(&[(0, order)], &[FLAT, [110_100, 110_130, 110_060, 110_100]]);
    assert_eq!(events[1..], ["1 #0 triggered at 110120", "1 #0 expired"]);
}

/// The trading day ends at 22:00 UTC in winter and at 21:00 UTC in summer.
#[test]
fn a_day_order_ends_at_1700_new_york_in_both_weeks_of_the_change() {
    // 8 March 2024 is the Friday before the change, 11 March the Monday after it.
    for (decided, last, over) in [
        ("2024-03-07T20:00:00Z", "2024-03-07T21:00:00Z", "2024-03-07T22:00:00Z"),
        ("2024-03-11T19:00:00Z", "2024-03-11T20:00:00Z", "2024-03-11T21:00:00Z"),
        ("2024-10-31T19:00:00Z", "2024-10-31T20:00:00Z", "2024-10-31T21:00:00Z"),
        ("2024-11-04T20:00:00Z", "2024-11-04T21:00:00Z", "2024-11-04T22:00:00Z"),
    ] {
        let day = plan(&[(0, "buy(units=1000, limit=1.0998, tif=\"day\")")]);
        let seen = run(&day, &free(), &flat_at(20, &[(decided, 110_000), (last, 109_900)]));
        assert_eq!(lives(&seen)[1..], ["1 #0 filled: buys 1000 at 109920"], "{decided}");
        let late = run(&day, &free(), &flat_at(20, &[(decided, 110_000), (over, 109_900)]));
        assert_eq!(lives(&late)[1..], ["2 #0 expired"], "{decided}");
    }
}

/// The bar that ends at 17:00 decides for the day that begins there; on a Friday that day ends on Monday.
#[test]
fn a_day_order_of_the_last_bar_belongs_to_the_day_that_begins() {
    let day = plan(&[(0, "buy(units=1000, limit=1.0998, tif=\"day\")")]);
    let run_to = |decided, then| {
        let slice = run(&day, &free(), &flat_at(20, &[(decided, 110_000), (then, 109_900)]));
        slice.events.last().map(|event| (event.kind, event.time)).unwrap()
    };
    let filled = |decided, then| {
        let (kind, time) = run_to(decided, then);
        assert_eq!(time, at(then));
        matches!(kind, fx_engine::OrderEventKind::Filled { .. })
    };
    assert!(filled("2024-01-03T21:00:00Z", "2024-01-04T21:00:00Z"));
    assert!(!filled("2024-01-03T21:00:00Z", "2024-01-04T22:00:00Z"));
    // Friday's last bar: Sunday's and Monday's see the order, Tuesday's do not.
    assert!(filled("2024-01-05T21:00:00Z", "2024-01-07T22:00:00Z"));
    assert!(filled("2024-01-05T21:00:00Z", "2024-01-08T21:00:00Z"));
    assert!(!filled("2024-01-05T21:00:00Z", "2024-01-08T22:00:00Z"));
}

#[test]
fn an_order_is_replaced_by_the_next_of_its_label_and_side() {
    let events = after(
        &[
            (
                0,
                "[buy(units=1000, limit=1.09, label=\"a\"), buy(units=1000, limit=1.08, label=\"b\"), \
                sell(units=1000, limit=1.12, label=\"a\"), buy(units=1000, limit=1.07)]",
            ),
            (1, "buy(units=2000, limit=1.095, label=\"a\")"),
            (2, "buy(units=2000, limit=1.075)"),
        ],
        &[FLAT; 4],
    );
    let expected = [
        "0 #0 buys 1000 limit 109000",
        "0 #1 buys 1000 limit 108000",
        "0 #2 sells 1000 limit 112000",
        "0 #3 buys 1000 limit 107000",
        "1 #4 buys 2000 limit 109500",
        "1 #0 cancelled: Replaced",
        "2 #5 buys 2000 limit 107500",
        "2 #3 cancelled: Replaced",
    ];
    assert_eq!(events, expected);
}

#[test]
fn cancel_reaches_a_label_or_all() {
    let orders = "[buy(units=1000, limit=1.09, label=\"a\"), sell(units=1000, limit=1.12, label=\"a\"), buy(units=1000, limit=1.08)]";
    let named = after(&[(0, orders), (1, "cancel(label=\"a\")")], &[FLAT; 3]);
    assert_eq!(named[3..], ["1 #0 cancelled: Strategy", "1 #1 cancelled: Strategy"]);
    let all = after(&[(0, orders), (1, "cancel()")], &[FLAT; 3]);
    assert_eq!(
        all[3..],
        ["1 #0 cancelled: Strategy", "1 #1 cancelled: Strategy", "1 #2 cancelled: Strategy"]
    );
}

#[test]
fn modify_moves_waiting_orders_and_the_exits_of_the_position() {
    let orders =
        "[buy(units=1000, limit=1.09, label=\"a\"), buy(units=1000, stop=1.13, limit=1.131, label=\"b\")]";
    let moved = after(
        &[(0, orders), (1, "modify(label=\"a\", price=1.0998)"), (2, "modify(label=\"b\", price=1.132)")],
        &[FLAT, FLAT, FLAT, DIP],
    );
    let expected = [
        "1 #0 moved to limit 109980",
        "2 #1 moved to stop_limit 113000 113200",
        "3 #0 filled: buys 1000 at 109980",
    ];
    assert_eq!(moved[2..], expected);
    let changed = after(
        &[(0, "buy(units=1000, stop_loss=1.09)"), (1, "modify(stop_loss=pips(4), take_profit=1.101)")],
        &[FLAT, FLAT, [110_000, 110_010, 109_960, 110_000]],
    );
    // Four pips below the bid's close.
    assert_eq!(
        changed[1..],
        ["1 #0 filled: buys 1000 at 110020", "1 #0 protected", "2 #0 exits 1000 by stop_loss at 109960"]
    );
}
