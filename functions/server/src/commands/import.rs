//! `server import`: files of bars or quote ticks, what other services told, and tables of rollover rates, into the store.

mod feature;
mod financing;

use crate::compose;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use fx_app::ports::Clock;
use fx_app::records::{FeatureKey, SeriesKey, SeriesVersion, Told};
use fx_domain::{DatasetName, Granularity, Instrument, Price, QuoteSide};
use fx_host::{Config, Platform, SystemClock};
use fx_store::Error;
use fx_store::import::{FileZone, Format, ImportFile, ImportOptions, ImportReport, Label, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::Write;
use std::path::PathBuf;

/// What to import, and as what.
#[derive(Args)]
pub(crate) struct Options {
    /// Files of one series, or folders of them: CSV, JSON or Parquet, plain, gzipped or zipped. Two files of bars named
    /// …bid… and …ask… are joined.
    #[arg(required_unless_present = "financing", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The pair, such as EUR/USD.
    #[arg(long, required_unless_present = "financing", value_parser = Instrument::parse)]
    instrument: Option<Instrument>,
    /// The bars' length: 1m 5m 15m 30m 1h 4h 1d 1w; `tick` for quote ticks. Of patterns and regimes, that of the bars that
    /// they were seen on.
    #[arg(long, required_unless_present_any = ["financing", "feature"], value_parser = str::parse::<Granularity>)]
    timeframe: Option<Granularity>,
    /// The side that a one-sided file holds.
    #[arg(long)]
    side: Option<SideOption>,
    /// The name of the source: bars of two data sets never mix.
    #[arg(long, default_value = "default", value_parser = DatasetName::parse)]
    dataset: DatasetName,
    /// The zone of times that name none: UTC, UTC-5, Europe/Athens. The format's convention by default.
    #[arg(long, value_parser = FileZone::parse)]
    timezone: Option<FileZone>,
    /// Which end of a bar its time names.
    #[arg(long, default_value = "start")]
    label: LabelOption,
    /// The format, where it cannot be told from the content.
    #[arg(long, value_parser = str::parse::<Format>)]
    format: Option<Format>,
    /// Make asks of the bids and the file's column of spreads, of which one is worth this much: 0.00001 of a MetaTrader
    /// file with five digits, 1 where spreads are price differences.
    #[arg(long, value_name = "PRICE", value_parser = unit)]
    spread_unit: Option<Price>,
    /// Store the sound rows of a file that has bad ones, and count those.
    #[arg(long)]
    skip_bad_rows: bool,
    /// The file has values of a feature, which strategies read by this name: a CSV with the columns available_at and value.
    #[arg(long, value_name = "NAME", group = "told")]
    feature: Option<String>,
    /// The file has values of a chart pattern of this name: a CSV with the columns available_at and confidence.
    #[arg(long, value_name = "NAME", group = "told")]
    pattern: Option<String>,
    /// The file has market regimes: a CSV with the columns available_at and regime.
    #[arg(long, group = "told")]
    regime: bool,
    /// A table of rollover rates, as CSV, instead of bars: instrument, from, long, short, unit, and if need be
    /// day_count and currency.
    #[arg(long, value_name = "FILE", requires = "name", conflicts_with_all = ["files", "instrument", "timeframe", "told"])]
    financing: Option<PathBuf>,
    /// The name of the table, by which a backtest asks for it.
    #[arg(long, requires = "financing")]
    name: Option<String>,
}

fn unit(text: &str) -> Result<Price, String> {
    let price = Price::parse(text).filter(|price| price.is_positive());
    price.ok_or_else(|| "expected a price above zero, such as 0.00001".to_owned())
}

#[derive(Clone, Copy, ValueEnum)]
enum SideOption {
    Bid,
    Ask,
    Mid,
}

#[derive(Clone, Copy, ValueEnum)]
enum LabelOption {
    Start,
    End,
}

pub(crate) async fn run(options: Options) -> Result<()> {
    let config = Config::from_env(Platform::Server)?;
    let stores = compose::stores(&config.storage).await?;
    if let (Some(file), Some(name)) = (&options.financing, &options.name) {
        return financing::store(file, name, &*stores.blobs).await;
    }
    if let Some(told) = options.told()? {
        let [file] = options.files.as_slice() else { bail!("expected one file of {}", told.kind()) };
        let Some(instrument) = options.instrument else { bail!("--instrument says what they are told of") };
        let key = FeatureKey { dataset: options.dataset, instrument, told };
        return feature::store(file, &key, &*fx_store::files(&stores).features).await;
    }
    let (Some(instrument), Some(granularity)) = (options.instrument, options.timeframe) else {
        bail!("--instrument and --timeframe say what the bars are")
    };
    let mut files = Vec::new();
    for path in &options.files {
        files.extend(ImportFile::all_at(path)?);
    }
    let import = ImportOptions {
        side: options.side.map(SideOption::side),
        zone: options.timezone,
        label: match options.label {
            LabelOption::Start => Label::Start,
            LabelOption::End => Label::End,
        },
        format: options.format,
        spread_unit: options.spread_unit,
        skip_bad_rows: options.skip_bad_rows,
        ..ImportOptions::new(SeriesKey { dataset: options.dataset, instrument, granularity })
    };
    let bar = progress_bar();
    let shown = bar.clone();
    let progress = Box::new(move |progress: Progress| {
        shown.set_length(progress.bytes_total);
        shown.set_position(progress.bytes_done);
        shown.set_message(format!("{} rows", progress.rows));
    });
    let now = SystemClock.now();
    let imported =
        fx_store::import::import(files, import, progress, &*stores.blobs, &*stores.series, now).await;
    bar.finish_and_clear();
    let mut out = std::io::stdout();
    match imported {
        Ok((version, report)) => {
            print_report(&mut out, &report)?;
            print_version(&mut out, &version).context("cannot print the report")
        }
        Err(Error::Unsound(report)) => {
            print_report(&mut out, &report)?;
            bail!(
                "{} of {} rows are bad and nothing was stored; --skip-bad-rows stores the rest",
                report.bad_rows,
                report.rows_read
            )
        }
        Err(error) => Err(error.into()),
    }
}

impl Options {
    /// What the file has instead of bars, if so.
    fn told(&self) -> Result<Option<Told>> {
        let timeframe = || self.timeframe.context("--timeframe says on what bars they were seen");
        let told = match (&self.feature, &self.pattern, self.regime) {
            (Some(_), ..) if self.timeframe.is_some() => bail!("--timeframe: a feature is of no timeframe"),
            (Some(name), ..) => Told::Feature(name.clone()),
            (_, Some(name), _) => Told::Pattern(name.clone(), timeframe()?),
            (.., true) => Told::Regime(timeframe()?),
            _ => return Ok(None),
        };
        if let Err(fault) = told.check() {
            bail!("--{}: {fault}", told.kind())
        }
        Ok(Some(told))
    }
}

impl SideOption {
    const fn side(self) -> QuoteSide {
        match self {
            Self::Bid => QuoteSide::Bid,
            Self::Ask => QuoteSide::Ask,
            Self::Mid => QuoteSide::Mid,
        }
    }
}

fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {msg} {eta}") {
        bar.set_style(style);
    }
    bar
}

