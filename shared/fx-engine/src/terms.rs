//! What a fill pays: the price that the market shows, moved by spread model and slippage, and the commission.

use crate::{Commission, RunConfig, SpreadModel};
use fx_domain::{Fill, Money, Price, PriceSource, Side, Units, div_half_even, f64_to_i64_half_even};

/// Nanos of price · units in a millionth of money.
pub(crate) const NANOS_PER_MICRO: i64 = Price::SCALE / Money::SCALE;

/// What prices a fill, the same for a whole run of bars.
pub(crate) struct Terms<'a> {
    pub(crate) config: &'a RunConfig,
    /// Modelled spread in the raw ask and in the raw bid, above zero.
    pub(crate) in_ask: Price,
    pub(crate) in_bid: Price,
    /// Whether the data stores them.
    pub(crate) ask_source: PriceSource,
    pub(crate) bid_source: PriceSource,
    /// The instrument's tick.
    pub(crate) tick: Price,
    /// Bars before the first that is decided on.
    pub(crate) warm_up_bars: u64,
}

/// A price, what it cost to get it, per unit, and where it came from.
#[derive(Clone, Copy)]
pub(crate) struct Priced {
    /// What the market showed.
    pub(crate) raw: Price,
    pub(crate) price: Price,
    pub(crate) spread: Price,
    pub(crate) slippage: Price,
    pub(crate) source: PriceSource,
}

impl Priced {
    /// As the order's life tells it.
    pub(crate) const fn fill(&self) -> Fill {
        Fill { raw_price: self.raw, price: self.price, source: self.source }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Entry,
    Exit,
    /// An exit that waits at its price: no slippage.
    Target,
}

impl Terms<'_> {
    /// The price that a fill of `side` (long buys) gets when the market shows `raw`.
    ///
    /// The spread model moves it by a fraction, rounded half to even at 1e-9; then slippage is added.
    pub(crate) fn price(&self, side: Side, raw: Price, purpose: Purpose) -> Option<Priced> {
        let fraction = match self.config.spread {
            SpreadModel::RelativeOnEntry(fraction) if purpose == Purpose::Entry => fraction,
            SpreadModel::Relative(fraction) => fraction / 2.0,
            _ => 0.0,
        };
        let sign = side.sign();
        let moved = if fraction > 0.0 {
            Price::from_nanos(f64_to_i64_half_even(raw.nanos() as f64 * (1.0 + sign as f64 * fraction))?)
        } else {
            raw
        };
        let slippage = if purpose == Purpose::Target { Price::ZERO } else { self.config.slippage };
        let price = Price::from_nanos(moved.nanos() + sign * slippage.nanos());
        let (inside, stored) = match side {
            Side::Long => (self.in_ask, self.ask_source),
            Side::Short => (self.in_bid, self.bid_source),
        };
        let source = if moved == raw { stored } else { PriceSource::Modelled };
        let spread = (moved - raw).abs() + inside;
        price.is_positive().then_some(Priced { raw, price, spread, slippage, source })
    }

    /// Commission of one fill in millionths, rounded once, half to even.
    pub(crate) fn commission(&self, units: Units, price: Price) -> Option<i64> {
        let units_float = units.get() as f64;
        let scale = Money::SCALE as f64;
        let micros = match self.config.commission {
            Commission::None => return Some(0),
            Commission::PerLot(amount) => {
                units_float * amount * scale / self.config.instrument.lot_units().get() as f64
            }
            Commission::PerUnit(amount) => units_float * amount * scale,
            Commission::PerNotional { rate, minimum } => {
                let notional = (i128::from(units.get()) * i128::from(price.nanos())) as f64;
                (notional * rate / NANOS_PER_MICRO as f64).max(minimum * scale)
            }
        };
        f64_to_i64_half_even(micros)
    }
}

/// Nanos of price · units in millionths of money, rounded once, half to even.
pub(crate) fn to_micros(exact: i128) -> i128 {
    match i64::try_from(exact) {
        Ok(exact) => i128::from(to_micros_small(exact)),
        Err(_) => div_half_even(exact, i128::from(NANOS_PER_MICRO)),
    }
}

/// The same where the amount fits 64 bits: a multiplication instead of a division of 128 bits.
#[inline(always)]
pub(crate) const fn to_micros_small(exact: i64) -> i64 {
    let (floor, rest) = (exact.div_euclid(NANOS_PER_MICRO), exact.rem_euclid(NANOS_PER_MICRO));
    const HALF: i64 = NANOS_PER_MICRO / 2;
    // A thousandth of an i64 has room for one more.
    floor.wrapping_add((rest > HALF || (rest == HALF && floor & 1 == 1)) as i64)
}

/// `units · distance` in millionths, rounded once, half to even.
pub(crate) fn amount_micros(units: Units, distance: Price) -> Option<i64> {
    match units.get().checked_mul(distance.nanos()) {
        Some(exact) => Some(to_micros_small(exact)),
        None => i64::try_from(to_micros(i128::from(units.get()) * i128::from(distance.nanos()))).ok(),
    }
}

/// The share of `whole` that belongs to `part` of `units`, rounded half to even.
pub(crate) fn share(whole: i64, part: Units, units: Units) -> i64 {
    if part == units || whole == 0 {
        return whole;
    }
    // Not beyond `whole`, since the part is not beyond the units: it fits.
    div_half_even(i128::from(whole) * i128::from(part.get()), i128::from(units.get())) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn small_amounts_round_as_large_ones_do(exact in any::<i64>(), near in -4_000_i64..4_000) {
            for exact in [exact, near] {
                let rounded = div_half_even(i128::from(exact), i128::from(NANOS_PER_MICRO));
                prop_assert_eq!(i128::from(to_micros_small(exact)), rounded);
                prop_assert_eq!(to_micros(i128::from(exact)), rounded);
            }
        }
    }
}
