//! Records that are valid and distinct. Every time, digest and name follows from the arguments; [`unique_name`] alone does not.
// A fixture that its own crate refuses to build is a failed test.
#![allow(clippy::expect_used)]

use fx_app::records::{
    BacktestRecord, ExecutionRecord, FeatureInput, FeatureKey, FeatureVersion, FinancingUsed, InputRole,
    IntendedOrder, ParameterValue, Parameters, RECORD_SCHEMA, ScenarioRange, ScenarioRecord, SeriesInput,
    SeriesKey, SeriesVersion, SignalRecord, StrategyVersion, Told,
};
use fx_domain::{
    BacktestId, Currency, DatasetName, Digest, DigestBuilder, ExecutionId, Granularity, Instrument, Money,
    OrderKind, Price, PriceSource, Principal, Side, StrategyId, TimeInForce, Units, UnixNanos,
};
use fx_engine::{Commission, IntrabarPolicy, OpenPosition, RunConfig, Slippage, SpreadModel};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

mod jobs;
mod result;

pub use jobs::{job, key_of};
pub use result::result;

/// 2024-03-08T21:00:00Z, a Friday.
pub const FRIDAY: UnixNanos = UnixNanos::new(1_709_931_600 * fx_domain::NANOS_PER_SECOND);

/// An identifier that nobody else has, in this process or another, now or before: for stores that are not emptied.
#[must_use]
pub fn unique_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let parts = DigestBuilder::new("unique name").part(&since_1970.as_nanos().to_le_bytes());
    let parts = parts.part(&std::process::id().to_le_bytes());
    let digest = parts.part(&COUNT.fetch_add(1, Ordering::Relaxed).to_le_bytes()).finish();
    format!("t{}", &digest.to_string()[..16])
}

/// A principal.
///
/// # Panics
/// When `name` is not an identifier; so do the others below.
#[must_use]
pub fn principal(name: &str) -> Principal {
    Principal::parse(name).expect("an identifier")
}

/// EUR/USD.
#[must_use]
pub fn eur_usd() -> Instrument {
    Instrument::parse("EUR/USD").expect("a pair")
}

/// The hourly bars of a pair in a data set.
#[must_use]
pub fn series_key(dataset: &str, instrument: Instrument) -> SeriesKey {
    let dataset = DatasetName::parse(dataset).expect("an identifier");
    SeriesKey { dataset, instrument, granularity: Granularity::H1 }
}

/// A version of `owner`'s strategy `name` with this source.
#[must_use]
pub fn strategy_version(
    owner: &Principal,
    name: &str,
    source: &str,
    created_at: UnixNanos,
) -> StrategyVersion {
    let digest =
        DigestBuilder::new("strategy version").part(name.as_bytes()).part(source.as_bytes()).finish();
    StrategyVersion {
        schema: RECORD_SCHEMA,
        id: StrategyId::of(owner, name),
        version: digest,
        owner: owner.clone(),
        name: name.to_owned(),
        description: Some("Zwei gleitende Durchschnitte · 二本の移動平均 · 📈".to_owned()),
        instruments: vec![eur_usd()],
        timeframe: Granularity::H1,
        parameters: parameters(),
        source: source.to_owned(),
        plan_hash: Digest::of(source.as_bytes()),
        causality: None,
        created_at,
    }
}

/// Version `number` of a series, imported `number` minutes after [`FRIDAY`].
#[must_use]
pub fn series_version(series: &SeriesKey, number: u32) -> SeriesVersion {
    let version = Digest::of(format!("{series} {number}").as_bytes());
    SeriesVersion {
        schema: RECORD_SCHEMA,
        series: series.clone(),
        version,
        manifest_key: format!("bars/{series}/{version}.json"),
        side: None,
        ask_source: PriceSource::Modelled,
        rows: 1_000 + u64::from(number),
        first: FRIDAY.plus_nanos(-1_000 * fx_domain::NANOS_PER_HOUR),
        last: FRIDAY,
        gaps: 8,
        synthetic: true,
        created_at: FRIDAY.plus_nanos(i64::from(number) * fx_domain::NANOS_PER_MINUTE),
    }
}

/// A feature of EUR/USD in the data set `dataset`.
#[must_use]
pub fn feature_key(dataset: &str, told: Told) -> FeatureKey {
    let SeriesKey { dataset, instrument, .. } = series_key(dataset, eur_usd());
    FeatureKey { dataset, instrument, told }
}

/// Version `number` of a regime in the data set `dataset`.
#[must_use]
pub fn feature_version(dataset: &str, number: u32) -> FeatureVersion {
    let series = feature_key(dataset, Told::Regime(Granularity::H1));
    let version = Digest::of(format!("{series} {number}").as_bytes());
    FeatureVersion {
        schema: RECORD_SCHEMA,
        version,
        blob_key: format!("features/{series}/{version}.parquet"),
        series,
        rows: 1_000 + u64::from(number),
        first: FRIDAY.plus_nanos(-1_000 * fx_domain::NANOS_PER_HOUR),
        last: FRIDAY,
        names: vec!["calm".to_owned(), "größer".to_owned()],
        created_at: FRIDAY.plus_nanos(i64::from(number) * fx_domain::NANOS_PER_MINUTE),
    }
}

