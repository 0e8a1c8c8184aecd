use super::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

fn config(platform: Platform, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let variables: BTreeMap<_, _> = variables.iter().copied().collect();
    Config::from_lookup(platform, |name| variables.get(name).copied())
}

fn server(variables: &[(&str, &str)]) -> Config {
    config(Platform::Server, variables).unwrap()
}

fn refused(variables: &[(&str, &str)]) -> String {
    config(Platform::Server, variables).unwrap_err().to_string()
}

#[test]
fn an_empty_environment_is_an_embedded_server_for_this_machine_only() {
    let config = server(&[]);
    assert_eq!(config.bind.to_string(), "127.0.0.1:8003");
    assert!(!config.access.has_keys());
    assert_eq!(config.storage, StorageConfig::Embedded { data_dir: "data".into() });
    assert_eq!(config.strategies.dir, StrategiesDir::Usual("strategies".into()));
    let limits = RunLimits { concurrent_max: 10, timeout: Duration::from_secs(30) };
    assert_eq!(config.strategies.limits, limits);
    assert_eq!((config.telemetry.level, config.telemetry.prometheus), (LevelFilter::INFO, true));
    assert_eq!(config.peers.endpoints, []);
    let client = ClientPolicy {
        timeout: Duration::from_secs(5),
        retries_max: 3,
        retry_base_delay: Duration::from_millis(100),
        retry_backoff_factor: 2.0,
        breaker: BreakerPolicy { threshold: 5, reset: Duration::from_secs(30) },
    };
    assert_eq!(config.peers.client, client);
    let risk = RiskLimits {
        units_max: 1_000_000,
        leverage_max: 30.0,
        loss_percent_max: 2.0,
        require_stop_loss: false,
    };
    assert_eq!(config.peers.limits, risk);
}

#[test]
fn without_keys_no_address_but_a_loopback_one_is_bound() {
    assert_eq!(server(&[("API_KEY", "k")]).bind.to_string(), "0.0.0.0:8003");
    assert_eq!(server(&[("HOST", "::1"), ("PORT", "0")]).bind.to_string(), "[::1]:0");
    assert_eq!(server(&[("HOST", "localhost")]).bind.to_string(), "127.0.0.1:8003");
    assert_eq!(server(&[("HOST", "10.0.0.1"), ("SERVICE_API_KEY", "k")]).bind.to_string(), "10.0.0.1:8003");
    let expected =
        "HOST: `0.0.0.0` is reachable from elsewhere: set API_KEY or SERVICE_API_KEY, or HOST=127.0.0.1";
    assert_eq!(refused(&[("HOST", "0.0.0.0")]), expected);
    assert_eq!(refused(&[("HOST", "0.0.0.0"), ("API_KEY", " ")]), expected);
}

#[test]
fn a_lambda_function_needs_a_key_a_table_and_a_bucket() {
    let full = [("API_KEY", "k"), ("TABLE_NAME", "fx-table"), ("BACKTEST_DATA_BUCKET", "fx-bucket")];
    let stored = config(Platform::Lambda, &full).unwrap().storage;
    assert_eq!(stored, StorageConfig::Aws { table: "fx-table".into(), bucket: "fx-bucket".into() });
    for (missing, (name, _)) in full.iter().enumerate() {
        let rest: Vec<_> =
            full.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, pair)| *pair).collect();
        assert_eq!(config(Platform::Lambda, &rest).unwrap_err().variable, *name);
    }
    let embedded = [full.as_slice(), &[("STORAGE", "embedded")]].concat();
    assert_eq!(config(Platform::Lambda, &embedded).unwrap_err().variable, "STORAGE");
}

