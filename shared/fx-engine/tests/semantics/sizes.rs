//! How large an entry is, and on which price an order stands.

use crate::script::{Points, both, config, free, lives, plan, run};
use fx_domain::Currency;
use fx_engine::RunConfig;

const FLAT: Points = [110_000, 110_010, 109_990, 110_000];

/// The units of each fill, when these decisions are made at the bars of their numbers.
fn filled(config: &RunConfig, decisions: &[(u64, &str)], spread: i64, rows: &[Points]) -> Vec<String> {
    let lives = lives(&run(&plan(decisions), config, &both(spread, rows)));
    let told = |life: &String| life.split_once(" filled: ").map(|(_, fill)| fill.to_owned());
    let refused = |life: &String| life.split_once(" rejected: ").map(|(_, why)| why.to_owned());
    lives.iter().filter_map(|life| told(life).or_else(|| refused(life))).collect()
}

#[test]
fn a_risk_is_a_percent_of_equity_over_the_distance_from_the_fill_to_the_stop() {
    // 100 of 10,000 US dollars, 25 pips: 100 ÷ 0.0025.
    let flat = [FLAT; 3];
    for (decision, units) in [
        ("buy(risk_percent=1, stop_loss=pips(25))", "buys 40000 at 110020"),
        ("sell(risk_percent=1, stop_loss=pips(25))", "sells 40000 at 110000"),
        ("buy(risk_percent=0.5, stop_loss=distance(0.0025))", "buys 20000 at 110020"),
        // A price: 120 points below the fill, 100 ÷ 0.0012 = 83333.3.
        ("buy(risk_percent=1, stop_loss=1.0990)", "buys 83333 at 110020"),
        // The stop alone counts, whatever trails.
        ("buy(risk_percent=1, stop_loss=pips(50), trailing=pips(10))", "buys 20000 at 110020"),
    ] {
        assert_eq!(filled(&free(), &[(0, decision)], 20, &flat), [units], "{decision}");
    }
}

#[test]
fn the_risk_is_measured_at_the_fill_and_not_at_the_decision() {
    // The next bar opens 50 points higher: 170 points to the stop instead of 120.
    let gap = [FLAT, [110_050, 110_060, 110_040, 110_050], FLAT];
    let decision = [(0, "buy(risk_percent=1, stop_loss=1.0990)")];
    assert_eq!(filled(&free(), &decision, 20, &gap), ["buys 58823 at 110070"]);
    // It opens beyond the stop: there is no size.
    let beyond = [FLAT, [109_000, 109_010, 108_990, 109_000], FLAT];
    assert_eq!(filled(&free(), &decision, 20, &beyond), ["StopOnWrongSide"]);
}

#[test]
fn equity_is_that_of_the_fill() {
    // 100,000 units have lost 0.0020 when the second order fills, 200 dollars: 1 % of 9,800 over 25 pips.
    let rows = [FLAT, FLAT, [109_820, 109_830, 109_810, 109_820], FLAT];
    let decisions = [(0, "order(units=100000)"), (1, "buy(risk_percent=1, stop_loss=pips(25))")];
    let hedging = RunConfig { pyramiding: 1, ..free() };
    assert_eq!(filled(&hedging, &decisions, 20, &rows), ["buys 100000 at 110020", "buys 39200 at 109840"]);
}

#[test]
fn a_size_in_another_currency_is_exact() {
    // At 150.000 yen a dollar 100 dollars are 15,000 yen: ÷ 0.25 exactly 60,000, which a product with 1 ÷ 150 misses by one.
    let yen = config("USD/JPY", 10_000, Currency::USD);
    let rows = [[14_999_000, 15_000_000, 14_998_000, 14_999_000]; 3];
    let decision = [(0, "buy(risk_percent=1, stop_loss=pips(25))")];
    assert_eq!(filled(&yen, &decision, 2_000, &rows), ["buys 60000 at 15001000"]);
    for (mid, pips, percent, units) in [
        // 1 % of 10,000 at 103.5 is 10,350 yen, 0.1 a unit; 2 % at 121.25 is 24,250, 0.5 a unit.
        (10_350_000, 10, 1, 103_500),
        (12_125_000, 50, 2, 48_500),
        (14_675_000, 20, 1, 73_375),
    ] {
        let rows = [[mid, mid, mid, mid]; 3];
        let decision = format!("sell(risk_percent={percent}, stop_loss=pips({pips}))");
        let expected = format!("sells {units} at {mid}");
        assert_eq!(filled(&yen, &[(0, &decision)], 0, &rows), [expected], "{mid}");
    }
}

