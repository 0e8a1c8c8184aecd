//! What answers for each peer.

use crate::client::{PeerClient, pool};
use crate::health::{FixedProbe, HttpProbe};
use crate::{EmbeddedRisk, HttpRisk, PeersError};
use fx_app::Services;
use fx_app::peers::{Peer, PeerSettings, RiskLimits};
use fx_app::ports::{Clock, HealthProbe, RiskManagement};
use std::sync::Arc;

/// Builds a client for each peer that has a URL, and a stand-in for each other. Nothing is called yet. The probes are
/// those of the six peers and of `backtester`, in the order of `/health/detailed`.
///
/// # Errors
/// When TLS or the client cannot be set up, or a key cannot be a header.
pub fn connect(settings: &PeerSettings, clock: Arc<dyn Clock>) -> Result<Services, PeersError> {
    let pool = pool(&settings.client)?;
    let at = |peer| settings.endpoints.iter().find(|endpoint| endpoint.peer == peer);
    let risk: Arc<dyn RiskManagement> = match at(Peer::RiskManagement) {
        None => Arc::new(EmbeddedRisk::new(settings.limits)),
        Some(endpoint) => {
            let client = PeerClient::new(endpoint, pool.clone(), settings.client, clock.clone())?;
            Arc::new(HttpRisk::new(client))
        }
    };
    let mut probes: Vec<Arc<dyn HealthProbe>> = Vec::new();
    for peer in Peer::ALL {
        probes.push(match at(peer) {
            Some(endpoint) => Arc::new(HttpProbe::new(endpoint, pool.clone(), clock.clone())),
            None => Arc::new(FixedProbe { name: peer.name(), message: stand_in(peer, &settings.limits) }),
        });
    }
    let message = format!("engine {} in this process", fx_engine::ENGINE_VERSION);
    probes.push(Arc::new(FixedProbe { name: "backtester", message }));
    Ok(Services { risk, probes })
}

/// Whether a use-case calls it when it has a URL.
pub(crate) const fn is_called(peer: Peer) -> bool {
    matches!(peer, Peer::RiskManagement)
}

/// What stands in while it has no URL.
fn stand_in(peer: Peer, limits: &RiskLimits) -> String {
    match peer {
        Peer::AnalysisEngine => "embedded: strategies compute their own indicators".to_owned(),
        Peer::FeatureStore => "embedded: bars come from this deployment's own store".to_owned(),
        Peer::TradingGateway => "no URL set; nothing calls it: executions are dry runs".to_owned(),
        Peer::RiskManagement => format!("embedded limits: {limits}"),
        Peer::PortfolioManagement => "no URL set; nothing in this deployment calls it".to_owned(),
        Peer::Monitoring => "no URL set; log lines and metrics stay with this process".to_owned(),
    }
}
