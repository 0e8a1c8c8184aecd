//! Use-cases over adapters in memory: from a request to what is stored.

#![allow(clippy::unwrap_used)]

mod accounts;
mod executions;
mod features;
mod feeds;
mod financing;
mod independent;
mod jobs;
mod limits;
mod paths;
mod windows;

use async_trait::async_trait;
use fx_app::backtests::{BacktestOutcome, BacktestRequest};
use fx_app::library::StrategyLibrary;
use fx_app::ports::{
    BarStore, Health, HealthProbe, HealthStatus, PeerError, RiskAnswer, RiskManagement, RiskRequest,
};
use fx_app::records::{MarginPoint, OrderEvent, SeriesKey};
use fx_app::strategies::Registration;
use fx_app::{App, Caller, Files, Reach, RunLimits, Services, Stores};
use fx_domain::{
    Bar, Bars, DatasetName, EquityCurve, Granularity, Instrument, LedgerRow, NANOS_PER_HOUR,
    NANOS_PER_MINUTE, Ohlc, PlatformResult, Price, StrategyId, Trade, UnixNanos,
};
use fx_testkit::{fixtures, memory};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A bid in whole pips, and the bar's extremes around it.
#[derive(Clone, Copy)]
struct Pips {
    open: i64,
    high: i64,
    low: i64,
    close: i64,
}

const fn flat(pips: i64) -> Pips {
    Pips { open: pips, high: pips, low: pips, close: pips }
}

fn pair(text: &str) -> Instrument {
    Instrument::parse(text).unwrap()
}

fn at(text: &str) -> UnixNanos {
    UnixNanos::parse(text).unwrap()
}

/// Monday, 4 March 2024: no holiday near, New York at UTC−5.
fn monday() -> UnixNanos {
    at("2024-03-04")
}

fn after_monday(hours: i64) -> UnixNanos {
    monday().plus_nanos(hours * NANOS_PER_HOUR)
}

/// Two-sided bars, one after the other without a gap, the ask one pip above the bid.
fn bars(pair: &Instrument, start: UnixNanos, step_nanos: i64, rows: impl IntoIterator<Item = Pips>) -> Bars {
    let price = |pips: i64| Price::from_nanos(pips * pair.pip().nanos());
    let mut bars = Bars::empty(None);
    for (row, index) in rows.into_iter().zip(0..) {
        let side = |shift| Ohlc {
            open: price(row.open + shift),
            high: price(row.high + shift),
            low: price(row.low + shift),
            close: price(row.close + shift),
        };
        let time = start.plus_nanos(index * step_nanos);
        bars.push(Bar { time, bid: side(0), ask: Some(side(1)), volume: 1 });
    }
    bars
}

/// The risk service: approves, and remembers what it was asked.
#[derive(Default)]
struct Risk(Mutex<Vec<RiskRequest>>);

#[async_trait]
impl RiskManagement for Risk {
    async fn check(&self, request: &RiskRequest) -> Result<RiskAnswer, PeerError> {
        self.0.lock().unwrap().push(request.clone());
        Ok(RiskAnswer { is_valid: true, reason: "within limits".to_owned() })
    }
}

struct Works;

#[async_trait]
impl HealthProbe for Works {
    fn name(&self) -> &'static str {
        "database"
    }
    async fn check(&self) -> Health {
        Health { status: HealthStatus::Healthy, message: String::new() }
    }
}

/// Every row.
const ALL: std::ops::Range<u64> = 0..u64::MAX;

/// A platform in memory.
struct Bench {
    app: App,
    bars: Arc<memory::Bars>,
    features: Arc<memory::Features>,
    blobs: Arc<memory::Blobs>,
    risk: Arc<Risk>,
    clock: Arc<memory::ManualClock>,
    stores: Stores,
    files: Files,
    services: Services,
    caller: Caller,
}

const LIMITS: RunLimits = RunLimits { concurrent_max: 2, timeout: Duration::from_secs(60) };

impl Bench {
    fn new() -> Self {
        Self::over(|bars| bars)
    }

    /// With another store of bars in front of the one in memory.
    fn over(wrap: impl FnOnce(Arc<dyn BarStore>) -> Arc<dyn BarStore>) -> Self {
        Self::with(memory::Bars::default(), wrap)
    }

    /// With bars that are read in pieces of so many.
    fn in_pieces_of(bars: usize) -> Self {
        Self::with(memory::Bars::in_pieces_of(bars), |bars| bars)
    }

