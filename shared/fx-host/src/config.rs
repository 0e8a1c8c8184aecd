//! The environment, read once and typed: one struct per concern.

mod error;
mod setting;
#[cfg(test)]
mod tests;
mod value;

pub use error::ConfigError;
pub use setting::{Default, SETTINGS, Setting};

use axum::http::HeaderValue;
use fx_app::RunLimits;
pub use fx_app::peers::Secret;
use fx_app::peers::{BreakerPolicy, ClientPolicy, Peer, PeerEndpoint, PeerSettings, RiskLimits};
use setting as s;
use std::ffi::OsString;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use tracing::level_filters::LevelFilter;

/// Where the process runs; its binary knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// A container or a laptop.
    Server,
    /// A Lambda function: always behind a public gateway, and without a disk that stays.
    Lambda,
}

/// All settings of a process.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the server listens.
    pub bind: SocketAddr,
    /// Who may call.
    pub access: AccessConfig,
    /// Log lines and metrics.
    pub telemetry: TelemetryConfig,
    /// What keeps strategies, bars and results.
    pub storage: StorageConfig,
    /// Shipped strategies, and the limits of running any.
    pub strategies: StrategiesConfig,
    /// The peer services.
    pub peers: PeerSettings,
}

/// Who may call.
#[derive(Clone, Debug)]
pub struct AccessConfig {
    /// Key of clients.
    pub api_key: Option<Secret>,
    /// Key of the platform's services.
    pub service_api_key: Option<Secret>,
    /// Origins of browsers, or one `*`; none: browsers may not call from elsewhere.
    pub cors_origins: Vec<HeaderValue>,
}

/// Log lines and metrics.
#[derive(Clone, Copy, Debug)]
pub struct TelemetryConfig {
    /// The least level of our own crates' lines.
    pub level: LevelFilter,
    /// Whether `GET /metrics` answers.
    pub prometheus: bool,
}

/// What keeps strategies, bars and results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageConfig {
    /// SQLite and files in a folder.
    Embedded {
        /// The folder.
        data_dir: PathBuf,
    },
    /// DynamoDB and S3. Region, credentials and endpoint are the SDK's own variables (`AWS_REGION`, …).
    Aws {
        /// The table.
        table: String,
        /// The bucket.
        bucket: String,
    },
}

/// Shipped strategies, and the limits of running any.
#[derive(Clone, Debug)]
pub struct StrategiesConfig {
    /// Their folder.
    pub dir: StrategiesDir,
    /// How much is calculated at once, and for how long.
    pub limits: RunLimits,
}

/// The folder of shipped strategies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StrategiesDir {
    /// `STRATEGIES_DIR` names it: it must be there.
    Named(PathBuf),
    /// The default, which may be missing.
    Usual(PathBuf),
}

/// The peers, and the variables of their URL and key.
const PEERS: [(Peer, Setting, Option<Setting>); 6] = [
    (Peer::AnalysisEngine, s::ANALYSIS_ENGINE_URL, Some(s::ANALYSIS_ENGINE_KEY)),
    (Peer::FeatureStore, s::FEATURE_STORE_URL, Some(s::FEATURE_STORE_KEY)),
    (Peer::TradingGateway, s::TRADING_GATEWAY_URL, Some(s::TRADING_GATEWAY_KEY)),
    (Peer::RiskManagement, s::RISK_MANAGEMENT_URL, Some(s::RISK_MANAGEMENT_KEY)),
    (Peer::PortfolioManagement, s::PORTFOLIO_MANAGEMENT_URL, None),
    (Peer::Monitoring, s::MONITORING_SERVICE_URL, None),
];

impl StrategiesDir {
    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Named(path) | Self::Usual(path) => path,
        }
    }

    /// Whether somebody named it, so that it must be there.
    #[must_use]
    pub const fn is_named(&self) -> bool {
        matches!(self, Self::Named(_))
    }
}

impl AccessConfig {
    /// Whether callers need a key.
    #[must_use]
    pub const fn has_keys(&self) -> bool {
        self.api_key.is_some() || self.service_api_key.is_some()
    }
}

