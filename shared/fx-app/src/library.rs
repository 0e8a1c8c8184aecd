//! The strategies that ship with the platform: files of the language, read once at start, visible to everybody.

use crate::records::{Parameters, RECORD_SCHEMA, StrategyVersion};
use crate::strategies::version_digest;
use fx_domain::{Digest, Granularity, Instrument, Principal, StrategyId, UnixNanos};
use std::collections::BTreeMap;

/// The bars that a library strategy sees unless a request says otherwise.
const TIMEFRAME: Granularity = Granularity::H1;
/// The pair that a library strategy trades.
const INSTRUMENT: &str = "EUR/USD";
/// The owner of the library: a principal that no key has.
const OWNER: &str = "platform";

/// One strategy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// File name without its ending: the strategy's id.
    pub stem: String,
    /// Its text, or why it cannot be read.
    pub source: Result<String, String>,
}

/// A file that could not be taken into the library, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadFailure {
    /// File name without its ending.
    pub stem: String,
    /// What is wrong with it.
    pub reason: String,
}

/// The strategies that ship with the platform.
#[derive(Clone, Debug, Default)]
pub struct StrategyLibrary {
    entries: BTreeMap<StrategyId, StrategyVersion>,
    failures: Vec<LoadFailure>,
}

impl StrategyLibrary {
    /// Compiles every file. A broken one is reported and left out; the sound ones are served.
    #[must_use]
    pub fn load(files: impl IntoIterator<Item = SourceFile>) -> Self {
        let mut library = Self::default();
        for file in files {
            match entry(&file) {
                Ok(version) => {
                    library.entries.insert(version.id.clone(), version);
                }
                Err(reason) => library.failures.push(LoadFailure { stem: file.stem, reason }),
            }
        }
        library
    }

    /// The strategies, by id.
    pub fn entries(&self) -> impl Iterator<Item = &StrategyVersion> {
        self.entries.values()
    }

    /// The files that could not be taken.
    #[must_use]
    pub fn failures(&self) -> &[LoadFailure] {
        &self.failures
    }

    /// One strategy; of a named version only if it is this one.
    #[must_use]
    pub fn get(&self, id: &StrategyId, version: Option<&Digest>) -> Option<&StrategyVersion> {
        self.entries.get(id).filter(|entry| version.is_none_or(|wanted| *wanted == entry.version))
    }
}

fn entry(file: &SourceFile) -> Result<StrategyVersion, String> {
    let source = file.source.as_ref().map_err(Clone::clone)?;
    let id = StrategyId::parse(&file.stem).map_err(|error| error.to_string())?;
    let owner = Principal::parse(OWNER).map_err(|error| error.to_string())?;
    let instruments = vec![Instrument::parse(INSTRUMENT).map_err(|error| error.to_string())?];
    let parameters = Parameters::new();
    let compiled = fx_strategy::compile(source, &parameters).map_err(|error| error.to_string())?;
    Ok(StrategyVersion {
        schema: RECORD_SCHEMA,
        version: version_digest(source, &parameters, &instruments, TIMEFRAME),
        id,
        owner,
        name: compiled.name,
        description: compiled.description,
        instruments,
        timeframe: TIMEFRAME,
        parameters,
        source: source.clone(),
        plan_hash: compiled.plan.hash(),
        created_at: UnixNanos::new(0),
    })
}