    fn with(bars: memory::Bars, wrap: impl FnOnce(Arc<dyn BarStore>) -> Arc<dyn BarStore>) -> Self {
        let (bars, blobs) = (Arc::new(bars), Arc::new(memory::Blobs::default()));
        let risk = Arc::new(Risk::default());
        let stores = Stores {
            strategies: Arc::new(memory::Strategies::default()),
            series: Arc::new(memory::Catalogue::default()),
            features: Arc::new(memory::Catalogue::default()),
            backtests: Arc::new(memory::Backtests::default()),
            executions: Arc::new(memory::Executions::default()),
            blobs: blobs.clone(),
            probe: Arc::new(Works),
        };
        let features = Arc::new(memory::Features::default());
        let files = Files {
            bars: wrap(bars.clone()),
            features: features.clone(),
            results: Arc::new(memory::Results::default()),
        };
        let services = Services { risk: risk.clone(), probes: Vec::new() };
        let clock = Arc::new(memory::ManualClock::new(fixtures::FRIDAY));
        let caller = Caller::new(fixtures::principal("ann"), Reach::Own);
        let library = StrategyLibrary::default();
        let app = App::new(stores.clone(), files.clone(), services.clone(), library, clock.clone(), LIMITS);
        Self { app, bars, features, blobs, risk, clock, stores, files, services, caller }
    }

    fn key(&self, instrument: &str, granularity: Granularity) -> SeriesKey {
        SeriesKey { dataset: DatasetName::default(), instrument: pair(instrument), granularity }
    }

    /// Stores hourly bars from [`monday`] on.
    fn hours(&self, instrument: &str, rows: impl IntoIterator<Item = Pips>) {
        let bars = bars(&pair(instrument), monday(), NANOS_PER_HOUR, rows);
        self.bars.add(&self.key(instrument, Granularity::H1), bars);
    }

    /// Stores bars of a minute from so many hours after [`monday`] on.
    fn minutes(&self, instrument: &str, hour: i64, rows: impl IntoIterator<Item = Pips>) {
        let bars = bars(&pair(instrument), after_monday(hour), NANOS_PER_MINUTE, rows);
        self.bars.add(&self.key(instrument, Granularity::M1), bars);
    }

    /// Registers an hourly strategy whose `analyze` is `body`, one line an entry.
    async fn strategy(&self, instruments: &[&str], body: &[&str]) -> StrategyId {
        let code = format!(
            "class S(Strategy):\n    def analyze(self, data):\n        {}\n",
            body.join("\n        ")
        );
        let registration = Registration {
            name: "s".to_owned(),
            description: None,
            instruments: instruments.iter().map(|instrument| pair(instrument)).collect(),
            timeframe: Granularity::H1,
            parameters: Default::default(),
            code,
        };
        self.app.register_strategy(&self.caller, registration).await.unwrap().id
    }

    /// The first five days from [`monday`] on.
    fn request(&self, strategy: StrategyId) -> BacktestRequest {
        BacktestRequest::new(strategy, monday(), after_monday(120))
    }

    async fn run(&self, request: BacktestRequest) -> PlatformResult<BacktestOutcome> {
        self.app.run_backtest(&self.caller, request).await
    }

    async fn trades(&self, outcome: &BacktestOutcome) -> Vec<Trade> {
        self.app.backtest_trades(&self.caller, &outcome.record.id, ALL).await.unwrap()
    }

    async fn ledger(&self, outcome: &BacktestOutcome) -> Vec<LedgerRow> {
        self.app.backtest_ledger(&self.caller, &outcome.record.id, ALL).await.unwrap()
    }

    async fn equity(&self, outcome: &BacktestOutcome) -> EquityCurve {
        self.app.backtest_equity(&self.caller, &outcome.record.id, ALL).await.unwrap()
    }

    async fn events(&self, outcome: &BacktestOutcome) -> Vec<OrderEvent> {
        self.app.backtest_events(&self.caller, &outcome.record.id, ALL).await.unwrap()
    }

    async fn margin(&self, outcome: &BacktestOutcome) -> Vec<MarginPoint> {
        self.app.backtest_margin(&self.caller, &outcome.record.id, ALL).await.unwrap()
    }
}

/// Buys once and holds.
const HOLD: [&str; 3] = ["if data.index == 0:", "    return buy(units=10000)", "return {}"];

fn warned(outcome: &BacktestOutcome, text: &str) -> bool {
    outcome.record.warnings.iter().any(|warning| warning.contains(text))
}
