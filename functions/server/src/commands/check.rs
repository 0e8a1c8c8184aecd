//! `server check`: the linter for strategy files. It opens no storage and reads no setting.

use anyhow::Result;
use clap::{Args, ValueEnum};
use fx_app::validation::{Candidate, Outline, ParameterSpec, Reads, Severity, Track, Validation, validate};
use fx_domain::Granularity;
use fx_host::strategies_dir::{self, FileError};
use fx_http::ValidationDto;
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A file has errors.
const ERRORS: u8 = 1;
/// A file or folder cannot be read.
const UNREADABLE: u8 = 2;

/// What to look at.
#[derive(Args)]
pub(crate) struct Options {
    /// Strategy files, or folders of them.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How to print what is found.
    #[arg(long, default_value = "text")]
    format: Format,
    /// The bars that the strategies see.
    #[arg(long, default_value = "1h")]
    timeframe: Granularity,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// As a compiler does.
    Text,
    /// One object for each file, as `POST /api/v1/strategies/validate` answers.
    Json,
}

/// What became of one file.
struct Checked {
    path: PathBuf,
    outcome: Result<Validation, FileError>,
}

/// What became of one file, for programs.
#[derive(Serialize)]
struct CheckedFile {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(flatten)]
    validation: Option<ValidationDto>,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let checked: Vec<_> = options.files.iter().flat_map(|path| check(path, options.timeframe)).collect();
    let mut out = std::io::stdout().lock();
    match options.format {
        Format::Text => print_text(&mut out, &checked)?,
        Format::Json => {
            let files: Vec<_> = checked.iter().map(CheckedFile::of).collect();
            writeln!(out, "{}", serde_json::to_string_pretty(&files)?)?;
        }
    }
    let outcomes = || checked.iter().map(|file| &file.outcome);
    Ok(if outcomes().any(Result::is_err) {
        ExitCode::from(UNREADABLE)
    } else if outcomes().flatten().any(|validation| !validation.is_valid()) {
        ExitCode::from(ERRORS)
    } else {
        ExitCode::SUCCESS
    })
}

/// Checks a file, or every strategy file of a folder.
fn check(path: &Path, timeframe: Granularity) -> Vec<Checked> {
    let paths = if path.is_dir() { strategies_dir::paths(path) } else { Ok(vec![path.to_owned()]) };
    match paths {
        Ok(paths) => {
            paths.into_iter().map(|path| Checked { outcome: check_file(&path, timeframe), path }).collect()
        }
        Err(error) => vec![Checked { path: path.to_owned(), outcome: Err(error) }],
    }
}

fn check_file(path: &Path, timeframe: Granularity) -> Result<Validation, FileError> {
    let (code, usual) = (strategies_dir::source(path)?, Candidate::default());
    let track = Track { granularity: timeframe, ..usual.track };
    Ok(validate(&Candidate { code, track, ..usual }))
}

impl CheckedFile {
    fn of(checked: &Checked) -> Self {
        Self {
            file: checked.path.display().to_string(),
            error: checked.outcome.as_ref().err().map(ToString::to_string),
            validation: checked.outcome.as_ref().ok().map(ValidationDto::from),
        }
    }
}

fn print_text(out: &mut impl Write, checked: &[Checked]) -> Result<()> {
    let [mut errors, mut warnings] = [0, 0];
    for file in checked {
        let name = file.path.display().to_string();
        match &file.outcome {
            Err(error) => {
                errors += 1;
                writeln!(out, "{}: {error}\n", Severity::Error.as_str())?;
            }
            Ok(validation) => {
                for found in &validation.findings {
                    writeln!(out, "{}\n", found.listing(&name))?;
                }
                let [more_errors, more_warnings] = validation.counts();
                (errors, warnings) = (errors + more_errors, warnings + more_warnings);
                if let Some(outline) = &validation.outline {
                    print_outline(out, &name, outline)?;
                }
            }
        }
    }
    let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let counts = [(checked.len(), "file"), (errors, "error"), (warnings, "warning")];
    let [files, errors, warnings] = counts.map(|(count, what)| counted(count, what));
    Ok(writeln!(out, "{files}, {errors}, {warnings}")?)
}

fn print_outline(out: &mut impl Write, file: &str, outline: &Outline) -> std::io::Result<()> {
    writeln!(out, "{file}: {}", outline.name)?;
    for spec in &outline.parameters {
        writeln!(out, "  parameter   {}", declaration(spec))?;
    }
    print_reads(out, &outline.reads)?;
    let plan = &outline.plan;
    let lead = outline.warm_up_lead_days();
    let lead = lead.map_or(String::new(), |days| format!(", and {days} days of prices before them"));
    writeln!(out, "  warm-up     {} bars{lead}", outline.warm_up_bars)?;
    writeln!(
        out,
        "  plan        {} nodes, {} rules, {} bytes, {}",
        plan.nodes, plan.rules, plan.bytes, plan.hash
    )?;
    let millions = outline.estimated_bars_per_second as f64 / 1e6;
    writeln!(out, "  estimated   {millions:.1} million bars/s")?;
    let causality = &outline.causality;
    writeln!(
        out,
        "  causal      {} decisions on {} bars, the same where the bars end at {} of them\n",
        causality.decisions,
        causality.bars,
        causality.cuts.len()
    )
}

/// What it reads beside its own bars, a line for each kind.
fn print_reads(out: &mut impl Write, reads: &Reads) -> std::io::Result<()> {
    let timeframes = reads.timeframes.iter().map(|timeframe| timeframe.as_str().to_owned()).collect();
    let instruments = reads.instruments.iter().map(ToString::to_string).collect();
    let kinds: [(&str, Vec<String>); 5] = [
        ("timeframes", timeframes),
        ("instruments", instruments),
        ("features", reads.features.clone()),
        ("patterns", reads.patterns.clone()),
        ("regimes", reads.regimes.clone()),
    ];
    for (kind, names) in kinds.iter().filter(|(_, names)| !names.is_empty()) {
        writeln!(out, "  reads       {kind} {}", names.join(", "))?;
    }
    Ok(())
}

/// `fast: int = 10, from 2 to 500`
fn declaration(spec: &ParameterSpec) -> String {
    let start = format!("{}: {} = {}", spec.name, spec.kind.annotation(), spec.default);
    match spec.range() {
        Some(range) => format!("{start}, {range}"),
        None => start,
    }
}
