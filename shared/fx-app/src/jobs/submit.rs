//! Submitting a job, looking at it, and giving it up.

use super::protocol::{Job, JobStatus, NewJob, Refused};
use super::spec::{JobKind, JobRequest, JobSpec, job_digest};
use super::{JobResult, Jobs};
use crate::backtests::BacktestRequest;
use crate::ports::{JobMessage, Put};
use crate::{Caller, errors};
use fx_domain::{BacktestId, Digest, ErrorKind, PlatformError, PlatformResult, UnixNanos};
use std::time::Duration;

/// Chunks of one owner's open jobs, at most.
pub const OPEN_CHUNKS_MAX: u64 = 10_000;
/// How long a job may take.
const TIME_MAX: Duration = Duration::from_secs(24 * 3_600);
/// How long a job is kept after it was submitted, and with it what its key stands for.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);

/// A job that was submitted now or before.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// The job.
    pub job: Job,
    /// Whether this call made it.
    pub created: bool,
}

/// Where a job stands.
#[derive(Clone, Debug)]
pub struct JobView {
    /// The job.
    pub job: Job,
    /// The part that is done, 0 to 1. It never goes back.
    pub progress: f64,
    /// Seconds to its end if it goes on like this; none before the first part is done, and after the end.
    pub eta_seconds: Option<f64>,
}

impl Jobs {
    /// Submits a job and answers at once. The same `key` of the same caller is the same job.
    ///
    /// # Errors
    /// Those of a backtest with this request (strategy, parameters, bars); `BacktestConfigError` naming the field of a sweep;
    /// `ConflictError` when the key stands for another request; `RateLimitError` above [`OPEN_CHUNKS_MAX`];
    /// `ServiceError` when a store fails.
    #[tracing::instrument(skip_all, fields(strategy.id = %request.backtest.strategy_id))]
    pub async fn submit(
        &self,
        caller: &Caller,
        request: JobRequest,
        key: Option<&str>,
    ) -> PlatformResult<Submitted> {
        let now = self.app.clock.now();
        let request_digest = Digest::of(format!("{request:?}").as_bytes());
        let principal = caller.principal();
        let unique = || format!("{request_digest}-{}", now.get());
        let id = BacktestId::from_digest(&job_digest(
            principal.as_str(),
            key.map_or_else(unique, str::to_owned).as_str(),
        ));
        if let Some(job) =
            self.store.job(&id).await.map_err(errors::store)?.filter(|job| !job.is_expired(now))
        {
            return same_request(job, &request_digest);
        }
        let spec = self.resolve(caller, request).await?;
        self.check_quota(caller, spec.chunks()).await?;
        let new = NewJob {
            id,
            owner: principal.clone(),
            chunks: spec.chunks(),
            spec: self.app.put_object(&spec).await?,
            request: request_digest,
            time_max: TIME_MAX,
            kept: KEPT,
        };
        let job = Job::submitted(new, now);
        if self.store.create(&job, now).await.map_err(errors::store)? == Put::AlreadyThere {
            let stored = self.store.job(&job.id).await.map_err(errors::store)?;
            return same_request(stored.unwrap_or(job), &request_digest);
        }
        // The job is there: should this message be lost, the sweeper sends another one.
        let message = JobMessage::Plan { job: job.id.clone(), epoch: job.epoch };
        if let Err(error) = self.queue.send(&message, &job.owner, Duration::ZERO).await {
            tracing::warn!(job.id = %job.id, "the first message of a job was not sent: {error}");
        }
        tracing::info!(job.id = %job.id, chunks = job.chunks, "job submitted");
        Ok(Submitted { job, created: true })
    }

