//! What else could have happened: a run's trades or days drawn anew, many times, from a seed.
//!
//! A [`Resample`] says what is drawn and how. Sample number k depends on the seed and k and nothing else, so any batch
//! of samples can be computed alone, anywhere and in any order: [`Resample::sample`] draws, [`Resample::figures`]
//! measures, [`Resample::encode`] is what a hash of the whole takes in. [`ResampleSummary::of`] looks at all figures
//! together.
//!
//! Random numbers: ChaCha with 8 rounds, its key the seed (8 bytes, little-endian, then 24 zeros), its stream number
//! that of the sample, read in words of 32 bits from the start. A number below n comes from a word x as the upper half
//! of x·n, drawn again where the lower half is below 2³² mod n: every number is exactly as likely (Lemire, *Fast Random
//! Integer Generation in an Interval*, ACM TOMACS 29(1), 2019, algorithm 5).

mod draw;
mod summary;

pub use summary::{DrawdownProbability, ResampleSummary, SAMPLES_MAX, THRESHOLDS_MAX};

use crate::InvalidInput;
use crate::invalid_input::{all_finite, within};
use crate::numbers::{GROWTH_MAX, currency};
use draw::Draw;
use fx_domain::Money;
use serde::{Deserialize, Serialize};

/// Most trades or periods that are drawn from.
pub const ITEMS_MAX: u64 = 1_000_000;

/// How items are drawn. A sample has as many as there are to draw from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Method {
    /// One by one, each as likely, with replacement: Efron, *Bootstrap Methods*, Annals of Statistics 7(1), 1979. For
    /// trades, which are taken to be independent.
    Single,
    /// Stretches of `length` neighbours, each stretch as likely, the last one cut off: Künsch, *The Jackknife and the
    /// Bootstrap for General Stationary Observations*, Annals of Statistics 17(3), 1989. Keeps what neighbours have in
    /// common; the first and last items are drawn less often.
    MovingBlocks {
        /// Items of a stretch.
        length: u32,
    },
    /// Stretches that end after each item with probability 1 ÷ `mean_length`; the first item follows the last: Politis
    /// and Romano, *The Stationary Bootstrap*, JASA 89(428), 1994. Each item is as likely.
    StationaryBlocks {
        /// Items of a stretch on average.
        mean_length: u32,
    },
}

/// What is drawn from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Items<'a> {
    Profits(&'a [Money]),
    Returns(&'a [f64]),
}

/// Samples of a run's trades or days, all of them at once by a seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resample<'a> {
    initial_capital: Money,
    items: Items<'a>,
    method: Method,
    seed: u64,
}

/// What one sample came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleFigures {
    /// Capital at the end, in the account currency. A ruined path ends where it was ruined.
    pub final_balance: f64,
    /// The same over the initial capital less one, percent.
    pub return_pct: f64,
    /// Deepest fall from the highest capital so far, percent of it, zero or above. Looked at after each trade or
    /// period; the first peak is the initial capital.
    pub max_drawdown_pct: f64,
    /// Whether the capital fell to zero or below.
    pub ruined: bool,
}

impl<'a> Resample<'a> {
    /// Draws the profits of closed trades one by one, and adds them to the capital.
    ///
    /// # Errors
    /// No trade, or more than [`ITEMS_MAX`]; a capital that is not above zero; a profit in another currency.
    pub fn trades(initial_capital: Money, profits: &'a [Money], seed: u64) -> Result<Self, InvalidInput> {
        check_capital(initial_capital)?;
        within("trades", profits.len() as u64, 1..=ITEMS_MAX)?;
        let other = |profit: &Money| profit.currency() != initial_capital.currency();
        if let Some(index) = profits.iter().position(other) {
            return Err(InvalidInput::new(
                "trades",
                format!("holds another currency than the capital at {index}"),
            ));
        }
        Ok(Self { initial_capital, items: Items::Profits(profits), method: Method::Single, seed })
    }

