//! What a job is: resolved when it is submitted, so that every worker does the same, whatever is registered or imported
//! meanwhile.

use crate::backtests::BacktestRequest;
use crate::records::{ParameterValue, Parameters, RECORD_SCHEMA};
use fx_analytics::Target;
use fx_domain::{Digest, DigestBuilder, ErrorKind, PlatformError, PlatformResult};
use fx_engine::ENGINE_VERSION;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use super::protocol::CHUNKS_MAX;

/// Parameter sets of one sweep, at most.
pub const SETS_MAX: u32 = 10_000;
/// Parameters that one sweep varies, at most.
pub const AXES_MAX: usize = 8;
/// Parameter sets of one chunk when the caller does not say.
pub const CHUNK_SETS_DEFAULT: u32 = 16;

/// What a job is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRequest {
    /// What each run is asked for.
    pub backtest: BacktestRequest,
    /// Which runs.
    pub kind: JobKind,
    /// Parameter sets of one chunk, 1 to [`SETS_MAX`].
    pub chunk_sets: Option<u32>,
}

/// Which runs a job makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobKind {
    /// One run.
    Single,
    /// One for each of several sets of parameters.
    Sweep(Sweep),
}

impl JobKind {
    /// How many runs it makes.
    fn runs(&self) -> u32 {
        match self {
            Self::Single => 1,
            Self::Sweep(sweep) => u32::try_from(sweep.sets()).unwrap_or(u32::MAX),
        }
    }
}

/// Sets of parameters, and how the best of them is found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// The parameters that vary, each with its values.
    pub axes: Vec<Axis>,
    /// Which of their combinations are run.
    pub method: SweepMethod,
    /// What the best one is best by.
    pub target: Target,
}

/// One parameter's values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// The parameter.
    pub name: String,
    /// Its values, each once.
    pub values: Vec<ParameterValue>,
}

/// Which combinations of values are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SweepMethod {
    /// All, the last parameter's values changing fastest.
    Grid,
    /// So many different ones, drawn by the run's seed.
    Random {
        /// How many.
        samples: u32,
    },
}

impl Sweep {
    /// Combinations of all values.
    fn grid(&self) -> u64 {
        self.axes.iter().fold(1, |product, axis| product.saturating_mul(axis.values.len() as u64))
    }

    /// How many sets are run.
    #[must_use]
    pub fn sets(&self) -> u64 {
        match self.method {
            SweepMethod::Grid => self.grid(),
            SweepMethod::Random { samples } => u64::from(samples),
        }
    }

    /// # Errors
    /// `BacktestConfigError` naming the field.
    fn check(&self) -> PlatformResult<()> {
        let refuse = |field: &str, reason: String| {
            Err(PlatformError::field(ErrorKind::BacktestConfig, format!("sweep.{field}"), reason))
        };
        if self.axes.is_empty() || self.axes.len() > AXES_MAX {
            return refuse("parameters", format!("expected 1 to {AXES_MAX} parameters"));
        }
        for Axis { name, values } in &self.axes {
            let field = format!("parameters.{name}");
            if values.is_empty() {
                return refuse(&field, "expected at least one value".to_owned());
            }
            let repeated = values.iter().enumerate().find(|(index, value)| values[..*index].contains(value));
            if let Some((_, value)) = repeated {
                return refuse(&field, format!("{value} stands there twice"));
            }
        }
        let (sets, grid) = (self.sets(), self.grid());
        if sets == 0 || sets > u64::from(SETS_MAX) {
            return refuse("parameters", format!("{sets} sets: expected 1 to {SETS_MAX}"));
        }
        if sets > grid {
            return refuse("samples", format!("there are only {grid} different sets"));
        }
        Ok(())
    }

    /// Which combinations are run, by their place in the grid.
    fn places(&self, seed: u64) -> Vec<u64> {
        let grid = self.grid();
        let SweepMethod::Random { samples } = self.method else { return (0..grid).collect() };
        // Floyd's sampling (Bentley, Programming Pearls, 1987): each set of `samples` different places is equally likely,
        // and nothing as large as the grid is held.
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (mut drawn, mut order) = (BTreeSet::new(), Vec::new());
        for last in grid - u64::from(samples)..grid {
            let place = below(&mut random, last + 1);
            let place = if drawn.insert(place) { place } else { last };
            drawn.insert(place);
            order.push(place);
        }
        order
    }

    fn set(&self, mut place: u64) -> Parameters {
        let mut set = Parameters::new();
        for Axis { name, values } in self.axes.iter().rev() {
            let count = values.len() as u64;
            set.insert(name.clone(), values[(place % count) as usize].clone());
            place /= count;
        }
        set
    }
}

/// A number below `limit`, each equally likely: what would favour the small ones is drawn again.
fn below(random: &mut ChaCha8Rng, limit: u64) -> u64 {
    let fair = u64::MAX - u64::MAX % limit;
    loop {
        let drawn = random.next_u64();
        if drawn < fair {
            return drawn % limit;
        }
    }
}

/// What every worker reads: the request with all versions fixed, and how it is cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct JobSpec {
    /// Form of this record.
    pub schema: u16,
    /// What each run is asked for; strategy and data by their versions.
    pub backtest: BacktestRequest,
    /// Which runs.
    pub kind: JobKind,
    /// Runs of one chunk.
    pub chunk_members: u32,
    /// The engine that runs it: another one might answer otherwise.
    pub engine_version: String,
}

