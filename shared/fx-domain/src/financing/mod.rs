//! What holding a position over 17:00 New York pays or costs.

mod csv;

use crate::calendar::{roll_days, trading_day_ending_at};
use crate::{Currency, Instrument, Side, UnixNanos};
use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Rows of one table, at most.
const ROWS_MAX: usize = 100_000;
/// Characters of a table's name, at most.
const NAME_CHARACTERS_MAX: usize = 64;
/// The largest rate, of any unit, on either side of zero.
const RATE_MAX: f64 = 1e9;
/// Days that one rollover may be overridden to, at most.
const DAY_WEIGHT_MAX: u32 = 31;

/// A rate of rollover for one side of a pair: received when positive, paid when negative.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SwapRate {
    /// Points (tenths of a pip, one [tick](Instrument::tick)) of the quote currency per unit and day.
    Points(f64),
    /// Percent of the position's value in a year of so many days.
    AnnualPercent {
        /// Percent a year.
        percent: f64,
        /// Days that make the year.
        days_in_year: DayCount,
    },
    /// Money per lot and day.
    PerLot {
        /// Amount per lot.
        amount: f64,
        /// Its currency; none for the account's.
        currency: Option<Currency>,
    },
}

/// Days in the year of an annual rate. Actual days are counted against it: ACT/360 or ACT/365 (fixed).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub enum DayCount {
    /// ACT/360: money markets of most currencies.
    Actual360,
    /// ACT/365 (fixed): GBP, AUD, NZD, CAD and others.
    Actual365,
}

impl DayCount {
    /// 360 or 365.
    #[must_use]
    pub const fn days(self) -> u16 {
        match self {
            Self::Actual360 => 360,
            Self::Actual365 => 365,
        }
    }
}

impl TryFrom<u16> for DayCount {
    type Error = FinancingError;
    fn try_from(days: u16) -> Result<Self, FinancingError> {
        match days {
            360 => Ok(Self::Actual360),
            365 => Ok(Self::Actual365),
            other => Err(FinancingError::DayCount(other)),
        }
    }
}

impl From<DayCount> for u16 {
    fn from(count: DayCount) -> Self {
        count.days()
    }
}

/// The rates of one pair from a trading day on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FinancingRow {
    /// The pair.
    pub instrument: Instrument,
    /// The first trading day that ends in a rollover at these rates.
    pub from: Date,
    /// For a long position.
    pub long: SwapRate,
    /// For a short position. Not the negative of `long`: the two differ by the markup.
    pub short: SwapRate,
}

/// Days charged at the rollovers of a week, Monday to Friday, instead of those between value dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "[u32; 5]", into = "[u32; 5]")]
pub struct DayWeights([u32; 5]);

impl DayWeights {
    /// The days at the rollovers that end Monday, Tuesday, …, Friday.
    ///
    /// # Errors
    /// [`FinancingError::DayWeight`] for more than 31 days at one rollover.
    pub fn new(monday_to_friday: [u32; 5]) -> Result<Self, FinancingError> {
        match monday_to_friday.into_iter().find(|days| *days > DAY_WEIGHT_MAX) {
            Some(days) => Err(FinancingError::DayWeight(days)),
            None => Ok(Self(monday_to_friday)),
        }
    }

    fn on(self, weekday: Weekday) -> u32 {
        self.0.get(weekday.to_monday_zero_offset() as usize).copied().unwrap_or(0)
    }
}

impl TryFrom<[u32; 5]> for DayWeights {
    type Error = FinancingError;
    fn try_from(monday_to_friday: [u32; 5]) -> Result<Self, FinancingError> {
        Self::new(monday_to_friday)
    }
}

impl From<DayWeights> for [u32; 5] {
    fn from(weights: DayWeights) -> Self {
        weights.0
    }
}

/// Where a row of a table came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowPlace {
    /// Its index in a list of rows.
    Index(usize),
    /// Its line in a text, from 1.
    Line(u64),
}

/// `rows[3]` or `line 4`.
impl fmt::Display for RowPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "rows[{index}]"),
            Self::Line(line) => write!(f, "line {line}"),
        }
    }
}

/// What is wrong with a table of rates.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FinancingError {
    /// The name is empty or too long.
    #[error("name: expected 1 to {NAME_CHARACTERS_MAX} characters")]
    Name,
    /// No rows, or too many.
    #[error("rows: expected 1 to {ROWS_MAX}, got {0}")]
    RowCount(usize),
    /// A field of a row is wrong.
    #[error("{place}: {field}: {problem}")]
    Field {
        /// The row.
        place: RowPlace,
        /// The field, by its column's name.
        field: &'static str,
        /// What is wrong, and what was expected.
        problem: String,
    },
    /// Two rows of a pair begin on the same day.
    #[error("{second}: from: {first} already has rates of {instrument} from {from}")]
    Duplicate {
        /// The row that was there.
        first: RowPlace,
        /// The row that repeats it.
        second: RowPlace,
        /// The pair.
        instrument: Instrument,
        /// The day.
        from: Date,
    },
    /// The header of a text is wrong.
    #[error("line {line}: {problem}")]
    Header {
        /// The line, from 1.
        line: u64,
        /// What is wrong, and what was expected.
        problem: String,
    },
    /// A year of other than 360 or 365 days.
    #[error("day_count: expected 360 or 365, got {0}")]
    DayCount(u16),
    /// Too many days at one rollover.
    #[error("day_weights: expected at most {DAY_WEIGHT_MAX} days at a rollover, got {0}")]
    DayWeight(u32),
    /// Day weights of a pair that has no rates.
    #[error("day_weights: {0} has no rates in the table")]
    DayWeightsWithoutRates(Instrument),
}

