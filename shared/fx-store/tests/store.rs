//! Publishing and loading through stores in memory.

#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use futures::stream::TryStreamExt;
use fx_app::ports::{
    BarStore, BlobKey, BlobStore, PIECE_BARS_MAX, PageRequest, ResultEnd, ResultPart, ResultStore, RunRows,
    StoreError, TimeRange,
};
use fx_app::records::SeriesVersion;
use fx_domain::{
    BacktestId, Bars, Currency, DatasetName, Digest, EquityCurve, Granularity, Instrument, Price, TimeOrder,
    UnixNanos,
};
use fx_store::synthetic::{self, SyntheticSpec};
use fx_store::{BlobResults, ParquetBars, ROW_GROUP_ROWS};
use fx_testkit::load_bars;
use fx_testkit::memory::{Blobs, Catalogue};
use parquet::column::reader::ColumnReader;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::sync::Arc;

fn spec(granularity: Granularity, bars: usize, seed: u64) -> SyntheticSpec {
    SyntheticSpec {
        instrument: Instrument::parse("EUR/USD").unwrap(),
        granularity,
        start: UnixNanos::parse("2015-11-02").unwrap(),
        bars,
        seed,
        start_price: Price::parse("1.1").unwrap(),
    }
}

fn all() -> TimeRange {
    TimeRange { start: UnixNanos::new(i64::MIN), end: UnixNanos::new(i64::MAX) }
}

struct Bench {
    blobs: Arc<Blobs>,
    bars: ParquetBars,
}

impl Bench {
    fn new() -> Self {
        let (blobs, catalog) = (Arc::new(Blobs::default()), Arc::new(Catalogue::<SeriesVersion>::default()));
        Self { bars: ParquetBars { catalog, blobs: blobs.clone() }, blobs }
    }

    async fn publish(&self, spec: SyntheticSpec) -> fx_app::records::SeriesVersion {
        let (blobs, catalog) = (&*self.bars.blobs, &*self.bars.catalog);
        synthetic::publish(spec, DatasetName::default(), blobs, catalog, UnixNanos::new(7)).await.unwrap()
    }
}

/// All bars of a specification.
fn generated(spec: &SyntheticSpec) -> Bars {
    let mut bars = Bars::empty(None);
    synthetic::bars(spec).unwrap().for_each(|bar| bars.push(bar.unwrap()));
    bars
}

#[tokio::test]
async fn any_range_of_stored_bars_is_the_range_of_the_bars() {
    let bench = Bench::new();
    let spec = spec(Granularity::M1, 2 * ROW_GROUP_ROWS + 1_000, 3);
    let bars = generated(&spec);
    bars.check(TimeOrder::Strict).unwrap();
    let version = bench.publish(spec).await;
    assert!(version.synthetic && version.side.is_none());
    assert_eq!(version.rows, bars.len() as u64);
    assert!(
        bench.bars.manifest(&version).await.unwrap().objects.len() >= 2,
        "years are objects of their own"
    );
    assert_eq!(load_bars(&bench.bars, &version, all(), 0).await.unwrap(), bars);
    for (from, to, warm_up) in [
        (0, 10, 5),
        (10, 10, 5),
        (131_000, 131_200, 100),
        (131_072, 131_073, 131_072),
        (150_000, 150_001, 0),
        (200_000, 262_000, 150_000),
        (263_142, 263_143, 300_000),
    ] {
        let range = TimeRange { start: bars.times[from], end: bars.times[to] };
        let pieces: Vec<Bars> = bench.bars.stream(&version, range, warm_up).try_collect().await.unwrap();
        assert!(pieces.iter().all(|piece| (1..=PIECE_BARS_MAX).contains(&piece.len())), "{from}..{to}");
        let loaded = load_bars(&bench.bars, &version, range, warm_up).await.unwrap();
        assert_eq!(loaded, bars.slice(from.saturating_sub(warm_up)..to), "{from}..{to} after {warm_up}");
    }
    let past = TimeRange { start: bars.times[bars.len() - 1].plus_nanos(1), end: UnixNanos::new(i64::MAX) };
    assert_eq!(
        load_bars(&bench.bars, &version, past, 3).await.unwrap(),
        bars.slice(bars.len() - 3..bars.len())
    );
}

