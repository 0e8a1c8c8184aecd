//! Amounts of a currency as integers.

use crate::{Currency, Price, Units, div_half_even, f64_to_i64_half_even};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An amount in millionths (1e-6) of its currency. Sums are exact, so they associate; a sum of two currencies is a
/// programmer's error and refused by [`Money::checked_add`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    micros: i64,
    currency: Currency,
}

impl Money {
    /// Millionths in one.
    pub const SCALE: i64 = 1_000_000;

    /// An amount of `micros` millionths of `currency`.
    #[must_use]
    pub const fn from_micros(micros: i64, currency: Currency) -> Self {
        Self { micros, currency }
    }

    /// Nothing.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self { micros: 0, currency }
    }

    /// The nearest amount, ties to even; `None` when `value` is not finite or does not fit.
    #[must_use]
    pub fn from_f64(value: f64, currency: Currency) -> Option<Self> {
        f64_to_i64_half_even(value * Self::SCALE as f64).map(|micros| Self { micros, currency })
    }

    /// `units × price` in the quote currency, rounded once from 1e-9 to 1e-6, ties to even; `None` when it does not fit.
    #[must_use]
    pub fn of_notional(units: Units, price: Price, currency: Currency) -> Option<Self> {
        let exact = i128::from(units.get()) * i128::from(price.nanos());
        let micros = div_half_even(exact, i128::from(Price::SCALE / Self::SCALE));
        i64::try_from(micros).ok().map(|micros| Self { micros, currency })
    }

    /// The amount in millionths.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.micros
    }

    /// Its currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The nearest float, in whole currency.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.micros as f64 / Self::SCALE as f64
    }

    /// The sum; `None` on overflow or when the currencies differ.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        if self.currency != other.currency {
            return None;
        }
        Some(Self { micros: self.micros.checked_add(other.micros)?, currency: self.currency })
    }
}

/// Decimal with at least two places and the code: `-12.50 USD`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, i128::from(self.micros), 6, 2)?;
        write!(f, " {}", self.currency)
    }
}

/// Writes `value / 10^places` as a decimal, trailing zeros cut down to `keep` places.
pub(crate) fn write_decimal(
    f: &mut fmt::Formatter<'_>,
    value: i128,
    places: usize,
    keep: usize,
) -> fmt::Result {
    let digits = format!("{:0width$}", value.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let used = fraction.trim_end_matches('0').len().max(keep);
    let sign = if value < 0 { "-" } else { "" };
    if used == 0 { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{}", &fraction[..used]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notional_is_rounded_once_half_to_even() {
        let notional = |units, nanos| {
            Money::of_notional(Units::new(units), Price::from_nanos(nanos), Currency::USD).map(Money::micros)
        };
        assert_eq!(notional(10_000, 1_072_190_000), Some(10_721_900_000));
        assert_eq!(notional(1, 500), Some(0));
        assert_eq!(notional(1, 1_500), Some(2));
        assert_eq!(notional(-1, 1_500), Some(-2));
        assert_eq!(notional(i64::MAX, i64::MAX), None);
    }

    #[test]
    fn two_currencies_do_not_add() {
        let one = Money::from_micros(1, Currency::USD);
        assert_eq!(one.checked_add(Money::from_micros(1, Currency::JPY)), None);
        assert_eq!(one.checked_add(Money::from_micros(i64::MAX, Currency::USD)), None);
        assert_eq!(Money::from_micros(-12_500_000, Currency::USD).to_string(), "-12.50 USD");
    }
}