/// Rates of rollover of one broker, by pair, side and day.
///
/// Every pair has the rates of its latest row whose day has come, so that a pair with rates at one rollover has rates at
/// every later one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "FinancingTableForm")]
pub struct FinancingTable {
    name: String,
    /// Ascending by pair, then day.
    rows: Vec<FinancingRow>,
    day_weights: BTreeMap<Instrument, DayWeights>,
}

/// The fields of a table before they are checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FinancingTableForm {
    name: String,
    rows: Vec<FinancingRow>,
    #[serde(default)]
    day_weights: BTreeMap<Instrument, DayWeights>,
}

impl TryFrom<FinancingTableForm> for FinancingTable {
    type Error = FinancingError;
    fn try_from(form: FinancingTableForm) -> Result<Self, FinancingError> {
        let table = Self::new(form.name, form.rows)?;
        form.day_weights
            .into_iter()
            .try_fold(table, |table, (pair, weights)| table.with_day_weights(pair, weights))
    }
}

impl FinancingTable {
    /// A table of these rows, in any order.
    ///
    /// # Errors
    /// [`FinancingError`], naming the row and field, for a name that is empty or longer than 64 characters, no or more
    /// than 100 000 rows, a rate that is not finite or beyond ±1e9, and two rows of a pair from the same day.
    pub fn new(name: impl Into<String>, rows: Vec<FinancingRow>) -> Result<Self, FinancingError> {
        Self::from_places(
            name.into(),
            rows.into_iter().enumerate().map(|(at, row)| (RowPlace::Index(at), row)),
        )
    }

    fn from_places(
        name: String,
        rows: impl Iterator<Item = (RowPlace, FinancingRow)>,
    ) -> Result<Self, FinancingError> {
        if name.is_empty() || name.chars().count() > NAME_CHARACTERS_MAX {
            return Err(FinancingError::Name);
        }
        let mut rows: Vec<_> = rows.collect();
        if rows.is_empty() || rows.len() > ROWS_MAX {
            return Err(FinancingError::RowCount(rows.len()));
        }
        rows.iter().try_for_each(|(place, row)| check_rates(*place, row))?;
        // Stable, so that the second of two equal rows is the one that came later.
        rows.sort_by_key(|(_, row)| (row.instrument, row.from));
        for ((first, row), (second, next)) in rows.iter().zip(rows.iter().skip(1)) {
            if (row.instrument, row.from) == (next.instrument, next.from) {
                let (first, second) = (*first, *second);
                return Err(FinancingError::Duplicate {
                    first,
                    second,
                    instrument: row.instrument,
                    from: row.from,
                });
            }
        }
        let rows = rows.into_iter().map(|(_, row)| row).collect();
        Ok(Self { name, rows, day_weights: BTreeMap::new() })
    }

    /// Charges `weights` at the rollovers of `instrument`, holidays or not, instead of the days between value dates.
    ///
    /// # Errors
    /// [`FinancingError::DayWeightsWithoutRates`] for a pair that is not in the table.
    pub fn with_day_weights(
        mut self,
        instrument: Instrument,
        weights: DayWeights,
    ) -> Result<Self, FinancingError> {
        if !self.rows.iter().any(|row| row.instrument == instrument) {
            return Err(FinancingError::DayWeightsWithoutRates(instrument));
        }
        self.day_weights.insert(instrument, weights);
        Ok(self)
    }

    /// The table's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The rows, ascending by pair, then day.
    #[must_use]
    pub fn rows(&self) -> &[FinancingRow] {
        &self.rows
    }

    /// The rate of a side at a rollover: of the latest row whose day is at or before the trading day that ends there.
    /// `None` where there is no such row, and where the instant is no rollover.
    #[must_use]
    pub fn swap(&self, instrument: &Instrument, side: Side, rollover: UnixNanos) -> Option<SwapRate> {
        let day = trading_day_ending_at(rollover)?;
        let begun = self.rows.partition_point(|row| (row.instrument, row.from) <= (*instrument, day));
        let row = self.rows.get(begun.checked_sub(1)?).filter(|row| row.instrument == *instrument)?;
        Some(match side {
            Side::Long => row.long,
            Side::Short => row.short,
        })
    }

    /// Days charged at a rollover: the pair's own [`DayWeights`] where it has them, else [`roll_days`]. 0 where the
    /// instant is no rollover.
    #[must_use]
    pub fn days(&self, instrument: &Instrument, rollover: UnixNanos) -> u32 {
        match self.day_weights.get(instrument) {
            Some(weights) => trading_day_ending_at(rollover).map_or(0, |day| weights.on(day.weekday())),
            None => roll_days(instrument, rollover),
        }
    }
}

fn check_rates(place: RowPlace, row: &FinancingRow) -> Result<(), FinancingError> {
    for (field, rate) in [("long", row.long), ("short", row.short)] {
        let (SwapRate::Points(number)
        | SwapRate::AnnualPercent { percent: number, .. }
        | SwapRate::PerLot { amount: number, .. }) = rate;
        // Written so that a number that is none fails too.
        if !(-RATE_MAX..=RATE_MAX).contains(&number) {
            let problem = format!("expected a number from -{RATE_MAX:e} to {RATE_MAX:e}, got {number}");
            return Err(FinancingError::Field { place, field, problem });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
