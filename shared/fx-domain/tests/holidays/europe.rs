//! TARGET, London, Zurich.

use crate::rule::{Holidays, Shift};
use jiff::civil::date;

/// Closing days of TARGET: fixed days, never moved.
pub(crate) fn target(year: i16, days: &mut Holidays) {
    days.on(date(year, 1, 1), "New Year's Day");
    days.easter(year, -2, "Good Friday");
    days.easter(year, 1, "Easter Monday");
    days.on(date(year, 5, 1), "Labour Day");
    days.on(date(year, 12, 25), "Christmas Day");
    days.on(date(year, 12, 26), "Christmas Holiday");
    if year == 2001 {
        days.on(date(2001, 12, 31), "Changeover to euro cash");
    }
}

/// Bank holidays of England and Wales, and those proclaimed once.
pub(crate) fn england_and_wales(year: i16, days: &mut Holidays) {
    days.fixed(date(year, 1, 1), Shift::ToMonday, "New Year's Day");
    days.easter(year, -2, "Good Friday");
    days.easter(year, 1, "Easter Monday");
    match year {
        2020 => days.on(date(2020, 5, 8), "Early May bank holiday (VE Day)"),
        _ => days.monday(year, 5, 1, "Early May bank holiday"),
    }
    // Moved to meet a jubilee.
    match year {
        2002 => days.on(date(2002, 6, 4), "Spring bank holiday"),
        2012 => days.on(date(2012, 6, 4), "Spring bank holiday"),
        2022 => days.on(date(2022, 6, 2), "Spring bank holiday"),
        _ => days.monday(year, 5, -1, "Spring bank holiday"),
    }
    days.monday(year, 8, -1, "Summer bank holiday");
    days.fixed(date(year, 12, 25), Shift::TwoDaysOn, "Christmas Day");
    days.fixed(date(year, 12, 26), Shift::TwoDaysOn, "Boxing Day");
    for (day, name) in [
        (date(2002, 6, 3), "Golden Jubilee"),
        (date(2011, 4, 29), "Royal wedding"),
        (date(2012, 6, 5), "Diamond Jubilee"),
        (date(2022, 6, 3), "Platinum Jubilee"),
        (date(2022, 9, 19), "State Funeral of Queen Elizabeth II"),
        (date(2023, 5, 8), "Coronation of King Charles III"),
    ] {
        if day.year() == year {
            days.on(day, name);
        }
    }
}

/// Closing days of Swiss Interbank Clearing: fixed days, never moved.
pub(crate) fn switzerland(year: i16, days: &mut Holidays) {
    days.on(date(year, 1, 1), "New Year's Day");
    days.on(date(year, 1, 2), "Berchtold's Day");
    days.easter(year, -2, "Good Friday");
    days.easter(year, 1, "Easter Monday");
    days.easter(year, 39, "Ascension Day");
    days.on(date(year, 5, 1), "Labour Day");
    days.easter(year, 50, "Whit Monday");
    days.on(date(year, 8, 1), "National Day");
    days.on(date(year, 12, 25), "Christmas Day");
    days.on(date(year, 12, 26), "St. Stephen's Day");
}
