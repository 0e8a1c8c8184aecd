//! Financing at 17:00 New York: when it is due, what it comes to, in what order with fills.

use crate::script::{
    at, both_from, compiled, config, flat_at, free, plan, rows, run, run_series, track, trades,
};
use fx_domain::{Bars, Currency, FinancingTable, Granularity, LedgerKind, LedgerRow, UnixNanos};
use fx_engine::{Account, AccountKind, EngineError, FillTime, MarginCause, RunConfig, Slice};

/// 10,000 euros pay 0.60 a day when long, receive 0.20 when short.
const POINTS: &str = "instrument,from,long,short,unit\nEUR/USD,2023-01-01,-6,2,points\nGBP/USD,2023-01-01,-8,3,points\nUSD/CAD,2023-01-01,-6,2,points";

fn financed(table: &str) -> RunConfig {
    RunConfig { financing: Some(FinancingTable::parse_csv("broker", table).unwrap()), ..free() }
}

fn rolls(slice: &Slice) -> Vec<&LedgerRow> {
    slice.ledger.iter().filter(|row| row.kind == LedgerKind::Financing).collect()
}

/// Days and amount of each rollover.
fn days(slice: &Slice) -> Vec<(u32, i64)> {
    rolls(slice).iter().map(|row| (row.rollover.unwrap().days, row.amount.micros())).collect()
}

/// Hours from `from` to `to`, at 110000 bid and 110020 ask.
fn hours(from: &str, to: &str) -> Bars {
    let count = (at(to).get() - at(from).get()) / Granularity::H1.nominal_nanos();
    both_from(at(from), Granularity::H1, 20, &vec![[110_000; 4]; count as usize])
}

fn hold(side: &str) -> fx_strategy::Plan {
    plan(&[(0, &format!("{side}(units=10000)"))])
}

#[test]
fn a_week_without_holidays_sums_to_seven_and_triples_on_wednesday() {
    // 22 to 26 January 2024.
    let week = hours("2024-01-22T10:00:00Z", "2024-01-27T00:00:00Z");
    let slice = run(&hold("buy"), &financed(POINTS), &week);
    let expected = [(1, -600_000), (1, -600_000), (3, -1_800_000), (1, -600_000), (1, -600_000)];
    assert_eq!(days(&slice), expected);
    let slice = run(&hold("sell"), &financed(POINTS), &week);
    assert_eq!(days(&slice).iter().map(|(_, micros)| micros).sum::<i64>(), 7 * 200_000);
    // A pair that settles after one day triples on Thursday.
    let mut cad = RunConfig {
        financing: financed(POINTS).financing,
        ..config("USD/CAD", 10_000, "CAD".parse().unwrap())
    };
    cad.account.leverage = 100.0;
    assert_eq!(
        days(&run(&hold("buy"), &cad, &week)).iter().map(|(days, _)| *days).collect::<Vec<_>>(),
        [1, 1, 1, 3, 1]
    );
}

#[test]
fn a_row_tells_time_days_units_and_price() {
    let slice = run(&hold("sell"), &financed(POINTS), &hours("2024-01-24T20:00:00Z", "2024-01-25T02:00:00Z"));
    let row = rolls(&slice)[0];
    let rollover = row.rollover.unwrap();
    assert_eq!((row.time, rollover.time), (at("2024-01-24T22:00:00Z"), at("2024-01-24T22:00:00Z")));
    assert_eq!((rollover.units.get(), rollover.days, rollover.inside_bar), (-10_000, 3, false));
    assert_eq!(crate::script::points(rollover.price), "110010");
    assert_eq!(slice.trades.len(), 0);
    assert_eq!(rows(&slice), [("financing", 600_000)]);
    // It is part of the trade's costs, and of its profit.
    let closed = plan(&[(0, "sell(units=10000)"), (4, "close()")]);
    let slice = run(&closed, &financed(POINTS), &hours("2024-01-24T20:00:00Z", "2024-01-25T02:00:00Z"));
    assert_eq!(slice.trades[0].costs.financing_micros, -600_000);
    assert_eq!(slice.trades[0].profit_loss.micros(), 600_000 - 2_000_000);
}

