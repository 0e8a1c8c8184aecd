//! From the configuration to the use-cases: which adapters fill the ports.

use anyhow::Result;
use fx_app::library::StrategyLibrary;
use fx_app::ports::Clock;
use fx_app::{App, Stores};
use fx_host::config::StorageConfig;
use fx_host::{Config, SystemClock, strategies_dir};
use std::sync::Arc;

/// Opens the storage that the configuration names.
pub(crate) async fn stores(storage: &StorageConfig) -> Result<Stores> {
    match storage {
        StorageConfig::Embedded { data_dir } => {
            let queue = fx_embedded::QueueSettings::new(Arc::new(SystemClock));
            Ok(fx_embedded::open(data_dir, queue)?.stores)
        }
        StorageConfig::Aws { table, bucket } => aws(table, bucket).await,
    }
}

#[cfg(feature = "aws")]
async fn aws(table: &str, bucket: &str) -> Result<Stores> {
    let settings = fx_aws::AwsSettings {
        table: table.to_owned(),
        bucket: bucket.to_owned(),
        queue: None,
        endpoint: None,
    };
    Ok(fx_aws::Aws::connect(settings).await.stores)
}

#[cfg(not(feature = "aws"))]
async fn aws(_table: &str, _bucket: &str) -> Result<Stores> {
    anyhow::bail!("STORAGE: this binary was built without `aws`; build it with `--features aws`")
}

/// The use-cases over `stores`, with the shipped strategies and the peers of the configuration.
pub(crate) fn app(config: &Config, stores: Stores) -> Result<App> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let files = fx_store::files(&stores);
    let services = fx_peers::connect(&config.peers, Arc::clone(&clock))?;
    let library = StrategyLibrary::load(strategies_dir::read(&config.strategies.dir)?);
    report_failures(&library);
    Ok(App::new(stores, files, services, library, clock, config.strategies.limits))
}

/// Says which files are broken.
pub(crate) fn report_failures(library: &StrategyLibrary) {
    for failure in library.failures() {
        let instead = if failure.served { "its version of before is served" } else { "it is not served" };
        tracing::warn!(
            strategy.id = failure.stem,
            "a shipped strategy is broken, {instead}: {}",
            failure.reason
        );
    }
}
