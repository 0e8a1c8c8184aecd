//! What a strategy sees at a bar's close: its side of the quote, the clock, the position after all fills, the account.

use crate::script::{Points, at, both, compiled, free, one, run, start};
use fx_domain::{Bars, Granularity, QuoteSide};
use fx_engine::RunConfig;

const ROWS: [Points; 5] = [
    [110_000, 110_100, 109_900, 110_050],
    [110_060, 110_200, 110_000, 110_150],
    [110_150, 110_300, 110_100, 110_250],
    [110_250, 110_260, 110_000, 110_010],
    [110_010, 110_020, 110_000, 110_010],
];

/// What is recorded of each of these values, in the order of the bars, behind these lines.
fn seen<const N: usize>(lines: &str, values: [&str; N], config: &RunConfig, bars: &Bars) -> [Vec<f64>; N] {
    let recorded: String =
        values.iter().enumerate().map(|(at, x)| format!("record(\"{at}\", {x})\n")).collect();
    let slice = run(&compiled(&format!("{recorded}{lines}")), config, bars);
    slice.recordings.try_into().unwrap()
}

#[test]
fn prices_are_the_bid_where_both_sides_are_stored_else_the_stored_side() {
    let values = ["data.open", "data.high", "data.low", "data.close"];
    let [bid, _, ask, _] = [0, 1, 2, 3].map(|at| {
        let bars = match at {
            0 | 1 => both(20, &ROWS[..2]),
            side => one([QuoteSide::Ask, QuoteSide::Mid][side - 2], start(), Granularity::H1, &ROWS[..2]),
        };
        seen("return {}", values, &free(), &bars)
    });
    let expected = [[1.1, 1.1006], [1.101, 1.102], [1.099, 1.1], [1.1005, 1.1015]];
    assert_eq!(bid.map(|column| [column[0], column[1]]), expected);
    assert_eq!(ask.map(|column| [column[0], column[1]]), expected);
    let sides = ["data.bid.close", "data.ask.close", "data.mid.close", "data.ask.high"];
    let [bid, ask, mid, high] = seen("return {}", sides, &free(), &both(20, &ROWS[..1]));
    assert_eq!([bid, ask, mid, high].concat(), [1.1005, 1.1007, 1.1006, 1.1012]);
}

#[test]
fn the_clock_is_the_bars_open_in_utc_and_counts_from_the_start_date() {
    // 29 February 2024 is a Thursday; the sixth and later bars are of Friday, 1 March.
    let from = at("2024-02-29T19:30:00Z");
    let bars = crate::script::both_from(from, Granularity::H1, 1, &[ROWS[0]; 6]);
    let values = ["data.index", "data.time.hour", "data.time.minute", "data.time.weekday", "data.time.day"];
    let config = RunConfig { start: at("2024-02-29T20:00:00Z"), ..free() };
    let [index, hour, minute, weekday, day] = seen("return {}", values, &config, &bars);
    assert_eq!(index, [0.0, 1.0, 2.0, 3.0, 4.0]);
    assert_eq!(hour, [20.0, 21.0, 22.0, 23.0, 0.0]);
    assert_eq!(minute, [30.0; 5]);
    assert_eq!(weekday, [3.0, 3.0, 3.0, 3.0, 4.0]);
    assert_eq!(day, [29.0, 29.0, 29.0, 29.0, 1.0]);
    let [month, year] = seen("return {}", ["data.time.month", "data.time.year"], &config, &bars);
    assert_eq!((month, year), (vec![2.0, 2.0, 2.0, 2.0, 3.0], vec![2024.0; 5]));
}

#[test]
fn the_position_is_that_after_all_fills_of_the_bar() {
    let values = [
        "position.units",
        "position.entry_price",
        "position.bars",
        "position.unrealized_pips",
        "account.equity",
        "account.balance",
    ];
    // Bought at the ask of the second bar's open, 1.10080; sold at the bid of the last one's.
    let lines = "if data.index == 0:\n    return buy(units=1000)\nif data.index == 3:\n    return close()";
    let [units, entry, bars, pips, equity, balance] = seen(lines, values, &free(), &both(20, &ROWS));
    assert_eq!(units, [0.0, 1000.0, 1000.0, 1000.0, 0.0]);
    assert!(entry[0].is_nan() && entry[4].is_nan(), "{entry:?}");
    assert_eq!(entry[1..4], [1.1008; 3]);
    assert_eq!(bars, [0.0, 0.0, 1.0, 2.0, 0.0]);
    // At the side that would close: the bid.
    assert_eq!(pips, [0.0, 7.0, 17.0, -7.0, 0.0]);
    assert_eq!(equity, [10_000.0, 10_000.7, 10_001.7, 9_999.3, 9_999.3]);
    assert_eq!(balance, [10_000.0, 10_000.0, 10_000.0, 10_000.0, 9_999.3]);
}

#[test]
fn a_short_position_has_negative_units_and_gains_where_the_ask_falls() {
    let values = ["position.units", "position.entry_price", "position.unrealized_pips"];
    let lines = "if data.index == 0:\n    return sell(units=500)";
    let [units, entry, pips] = seen(lines, values, &free(), &both(20, &ROWS));
    assert_eq!(units[1..], [-500.0; 4]);
    assert_eq!(entry[1..], [1.1006; 4]);
    // Ask closes at 1.10170, 1.10270, 1.10030, 1.10030.
    assert_eq!(pips, [0.0, -11.0, -21.0, 3.0, 3.0]);
}