fn print_report(out: &mut impl Write, report: &ImportReport) -> std::io::Result<()> {
    let ImportReport { rows_read, rows_stored, duplicates, out_of_order, bad_rows, gaps, .. } = report;
    writeln!(out, "rows          {rows_read} read, {rows_stored} sound")?;
    if let (Some(first), Some(last)) = (report.first, report.last) {
        writeln!(out, "range         {first} to {last}")?;
    }
    let side = report.side.map_or("bid and ask".to_owned(), |side| format!("{side:?}").to_lowercase());
    let format = report.format.map_or("several", Format::as_str);
    writeln!(out, "read as       {format}, {side}, times in {}, {} decimals", report.zone, report.digits)?;
    writeln!(out, "gaps          {}, {} of them weekends", gaps.count, gaps.weekends)?;
    for gap in &gaps.longest {
        writeln!(out, "  from {} to {}", gap.from, gap.to)?;
    }
    writeln!(out, "bad rows      {bad_rows} ({duplicates} duplicates, {out_of_order} out of order)")?;
    for row in &report.bad_rows_listed {
        writeln!(out, "  {}:{}: {}", row.file, row.line, row.reason)?;
    }
    for warning in &report.warnings {
        writeln!(out, "warning       {warning}")?;
    }
    Ok(())
}

fn print_version(out: &mut impl Write, version: &SeriesVersion) -> std::io::Result<()> {
    let rows = if version.series.granularity == Granularity::Tick { "quotes" } else { "bars" };
    writeln!(out, "stored        {} {rows} as {}", version.rows, version.series)?;
    writeln!(out, "data version  {}", version.version)
}
