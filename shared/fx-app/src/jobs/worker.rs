//! What a worker does with a message, and what the sweeper does each minute.

use super::actions::{Action, plan_actions};
use super::protocol::{Cause, Checkpoint, Chunk, Job, JobStatus, Judge, Refused, after};
use super::spec::{JobKind, JobSpec};
use super::{Jobs, MemberResult, SweepMember};
use crate::backtests::{BacktestOf, Prepared};
use crate::ports::{ChunkKey, DELAY_MAX, JobMessage};
use crate::records::Parameters;
use crate::{Caller, Reach, errors};
use futures::stream::{StreamExt as _, TryStreamExt as _};
use fx_domain::{BacktestId, Digest, DigestBuilder, ErrorClass, PlatformError, PlatformResult, UnixNanos};
use fx_engine::ENGINE_VERSION;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Messages that are sent at once when a job begins.
const SENDS_AT_ONCE: usize = 16;
/// A chunk that could not be done now is tried again after so long, twice as long after the next time, and so on.
const BACK_OFF: Duration = Duration::from_secs(5);

/// A chunk under way: what a worker goes on from.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Progress {
    members: Vec<MemberResult>,
}

/// How a slice of a chunk ended.
enum Slice {
    /// With the chunk's result.
    Done(Digest),
    /// With time: the rest is for the next one.
    Cut(Checkpoint),
    /// Because nobody wants it any more.
    Unwanted,
}

/// A chunk that this worker holds.
struct Held {
    job: Job,
    key: ChunkKey,
    chunk: Chunk,
}

impl Jobs {
    /// Does what a message asks for, as far as it is due. After `Ok` the message is to be deleted; after an error it may
    /// come again.
    ///
    /// # Errors
    /// When a store or the queue fails. What goes wrong in a chunk is no error: it is noted with the chunk.
    #[tracing::instrument(skip_all, fields(job.id = %message.job()))]
    pub async fn work(&self, message: &JobMessage) -> PlatformResult<()> {
        match message {
            JobMessage::Plan { job, epoch } => self.plan(job, *epoch).await,
            JobMessage::Chunk { job, epoch, index } => {
                self.run_chunk(ChunkKey { job: job.clone(), epoch: *epoch, index: *index }).await
            }
            JobMessage::Merge { job, epoch } => self.merge(job, *epoch).await,
        }
    }

    /// Does what is due for every open job, and says for how many: each minute, so that a lost message is a delay.
    ///
    /// # Errors
    /// When a store or the queue fails.
    pub async fn sweep(&self) -> PlatformResult<usize> {
        let open = self.store.open().await.map_err(errors::store)?;
        for id in &open {
            let Some(job) = self.store.job(id).await.map_err(errors::store)? else { continue };
            let chunks = self.store.chunks(id, job.epoch).await.map_err(errors::store)?;
            self.act(&job, &chunks).await?;
        }
        Ok(open.len())
    }

    /// The job, if it is open and of this submission.
    pub(super) async fn open_job(&self, id: &BacktestId, epoch: u64) -> PlatformResult<Option<Job>> {
        let job = self.store.job(id).await.map_err(errors::store)?;
        let now = self.app.clock.now();
        Ok(job.filter(|job| job.epoch == epoch && !job.status.is_terminal() && !job.is_expired(now)))
    }

    /// Does everything that is due, as far as these chunks tell.
    pub(super) async fn act(&self, job: &Job, chunks: &[Chunk]) -> PlatformResult<()> {
        let due = plan_actions(job, chunks, self.app.clock.now(), &self.timing);
        for action in due {
            self.do_action(job, action).await?;
        }
        Ok(())
    }

    async fn do_action(&self, job: &Job, action: Action) -> PlatformResult<()> {
        let (now, epoch) = (self.app.clock.now(), job.epoch);
        let key = |index| ChunkKey { job: job.id.clone(), epoch, index };
        match action {
            Action::SendPlan => {
                self.send(job, JobMessage::Plan { job: job.id.clone(), epoch }, Duration::ZERO).await
            }
            Action::SendMerge => {
                self.send(job, JobMessage::Merge { job: job.id.clone(), epoch }, Duration::ZERO).await
            }
            Action::SendChunk { index, seen } => {
                if self.change_chunk(&key(index), |chunk| chunk.resend(seen, now)).await?.is_ok() {
                    self.send_chunk(job, index, Duration::ZERO).await?;
                }
                Ok(())
            }
            Action::Mark { index } => self.mark(job, index).await,
            Action::Bury { index, cause } => {
                let judge = Judge::Sweeper(now);
                match self.change_chunk(&key(index), |chunk| chunk.die(judge, cause.clone())).await? {
                    Ok(dead) => Box::pin(self.act(job, &[dead])).await,
                    Err(_) => Ok(()),
                }
            }
            Action::Fail(cause) => self.fail(job, cause).await,
        }
    }