/// A backtest of `owner`'s strategy; `occasion` makes its id.
#[must_use]
pub fn backtest(owner: &Principal, strategy: &str, occasion: &str, created_at: UnixNanos) -> BacktestRecord {
    let version = strategy_version(owner, strategy, "pass", FRIDAY);
    BacktestRecord {
        schema: RECORD_SCHEMA,
        id: BacktestId::from_digest(&occasion_of(owner, strategy, occasion)),
        owner: owner.clone(),
        strategy_id: version.id,
        strategy_version: version.version,
        strategy_name: version.name,
        plan_hash: version.plan_hash,
        parameters: parameters(),
        series: series_key("default", eur_usd()),
        data_version: Digest::of(b"data"),
        inputs: vec![SeriesInput {
            series: series_key("default", eur_usd()),
            version: Digest::of(b"data"),
            role: InputRole::Track,
        }],
        features: vec![FeatureInput {
            series: feature_key("default", Told::Pattern("double_top".to_owned(), Granularity::H1)),
            version: Digest::of(b"told"),
        }],
        synthetic: true,
        independent: true,
        start: FRIDAY.plus_nanos(-100 * fx_domain::NANOS_PER_DAY),
        end: FRIDAY,
        config: run_config(),
        financing: FinancingUsed::Table { name: "rates".to_owned(), digest: Digest::of(b"rates"), rows: 7 },
        engine_version: "1".to_owned(),
        seed: u64::MAX,
        result_hash: Digest::of(occasion.as_bytes()),
        bars: 2_400,
        report: report(),
        scenarios: vec![ScenarioRecord {
            policy: IntrabarPolicy::NearestExtremeFirst,
            result_hash: Digest::of(b"scenario"),
            metrics: report().metrics,
            sharpe_ratio: None,
            sortino_ratio: Some(1.0 / 7.0),
            calmar_ratio: Some(-0.0),
        }],
        scenario_ranges: [("win_rate".to_owned(), ScenarioRange { min: None, max: Some(0.1), undefined: 1 })]
            .into(),
        open_positions: vec![OpenPosition {
            position_id: 3,
            instrument: eur_usd(),
            side: Side::Short,
            units: Units::new(10_000),
            entry_price: price("1.09377"),
            entry_time: FRIDAY,
            entry_bar: 2_399,
            protect: fx_domain::ProtectiveLevels { stop_loss: Some(price("1.1")), ..Default::default() },
            unrealized: Money::from_micros(-1_234_567, Currency::USD),
        }],
        warnings: vec!["the bars were generated".to_owned()],
        created_at,
    }
}

/// An execution of `owner`'s strategy; `occasion` makes its id.
#[must_use]
pub fn execution(
    owner: &Principal,
    strategy: &str,
    occasion: &str,
    created_at: UnixNanos,
) -> ExecutionRecord {
    let version = strategy_version(owner, strategy, "pass", FRIDAY);
    let digest = occasion_of(owner, strategy, occasion);
    ExecutionRecord {
        schema: RECORD_SCHEMA,
        id: ExecutionId::from_digest(&digest),
        owner: owner.clone(),
        strategy_id: version.id,
        strategy_version: version.version,
        dry_run: true,
        status: "completed".to_owned(),
        series: series_key("default", eur_usd()),
        data_version: Digest::of(b"data"),
        signal_time: FRIDAY,
        signals: vec![SignalRecord {
            instrument: eur_usd(),
            action: "buy".to_owned(),
            price: 1.093_77,
            time: FRIDAY,
        }],
        risk_valid: true,
        risk_reason: "within limits".to_owned(),
        orders: vec![IntendedOrder {
            order_id: "1".to_owned(),
            client_order_id: digest.to_string(),
            status: "intended".to_owned(),
            instrument: eur_usd(),
            kind: OrderKind::StopLimit { stop: price("1.095"), limit: price("1.0951") },
            side: Side::Long,
            units: Units::new(10_000),
            stop_loss: Some(price("1.09")),
            take_profit: None,
            trailing_distance: Some(price("0.002")),
            time_in_force: TimeInForce::GoodTilDate(FRIDAY),
            filled_price: None,
        }],
        created_at,
    }
}

fn occasion_of(owner: &Principal, strategy: &str, occasion: &str) -> Digest {
    let parts = DigestBuilder::new("fixture").part(owner.as_str().as_bytes());
    parts.part(strategy.as_bytes()).part(occasion.as_bytes()).finish()
}

fn price(text: &str) -> Price {
    Price::parse(text).expect("a price")
}

fn parameters() -> Parameters {
    Parameters::from([
        ("fast".to_owned(), ParameterValue::Integer(10)),
        ("risk".to_owned(), ParameterValue::Number(0.1 + 0.2)),
    ])
}

fn run_config() -> RunConfig {
    let capital = Money::from_micros(10_000 * Money::SCALE, Currency::USD);
    RunConfig {
        start: FRIDAY.plus_nanos(-100 * fx_domain::NANOS_PER_DAY),
        spread: SpreadModel::ByHour(std::array::from_fn(|hour| hour as f64 / 3.0)),
        commission: Commission::PerNotional { rate: 2e-5, minimum: 0.1 },
        slippage: Slippage::Random(0.7),
        seed: u64::MAX,
        ..RunConfig::new(eur_usd(), Granularity::H1, capital)
    }
}

/// Numbers that decimal text must not change: thirds, tiny and huge ones, and undefined ratios.
fn report() -> fx_analytics::Report {
    let mut report = fx_analytics::Report::default();
    report.metrics.total_trades = 42;
    report.metrics.win_rate = Some(1.0 / 3.0);
    report.metrics.net_profit = -1_234.567_890_123_456_7;
    report.metrics.max_drawdown = f64::MIN_POSITIVE;
    report.metrics.gross_profit = 1.797e308;
    report.sharpe_ratio = None;
    report.sortino_ratio = Some(0.1 + 0.7);
    report.monthly_returns.insert("2024-03".to_owned(), -0.0);
    report
}
