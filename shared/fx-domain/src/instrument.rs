//! Currency pairs and their conventions.

use crate::{Currency, Price, Units};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A currency pair with its quoting, sizing and settlement conventions.
///
/// Pip and tick follow the quote currency: a pip is the market's usual unit, and one more decimal (a point) is quoted.
/// Source: the symbol tables of OANDA and FXCM; settlement lags from the interbank convention (T+2, and T+1 for the
/// listed pairs).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Instrument {
    base: Currency,
    quote: Currency,
}

/// How the market sorts pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstrumentClass {
    /// USD against EUR, JPY, GBP, CHF, CAD, AUD or NZD.
    Major,
    /// Two of the majors' currencies without USD.
    Minor,
    /// Everything else.
    Exotic,
}

/// Business days from trade to value date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettlementLag {
    /// The next business day: USD/CAD, USD/TRY, USD/PHP.
    OneDay,
    /// The second business day: everything else.
    TwoDays,
}

/// A text that names no pair the platform trades.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown instrument `{0}`: expected a pair such as EUR/USD, EUR_USD or EURUSD")]
pub struct UnknownInstrument(pub String);

/// Market order of bases: the currency further left is the base of the pair.
const BASE_PRECEDENCE: [&str; 8] = ["EUR", "GBP", "AUD", "NZD", "USD", "CAD", "CHF", "JPY"];

impl Instrument {
    /// The pair that stands where any would do.
    pub const EUR_USD: Self = Self { base: Currency::EUR, quote: Currency::USD };

    /// Reads `EUR/USD`, `EUR_USD`, `EUR-USD` or `EURUSD`, in any case.
    ///
    /// # Errors
    /// [`UnknownInstrument`] when a code is unknown or both are the same.
    pub fn parse(text: &str) -> Result<Self, UnknownInstrument> {
        let unknown = || UnknownInstrument(text.to_owned());
        let mut codes = text.split(['/', '_', '-']);
        let (base, quote) = match (codes.next(), codes.next(), codes.next()) {
            (Some(base), Some(quote), None) => (base, quote),
            (Some(pair), None, None) if pair.len() == 6 && pair.is_ascii() => pair.split_at(3),
            _ => return Err(unknown()),
        };
        let (base, quote) = (base.parse().map_err(|_| unknown())?, quote.parse().map_err(|_| unknown())?);
        if base == quote { Err(unknown()) } else { Ok(Self { base, quote }) }
    }

    /// Every pair in market order: majors, minors, and the exotics against USD and EUR.
    pub fn all() -> impl Iterator<Item = Self> {
        Currency::all()
            .flat_map(|base| Currency::all().map(move |quote| Self { base, quote }))
            .filter(|pair| pair.is_in_market_order())
    }

    /// The currency that is bought or sold.
    #[must_use]
    pub const fn base(&self) -> Currency {
        self.base
    }

    /// The currency that prices are in.
    #[must_use]
    pub const fn quote(&self) -> Currency {
        self.quote
    }

    /// One pip: 0.0001 for most, 0.01 when the quote is JPY.
    #[must_use]
    pub fn pip(&self) -> Price {
        Price::from_nanos(Price::SCALE / 10_i64.pow(self.quote.pip_decimals()))
    }

    /// Decimals of a quoted price: one more than a pip's.
    #[must_use]
    pub fn quote_decimals(&self) -> u32 {
        self.quote.pip_decimals() + 1
    }

    /// The smallest price step, a tenth of a pip.
    #[must_use]
    pub fn tick(&self) -> Price {
        Price::from_nanos(self.pip().nanos() / 10)
    }

    /// Units in one standard lot.
    #[must_use]
    pub const fn lot_units(&self) -> Units {
        Units::new(100_000)
    }

    /// The smallest step of a size, and the smallest size.
    #[must_use]
    pub const fn unit_step(&self) -> Units {
        Units::new(1)
    }

    /// Business days from trade to value date.
    #[must_use]
    pub fn settlement_lag(&self) -> SettlementLag {
        let one_day = [("USD", "CAD"), ("USD", "TRY"), ("USD", "PHP")];
        if one_day.contains(&(self.base.code(), self.quote.code())) {
            SettlementLag::OneDay
        } else {
            SettlementLag::TwoDays
        }
    }

    /// Major, minor or exotic.
    #[must_use]
    pub fn class(&self) -> InstrumentClass {
        match (precedence(self.base), precedence(self.quote)) {
            (Some(_), Some(_)) if self.base == Currency::USD || self.quote == Currency::USD => {
                InstrumentClass::Major
            }
            (Some(_), Some(_)) => InstrumentClass::Minor,
            _ => InstrumentClass::Exotic,
        }
    }

    /// The form for keys and file names: `EUR_USD`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}_{}", self.base, self.quote)
    }

    fn is_in_market_order(self) -> bool {
        match (precedence(self.base), precedence(self.quote)) {
            (Some(base), Some(quote)) => base < quote,
            (Some(_), None) => self.base == Currency::USD || self.base == Currency::EUR,
            _ => false,
        }
    }
}

fn precedence(currency: Currency) -> Option<usize> {
    BASE_PRECEDENCE.iter().position(|code| *code == currency.code())
}

impl fmt::Display for Instrument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.quote)
    }
}

impl TryFrom<String> for Instrument {
    type Error = UnknownInstrument;
    fn try_from(text: String) -> Result<Self, UnknownInstrument> {
        Self::parse(&text)
    }
}

impl From<Instrument> for String {
    fn from(instrument: Instrument) -> Self {
        instrument.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_spellings_are_one_instrument() {
        let spelled: Vec<_> = ["EUR/USD", "eur_usd", "EURUSD", "EUR-USD"].map(Instrument::parse).into();
        assert!(spelled.iter().all(|parsed| *parsed == spelled[0] && parsed.is_ok()));
        assert_eq!(spelled[0].as_ref().unwrap().to_string(), "EUR/USD");
        for bad in ["EUR", "EUR/EUR", "EUR/USD/JPY", "EURXXX", "", "€URUSD"] {
            assert!(Instrument::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn there_are_seven_majors_twenty_one_minors_and_forty_six_exotics() {
        let count = |class| Instrument::all().filter(|pair| pair.class() == class).count();
        assert_eq!(count(InstrumentClass::Major), 7);
        assert_eq!(count(InstrumentClass::Minor), 21);
        assert_eq!(count(InstrumentClass::Exotic), 46);
    }

    #[test]
    fn precision_follows_the_quote_currency() {
        for (pair, pip, decimals) in [
            ("EUR/USD", "0.0001", 5),
            ("USD/JPY", "0.01", 3),
            ("EUR/HUF", "0.01", 3),
            ("USD/THB", "0.01", 3),
            ("USD/KRW", "0.1", 2),
            ("USD/TRY", "0.0001", 5),
        ] {
            let pair = Instrument::parse(pair).unwrap();
            assert_eq!((pair.pip(), pair.quote_decimals()), (Price::parse(pip).unwrap(), decimals), "{pair}");
            assert_eq!(pair.tick().nanos() * 10, pair.pip().nanos());
        }
    }

    #[test]
    fn the_dollar_against_canada_settles_in_one_day() {
        assert_eq!(Instrument::parse("USD/CAD").unwrap().settlement_lag(), SettlementLag::OneDay);
        assert_eq!(Instrument::parse("EUR/USD").unwrap().settlement_lag(), SettlementLag::TwoDays);
    }
}