    async fn send(&self, job: &Job, message: JobMessage, delay: Duration) -> PlatformResult<()> {
        self.queue.send(&message, &job.owner, delay).await.map_err(errors::store)
    }

    async fn send_chunk(&self, job: &Job, index: u32, delay: Duration) -> PlatformResult<()> {
        self.send(job, JobMessage::Chunk { job: job.id.clone(), epoch: job.epoch, index }, delay).await
    }

    pub(super) async fn fail(&self, job: &Job, cause: Cause) -> PlatformResult<()> {
        let now = self.app.clock.now();
        if self.change(&job.id, job.epoch, |stored| stored.fail(cause.clone(), now)).await?.is_ok() {
            tracing::warn!(job.id = %job.id, code = cause.code, "job failed: {}", cause.message);
        }
        Ok(())
    }

    /// Makes the chunks, and sends a message for each.
    async fn plan(&self, id: &BacktestId, epoch: u64) -> PlatformResult<()> {
        let Some(job) = self.open_job(id, epoch).await?.filter(|job| job.status == JobStatus::Planned) else {
            return Ok(());
        };
        let now = self.app.clock.now();
        let chunks: Vec<_> = job.new_chunks().collect();
        self.store.create_chunks(&chunks).await.map_err(errors::store)?;
        if self.change(id, epoch, |stored| stored.run(now)).await?.is_err() {
            return Ok(());
        }
        let sends = (0..job.chunks).map(|index| self.send_chunk(&job, index, Duration::ZERO));
        futures::stream::iter(sends).buffer_unordered(SENDS_AT_ONCE).try_collect().await
    }

    async fn run_chunk(&self, key: ChunkKey) -> PlatformResult<()> {
        let Some(job) =
            self.open_job(&key.job, key.epoch).await?.filter(|job| job.status == JobStatus::Running)
        else {
            return Ok(());
        };
        let now = self.app.clock.now();
        let owner = format!("{}-{}", self.worker, self.claims.fetch_add(1, Ordering::Relaxed));
        let lease = self.timing.lease;
        let claimed = self.change_chunk(&key, |chunk| chunk.claim(&owner, now, lease)).await?;
        let chunk = match claimed {
            Ok(chunk) => chunk,
            Err(Refused::Already) => match self.store.chunk(&key).await.map_err(errors::store)? {
                Some(chunk) => chunk,
                None => return Ok(()),
            },
            // Somebody is at it, or it is over: what is still to be done for it, the sweeper knows.
            Err(Refused::NotNow) => return Ok(()),
        };
        let held = Held { job, key, chunk };
        match self.slice(&held, now).await {
            Ok(Slice::Done(result)) => self.commit(&held, result).await,
            Ok(Slice::Cut(checkpoint)) => self.hand_on(&held, checkpoint).await,
            Ok(Slice::Unwanted) => Ok(()),
            Err(error) => self.give_up(&held, &error).await,
        }
    }

    /// Runs the chunk on from its checkpoint, for as long as a slice is.
    async fn slice(&self, held: &Held, began: UnixNanos) -> PlatformResult<Slice> {
        let Held { job, key, chunk } = held;
        let spec: JobSpec = self.app.get_object(&job.spec).await?;
        if spec.engine_version != ENGINE_VERSION {
            return Err(engine_changed(&spec.engine_version));
        }
        let mut progress: Progress = match &chunk.checkpoint {
            Some(checkpoint) => self.app.get_object(&checkpoint.digest).await?,
            None => Progress::default(),
        };
        if matches!(spec.kind, JobKind::Single) {
            let (owner, created_at) = (job.owner.clone(), job.created_at);
            let of = BacktestOf { id: job.id.clone(), owner, created_at };
            let record = self.app.run_stored(&self.prepare(job, &spec, None).await?, of).await?.record;
            return Ok(Slice::Done(self.app.put_object(&record).await?));
        }
        let members = spec.members_of(key.index);
        let (until, before) = (after(began, self.timing.slice), progress.members.len());
        for parameters in members.iter().skip(before) {
            // One run at least, so that every slice comes further.
            if progress.members.len() > before && until <= self.app.clock.now() {
                let bars = progress.members.iter().map(|member| member.bars).sum();
                let digest = self.app.put_object(&progress).await?;
                return Ok(Slice::Cut(Checkpoint { digest, bars }));
            }
            if self.open_job(&job.id, job.epoch).await?.is_none() {
                return Ok(Slice::Unwanted);
            }
            progress.members.push(self.run_member(job, &spec, parameters).await?);
        }
        Ok(Slice::Done(self.app.put_object(&progress.members).await?))
    }