#[tokio::test]
async fn publishing_again_keeps_the_version_and_another_one_replaces_it() {
    let bench = Bench::new();
    let first = bench.publish(spec(Granularity::H1, 500, 1)).await;
    assert_eq!(bench.publish(spec(Granularity::H1, 500, 1)).await, first);
    let second = bench.publish(spec(Granularity::H1, 500, 2)).await;
    assert_ne!(first.version, second.version);
    let latest = bench.bars.describe(&first.series, None).await.unwrap();
    assert_eq!(latest.unwrap().version, second.version);
    let earlier = bench.bars.describe(&first.series, Some(&first.version)).await.unwrap().unwrap();
    assert_eq!(load_bars(&bench.bars, &earlier, all(), 0).await.unwrap().len(), 500);
    assert_eq!(bench.bars.list(&PageRequest::default()).await.unwrap().items.len(), 1);
}

/// Serves every blob but with one bit flipped.
struct Flipped {
    inner: Arc<Blobs>,
    bit: usize,
}

impl Flipped {
    fn flipped(&self, bytes: &[u8]) -> Bytes {
        let mut bytes = bytes.to_vec();
        let index = self.bit / 8 % bytes.len();
        bytes[index] ^= 1 << (self.bit % 8);
        bytes.into()
    }
}

#[async_trait::async_trait]
impl BlobStore for Flipped {
    async fn put(&self, key: &BlobKey, bytes: Bytes) -> Result<fx_app::ports::Put, StoreError> {
        self.inner.put(key, bytes).await
    }
    async fn get(&self, key: &BlobKey) -> Result<Option<Bytes>, StoreError> {
        Ok(self.inner.get(key).await?.map(|bytes| self.flipped(&bytes)))
    }
    async fn get_range(&self, key: &BlobKey, offset: u64, length: u64) -> Result<Option<Bytes>, StoreError> {
        Ok(self.inner.get_range(key, offset, length).await?.map(|bytes| self.flipped(&bytes)))
    }
    async fn list(&self, folder: &BlobKey) -> Result<Vec<BlobKey>, StoreError> {
        self.inner.list(folder).await
    }
}

#[tokio::test]
async fn a_flipped_bit_of_an_object_is_never_another_price() {
    let bench = Bench::new();
    let version = bench.publish(spec(Granularity::H1, 300, 1)).await;
    // From the bytes of an object, without its leading magic, which no reader looks at.
    for bit in (0..40_000).step_by(97) {
        let blobs = Arc::new(Flipped { inner: bench.blobs.clone(), bit });
        let bars = ParquetBars { catalog: bench.bars.catalog.clone(), blobs };
        let outcome = load_bars(&bars, &version, all(), 0).await;
        assert!(matches!(outcome, Err(StoreError::Corrupt { .. })), "bit {bit}");
    }
}

#[tokio::test]
async fn synthetic_bars_are_the_same_everywhere_and_keep_the_weekend() {
    for granularity in Granularity::ALL.into_iter().filter(|granularity| *granularity != Granularity::Tick) {
        let bars = generated(&spec(granularity, 300, 42));
        bars.check(TimeOrder::Strict).unwrap();
        for time in &bars.times {
            let utc = time.utc();
            assert_ne!(utc.weekday(), jiff::civil::Weekday::Saturday, "{granularity} {time}");
        }
    }
    let bytes =
        fx_store::encode_bars(&generated(&spec(Granularity::M1, 5_000, 42)), Granularity::M1, 5).unwrap();
    check_digest(&bytes);
}