impl Config {
    /// Reads the environment of this process.
    ///
    /// # Errors
    /// As [`Config::from_lookup`].
    pub fn from_env(platform: Platform) -> Result<Self, ConfigError> {
        Self::from_lookup(platform, |name| std::env::var_os(name))
    }

    /// Reads settings by variable name. An empty value counts as unset, as container templates leave it.
    ///
    /// # Errors
    /// The first variable with a value that cannot be meant, alone or beside the others.
    pub fn from_lookup<T: Into<OsString>>(
        platform: Platform,
        lookup: impl Fn(&str) -> Option<T>,
    ) -> Result<Self, ConfigError> {
        let env = Env(&|name| lookup(name).map(Into::into));
        let access = access(&env, platform)?;
        Ok(Self {
            bind: bind(&env, &access)?,
            telemetry: telemetry(&env)?,
            storage: storage(&env, platform)?,
            strategies: strategies(&env)?,
            peers: peers(&env)?,
            access,
        })
    }

    /// The table of all settings as Markdown: the README's, between its `configuration` marks.
    #[must_use]
    pub fn markdown_table() -> String {
        setting::markdown_table()
    }
}

fn access(env: &Env<'_>, platform: Platform) -> Result<AccessConfig, ConfigError> {
    let access = AccessConfig {
        api_key: env.optional(&s::API_KEY, value::secret)?,
        service_api_key: env.optional(&s::SERVICE_API_KEY, value::secret)?,
        cors_origins: env.optional(&s::CORS_ORIGINS, value::origins)?.unwrap_or_default(),
    };
    if platform == Platform::Lambda && !access.has_keys() {
        let reason =
            "is not set, nor SERVICE_API_KEY: a Lambda function is reachable by everybody and needs a key";
        return Err(ConfigError::new(s::API_KEY.name, reason));
    }
    if access.api_key.is_some() && access.api_key == access.service_api_key {
        let reason = "is the same as API_KEY: every client would see the objects of every owner";
        return Err(ConfigError::new(s::SERVICE_API_KEY.name, reason));
    }
    Ok(access)
}

