//! Health on the wire.

use fx_app::health::DetailedHealth;
use fx_app::library::LoadFailure;
use fx_app::ports::{Health, HealthStatus};
use fx_domain::UnixNanos;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// That the service is there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RootDto {
    /// A greeting.
    message: &'static str,
    /// Version of the platform.
    version: &'static str,
    /// Now.
    #[schema(format = DateTime)]
    timestamp: String,
}

/// That the service runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthDto {
    /// `healthy`.
    #[schema(pattern = "^healthy$")]
    status: &'static str,
    /// Version of the platform.
    version: &'static str,
    /// Now.
    #[schema(format = DateTime)]
    timestamp: String,
}

/// How every part of the service does.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DetailedHealthDto {
    /// `healthy`, `degraded` without a service, `unhealthy` without the database.
    #[schema(pattern = "^(healthy|degraded|unhealthy)$")]
    status: &'static str,
    /// Version of the platform.
    version: &'static str,
    /// Now.
    #[schema(format = DateTime)]
    timestamp: String,
    /// The store of strategies and results.
    database: PartHealth,
    /// The services, by name.
    services: BTreeMap<&'static str, PartHealth>,
}

/// How one part does.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PartHealth {
    /// `healthy`, `degraded`, `unhealthy`.
    #[schema(pattern = "^(healthy|degraded|unhealthy)$")]
    status: &'static str,
    /// What it is, and how it does.
    message: String,
    /// Strategies that ship with the platform; of `strategy_loader` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    strategies_loaded: Option<usize>,
    /// Files of strategies that are broken; of `strategy_loader` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<Vec<LoadFailureDto>>,
}

/// A file of a strategy that ships with the platform and is broken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LoadFailureDto {
    /// The strategy: the file's name without its ending.
    strategy: String,
    /// The first thing that is wrong, as line and column of the file.
    reason: String,
    /// Whether an earlier, sound version is served instead.
    served: bool,
}

const fn word(status: HealthStatus) -> &'static str {
    match status {
        HealthStatus::Healthy => "healthy",
        HealthStatus::Degraded => "degraded",
        HealthStatus::Unhealthy => "unhealthy",
    }
}

impl PartHealth {
    fn of(health: Health) -> Self {
        Self { status: word(health.status), message: health.message, strategies_loaded: None, failures: None }
    }
}

impl RootDto {
    pub(crate) fn at(now: UnixNanos) -> Self {
        Self {
            message: "Strategy Execution Engine is running",
            version: env!("CARGO_PKG_VERSION"),
            timestamp: now.to_string(),
        }
    }
}

impl HealthDto {
    pub(crate) fn at(now: UnixNanos) -> Self {
        Self { status: "healthy", version: env!("CARGO_PKG_VERSION"), timestamp: now.to_string() }
    }
}

impl DetailedHealthDto {
    pub(crate) fn of(health: DetailedHealth, now: UnixNanos) -> Self {
        let failures = health.load_failures.into_iter().map(|failure| {
            let LoadFailure { stem, reason, served } = failure;
            LoadFailureDto { strategy: stem, reason, served }
        });
        let loader = PartHealth {
            strategies_loaded: Some(health.strategies_loaded),
            failures: Some(failures.collect()),
            ..PartHealth::of(health.strategy_loader)
        };
        let services = health.services.into_iter().map(|(name, health)| (name, PartHealth::of(health)));
        Self {
            status: word(health.status),
            version: env!("CARGO_PKG_VERSION"),
            timestamp: now.to_string(),
            database: PartHealth::of(health.database),
            services: services.chain([("strategy_loader", loader)]).collect(),
        }
    }
}
