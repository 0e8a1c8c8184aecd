//! Bars and results in memory, as they are.

use super::{after, lock, page_of};
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::StreamExt;
use fx_app::ports::{
    BarStore, BarStream, FeatureColumn, FeatureStore, FeatureValues, Page, PageRequest, ResultEnd,
    ResultPart, ResultStore, ResultWriter, RunRows, StoreError, StoreResult, TimeRange,
};
use fx_app::records::{
    FeatureKey, FeatureVersion, MarginPoint, OrderEvent, RECORD_SCHEMA, SeriesKey, SeriesVersion,
};
use fx_domain::{
    BacktestId, Bars as Columns, Currency, Digest, DigestBuilder, EquityCurve, LedgerRow, QuoteColumns,
    Trade, UnixNanos,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// Bars of one piece of a stream when a test does not say.
const PIECE_BARS: usize = 7;

#[derive(Default)]
struct Stored {
    /// The latest version of each series.
    latest: BTreeMap<String, SeriesVersion>,
    versions: BTreeMap<(SeriesKey, Digest), (SeriesVersion, Columns)>,
}

/// Bars in memory.
pub struct Bars {
    stored: Mutex<Stored>,
    piece_bars: usize,
}

/// Short pieces, so that a test needs few bars to see several.
impl Default for Bars {
    fn default() -> Self {
        Self::in_pieces_of(PIECE_BARS)
    }
}

impl Bars {
    /// With this many bars in a piece of a stream, above zero.
    #[must_use]
    pub fn in_pieces_of(piece_bars: usize) -> Self {
        Self { stored: Mutex::default(), piece_bars }
    }

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
            ask_source: bars.ask_source,
            rows: bars.len() as u64,
            first: bars.times[0],
            last: bars.times[bars.len() - 1],
            gaps: 0,
            synthetic: false,
            created_at: UnixNanos::new(0),
        };
        let mut stored = lock(&self.stored);
        stored.latest.insert(series.to_string(), version.clone());
        stored.versions.insert((series.clone(), version.version), (version.clone(), bars));
        version
    }

    fn read<T>(&self, version: &SeriesVersion, read: impl FnOnce(&Columns) -> T) -> T {
        let stored = lock(&self.stored);
        let (_, bars) = &stored.versions[&(version.series.clone(), version.version)];
        read(bars)
    }

    fn between(&self, version: &SeriesVersion, range: TimeRange, warm_up: usize) -> Columns {
        self.read(version, |bars| {
            let start = bars.lower_bound(range.start);
            let end = bars.lower_bound(range.end).max(start);
            bars.slice(start.saturating_sub(warm_up)..end)
        })
    }
}

#[async_trait]
impl BarStore for Bars {
    async fn describe(
        &self,
        series: &SeriesKey,
        version: Option<&Digest>,
    ) -> StoreResult<Option<SeriesVersion>> {
        let stored = lock(&self.stored);
        Ok(match version {
            None => stored.latest.get(&series.to_string()).cloned(),
            Some(version) => {
                stored.versions.get(&(series.clone(), *version)).map(|(version, _)| version.clone())
            }
        })
    }

    fn stream(&self, version: &SeriesVersion, range: TimeRange, warm_up: usize) -> BarStream {
        let bars = self.between(version, range, warm_up);
        let cuts = (0..bars.len()).step_by(self.piece_bars);
        let end = |from: usize| bars.len().min(from.saturating_add(self.piece_bars));
        let pieces: Vec<_> = cuts.map(|from| Ok(bars.slice(from..end(from)))).collect();
        futures::stream::iter(pieces).boxed()
    }

    async fn list(&self, page: &PageRequest) -> StoreResult<Page<SeriesVersion>> {
        Ok(page_of(lock(&self.stored).latest.range::<str, _>(after(page)), page))
    }

    async fn rows_within_max(&self, version: &SeriesVersion, range: TimeRange) -> StoreResult<u64> {
        let held = |bars: &Columns| bars.lower_bound(range.end).saturating_sub(bars.lower_bound(range.start));
        Ok(self.read(version, held) as u64)
    }
}

/// What was told, in memory.
#[derive(Default)]
pub struct Features(Mutex<BTreeMap<String, Vec<(FeatureVersion, FeatureValues)>>>);

#[async_trait]
impl FeatureStore for Features {
    async fn put(
        &self,
        series: &FeatureKey,
        values: FeatureValues,
        created_at: UnixNanos,
    ) -> StoreResult<FeatureVersion> {
        let digest = Digest::of(format!("{series} {values:?}").as_bytes());
        let version = FeatureVersion {
            schema: RECORD_SCHEMA,
            series: series.clone(),
            version: digest,
            blob_key: format!("memory/{series}"),
            rows: values.available_at.len() as u64,
            first: values.available_at[0],
            last: values.available_at[values.available_at.len() - 1],
            names: match &values.values {
                FeatureColumn::Numbers(_) => Vec::new(),
                FeatureColumn::Names(names) => {
                    names.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect()
                }
            },
            created_at,
        };
        let mut stored = lock(&self.0);
        let versions = stored.entry(series.to_string()).or_default();
        // The latest is the last.
        let known = versions.iter().position(|(known, _)| known.version == digest);
        let entry = known.map_or((version, values), |place| versions.remove(place));
        versions.push(entry.clone());
        Ok(entry.0)
    }

