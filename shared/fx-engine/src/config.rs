//! What shapes a run beside plan and prices.

use crate::{EngineError, PRICE_MAX};
use fx_domain::{Currency, FinancingTable, Granularity, Instrument, Money, Pips, Price, UnixNanos};
use fx_strategy::{Feature, Plan};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Tracks of one run, at most.
pub const TRACKS_MAX: usize = 64;
/// Series that a strategy reads beside its own, at most.
pub const REFERENCES_MAX: usize = 64;
/// Commission per lot, unit or fill is below this.
const COMMISSION_MAX: f64 = 1e6;
/// Hours of a day.
const HOURS: usize = 24;

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

/// The order in which one bar's prices are met, where no finer data tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntrabarPolicy {
    /// The stop before the target. An entry bar takes profit only where that is unambiguous.
    #[default]
    Pessimistic,
    /// The target before the stop. An entry bar takes a loss only where that is unambiguous.
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
    /// The ask stands this many pips above the bid (mid data: half to each side). One-sided data only.
    Pips(f64),
    /// The same, by the UTC hour in which a bar opens.
    ByHour([f64; HOURS]),
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

/// How far market and stop fills move against the trader; limits and targets do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slippage {
    /// Not at all.
    #[default]
    None,
    /// By this many pips.
    Pips(f64),
    /// By this share of the spread of the moment.
    SpreadShare(f64),
    /// Between nothing and this many pips, evenly, drawn from the run's seed and the fill's number: the same fill
    /// slips by the same in every run.
    Random(f64),
}

/// Whether opposite entries meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountKind {
    /// One position per instrument: what is opposite closes, the oldest entry first.
    #[default]
    Netting,
    /// `order(…)` opens beside what is there; long and short stand side by side.
    Hedging,
}

/// What a stop-out closes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopOutPolicy {
    /// The entry with the largest loss, then the next, until the level holds.
    #[default]
    LargestLoss,
    /// Everything.
    All,
    /// So many units of the entry with the largest loss, then of the next, that the level holds.
    ReduceToCover,
}

/// The account and its margin rules.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// The currency of balance and P&L.
    pub currency: Currency,
    /// Starting balance, above zero.
    pub capital: Money,
    /// Whether opposite entries meet.
    pub kind: AccountKind,
    /// Notional over used margin. An order beyond the free margin is rejected with an event, never resized.
    pub leverage: f64,
    /// Margin level, in percent, at or below which the account is called.
    pub margin_call_percent: f64,
    /// Margin level, in percent, at or below which entries are closed.
    pub stop_out_percent: f64,
    /// Which entries.
    pub stop_out: StopOutPolicy,
    /// A balance below zero with nothing open is set to zero.
    pub negative_balance_protection: bool,
}

impl Account {
    /// An account with leverage 30, margin call at 100 %, stop-out at 50 %, largest loss first.
    #[must_use]
    pub const fn new(capital: Money) -> Self {
        Self {
            currency: capital.currency(),
            capital,
            kind: AccountKind::Netting,
            leverage: 30.0,
            margin_call_percent: 100.0,
            stop_out_percent: 50.0,
            stop_out: StopOutPolicy::LargestLoss,
            negative_balance_protection: false,
        }
    }
}

/// A series of prices that a run trades on, or converts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Track {
    /// The pair.
    pub instrument: Instrument,
    /// The length of its bars.
    pub granularity: Granularity,
}

/// A feature of one pair, as a plan reads it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FeatureTrack {
    /// The pair.
    pub instrument: Instrument,
    /// What is told of it.
    pub feature: Feature,
}

