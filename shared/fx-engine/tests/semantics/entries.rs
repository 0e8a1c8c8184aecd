//! Each kind of order on each side: touched, missed by one point, jumped over by the open.

use crate::script::{Points, both, free, lives, plan, run, trades};
use fx_engine::{IntrabarPolicy, RunConfig};

const POLICIES: [IntrabarPolicy; 5] = [
    IntrabarPolicy::Pessimistic,
    IntrabarPolicy::Optimistic,
    IntrabarPolicy::Ohlc,
    IntrabarPolicy::Olhc,
    IntrabarPolicy::NearestExtremeFirst,
];

/// The bid at the deciding bar; the ask stands 20 points above it throughout.
const FLAT: Points = [110_000; 4];

/// What becomes of an order in the bar after its decision, whatever the policy: its events after the first.
fn met(decision: &str, row: Points) -> Vec<String> {
    let mut found: Vec<Vec<String>> = POLICIES
        .into_iter()
        .map(|fill_policy| {
            let config = RunConfig { fill_policy, ..free() };
            let slice = run(&plan(&[(0, decision)]), &config, &both(20, &[FLAT, row]));
            lives(&slice)[1..].to_vec()
        })
        .collect();
    found.dedup();
    assert_eq!(found.len(), 1, "{decision}: the policies differ");
    found.remove(0)
}

fn filled(side: &str, at: i64) -> Vec<String> {
    vec![format!("1 #0 filled: {side} 1000 at {at}")]
}

#[test]
fn buys_look_at_the_ask_and_sells_at_the_bid_and_a_touch_is_enough() {
    let low = |low| [110_000, 110_000, low, 110_000];
    let high = |high| [110_000, high, 110_000, 110_000];
    let cases = [
        // (order, the bar that just touches it, the bar that misses it by a point, its price)
        ("buy(units=1000, limit=1.0998)", "buys", low(109_960), low(109_961), 109_980),
        ("sell(units=1000, limit=1.1005)", "sells", high(110_050), high(110_049), 110_050),
        ("buy(units=1000, stop=1.1007)", "buys", high(110_050), high(110_049), 110_070),
        ("sell(units=1000, stop=1.0995)", "sells", low(109_950), low(109_951), 109_950),
        ("buy(units=1000, touch=1.0998)", "buys", low(109_960), low(109_961), 109_980),
        ("sell(units=1000, touch=1.1005)", "sells", high(110_050), high(110_049), 110_050),
        ("buy(units=1000, trail=pips(5))", "buys", high(110_050), high(110_049), 110_070),
        ("sell(units=1000, trail=distance(0.0005))", "sells", low(109_950), low(109_951), 109_950),
        ("order(units=1000, limit=1.0998)", "buys", low(109_960), low(109_961), 109_980),
        ("order(units=-1000, stop=1.0995)", "sells", low(109_950), low(109_951), 109_950),
        // The deciding ask is 110020: 4 pips below it, 5 above it.
        ("buy(units=1000, limit=pips(4))", "buys", low(109_960), low(109_961), 109_980),
        ("buy(units=1000, stop=pips(5))", "buys", high(110_050), high(110_049), 110_070),
        ("sell(units=1000, limit=pips(5))", "sells", high(110_050), high(110_049), 110_050),
        ("sell(units=1000, touch=distance(0.0005))", "sells", high(110_050), high(110_049), 110_050),
    ];
    for (order, side, touched, missed, price) in cases {
        assert_eq!(met(order, touched), filled(side, price), "{order}");
        assert_eq!(met(order, missed), Vec::<String>::new(), "{order}");
    }
}

#[test]
fn a_gap_fills_at_the_open_a_stop_worse_and_a_limit_better() {
    let (below, above) = ([109_900, 109_910, 109_890, 109_900], [110_100, 110_110, 110_090, 110_100]);
    let cases = [
        ("buy(units=1000, limit=1.0998)", below, "buys", 109_920),
        ("sell(units=1000, limit=1.1005)", above, "sells", 110_100),
        ("buy(units=1000, stop=1.1007)", above, "buys", 110_120),
        ("sell(units=1000, stop=1.0995)", below, "sells", 109_900),
        ("buy(units=1000, touch=1.0998)", below, "buys", 109_920),
        ("sell(units=1000, touch=1.1005)", above, "sells", 110_100),
        ("buy(units=1000, trail=pips(5))", above, "buys", 110_120),
        ("sell(units=1000, trail=pips(5))", below, "sells", 109_900),
        ("buy(units=1000)", above, "buys", 110_120),
        ("sell(units=1000)", above, "sells", 110_100),
    ];
    for (order, row, side, price) in cases {
        assert_eq!(met(order, row), filled(side, price), "{order}");
    }
}

#[test]
fn a_stop_limit_order_fills_at_its_stop_price_where_its_limit_allows_that() {
    let buy = "buy(units=1000, stop=1.1007, limit=1.1008)";
    let triggered =
        |fill| vec!["1 #0 triggered at 110070".to_owned(), format!("1 #0 filled: buys 1000 at {fill}")];
    assert_eq!(met(buy, [110_000, 110_050, 109_990, 110_000]), triggered(110_070));
    assert_eq!(met(buy, [110_000, 110_049, 109_990, 110_000]), Vec::<String>::new());
    let sell = "sell(units=1000, stop=1.0995, limit=1.0994)";
    let sold = ["1 #0 triggered at 109950", "1 #0 filled: sells 1000 at 109950"];
    assert_eq!(met(sell, [110_000, 110_010, 109_950, 110_000]), sold);
}

