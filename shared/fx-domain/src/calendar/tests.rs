//! Dates in these tests were counted by hand from the convention and the holidays named beside them.

use super::*;
use crate::NANOS_PER_DAY;
use jiff::ToSpan;
use jiff::civil::{Weekday, date};
use proptest::prelude::*;

fn pair(text: &str) -> Instrument {
    Instrument::parse(text).unwrap()
}

fn at(text: &str) -> UnixNanos {
    UnixNanos::parse(text).unwrap()
}

/// The rollover that ends the trading day.
fn roll_of(day: Date) -> UnixNanos {
    UnixNanos::end_of_trading_day(day)
}

/// Days of the rollovers that end `count` trading days from `first` on.
fn week(instrument: &str, first: Date, count: usize) -> Vec<u32> {
    let days = first.series(1.day()).filter(|day| !is_weekend(*day)).take(count);
    days.map(|day| roll_days(&pair(instrument), roll_of(day))).collect()
}

#[test]
fn rollovers_are_at_2200z_in_winter_and_2100z_in_summer_on_weekdays() {
    let rolls = |from: &str, count: usize| -> Vec<String> {
        let next = |roll: &UnixNanos| Some(next_roll_after(*roll));
        let rolls = std::iter::successors(Some(next_roll_after(at(from))), next);
        rolls.take(count).map(|roll| roll.to_string()).collect()
    };
    // New York's clocks change on Sunday 10 March and on Sunday 3 November 2024.
    assert_eq!(
        rolls("2024-03-07T21:59:59Z", 4),
        ["2024-03-07T22:00:00Z", "2024-03-08T22:00:00Z", "2024-03-11T21:00:00Z", "2024-03-12T21:00:00Z"]
    );
    assert_eq!(
        rolls("2024-10-31T20:59:59Z", 4),
        ["2024-10-31T21:00:00Z", "2024-11-01T21:00:00Z", "2024-11-04T22:00:00Z", "2024-11-05T22:00:00Z"]
    );
}

#[test]
fn strictly_after_and_at_or_after_differ_at_the_instant_itself() {
    let roll = at("2024-03-08T22:00:00Z");
    assert_eq!(next_roll_after(roll.plus_nanos(-1)), roll);
    assert_eq!(next_roll_after(roll), at("2024-03-11T21:00:00Z"));
    assert_eq!(next_roll_at_or_after(roll), roll);
    assert_eq!(next_roll_at_or_after(roll.plus_nanos(1)), at("2024-03-11T21:00:00Z"));
    assert_eq!(next_roll_after(UnixNanos::new(i64::MAX)), UnixNanos::new(i64::MAX));
}

#[test]
fn a_week_without_holidays_is_tripled_on_wednesday_or_thursday() {
    let monday = date(2024, 6, 3);
    for two_days in ["EUR/USD", "USD/JPY", "GBP/CHF", "EUR/CAD", "USD/MXN"] {
        assert_eq!(week(two_days, monday, 5), [1, 1, 3, 1, 1], "{two_days}");
    }
    for one_day in ["USD/CAD", "USD/TRY", "USD/PHP"] {
        assert_eq!(week(one_day, monday, 5), [1, 1, 1, 3, 1], "{one_day}");
    }
}

#[test]
fn the_weeks_around_a_change_of_the_clocks_are_ordinary() {
    for first in [date(2024, 3, 4), date(2024, 3, 11), date(2024, 10, 28)] {
        assert_eq!(week("EUR/USD", first, 5), [1, 1, 3, 1, 1], "{first}");
    }
    // An hour beside the rollover is none: the clocks of the other half of the year do not count.
    assert_eq!(roll_days(&pair("EUR/USD"), at("2024-03-08T21:00:00Z")), 0);
    assert_eq!(roll_days(&pair("EUR/USD"), at("2024-03-11T22:00:00Z")), 0);
}

