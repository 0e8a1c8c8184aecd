//! `server`: every route, until a signal.

use crate::{compose, reload};
use anyhow::Result;
use fx_host::metrics::Metrics;
use fx_host::telemetry::{self, LogFormat};
use fx_host::{Config, Platform, Secret, SystemClock, lifecycle};
use fx_http::{ApiSettings, Keys, RouteSet};
use std::sync::Arc;

pub(crate) async fn run() -> Result<()> {
    let config = Config::from_env(Platform::Server)?;
    telemetry::init(config.telemetry.level, LogFormat::Json)?;
    tracing::debug!("configuration: {config:?}");
    let app = compose::app(&config, compose::stores(&config.storage).await?)?;
    tracing::info!("{} strategies loaded", app.library().entries().count());

    let metrics = Metrics::install(env!("CARGO_PKG_VERSION"))?;
    metrics.spawn_upkeep();
    reload::follow(app.clone(), config.strategies.dir);
    let access = config.access;
    let keys = Keys::new(
        access.api_key.as_ref().map(Secret::expose),
        access.service_api_key.as_ref().map(Secret::expose),
    )?;
    let settings = ApiSettings {
        keys,
        cors_origins: access.cors_origins,
        metrics: config.telemetry.prometheus.then(|| metrics.render()),
        ..ApiSettings::new(Arc::new(SystemClock))
    };
    let shutdown = lifecycle::stop_signal()?;
    let listener = lifecycle::bind(config.bind).await?;
    let router = fx_http::router(app, RouteSet::all(), settings);
    lifecycle::serve(listener, router, shutdown, lifecycle::DRAIN_LIMIT).await?;
    Ok(())
}
