//! The strategies that ship with the platform: files of the language, visible to everybody. A library is a value: when
//! files change, the next one is made of it, and whoever reads the old one finishes with it.

use crate::records::{Parameters, RECORD_SCHEMA, StrategyVersion};
use crate::strategies::{admit, version_digest};
use crate::validation::Candidate;
use fx_domain::{Digest, PlatformError, Principal, StrategyId, UnixNanos};
use std::collections::BTreeMap;

/// The owner of the library: a principal that no key has.
const OWNER: &str = "platform";
/// Versions of one strategy that are kept behind the one that is served, so that results of before still find theirs.
const EARLIER_MAX: usize = 16;

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
    /// What is wrong with it, in one line.
    pub reason: String,
    /// Whether an earlier, sound version of it is served instead.
    pub served: bool,
}

/// The strategies that ship with the platform.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StrategyLibrary {
    entries: BTreeMap<StrategyId, StrategyVersion>,
    /// What was served before, oldest first.
    earlier: BTreeMap<StrategyId, Vec<StrategyVersion>>,
    failures: Vec<LoadFailure>,
}

impl StrategyLibrary {
    /// Compiles every file and shows that it does not look ahead. A broken one is reported and left out; the sound ones
    /// are served.
    #[must_use]
    pub fn load(files: impl IntoIterator<Item = SourceFile>) -> Self {
        Self::default().reloaded(files)
    }