#[test]
fn both_weeks_in_which_the_clocks_change_roll_at_their_own_hour() {
    for (from, to, expected) in [
        ("2024-03-08T10:00:00Z", "2024-03-12T00:00:00Z", ["2024-03-08T22:00:00Z", "2024-03-11T21:00:00Z"]),
        ("2024-11-01T10:00:00Z", "2024-11-05T00:00:00Z", ["2024-11-01T21:00:00Z", "2024-11-04T22:00:00Z"]),
    ] {
        let slice = run(&hold("buy"), &financed(POINTS), &hours(from, to));
        let times: Vec<_> = rolls(&slice).iter().map(|row| row.time).collect();
        assert_eq!(times, expected.map(at));
        assert_eq!(days(&slice), [(1, -600_000); 2]);
    }
}

/// Quotes of single instants. The order fills at the quote after the deciding one.
fn ticks(config: &RunConfig, decisions: &[(u64, &str)], times: &[&str]) -> Slice {
    let mut config = config.clone();
    config.tracks[0].granularity = Granularity::Tick;
    let quotes: Vec<_> = times.iter().map(|time| (*time, 110_000)).collect();
    run(&plan(decisions), &config, &flat_at(20, &quotes))
}

#[test]
fn what_opens_before_1700_pays_and_what_opens_at_1700_does_not() {
    let early = ["2024-01-24T21:59:58Z", "2024-01-24T21:59:59Z", "2024-01-24T22:00:01Z"];
    let sharp = ["2024-01-24T21:59:58Z", "2024-01-24T22:00:00Z", "2024-01-24T22:00:01Z"];
    let config = financed(POINTS);
    let bought = [(0, "buy(units=10000)")];
    assert_eq!(days(&ticks(&config, &bought, &early)), [(3, -1_800_000)]);
    assert_eq!(days(&ticks(&config, &bought, &sharp)), []);
    // At the close of the deciding quote, the one is bought before, the other at the rollover.
    let at_close = RunConfig { fill: FillTime::Close, ..config };
    assert_eq!(days(&ticks(&at_close, &bought, &sharp)), [(3, -1_800_000)]);
    assert_eq!(days(&ticks(&at_close, &[(1, "buy(units=10000)")], &sharp)), []);
}

#[test]
fn what_closes_at_1700_pays_and_what_closes_before_does_not() {
    let config = financed(POINTS);
    let times = [
        "2024-01-24T21:59:56Z",
        "2024-01-24T21:59:57Z",
        "2024-01-24T21:59:58Z",
        "2024-01-24T21:59:59Z",
        "2024-01-24T22:00:00Z",
    ];
    let closed_at = |bar| days(&ticks(&config, &[(0, "buy(units=10000)"), (bar, "close()")], &times));
    assert_eq!(closed_at(2), []);
    assert_eq!(closed_at(3), [(3, -1_800_000)]);
}

#[test]
fn a_fill_at_the_close_of_the_bar_that_ends_at_1700_precedes_the_rollover() {
    let config = RunConfig { fill: FillTime::Close, ..financed(POINTS) };
    let bars = hours("2024-01-24T19:00:00Z", "2024-01-25T02:00:00Z");
    // Bars open at 19, 20, 21, 22: the third ends at the rollover.
    assert_eq!(days(&run(&plan(&[(0, "buy(units=10000)"), (2, "close()")]), &config, &bars)), []);
    assert_eq!(days(&run(&plan(&[(2, "buy(units=10000)")]), &config, &bars)), [(3, -1_800_000)]);
    assert_eq!(days(&run(&plan(&[(3, "buy(units=10000)")]), &config, &bars)), []);
}

#[test]
fn rollovers_without_a_price_at_them_are_made_up_for() {
    let bars = flat_at(
        20,
        &[
            ("2024-01-22T10:00:00Z", 110_000),
            ("2024-01-22T11:00:00Z", 110_000),
            ("2024-01-26T11:00:00Z", 120_000),
        ],
    );
    let slice = run(&hold("buy"), &financed(POINTS), &bars);
    assert_eq!(days(&slice).iter().map(|(days, _)| *days).collect::<Vec<_>>(), [1, 1, 3, 1]);
    // At the last price before them.
    assert!(rolls(&slice).iter().all(|row| crate::script::points(row.rollover.unwrap().price) == "110010"));
}