#[test]
fn a_stop_limit_order_that_the_open_jumps_over_waits_for_its_limit() {
    // The ask opens at 110120, above the limit of 110080.
    let (buy, stays) = ("buy(units=1000, stop=1.1007, limit=1.1008)", [110_100, 110_130, 110_061, 110_100]);
    assert_eq!(met(buy, stays), ["1 #0 triggered at 110120"]);
    let returns = [110_100, 110_130, 110_060, 110_100];
    assert_eq!(met(buy, returns), ["1 #0 triggered at 110120", "1 #0 filled: buys 1000 at 110080"]);
    let sell = "sell(units=1000, stop=1.0995, limit=1.0994)";
    let returns = [109_900, 109_940, 109_890, 109_900];
    assert_eq!(met(sell, returns), ["1 #0 triggered at 109900", "1 #0 filled: sells 1000 at 109940"]);
    // The next bar opens at a better price.
    let bars = both(20, &[FLAT, stays, [110_050, 110_060, 110_040, 110_050]]);
    let slice = run(&plan(&[(0, buy)]), &free(), &bars);
    assert_eq!(lives(&slice)[1..], ["1 #0 triggered at 110120", "2 #0 filled: buys 1000 at 110070"]);
}

#[test]
fn a_stop_limit_order_with_its_limit_behind_its_stop_waits_for_the_price_to_come_back() {
    let decision = "buy(units=1000, stop=1.1007, limit=1.1006)";
    // It comes to life at an ask of 110070, and the ask closes at 110060: it came by on the way.
    let back = both(20, &[FLAT, [110_000, 110_050, 109_990, 110_040]]);
    let slice = run(&plan(&[(0, decision)]), &free(), &back);
    assert_eq!(lives(&slice)[1..], ["1 #0 triggered at 110070", "1 #0 filled: buys 1000 at 110060"]);
    // One point above nothing is sure, and pessimism waits.
    let near = both(20, &[FLAT, [110_000, 110_050, 109_990, 110_041], [110_041, 110_050, 110_030, 110_035]]);
    let slice = run(&plan(&[(0, decision)]), &free(), &near);
    assert_eq!(lives(&slice)[1..], ["1 #0 triggered at 110070", "2 #0 filled: buys 1000 at 110060"]);
    // Open, low, high, close: the low comes first, the order to life at the high, and back it does not come.
    let config = RunConfig { fill_policy: IntrabarPolicy::Olhc, ..free() };
    let slice =
        run(&plan(&[(0, decision)]), &config, &both(20, &[FLAT, [110_000, 110_050, 109_990, 110_045]]));
    assert_eq!(lives(&slice)[1..], ["1 #0 triggered at 110070"]);
    // Open, high, low, close: it comes back on the way down.
    let config = RunConfig { fill_policy: IntrabarPolicy::Ohlc, ..free() };
    let slice =
        run(&plan(&[(0, decision)]), &config, &both(20, &[FLAT, [110_000, 110_050, 109_990, 110_045]]));
    assert_eq!(lives(&slice)[1..], ["1 #0 triggered at 110070", "1 #0 filled: buys 1000 at 110060"]);
}

#[test]
fn an_order_whose_price_is_not_above_zero_is_refused() {
    let slice = run(&plan(&[(0, "buy(units=1000, limit=pips(20000))")]), &free(), &both(20, &[FLAT, FLAT]));
    assert_eq!(lives(&slice)[1..], ["0 #0 rejected: PriceNotPositive"]);
}

#[test]
fn exits_of_a_long_position_watch_the_bid_and_those_of_a_short_one_the_ask() {
    let exits = |decision: &str, row: Points| {
        trades(&run(&plan(&[(0, decision)]), &free(), &both(20, &[FLAT, FLAT, row])))
    };
    // Bought at the ask of 110020, sold at the bid of 110000.
    let long = "buy(units=1000, stop_loss=1.0995, take_profit=1.1005)";
    let short = "sell(units=1000, stop_loss=1.1005, take_profit=1.0995)";
    let (low, high) = (|low| [110_000, 110_000, low, 110_000], |high| [110_000, high, 110_000, 110_000]);
    let (bought, sold) = ("long 1000 110020@1 to", "short 1000 110000@1 to");
    assert_eq!(exits(long, low(109_951)), Vec::<String>::new());
    assert_eq!(exits(long, low(109_950)), [format!("{bought} 109950@2 stop_loss")]);
    assert_eq!(exits(long, high(110_049)), Vec::<String>::new());
    assert_eq!(exits(long, high(110_050)), [format!("{bought} 110050@2 take_profit")]);
    // The short one buys back on the ask, which touches 110050 while the bid is at 110030.
    assert_eq!(exits(short, high(110_029)), Vec::<String>::new());
    assert_eq!(exits(short, high(110_030)), [format!("{sold} 110050@2 stop_loss")]);
    assert_eq!(exits(short, low(109_931)), Vec::<String>::new());
    assert_eq!(exits(short, low(109_930)), [format!("{sold} 109950@2 take_profit")]);
    // Gaps: a stop fills worse, a target better.
    assert_eq!(exits(long, [109_900; 4]), [format!("{bought} 109900@2 stop_loss")]);
    assert_eq!(exits(long, [110_100; 4]), [format!("{bought} 110100@2 take_profit")]);
    assert_eq!(exits(short, [110_100; 4]), [format!("{sold} 110120@2 stop_loss")]);
    assert_eq!(exits(short, [109_900; 4]), [format!("{sold} 109920@2 take_profit")]);
}