    /// The library of `files`, after this one. A file that is broken now keeps its last sound version and is reported; a
    /// file that is gone takes its strategy along; versions that are no longer served stay readable by name.
    #[must_use]
    pub fn reloaded(&self, files: impl IntoIterator<Item = SourceFile>) -> Self {
        let mut next = Self { earlier: self.earlier.clone(), ..Self::default() };
        for file in files {
            let before = StrategyId::parse(&file.stem).ok().and_then(|id| self.entries.get(&id));
            let entry = match before {
                Some(before) if file.source.as_ref() == Ok(&before.source) => Ok(before.clone()),
                _ => entry(&file),
            };
            let served = match entry {
                Ok(version) => Some(version),
                Err(reason) => {
                    next.failures.push(LoadFailure { stem: file.stem, reason, served: before.is_some() });
                    before.cloned()
                }
            };
            next.entries.extend(served.map(|version| (version.id.clone(), version)));
        }
        for (id, before) in &self.entries {
            next.earlier.entry(id.clone()).or_default().push(before.clone());
        }
        for (id, earlier) in &mut next.earlier {
            let now = next.entries.get(id).map(|entry| entry.version);
            earlier.retain(|kept| now != Some(kept.version));
            earlier.drain(..earlier.len().saturating_sub(EARLIER_MAX));
        }
        next.earlier.retain(|_, earlier| !earlier.is_empty());
        next
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

    /// One strategy: what is served now, or a named version, also one of before.
    #[must_use]
    pub fn get(&self, id: &StrategyId, version: Option<&Digest>) -> Option<&StrategyVersion> {
        match version {
            None => self.entries.get(id),
            Some(version) => self.versions(id).find(|kept| kept.version == *version),
        }
    }

    /// All versions of a strategy that are known, oldest first.
    pub fn versions(&self, id: &StrategyId) -> impl Iterator<Item = &StrategyVersion> {
        self.earlier.get(id).into_iter().flatten().chain(self.entries.get(id))
    }
}

fn entry(file: &SourceFile) -> Result<StrategyVersion, String> {
    let source = file.source.as_ref().map_err(Clone::clone)?;
    let id = StrategyId::parse(&file.stem).map_err(|error| error.to_string())?;
    let owner = Principal::parse(OWNER).map_err(|error| error.to_string())?;
    let candidate = Candidate { code: source.clone(), ..Candidate::default() };
    let (compiled, causality) = admit(&candidate).map_err(|error| in_one_line(&error))?;
    let (instruments, timeframe) = (vec![candidate.track.instrument], candidate.track.granularity);
    let parameters = Parameters::new();
    Ok(StrategyVersion {
        schema: RECORD_SCHEMA,
        version: version_digest(source, &parameters, &instruments, timeframe),
        id,
        owner,
        name: compiled.name,
        description: compiled.description,
        instruments,
        timeframe,
        parameters,
        source: source.clone(),
        plan_hash: compiled.plan.hash(),
        causality: Some(causality),
        created_at: UnixNanos::new(0),
    })
}

/// The first thing that is wrong and where, and how many there are; not the source.
fn in_one_line(error: &PlatformError) -> String {
    match error.issues() {
        [] => error.message().to_owned(),
        [only] => only.to_string(),
        [first, more @ ..] => format!("{first} (and {} more)", more.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(stem: &str, source: &str) -> SourceFile {
        SourceFile { stem: stem.to_owned(), source: Ok(source.to_owned()) }
    }

    /// A strategy that targets so many units.
    fn target(units: u32) -> String {
        format!("class S(Strategy):\n    def analyze(self, data):\n        return target(units={units})\n")
    }

    fn id(stem: &str) -> StrategyId {
        StrategyId::parse(stem).unwrap()
    }

    #[test]
    fn a_broken_file_is_reported_and_the_sound_ones_are_served() {
        let unreadable = SourceFile { stem: "c".to_owned(), source: Err("is not UTF-8".to_owned()) };
        let library = StrategyLibrary::load([
            file("a", &target(1)),
            file(
                "b",
                "class S(Strategy):\n    def analyze(self, data):\n        x = nothing\n        return nobody\n",
            ),
            unreadable,
        ]);
        assert_eq!(library.entries().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), ["a"]);
        let reasons: Vec<_> = library.failures().iter().map(|failure| failure.reason.as_str()).collect();
        assert_eq!(reasons, ["3:13: unknown name `nothing` (and 1 more)", "is not UTF-8"]);
        assert!(library.failures().iter().all(|failure| !failure.served));
        assert!(library.get(&id("a"), None).unwrap().causality.is_some());
    }

    #[test]
    fn a_file_that_breaks_keeps_its_last_sound_version_until_it_is_mended() {
        let first = StrategyLibrary::load([file("a", &target(1)), file("b", &target(2))]);
        let half = StrategyLibrary::reloaded(&first, [file("a", &target(1)), file("b", &target(3)[..40])]);
        assert_eq!(half.get(&id("b"), None), first.get(&id("b"), None));
        assert!(matches!(half.failures(), [failure] if failure.stem == "b" && failure.served));
        let mended = half.reloaded([file("a", &target(1)), file("b", &target(3))]);
        assert!(mended.failures().is_empty());
        assert_ne!(mended.get(&id("b"), None), first.get(&id("b"), None));
        let old = first.get(&id("b"), None).unwrap();
        assert_eq!(mended.get(&id("b"), Some(&old.version)), Some(old));
        assert_eq!(mended.versions(&id("b")).count(), 2);
    }

    #[test]
    fn a_file_that_is_gone_takes_its_strategy_along_and_leaves_its_version() {
        let first = StrategyLibrary::load([file("a", &target(1))]);
        let gone = first.reloaded([]);
        let old = first.get(&id("a"), None).unwrap();
        assert_eq!((gone.get(&id("a"), None), gone.get(&id("a"), Some(&old.version))), (None, Some(old)));
        let back = gone.reloaded([file("a", &target(1))]);
        assert_eq!(back.versions(&id("a")).collect::<Vec<_>>(), [old]);
    }

    #[test]
    fn versions_of_before_are_kept_up_to_the_limit() {
        let library = (0..40)
            .fold(StrategyLibrary::default(), |library, units| library.reloaded([file("a", &target(units))]));
        assert_eq!(library.versions(&id("a")).count(), EARLIER_MAX + 1);
        assert_eq!(library, library.reloaded([file("a", &target(39))]), "nothing changed");
    }
}
