//! The use-cases' common ground.

use crate::library::StrategyLibrary;
use crate::ports::{
    BacktestStore, BarStore, BlobStore, Clock, ExecutionStore, HealthProbe, ResultStore, RiskManagement,
    SeriesCatalog, StrategyStore,
};
use std::sync::Arc;

/// What a storage adapter gives: each port over one place. Clones share its connections.
#[derive(Clone)]
pub struct Stores {
    /// Strategies.
    pub strategies: Arc<dyn StrategyStore>,
    /// Which version of a series is the latest.
    pub series: Arc<dyn SeriesCatalog>,
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

/// The ports that a host composed. The use-cases are its methods, one file per group of verbs.
#[derive(Clone)]
pub struct App {
    pub(crate) strategies: Arc<dyn StrategyStore>,
    pub(crate) backtests: Arc<dyn BacktestStore>,
    pub(crate) executions: Arc<dyn ExecutionStore>,
    pub(crate) database: Arc<dyn HealthProbe>,
    pub(crate) files: Files,
    pub(crate) services: Services,
    pub(crate) library: Arc<StrategyLibrary>,
    pub(crate) clock: Arc<dyn Clock>,
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
    ) -> Self {
        let Stores { strategies, backtests, executions, probe, series: _, blobs: _ } = stores;
        Self {
            strategies,
            backtests,
            executions,
            database: probe,
            files,
            services,
            library: Arc::new(library),
            clock,
        }
    }

    /// The strategies that ship with the platform.
    #[must_use]
    pub fn library(&self) -> &StrategyLibrary {
        &self.library
    }
}