#[test]
fn saturday_and_sunday_have_no_rollover() {
    for weekend in ["2024-06-08T21:00:00Z", "2024-06-09T21:00:00Z"] {
        assert_eq!(roll_days(&pair("EUR/USD"), at(weekend)), 0);
        assert_eq!(trading_day_ending_at(at(weekend)), None);
    }
    assert_eq!(trading_day_ending_at(at("2024-06-07T21:00:00Z")), Some(date(2024, 6, 7)));
    assert_eq!(trading_day_ending_at(at("2024-06-07T21:00:00.000000001Z")), None);
}

#[test]
fn a_weekend_trade_date_has_the_value_date_of_friday() {
    let value = |day| value_date(&pair("EUR/USD"), day);
    assert_eq!(value(date(2024, 6, 7)), date(2024, 6, 11));
    assert_eq!(value(date(2024, 6, 8)), value(date(2024, 6, 7)));
    assert_eq!(value(date(2024, 6, 9)), value(date(2024, 6, 7)));
}

#[test]
fn christmas_and_new_year_carry_the_euro_over_its_holidays() {
    // Closed: 25 December both, 26 December EUR, 1 January both.
    let values: Vec<Date> = (19..=31)
        .map(|day| date(2024, 12, day))
        .filter(|day| !is_weekend(*day))
        .map(|day| value_date(&pair("EUR/USD"), day))
        .collect();
    let december = |day| date(2024, 12, day);
    let expected = [
        december(23),     // Thursday 19
        december(24),     // Friday 20
        december(27),     // Monday 23: Tuesday between, then 25 and 26 closed
        december(30),     // Tuesday 24: Friday 27 between
        december(30),     // Wednesday 25
        december(30),     // Thursday 26
        december(31),     // Friday 27
        date(2025, 1, 2), // Monday 30
        date(2025, 1, 3), // Tuesday 31: Thursday 2 between
    ];
    assert_eq!(values, expected);
    assert_eq!(week("EUR/USD", december(19), 8), [1, 3, 3, 0, 0, 1, 2, 1]);
}

#[test]
fn thanksgiving_does_not_count_between_but_is_no_value_date() {
    // Thursday 28 November 2024.
    let values = |text| [25, 26, 27, 28].map(|day| value_date(&pair(text), date(2024, 11, day)).day());
    assert_eq!(values("EUR/USD"), [27, 29, 29, 2]);
    assert_eq!(week("EUR/USD", date(2024, 11, 25), 5), [2, 0, 3, 1, 1]);
    // Crosses do not settle while New York is closed either, and do not count it between.
    assert_eq!(values("EUR/GBP"), [27, 29, 29, 2]);
    // The peso counts it between: Wednesday's trade has Friday between, and settles on Monday.
    assert_eq!(values("USD/MXN"), [27, 29, 2, 2]);
    // One day: Wednesday's trade settles on Friday.
    assert_eq!(values("USD/CAD"), [26, 27, 29, 29]);
    assert_eq!(week("USD/CAD", date(2024, 11, 25), 5), [1, 2, 0, 3, 1]);
}

#[test]
fn juneteenth_2023_between_did_not_move_the_euro() {
    // A trade of Friday 16 June 2023 settled on Tuesday 20 June, Monday being closed in New York
    // (quant.stackexchange.com, question 79295).
    assert_eq!(value_date(&pair("EUR/USD"), date(2023, 6, 16)), date(2023, 6, 20));
    assert_eq!(value_date(&pair("USD/MXN"), date(2023, 6, 16)), date(2023, 6, 21));
}

#[test]
fn a_holiday_on_monday_in_new_york_makes_wednesday_four_days() {
    // The example of a broker (support.equiti.com, how are swaps calculated), here on 15 January 2024.
    assert_eq!(week("EUR/USD", date(2024, 1, 8), 5), [1, 1, 4, 0, 1]);
}

