//! How the peers do, for `/health/detailed`. That route needs no key, so no URL is shown.

use crate::peers::is_called;
use async_trait::async_trait;
use fx_app::peers::{Peer, PeerEndpoint};
use fx_app::ports::{Clock, Health, HealthProbe, HealthStatus};
use std::sync::Arc;
use std::time::Duration;

/// The longest that a probe waits, whatever a call may take.
const PROBE_TIME_MAX: Duration = Duration::from_secs(2);

/// Asks `GET {url}/health`.
pub(crate) struct HttpProbe {
    pub(crate) peer: Peer,
    url: String,
    pool: reqwest::Client,
    clock: Arc<dyn Clock>,
}

impl HttpProbe {
    pub(crate) fn new(endpoint: &PeerEndpoint, pool: reqwest::Client, clock: Arc<dyn Clock>) -> Self {
        let url = format!("{}/health", endpoint.url.trim_end_matches('/'));
        Self { peer: endpoint.peer, url, pool, clock }
    }
}

#[async_trait]
impl HealthProbe for HttpProbe {
    fn name(&self) -> &'static str {
        self.peer.name()
    }

    async fn check(&self) -> Health {
        let asked = self.clock.now();
        let answer = self.pool.get(&self.url).timeout(PROBE_TIME_MAX).send().await;
        let millis = self.clock.now().get().saturating_sub(asked.get()).max(0) / 1_000_000;
        let (status, what) = match answer {
            Ok(response) if response.status().is_success() => {
                (HealthStatus::Healthy, format!("answered {} in {millis} ms", response.status().as_u16()))
            }
            Ok(response) => {
                (HealthStatus::Unhealthy, format!("answered {} in {millis} ms", response.status().as_u16()))
            }
            Err(error) if error.is_timeout() => {
                (HealthStatus::Unhealthy, "did not answer in time".to_owned())
            }
            Err(_) => (HealthStatus::Unhealthy, "cannot be reached".to_owned()),
        };
        let called = if is_called(self.peer) { "" } else { "; nothing but this probe calls it yet" };
        Health { status, message: format!("over HTTP: {what}{called}") }
    }
}

/// A part that is in this process, or not at all.
pub(crate) struct FixedProbe {
    pub(crate) name: &'static str,
    pub(crate) message: String,
}

#[async_trait]
impl HealthProbe for FixedProbe {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn check(&self) -> Health {
        Health { status: HealthStatus::Healthy, message: self.message.clone() }
    }
}
