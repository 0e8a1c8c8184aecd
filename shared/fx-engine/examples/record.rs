//! What a strategy records over a file of bars, as CSV on the standard output: a column for each `record("name", x)`, a
//! row for each bar, nothing where a value is undefined. Numbers are written so that reading them gives the same bits.
//!
//! ```text
//! cargo run --release -p fx-engine --example record -- strategies/ma_crossover.py bars.csv
//! ```
//!
//! The bars have a header and the columns time, open, high, low, close and, where there is one, volume.

use anyhow::{Context, Result, bail};
use fx_domain::{Bar, Bars, Currency, Granularity, Instrument, Money, Ohlc, Price, QuoteSide, UnixNanos};
use fx_engine::{Inputs, RunConfig, State, advance};
use std::collections::BTreeMap;
use std::path::Path;

/// Whole currency units that the account starts with; recordings of market data do not depend on them.
const CAPITAL: i64 = 100_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [strategy, bars] = arguments.as_slice() else { bail!("usage: record STRATEGY.py BARS.csv") };
    let source = std::fs::read_to_string(strategy).with_context(|| format!("{strategy} is not read"))?;
    let plan = fx_strategy::compile(&source, &BTreeMap::new())?.plan;
    let bars = read(Path::new(bars)).with_context(|| format!("{bars} is not read"))?;
    let capital = Money::from_micros(CAPITAL * Money::SCALE, Currency::USD);
    let mut config = RunConfig::new(Instrument::parse("EUR/USD")?, Granularity::M1, capital);
    config.account.leverage = 100.0;
    let slice = advance(&plan, &config, State::start(&plan, &config)?, &Inputs::of(&bars))?;
    let mut out = csv::Writer::from_writer(std::io::stdout().lock());
    out.write_record(plan.recordings.iter().map(|recording| &recording.name))?;
    for row in 0..bars.len() {
        let text = |value: f64| if value.is_nan() { String::new() } else { format!("{value:?}") };
        out.write_record(slice.recordings.iter().map(|column| text(column[row])))?;
    }
    Ok(out.flush()?)
}

fn read(path: &Path) -> Result<Bars> {
    let mut bars = Bars::empty(Some(QuoteSide::Bid));
    for (row, record) in csv::Reader::from_path(path)?.records().enumerate() {
        let bar = read_bar(&record?).with_context(|| format!("row {}", row + 1))?;
        bars.push(bar);
    }
    Ok(bars)
}

fn read_bar(record: &csv::StringRecord) -> Result<Bar> {
    let field = |place: usize| record.get(place).context("a column is missing");
    let price = |place: usize| field(place).and_then(|text| Price::parse(text).context("no price"));
    let time = field(0)?.replacen(' ', "T", 1);
    let time = if time.ends_with("00:00") && time.contains('+') { time } else { format!("{time}Z") };
    let bid = Ohlc { open: price(1)?, high: price(2)?, low: price(3)?, close: price(4)? };
    let volume = record.get(5).map_or(Ok(0), str::parse).context("no volume")?;
    Ok(Bar { time: UnixNanos::parse(&time)?, bid, ask: None, volume })
}
