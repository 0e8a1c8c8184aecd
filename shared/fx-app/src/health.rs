//! How the platform does.

use crate::App;
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
        let strategy_loader = self.library_health();
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
        let strategies_loaded = self.library.entries().count();
        DetailedHealth { status, database, services, strategies_loaded, strategy_loader }
    }

    fn library_health(&self) -> Health {
        let loaded = self.library.entries().count();
        match self.library.failures() {
            [] => Health { status: HealthStatus::Healthy, message: format!("{loaded} strategies loaded") },
            failures => {
                let names: Vec<_> = failures.iter().map(|failure| failure.stem.as_str()).collect();
                let message = format!("{loaded} strategies loaded; broken: {}", names.join(", "));
                Health { status: HealthStatus::Degraded, message }
            }
        }
    }

    /// Whether requests can be served: the database answers.
    pub async fn ready(&self) -> Health {
        self.database.check().await
    }
}