#[test]
fn the_golden_week_of_2019_carries_the_yen_by_eleven_days() {
    // Tokyo was closed from Saturday 27 April to Monday 6 May 2019.
    let value = |month, day| value_date(&pair("USD/JPY"), date(2019, month, day));
    assert_eq!(value(4, 24), date(2019, 4, 26));
    assert_eq!(value(4, 25), date(2019, 5, 7));
    assert_eq!(value(4, 26), date(2019, 5, 8));
    assert_eq!(value(5, 3), date(2019, 5, 8));
    assert_eq!(value(5, 6), date(2019, 5, 8));
    assert_eq!(week("USD/JPY", date(2019, 4, 24), 9), [11, 1, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(week("EUR/USD", date(2019, 4, 24), 3), [3, 1, 2], "the euro knows 1 May only");
}

#[test]
fn easter_carries_the_euro_and_the_pound_over_four_days() {
    // Good Friday 29 March and Easter Monday 1 April 2024; New York is open on both.
    for text in ["EUR/USD", "GBP/USD", "EUR/GBP"] {
        let value = |month, day| value_date(&pair(text), date(2024, month, day));
        assert_eq!(value(3, 26), date(2024, 3, 28), "{text}");
        assert_eq!(value(3, 27), date(2024, 4, 2), "{text}");
        assert_eq!(value(3, 28), date(2024, 4, 3), "{text}");
        assert_eq!(value(4, 1), date(2024, 4, 3), "{text}");
        assert_eq!(week(text, date(2024, 3, 25), 7), [1, 5, 1, 0, 0, 1, 1], "{text}");
    }
    // Labour Day closes the euro, not the pound.
    assert_eq!(value_date(&pair("EUR/USD"), date(2024, 4, 29)), date(2024, 5, 2));
    assert_eq!(value_date(&pair("GBP/USD"), date(2024, 4, 29)), date(2024, 5, 1));
}

#[test]
fn a_search_for_a_business_day_ends_at_the_end_of_the_calendar() {
    assert_eq!(value_date(&pair("EUR/USD"), Date::MAX), Date::MAX);
}

fn any_pair() -> impl Strategy<Value = Instrument> {
    proptest::sample::select(Instrument::all().collect::<Vec<_>>())
}

/// Trade dates, some years on either side of the lists.
fn any_weekday() -> impl Strategy<Value = Date> {
    (0..60 * 365_i32)
        .prop_map(|days| date(1990, 1, 1) + days.days())
        .prop_filter("a trade date is a weekday", |day| !is_weekend(*day))
}

proptest! {
    #[test]
    fn days_over_any_span_sum_to_the_difference_of_the_value_dates(
        instrument in any_pair(), first in any_weekday(), count in 1_usize..150,
    ) {
        let rolls = std::iter::successors(Some(roll_of(first)), |roll| Some(next_roll_after(*roll)));
        let (mut sum, mut last) = (0_i64, first);
        for roll in rolls.take(count) {
            sum += i64::from(roll_days(&instrument, roll));
            last = first_weekday_from(tomorrow(trading_day_ending_at(roll).unwrap()));
        }
        let (from, to) = (value_date(&instrument, first), value_date(&instrument, last));
        prop_assert_eq!(sum, to.duration_since(from).as_secs() / SECONDS_PER_DAY);
    }

    #[test]
    fn value_dates_never_go_back_and_settle_everywhere(instrument in any_pair(), day in any_weekday()) {
        let value = value_date(&instrument, day);
        prop_assert!(value > day);
        prop_assert!(value <= value_date(&instrument, tomorrow(day)));
        for currency in [instrument.base(), instrument.quote(), Currency::USD] {
            prop_assert!(is_business_day(currency, value));
        }
    }

    #[test]
    fn the_next_rollover_is_the_first_one_after(nanos in -NANOS_PER_DAY * 9_000..NANOS_PER_DAY * 30_000) {
        let instant = UnixNanos::new(nanos);
        let roll = next_roll_after(instant);
        prop_assert!(roll > instant && roll.get() - nanos <= 3 * NANOS_PER_DAY + NANOS_PER_DAY / 24);
        prop_assert_eq!(next_roll_after(roll.plus_nanos(-1)), roll);
        let day = trading_day_ending_at(roll).unwrap();
        prop_assert!(roll_of(day) == roll && day.weekday() != Weekday::Saturday);
        if let Some(before) = (1..=3).map(|days| day - days.days()).find(|day| !is_weekend(*day)) {
            prop_assert!(roll_of(before) <= instant, "a rollover was passed over");
        }
    }
}
