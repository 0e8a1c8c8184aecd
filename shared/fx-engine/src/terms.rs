//! What a fill pays: the price that the market shows, moved by spread model and slippage, and the commission.

use crate::market::{Quotes, StoredSides};
use crate::rates::{Path, Rate};
use crate::{Commission, EngineError, Market, RunConfig, Slippage, SpreadModel, State};
use fx_domain::{
    Fill, Instrument, Money, Price, PriceSource, QuoteSide, Side, Units, div_half_even, f64_to_i64_half_even,
};

/// Nanos of price · units in a millionth of money.
pub(crate) const NANOS_PER_MICRO: i64 = Price::SCALE / Money::SCALE;

/// What is the same for all bars of a call.
pub(crate) struct Setup<'a> {
    pub(crate) config: &'a RunConfig,
    /// One for each track.
    pub(crate) terms: Vec<Terms>,
    /// How each track's quote currency becomes account currency.
    pub(crate) paths: Vec<Option<Path>>,
}

impl<'a> Setup<'a> {
    pub(crate) fn new(
        config: &'a RunConfig,
        state: &State,
        market: &Market<'_>,
    ) -> Result<Self, EngineError> {
        let quotes = market.tracks.iter().zip(&state.tracks);
        let terms = quotes.enumerate().map(|(track, (quotes, seen))| {
            let first = quotes.bars.lower_bound(config.start) as u64;
            Terms::new(config, track, quotes, seen.bars_done - seen.decision_bars + first)
        });
        let paths = config.tracks.iter().map(|track| Path::find(config, track.instrument.quote()));
        Ok(Self { config, terms: terms.collect(), paths: paths.collect::<Result<_, _>>()? })
    }
}

/// What prices the fills of one track.
pub(crate) struct Terms {
    pub(crate) instrument: Instrument,
    /// The sides that the data stores; the others are modelled.
    stored: StoredSides,
    /// The instrument's tick.
    pub(crate) tick: Price,
    lot_units: f64,
    slippage: Slip,
    /// Fills get the price that the market shows.
    is_plain: bool,
    /// Bars before the first that is decided on.
    pub(crate) warm_up_bars: u64,
}

/// Slippage with its distances as prices.
#[derive(Clone, Copy)]
enum Slip {
    By(Price),
    SpreadShare(f64),
    Random { nanos_max: u64, seed: u64 },
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

/// The market at a fill.
#[derive(Clone, Copy)]
pub(crate) struct Shown {
    pub(crate) side: Side,
    pub(crate) raw: Price,
    /// Ask less bid.
    pub(crate) spread: Price,
    /// The fill's number in the run.
    pub(crate) number: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// An entry at the market.
    Entry,
    /// An entry that waits at its price: no slippage.
    LimitEntry,
    Exit,
    /// An exit that waits at its price: no slippage.
    Target,
}

impl Terms {
    fn new(config: &RunConfig, track: usize, quotes: &Quotes<'_>, warm_up_bars: u64) -> Self {
        let instrument = config.tracks[track].instrument;
        let nanos = |pips: f64| fx_domain::Pips(pips).to_price(&instrument).map_or(0, Price::nanos);
        Self {
            instrument,
            stored: quotes.stored,
            tick: instrument.tick(),
            lot_units: config.lot_units(track),
            is_plain: config.slippage == Slippage::None
                && !matches!(config.spread, SpreadModel::Relative(_) | SpreadModel::RelativeOnEntry(_)),
            slippage: match config.slippage {
                Slippage::None => Slip::By(Price::ZERO),
                Slippage::Pips(pips) => Slip::By(Price::from_nanos(nanos(pips))),
                Slippage::SpreadShare(share) => Slip::SpreadShare(share),
                Slippage::Random(pips) => {
                    Slip::Random { nanos_max: nanos(pips).unsigned_abs(), seed: config.seed }
                }
            },
            warm_up_bars,
        }
    }