impl JobSpec {
    /// # Errors
    /// `BacktestConfigError` naming the field.
    pub(super) fn new(request: JobRequest) -> PlatformResult<Self> {
        let JobRequest { backtest, kind, chunk_sets } = request;
        if let JobKind::Sweep(sweep) = &kind {
            sweep.check()?;
        }
        let runs = kind.runs();
        let asked = chunk_sets.unwrap_or(CHUNK_SETS_DEFAULT);
        if !(1..=SETS_MAX).contains(&asked) {
            let reason = format!("expected 1 to {SETS_MAX}");
            return Err(PlatformError::field(ErrorKind::BacktestConfig, "chunk.parameter_sets", reason));
        }
        let chunk_members = asked.min(runs).max(runs.div_ceil(CHUNKS_MAX));
        let engine_version = ENGINE_VERSION.to_owned();
        Ok(Self { schema: RECORD_SCHEMA, backtest, kind, chunk_members, engine_version })
    }

    /// The parameters of each run, in order: what the request overrides, and what the sweep varies.
    pub(super) fn members(&self) -> Vec<Parameters> {
        self.members_from(0, self.kind.runs())
    }

    /// How many chunks it is cut into.
    pub(super) fn chunks(&self) -> u32 {
        self.kind.runs().div_ceil(self.chunk_members)
    }

    /// The runs of a chunk, in order.
    pub(super) fn members_of(&self, chunk: u32) -> Vec<Parameters> {
        self.members_from(chunk.saturating_mul(self.chunk_members), self.chunk_members)
    }

    fn members_from(&self, first: u32, count: u32) -> Vec<Parameters> {
        let JobKind::Sweep(sweep) = &self.kind else { return vec![self.backtest.parameters.clone()] };
        let with = |place| {
            let mut parameters = self.backtest.parameters.clone();
            parameters.extend(sweep.set(place));
            parameters
        };
        let places = sweep.places(self.backtest.seed).into_iter();
        places.skip(first as usize).take(count as usize).map(with).collect()
    }
}

/// Whose job, by the key that the caller gave it: the same key is the same job.
pub(super) fn job_digest(principal: &str, key: &str) -> Digest {
    DigestBuilder::new("job")
        .part(b"/api/v1/backtests")
        .part(principal.as_bytes())
        .part(key.as_bytes())
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sweep(sizes: &[usize], method: SweepMethod) -> Sweep {
        let axis = |(index, size): (usize, &usize)| Axis {
            name: format!("p{index}"),
            values: (0..*size as i64).map(ParameterValue::Integer).collect(),
        };
        Sweep { axes: sizes.iter().enumerate().map(axis).collect(), method, target: Target::NetProfit }
    }

    #[test]
    fn a_grid_is_every_combination_once_in_order() {
        let grid = sweep(&[2, 3], SweepMethod::Grid);
        let sets: Vec<_> = grid.places(7).into_iter().map(|place| grid.set(place)).collect();
        let numbers = |set: &Parameters| set.values().cloned().collect::<Vec<_>>();
        let expected: Vec<_> = [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]
            .iter()
            .map(|set| set.map(ParameterValue::Integer).to_vec())
            .collect();
        assert_eq!(sets.iter().map(numbers).collect::<Vec<_>>(), expected);
    }

    proptest! {
        #[test]
        fn random_sets_are_different_and_the_seeds(sizes in proptest::collection::vec(1..9_usize, 1..4), seed: u64, share in 1..=100_u64) {
            let grid = sizes.iter().product::<usize>() as u64;
            let samples = ((grid * share).div_ceil(100)) as u32;
            let random = sweep(&sizes, SweepMethod::Random { samples });
            prop_assert!(random.check().is_ok());
            let places = random.places(seed);
            prop_assert_eq!(&random.places(seed), &places);
            let different: BTreeSet<_> = places.iter().collect();
            prop_assert_eq!(different.len(), samples as usize);
            prop_assert!(places.iter().all(|place| *place < grid));
        }
    }

    #[test]
    fn every_set_is_drawn_about_equally_often() {
        let random = sweep(&[10], SweepMethod::Random { samples: 3 });
        let mut counts = [0_u32; 10];
        for seed in 0..3_000 {
            random.places(seed).into_iter().for_each(|place| counts[place as usize] += 1);
        }
        assert!(counts.iter().all(|count| (780..=1_020).contains(count)), "{counts:?}");
    }

    #[test]
    fn what_is_no_sweep_is_refused_by_its_field() {
        let mut twice = sweep(&[2], SweepMethod::Grid);
        twice.axes[0].values.push(ParameterValue::Integer(1));
        for (sweep, field) in [
            (sweep(&[], SweepMethod::Grid), "sweep.parameters"),
            (sweep(&[1; AXES_MAX + 1], SweepMethod::Grid), "sweep.parameters"),
            (sweep(&[2, 0], SweepMethod::Grid), "sweep.parameters.p1"),
            (sweep(&[101, 100], SweepMethod::Grid), "sweep.parameters"),
            (sweep(&[2, 2], SweepMethod::Random { samples: 5 }), "sweep.samples"),
            (sweep(&[2], SweepMethod::Random { samples: 0 }), "sweep.parameters"),
            (twice, "sweep.parameters.p0"),
        ] {
            let error = sweep.check().unwrap_err();
            assert_eq!(error.issues()[0].location, fx_domain::Location::Field(field.to_owned()), "{error}");
        }
        assert!(sweep(&[100, 100], SweepMethod::Grid).check().is_ok());
    }
}
