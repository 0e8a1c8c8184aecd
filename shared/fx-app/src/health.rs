//! How the platform does.

use crate::App;
use crate::library::{LoadFailure, StrategyLibrary};
use crate::ports::{Health, HealthStatus};

/// The answer of `/health/detailed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetailedHealth {
    /// Unhealthy without its database, degraded without a service, else healthy.
    pub status: HealthStatus,
    /// The store of strategies and results.
    pub database: Health,
    /// The services, by name.
    pub services: Vec<(&'static str, Health)>,
    /// Strategies in the library.
    pub strategies_loaded: usize,
    /// Files of the library that are broken.
    pub load_failures: Vec<LoadFailure>,
    /// The library.
    pub strategy_loader: Health,
}

impl App {
    /// Asks every part how it does, all at once.
    pub async fn detailed_health(&self) -> DetailedHealth {
        let mut asked = tokio::task::JoinSet::new();
        for (index, probe) in self.services.probes.iter().cloned().enumerate() {
            asked.spawn(async move { (index, probe.name(), probe.check().await) });
        }
        let database = self.database.check().await;
        let mut services: Vec<_> = asked.join_all().await;
        services.sort_by_key(|(index, ..)| *index);
        let services: Vec<_> = services.into_iter().map(|(_, name, health)| (name, health)).collect();
        let library = self.library();
        let strategy_loader = library_health(&library);
        let ailing = |health: &Health| health.status != HealthStatus::Healthy;
        let status = if database.status == HealthStatus::Unhealthy {
            HealthStatus::Unhealthy
        } else if ailing(&database)
            || ailing(&strategy_loader)
            || services.iter().any(|(_, health)| ailing(health))
        {
            HealthStatus::Degraded
        } else {
            HealthStatus::Healthy
        };
        let strategies_loaded = library.entries().count();
        let load_failures = library.failures().to_vec();
        DetailedHealth { status, database, services, strategies_loaded, load_failures, strategy_loader }
    }

    /// Whether requests can be served: the database answers.
    pub async fn ready(&self) -> Health {
        self.database.check().await
    }
}

fn library_health(library: &StrategyLibrary) -> Health {
    let loaded = library.entries().count();
    match library.failures() {
        [] => Health { status: HealthStatus::Healthy, message: format!("{loaded} strategies loaded") },
        failures => {
            let names: Vec<_> = failures.iter().map(|failure| failure.stem.as_str()).collect();
            let message = format!("{loaded} strategies loaded; broken: {}", names.join(", "));
            Health { status: HealthStatus::Degraded, message }
        }
    }
}