    /// Draws returns of periods by `method`, and compounds them on the capital: those of [`crate::PeriodReturns`].
    ///
    /// # Errors
    /// No return, or more than [`ITEMS_MAX`]; a capital that is not above zero; a block that is empty or longer than
    /// the returns; a return that is NaN, infinite or below −1.
    pub fn returns(
        initial_capital: Money,
        returns: &'a [f64],
        method: Method,
        seed: u64,
    ) -> Result<Self, InvalidInput> {
        check_capital(initial_capital)?;
        let count = returns.len() as u64;
        within("returns", count, 1..=ITEMS_MAX)?;
        all_finite("returns", returns)?;
        if let Some(index) = returns.iter().position(|change| *change < -1.0) {
            return Err(InvalidInput::new(
                "returns",
                format!("holds {} at {index}, below -1", returns[index]),
            ));
        }
        match method {
            Method::Single => {}
            Method::MovingBlocks { length } => within("length", length.into(), 1..=count)?,
            Method::StationaryBlocks { mean_length } => within("mean_length", mean_length.into(), 1..=count)?,
        }
        Ok(Self { initial_capital, items: Items::Returns(returns), method, seed })
    }

    fn count(&self) -> u32 {
        let count = match self.items {
            Items::Profits(profits) => profits.len(),
            Items::Returns(returns) => returns.len(),
        };
        // At most ITEMS_MAX.
        count as u32
    }

    /// The items of sample number `index`, as places in what is drawn from, in the order of the path.
    #[must_use]
    pub fn sample(&self, index: u64) -> Vec<u32> {
        let (count, mut draw) = (self.count(), Draw::new(self.seed, index));
        let mut places = Vec::with_capacity(count as usize);
        match self.method {
            Method::Single => places.extend((0..count).map(|_| draw.below(count))),
            Method::MovingBlocks { length } => {
                while places.len() < count as usize {
                    let start = draw.below(count - length + 1);
                    let left = count - places.len() as u32;
                    places.extend(start..start + length.min(left));
                }
            }
            Method::StationaryBlocks { mean_length } => {
                let mut place = draw.below(count);
                places.push(place);
                while places.len() < count as usize {
                    let ends = draw.below(mean_length) == 0;
                    place = if ends { draw.below(count) } else { (place + 1) % count };
                    places.push(place);
                }
            }
        }
        places
    }

    /// What the path through `places` comes to.
    ///
    /// # Panics
    /// When a place is not of what is drawn from.
    #[must_use]
    pub fn figures(&self, places: &[u32]) -> SampleFigures {
        let initial = self.initial_capital.to_f64();
        match self.items {
            Items::Profits(profits) => {
                let mut micros = i128::from(self.initial_capital.micros());
                path(
                    initial,
                    places.iter().map(|place| {
                        micros += i128::from(profits[*place as usize].micros());
                        currency(micros)
                    }),
                )
            }
            Items::Returns(returns) => {
                let mut equity = initial;
                path(
                    initial,
                    places.iter().map(|place| {
                        equity = (equity * (1.0 + returns[*place as usize])).min(GROWTH_MAX);
                        equity
                    }),
                )
            }
        }
    }

    /// The bytes by which sample number `index` with its `places` enters a digest, as one part of a
    /// [`fx_domain::DigestBuilder`]: the index (8 bytes), then each place (4), all little-endian. A part carries its
    /// length, so the samples of a whole, in order, are told apart.
    #[must_use]
    pub fn encode(index: u64, places: &[u32]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + places.len() * 4);
        bytes.extend(index.to_le_bytes());
        places.iter().for_each(|place| bytes.extend(place.to_le_bytes()));
        bytes
    }
}

fn check_capital(capital: Money) -> Result<(), InvalidInput> {
    if capital.micros() > 0 {
        return Ok(());
    }
    Err(InvalidInput::new("initial_capital", format!("must be above zero, not {}", capital.to_f64())))
}

/// The figures of a path of capital, up to its ruin.
fn path(initial: f64, capital: impl Iterator<Item = f64>) -> SampleFigures {
    let (mut peak, mut last, mut deepest, mut ruined) = (initial, initial, 0.0f64, false);
    for value in capital {
        last = value;
        peak = peak.max(value);
        deepest = deepest.max((peak - value) / peak);
        if value <= 0.0 {
            ruined = true;
            break;
        }
    }
    SampleFigures {
        final_balance: last,
        return_pct: (last - initial) / initial * 100.0,
        max_drawdown_pct: deepest * 100.0,
        ruined,
    }
}