/// Everything that shapes a run beside plan and prices. Built and checked at the edge; the engine trusts it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// What is traded, in the order in which the strategy is asked at equal times. One account holds them all.
    pub tracks: Vec<Track>,
    /// Prices that are only converted by.
    pub rates: Vec<Track>,
    /// Other instruments that the strategy reads, each with bars as long as those that it reads them beside.
    #[serde(default)]
    pub references: Vec<Track>,
    /// What the strategy reads of its own pairs beside bars.
    #[serde(default)]
    pub features: Vec<FeatureTrack>,
    /// The account.
    pub account: Account,
    /// Decisions begin at the first bar at or after this; earlier bars warm the indicators.
    pub start: UnixNanos,
    /// When market orders fill.
    pub fill: FillTime,
    /// Which exit comes first inside a bar.
    pub fill_policy: IntrabarPolicy,
    /// Finer bars that show the path inside each bar where there are any.
    pub intrabar: Option<Granularity>,
    /// Modelled spread.
    pub spread: SpreadModel,
    /// Commission.
    pub commission: Commission,
    /// Slippage.
    pub slippage: Slippage,
    /// Rollover rates; without a table rollover is zero.
    pub financing: Option<FinancingTable>,
    /// Entries on the side already held that are allowed on top of the first.
    pub pyramiding: u32,
    /// A price older than this converts nothing, in hours.
    pub rate_age_hours_max: u32,
    /// A feature's value that was available longer ago than this is not decided by, in hours.
    #[serde(default = "features_age_hours_default")]
    pub features_age_hours_max: u32,
    /// The seed of random slippage.
    pub seed: u64,
}

/// Age of a conversion price at most, in hours: a weekend and a holiday.
pub const RATE_AGE_HOURS_DEFAULT: u32 = 72;

/// Age of a feature's value at most, in hours: a week. Daily values pass over weekends and holidays, and a service that
/// was silent for a week of trading is noticed.
pub const FEATURES_AGE_HOURS_DEFAULT: u32 = 168;

/// Series of features of one run, at most: each feature of a plan for each track.
pub const FEATURES_MAX: usize = TRACKS_MAX * fx_strategy::limits::FEATURES_MAX;

const fn features_age_hours_default() -> u32 {
    FEATURES_AGE_HOURS_DEFAULT
}

impl RunConfig {
    /// A run on one instrument without costs: fills at the next open, the pessimistic policy, an account as
    /// [`Account::new`] has it.
    #[must_use]
    pub fn new(instrument: Instrument, granularity: Granularity, capital: Money) -> Self {
        Self {
            tracks: vec![Track { instrument, granularity }],
            rates: Vec::new(),
            references: Vec::new(),
            features: Vec::new(),
            account: Account::new(capital),
            start: UnixNanos::new(i64::MIN),
            fill: FillTime::default(),
            fill_policy: IntrabarPolicy::default(),
            intrabar: None,
            spread: SpreadModel::default(),
            commission: Commission::default(),
            slippage: Slippage::default(),
            financing: None,
            pyramiding: 0,
            rate_age_hours_max: RATE_AGE_HOURS_DEFAULT,
            features_age_hours_max: FEATURES_AGE_HOURS_DEFAULT,
            seed: 0,
        }
    }

