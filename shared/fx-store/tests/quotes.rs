//! Quote ticks through an import, a store in memory and loads of ranges.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use fx_app::ports::TimeRange;
use fx_app::records::{SeriesKey, SeriesVersion};
use fx_domain::{
    Bar, Bars, DatasetName, Granularity, Instrument, NANOS_PER_DAY, Price, TimeOrder, UnixNanos,
};
use fx_store::import::{ImportFile, ImportOptions, ImportReport, import};
use fx_store::{ParquetBars, ROW_GROUP_ROWS};
use fx_testkit::load_bars;
use fx_testkit::memory::{Blobs, Catalogue};
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const MILLI: i64 = 1_000_000;

struct Bench {
    bars: ParquetBars,
    version: SeriesVersion,
    report: ImportReport,
}

async fn imported(files: Vec<ImportFile>) -> Bench {
    let series = SeriesKey {
        dataset: DatasetName::default(),
        instrument: Instrument::parse("EUR/USD").unwrap(),
        granularity: Granularity::Tick,
    };
    let bars = ParquetBars {
        catalog: Arc::new(Catalogue::<SeriesVersion>::default()),
        blobs: Arc::new(Blobs::default()),
    };
    let quiet = Box::new(|_| {});
    let options = ImportOptions::new(series);
    let stored = import(files, options, quiet, &*bars.blobs, &*bars.catalog, UnixNanos::new(7)).await;
    let (version, report) = stored.unwrap();
    Bench { bars, version, report }
}

impl Bench {
    async fn load(&self, start: UnixNanos, end: UnixNanos, warm_up: usize) -> Bars {
        load_bars(&self.bars, &self.version, TimeRange { start, end }, warm_up).await.unwrap()
    }

    async fn all(&self) -> Bars {
        self.load(UnixNanos::new(i64::MIN), UnixNanos::new(i64::MAX), 0).await
    }

    /// Loads from one quote's time to another's, and expects what a cut of all quotes holds.
    async fn holds(&self, quotes: &Bars, (start, end): (UnixNanos, UnixNanos), warm_up: usize) {
        let (from, to) = (quotes.lower_bound(start), quotes.lower_bound(end));
        let loaded = self.load(start, end, warm_up).await;
        assert!(loaded == quotes.slice(from.saturating_sub(warm_up)..to), "{start} to {end} after {warm_up}");
    }
}

/// Quotes around New Year: every tenth shares its millisecond with the one before, and so do the three hundred around the
/// end of each row group, and the last and the first of the years. Each has a price of its own.
fn around_new_year() -> Bars {
    let new_year = UnixNanos::parse("2024-01-01").unwrap();
    let before = ROW_GROUP_ROWS as i64 + 500;
    let mut quotes = Bars::empty(None);
    let mut millis = -2 * before;
    for row in 0..2 * before {
        let in_year = if row < before { row } else { row - before };
        let near_cut = (in_year - ROW_GROUP_ROWS as i64).abs() <= 150;
        if row == before {
            millis = 0;
        } else if row == before - 3 {
            millis = -1;
        } else if row % 10 != 0 && !near_cut && !(before - 3..before + 3).contains(&row) {
            millis += 1;
        }
        let bid = Price::from_nanos(1_000_000_000 + row * 1_000);
        let ask = Price::from_nanos(bid.nanos() + 2_000);
        quotes.push(Bar::tick(new_year.plus_nanos(millis * MILLI), bid, ask));
    }
    quotes.check(TimeOrder::NonDecreasing).unwrap();
    quotes
}