    /// The price that a fill gets.
    ///
    /// The spread model moves it by a fraction, rounded half to even at 1e-9; then slippage is added.
    #[inline(always)]
    pub(crate) fn price(&self, spread: &SpreadModel, shown: Shown, purpose: Purpose) -> Option<Priced> {
        let Shown { side, raw, .. } = shown;
        if self.is_plain {
            let (inside, source) = self.modelled(side, shown.spread);
            let (spread, slippage) = (Price::from_nanos(inside), Price::ZERO);
            return Some(Priced { raw, price: raw, spread, slippage, source });
        }
        let entry = matches!(purpose, Purpose::Entry | Purpose::LimitEntry);
        let fraction = match *spread {
            SpreadModel::RelativeOnEntry(fraction) if entry => fraction,
            SpreadModel::Relative(fraction) => fraction / 2.0,
            _ => 0.0,
        };
        let sign = side.sign();
        let moved = if fraction > 0.0 {
            Price::from_nanos(f64_to_i64_half_even(raw.nanos() as f64 * (1.0 + sign as f64 * fraction))?)
        } else {
            raw
        };
        let waits = matches!(purpose, Purpose::Target | Purpose::LimitEntry);
        let slippage = if waits { Price::ZERO } else { self.slip(shown)? };
        let price = Price::from_nanos(moved.nanos() + sign * slippage.nanos());
        let (inside, stored) = self.modelled(side, shown.spread);
        let source = if moved == raw { stored } else { PriceSource::Modelled };
        let spread = (moved - raw).abs() + Price::from_nanos(inside);
        price.is_positive().then_some(Priced { raw, price, spread, slippage, source })
    }

    /// What of the spread the model has put into the price of this side, in nanos, and whether the data stores that side.
    #[inline(always)]
    const fn modelled(&self, side: Side, spread: Price) -> (i64, PriceSource) {
        let StoredSides::One(stored) = self.stored else { return (0, PriceSource::Measured) };
        let below = crate::market::below(stored, spread.nanos());
        let inside = if matches!(side, Side::Long) { spread.nanos() - below } else { below };
        let source = match (stored, side) {
            (QuoteSide::Ask, Side::Long) | (QuoteSide::Bid, Side::Short) => PriceSource::Measured,
            _ => PriceSource::Modelled,
        };
        (inside, source)
    }

    #[inline(always)]
    fn slip(&self, shown: Shown) -> Option<Price> {
        match self.slippage {
            Slip::By(distance) => Some(distance),
            Slip::SpreadShare(share) => {
                f64_to_i64_half_even(shown.spread.nanos() as f64 * share).map(Price::from_nanos)
            }
            Slip::Random { nanos_max, seed } => {
                let even = u128::from(scrambled(seed ^ scrambled(shown.number)));
                let nanos = (even * (u128::from(nanos_max) + 1)) >> 64;
                i64::try_from(nanos).ok().map(Price::from_nanos)
            }
        }
    }

    /// Commission of one fill in millionths of account currency, rounded once, half to even.
    #[inline(always)]
    pub(crate) fn commission(
        &self,
        terms: Commission,
        units: Units,
        price: Price,
        rate: Rate,
    ) -> Option<i64> {
        let units_float = units.get() as f64;
        let scale = Money::SCALE as f64;
        let micros = match terms {
            Commission::None => return Some(0),
            Commission::PerLot(amount) => units_float * amount * scale / self.lot_units,
            Commission::PerUnit(amount) => units_float * amount * scale,
            Commission::PerNotional { rate: fraction, minimum } => {
                let notional = (i128::from(units.get()) * i128::from(price.nanos())) as f64;
                let notional = notional * fraction / NANOS_PER_MICRO as f64;
                let converted = if rate == Rate::Same { notional } else { notional * rate.factor() };
                converted.max(minimum * scale)
            }
        };
        f64_to_i64_half_even(micros)
    }
}

/// A number that looks random and is a function of `number` alone (splitmix64, Steele, Lea and Flood 2014).
const fn scrambled(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
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
