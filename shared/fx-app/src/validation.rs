//! The linter: everything that can be said of a source without storing it.

use crate::App;
use crate::records::{Causality, Parameters};
use crate::strategies::off_thread;
use fx_domain::{Digest, Granularity, Instrument, PlatformResult};
use fx_engine::CausalityFault;
use fx_strategy::{Checked, Compiled, Plan};

pub use fx_engine::Track;
pub use fx_strategy::{Diagnostic as Finding, ParameterSpec, Severity};

/// What is to be looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The source.
    pub code: String,
    /// Overrides of its parameters.
    pub parameters: Parameters,
    /// The bars that it is run on to show that it does not look ahead: its first pair, and its timeframe.
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
    /// Bars that must precede a decision for every indicator to be defined.
    pub warm_up_bars: u64,
    /// How large its plan is.
    pub plan: PlanSize,
    /// Bars of one track that a core runs in a second, by the engine's cost model.
    pub estimated_bars_per_second: u64,
    /// That no decision depends on later bars, and on what that was shown.
    pub causality: Causality,
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
    fn of(compiled: Compiled, causality: Causality) -> Self {
        let Compiled { name, description, parameters, effective, plan, .. } = compiled;
        Self {
            warm_up_bars: plan.warm_up_bars(),
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
    let outline =
        compiled.and_then(|compiled| match fx_engine::check_causality(&compiled.plan, candidate.track) {
            Ok(causality) => Some(Outline::of(compiled, causality)),
            Err(fault) => {
                findings.push(finding(&fault));
                None
            }
        });
    Validation { findings, outline }
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
