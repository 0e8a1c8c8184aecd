//! Putting a job's result together: chunk by chunk in their order, so that whoever does it writes the same bytes.

use super::protocol::{Chunk, Refused};
use super::spec::{JobKind, JobSpec, Sweep};
use super::{Jobs, MemberResult, SweepMember};
use crate::errors;
use crate::records::{BacktestRecord, RECORD_SCHEMA};
use fx_analytics::Target;
use fx_analytics::overfitting::{
    BLOCKS_DEFAULT, BacktestOverfitting, DeflatedSharpe, SharpeSample, backtest_overfitting,
    deflated_sharpe_ratio,
};
use fx_domain::{BacktestId, Digest, DigestBuilder, ErrorKind, PlatformError, PlatformResult};
use serde::{Deserialize, Serialize};

/// What a job gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobResult {
    /// A backtest, stored under the job's own id.
    Single {
        /// Digest of trades, ledger and equity.
        result_hash: Digest,
    },
    /// A table of parameter sets.
    Sweep(Box<SweepResult>),
}

/// What a sweep gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepResult {
    /// Form of this record.
    pub schema: u16,
    /// Digest of the members' result hashes, in order.
    pub result_hash: Digest,
    /// What the best one is best by.
    pub target: Target,
    /// Every set of parameters, in the order of the sweep.
    pub members: Vec<SweepMember>,
    /// The best one's place in `members`; none where no score is defined.
    pub best: Option<u32>,
    /// How good the best one would look by luck among so many; none without a best one that has a Sharpe ratio.
    pub deflated_sharpe: Option<DeflatedSharpe>,
    /// Whether the best one in the sample is one out of it; none where there are too few days or sets.
    pub overfitting: Option<BacktestOverfitting>,
}

impl Jobs {
    /// Puts the result together if that is due, and publishes it.
    pub(super) async fn merge(&self, id: &BacktestId, epoch: u64) -> PlatformResult<()> {
        if self.open_job(id, epoch).await?.is_none() {
            return Ok(());
        }
        let (now, lease) = (self.app.clock.now(), self.timing.lease);
        let Ok(job) = self.change(id, epoch, |job| job.elect(now, lease)).await? else { return Ok(()) };
        let spec: JobSpec = self.app.get_object(&job.spec).await?;
        let chunks = self.store.chunks(id, epoch).await.map_err(errors::store)?;
        let merged = match &spec.kind {
            JobKind::Single => self.merge_single(&chunks).await?,
            JobKind::Sweep(sweep) => JobResult::Sweep(Box::new(self.merge_sweep(sweep, &chunks).await?)),
        };
        let result = self.app.put_object(&merged).await?;
        let now = self.app.clock.now();
        match self.change(id, epoch, |stored| stored.publish(job.merge_fence, result, now)).await? {
            Ok(_) => tracing::info!(job.id = %id, "job succeeded"),
            Err(Refused::Already | Refused::NotNow) => {}
        }
        Ok(())
    }

    async fn merge_single(&self, chunks: &[Chunk]) -> PlatformResult<JobResult> {
        let only = chunks.first().ok_or_else(|| incomplete(0))?;
        let record: BacktestRecord = self.app.get_object(&result_of(only)?).await?;
        self.app.backtests.put(&record).await.map_err(errors::store)?;
        Ok(JobResult::Single { result_hash: record.result_hash })
    }

    async fn merge_sweep(&self, sweep: &Sweep, chunks: &[Chunk]) -> PlatformResult<SweepResult> {
        let (mut members, mut returns) = (Vec::new(), Vec::new());
        for chunk in chunks {
            let part: Vec<MemberResult> = self.app.get_object(&result_of(chunk)?).await?;
            for MemberResult { member, returns: days, .. } in part {
                members.push(member);
                returns.push(days.map(|days| days.returns));
            }
        }
        let target = sweep.target;
        let measure = move || measured(target, members, returns);
        let measured = tokio::task::spawn_blocking(measure).await;
        measured.map_err(|error| errors::lost_task(ErrorKind::BacktestExecution, error))?
    }
}

/// Returns of a member's trading days.
type Days = Option<Vec<f64>>;

fn measured(target: Target, members: Vec<SweepMember>, days: Vec<Days>) -> PlatformResult<SweepResult> {
    let scores: Vec<_> = members.iter().map(|member| member.score).collect();
    let best = target.best(&scores);
    let parts = members.iter().fold(DigestBuilder::new("sweep-result"), |digest, member| {
        digest.part(member.result_hash.as_bytes())
    });
    Ok(SweepResult {
        schema: RECORD_SCHEMA,
        result_hash: parts.finish(),
        target,
        best: best.and_then(|best| u32::try_from(best).ok()),
        deflated_sharpe: deflated(&days, best)?,
        overfitting: overfitted(&days),
        members,
    })
}

/// Of the best one, among all.
fn deflated(days: &[Days], best: Option<usize>) -> PlatformResult<Option<DeflatedSharpe>> {
    let sample = |days: &Days| match days {
        Some(returns) => SharpeSample::of(returns).map_err(unsound),
        None => Ok(None),
    };
    let samples = days.iter().map(sample).collect::<PlatformResult<Vec<_>>>()?;
    let Some(best) = best.and_then(|best| samples[best].as_ref()) else { return Ok(None) };
    let sharpes: Vec<_> = samples.iter().map(|sample| sample.as_ref().map(|sample| sample.sharpe)).collect();
    deflated_sharpe_ratio(&sharpes, best).map(Some).map_err(unsound)
}

/// None where the question cannot be asked: of one set, of few days, or of sets with other days.
fn overfitted(days: &[Days]) -> Option<BacktestOverfitting> {
    let trials: Option<Vec<_>> = days.iter().map(Option::as_deref).collect();
    backtest_overfitting(&trials?, BLOCKS_DEFAULT).ok()
}

fn unsound(error: fx_analytics::InvalidInput) -> PlatformError {
    PlatformError::new(ErrorKind::BacktestExecution, error.to_string()).caused_by(error)
}

fn result_of(chunk: &Chunk) -> PlatformResult<Digest> {
    chunk.result.ok_or_else(|| incomplete(chunk.index))
}

fn incomplete(index: u32) -> PlatformError {
    PlatformError::new(ErrorKind::Platform, format!("chunk {index} is marked as done and has no result"))
}