    /// The run of one set of parameters, of the request's own when none is given.
    async fn prepare(
        &self,
        job: &Job,
        spec: &JobSpec,
        parameters: Option<&Parameters>,
    ) -> PlatformResult<Arc<Prepared>> {
        let mut request = spec.backtest.clone();
        if let Some(parameters) = parameters {
            request.parameters = parameters.clone();
        }
        // Whether the owner may was asked when the job was submitted.
        let caller = Caller::new(job.owner.clone(), Reach::All);
        Ok(Arc::new(self.app.prepare(&caller, request).await?))
    }

    async fn run_member(
        &self,
        job: &Job,
        spec: &JobSpec,
        parameters: &Parameters,
    ) -> PlatformResult<MemberResult> {
        let prepared = self.prepare(job, spec, Some(parameters)).await?;
        let measured = self.app.run_measured(&prepared).await?;
        let score = match &spec.kind {
            JobKind::Single => None,
            JobKind::Sweep(sweep) => sweep.target.value(&measured.report),
        };
        let member = SweepMember {
            parameters: prepared.parameters().clone(),
            plan_hash: prepared.plan_hash(),
            result_hash: measured.result_hash,
            sharpe_ratio: measured.report.sharpe_ratio,
            metrics: measured.report.metrics,
            score,
        };
        Ok(MemberResult { member, bars: measured.bars, returns: measured.returns })
    }

    async fn commit(&self, held: &Held, result: Digest) -> PlatformResult<()> {
        let fence = held.chunk.fence;
        match self.change_chunk(&held.key, |chunk| chunk.commit(fence, result)).await? {
            Ok(_) | Err(Refused::Already) => self.mark(&held.job, held.key.index).await,
            Err(Refused::NotNow) => Ok(()),
        }
    }

    /// Notes that a chunk is done, and has the result put together after the last one.
    async fn mark(&self, job: &Job, index: u32) -> PlatformResult<()> {
        let now = self.app.clock.now();
        match self.change(&job.id, job.epoch, |stored| stored.mark(job.epoch, index, now)).await? {
            Ok(marked) if marked.done.is_all() => Box::pin(self.act(&marked, &[])).await,
            _ => Ok(()),
        }
    }

    async fn hand_on(&self, held: &Held, checkpoint: Checkpoint) -> PlatformResult<()> {
        let (fence, now) = (held.chunk.fence, self.app.clock.now());
        let given =
            self.change_chunk(&held.key, |chunk| chunk.checkpoint(fence, checkpoint.clone(), now)).await?;
        match given {
            Ok(_) => self.send_chunk(&held.job, held.key.index, Duration::ZERO).await,
            Err(_) => Ok(()),
        }
    }

    /// Tries again later what may pass, and ends the job for the rest.
    async fn give_up(&self, held: &Held, error: &PlatformError) -> PlatformResult<()> {
        let Held { job, key, chunk } = held;
        let (fence, now) = (chunk.fence, self.app.clock.now());
        let retryable = error.kind().class() == ErrorClass::Retry;
        let cause = cause_of(key.index, job.chunks, error, retryable);
        if retryable {
            let delay = back_off(chunk);
            let released =
                self.change_chunk(key, |chunk| chunk.release(fence, cause.clone(), now, delay)).await?;
            return match released {
                Ok(_) => self.send_chunk(job, key.index, delay).await,
                Err(_) => Ok(()),
            };
        }
        match self.change_chunk(key, |chunk| chunk.die(Judge::Holder(fence), cause.clone())).await? {
            Ok(dead) => self.act(job, &[dead]).await,
            Err(_) => Ok(()),
        }
    }
}

/// Doubles with each attempt, and differs from chunk to chunk by up to half, so that those that failed together do not come
/// back together.
fn back_off(chunk: &Chunk) -> Duration {
    let doubled = BACK_OFF.saturating_mul(1 << chunk.attempts.min(8));
    let drawn = DigestBuilder::new("back-off")
        .part(chunk.job.as_str().as_bytes())
        .part(&chunk.index.to_le_bytes())
        .part(&chunk.fence.to_le_bytes())
        .finish();
    let share = f64::from(drawn.as_bytes()[0]) / 512.0;
    doubled.mul_f64(1.0 + share).min(DELAY_MAX)
}

fn cause_of(index: u32, chunks: u32, error: &PlatformError, retryable: bool) -> Cause {
    let place = if chunks == 1 { String::new() } else { format!("chunk {index}: ") };
    Cause { code: error.kind().code().to_owned(), message: format!("{place}{}", error.message()), retryable }
}

fn engine_changed(planned: &str) -> PlatformError {
    let message = format!(
        "ENGINE_CHANGED: the job was submitted to engine {planned}, this one is {ENGINE_VERSION}: submit it again"
    );
    PlatformError::new(fx_domain::ErrorKind::Backtest, message)
}