    async fn describe(&self, series: &FeatureKey) -> StoreResult<Option<FeatureVersion>> {
        let stored = lock(&self.0);
        Ok(stored
            .get(&series.to_string())
            .and_then(|versions| versions.last())
            .map(|(version, _)| version.clone()))
    }

    async fn load(&self, version: &FeatureVersion) -> StoreResult<FeatureValues> {
        let stored = lock(&self.0);
        let versions = stored.get(&version.series.to_string()).into_iter().flatten();
        let found = versions.into_iter().find(|(known, _)| known.version == version.version);
        found.map(|(_, values)| values.clone()).ok_or_else(|| StoreError::Corrupt {
            store: "features in memory",
            what: version.series.to_string(),
        })
    }

    async fn list(&self, page: &PageRequest) -> StoreResult<Page<FeatureVersion>> {
        let stored = lock(&self.0);
        let latest = stored.range::<str, _>(after(page));
        Ok(page_of(latest.filter_map(|(key, versions)| Some((key, &versions.last()?.0))), page))
    }
}

/// Results in memory. Of the Parquet form there is only the debug text.
#[derive(Default)]
pub struct Results(Arc<Mutex<BTreeMap<BacktestId, (RunRows, ResultEnd)>>>);

impl Results {
    fn read<T>(
        &self,
        id: &BacktestId,
        read: impl FnOnce(&RunRows, &ResultEnd) -> T,
    ) -> StoreResult<Option<T>> {
        Ok(lock(&self.0).get(id).map(|(rows, end)| read(rows, end)))
    }
}

struct Writer {
    results: Arc<Mutex<BTreeMap<BacktestId, (RunRows, ResultEnd)>>>,
    id: BacktestId,
    rows: RunRows,
}

#[async_trait]
impl ResultWriter for Writer {
    async fn append(&mut self, rows: RunRows) -> StoreResult<()> {
        self.rows.trades.extend(rows.trades);
        self.rows.ledger.extend(rows.ledger);
        self.rows.equity.times.extend(rows.equity.times);
        self.rows.equity.micros.extend(rows.equity.micros);
        self.rows.events.extend(rows.events);
        self.rows.margin.extend(rows.margin);
        Ok(())
    }

    async fn finish(self: Box<Self>, end: ResultEnd) -> StoreResult<()> {
        let Self { results, id, rows } = *self;
        lock(&results).entry(id).or_insert((rows, end));
        Ok(())
    }
}

/// The rows of `all` that are in `rows`.
fn within<T: Clone>(all: &[T], rows: &Range<u64>) -> Vec<T> {
    let index = |row: u64| usize::try_from(row).unwrap_or(usize::MAX).min(all.len());
    let (start, end) = (index(rows.start), index(rows.end));
    all[start..end.max(start)].to_vec()
}

#[async_trait]
impl ResultStore for Results {
    fn writer(&self, id: &BacktestId, currency: Currency) -> Box<dyn ResultWriter> {
        let results = Arc::clone(&self.0);
        Box::new(Writer { results, id: id.clone(), rows: RunRows::none(currency) })
    }

    async fn trades(&self, id: &BacktestId, rows: Range<u64>) -> StoreResult<Option<Vec<Trade>>> {
        self.read(id, |all, _| within(&all.trades, &rows))
    }

    async fn ledger(&self, id: &BacktestId, rows: Range<u64>) -> StoreResult<Option<Vec<LedgerRow>>> {
        self.read(id, |all, _| within(&all.ledger, &rows))
    }

    async fn equity(&self, id: &BacktestId, rows: Range<u64>) -> StoreResult<Option<EquityCurve>> {
        self.read(id, |all, _| EquityCurve {
            times: within(&all.equity.times, &rows),
            micros: within(&all.equity.micros, &rows),
            currency: all.equity.currency,
        })
    }

    async fn events(&self, id: &BacktestId, rows: Range<u64>) -> StoreResult<Option<Vec<OrderEvent>>> {
        self.read(id, |all, _| within(&all.events, &rows))
    }

    async fn margin(&self, id: &BacktestId, rows: Range<u64>) -> StoreResult<Option<Vec<MarginPoint>>> {
        self.read(id, |all, _| within(&all.margin, &rows))
    }

    async fn curve(&self, id: &BacktestId) -> StoreResult<Option<EquityCurve>> {
        self.read(id, |_, end| end.curve.clone())
    }

    async fn pending(&self, id: &BacktestId) -> StoreResult<Option<Vec<OrderEvent>>> {
        self.read(id, |_, end| end.pending.clone())
    }

    async fn report(&self, id: &BacktestId) -> StoreResult<Option<String>> {
        self.read(id, |_, end| end.report_html.clone())
    }

    async fn parquet(&self, id: &BacktestId, part: ResultPart) -> StoreResult<Option<Bytes>> {
        self.read(id, |rows, _| {
            let text = match part {
                ResultPart::Trades => format!("{:?}", rows.trades),
                ResultPart::Ledger => format!("{:?}", rows.ledger),
                ResultPart::Equity => format!("{:?}", rows.equity),
                ResultPart::Events => format!("{:?}", rows.events),
                ResultPart::Margin => format!("{:?}", rows.margin),
            };
            text.into()
        })
    }
}