#[test]
fn a_bar_that_reaches_over_1700_rolls_after_its_open_and_before_its_exits() {
    let mut config = financed(POINTS);
    config.tracks[0].granularity = Granularity::D1;
    let day =
        |rows: &[crate::script::Points]| both_from(at("2024-01-23T00:00:00Z"), Granularity::D1, 20, rows);
    let flat = [110_000; 4];
    // Bought at the open of the 24th, stopped out inside it.
    let plan_stop = plan(&[(0, "buy(units=10000, stop_loss=1.095)")]);
    let slice = run(&plan_stop, &config, &day(&[flat, [110_000, 110_000, 109_000, 109_900], flat]));
    assert_eq!(days(&slice), [(3, -1_800_000)]);
    assert!(rolls(&slice)[0].rollover.unwrap().inside_bar);
    assert_eq!(trades(&slice), ["long 10000 110020@1 to 109500@1 stop_loss"]);
    // Stopped out by a gap at the open of the bar: it was gone before.
    let slice = run(&plan_stop, &config, &day(&[flat, flat, [109_000; 4], flat]));
    assert_eq!(days(&slice), [(3, -1_800_000)]);
    assert_eq!(rolls(&slice)[0].time, at("2024-01-24T22:00:00Z"));
}

#[test]
fn hedged_legs_both_pay_and_long_and_short_net_to_the_markup() {
    let account = Account { kind: AccountKind::Hedging, ..free().account };
    let config = RunConfig { account, ..financed(POINTS) };
    let hedged = plan(&[(0, "[order(units=10000), order(units=-10000)]")]);
    let slice = run(&hedged, &config, &hours("2024-01-23T19:00:00Z", "2024-01-24T02:00:00Z"));
    assert_eq!(days(&slice), [(1, -600_000), (1, 200_000)]);
}

#[test]
fn each_day_has_the_rates_of_its_date() {
    let table =
        "instrument,from,long,short,unit\nEUR/USD,2024-01-01,-6,2,points\nEUR/USD,2024-01-23,-7,1,points";
    let slice = run(&hold("buy"), &financed(table), &hours("2024-01-22T10:00:00Z", "2024-01-25T00:00:00Z"));
    assert_eq!(days(&slice), [(1, -600_000), (1, -700_000), (3, -2_100_000)]);
}

#[test]
fn a_rate_that_is_missing_ends_the_run() {
    for table in [
        "instrument,from,long,short,unit\nUSD/JPY,2023-01-01,1,1,points",
        "instrument,from,long,short,unit\nEUR/USD,2024-01-23,-6,2,points",
    ] {
        let bars = hours("2024-01-22T10:00:00Z", "2024-01-23T00:00:00Z");
        let found = crate::script::advance_all(&hold("buy"), &financed(table), &fx_engine::Inputs::of(&bars));
        assert!(matches!(found, Err(EngineError::NoSwap { .. })), "{found:?}");
    }
    // Without a table there is nothing to pay.
    let slice = run(&hold("buy"), &free(), &hours("2024-01-22T10:00:00Z", "2024-01-25T00:00:00Z"));
    assert_eq!(days(&slice), []);
}

#[test]
fn a_rate_is_of_points_of_a_year_or_of_a_lot() {
    let once = |table: &str| {
        days(&run(&hold("buy"), &financed(table), &hours("2024-01-23T19:00:00Z", "2024-01-24T02:00:00Z")))[0]
            .1
    };
    let annual = |days: u32| {
        format!("instrument,from,long,short,unit,day_count\nEUR/USD,2023-01-01,-5,1,annual_percent,{days}")
    };
    // 10,000 at a mid of 1.1001: 11,001 dollars at 5 %.
    assert_eq!(once(&annual(365)), -1_506_986);
    assert_eq!(once(&annual(360)), -1_527_917);
    assert_eq!(once("instrument,from,long,short,unit\nEUR/USD,2023-01-01,-8,1,per_lot"), -800_000);
}

