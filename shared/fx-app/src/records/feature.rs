//! What other services told, as it is stored.

use crate::ports::Versioned;
use fx_domain::{DatasetName, Digest, Granularity, Instrument, UnixNanos};
use fx_strategy::Feature;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What another service tells of a pair: where from, of which, and what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FeatureKey {
    /// The source: features go with the bars of the data set of this name.
    pub dataset: DatasetName,
    /// The pair.
    pub instrument: Instrument,
    /// What.
    pub told: Told,
}

/// What is told. Regimes and patterns are those of bars of one length.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// A feature, by its name.
    Feature(String),
    /// How sure it is of a pattern.
    Pattern(String, Granularity),
    /// The market regime.
    Regime(Granularity),
}

impl Told {
    /// What a strategy on bars of `timeframe` reads by `feature`.
    #[must_use]
    pub fn read_by(feature: &Feature, timeframe: Granularity) -> Self {
        match feature {
            Feature::Named(name) => Self::Feature(name.clone()),
            Feature::Pattern(name) => Self::Pattern(name.clone(), timeframe),
            Feature::Regime(_) => Self::Regime(timeframe),
        }
    }

    /// Checks the name of a feature or a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::Feature(name) => Feature::Named(name.clone()).check_name(),
            Self::Pattern(name, _) => Feature::Pattern(name.clone()).check_name(),
            Self::Regime(_) => Ok(()),
        }
    }

    /// Checks a name that a regime takes.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_regime(name: &str) -> Result<(), String> {
        Feature::Regime(name.to_owned()).check_name()
    }

    /// `feature`, `pattern` or `regime`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Feature(_) => "feature",
            Self::Pattern(..) => "pattern",
            Self::Regime(_) => "regime",
        }
    }

    /// The name of a feature or a pattern.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Feature(name) | Self::Pattern(name, _) => Some(name),
            Self::Regime(_) => None,
        }
    }

    /// The length of the bars that a pattern or a regime is of.
    #[must_use]
    pub const fn timeframe(&self) -> Option<Granularity> {
        match self {
            Self::Feature(_) => None,
            Self::Pattern(_, timeframe) | Self::Regime(timeframe) => Some(*timeframe),
        }
    }
}

/// `default/EUR_USD/feature/sentiment`, `default/EUR_USD/pattern/1h/double_top`, `default/EUR_USD/regime/1h`: a valid
/// beginning of a blob key.
impl fmt::Display for FeatureKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.dataset, self.instrument.key(), self.told.kind())?;
        match &self.told {
            Told::Feature(name) => write!(f, "/{name}"),
            Told::Pattern(name, timeframe) => write!(f, "/{timeframe}/{name}"),
            Told::Regime(timeframe) => write!(f, "/{timeframe}"),
        }
    }
}

/// One version of what was told. `version` is the digest of its values' stored form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureVersion {
    /// Form of this record, [`RECORD_SCHEMA`](crate::records::RECORD_SCHEMA).
    pub schema: u16,
    /// What.
    pub series: FeatureKey,
    /// Digest of the blob's bytes.
    pub version: Digest,
    /// Key of the values in the blob store.
    pub blob_key: String,
    /// How many values.
    pub rows: u64,
    /// When the first was available.
    pub first: UnixNanos,
    /// When the last was available.
    pub last: UnixNanos,
    /// The names that a regime takes, each once, in order; none of numbers.
    pub names: Vec<String>,
    /// When it was stored.
    pub created_at: UnixNanos,
}

impl Versioned for FeatureVersion {
    type Key = FeatureKey;
    const KIND: &'static str = "FEATURE";
    fn key(&self) -> &FeatureKey {
        &self.series
    }
    fn version(&self) -> &Digest {
        &self.version
    }
}
