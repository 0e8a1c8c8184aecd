//! Tokyo, Sydney, Wellington.

use crate::rule::{Holidays, Shift, nth_weekday};
use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};
use std::collections::BTreeMap;

/// National holidays of Japan (Act on National Holidays), and the days on which its banks close besides (Banking Act):
/// 31 December to 3 January.
pub(crate) fn japan(year: i16, days: &mut Holidays) {
    let mut national: BTreeMap<Date, &'static str> = japan_named(year).into_iter().collect();
    let named = national.clone();
    for day in named.keys().filter(|day| day.weekday() == Weekday::Sunday) {
        let mut substitute = *day + 1.days();
        // Since 2007 a substitute moves past further holidays; before, such a day was simply lost.
        while year >= 2007 && named.contains_key(&substitute) {
            substitute += 1.days();
        }
        national.entry(substitute).or_insert("Substitute holiday");
    }
    // A day between two holidays is one.
    for day in named.keys() {
        let between = *day + 1.days();
        if named.contains_key(&(*day + 2.days())) && between.weekday() != Weekday::Sunday {
            national.entry(between).or_insert("Citizens' holiday");
        }
    }
    national.iter().for_each(|(day, name)| days.on(*day, name));
    for (month, day) in [(1, 2), (1, 3), (12, 31)] {
        days.on(date(year, month, day), "Bank holiday");
    }
}

/// The named holidays, wherever in the week they fall.
fn japan_named(year: i16) -> Vec<(Date, &'static str)> {
    let monday = |month, nth| nth_weekday(year, month, nth, Weekday::Monday);
    let on = |month, day| date(year, month, day);
    // The Olympic years moved three days to the ends of the games.
    let (marine, sports, mountain) = match year {
        2020 => (on(7, 23), on(7, 24), on(8, 10)),
        2021 => (on(7, 22), on(7, 23), on(8, 8)),
        _ => (if year >= 2003 { monday(7, 3) } else { on(7, 20) }, monday(10, 2), on(8, 11)),
    };
    let (vernal, autumnal) = equinoxes(year);
    let mut named = vec![
        (on(1, 1), "New Year's Day"),
        (monday(1, 2), "Coming of Age Day"),
        (on(2, 11), "National Foundation Day"),
        (vernal, "Vernal Equinox Day"),
        (on(4, 29), if year >= 2007 { "Showa Day" } else { "Greenery Day" }),
        (on(5, 3), "Constitution Day"),
        (on(5, 5), "Children's Day"),
        (marine, "Marine Day"),
        (if year >= 2003 { monday(9, 3) } else { on(9, 15) }, "Respect for the Aged Day"),
        (autumnal, "Autumnal Equinox Day"),
        (sports, if year >= 2020 { "Sports Day" } else { "Health and Sports Day" }),
        (on(11, 3), "Culture Day"),
        (on(11, 23), "Labour Thanksgiving Day"),
    ];
    if year >= 2007 {
        named.push((on(5, 4), "Greenery Day"));
    }
    if year >= 2016 {
        named.push((mountain, "Mountain Day"));
    }
    if year == 2019 {
        named.push((on(5, 1), "Accession of the Emperor"));
        named.push((on(10, 22), "Enthronement of the Emperor"));
    } else {
        let birthday = if year >= 2020 { on(2, 23) } else { on(12, 23) };
        named.push((birthday, "Emperor's Birthday"));
    }
    named
}

/// Days of the equinoxes in Japan, 1980 to 2099, by the usual approximation (Shinkyo Hoshizaki). The government
/// announces them in February of the year before.
fn equinoxes(year: i16) -> (Date, Date) {
    let since = f64::from(year - 1980);
    let day = |base: f64| (base + 0.242_194 * since - (since / 4.0).floor()).floor() as i8;
    (date(year, 3, day(20.8431)), date(year, 9, day(23.2488)))
}

/// Public and bank holidays of Sydney.
pub(crate) fn new_south_wales(year: i16, days: &mut Holidays) {
    days.fixed(date(year, 1, 1), Shift::ToMonday, "New Year's Day");
    days.fixed(date(year, 1, 26), Shift::ToMonday, "Australia Day");
    days.easter(year, -2, "Good Friday");
    days.easter(year, 1, "Easter Monday");
    // A Sunday moved until the Public Holidays Act 2010; a further day was declared for 2026 and 2027.
    let anzac = match year {
        ..=2010 => Shift::SundayToMonday,
        2026 | 2027 => Shift::ToMonday,
        _ => Shift::No,
    };
    days.fixed(date(year, 4, 25), anzac, "Anzac Day");
    days.monday(year, 6, 2, "Sovereign's Birthday");
    days.monday(year, 8, 1, "Bank Holiday");
    if year == 2022 {
        days.on(date(2022, 9, 22), "National Day of Mourning");
    }
    days.monday(year, 10, 1, "Labour Day");
    days.fixed(date(year, 12, 25), Shift::TwoDaysOn, "Christmas Day");
    days.fixed(date(year, 12, 26), Shift::TwoDaysOn, "Boxing Day");
}

/// Matariki, from the schedule of Te Kāhui o Matariki Public Holiday Act 2022.
const MATARIKI: [(i16, i8, i8); 19] = [
    (2022, 6, 24),
    (2023, 7, 14),
    (2024, 6, 28),
    (2025, 6, 20),
    (2026, 7, 10),
    (2027, 6, 25),
    (2028, 7, 14),
    (2029, 7, 6),
    (2030, 6, 21),
    (2031, 7, 11),
    (2032, 7, 2),
    (2033, 6, 24),
    (2034, 7, 7),
    (2035, 6, 29),
    (2036, 7, 18),
    (2037, 7, 10),
    (2038, 6, 25),
    (2039, 7, 15),
    (2040, 7, 6),
];

/// National holidays of New Zealand, without the anniversary days of its regions.
pub(crate) fn new_zealand(year: i16, days: &mut Holidays) {
    days.fixed(date(year, 1, 1), Shift::TwoDaysOn, "New Year's Day");
    days.fixed(date(year, 1, 2), Shift::TwoDaysOn, "Day after New Year's Day");
    // Waitangi and Anzac Day move off weekends since 2014.
    let memorial = if year >= 2014 { Shift::ToMonday } else { Shift::No };
    days.fixed(date(year, 2, 6), memorial, "Waitangi Day");
    days.easter(year, -2, "Good Friday");
    days.easter(year, 1, "Easter Monday");
    days.fixed(date(year, 4, 25), memorial, "Anzac Day");
    days.monday(year, 6, 1, "Sovereign's Birthday");
    for (_, month, day) in MATARIKI.iter().filter(|(of, ..)| *of == year) {
        days.on(date(year, *month, *day), "Matariki");
    }
    if year == 2022 {
        days.on(date(2022, 9, 26), "Queen Elizabeth II Memorial Day");
    }
    days.monday(year, 10, 4, "Labour Day");
    days.fixed(date(year, 12, 25), Shift::TwoDaysOn, "Christmas Day");
    days.fixed(date(year, 12, 26), Shift::TwoDaysOn, "Boxing Day");
}
