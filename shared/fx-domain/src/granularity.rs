//! Bar lengths.

use crate::{NANOS_PER_DAY, NANOS_PER_HOUR, NANOS_PER_MINUTE};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The length of a bar. Bars are stamped by their open, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Granularity {
    /// One minute.
    M1,
    /// Five minutes.
    M5,
    /// Fifteen minutes.
    M15,
    /// Thirty minutes.
    M30,
    /// One hour.
    H1,
    /// Four hours, anchored at 17:00 New York.
    H4,
    /// One trading day, ending 17:00 New York.
    D1,
    /// One trading week, ending Friday 17:00 New York.
    W1,
}

/// A text that names no granularity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown timeframe `{0}`: expected one of 1m 5m 15m 30m 1h 4h 1d 1w (or M1 M5 M15 M30 H1 H4 D1 W1)")]
pub struct UnknownGranularity(pub String);

impl Granularity {
    /// All of them, shortest first.
    pub const ALL: [Self; 8] =
        [Self::M1, Self::M5, Self::M15, Self::M30, Self::H1, Self::H4, Self::D1, Self::W1];

    /// The nominal length. A day or week across a change of New York's clocks is an hour shorter or longer.
    #[must_use]
    pub const fn nominal_nanos(self) -> i64 {
        match self {
            Self::M1 => NANOS_PER_MINUTE,
            Self::M5 => 5 * NANOS_PER_MINUTE,
            Self::M15 => 15 * NANOS_PER_MINUTE,
            Self::M30 => 30 * NANOS_PER_MINUTE,
            Self::H1 => NANOS_PER_HOUR,
            Self::H4 => 4 * NANOS_PER_HOUR,
            Self::D1 => NANOS_PER_DAY,
            Self::W1 => 7 * NANOS_PER_DAY,
        }
    }

    /// `1m`, `1h`, `1d`, …
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::M1 => "1m",
            Self::M5 => "5m",
            Self::M15 => "15m",
            Self::M30 => "30m",
            Self::H1 => "1h",
            Self::H4 => "4h",
            Self::D1 => "1d",
            Self::W1 => "1w",
        }
    }
}

impl FromStr for Granularity {
    type Err = UnknownGranularity;
    /// Reads `1h` or `H1`. `1M` is refused rather than guessed: it could be a month.
    fn from_str(text: &str) -> Result<Self, UnknownGranularity> {
        Self::ALL
            .into_iter()
            .find(|candidate| candidate.as_str() == text || format!("{candidate:?}") == text)
            .ok_or_else(|| UnknownGranularity(text.to_owned()))
    }
}

impl TryFrom<String> for Granularity {
    type Error = UnknownGranularity;
    fn try_from(text: String) -> Result<Self, UnknownGranularity> {
        text.parse()
    }
}

impl From<Granularity> for String {
    fn from(granularity: Granularity) -> Self {
        granularity.as_str().to_owned()
    }
}

impl fmt::Display for Granularity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_read_and_a_month_is_refused() {
        for granularity in Granularity::ALL {
            assert_eq!(granularity.as_str().parse(), Ok(granularity));
            assert_eq!(format!("{granularity:?}").parse(), Ok(granularity));
        }
        assert!("1M".parse::<Granularity>().is_err());
    }
}
