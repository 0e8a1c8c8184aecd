//! Business days, value dates and rollovers of spot foreign exchange.
//!
//! A spot trade settles on its **value date**. The trading day turns at 17:00 New York, Monday to Friday: there a
//! position that stays open is carried from the value date of the day that ends to the value date of the day that
//! begins, and is financed for the days between the two.
//!
//! The convention of the interbank market (I. J. Clark, *Foreign Exchange Option Pricing*, ch. 1; the rules are also
//! at londonfx.co.uk/valdates.html):
//! - A trade date is a weekday. A holiday on it does not matter.
//! - Two-day pairs: the first day after the trade date on which every currency of the pair except USD settles is the
//!   day between. The value date is the first day after it on which both currencies **and USD** settle, crosses
//!   included. A holiday in New York on the day between does not matter, except for the pairs of currencies that
//!   count it ([Mexico and Brazil](self::value_date)).
//! - One-day pairs ([`SettlementLag::OneDay`]): the first day after the trade date on which both currencies and USD
//!   settle.
//!
//! Not modelled: NZD/USD turning at 07:00 Auckland (retail brokers roll it with the others at 17:00 New York), and the
//! split settlement of currencies whose weekend is not Saturday and Sunday.

mod holidays;

pub(crate) use holidays::is_weekend;
pub use holidays::{calendar_digest, calendar_years, has_calendar, is_business_day};

use crate::{Currency, Instrument, SettlementLag, UnixNanos};
use jiff::civil::Date;

/// Days in a row on which a search for a business day goes on. The longest closure of the lists is ten days.
const CLOSED_DAYS_MAX: usize = 31;

/// Currencies whose pairs count a holiday in New York on the day between trade date and value date. The convention
/// names ARS, CLP and MXN, and the rest of Latin America follows; these are the ones of them that the platform trades.
const COUNT_NEW_YORK_BETWEEN: [&str; 2] = ["BRL", "MXN"];

const SECONDS_PER_DAY: i64 = 86_400;

/// The first rollover, 17:00 New York on a Monday to Friday, strictly after `at`. The end of time where none is left.
#[must_use]
pub fn next_roll_after(at: UnixNanos) -> UnixNanos {
    UnixNanos::end_of_trading_day(first_weekday_from(at.trading_day()))
}

/// The first rollover at or after `at`.
#[must_use]
pub fn next_roll_at_or_after(at: UnixNanos) -> UnixNanos {
    next_roll_after(at.plus_nanos(-1))
}

/// Days between the value dates before and after the rollover at `rollover`: the days for which a position that is
/// held over it is financed. 0 where both trading days have the same value date, and where the instant is no rollover
/// (not 17:00 New York, or a Saturday or Sunday).
///
/// Without holidays two-day pairs have 3 on Wednesday, one-day pairs 3 on Thursday, 1 on the other days. Over any span
/// the days sum to the difference of the value dates at its ends.
#[must_use]
pub fn roll_days(instrument: &Instrument, rollover: UnixNanos) -> u32 {
    let Some(ends) = trading_day_ending_at(rollover) else { return 0 };
    let begins = first_weekday_from(tomorrow(ends));
    let (before, after) = (value_date(instrument, ends), value_date(instrument, begins));
    let days = after.duration_since(before).as_secs() / SECONDS_PER_DAY;
    // Value dates never go back, so nothing is lost here.
    u32::try_from(days).unwrap_or(0)
}

/// The trading day, Monday to Friday, that ends exactly at `rollover`; `None` where the instant is no rollover.
#[must_use]
pub fn trading_day_ending_at(rollover: UnixNanos) -> Option<Date> {
    let day = rollover.plus_nanos(-1).trading_day();
    (!is_weekend(day) && UnixNanos::end_of_trading_day(day) == rollover).then_some(day)
}

/// The day on which a trade of the trading day `trade_date` settles, by the rules at the head of this module. A trade
/// date on a weekend has the value date of the Friday before.
///
/// Pairs with BRL or MXN count a holiday in New York on the day between.
#[must_use]
pub fn value_date(instrument: &Instrument, trade_date: Date) -> Date {
    let pair = [instrument.base(), instrument.quote()];
    let settles =
        |date| is_business_day(Currency::USD, date) && pair.iter().all(|c| is_business_day(*c, date));
    match instrument.settlement_lag() {
        SettlementLag::OneDay => first_day_after(trade_date, settles),
        SettlementLag::TwoDays => {
            let counts_new_york = pair.iter().any(|c| COUNT_NEW_YORK_BETWEEN.contains(&c.code()));
            let is_between = |date| {
                let matters = |currency: &&Currency| **currency != Currency::USD;
                pair.iter().filter(matters).all(|currency| is_business_day(*currency, date))
                    && (!counts_new_york || is_business_day(Currency::USD, date))
            };
            first_day_after(first_day_after(trade_date, is_between), settles)
        }
    }
}

fn first_day_after(date: Date, is_good: impl Fn(Date) -> bool) -> Date {
    let mut day = tomorrow(date);
    for _ in 0..CLOSED_DAYS_MAX {
        if is_good(day) {
            break;
        }
        day = tomorrow(day);
    }
    day
}

pub(crate) fn first_weekday_from(date: Date) -> Date {
    if is_weekend(date) { first_day_after(date, |day| !is_weekend(day)) } else { date }
}

/// The day after, which the last day of the year 9999 does not have.
fn tomorrow(date: Date) -> Date {
    date.tomorrow().unwrap_or(date)
}

#[cfg(test)]
mod tests;
