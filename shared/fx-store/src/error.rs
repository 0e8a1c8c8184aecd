//! What can go wrong between bytes and bars.

use crate::import::{Format, ImportReport};
use fx_app::ports::StoreError;
use fx_domain::Granularity;

/// A file could not be read, written or published.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system, or a decompressor, refused.
    #[error("cannot read or write {file}")]
    Io {
        /// Which file.
        file: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Not a Parquet file that can be read or written.
    #[error("{what} is not readable as Parquet")]
    Parquet {
        /// Which file or object.
        what: String,
        /// Why.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// What is stored contradicts its manifest, or a file contradicts itself.
    #[error("{what}")]
    Corrupt {
        /// Which object, and how.
        what: String,
    },
    /// A named limit was passed.
    #[error("{what}: more than {limit} {unit}")]
    Limit {
        /// What was too much, and in which file.
        what: String,
        /// The limit.
        limit: u64,
        /// Of what.
        unit: &'static str,
    },
    /// The content matches no known format.
    #[error("{file} matches no known format ({reason}); name one with --format: {known}", known = Format::LIST)]
    UnknownFormat {
        /// Which file.
        file: String,
        /// What was seen.
        reason: String,
    },
    /// The content matches several formats that would be read differently.
    #[error("{file} could be any of {}; name one with --format", names(candidates))]
    AmbiguousFormat {
        /// Which file.
        file: String,
        /// What it could be.
        candidates: Vec<Format>,
    },
    /// Quote ticks are not bars.
    #[error("{file} holds quote ticks ({format}), not {timeframe} bars: import it with the timeframe tick")]
    Ticks {
        /// Which file.
        file: String,
        /// As what it was recognised.
        format: Format,
        /// The timeframe given.
        timeframe: Granularity,
    },
    /// Bars are not quote ticks.
    #[error("{file} holds bars ({format}), not quote ticks: import it with the timeframe of its bars")]
    Bars {
        /// Which file.
        file: String,
        /// As what it was recognised.
        format: Format,
    },
    /// A file does not have the structure of the chosen format.
    #[error("{file} cannot be read as {format}: {reason}")]
    Structure {
        /// Which file.
        file: String,
        /// As what it was read.
        format: Format,
        /// What is missing.
        reason: String,
    },
    /// An option cannot be used.
    #[error("{option}: {reason}")]
    Option {
        /// Which option.
        option: &'static str,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// The bars have another length than was said.
    #[error("the bars are mostly {found} apart, not {expected}: wrong timeframe?")]
    Spacing {
        /// The timeframe given.
        expected: Granularity,
        /// The most frequent distance of neighbours.
        found: String,
    },
    /// Rows are bad and were not to be skipped. Nothing was stored.
    #[error("{} of {} rows are bad; nothing was stored", .0.bad_rows, .0.rows_read)]
    Unsound(Box<ImportReport>),
    /// No row is left to store.
    #[error("no bar was found in the input")]
    Empty,
    /// Another import of the series won each time.
    #[error("the series {series} was published by others {attempts} times in a row")]
    Conflict {
        /// Which series.
        series: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Background work was cut off by a shutdown or a panic.
    #[error("background work was cut off")]
    Background(#[source] tokio::task::JoinError),
}

fn names(formats: &[Format]) -> String {
    formats.iter().map(|format| format.as_str()).collect::<Vec<_>>().join(", ")
}

impl Error {
    pub(crate) fn io(file: &str, source: std::io::Error) -> Self {
        Self::Io { file: file.to_owned(), source }
    }

    pub(crate) fn parquet(what: impl Into<String>) -> impl FnOnce(parquet::errors::ParquetError) -> Self {
        move |source| Self::Parquet { what: what.into(), source }
    }

    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }
}

/// What a port's caller is told: a store's own failure stays what it is, everything else is a broken entry.
pub(crate) fn into_store_error(store: &'static str, error: Error) -> StoreError {
    match error {
        Error::Store(error) => error,
        Error::Background(source) => StoreError::Unavailable { store, source: Box::new(source) },
        other => StoreError::Corrupt { store, what: chain(&other) },
    }
}

/// Runs a decoder of bytes that no digest vouches for. The Parquet library asserts on some contradictions of a broken
/// file instead of answering with an error; this makes them one.
pub(crate) fn guarded<T>(what: &str, decode: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err(Error::corrupt(format!("{what} contradicts itself"))))
}

/// The error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
