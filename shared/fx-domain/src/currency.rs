//! Currencies by ISO 4217 code.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// One of the currencies that the platform trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(u8);

/// Code, and the decimals of one pip when the currency is the quote.
const TABLE: [(&str, u32); 31] = [
    ("AUD", 4),
    ("BRL", 4),
    ("CAD", 4),
    ("CHF", 4),
    ("CNH", 4),
    ("CZK", 4),
    ("DKK", 4),
    ("EUR", 4),
    ("GBP", 4),
    ("HKD", 4),
    ("HUF", 2),
    ("IDR", 0),
    ("ILS", 4),
    ("INR", 2),
    ("JPY", 2),
    ("KRW", 1),
    ("MXN", 4),
    ("MYR", 4),
    ("NOK", 4),
    ("NZD", 4),
    ("PHP", 2),
    ("PLN", 4),
    ("RON", 4),
    ("SAR", 4),
    ("SEK", 4),
    ("SGD", 4),
    ("THB", 2),
    ("TRY", 4),
    ("TWD", 3),
    ("USD", 4),
    ("ZAR", 4),
];

/// A code that is not in the platform's table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown currency `{0}`: expected an ISO 4217 code such as USD")]
pub struct UnknownCurrency(pub String);

impl Currency {
    /// The US dollar: the pivot of conversions and the calendar of every value date.
    pub const USD: Self = Self(29);
    /// The Japanese yen: two-decimal pips.
    pub const JPY: Self = Self(14);
    /// The euro.
    pub const EUR: Self = Self(7);

    /// Every currency of the table, by code.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..TABLE.len() as u8).map(Self)
    }

    /// The ISO 4217 code.
    #[must_use]
    pub fn code(self) -> &'static str {
        TABLE[usize::from(self.0)].0
    }

    /// Its place in the table: an index into a list with one entry per currency.
    #[must_use]
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }

    /// Decimals of one pip of a pair quoted in this currency: 4 for most, 2 for JPY.
    #[must_use]
    pub(crate) fn pip_decimals(self) -> u32 {
        TABLE[usize::from(self.0)].1
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;
    fn from_str(text: &str) -> Result<Self, UnknownCurrency> {
        let code = text.to_ascii_uppercase();
        TABLE
            .binary_search_by(|(candidate, _)| (*candidate).cmp(&code))
            .map(|index| Self(index as u8))
            .map_err(|_| UnknownCurrency(text.to_owned()))
    }
}

impl TryFrom<String> for Currency {
    type Error = UnknownCurrency;
    fn try_from(text: String) -> Result<Self, UnknownCurrency> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_finds_itself_and_the_constants_are_right() {
        for currency in Currency::all() {
            assert_eq!(currency.code().parse(), Ok(currency));
        }
        assert_eq!((Currency::USD.code(), Currency::JPY.code(), Currency::EUR.code()), ("USD", "JPY", "EUR"));
        assert!("XXX".parse::<Currency>().is_err());
    }
}
