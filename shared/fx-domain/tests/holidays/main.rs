//! The lists of holidays are what the laws say: each file in `data/holidays` is held, day by day, to rules written from
//! the laws and from the calendars of the settlement systems.

#![allow(clippy::unwrap_used)]

mod americas;
mod asia_pacific;
mod europe;
mod rule;

use rule::Holidays;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// The years of the lists. The peso's bank holidays have had one rule since 2007.
const YEARS: RangeInclusive<i16> = 2000..=2040;
const PESO_YEARS: RangeInclusive<i16> = 2007..=2040;

fn hold(file: &str, years: RangeInclusive<i16>, rule: fn(i16, &mut Holidays)) {
    let mut holidays = Holidays::default();
    years.for_each(|year| rule(year, &mut holidays));
    let ruled: BTreeSet<String> = holidays.lines().collect();
    let lines = || file.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(lines().next(), Some("date,name"));
    let listed: BTreeSet<String> = lines().skip(1).map(str::to_owned).collect();
    assert!(lines().skip(1).is_sorted(), "the list is not in order");
    assert!(file.starts_with("# ") && file.contains("\n# Source: "), "the list does not name its source");
    let (missing, surplus): (Vec<_>, Vec<_>) =
        (ruled.difference(&listed).collect(), listed.difference(&ruled).collect());
    assert!(missing.is_empty() && surplus.is_empty(), "missing {missing:#?}, surplus {surplus:#?}");
}

macro_rules! lists {
    ($($name:ident: $code:literal, $years:expr, $rule:path;)*) => {
        $(#[test]
        fn $name() {
            hold(include_str!(concat!("../../data/holidays/", $code, ".csv")), $years, $rule);
        })*
    };
}

lists! {
    the_us_dollar_follows_the_federal_reserve: "USD", YEARS, americas::federal_reserve;
    the_canadian_dollar_follows_the_banks_of_toronto: "CAD", YEARS, americas::toronto;
    the_peso_follows_the_banking_commission: "MXN", PESO_YEARS, americas::mexico;
    the_euro_follows_target: "EUR", YEARS, europe::target;
    the_pound_follows_england_and_wales: "GBP", YEARS, europe::england_and_wales;
    the_franc_follows_swiss_interbank_clearing: "CHF", YEARS, europe::switzerland;
    the_yen_follows_the_bank_of_japan: "JPY", YEARS, asia_pacific::japan;
    the_australian_dollar_follows_sydney: "AUD", YEARS, asia_pacific::new_south_wales;
    the_new_zealand_dollar_follows_the_national_holidays: "NZD", YEARS, asia_pacific::new_zealand;
}
