//! Prices as integers.

use crate::f64_to_i64_half_even;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Neg, Sub};

/// A price, or a difference of prices, in billionths (1e-9) of the quote currency per unit of the base.
///
/// | operation | result |
/// | --- | --- |
/// | `Price + Price`, `Price - Price`, `-Price` | `Price` |
/// | `Price × Units` | [`Money`](crate::Money), by [`Money::of_notional`](crate::Money::of_notional) |
/// | `Price → f64` | [`Price::to_f64`], correctly rounded |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[repr(transparent)]
pub struct Price(i64);

impl Price {
    /// Billionths in one.
    pub const SCALE: i64 = 1_000_000_000;
    /// No difference.
    pub const ZERO: Self = Self(0);

    /// A price of `nanos` billionths.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The price in billionths.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The nearest price, ties to even; `None` when `value` is not finite or does not fit.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        f64_to_i64_half_even(value * Self::SCALE as f64).map(Self)
    }

    /// The nearest float. Exact integers below 2⁵³ are divided once, so the quotient is correctly rounded.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / Self::SCALE as f64
    }

    /// The nearest multiple of `tick`, ties to even.
    ///
    /// # Panics
    /// When `tick` is not positive: ticks come from an [`Instrument`](crate::Instrument).
    #[must_use]
    pub fn round_to(self, tick: Self) -> Self {
        Self((crate::div_half_even(i128::from(self.0), i128::from(tick.0)) * i128::from(tick.0)) as i64)
    }

    /// The sum, or `None` on overflow.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// Whether this can be a quote: above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The distance from zero.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// Reads a plain decimal such as `1.07219` or `-0.5`, without floats; digits beyond the ninth must be zero.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut nanos: i64 = 0;
        for byte in whole.bytes() {
            nanos = nanos.checked_mul(10)?.checked_add(i64::from(digit(byte)?))?;
        }
        let mut decimals = fraction.bytes();
        for _ in 0..9 {
            let next = decimals.next().map_or(Some(0), digit)?;
            nanos = nanos.checked_mul(10)?.checked_add(i64::from(next))?;
        }
        decimals.all(|byte| byte == b'0').then_some(Self(if negative { -nanos } else { nanos }))
    }
}

const fn digit(byte: u8) -> Option<u8> {
    if byte.is_ascii_digit() { Some(byte - b'0') } else { None }
}

impl Add for Price {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Price {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Price {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

/// Decimal without trailing zeros: `1.07219`.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::money::write_decimal(f, i128::from(self.0), 9, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_are_read_without_floats() {
        assert_eq!(Price::parse("1.07219"), Some(Price::from_nanos(1_072_190_000)));
        assert_eq!(Price::parse("-.5"), Some(Price::from_nanos(-500_000_000)));
        assert_eq!(Price::parse("1.0000000010"), Some(Price::from_nanos(1_000_000_001)));
        for bad in ["", ".", "1e5", "1.0000000001", "1,5", "NaN", "99999999999", "--1"] {
            assert_eq!(Price::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn rounding_to_a_tick_sends_ties_to_even() {
        let tick = Price::from_nanos(10_000);
        assert_eq!(Price::from_nanos(25_000).round_to(tick), Price::from_nanos(20_000));
        assert_eq!(Price::from_nanos(35_000).round_to(tick), Price::from_nanos(40_000));
    }

    proptest! {
        #[test]
        fn text_and_back_is_the_same_price(nanos in any::<i64>().prop_filter("negatable", |n| *n != i64::MIN)) {
            let price = Price::from_nanos(nanos);
            prop_assert_eq!(Price::parse(&price.to_string()), Some(price));
        }

        #[test]
        fn a_quote_survives_the_trip_through_a_float(nanos in 1i64..1_000_000_000_000_000) {
            prop_assert_eq!(Price::from_f64(Price::from_nanos(nanos).to_f64()), Some(Price::from_nanos(nanos)));
        }
    }
}
