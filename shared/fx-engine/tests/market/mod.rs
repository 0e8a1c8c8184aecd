//! Reads the reference data, found from the workspace root.

use anyhow::{Context, Result};
use fx_domain::{Bar, Bars, Ohlc, Price, QuoteColumns, QuoteSide, UnixNanos};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The folder of reference data; `None` where there is none and none is required.
pub(crate) fn reference() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    if folder.join("golden").is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "CI needs the reference data beside the workspace");
    None
}

fn price(text: &str) -> Result<Price> {
    Price::parse(text).with_context(|| format!("`{text}` is no price"))
}

fn ohlc([open, high, low, close]: [&str; 4]) -> Result<Ohlc> {
    Ok(Ohlc { open: price(open)?, high: price(high)?, low: price(low)?, close: price(close)? })
}

fn time(text: &str) -> Result<UnixNanos> {
    let text = text.replacen(' ', "T", 1);
    let zoned = if text.ends_with("00:00") && text.contains('+') { text } else { format!("{text}Z") };
    Ok(UnixNanos::parse(&zoned)?)
}

/// CSV with a header: time, open, high, low, close.
fn plain(reader: impl Read) -> Result<Bars> {
    let mut bars = Bars::empty(Some(QuoteSide::Bid));
    for row in csv::Reader::from_reader(reader).records() {
        let row = row?;
        let bid = ohlc([&row[1], &row[2], &row[3], &row[4]])?;
        bars.push(Bar { time: time(&row[0])?, bid, ask: None, volume: 0 });
    }
    Ok(bars)
}

/// The bars of a case, by the name that its file gives them.
pub(crate) fn bars(folder: &Path, name: &str) -> Result<Bars> {
    let data = folder.join("data");
    match name {
        "eurusd_h1" => plain(std::fs::File::open(data.join("backtestingpy/EURUSD_H1_2017-2018.csv"))?),
        "gbpusd-m1-bid-2012" => {
            let file = std::fs::File::open(data.join("nautilus/fxcm/gbpusd-m1-bid-2012.csv.gz"))?;
            plain(flate2::read::GzDecoder::new(file))
        }
        "oanda_eurusd_h1@0:20000" => both_sides(folder, 20_000).map(bid_of),
        other => anyhow::bail!("no reader for `{other}`"),
    }
}

/// Hourly bids and asks, without a header: `YYYYMMDD HH:MM`, bid O, H, L, C, a size, the same of the ask.
pub(crate) fn both_sides(folder: &Path, rows: usize) -> Result<Bars> {
    let file = std::fs::File::open(folder.join("data/lean/forex/oanda/hour/eurusd.zip"))?;
    let mut archive = zip::ZipArchive::new(file)?;
    let reader = csv::ReaderBuilder::new().has_headers(false).from_reader(archive.by_index(0)?);
    let mut bars = Bars::empty(None);
    for row in reader.into_records().take(rows) {
        let row = row?;
        let stamp = &row[0];
        let stamp = format!("{}-{}-{}T{}:00Z", &stamp[..4], &stamp[4..6], &stamp[6..8], &stamp[9..]);
        let bid = ohlc([&row[1], &row[2], &row[3], &row[4]])?;
        let ask = ohlc([&row[6], &row[7], &row[8], &row[9]])?;
        bars.push(Bar { time: UnixNanos::parse(&stamp)?, bid, ask: Some(ask), volume: 0 });
    }
    Ok(bars)
}

/// The bid alone.
fn bid_of(bars: Bars) -> Bars {
    let QuoteColumns::Both { bid, .. } = bars.quotes else { return bars };
    Bars { quotes: QuoteColumns::One { side: QuoteSide::Bid, ohlc: bid }, ..bars }
}

/// Quotes of some of the files of ticks, one a day, in order of their names: milliseconds since midnight, bid, ask.
pub(crate) fn ticks(folder: &Path, files: std::ops::Range<usize>) -> Result<Bars> {
    let folder = folder.join("data/lean/forex/oanda/tick/eurusd");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.sort();
    let mut bars = Bars::empty(None);
    for path in paths.get(files).context("too few files")? {
        let name = path.file_name().context("no name")?.to_string_lossy();
        let day = format!("{}-{}-{}T00:00:00Z", &name[..4], &name[4..6], &name[6..8]);
        let midnight = UnixNanos::parse(&day)?;
        let mut archive = zip::ZipArchive::new(std::fs::File::open(path)?)?;
        let reader = csv::ReaderBuilder::new().has_headers(false).from_reader(archive.by_index(0)?);
        for row in reader.into_records() {
            let row = row?;
            let time = midnight.plus_nanos(row[0].parse::<i64>()? * 1_000_000);
            let (bid, ask) = (Ohlc::flat(price(&row[1])?), Ohlc::flat(price(&row[2])?));
            bars.push(Bar { time, bid, ask: Some(ask), volume: 0 });
        }
    }
    Ok(bars)
}
