//! The platform's other services: which there are, and what an operator decides about calling them.

use std::fmt;
use std::time::Duration;

/// A peer service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Indicators, regimes, patterns.
    AnalysisEngine,
    /// Historical bars and features.
    FeatureStore,
    /// Orders and accounts.
    TradingGateway,
    /// Approval of orders.
    RiskManagement,
    /// Portfolios and allocations.
    PortfolioManagement,
    /// Alerts, logs, metrics.
    Monitoring,
}

impl Peer {
    /// All six, in the order of `/health/detailed`.
    pub const ALL: [Self; 6] = [
        Self::AnalysisEngine,
        Self::FeatureStore,
        Self::TradingGateway,
        Self::RiskManagement,
        Self::PortfolioManagement,
        Self::Monitoring,
    ];

    /// Its name in `/health/detailed`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AnalysisEngine => "analysis_engine",
            Self::FeatureStore => "feature_store",
            Self::TradingGateway => "trading_gateway",
            Self::RiskManagement => "risk_management",
            Self::PortfolioManagement => "portfolio_management",
            Self::Monitoring => "monitoring",
        }
    }
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text into custody.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that compares or sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A peer that is called over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerEndpoint {
    /// Which one.
    pub peer: Peer,
    /// Its base URL, without a trailing slash.
    pub url: String,
    /// The key that it wants, sent as `X-API-Key`.
    pub key: Option<Secret>,
}

/// When a breaker opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// Failures in a row that open it, above zero.
    pub threshold: u32,
    /// How long it stays open before one call is tried.
    pub reset: Duration,
}

/// How peers are called.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClientPolicy {
    /// The longest single call, from connecting to the answer's last byte.
    pub timeout: Duration,
    /// Repetitions of a call that changes nothing, after the first.
    pub retries_max: usize,
    /// Delay before the first of them.
    pub retry_base_delay: Duration,
    /// Factor of each further delay, at least 1.
    pub retry_backoff_factor: f32,
    /// When a peer is left alone.
    pub breaker: BreakerPolicy,
}

/// The limits, each for one order. The usual ones: 10 standard lots; 30 times the equity, the cap for retail clients on
/// major pairs in the EU (ESMA decision 2018/796); 2 percent of the equity lost at the stop; stops not required.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RiskLimits {
    /// Units, at most.
    pub units_max: i64,
    /// Notional as a multiple of the account's equity, at most.
    pub leverage_max: f64,
    /// Loss at the stop in percent of the account's equity, at most. Costs and gaps come on top.
    pub loss_percent_max: f64,
    /// Whether an order without a stop loss is refused.
    pub require_stop_loss: bool,
}

impl Default for RiskLimits {
    fn default() -> Self {
        Self { units_max: 1_000_000, leverage_max: 30.0, loss_percent_max: 2.0, require_stop_loss: false }
    }
}

/// `at most 1000000 units, 30 × equity, 2% of it lost at the stop`.
impl fmt::Display for RiskLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { units_max, leverage_max, loss_percent_max, require_stop_loss } = self;
        write!(
            f,
            "at most {units_max} units, {leverage_max} × equity, {loss_percent_max}% of it lost at the stop"
        )?;
        if *require_stop_loss { f.write_str(", a stop loss required") } else { Ok(()) }
    }
}

/// Which peers are elsewhere, how they are called, and what holds without them.
#[derive(Clone, Debug)]
pub struct PeerSettings {
    /// The peers that have a URL.
    pub endpoints: Vec<PeerEndpoint>,
    /// How they are called.
    pub client: ClientPolicy,
    /// The limits that hold while the risk service has no URL.
    pub limits: RiskLimits,
}
