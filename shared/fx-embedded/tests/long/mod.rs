//! A platform in a folder, with many bars of a minute.

use async_trait::async_trait;
use futures::stream::TryStreamExt;
use fx_app::backtests::BacktestRequest;
use fx_app::library::StrategyLibrary;
use fx_app::ports::{BarStore, PeerError, RiskAnswer, RiskManagement, RiskRequest, TimeRange};
use fx_app::records::{BacktestRecord, SeriesVersion};
use fx_app::strategies::Registration;
use fx_app::{App, Caller, Reach, RunLimits, Services};
use fx_domain::{DatasetName, Granularity, Instrument, Price, StrategyId, UnixNanos};
use fx_embedded::QueueSettings;
use fx_store::synthetic::{self, SyntheticSpec};
use fx_testkit::{fixtures, memory};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const CROSS: &str = "
class Cross(Strategy):
    def analyze(self, data):
        fast = sma(data.close, 10)
        slow = sma(data.close, 30)
        if crosses_above(fast, slow):
            return buy(units=10000)
        if crosses_below(fast, slow):
            return sell(units=10000)
        return {}
";

/// Nothing is executed here.
struct NoRisk;

#[async_trait]
impl RiskManagement for NoRisk {
    async fn check(&self, _: &RiskRequest) -> Result<RiskAnswer, PeerError> {
        Err(PeerError::Timeout { peer: "risk_management" })
    }
}

pub(crate) struct Platform {
    app: App,
    bars: Arc<dyn BarStore>,
    series: SeriesVersion,
    caller: Caller,
    strategy: StrategyId,
    _folder: TempDir,
}

impl Platform {
    /// With so many bars of EUR/USD.
    pub(crate) async fn with_bars(count: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(memory::ManualClock::new(fixtures::FRIDAY));
        let stores = fx_embedded::open(folder.path(), QueueSettings::new(clock.clone())).unwrap().stores;
        let spec = SyntheticSpec {
            instrument: Instrument::parse("EUR/USD").unwrap(),
            granularity: Granularity::M1,
            // A hundred million minutes of trading weeks are 268 years.
            start: UnixNanos::parse("1830-01-04").unwrap(),
            bars: count,
            seed: 42,
            start_price: Price::parse("1.1").unwrap(),
        };
        let (blobs, catalog) = (&*stores.blobs, &*stores.series);
        let publish = synthetic::publish(spec, DatasetName::default(), blobs, catalog, UnixNanos::new(0));
        let series = publish.await.unwrap();
        let files = fx_store::files(&stores);
        let bars = files.bars.clone();
        let services = Services { risk: Arc::new(NoRisk), probes: Vec::new() };
        let limits = RunLimits { concurrent_max: 1, timeout: Duration::from_secs(600) };
        let app = App::new(stores, files, services, StrategyLibrary::default(), clock, limits);
        let caller = Caller::new(fixtures::principal("ann"), Reach::Own);
        let registration = Registration {
            name: "cross".to_owned(),
            description: None,
            instruments: vec![series.series.instrument],
            timeframe: Granularity::M1,
            parameters: Default::default(),
            code: CROSS.to_owned(),
        };
        let strategy = app.register_strategy(&caller, registration).await.unwrap().id;
        Self { app, bars, series, caller, strategy, _folder: folder }
    }

    fn range(&self) -> TimeRange {
        TimeRange { start: self.series.first, end: self.series.last.plus_nanos(1) }
    }

    /// A backtest over all of them, stored.
    pub(crate) async fn backtest(&self, seed: u64) -> BacktestRecord {
        let range = self.range();
        let request = BacktestRequest {
            seed,
            initial_capital: 1_000_000.0,
            ..BacktestRequest::new(self.strategy.clone(), range.start, range.end)
        };
        self.app.run_backtest(&self.caller, request).await.unwrap().record
    }

    /// Reads all of them, and does nothing with them.
    pub(crate) async fn read(&self) -> u64 {
        let pieces = self.bars.stream(&self.series, self.range(), 0);
        let count = pieces.try_fold(0, async |count, piece| Ok(count + piece.len() as u64));
        count.await.unwrap()
    }
}
