//! Days on which payments in a currency do not settle.

use crate::{Currency, Digest, DigestBuilder};
use jiff::civil::{Date, Weekday};
use std::ops::RangeInclusive;
use std::sync::LazyLock;

/// The lists in the binary. Each file opens with the source of its days.
const LISTS: [(&str, &str); 9] = [
    ("AUD", include_str!("../../data/holidays/AUD.csv")),
    ("CAD", include_str!("../../data/holidays/CAD.csv")),
    ("CHF", include_str!("../../data/holidays/CHF.csv")),
    ("EUR", include_str!("../../data/holidays/EUR.csv")),
    ("GBP", include_str!("../../data/holidays/GBP.csv")),
    ("JPY", include_str!("../../data/holidays/JPY.csv")),
    ("MXN", include_str!("../../data/holidays/MXN.csv")),
    ("NZD", include_str!("../../data/holidays/NZD.csv")),
    ("USD", include_str!("../../data/holidays/USD.csv")),
];

/// One list of holidays per currency, ascending, in the order of [`Currency::all`]; empty where there is no list.
static HOLIDAYS: LazyLock<Vec<Vec<Date>>> = LazyLock::new(|| Currency::all().map(listed_holidays).collect());

/// Whether payments in `currency` settle on `date`: not a weekend, and not in the currency's list of holidays.
///
/// A currency without a list ([`has_calendar`]) and a year outside it ([`calendar_years`]) have weekends only.
#[must_use]
pub fn is_business_day(currency: Currency, date: Date) -> bool {
    !is_weekend(date) && holidays(currency).binary_search(&date).is_err()
}

/// Whether holidays of `currency` are known at all. Rollovers of a pair with a currency whose holidays are not known
/// follow weekends, and the holidays of the other currency and of New York.
#[must_use]
pub fn has_calendar(currency: Currency) -> bool {
    !holidays(currency).is_empty()
}

/// The years whose holidays of `currency` are known, `None` without any.
#[must_use]
pub fn calendar_years(currency: Currency) -> Option<RangeInclusive<i16>> {
    // Every list has a weekday holiday in every year, so its ends say which years it covers.
    let holidays = holidays(currency);
    Some(holidays.first()?.year()..=holidays.last()?.year())
}

/// The identity of all the lists: a result that rolls positions over depends on it.
#[must_use]
pub fn calendar_digest() -> Digest {
    let start = DigestBuilder::new("holidays");
    LISTS.iter().fold(start, |all, (code, list)| all.part(code.as_bytes()).part(list.as_bytes())).finish()
}

pub(crate) fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn holidays(currency: Currency) -> &'static [Date] {
    HOLIDAYS.get(currency.index()).map_or(&[], Vec::as_slice)
}

fn listed_holidays(currency: Currency) -> Vec<Date> {
    let list = LISTS.iter().find(|(code, _)| *code == currency.code()).map_or("", |(_, list)| *list);
    let days: Vec<Date> =
        list.lines().filter(|line| !line.starts_with('#')).skip(1).filter_map(parse_day).collect();
    assert!(days.is_sorted_by(|a, b| a < b), "the holidays of {currency} are not in order");
    days
}

/// The date of a line `date,name`.
fn parse_day(line: &str) -> Option<Date> {
    let day = line.split(',').next().and_then(|date| date.parse().ok());
    assert!(day.is_some(), "`{line}` is not a line of a list of holidays");
    day
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn the_majors_and_the_peso_have_lists_through_2040() {
        for code in ["AUD", "CAD", "CHF", "EUR", "GBP", "JPY", "NZD", "USD"] {
            assert_eq!(calendar_years(currency(code)), Some(2000..=2040), "{code}");
        }
        assert_eq!(calendar_years(currency("MXN")), Some(2007..=2040));
        let listed = Currency::all().filter(|currency| has_calendar(*currency)).count();
        assert_eq!(listed, LISTS.len());
    }

    #[test]
    fn a_currency_without_a_list_has_weekends_only() {
        let lira = currency("TRY");
        assert!(!has_calendar(lira) && calendar_years(lira).is_none());
        assert!(is_business_day(lira, date(2024, 1, 1)));
        assert!(!is_business_day(lira, date(2024, 1, 6)) && !is_business_day(lira, date(2024, 1, 7)));
        assert!(is_business_day(Currency::USD, date(2041, 12, 25)), "a year outside the list");
    }

    #[test]
    fn a_holiday_closes_its_own_currency_only() {
        let thanksgiving = date(2024, 11, 28);
        assert!(!is_business_day(Currency::USD, thanksgiving));
        assert!(is_business_day(Currency::EUR, thanksgiving));
        assert!(!is_business_day(Currency::EUR, date(2024, 5, 1)));
        assert!(is_business_day(Currency::USD, date(2024, 5, 1)));
    }

    #[test]
    fn one_off_days_are_listed_and_days_of_mourning_in_washington_are_not() {
        for (code, closed) in [
            ("GBP", date(2002, 6, 4)),
            ("GBP", date(2011, 4, 29)),
            ("GBP", date(2020, 5, 8)),
            ("GBP", date(2022, 9, 19)),
            ("JPY", date(2019, 5, 1)),
            ("JPY", date(2020, 7, 24)),
            ("AUD", date(2022, 9, 22)),
            ("NZD", date(2022, 6, 24)),
            ("NZD", date(2022, 9, 26)),
            ("EUR", date(2001, 12, 31)),
            ("USD", date(2022, 6, 20)),
        ] {
            assert!(!is_business_day(currency(code), closed), "{code} {closed}");
        }
        for (code, open) in [
            ("GBP", date(2020, 5, 4)),
            ("GBP", date(2022, 5, 30)),
            ("JPY", date(2020, 10, 12)),
            ("USD", date(2004, 6, 11)),
            ("USD", date(2018, 12, 5)),
            ("USD", date(2021, 6, 18)),
            ("USD", date(2021, 12, 31)),
        ] {
            assert!(is_business_day(currency(code), open), "{code} {open}");
        }
    }
}
