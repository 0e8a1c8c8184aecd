//! Jobs from submission to result: by any number of workers, cut in any way, with calls that fail and workers that die. The
//! answer is always that of one process.

use super::{Bench, LIMITS, Pips, flat, pair};
use fx_analytics::Target;
use fx_app::jobs::protocol::{ChunkStatus, JobStatus, Timing};
use fx_app::jobs::{
    Axis, JobKind, JobRequest, JobResult, JobView, Jobs, Submitted, Sweep, SweepMethod, SweepResult,
};
use fx_app::library::StrategyLibrary;
use fx_app::ports::{Clock, JobQueue, JobStore};
use fx_app::records::ParameterValue;
use fx_app::strategies::Registration;
use fx_app::{App, Caller, Reach, Stores};
use fx_domain::{BacktestId, ErrorKind, Granularity, PlatformResult, StrategyId};
use fx_testkit::faults::{Faults, Faulty};
use fx_testkit::{fixtures, memory};
use std::sync::Arc;
use std::time::Duration;

const CROSS: &str = "
class Cross(Strategy):
    fast: int = param(2, min=1, max=50)
    slow: int = param(5, min=1, max=50)

    def analyze(self, data):
        if crosses_above(sma(data.close, self.fast), sma(data.close, self.slow)):
            return buy(units=10000)
        if crosses_below(sma(data.close, self.fast), sma(data.close, self.slow)):
            return sell(units=10000)
        return {}
";

/// Of everything that is due, most is due within this.
const STEP: Duration = Duration::from_secs(61);
/// Turns of a job that goes on, at most; more is a job that does not.
const TURNS_MAX: usize = 5_000;

/// The store and the queue of a platform's jobs.
struct Office {
    bench: Bench,
    strategy: StrategyId,
    store: Arc<dyn JobStore>,
    queue: Arc<dyn JobQueue>,
}

impl Office {
    async fn open() -> Self {
        let bench = Bench::new();
        let wave = |hour: i64| flat(11_000 + (hour * 7919 % 23) - 11 + 20 * (hour / 13 % 3));
        bench.hours("EUR/USD", (0..120).map(wave));
        let registration = Registration {
            name: "cross".to_owned(),
            description: None,
            instruments: vec![fixtures::eur_usd()],
            timeframe: Granularity::H1,
            parameters: Default::default(),
            code: CROSS.to_owned(),
        };
        let strategy = bench.app.register_strategy(&bench.caller, registration).await.unwrap().id;
        let visibility = Duration::from_secs(300);
        let queue = memory::Queue::new(bench.clock.clone(), visibility);
        Self { bench, strategy, store: Arc::new(memory::Jobs::default()), queue: Arc::new(queue) }
    }

    /// A worker of its own.
    fn worker(&self, name: &str, timing: Timing) -> Jobs {
        Jobs::new(self.bench.app.clone(), self.store.clone(), self.queue.clone(), timing, name)
    }

    /// One whose calls fail.
    fn faulty(&self, name: &str, timing: Timing, faults: &Arc<Faults>) -> Jobs {
        let Bench { stores, files, services, clock, .. } = &self.bench;
        let blobs = Arc::new(Faulty::new(stores.blobs.clone(), faults.clone()));
        let stores = Stores { blobs, ..stores.clone() };
        let library = StrategyLibrary::default();
        let app = App::new(stores, files.clone(), services.clone(), library, clock.clone(), LIMITS);
        let store = Arc::new(Faulty::new(self.store.clone(), faults.clone()));
        let queue = Arc::new(Faulty::new(self.queue.clone(), faults.clone()));
        Jobs::new(app, store, queue, timing, name)
    }

    fn request(&self, kind: JobKind, chunk_sets: Option<u32>) -> JobRequest {
        JobRequest { backtest: self.bench.request(self.strategy.clone()), kind, chunk_sets }
    }

    async fn submit(&self, request: JobRequest, key: Option<&str>) -> PlatformResult<Submitted> {
        self.worker("front", Timing::default()).submit(&self.bench.caller, request, key).await
    }

    async fn find(&self, id: &BacktestId) -> JobView {
        self.worker("front", Timing::default()).find(&self.bench.caller, id).await.unwrap().unwrap()
    }

    fn pass(&self, time: Duration) {
        let now = self.bench.clock.now();
        self.bench.clock.set(fx_app::jobs::protocol::after(now, time));
    }

