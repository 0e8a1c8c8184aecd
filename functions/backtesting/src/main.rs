//! Lambda function `backtesting`: data sets, backtests, their results and analysis.

use anyhow::{Result, bail};
use fx_app::App;
use fx_app::library::StrategyLibrary;
use fx_app::ports::Clock;
use fx_aws::{Aws, AwsSettings};
use fx_host::config::StorageConfig;
use fx_host::telemetry::{self, LogFormat};
use fx_host::{Config, Platform, Secret, SystemClock, lambda, strategies_dir};
use fx_http::{ApiSettings, Keys, RouteGroup, RouteSet};
use std::sync::Arc;

/// The routes that this function owns.
const ROUTES: [RouteGroup; 1] = [RouteGroup::Backtesting];

#[tokio::main]
async fn main() -> Result<()> {
    let Config { telemetry, access, storage, strategies, peers, .. } = Config::from_env(Platform::Lambda)?;
    telemetry::init(telemetry.level, LogFormat::Json)?;
    let StorageConfig::Aws { table, bucket } = storage else {
        bail!("STORAGE: a function stores in AWS only")
    };

    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let stores = Aws::connect(AwsSettings { table, bucket, queue: None, endpoint: None }).await.stores;
    let files = fx_store::files(&stores);
    let services = fx_peers::connect(&peers, Arc::clone(&clock))?;
    let library = StrategyLibrary::load(strategies_dir::read(&strategies.dir)?);
    let app = App::new(stores, files, services, library, Arc::clone(&clock), strategies.limits);

    let keys = Keys::new(
        access.api_key.as_ref().map(Secret::expose),
        access.service_api_key.as_ref().map(Secret::expose),
    )?;
    let settings = ApiSettings { keys, cors_origins: access.cors_origins, ..ApiSettings::new(clock) };
    Ok(lambda::run(fx_http::router(app, RouteSet::of(ROUTES), settings)).await?)
}