#[test]
fn a_percent_of_equity_is_notional_before_leverage() {
    // 5,000 ÷ 1.10020 = 4544.6, fractions cut off.
    let half = [(0, "buy(equity_percent=50)")];
    assert_eq!(filled(&free(), &half, 20, &[FLAT; 3]), ["buys 4544 at 110020"]);
    let fourfold = [(0, "sell(equity_percent=400)")];
    assert_eq!(filled(&free(), &fourfold, 20, &[FLAT; 3]), ["sells 36363 at 110000"]);
}

#[test]
fn units_and_lots_lose_their_fractions_and_less_than_a_unit_is_refused() {
    for (decision, expected) in [
        ("buy(units=1999.9)", "buys 1999 at 110020"),
        ("sell(lots=0.01)", "sells 1000 at 110000"),
        ("buy(units=0.9)", "BelowMinimumSize"),
        ("buy(risk_percent=0.00001, stop_loss=pips(25))", "BelowMinimumSize"),
    ] {
        assert_eq!(filled(&free(), &[(0, decision)], 20, &[FLAT; 3]), [expected], "{decision}");
    }
}

#[test]
fn prices_are_rounded_to_the_tick_half_to_even() {
    let waits = |decision: &str| {
        let lives = lives(&run(&plan(&[(0, decision)]), &free(), &both(20, &[FLAT; 2])));
        lives[0].split(' ').next_back().unwrap().to_owned()
    };
    assert_eq!(waits("buy(units=1, limit=1.090005)"), "109000");
    assert_eq!(waits("buy(units=1, limit=1.090015)"), "109002");
    assert_eq!(waits("buy(units=1, limit=1.0900151)"), "109002");
    assert_eq!(waits("sell(units=1, limit=1.1100249)"), "111002");
    // Measured from the ask's close for a buy, the bid's for a sell.
    assert_eq!(waits("buy(units=1, stop=distance(0.000125))"), "110032");
    assert_eq!(waits("sell(units=1, stop=pips(0.25))"), "109998");
}

#[test]
fn what_is_undefined_decides_nothing() {
    for decision in [
        "buy(units=sqrt(-data.close))",
        "buy(units=1000, stop_loss=data.close - 1 / (data.close - data.close))",
        "buy(units=1000, limit=data.close * 1e308 * 1e308)",
        "[sell(units=1000), buy(units=data.close[-3])]",
        "buy(units=1000) if sqrt(-data.close) > 1 else sell(units=1000)",
    ] {
        let slice = run(&plan(&[(0, decision)]), &free(), &both(20, &[FLAT; 3]));
        assert!(slice.events.is_empty(), "{decision}: {:?}", slice.events);
    }
    // Neither branch is taken, and what stands behind both is not reached either.
    let body = "if sqrt(-data.close) > 1:\n    return buy(units=1)\nelse:\n    return sell(units=1)";
    let slice = run(&crate::script::compiled(body), &free(), &both(20, &[FLAT; 3]));
    assert!(slice.events.is_empty());
    // `defined` asks, and is never undefined itself.
    let body = "if not defined(sqrt(-data.close)):\n    return buy(units=1)";
    let slice = run(&crate::script::compiled(body), &free(), &both(20, &[FLAT; 3]));
    assert_eq!(slice.trades.len() + slice.state.open_positions().len(), 1);
}
