//! The table of all settings. Defaults are parsed from it and the README's table is written from it, so that they
//! cannot differ.

/// One environment variable.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What holds when it is unset or empty.
    pub default: Default,
    /// Whether its value is never shown.
    pub secret: bool,
    /// What it decides, with its unit.
    pub meaning: &'static str,
}

/// What holds when a variable is unset.
#[derive(Clone, Copy, Debug)]
pub enum Default {
    /// This text.
    Fixed(&'static str),
    /// Another setting or the platform decides, as described.
    Depends(&'static str),
    /// Nothing: the part that it configures is off.
    Unset,
}

const fn fixed(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default: Default::Fixed(default), secret: false, meaning }
}

const fn depends(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default: Default::Depends(default), secret: false, meaning }
}

const fn unset(name: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default: Default::Unset, secret: false, meaning }
}

const fn secret(name: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default: Default::Unset, secret: true, meaning }
}

/// Declares each setting as a constant of its variable's name, and the table of all of them.
macro_rules! settings {
    ($($name:ident = $kind:ident($($argument:literal),+);)+) => {
        $(
            #[doc = concat!("`", stringify!($name), "`.")]
            pub(super) const $name: Setting = $kind(stringify!($name), $($argument),+);
        )+

        /// Every setting, in the order of the README's table.
        pub const SETTINGS: &[Setting] = &[$($name),+];
    };
}

settings! {
    HOST = depends("0.0.0.0 with keys, 127.0.0.1 without", "Address that the server binds. Without keys only a loopback address is taken.");
    PORT = fixed("8003", "Port that the server binds; 0 takes a free one.");
    API_KEY = secret("Key of clients, sent as `X-API-Key`. A Lambda function needs this one or the next.");
    SERVICE_API_KEY = secret("Key of the platform's services; sees the objects of every owner.");
    CORS_ORIGINS = unset("Origins that browsers may call from, separated by commas, or `*`.");
    DEBUG_MODE = fixed("false", "`true` logs at DEBUG unless LOG_LEVEL says otherwise.");
    LOG_LEVEL = depends("INFO, with DEBUG_MODE DEBUG", "TRACE, DEBUG, INFO, WARNING, ERROR or CRITICAL (as ERROR).");
    ENABLE_PROMETHEUS = fixed("true", "Whether the server answers `GET /metrics`.");
    STORAGE = depends("embedded, on Lambda aws", "`embedded`: SQLite and a folder. `aws`: DynamoDB and S3.");
    BACKTEST_DATA_DIR = fixed("data", "Folder of the embedded storage: its database, bars and results.");
    BACKTEST_DATA_BUCKET = unset("S3 bucket of bars and results. Needed with `STORAGE=aws`.");
    TABLE_NAME = unset("DynamoDB table of strategies, backtests and executions. Needed with `STORAGE=aws`.");
    STRATEGIES_DIR = fixed("strategies", "Folder of the strategies that are loaded at start; the server follows its changes.");
    MAX_CONCURRENT_STRATEGIES = fixed("10", "Backtests and executions that run at once in one process.");
    STRATEGY_TIMEOUT_SECONDS = fixed("30", "Seconds that one backtest or execution may take within a call.");
    ANALYSIS_ENGINE_URL = unset("Base URL of the Analysis Engine; probed by `/health/detailed`, called by nothing yet.");
    ANALYSIS_ENGINE_KEY = secret("Key that is sent to it.");
    FEATURE_STORE_URL = unset("Base URL of the Feature Store; probed, called by nothing yet.");
    FEATURE_STORE_KEY = secret("Key that is sent to it.");
    TRADING_GATEWAY_URL = unset("Base URL of the Trading Gateway; probed, called by nothing yet.");
    TRADING_GATEWAY_KEY = secret("Key that is sent to it.");
    RISK_MANAGEMENT_URL = unset("Base URL of Risk Management. Unset: the limits `RISK_…` below.");
    RISK_MANAGEMENT_KEY = secret("Key that is sent to it.");
    PORTFOLIO_MANAGEMENT_URL = unset("Base URL of Portfolio Management; probed, called by nothing yet.");
    MONITORING_SERVICE_URL = unset("Base URL of Monitoring & Alerting; probed, called by nothing yet.");
    CLIENT_TIMEOUT_SECONDS = fixed("5", "Seconds that one call of a peer may take.");
    CLIENT_MAX_RETRIES = fixed("3", "Times that a call which changes nothing is repeated.");
    CLIENT_RETRY_BASE_DELAY = fixed("0.1", "Seconds before the first repetition.");
    CLIENT_RETRY_BACKOFF_FACTOR = fixed("2", "How much longer each further delay is.");
    CLIENT_CIRCUIT_BREAKER_THRESHOLD = fixed("5", "Failures in a row after which a peer is not asked.");
    CLIENT_CIRCUIT_BREAKER_RESET_TIMEOUT = fixed("30", "Seconds until it is tried again.");
    RISK_MAX_UNITS = fixed("1000000", "Embedded risk limit: units of one order (10 standard lots).");
    RISK_MAX_LEVERAGE = fixed("30", "Embedded risk limit: notional of one order as a multiple of the account's equity.");
    RISK_MAX_LOSS_PERCENT = fixed("2", "Embedded risk limit: loss at the stop in percent of the account's equity.");
    RISK_REQUIRE_STOP_LOSS = fixed("false", "Embedded risk limit: whether an order without a stop loss is refused.");
}

/// The table as Markdown.
pub(super) fn markdown_table() -> String {
    let mut table = String::from("| variable | default | meaning |\n| --- | --- | --- |\n");
    for Setting { name, default, secret, meaning } in SETTINGS {
        let default = match default {
            Default::Fixed(text) => format!("`{text}`"),
            Default::Depends(text) => (*text).to_owned(),
            Default::Unset if *secret => "– (secret)".to_owned(),
            Default::Unset => "–".to_owned(),
        };
        table.push_str(&format!("| `{name}` | {default} | {meaning} |\n"));
    }
    table
}
