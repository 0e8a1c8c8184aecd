//! Sizes. Units are what the ledger knows; lots and pips live at the edges.

use crate::{Instrument, Price, f64_to_i64_half_even};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Neg, Sub};

/// A signed number of units of an instrument's base currency: positive long, negative short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Units(i64);

impl Units {
    /// None.
    pub const ZERO: Self = Self(0);

    /// `count` units.
    #[must_use]
    pub const fn new(count: i64) -> Self {
        Self(count)
    }

    /// The count.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The size without the side.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Towards zero to a multiple of the instrument's unit step: a size is never rounded up.
    #[must_use]
    pub fn floor_to_step(self, instrument: &Instrument) -> Self {
        let step = instrument.unit_step().0;
        Self(self.0 / step * step)
    }
}

impl Add for Units {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Units {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Units {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A number of standard lots, as people type it: 0.1 is ten thousand units.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Lots(pub f64);

impl Lots {
    /// The nearest whole units, ties to even; `None` when it is not finite or does not fit.
    #[must_use]
    pub fn to_units(self, instrument: &Instrument) -> Option<Units> {
        f64_to_i64_half_even(self.0 * instrument.lot_units().0 as f64).map(Units)
    }
}

/// A distance in pips, as people type it: 25 pips of EUR/USD are 0.0025, of USD/JPY 0.25.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Pips(pub f64);

impl Pips {
    /// The distance as a price difference, ties to even at 1e-9; `None` when it is not finite or does not fit.
    #[must_use]
    pub fn to_price(self, instrument: &Instrument) -> Option<Price> {
        f64_to_i64_half_even(self.0 * instrument.pip().nanos() as f64).map(Price::from_nanos)
    }

    /// A price difference in pips.
    #[must_use]
    pub fn from_price(distance: Price, instrument: &Instrument) -> Self {
        Self(distance.nanos() as f64 / instrument.pip().nanos() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pips_and_lots_follow_the_instrument() {
        let eurusd = Instrument::parse("EUR/USD").unwrap();
        let usdjpy = Instrument::parse("USD/JPY").unwrap();
        assert_eq!(Pips(25.0).to_price(&eurusd), Price::parse("0.0025"));
        assert_eq!(Pips(25.0).to_price(&usdjpy), Price::parse("0.25"));
        assert_eq!(Pips::from_price(Price::from_nanos(2_500_000), &eurusd), Pips(25.0));
        assert_eq!(Lots(0.1).to_units(&eurusd), Some(Units::new(10_000)));
        assert_eq!(Lots(f64::NAN).to_units(&eurusd), None);
    }
}