#[test]
fn an_amount_per_lot_is_converted_from_its_currency_at_the_rollover() {
    let table = "instrument,from,long,short,unit,currency\nEUR/USD,2023-01-01,-8,1,per_lot,EUR";
    let slice = run(&hold("buy"), &financed(table), &hours("2024-01-23T19:00:00Z", "2024-01-24T02:00:00Z"));
    assert_eq!(days(&slice), [(1, -880_080)]);
    let conversion = rolls(&slice)[0].conversion.unwrap();
    assert_eq!(
        (conversion.to_string(), conversion.time()),
        ("EUR/USD".to_owned(), at("2024-01-23T22:00:00Z"))
    );
}

#[test]
fn what_is_charged_counts_at_the_margin_check_of_its_instant() {
    // 10,000 points of 2,000 units are 200 a day, of 100.
    let mut config = financed("instrument,from,long,short,unit\nEUR/USD,2023-01-01,-10000,0,points");
    config.account = Account::new(fx_domain::Money::from_micros(100_000_000, Currency::USD));
    let bars = hours("2024-01-23T19:00:00Z", "2024-01-24T02:00:00Z");
    let slice = run(&plan(&[(0, "buy(units=2000)")]), &config, &bars);
    assert_eq!(trades(&slice), ["long 2000 110020@1 to 110000@3 stop_out"]);
    let causes: Vec<_> = slice.margin.iter().map(|point| point.cause).collect();
    let expected = [
        MarginCause::Fill,
        MarginCause::Rollover,
        MarginCause::MarginCall,
        MarginCause::StopOut,
        MarginCause::Fill,
    ];
    assert_eq!(causes, expected);
    assert_eq!(slice.state.balance().micros(), 100_000_000 - 200_000_000 - 400_000);
}

/// Euros in days that begin at midnight, pounds in hours.
fn two_tracks(decision: &str) -> Slice {
    let mut config = financed(POINTS);
    config.tracks[0].granularity = Granularity::D1;
    config.tracks.push(track("GBP/USD", Granularity::H1));
    let days = both_from(at("2024-01-23T00:00:00Z"), Granularity::D1, 20, &[[110_000; 4]; 3]);
    let hours = both_from(at("2024-01-23T00:00:00Z"), Granularity::H1, 20, &[[125_000; 4]; 72]);
    run_series(
        &compiled(&format!("if data.close > 1.2:\n    {decision}\nreturn {{}}")),
        &config,
        &[&days, &hours],
        &[],
    )
}

#[test]
fn a_bar_that_reaches_over_1700_rolls_its_own_track_alone() {
    // Pounds from one to ten o'clock: they see no rollover.
    let slice = two_tracks(
        "if data.index == 0:\n        return buy(units=10000)\n    if data.index == 9:\n        return close()",
    );
    assert_eq!(days(&slice), []);
    // Held, they pay at each, with the price of its hour.
    let slice = two_tracks("if data.index == 0:\n        return buy(units=10000)");
    assert_eq!(days(&slice), [(1, -800_000), (3, -2_400_000), (1, -800_000)]);
    let equity_at =
        |time: UnixNanos| slice.equity[slice.equity_times.iter().position(|known| *known == time).unwrap()];
    let (before, after) = (equity_at(at("2024-01-23T21:00:00Z")), equity_at(at("2024-01-23T22:00:00Z")));
    assert_eq!(before - after, 800_000);
}

#[test]
fn a_fill_at_the_close_precedes_the_rollover_that_another_track_comes_to_first() {
    let mut config = RunConfig { fill: FillTime::Close, ..financed(POINTS) };
    config.tracks.push(track("GBP/USD", Granularity::H1));
    let euro = hours("2024-01-24T19:00:00Z", "2024-01-25T02:00:00Z");
    let pound = both_from(at("2024-01-24T19:00:00Z"), Granularity::H1, 20, &[[125_000; 4]; 7]);
    let body = "if data.close > 1.2:\n    if data.index == 0:\n        return buy(units=10000)\n    if data.index == 2:\n        return close()\nreturn {}";
    let slice = run_series(&compiled(body), &config, &[&euro, &pound], &[]);
    assert_eq!((slice.trades.len(), days(&slice)), (1, vec![]));
    let body = body
        .replace("index == 0", "index == 2")
        .replace("index == 2:\n        return close", "index == 9:\n        return close");
    let slice = run_series(&compiled(&body), &config, &[&euro, &pound], &[]);
    assert_eq!(days(&slice), [(3, -2_400_000)]);
}
