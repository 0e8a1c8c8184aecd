//! New York, Toronto, Mexico City.

use crate::rule::{Holidays, Shift, nth_weekday};
use jiff::civil::{Weekday, date};

/// Federal Reserve Banks: holidays on a Sunday are observed on Monday; for holidays on a Saturday the banks are open on
/// the Friday before.
pub(crate) fn federal_reserve(year: i16, days: &mut Holidays) {
    let fixed = |days: &mut Holidays, month, day, name| {
        days.fixed(date(year, month, day), Shift::SundayToMonday, name);
    };
    fixed(days, 1, 1, "New Year's Day");
    days.monday(year, 1, 3, "Martin Luther King Jr. Day");
    days.monday(year, 2, 3, "Washington's Birthday");
    days.monday(year, 5, -1, "Memorial Day");
    if year >= 2022 {
        fixed(days, 6, 19, "Juneteenth");
    }
    fixed(days, 7, 4, "Independence Day");
    days.monday(year, 9, 1, "Labor Day");
    days.monday(year, 10, 2, "Columbus Day");
    fixed(days, 11, 11, "Veterans Day");
    days.on(nth_weekday(year, 11, 4, Weekday::Thursday), "Thanksgiving Day");
    fixed(days, 12, 25, "Christmas Day");
}

/// Banks in Toronto: federal holidays and those of Ontario.
pub(crate) fn toronto(year: i16, days: &mut Holidays) {
    let fixed = |days: &mut Holidays, month, day, name| {
        days.fixed(date(year, month, day), Shift::ToMonday, name);
    };
    fixed(days, 1, 1, "New Year's Day");
    if year >= 2008 {
        days.monday(year, 2, 3, "Family Day");
    }
    days.easter(year, -2, "Good Friday");
    // The last Monday before 25 May.
    days.on(date(year, 5, 25).nth_weekday(-1, Weekday::Monday).unwrap(), "Victoria Day");
    fixed(days, 7, 1, "Canada Day");
    days.monday(year, 8, 1, "Civic Holiday");
    days.monday(year, 9, 1, "Labour Day");
    if year >= 2021 {
        fixed(days, 9, 30, "National Day for Truth and Reconciliation");
    }
    days.monday(year, 10, 2, "Thanksgiving");
    fixed(days, 11, 11, "Remembrance Day");
    days.fixed(date(year, 12, 25), Shift::TwoDaysOn, "Christmas Day");
    days.fixed(date(year, 12, 26), Shift::TwoDaysOn, "Boxing Day");
}

/// Days on which the banking commission (CNBV) closes the banks of Mexico.
pub(crate) fn mexico(year: i16, days: &mut Holidays) {
    days.on(date(year, 1, 1), "New Year's Day");
    days.monday(year, 2, 1, "Constitution Day");
    days.monday(year, 3, 3, "Birthday of Benito Juárez");
    days.easter(year, -3, "Maundy Thursday");
    days.easter(year, -2, "Good Friday");
    days.on(date(year, 5, 1), "Labour Day");
    days.on(date(year, 9, 16), "Independence Day");
    // The president takes office every sixth year, since 2024 on 1 October.
    if year % 6 == 2 {
        let (month, day) = if year >= 2024 { (10, 1) } else { (12, 1) };
        days.on(date(year, month, day), "Transfer of the Federal Executive");
    }
    days.on(date(year, 11, 2), "All Souls' Day");
    days.monday(year, 11, 3, "Revolution Day");
    days.on(date(year, 12, 12), "Bank Employees' Day");
    days.on(date(year, 12, 25), "Christmas Day");
}