    /// Lets `workers` take turns until the job is over.
    async fn drive(&self, workers: &[Jobs], faults: &Faults, id: &BacktestId) -> JobView {
        let mut before = 0.0;
        for _ in 0..TURNS_MAX {
            let worker = &workers[faults.below(workers.len() as u32) as usize];
            turn(worker, &*self.queue, faults).await;
            if faults.below(3) == 0 {
                self.pass(STEP);
            }
            let view = self.find(id).await;
            assert!(view.progress >= before, "progress goes back from {before} to {}", view.progress);
            before = view.progress;
            if view.job.status.is_terminal() {
                return view;
            }
        }
        panic!("the job does not end: {:?}", self.find(id).await);
    }

    async fn result(&self, id: &BacktestId) -> JobResult {
        let view = self.find(id).await;
        assert_eq!(view.job.status, JobStatus::Succeeded, "{:?}", view.job.cause);
        self.worker("front", Timing::default()).result(&view.job).await.unwrap()
    }

    async fn sweep_result(&self, id: &BacktestId) -> SweepResult {
        match self.result(id).await {
            JobResult::Sweep(sweep) => *sweep,
            other => panic!("{other:?}"),
        }
    }
}

/// A worker takes a turn. One whose call crashes drops what it was doing.
async fn turn(worker: &Jobs, queue: &dyn JobQueue, faults: &Faults) {
    tokio::select! {
        biased;
        () = faults.crash() => {}
        () = work(worker, queue, faults) => {}
    }
}

/// A worker does one message, or the sweeper's round. A message whose work failed stays, as one whose worker died.
async fn work(worker: &Jobs, queue: &dyn JobQueue, faults: &Faults) {
    if faults.below(4) == 0 {
        let _ = worker.sweep().await;
        return;
    }
    for delivery in queue.receive(1, Duration::ZERO).await.unwrap() {
        if worker.work(&delivery.message).await.is_ok() {
            queue.delete(&delivery.receipt).await.unwrap();
        }
    }
}

fn axis(name: &str, values: &[i64]) -> Axis {
    Axis { name: name.to_owned(), values: values.iter().copied().map(ParameterValue::Integer).collect() }
}

fn grid(axes: Vec<Axis>) -> JobKind {
    JobKind::Sweep(Sweep { axes, method: SweepMethod::Grid, target: Target::NetProfit })
}

/// Six sets.
fn six() -> JobKind {
    grid(vec![axis("fast", &[1, 2, 3]), axis("slow", &[5, 8])])
}

fn quiet() -> Arc<Faults> {
    Faults::new(1, 0)
}

/// So short that every slice ends after one run.
fn one_run_a_slice() -> Timing {
    Timing { slice: Duration::ZERO, ..Timing::default() }
}

#[tokio::test]
async fn a_sweep_is_each_of_its_backtests_in_order_and_its_best_has_the_best_score() {
    let office = Office::open().await;
    let submitted = office.submit(office.request(six(), Some(4)), None).await.unwrap();
    assert_eq!((submitted.created, submitted.job.chunks), (true, 2));
    let id = submitted.job.id;
    office.drive(&[office.worker("one", Timing::default())], &quiet(), &id).await;
    let sweep = office.sweep_result(&id).await;
    assert_eq!(sweep.members.len(), 6);
    for (member, (fast, slow)) in sweep.members.iter().zip([(1, 5), (1, 8), (2, 5), (2, 8), (3, 5), (3, 8)]) {
        let mut request = office.bench.request(office.strategy.clone());
        request.parameters.insert("fast".to_owned(), ParameterValue::Integer(fast));
        request.parameters.insert("slow".to_owned(), ParameterValue::Integer(slow));
        let alone = office.bench.run(request).await.unwrap().record;
        assert_eq!(member.result_hash, alone.result_hash, "{fast}/{slow}");
        assert_eq!(member.parameters, alone.parameters);
        assert_eq!(member.metrics, alone.report.metrics);
        assert!(member.metrics.total_trades > 3);
    }
    let best = &sweep.members[sweep.best.unwrap() as usize];
    assert!(sweep.members.iter().all(|member| member.metrics.net_profit <= best.metrics.net_profit));
    assert_ne!(sweep.members[0].result_hash, sweep.members[1].result_hash);
}

