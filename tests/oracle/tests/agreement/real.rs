//! The strategies that the project ships and the examples of the reference, on real bars.

use crate::compare::{Case, Compared};
use anyhow::{Context, Result};
use fx_domain::{Bar, Bars, Currency, Granularity, Instrument, Money, Ohlc, Price, QuoteSide, UnixNanos};
use fx_engine::RunConfig;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bars that are compared: enough for the longest average of a strategy, and some months of hours.
const BARS: usize = 1_500;
/// Bars of the warm-up.
const WARM_UP: usize = 300;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder of reference data; `None` where there is none and none is required.
fn data() -> Option<PathBuf> {
    let folder = root().join("../shared/data");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "CI needs the reference data beside the workspace");
    None
}

fn ohlc(prices: [&str; 4]) -> Result<Ohlc> {
    let [open, high, low, close] = prices.map(|text| Price::parse(text).context("a price"));
    Ok(Ohlc { open: open?, high: high?, low: low?, close: close? })
}

/// Hourly bids of the euro: time, open, high, low, close.
fn hours(folder: &Path) -> Result<Bars> {
    let mut bars = Bars::empty(Some(QuoteSide::Bid));
    let path = folder.join("backtestingpy/EURUSD_H1_2017-2018.csv");
    for row in csv::Reader::from_path(path)?.records().take(BARS) {
        let row = row?;
        let time =
            UnixNanos::parse(&format!("{}Z", row[0].replacen(' ', "T", 1).trim_end_matches("+00:00")))?;
        bars.push(Bar { time, bid: ohlc([&row[1], &row[2], &row[3], &row[4]])?, ask: None, volume: 1 });
    }
    Ok(bars)
}

/// Hourly bids and asks of the euro: `YYYYMMDD HH:MM`, bid open, high, low, close, a size, the same of the ask.
fn both_sides(folder: &Path) -> Result<Bars> {
    let file = fs::File::open(folder.join("lean/forex/oanda/hour/eurusd.zip"))?;
    let mut archive = zip::ZipArchive::new(file)?;
    let reader = csv::ReaderBuilder::new().has_headers(false).from_reader(archive.by_index(0)?);
    let mut bars = Bars::empty(None);
    for row in reader.into_records().take(BARS) {
        let row = row?;
        let stamp = &row[0];
        let stamp = format!("{}-{}-{}T{}:00Z", &stamp[..4], &stamp[4..6], &stamp[6..8], &stamp[9..]);
        let bid = ohlc([&row[1], &row[2], &row[3], &row[4]])?;
        let ask = ohlc([&row[6], &row[7], &row[8], &row[9]])?;
        bars.push(Bar { time: UnixNanos::parse(&stamp)?, bid, ask: Some(ask), volume: 3 });
    }
    Ok(bars)
}

/// Minutes of the pound's bid.
fn minutes(folder: &Path) -> Result<Bars> {
    let mut text = String::new();
    let file = fs::File::open(folder.join("nautilus/fxcm/gbpusd-m1-bid-2012.csv.gz"))?;
    flate2::read::GzDecoder::new(file).read_to_string(&mut text)?;
    let mut bars = Bars::empty(Some(QuoteSide::Bid));
    for row in csv::Reader::from_reader(text.as_bytes()).records().take(BARS) {
        let row = row?;
        let time =
            UnixNanos::parse(&format!("{}Z", row[0].replacen(' ', "T", 1).trim_end_matches("+00:00")))?;
        bars.push(Bar { time, bid: ohlc([&row[1], &row[2], &row[3], &row[4]])?, ask: None, volume: 2 });
    }
    Ok(bars)
}

fn config(pair: &str, granularity: Granularity, bars: &Bars) -> RunConfig {
    let capital = Money::from_micros(100_000 * Money::SCALE, Currency::USD);
    let mut config = RunConfig::new(Instrument::parse(pair).unwrap(), granularity, capital);
    config.start = bars.times[WARM_UP];
    config
}

/// Compares `source` on all the real bars.
fn compare(name: &str, source: &str, folder: &Path) -> Compared {
    let series = [
        ("EUR/USD", Granularity::H1, hours(folder)),
        ("EUR/USD", Granularity::H1, both_sides(folder)),
        ("GBP/USD", Granularity::M1, minutes(folder)),
    ];
    let mut all = Compared::default();
    for (pair, granularity, bars) in series {
        let bars = bars.unwrap_or_else(|error| panic!("{pair}: {error:#}"));
        let config = config(pair, granularity, &bars);
        let compared = Case::new(source, config, bars).compare();
        // The bars are in the reference data: the end of the message says where they differ.
        let compared = compared.unwrap_or_else(|told| panic!("{name} on {pair}: …{}", tail(&told)));
        all.bars += compared.bars;
        all.decisions += compared.decisions;
    }
    all
}

fn tail(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}

#[test]
fn shipped_strategies_decide_on_real_bars_as_the_oracle_does() {
    let Some(folder) = data() else { return println!("left out: there is no reference data") };
    let mut paths: Vec<_> =
        fs::read_dir(root().join("strategies")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "py"));
    paths.sort();
    assert!(paths.len() >= 5, "{paths:?}");
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let source = fs::read_to_string(&path).unwrap();
        if knows_more_than_the_oracle(&source) {
            continue;
        }
        let compared = compare(&name, &source, &folder);
        assert!(compared.decisions > 0, "{name} decides nothing on {} bars", compared.bars);
    }
}

#[test]
fn examples_of_the_reference_decide_on_real_bars_as_the_oracle_does() {
    let Some(folder) = data() else { return println!("left out: there is no reference data") };
    let reference = fs::read_to_string(root().join("docs/LANGUAGE.md")).unwrap();
    let (mut examples, mut decisions) = (0, 0);
    for block in reference.split("```python\n").skip(1) {
        let code = block.split("```").next().unwrap();
        if knows_more_than_the_oracle(code) {
            continue;
        }
        let source = if code.contains("class ") { code.to_owned() } else { in_a_strategy(code) };
        decisions += compare(&format!("example {examples}"), &source, &folder).decisions;
        examples += 1;
    }
    assert!(examples > 10 && decisions > 1_000, "{examples} examples, {decisions} decisions");
}

/// Whether a source is more than the oracle knows: it sees the strategy's own bars only, and no sessions.
fn knows_more_than_the_oracle(source: &str) -> bool {
    [".timeframe(", ".instrument(", ".in_session("].iter().any(|call| source.contains(call))
}

/// Lines of `analyze`, with the parameter that examples name.
fn in_a_strategy(lines: &str) -> String {
    let body: String = lines.lines().map(|line| format!("        {line}\n")).collect();
    format!(
        "class Example(Strategy):\n    n = 5\n\n    def analyze(self, data):\n{body}        return {{}}\n"
    )
}
