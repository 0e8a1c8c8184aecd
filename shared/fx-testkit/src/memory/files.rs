//! Bars and results in memory, as they are.

use super::{after, lock, page_of};
use async_trait::async_trait;
use bytes::Bytes;
use fx_app::ports::{
    BarStore, Page, PageRequest, ResultPart, ResultStore, RunArtefacts, StoreResult, TimeRange,
};
use fx_app::records::{MarginPoint, OrderEvent, RECORD_SCHEMA, SeriesKey, SeriesVersion};
use fx_domain::{
    BacktestId, Bars as Columns, Digest, DigestBuilder, EquityCurve, LedgerRow, QuoteColumns, Trade,
    UnixNanos,
};
use std::collections::BTreeMap;
use std::sync::Mutex;

#[derive(Default)]
struct Stored {
    /// The latest version of each series.
    latest: BTreeMap<String, SeriesVersion>,
    versions: BTreeMap<(SeriesKey, Digest), (SeriesVersion, Columns)>,
}

/// Bars in memory.
#[derive(Default)]
pub struct Bars(Mutex<Stored>);

impl Bars {
    /// Makes `bars` the latest version of a series. The same bars are the same version.
    ///
    /// # Panics
    /// Of no bars: no series is empty.
    pub fn add(&self, series: &SeriesKey, bars: Columns) -> SeriesVersion {
        assert!(!bars.is_empty(), "a series has bars");
        let times: Vec<u8> = bars.times.iter().flat_map(|time| time.get().to_le_bytes()).collect();
        let prices = format!("{:?}", bars.quotes);
        let digest = DigestBuilder::new("bars in memory")
            .part(series.to_string().as_bytes())
            .part(&times)
            .part(prices.as_bytes());
        let side = match &bars.quotes {
            QuoteColumns::One { side, .. } => Some(*side),
            QuoteColumns::Both { .. } => None,
        };
        let version = SeriesVersion {
            schema: RECORD_SCHEMA,
            series: series.clone(),
            version: digest.finish(),
            manifest_key: format!("memory/{series}"),
            side,
            rows: bars.len() as u64,
            first: bars.times[0],
            last: bars.times[bars.len() - 1],
            gaps: 0,
            synthetic: false,
            created_at: UnixNanos::new(0),
        };
        let mut stored = lock(&self.0);
        stored.latest.insert(series.to_string(), version.clone());
        stored.versions.insert((series.clone(), version.version), (version.clone(), bars));
        version
    }

    fn read<T>(&self, version: &SeriesVersion, read: impl FnOnce(&Columns) -> T) -> T {
        let stored = lock(&self.0);
        let (_, bars) = &stored.versions[&(version.series.clone(), version.version)];
        read(bars)
    }
}

#[async_trait]
impl BarStore for Bars {
    async fn describe(
        &self,
        series: &SeriesKey,
        version: Option<&Digest>,
    ) -> StoreResult<Option<SeriesVersion>> {
        let stored = lock(&self.0);
        Ok(match version {
            None => stored.latest.get(&series.to_string()).cloned(),
            Some(version) => {
                stored.versions.get(&(series.clone(), *version)).map(|(version, _)| version.clone())
            }
        })
    }

    async fn load(&self, version: &SeriesVersion, range: TimeRange, warm_up: usize) -> StoreResult<Columns> {
        Ok(self.read(version, |bars| {
            let start = bars.lower_bound(range.start);
            let end = bars.lower_bound(range.end).max(start);
            bars.slice(start.saturating_sub(warm_up)..end)
        }))
    }

    async fn list(&self, page: &PageRequest) -> StoreResult<Page<SeriesVersion>> {
        Ok(page_of(lock(&self.0).latest.range::<str, _>(after(page)), page))
    }

    async fn rows_within_max(&self, version: &SeriesVersion, range: TimeRange) -> StoreResult<u64> {
        let held = |bars: &Columns| bars.lower_bound(range.end).saturating_sub(bars.lower_bound(range.start));
        Ok(self.read(version, held) as u64)
    }
}

/// Results in memory. Of the Parquet form there is only the debug text.
#[derive(Default)]
pub struct Results(Mutex<BTreeMap<BacktestId, RunArtefacts>>);

impl Results {
    fn read<T>(&self, id: &BacktestId, read: impl FnOnce(&RunArtefacts) -> T) -> StoreResult<Option<T>> {
        Ok(lock(&self.0).get(id).map(read))
    }
}

#[async_trait]
impl ResultStore for Results {
    async fn put(&self, id: &BacktestId, artefacts: &RunArtefacts) -> StoreResult<()> {
        lock(&self.0).entry(id.clone()).or_insert_with(|| artefacts.clone());
        Ok(())
    }

    async fn trades(&self, id: &BacktestId) -> StoreResult<Option<Vec<Trade>>> {
        self.read(id, |artefacts| artefacts.trades.clone())
    }

    async fn ledger(&self, id: &BacktestId) -> StoreResult<Option<Vec<LedgerRow>>> {
        self.read(id, |artefacts| artefacts.ledger.clone())
    }

    async fn equity(&self, id: &BacktestId) -> StoreResult<Option<EquityCurve>> {
        self.read(id, |artefacts| artefacts.equity.clone())
    }

    async fn events(&self, id: &BacktestId) -> StoreResult<Option<Vec<OrderEvent>>> {
        self.read(id, |artefacts| artefacts.events.clone())
    }

    async fn margin(&self, id: &BacktestId) -> StoreResult<Option<Vec<MarginPoint>>> {
        self.read(id, |artefacts| artefacts.margin.clone())
    }

    async fn report(&self, id: &BacktestId) -> StoreResult<Option<String>> {
        self.read(id, |artefacts| artefacts.report_html.clone())
    }

    async fn parquet(&self, id: &BacktestId, part: ResultPart) -> StoreResult<Option<Bytes>> {
        self.read(id, |artefacts| {
            let text = match part {
                ResultPart::Trades => format!("{:?}", artefacts.trades),
                ResultPart::Ledger => format!("{:?}", artefacts.ledger),
                ResultPart::Equity => format!("{:?}", artefacts.equity),
                ResultPart::Events => format!("{:?}", artefacts.events),
                ResultPart::Margin => format!("{:?}", artefacts.margin),
            };
            text.into()
        })
    }
}