#[tokio::test]
async fn however_it_is_cut_a_sweep_gives_the_same() {
    let office = Office::open().await;
    let mut results = Vec::new();
    for (sets, timing) in
        [(6, Timing::default()), (1, Timing::default()), (4, one_run_a_slice()), (6, one_run_a_slice())]
    {
        let id = office.submit(office.request(six(), Some(sets)), None).await.unwrap().job.id;
        office.pass(Duration::from_secs(1));
        let workers = [office.worker("one", timing), office.worker("two", timing)];
        office.drive(&workers, &quiet(), &id).await;
        results.push(office.sweep_result(&id).await);
    }
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_at_the_same_time_give_what_one_gives() {
    let office = Office::open().await;
    let alone = office.submit(office.request(six(), Some(1)), None).await.unwrap().job.id;
    office.drive(&[office.worker("one", Timing::default())], &quiet(), &alone).await;
    office.pass(Duration::from_secs(1));
    let id = office.submit(office.request(six(), Some(1)), None).await.unwrap().job.id;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..4 {
        let (worker, queue) =
            (office.worker(&format!("worker {number}"), Timing::default()), office.queue.clone());
        tasks.spawn(async move {
            loop {
                for delivery in queue.receive(1, Duration::from_secs(1)).await.unwrap() {
                    worker.work(&delivery.message).await.unwrap();
                    queue.delete(&delivery.receipt).await.unwrap();
                }
            }
        });
    }
    while !office.find(&id).await.job.status.is_terminal() {
        tokio::task::yield_now().await;
    }
    tasks.shutdown().await;
    assert_eq!(office.sweep_result(&id).await, office.sweep_result(&alone).await);
}

#[tokio::test]
async fn a_single_run_is_the_backtest() {
    let office = Office::open().await;
    let id = office.submit(office.request(JobKind::Single, None), None).await.unwrap().job.id;
    office.drive(&[office.worker("one", Timing::default())], &quiet(), &id).await;
    let record = office.bench.app.get_backtest(&office.bench.caller, &id).await.unwrap();
    let alone = office.bench.run(office.bench.request(office.strategy.clone())).await.unwrap().record;
    assert_eq!(record.result_hash, alone.result_hash);
    assert_eq!(record.report, alone.report);
    assert_eq!(office.result(&id).await, JobResult::Single { result_hash: alone.result_hash });
}

/// Seeds of the search for a fault that breaks a job; `FAULT_SEEDS=100000` looks further, `FAULT_SEED=7` looks at one.
#[tokio::test]
async fn whatever_fails_a_job_ends_with_the_answer_of_one_process() {
    let office = Office::open().await;
    let id = office.submit(office.request(six(), Some(6)), None).await.unwrap().job.id;
    office.drive(&[office.worker("one", Timing::default())], &quiet(), &id).await;
    let (expected, calm) = (office.sweep_result(&id).await, office.result(&id).await);
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds = match number("FAULT_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("FAULT_SEEDS").unwrap_or(1_000),
    };
    let (mut succeeded, mut failed) = (0, 0);
    for seed in seeds {
        println!("FAULT_SEED={seed}");
        office.pass(Duration::from_secs(10));
        let faults = Faults::new(seed, 2 + (seed % 20) as u8);
        let sets = 1 + (seed % 6) as u32;
        let timing = if seed % 2 == 0 { one_run_a_slice() } else { Timing::default() };
        let id = office.submit(office.request(six(), Some(sets)), None).await.unwrap().job.id;
        let workers: Vec<_> =
            (0..3).map(|worker| office.faulty(&format!("{seed}-{worker}"), timing, &faults)).collect();
        let view = office.drive(&workers, &faults, &id).await;
        match view.job.status {
            JobStatus::Succeeded => {
                succeeded += 1;
                assert_eq!(office.sweep_result(&id).await, expected, "seed {seed}");
                assert_eq!(office.result(&id).await, calm);
            }
            // What fails all the time is given up, and says so.
            JobStatus::Failed => {
                failed += 1;
                let cause = view.job.cause.unwrap();
                assert!(cause.retryable, "seed {seed}: {cause:?}");
            }
            status => panic!("seed {seed}: {status:?}"),
        }
        let chunks = office.store.chunks(&id, view.job.epoch).await.unwrap();
        assert!(
            view.job.status == JobStatus::Failed
                || chunks.iter().all(|chunk| chunk.status == ChunkStatus::Done)
        );
        assert!(office.store.open_of(office.bench.caller.principal()).await.unwrap().is_empty());
        // Late messages about what is over change nothing.
        for _ in 0..20 {
            office.pass(STEP);
            turn(&workers[0], &*office.queue, &faults).await;
        }
        assert_eq!(office.find(&id).await.job.status, view.job.status, "seed {seed}");
    }
    assert!(succeeded > 9 * failed, "{succeeded} succeeded, {failed} failed");
}

#[tokio::test]
async fn a_key_is_one_job_and_another_request_of_the_same_key_a_conflict() {
    let office = Office::open().await;
    let first = office.submit(office.request(six(), None), Some("mine")).await.unwrap();
    let again = office.submit(office.request(six(), None), Some("mine")).await.unwrap();
    assert_eq!((again.created, &again.job.id), (false, &first.job.id));
    let error = office.submit(office.request(JobKind::Single, None), Some("mine")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let bob = Caller::new(fixtures::principal("bob"), Reach::All);
    let front = office.worker("front", Timing::default());
    let other = front.submit(&bob, office.request(six(), None), Some("mine")).await.unwrap();
    assert_ne!(other.job.id, first.job.id, "another caller's key is another key");
    let carl = Caller::new(fixtures::principal("carl"), Reach::Own);
    assert!(front.find(&carl, &first.job.id).await.unwrap().is_none());
    assert_eq!(front.cancel(&carl, &first.job.id).await.unwrap_err().kind(), ErrorKind::BacktestNotFound);
}

#[tokio::test]
async fn what_cannot_run_is_refused_before_anything_is_stored() {
    let office = Office::open().await;
    for (kind, field) in [
        (grid(vec![axis("fast", &[1, 51])]), "fast"),
        (grid(vec![axis("quick", &[1])]), "quick"),
        (grid(vec![axis("fast", &[1, 1])]), "sweep.parameters.fast"),
    ] {
        let error = office.submit(office.request(kind, None), None).await.unwrap_err();
        assert!(error.message().contains(field), "{error}");
    }
    assert!(office.store.open().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_cancelled_job_stops_at_the_next_run_and_stays_cancelled() {
    let office = Office::open().await;
    let id = office.submit(office.request(six(), Some(6)), None).await.unwrap().job.id;
    let worker = office.worker("one", one_run_a_slice());
    let quiet = quiet();
    // The chunks are made, and one run of six.
    for _ in 0..2 {
        let delivery = office.queue.receive(1, Duration::ZERO).await.unwrap().remove(0);
        worker.work(&delivery.message).await.unwrap();
        office.queue.delete(&delivery.receipt).await.unwrap();
    }
    let cancelled = worker.cancel(&office.bench.caller, &id).await.unwrap();
    assert_eq!(cancelled.job.status, JobStatus::Cancelled);
    for _ in 0..50 {
        office.pass(STEP);
        turn(&worker, &*office.queue, &quiet).await;
    }
    let view = office.find(&id).await;
    assert_eq!((view.job.status, view.job.done.count()), (JobStatus::Cancelled, 0));
    let chunk = office.store.chunks(&id, view.job.epoch).await.unwrap().remove(0);
    assert_eq!(chunk.checkpoint.map(|checkpoint| checkpoint.bars), Some(120), "one run, and no other");
    assert_eq!(worker.cancel(&office.bench.caller, &id).await.unwrap().job.status, JobStatus::Cancelled);
}

#[tokio::test]
async fn a_chunk_that_cannot_be_done_ends_its_job_with_the_cause_and_no_other() {
    let office = Office::open().await;
    let upside_down = Pips { open: 12_000, high: 11_990, low: 12_010, close: 12_000 };
    let rows = (0..120).map(|hour| if hour == 70 { upside_down } else { flat(12_000 + hour % 5) });
    office.bench.hours("GBP/USD", rows);
    let mut request = office.request(six(), Some(2));
    request.backtest.instruments = vec![pair("GBP/USD")];
    let poisoned = office.submit(request, None).await.unwrap().job.id;
    let sound = office.submit(office.request(six(), Some(2)), None).await.unwrap().job.id;
    let workers = [office.worker("one", Timing::default()), office.worker("two", Timing::default())];
    let view = office.drive(&workers, &quiet(), &sound).await;
    assert_eq!(view.job.status, JobStatus::Succeeded);
    let view = office.drive(&workers, &quiet(), &poisoned).await;
    let cause = view.job.cause.unwrap();
    assert_eq!((view.job.status, cause.code.as_str()), (JobStatus::Failed, "BACKTEST_DATA_ERROR"));
    assert!(
        !cause.retryable && cause.message.starts_with("chunk ") && cause.message.contains("high"),
        "{cause:?}"
    );
}