/// The bytes of the generator and the encoder together: a change of either is a change of every synthetic version.
fn check_digest(bytes: &[u8]) {
    assert_eq!(
        Digest::of(bytes).to_string(),
        "8fb12ae99f04d58aecb1cdaa3701508df51072ecbb991b6c63cc5eae916ef7ca"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn results_in_a_blob_store_pass_the_contract_suite() {
    let results = BlobResults { blobs: Arc::new(Blobs::default()) };
    fx_testkit::contract::result_store(&(Arc::new(results) as _)).await;
}

#[tokio::test]
async fn a_range_holds_no_more_bars_than_its_row_groups() {
    let bench = Bench::new();
    let spec = spec(Granularity::M1, 2 * ROW_GROUP_ROWS + 1_000, 3);
    let bars = generated(&spec);
    let version = bench.publish(spec).await;
    for (from, to) in [(0, 1), (0, bars.len() - 1), (131_000, 131_200), (200_000, 263_000), (5, 5)] {
        let range = TimeRange { start: bars.times[from], end: bars.times[to] };
        let most = bench.bars.rows_within_max(&version, range).await.unwrap();
        let (exact, slack) = ((to - from) as u64, 2 * ROW_GROUP_ROWS as u64);
        assert!((exact..=exact + slack).contains(&most), "{from}..{to}: {most}");
    }
    let after = TimeRange { start: version.last.plus_nanos(1), end: UnixNanos::new(i64::MAX) };
    let before = TimeRange { start: UnixNanos::new(0), end: version.first };
    for outside in [after, before] {
        assert_eq!(bench.bars.rows_within_max(&version, outside).await.unwrap(), 0);
    }
    assert_eq!(bench.bars.rows_within_max(&version, all()).await.unwrap(), version.rows);
}

#[tokio::test]
async fn a_long_result_is_several_objects_and_reads_as_one() {
    const ROWS: usize = 800_005;
    let blobs = Arc::new(Blobs::default());
    let (results, id) = (BlobResults { blobs: blobs.clone() }, BacktestId::parse("bt_1").unwrap());
    // No pattern that would compress.
    let mixed = |row: i64| row.wrapping_mul(row | 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed());
    let point = |row: usize| (UnixNanos::new(60 * row as i64), mixed(row as i64) ^ (mixed(row as i64) >> 29));
    let mut writer = results.writer(&id, Currency::USD);
    for from in (0..ROWS).step_by(100_000) {
        let (times, micros) = (from..ROWS.min(from + 100_000)).map(point).unzip();
        let equity = EquityCurve { times, micros, currency: Currency::USD };
        writer.append(RunRows { equity, ..RunRows::none(Currency::USD) }).await.unwrap();
    }
    let curve = RunRows::none(Currency::USD).equity;
    let end = ResultEnd { curve, pending: Vec::new(), report_html: "<p>é".to_owned() };
    writer.finish(end).await.unwrap();
    let folder = BlobKey::parse("results/bt_1").unwrap();
    let objects = blobs.list(&folder).await.unwrap();
    assert_eq!(objects.iter().filter(|key| key.as_str().contains("/equity-")).count(), 2, "{objects:?}");
    for rows in [0..10, 32_760..32_780, 524_200..600_000, 0..ROWS, ROWS - 1..ROWS + 9] {
        let read = results.equity(&id, rows.start as u64..rows.end as u64).await.unwrap().unwrap();
        let (times, micros): (Vec<_>, Vec<_>) = (rows.start..rows.end.min(ROWS)).map(point).unzip();
        assert!(read.times == times && read.micros == micros, "{rows:?}");
    }
    let file = results.parquet(&id, ResultPart::Equity).await.unwrap().unwrap();
    let file = SerializedFileReader::new(file).unwrap();
    assert_eq!(file.metadata().file_metadata().num_rows(), ROWS as i64);
    let last = file.get_row_group(file.num_row_groups() - 1).unwrap();
    let ColumnReader::Int64ColumnReader(mut times) = last.get_column_reader(0).unwrap() else {
        panic!("no times")
    };
    let mut read = Vec::new();
    times.read_records(usize::MAX, None, None, &mut read).unwrap();
    assert_eq!(read.last(), Some(&point(ROWS - 1).0.get()));
    assert_eq!(results.trades(&id, 0..9).await.unwrap(), Some(Vec::new()));
}

#[tokio::test]
async fn a_flipped_bit_of_a_result_is_an_error() {
    let (inner, id) = (Arc::new(Blobs::default()), BacktestId::parse("bt_1").unwrap());
    let results = BlobResults { blobs: inner.clone() };
    fx_testkit::contract::store_result(&results, &id, fx_testkit::fixtures::result()).await;
    for bit in (0..30_000).step_by(61) {
        let results = BlobResults { blobs: Arc::new(Flipped { inner: inner.clone(), bit }) };
        assert!(matches!(results.trades(&id, 0..9).await, Err(StoreError::Corrupt { .. })), "bit {bit}");
        assert!(matches!(results.report(&id).await, Err(StoreError::Corrupt { .. })), "bit {bit}");
    }
}
