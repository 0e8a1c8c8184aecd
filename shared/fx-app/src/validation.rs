//! The linter: everything that can be said of a source without storing it.

use crate::App;
use crate::records::{Causality, Parameters};
use crate::strategies::{off_thread, timeframe_fault};
use fx_domain::{Digest, Granularity, Instrument, NANOS_PER_DAY, PlatformResult};
use fx_engine::CausalityFault;
use fx_strategy::{Checked, Compiled, Feature, Plan};

pub use fx_engine::Track;
pub use fx_strategy::{Diagnostic as Finding, ParameterSpec, Severity};

/// What is to be looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The source.
    pub code: String,
    /// Overrides of its parameters.
    pub parameters: Parameters,
    /// Its first pair and its timeframe. What else it reads must fit them, and on such bars it is shown not to look ahead.
    pub track: Track,
}

/// No source, for hourly bars of EUR/USD.
impl Default for Candidate {
    fn default() -> Self {
        let track = Track { instrument: Instrument::EUR_USD, granularity: Granularity::H1 };
        Self { code: String::new(), parameters: Parameters::new(), track }
    }
}

/// What a source is found to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    /// Errors and warnings, in the order of the source.
    pub findings: Vec<Finding>,
    /// What it would run as, when there is no error.
    pub outline: Option<Outline>,
}

/// What a strategy would run as.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// The name of its class.
    pub name: String,
    /// The docstring of its class.
    pub description: Option<String>,
    /// Its parameters, in the order of the source.
    pub parameters: Vec<ParameterSpec>,
    /// The value of each, overrides applied.
    pub effective: Parameters,
    /// What it reads beside its own bars.
    pub reads: Reads,
    /// Its own bars that must precede a decision for every indicator to be defined.
    pub warm_up_bars: u64,
    /// How long before those bars prices are read for the other timeframes and instruments, weekends counted; 0 where it
    /// reads none.
    pub warm_up_lead_nanos: i64,
    /// How large its plan is.
    pub plan: PlanSize,
    /// Bars of one track that a core runs in a second, by the engine's cost model.
    pub estimated_bars_per_second: u64,
    /// That no decision depends on later bars, and on what that was shown.
    pub causality: Causality,
}

/// What a strategy reads beside its own bars, each once, in order of appearance. What no decision and no recorded series
/// depends on is not read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Longer timeframes, of any instrument.
    pub timeframes: Vec<Granularity>,
    /// Other instruments.
    pub instruments: Vec<Instrument>,
    /// The names of features.
    pub features: Vec<String>,
    /// The names of patterns.
    pub patterns: Vec<String>,
    /// The names that the regime is compared with.
    pub regimes: Vec<String>,
}

/// How large a plan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanSize {
    /// Steps.
    pub nodes: usize,
    /// Ways to decide.
    pub rules: usize,
    /// Recorded series.
    pub recordings: usize,
    /// Bytes of its stored form.
    pub bytes: usize,
    /// Its content address.
    pub hash: Digest,
}

impl Validation {
    /// Whether the source is a strategy: there is no error.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.outline.is_some()
    }

    /// How many errors and how many warnings there are.
    #[must_use]
    pub fn counts(&self) -> [usize; 2] {
        [Severity::Error, Severity::Warning]
            .map(|severity| self.findings.iter().filter(|found| found.severity == severity).count())
    }
}

impl Reads {
    /// By `plan`.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let mut reads = Self::default();
        for feed in plan.feeds() {
            add(&mut reads.timeframes, feed.granularity);
            add(&mut reads.instruments, feed.instrument);
        }
        for feature in &plan.features {
            let names = match feature {
                Feature::Named(_) => &mut reads.features,
                Feature::Pattern(_) => &mut reads.patterns,
                Feature::Regime(_) => &mut reads.regimes,
            };
            add(names, Some(feature.name().to_owned()));
        }
        reads
    }
}

/// Adds what is not there yet.
fn add<T: PartialEq>(known: &mut Vec<T>, read: Option<T>) {
    known.extend(read.filter(|read| !known.contains(read)));
}

impl PlanSize {
    /// Of `plan`.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        Self {
            nodes: plan.nodes.len(),
            rules: plan.rules.len(),
            recordings: plan.recordings.len(),
            bytes: plan.to_bytes().len(),
            hash: plan.hash(),
        }
    }
}

impl Outline {
    /// [`Outline::warm_up_lead_nanos`] in whole days, the last one begun; none where there is no lead.
    #[must_use]
    pub fn warm_up_lead_days(&self) -> Option<u64> {
        let nanos = self.warm_up_lead_nanos.unsigned_abs();
        (nanos > 0).then(|| nanos.div_ceil(NANOS_PER_DAY.unsigned_abs()))
    }

    fn of(compiled: Compiled, causality: Causality, own: Granularity) -> Self {
        let Compiled { name, description, parameters, effective, plan, .. } = compiled;
        Self {
            reads: Reads::of(&plan),
            warm_up_bars: plan.warm_up_bars(),
            warm_up_lead_nanos: plan.feed_lead_nanos(own),
            plan: PlanSize::of(&plan),
            estimated_bars_per_second: fx_engine::estimated_bars_per_second(&plan),
            name,
            description,
            parameters,
            effective,
            causality,
        }
    }
}