fn bind(env: &Env<'_>, access: &AccessConfig) -> Result<SocketAddr, ConfigError> {
    let port = env.fixed(&s::PORT, value::integer(0, u16::MAX))?;
    let host = match env.optional(&s::HOST, value::host)? {
        Some(host) if !access.has_keys() && !host.is_loopback() => {
            let reason = format!(
                "`{host}` is reachable from elsewhere: set API_KEY or SERVICE_API_KEY, or HOST=127.0.0.1"
            );
            return Err(ConfigError::new(s::HOST.name, reason));
        }
        Some(host) => host,
        None if access.has_keys() => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        None => IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    Ok(SocketAddr::new(host, port))
}

fn telemetry(env: &Env<'_>) -> Result<TelemetryConfig, ConfigError> {
    let debug = env.fixed(&s::DEBUG_MODE, value::flag)?;
    let usual = if debug { LevelFilter::DEBUG } else { LevelFilter::INFO };
    Ok(TelemetryConfig {
        level: env.optional(&s::LOG_LEVEL, value::level)?.unwrap_or(usual),
        prometheus: env.fixed(&s::ENABLE_PROMETHEUS, value::flag)?,
    })
}

fn storage(env: &Env<'_>, platform: Platform) -> Result<StorageConfig, ConfigError> {
    let kind = env.text(&s::STORAGE)?;
    let usual = if platform == Platform::Lambda { "aws" } else { "embedded" };
    let data_dir = env.fixed(&s::BACKTEST_DATA_DIR, path)?;
    let bucket = env.optional(&s::BACKTEST_DATA_BUCKET, value::bucket)?;
    let table = env.optional(&s::TABLE_NAME, value::table)?;
    let needed = |setting: Setting| move || ConfigError::new(setting.name, "is needed with STORAGE=aws");
    match kind.as_deref().unwrap_or(usual) {
        "embedded" if platform == Platform::Lambda => {
            let reason = "`embedded` keeps nothing on Lambda: its disk goes with the process";
            Err(ConfigError::new(s::STORAGE.name, reason))
        }
        "embedded" => Ok(StorageConfig::Embedded { data_dir }),
        "aws" => Ok(StorageConfig::Aws {
            table: table.ok_or_else(needed(s::TABLE_NAME))?,
            bucket: bucket.ok_or_else(needed(s::BACKTEST_DATA_BUCKET))?,
        }),
        other => Err(ConfigError::new(s::STORAGE.name, format!("`{other}` is neither embedded nor aws"))),
    }
}

fn strategies(env: &Env<'_>) -> Result<StrategiesConfig, ConfigError> {
    let path = env.fixed(&s::STRATEGIES_DIR, path)?;
    let named = env.text(&s::STRATEGIES_DIR)?.is_some();
    Ok(StrategiesConfig {
        dir: if named { StrategiesDir::Named(path) } else { StrategiesDir::Usual(path) },
        limits: RunLimits {
            concurrent_max: env.fixed(&s::MAX_CONCURRENT_STRATEGIES, value::integer(1, 1_000))?,
            timeout: env.fixed(&s::STRATEGY_TIMEOUT_SECONDS, value::seconds)?,
        },
    })
}

fn peers(env: &Env<'_>) -> Result<PeerSettings, ConfigError> {
    let mut endpoints = Vec::new();
    for (peer, url, key) in PEERS {
        let key = key.map(|key| env.optional(&key, value::secret)).transpose()?.flatten();
        if let Some(url) = env.optional(&url, value::url)? {
            endpoints.push(PeerEndpoint { peer, url, key });
        }
    }
    Ok(PeerSettings {
        endpoints,
        client: ClientPolicy {
            timeout: env.fixed(&s::CLIENT_TIMEOUT_SECONDS, value::seconds)?,
            retries_max: env.fixed(&s::CLIENT_MAX_RETRIES, value::integer(0, 10))?,
            retry_base_delay: env.fixed(&s::CLIENT_RETRY_BASE_DELAY, value::delay)?,
            // Between 1 and 10 the nearest f32 is as good as what was typed.
            retry_backoff_factor: env.fixed(&s::CLIENT_RETRY_BACKOFF_FACTOR, value::number(1.0, 10.0))?
                as f32,
            breaker: BreakerPolicy {
                threshold: env.fixed(&s::CLIENT_CIRCUIT_BREAKER_THRESHOLD, value::integer(1, 1_000))?,
                reset: env.fixed(&s::CLIENT_CIRCUIT_BREAKER_RESET_TIMEOUT, value::seconds)?,
            },
        },
        limits: RiskLimits {
            units_max: env.fixed(&s::RISK_MAX_UNITS, value::integer(1, 1_000_000_000_000))?,
            leverage_max: env.fixed(&s::RISK_MAX_LEVERAGE, value::number(0.01, 1_000.0))?,
            loss_percent_max: env.fixed(&s::RISK_MAX_LOSS_PERCENT, value::number(0.001, 100.0))?,
            require_stop_loss: env.fixed(&s::RISK_REQUIRE_STOP_LOSS, value::flag)?,
        },
    })
}

fn path(text: &str) -> Result<PathBuf, String> {
    Ok(PathBuf::from(text))
}

/// Variables by name.
struct Env<'a>(&'a dyn Fn(&str) -> Option<OsString>);

impl Env<'_> {
    /// The text of a variable; none when it is unset or empty.
    fn text(&self, setting: &Setting) -> Result<Option<String>, ConfigError> {
        let Some(value) = (self.0)(setting.name) else { return Ok(None) };
        let text = value.into_string().map_err(|_| ConfigError::new(setting.name, "is not UTF-8"))?;
        Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
    }

    /// The value of a variable that may be unset.
    fn optional<T>(
        &self,
        setting: &Setting,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        let text = self.text(setting)?;
        text.map(|text| parse(&text)).transpose().map_err(|reason| ConfigError::new(setting.name, reason))
    }

    /// The value of a variable, or of the table's default.
    fn fixed<T>(
        &self,
        setting: &Setting,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        if let Some(value) = self.optional(setting, &parse)? {
            return Ok(value);
        }
        let Default::Fixed(default) = setting.default else {
            return Err(ConfigError::new(setting.name, "is not set and has no default"));
        };
        parse(default).map_err(|reason| ConfigError::new(setting.name, reason))
    }
}
