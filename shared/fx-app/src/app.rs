//! The use-cases' common ground.

use crate::errors;
use crate::library::StrategyLibrary;
use crate::ports::{
    BacktestStore, BarStore, BlobStore, Catalog, Clock, ExecutionStore, FeatureStore, HealthProbe,
    ResultStore, RiskManagement, StrategyStore,
};
use crate::records::{FeatureVersion, SeriesVersion};
use fx_domain::{ErrorKind, PlatformError, PlatformResult};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Semaphore;

/// What a storage adapter gives: each port over one place. Clones share its connections.
#[derive(Clone)]
pub struct Stores {
    /// Strategies.
    pub strategies: Arc<dyn StrategyStore>,
    /// Which version of a series is the latest.
    pub series: Arc<dyn Catalog<SeriesVersion>>,
    /// Which version of a feature is the latest.
    pub features: Arc<dyn Catalog<FeatureVersion>>,
    /// Summaries of backtests.
    pub backtests: Arc<dyn BacktestStore>,
    /// Records of executions.
    pub executions: Arc<dyn ExecutionStore>,
    /// Bars and result files.
    pub blobs: Arc<dyn BlobStore>,
    /// How the place does; named `database`.
    pub probe: Arc<dyn HealthProbe>,
}

/// What reads and writes files of bars and results in a blob store.
#[derive(Clone)]
pub struct Files {
    /// Bars.
    pub bars: Arc<dyn BarStore>,
    /// What other services tell.
    pub features: Arc<dyn FeatureStore>,
    /// Long parts of results.
    pub results: Arc<dyn ResultStore>,
}

/// What answers for the platform's other services.
#[derive(Clone)]
pub struct Services {
    /// Approval of orders.
    pub risk: Arc<dyn RiskManagement>,
    /// The services of `/health/detailed`, in its order.
    pub probes: Vec<Arc<dyn HealthProbe>>,
}

/// How much one process calculates for its callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunLimits {
    /// Backtests and executions at once, above zero; others wait.
    pub concurrent_max: usize,
    /// Time that one of them may take, waiting included.
    pub timeout: Duration,
}

/// The ports that a host composed. The use-cases are its methods, one file per group of verbs.
#[derive(Clone)]
pub struct App {
    pub(crate) strategies: Arc<dyn StrategyStore>,
    pub(crate) backtests: Arc<dyn BacktestStore>,
    pub(crate) executions: Arc<dyn ExecutionStore>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) database: Arc<dyn HealthProbe>,
    pub(crate) files: Files,
    pub(crate) services: Services,
    library: Arc<RwLock<Arc<StrategyLibrary>>>,
    pub(crate) clock: Arc<dyn Clock>,
    run_places: Arc<Semaphore>,
    run_limits: RunLimits,
}

impl App {
    /// The use-cases over these ports.
    #[must_use]
    pub fn new(
        stores: Stores,
        files: Files,
        services: Services,
        library: StrategyLibrary,
        clock: Arc<dyn Clock>,
        run_limits: RunLimits,
    ) -> Self {
        Self {
            strategies: stores.strategies,
            backtests: stores.backtests,
            executions: stores.executions,
            blobs: stores.blobs,
            database: stores.probe,
            files,
            services,
            library: Arc::new(RwLock::new(Arc::new(library))),
            clock,
            run_places: Arc::new(Semaphore::new(run_limits.concurrent_max)),
            run_limits,
        }
    }

    /// The same, with places of its own for calculations that may take as long as this.
    #[must_use]
    pub(crate) fn with_timeout(self, timeout: Duration) -> Self {
        let run_limits = RunLimits { timeout, ..self.run_limits };
        Self { run_places: Arc::new(Semaphore::new(run_limits.concurrent_max)), run_limits, ..self }
    }

    /// Loads what a calculation needs and calculates off the async threads, when there is a place: neither memory nor
    /// processors are taken before. A calculation that outlives its time is not waited for, and keeps its place until
    /// it ends.
    ///
    /// # Errors
    /// What `load` or `calculate` fails with; `ServiceError` (504) when the time is over; `kind` when the calculation
    /// panics.
    pub(crate) async fn run<L: Send + 'static, T: Send + 'static>(
        &self,
        kind: ErrorKind,
        load: impl Future<Output = PlatformResult<L>>,
        calculate: impl FnOnce(L) -> PlatformResult<T> + Send + 'static,
    ) -> PlatformResult<T> {
        let places = Arc::clone(&self.run_places);
        let calculated = async move {
            // The semaphore is never closed: without a place there would be no limit, and nothing else.
            let place = places.acquire_owned().await.ok();
            let loaded = load.await?;
            let calculate = move || {
                let _place = place;
                calculate(loaded)
            };
            tokio::task::spawn_blocking(calculate).await.map_err(|error| errors::lost_task(kind, error))?
        };
        let RunLimits { concurrent_max, timeout } = self.run_limits;
        tokio::time::timeout(timeout, calculated).await.unwrap_or_else(|_| {
            let seconds = timeout.as_secs();
            let message =
                format!("not finished within {seconds} s, with {concurrent_max} runs at once: try again");
            Err(PlatformError::new(ErrorKind::ServiceTimeout, message))
        })
    }

    /// The strategies that ship with the platform, as they are at this moment.
    #[must_use]
    pub fn library(&self) -> Arc<StrategyLibrary> {
        // The lock is held to copy a pointer: a panic elsewhere cannot leave half of one.
        Arc::clone(&self.library.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Serves another library from now on, to this one and all its clones. Who reads the old one finishes with it.
    pub fn replace_library(&self, library: StrategyLibrary) {
        *self.library.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(library);
    }
}
