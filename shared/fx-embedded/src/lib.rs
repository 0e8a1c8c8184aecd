//! SQLite and folder adapters of the ports: the platform without an account, a container or a network.
//!
//! Everything lies in one folder: [`DATABASE_FILE`] holds strategies, the catalogues, the summaries of runs, jobs and messages;
//! [`BLOBS_FOLDER`] holds bars and result files under their keys, readable by any tool.
//!
//! Invariants:
//! - What a call acknowledged survives a power cut: WAL with `synchronous=FULL`, blobs synced before they get their name.
//! - Several processes may open the same folder: writes take SQLite's lock, blobs get their name at most once.
//! - The form of the file is its `user_version`; a file of a newer release is refused, never guessed at.
//! - SQLite and file calls run on the blocking pool; a dropped future lets the call end, so it took effect or did not.
//!
//! What this crate must not know: AWS, HTTP, what the records mean.

mod blobs;
mod catalog;
mod database;
mod error;
mod jobs;
mod queue;
mod runs;
mod strategies;

pub use error::EmbeddedError;
pub use queue::QueueSettings;

use database::Database;
use fx_app::Stores;
use fx_app::ports::{Health, HealthProbe, HealthStatus, JobQueue, JobStore};
use fx_app::records::{BacktestRecord, ExecutionRecord};
use std::path::Path;
use std::sync::Arc;

/// The database in the data folder.
pub const DATABASE_FILE: &str = "platform.sqlite3";
/// The blobs in the data folder.
pub const BLOBS_FOLDER: &str = "blobs";

/// The ports over one data folder.
#[derive(Clone)]
pub struct Embedded {
    /// All but those of jobs.
    pub stores: Stores,
    /// Jobs and their chunks.
    pub jobs: Arc<dyn JobStore>,
    /// Messages about them.
    pub queue: Arc<dyn JobQueue>,
}

/// Opens the data folder, makes it if needed, and brings the database to this release's form. Blocks while it does.
///
/// # Errors
/// [`EmbeddedError`] naming the file, when the folder cannot be written or holds what this release cannot read.
pub fn open(folder: &Path, queue: QueueSettings) -> Result<Embedded, EmbeddedError> {
    let blobs = blobs::FolderBlobs::open(&folder.join(BLOBS_FOLDER))?;
    let database = Arc::new(Database::open(&folder.join(DATABASE_FILE))?);
    let catalog = |table, versions| {
        Arc::new(catalog::SqliteCatalog { database: Arc::clone(&database), table, versions })
    };
    let stores = Stores {
        strategies: Arc::new(strategies::SqliteStrategies(Arc::clone(&database))),
        series: catalog("series", "series_versions"),
        features: catalog("features", "feature_versions"),
        backtests: Arc::new(runs::SqliteRuns::<BacktestRecord>::new(Arc::clone(&database))),
        executions: Arc::new(runs::SqliteRuns::<ExecutionRecord>::new(Arc::clone(&database))),
        blobs: Arc::new(blobs),
        probe: Arc::new(DatabaseProbe(Arc::clone(&database))),
    };
    let jobs = Arc::new(jobs::SqliteJobs(Arc::clone(&database)));
    Ok(Embedded { stores, jobs, queue: Arc::new(queue::SqliteQueue::new(database, queue)) })
}

struct DatabaseProbe(Arc<Database>);

#[async_trait::async_trait]
impl HealthProbe for DatabaseProbe {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self) -> Health {
        match self.0.write("health check", database::try_out).await {
            Ok(()) => Health {
                status: HealthStatus::Healthy,
                message: format!("embedded: {}", self.0.path().display()),
            },
            Err(error) => {
                let reason = std::error::Error::source(&error).map(error_chain).unwrap_or_default();
                Health { status: HealthStatus::Unhealthy, message: format!("{error}: {reason}") }
            }
        }
    }
}

fn error_chain(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
