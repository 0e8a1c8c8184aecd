//! What holiday laws are made of.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};
use std::collections::BTreeMap;

/// Weekday holidays, by date. A day keeps the first name that it was given.
#[derive(Default)]
pub(crate) struct Holidays(BTreeMap<Date, &'static str>);

/// Where a fixed day goes when it falls on a weekend.
#[derive(Clone, Copy)]
pub(crate) enum Shift {
    /// Nowhere: it is lost.
    No,
    /// A Sunday to Monday; a Saturday is lost.
    SundayToMonday,
    /// To Monday.
    ToMonday,
    /// A Saturday to Monday, a Sunday to Tuesday: two holidays in a row (25 and 26 December, 1 and 2 January) move so
    /// that neither falls on the other.
    TwoDaysOn,
}

impl Holidays {
    /// A holiday on exactly this date.
    pub(crate) fn on(&mut self, day: Date, name: &'static str) {
        if !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            self.0.entry(day).or_insert(name);
        }
    }

    /// A holiday on this date, moved off a weekend by `shift`.
    pub(crate) fn fixed(&mut self, day: Date, shift: Shift, name: &'static str) {
        let days = match (shift, day.weekday()) {
            (Shift::SundayToMonday | Shift::ToMonday, Weekday::Sunday) => 1,
            (Shift::ToMonday | Shift::TwoDaysOn, Weekday::Saturday) => 2,
            (Shift::TwoDaysOn, Weekday::Sunday) => 2,
            _ => 0,
        };
        self.on(day + days.days(), name);
    }

    /// The `nth` Monday of a month, from its end when negative.
    pub(crate) fn monday(&mut self, year: i16, month: i8, nth: i8, name: &'static str) {
        self.on(nth_weekday(year, month, nth, Weekday::Monday), name);
    }

    /// Days after Easter Sunday.
    pub(crate) fn easter(&mut self, year: i16, days: i64, name: &'static str) {
        self.on(easter(year) + days.days(), name);
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(day, name)| format!("{day},{name}"))
    }
}

/// The `nth` such weekday of a month, from its end when negative.
pub(crate) fn nth_weekday(year: i16, month: i8, nth: i8, weekday: Weekday) -> Date {
    date(year, month, 1).nth_weekday_of_month(nth, weekday).unwrap()
}

/// Easter Sunday of the Gregorian calendar: the anonymous algorithm, as in J. Meeus, Astronomical Algorithms, ch. 8.
pub(crate) fn easter(year: i16) -> Date {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    date(year, (n / 31) as i8, (n % 31 + 1) as i8)
}

#[test]
fn easter_is_where_the_almanacs_have_it() {
    let known = [(2000, 4, 23), (2008, 3, 23), (2011, 4, 24), (2024, 3, 31), (2035, 3, 25), (2038, 4, 25)];
    for (year, month, day) in known {
        assert_eq!(easter(year), date(year, month, day));
    }
}