#[test]
fn a_value_that_cannot_be_meant_is_named_with_its_reason() {
    let cases = [
        ("PORT", "80000", "PORT: `80000` is not a whole number from 0 to 65535"),
        ("HOST", "example.com", "HOST: `example.com` is not an IP address or `localhost`"),
        ("DEBUG_MODE", "maybe", "DEBUG_MODE: `maybe` is neither true nor false"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL: `LOUD` is none of TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ("STORAGE", "s3", "STORAGE: `s3` is neither embedded nor aws"),
        ("STORAGE", "aws", "TABLE_NAME: is needed with STORAGE=aws"),
        ("TABLE_NAME", "a b c", "TABLE_NAME: `a b c` is not the name of a DynamoDB table"),
        ("BACKTEST_DATA_BUCKET", "Bars", "BACKTEST_DATA_BUCKET: `Bars` is not the name of an S3 bucket"),
        ("CLIENT_TIMEOUT_SECONDS", "0", "CLIENT_TIMEOUT_SECONDS: `0` is not above zero"),
        (
            "CLIENT_TIMEOUT_SECONDS",
            "NaN",
            "CLIENT_TIMEOUT_SECONDS: `NaN` is not a number of seconds from 0 to 86400",
        ),
        ("CLIENT_MAX_RETRIES", "-1", "CLIENT_MAX_RETRIES: `-1` is not a whole number from 0 to 10"),
        (
            "CLIENT_RETRY_BACKOFF_FACTOR",
            "inf",
            "CLIENT_RETRY_BACKOFF_FACTOR: `inf` is not a number from 1 to 10",
        ),
        ("RISK_MAX_LOSS_PERCENT", "two", "RISK_MAX_LOSS_PERCENT: `two` is not a number from 0.001 to 100"),
        (
            "API_KEY",
            "zwei Wörter",
            "API_KEY: has characters besides visible ASCII, which a header cannot carry",
        ),
        (
            "CORS_ORIGINS",
            "*, https://a.example",
            "CORS_ORIGINS: `*` stands for every origin and takes no others beside it",
        ),
        (
            "CORS_ORIGINS",
            "https://a.example/app",
            "CORS_ORIGINS: `https://a.example/app` is not an origin such as https://app.example.com",
        ),
    ];
    for (name, text, expected) in cases {
        assert_eq!(refused(&[(name, text)]), expected);
    }
    let same = refused(&[("API_KEY", "k"), ("SERVICE_API_KEY", "k")]);
    assert!(same.starts_with("SERVICE_API_KEY: is the same as API_KEY"), "{same}");
}

#[test]
fn a_value_outside_utf8_is_named() {
    use std::os::unix::ffi::OsStringExt;
    let error = Config::from_lookup(Platform::Server, |name| {
        (name == "PORT").then(|| OsString::from_vec(vec![0xff]))
    });
    assert_eq!(error.unwrap_err().to_string(), "PORT: is not UTF-8");
}

#[test]
fn a_peers_url_is_a_base_without_credentials() {
    let config = server(&[("RISK_MANAGEMENT_URL", "http://risk:8000/base/"), ("RISK_MANAGEMENT_KEY", "k")]);
    let key = Some(Secret::new("k"));
    assert_eq!(
        config.peers.endpoints,
        [PeerEndpoint { peer: Peer::RiskManagement, url: "http://risk:8000/base".into(), key }]
    );
    assert_eq!(server(&[("FEATURE_STORE_URL", "http://[::1]")]).peers.endpoints.len(), 1);
    let bad = [
        "risk:8000",
        "ftp://risk",
        "http://user:hunter2@risk",
        "http://risk?key=hunter2",
        "http://risk/#x",
        "http://",
        "http://risk:port",
        "not a url",
    ];
    for url in bad {
        let error = refused(&[("RISK_MANAGEMENT_URL", url)]);
        assert!(error.starts_with("RISK_MANAGEMENT_URL: ") && !error.contains("hunter2"), "{url}: {error}");
    }
}

#[test]
fn origins_are_a_list_or_everybody() {
    let origins = |text| server(&[("CORS_ORIGINS", text)]).access.cors_origins;
    assert_eq!(
        origins("https://a.example, http://localhost:3000"),
        ["https://a.example", "http://localhost:3000"]
    );
    assert_eq!(origins("*"), ["*"]);
    assert!(server(&[]).access.cors_origins.is_empty());
}

#[test]
fn no_secret_is_shown() {
    let keys: Vec<_> = SETTINGS.iter().filter(|setting| setting.secret).collect();
    let values: Vec<_> = (0..keys.len()).map(|index| format!("hunter{index}")).collect();
    let mut variables: Vec<_> =
        keys.iter().zip(&values).map(|(setting, value)| (setting.name, value.as_str())).collect();
    let urls = SETTINGS.iter().filter(|setting| setting.name.ends_with("_URL"));
    variables.extend(urls.map(|setting| (setting.name, "http://peer")));
    let config = server(&variables);
    assert_eq!(config.access.api_key.as_ref().map(Secret::expose), Some("hunter0"));
    assert_eq!(config.peers.endpoints.len(), 6);
    assert!(!format!("{config:#?}").contains("hunter"));
}

#[test]
fn the_table_holds_each_variable_that_is_read_and_no_other() {
    let asked = RefCell::new(BTreeSet::new());
    let lookup = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        None::<String>
    };
    Config::from_lookup(Platform::Server, lookup).unwrap();
    let listed: BTreeSet<_> = SETTINGS.iter().map(|setting| setting.name.to_owned()).collect();
    assert_eq!(listed.len(), SETTINGS.len());
    assert_eq!(asked.into_inner(), listed);
}

#[test]
fn the_readmes_configuration_is_this_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(&path).unwrap_or_default();
    let inside = readme
        .split_once("<!-- configuration -->")
        .and_then(|(_, rest)| rest.split_once("<!-- /configuration -->"))
        .map(|(inside, _)| inside.trim());
    let table = Config::markdown_table();
    assert_eq!(
        inside,
        Some(table.trim()),
        "write this table between the README's `configuration` marks:\n{table}"
    );
}