#[tokio::test]
async fn quotes_of_one_instant_survive_row_groups_years_and_ranges() {
    let quotes = around_new_year();
    let mut text = "timestamp,bid,ask\n".to_owned();
    for row in 0..quotes.len() {
        let Bar { time, bid, ask, .. } = quotes.get(row);
        writeln!(text, "{time},{},{}", bid.open, ask.unwrap().open).unwrap();
    }
    let bench = imported(vec![ImportFile::of_bytes("quotes.csv", text)]).await;
    let manifest = bench.bars.manifest(&bench.version).await.unwrap();
    assert_eq!((manifest.rows, manifest.side, manifest.gaps.count), (quotes.len() as u64, None, 0));
    let years: Vec<_> = manifest.objects.iter().map(|object| object.key.split('/').nth(4).unwrap()).collect();
    assert_eq!(years, ["2023", "2024"]);
    let groups: Vec<_> = manifest.objects.iter().flat_map(|object| &object.row_groups).collect();
    assert_eq!(groups.len(), 4);
    assert_eq!(groups[0].last, groups[1].first, "the cut falls between quotes of one instant");
    assert!(bench.all().await == quotes);

    let new_year = UnixNanos::parse("2024-01-01").unwrap();
    assert_eq!(quotes.lower_bound(new_year.plus_nanos(1)) - quotes.lower_bound(new_year), 3);
    let cut = groups[0].last;
    let (milli, day) = (|time: UnixNanos| time.plus_nanos(MILLI), NANOS_PER_DAY);
    for range in [
        (cut, milli(cut)),
        (cut, cut),
        (cut.plus_nanos(-MILLI), cut),
        (milli(cut), new_year),
        (new_year.plus_nanos(-MILLI), new_year),
        (new_year, milli(new_year)),
        (groups[2].last, milli(groups[2].last)),
        (new_year.plus_nanos(-day), new_year.plus_nanos(day)),
    ] {
        for warm_up in [0, 1, 299, ROW_GROUP_ROWS + 5] {
            bench.holds(&quotes, range, warm_up).await;
        }
    }
}

fn real(path: &str) -> Option<PathBuf> {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if data.is_dir() {
        return Some(data.join(path));
    }
    assert!(std::env::var_os("CI").is_none(), "the folder of real files is missing: {}", data.display());
    println!("left out: no real files at {}", data.display());
    None
}

/// The quotes of a Lean file, read by other means than the importer's.
fn lean_quotes(file: &Path, into: &mut Bars) {
    let name = file.file_name().unwrap().to_str().unwrap();
    let day = UnixNanos::parse(&format!("{}-{}-{}", &name[..4], &name[4..6], &name[6..8])).unwrap();
    let mut archive = zip::ZipArchive::new(std::fs::File::open(file).unwrap()).unwrap();
    let mut text = String::new();
    archive.by_index(0).unwrap().read_to_string(&mut text).unwrap();
    for line in text.lines() {
        let [millis, bid, ask] = line.split(',').collect::<Vec<_>>().try_into().unwrap();
        let time = day.plus_nanos(millis.parse::<i64>().unwrap() * MILLI);
        into.push(Bar::tick(time, Price::parse(bid).unwrap(), Price::parse(ask).unwrap()));
    }
}

#[tokio::test]
async fn a_folder_of_lean_quotes_is_one_series_in_its_own_order() {
    let Some(folder) = real("lean/forex/oanda/tick/eurusd") else { return };
    let mut files = ImportFile::all_at(&folder).unwrap();
    let mut quotes = Bars::empty(None);
    for file in &files {
        lean_quotes(&folder.join(&file.name), &mut quotes);
    }
    files.reverse();
    let bench = imported(files).await;
    assert_eq!((bench.version.rows, bench.report.bad_rows), (532_903, 0));
    assert_eq!(bench.version.first.to_string(), "2014-05-01T00:00:00.292Z");
    assert_eq!(bench.version.last.to_string(), "2014-05-15T23:59:56.324Z");
    assert_eq!(bench.report.gaps.weekends, 2);

    let loaded = bench.all().await;
    assert!(loaded == quotes, "every quote, in the order of its file");
    let sharing: Vec<usize> =
        (1..loaded.len()).filter(|row| loaded.times[*row] == loaded.times[*row - 1]).collect();
    assert_eq!(sharing.len(), 4_494);
    for row in sharing.into_iter().step_by(500) {
        let time = loaded.times[row];
        bench.holds(&quotes, (time, time.plus_nanos(MILLI)), 10).await;
    }
    let day = UnixNanos::parse("2014-05-07").unwrap();
    bench.holds(&quotes, (day, day.plus_nanos(NANOS_PER_DAY)), 1_000).await;
}