    /// The request with the versions that every worker uses, each run of it checked.
    async fn resolve(&self, caller: &Caller, request: JobRequest) -> PlatformResult<JobSpec> {
        let mut spec = JobSpec::new(request)?;
        let single = matches!(spec.kind, JobKind::Single);
        if !single && !spec.backtest.scenarios.is_empty() {
            let reason = "a sweep's runs have one policy each: ask for `fill_policy`";
            return Err(PlatformError::field(ErrorKind::BacktestConfig, "scenarios", reason));
        }
        let mut members = spec.members().into_iter();
        let with = |parameters| BacktestRequest { parameters, ..spec.backtest.clone() };
        let first = members.next().unwrap_or_default();
        let prepared = self.app.prepare(caller, with(first)).await?;
        for parameters in members {
            prepared.check_parameters(parameters).await?;
        }
        spec.backtest.strategy_version = Some(prepared.strategy_version());
        spec.backtest.data_version = Some(prepared.data_version());
        Ok(spec)
    }

    async fn check_quota(&self, caller: &Caller, chunks: u32) -> PlatformResult<()> {
        let mut open = u64::from(chunks);
        for id in self.store.open_of(caller.principal()).await.map_err(errors::store)? {
            let job = self.store.job(&id).await.map_err(errors::store)?;
            open += job.map_or(0, |job| u64::from(job.chunks - job.done.count()));
        }
        if open <= OPEN_CHUNKS_MAX {
            return Ok(());
        }
        let message = format!("{open} chunks would be open; a caller has {OPEN_CHUNKS_MAX} at most");
        Err(PlatformError::new(ErrorKind::RateLimited, message))
    }

    /// A job of the caller; none when there is none, or not any more.
    ///
    /// # Errors
    /// `ServiceError` when the store fails.
    pub async fn find(&self, caller: &Caller, id: &BacktestId) -> PlatformResult<Option<JobView>> {
        let now = self.app.clock.now();
        let job = self.store.job(id).await.map_err(errors::store)?;
        let Some(job) = job.filter(|job| caller.sees(&job.owner) && !job.is_expired(now)) else {
            return Ok(None);
        };
        Ok(Some(view(job, now)))
    }

    /// What a job that succeeded gave.
    ///
    /// # Errors
    /// `ServiceError` when a store fails; `BacktestReportError` when the job has no result.
    pub async fn result(&self, job: &Job) -> PlatformResult<JobResult> {
        let none = || PlatformError::new(ErrorKind::BacktestReport, format!("job {} has no result", job.id));
        self.app.get_object(job.result.as_ref().ok_or_else(none)?).await
    }

    /// Gives a job up: its workers stop at the next boundary. What is over stays as it is.
    ///
    /// # Errors
    /// `BacktestError` (404) when it does not exist for the caller; `ServiceError` when the store fails.
    pub async fn cancel(&self, caller: &Caller, id: &BacktestId) -> PlatformResult<JobView> {
        let missing = || PlatformError::new(ErrorKind::BacktestNotFound, format!("backtest {id} not found"));
        let before = self.find(caller, id).await?.ok_or_else(missing)?;
        let now = self.app.clock.now();
        match self.change(id, before.job.epoch, |job| job.cancel(now)).await? {
            Ok(job) => Ok(view(job, now)),
            Err(Refused::Already | Refused::NotNow) => Ok(self.find(caller, id).await?.unwrap_or(before)),
        }
    }
}

/// The key stands for this request, or for another one.
fn same_request(job: Job, request: &Digest) -> PlatformResult<Submitted> {
    if job.request == *request {
        return Ok(Submitted { job, created: false });
    }
    let message = "this Idempotency-Key was used for another request";
    Err(PlatformError::new(ErrorKind::Conflict, message))
}

fn view(job: Job, now: UnixNanos) -> JobView {
    let progress = match job.status {
        JobStatus::Succeeded => 1.0,
        _ => f64::from(job.done.count()) / f64::from(job.chunks),
    };
    let elapsed = (now.get() - job.created_at.get()) as f64 / 1e9;
    let running = !job.status.is_terminal() && progress > 0.0;
    let eta_seconds = running.then(|| elapsed * (1.0 - progress) / progress);
    JobView { job, progress, eta_seconds }
}