    /// Checks what the types leave open.
    ///
    /// # Errors
    /// [`EngineError::Config`] names the first field that no run can have.
    pub fn validate(&self) -> Result<(), EngineError> {
        let account = &self.account;
        let same = account.capital.currency() == account.currency;
        let percent = |value: f64| value.is_finite() && value >= 0.0;
        let levered = account.leverage > 0.0 && account.leverage.is_finite();
        let ordered = account.stop_out_percent <= account.margin_call_percent;
        let finer =
            self.intrabar.is_none_or(|finer| self.tracks.iter().all(|track| finer < track.granularity));
        let distinct: BTreeSet<_> = self.tracks.iter().chain(&self.rates).collect();
        let checks = [
            ((1..=TRACKS_MAX).contains(&self.tracks.len()), "tracks", "must be between 1 and 64"),
            (self.rates.len() <= TRACKS_MAX, "rates", "must be 64 at most"),
            (self.references.len() <= REFERENCES_MAX, "references", "must be 64 at most"),
            (self.features.len() <= FEATURES_MAX, "features", "must be 64 for each track at most"),
            (
                distinct.len() == self.tracks.len() + self.rates.len(),
                "tracks",
                "must not name a series twice",
            ),
            (same, "initial_capital", "must be in the account currency"),
            (account.capital.micros() > 0, "initial_capital", "must be above zero"),
            (self.spread_holds(), "spread", "must be zero or above, and a fraction below one"),
            (self.commission_holds(), "commission", "must be zero or above, and a rate below one"),
            (self.slippage_holds(), "slippage", "must be zero or above, and a share of one at most"),
            (levered, "leverage", "must be a finite number above zero"),
            (percent(account.margin_call_percent), "margin_call_pct", "must be zero or above"),
            (percent(account.stop_out_percent), "stop_out.level_pct", "must be zero or above"),
            (ordered, "stop_out.level_pct", "must not be above margin_call_pct"),
            (finer, "intrabar", "must be finer than the bars that are traded on"),
        ];
        match checks.into_iter().find(|(holds, ..)| !holds) {
            Some((_, field, reason)) => Err(EngineError::Config { field, reason }),
            None => Ok(()),
        }
    }

    /// Checks that every track has what `plan` reads beside its own bars.
    pub(crate) fn check_feeds(&self, plan: &Plan) -> Result<(), EngineError> {
        for feature in &plan.features {
            for Track { instrument, .. } in &self.tracks {
                let wanted = FeatureTrack { instrument: *instrument, feature: feature.clone() };
                if !self.features.contains(&wanted) {
                    return Err(EngineError::NoFeature(wanted));
                }
            }
        }
        for feed in plan.feeds() {
            for track in &self.tracks {
                let own = track.granularity;
                if let Some(wanted) = feed.granularity.filter(|_| !feed.fits(own)) {
                    return Err(EngineError::Timeframe { wanted, own });
                }
                if let Some(instrument) = feed.instrument
                    && !self.references.contains(&Track { instrument, granularity: own })
                {
                    return Err(EngineError::NoReference { instrument });
                }
            }
        }
        Ok(())
    }

    fn spread_holds(&self) -> bool {
        match self.spread {
            SpreadModel::Measured => true,
            SpreadModel::Pips(pips) => self.are_distances(&[pips]),
            SpreadModel::ByHour(pips) => self.are_distances(&pips),
            SpreadModel::RelativeOnEntry(fraction) | SpreadModel::Relative(fraction) => within(fraction, 1.0),
        }
    }

    fn commission_holds(&self) -> bool {
        match self.commission {
            Commission::None => true,
            Commission::PerLot(amount) | Commission::PerUnit(amount) => within(amount, COMMISSION_MAX),
            Commission::PerNotional { rate, minimum } => within(rate, 1.0) && within(minimum, COMMISSION_MAX),
        }
    }

    fn slippage_holds(&self) -> bool {
        match self.slippage {
            Slippage::None => true,
            Slippage::Pips(pips) | Slippage::Random(pips) => self.are_distances(&[pips]),
            Slippage::SpreadShare(share) => (0.0..=1.0).contains(&share),
        }
    }

    /// Whether they are distances that the engine computes with, on every track.
    fn are_distances(&self, pips: &[f64]) -> bool {
        self.tracks.iter().chain(&self.rates).chain(&self.references).all(|track| {
            pips.iter().all(|pips| {
                let distance = Pips(*pips).to_price(&track.instrument);
                distance.is_some_and(|distance| distance >= Price::ZERO && distance <= PRICE_MAX)
            })
        })
    }

    /// Units of one lot of a track, as a float.
    pub(crate) fn lot_units(&self, track: usize) -> f64 {
        self.tracks[track].instrument.lot_units().get() as f64
    }
}

fn within(value: f64, below: f64) -> bool {
    value >= 0.0 && value < below
}
