//! What shapes a run beside plan and bars.

use crate::{EngineError, PRICE_MAX};
use fx_domain::{Currency, Instrument, Money, Price, UnixNanos};
use serde::{Deserialize, Serialize};

/// When a market order decided at a bar's close is filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FillTime {
    /// At the next bar's open, stamped by it.
    #[default]
    Open,
    /// At the deciding bar's close, priced and stamped by it, booked with the next bar; lapses if none follows.
    Close,
}

/// Which exit comes first when one bar touches both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntrabarPolicy {
    /// The stop. An entry bar takes profit only where that is unambiguous.
    #[default]
    Pessimistic,
    /// The target.
    Optimistic,
    /// Open, high, low, close.
    Ohlc,
    /// Open, low, high, close.
    Olhc,
    /// The extreme nearer to the open first; equally near: the low first.
    NearestExtremeFirst,
}

/// How the missing side of one-sided data is made, and what is added to stored sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpreadModel {
    /// Both sides as stored; of one-sided data, ask = bid.
    #[default]
    Measured,
    /// The ask stands this much above the bid (mid data: half to each side). One-sided data only.
    Fixed(Price),
    /// Entry prices move by this fraction against the trader; exits and triggers stay raw.
    RelativeOnEntry(f64),
    /// Every fill moves by half this fraction against the trader; triggers stay raw.
    Relative(f64),
}

/// Commission of one fill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Commission {
    /// Free.
    #[default]
    None,
    /// Account currency per standard lot and side.
    PerLot(f64),
    /// Account currency per unit and side.
    PerUnit(f64),
    /// Fraction of the fill's notional, at least `minimum` of account currency per fill.
    PerNotional {
        /// Fraction, 2e-5 is 0.2 basis points.
        rate: f64,
        /// Account currency.
        minimum: f64,
    },
}

/// Everything that shapes a run beside plan and bars. Built and checked at the edge; the engine trusts it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// The pair.
    pub instrument: Instrument,
    /// The currency of balance and P&L. It must be the pair's quote currency: amounts are not converted.
    pub account_currency: Currency,
    /// Starting balance, above zero.
    pub initial_capital: Money,
    /// Decisions begin at the first bar at or after this; earlier bars warm the indicators.
    pub start: UnixNanos,
    /// When market orders fill.
    pub fill: FillTime,
    /// Which exit comes first inside a bar.
    pub fill_policy: IntrabarPolicy,
    /// Modelled spread.
    pub spread: SpreadModel,
    /// Commission.
    pub commission: Commission,
    /// Every market and stop fill moves by this against the trader; limits and targets do not.
    pub slippage: Price,
    /// Entries on the side already held that are allowed on top of the first.
    pub pyramiding: u32,
    /// Notional over equity at most; an order beyond it is rejected with an event, never resized.
    pub leverage: f64,
}

impl RunConfig {
    /// Checks what the types leave open.
    ///
    /// # Errors
    /// [`EngineError::Config`] names the first field that no run can have.
    pub fn validate(&self) -> Result<(), EngineError> {
        let within = |value: f64, below: f64| value >= 0.0 && value < below;
        let distance = |price: Price| price >= Price::ZERO && price <= PRICE_MAX;
        let spread_holds = match self.spread {
            SpreadModel::Measured => true,
            SpreadModel::Fixed(spread) => distance(spread),
            SpreadModel::RelativeOnEntry(fraction) | SpreadModel::Relative(fraction) => within(fraction, 1.0),
        };
        let commission_holds = match self.commission {
            Commission::None => true,
            Commission::PerLot(amount) | Commission::PerUnit(amount) => within(amount, COMMISSION_MAX),
            Commission::PerNotional { rate, minimum } => within(rate, 1.0) && within(minimum, COMMISSION_MAX),
        };
        let quote = self.account_currency == self.instrument.quote();
        let same = self.initial_capital.currency() == self.account_currency;
        let funded = self.initial_capital.micros() > 0;
        let levered = self.leverage > 0.0 && self.leverage.is_finite();
        let checks = [
            (quote, "account_currency", "must be the quote currency of the instrument"),
            (same, "initial_capital", "must be in the account currency"),
            (funded, "initial_capital", "must be above zero"),
            (spread_holds, "spread", "must be zero or above, and a fraction below one"),
            (commission_holds, "commission", "must be zero or above, and a rate below one"),
            (distance(self.slippage), "slippage", "must be zero or above"),
            (levered, "leverage", "must be a finite number above zero"),
        ];
        match checks.into_iter().find(|(holds, ..)| !holds) {
            Some((_, field, reason)) => Err(EngineError::Config { field, reason }),
            None => Ok(()),
        }
    }
}

/// Commission per lot, unit or fill is below this.
const COMMISSION_MAX: f64 = 1e6;