/// Looks at a source: the same answer for the same candidate, in bounded time.
#[must_use]
pub fn validate(candidate: &Candidate) -> Validation {
    let Checked { compiled, mut findings } = fx_strategy::check(&candidate.code, &candidate.parameters);
    let outline = compiled.and_then(|compiled| match examine(&compiled.plan, candidate.track) {
        Ok(causality) => Some(Outline::of(compiled, causality, candidate.track.granularity)),
        Err(fault) => {
            findings.push(fault);
            None
        }
    });
    Validation { findings, outline }
}

/// What a registration asks of a plan: that it fits its own bars, and does not look ahead on them.
fn examine(plan: &Plan, track: Track) -> Result<Causality, Finding> {
    if let Some(message) = timeframe_fault(plan, track.granularity) {
        return Err(Finding::of_field("timeframe", "timeframe", message));
    }
    fx_engine::check_causality(plan, track).map_err(|fault| finding(&fault))
}

fn finding(fault: &CausalityFault) -> Finding {
    match fault {
        CausalityFault::Leak { .. } => {
            Finding::of_source("look-ahead", format!("the strategy looks ahead: {fault}"))
        }
        CausalityFault::Engine(error) => Finding::of_source("run", format!("{fault}: {error}")),
    }
}

impl App {
    /// [`validate`], off the async threads. Nothing is stored.
    ///
    /// # Errors
    /// `StrategyExecutionError` when the task breaks off; a source with mistakes is an answer.
    pub async fn validate_strategy(&self, candidate: Candidate) -> PlatformResult<Validation> {
        off_thread(move || validate(&candidate)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fx_domain::Location;

    /// A strategy of this body, on bars of `granularity`.
    fn validated(body: &str, granularity: Granularity) -> Validation {
        let code = format!("class S(Strategy):\n    def analyze(self, data):\n        {body}\n");
        let track = Track { granularity, ..Candidate::default().track };
        validate(&Candidate { code, track, ..Candidate::default() })
    }

    #[test]
    fn a_timeframe_that_is_not_longer_than_the_strategys_own_is_an_error_of_the_timeframe() {
        let body = "return target(units=1) if data.timeframe(\"4h\").close > data.close else None";
        for own in [Granularity::M1, Granularity::H1] {
            let found = validated(body, own);
            assert!(found.is_valid() && found.findings.is_empty(), "{own}: {:?}", found.findings);
        }
        for own in [Granularity::H4, Granularity::D1] {
            let found = validated(body, own);
            assert!(!found.is_valid());
            let [finding] = &*found.findings else { panic!("{:?}", found.findings) };
            assert_eq!(finding.location, Location::Field("timeframe".into()));
            let wanted = format!("reads bars of 4h, which are not longer than its own of {own}");
            assert!(finding.message.ends_with(&wanted), "{}", finding.message);
        }
    }

    #[test]
    fn what_is_read_beside_the_strategys_own_bars_is_listed_once_in_its_order() {
        let body = [
            "pound = data.instrument(\"GBP/USD\")",
            "calm = regime() == \"ranging\" or regime() != \"trending\"",
            "unused = data.timeframe(\"1w\").close + feature(\"nobody\")",
            "record(\"x\", pound.timeframe(\"1d\").close - data.timeframe(\"4h\").close - pound.close)",
            "record(\"y\", feature(\"mood\") + feature(\"carry\") * feature(\"mood\"))",
            "return target(units=1) if calm and pattern(\"double_top\") < 0.5 else None",
        ];
        let reads = validated(&body.join("\n        "), Granularity::H1).outline.unwrap().reads;
        let text = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let mut sorted = reads.clone();
        sorted.timeframes.sort();
        assert_eq!(sorted.timeframes, [Granularity::H4, Granularity::D1]);
        assert_eq!(reads.instruments, [Instrument::parse("GBP/USD").unwrap()]);
        assert_eq!(reads.features, text(&["mood", "carry"]));
        assert_eq!((reads.patterns, reads.regimes), (text(&["double_top"]), text(&["ranging", "trending"])));
        let own = validated("return target(units=1) if data.close > data.open else None", Granularity::H1);
        assert_eq!(own.outline.unwrap().reads, Reads::default());
    }

    #[test]
    fn the_warm_up_says_what_a_run_reads_before_its_range() {
        let of = |body: &str, own| {
            let outline = validated(body, own).outline.unwrap();
            (outline.warm_up_bars, outline.warm_up_lead_nanos)
        };
        let own = "record(\"x\", sma(data.close, 20))";
        assert_eq!(of(own, Granularity::H1), (19, 0));
        let slow = "record(\"x\", sma(data.timeframe(\"1d\").close, 20) - sma(data.close, 5))";
        let (bars, lead) = of(slow, Granularity::H1);
        assert_eq!((bars, lead > 28 * NANOS_PER_DAY && lead < 40 * NANOS_PER_DAY), (4, true), "{lead}");
        assert_eq!(of(slow, Granularity::M1), (bars, lead), "a day is as long on shorter bars");
    }
}
