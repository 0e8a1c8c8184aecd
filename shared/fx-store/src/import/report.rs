//! What an import found.

use crate::import::Format;
use crate::manifest::Gaps;
use fx_domain::{QuoteSide, UnixNanos};

/// Bad rows that a report lists; all are counted.
pub const BAD_ROWS_LISTED_MAX: usize = 20;

/// A row that is not a bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// The file.
    pub file: String,
    /// The line, from 1; for JSON and Parquet the number of the candle or row, from 1.
    pub line: u64,
    /// What is wrong.
    pub reason: String,
}

/// What an import found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportReport {
    /// Rows in the files, without headers.
    pub rows_read: u64,
    /// Rows that became stored bars or quotes.
    pub rows_stored: u64,
    /// Open time of the first stored bar.
    pub first: Option<UnixNanos>,
    /// Open time of the last stored bar.
    pub last: Option<UnixNanos>,
    /// Stretches without bars.
    pub gaps: Gaps,
    /// Bad rows whose time is that of the row before. Quotes may share theirs: of them there are none.
    pub duplicates: u64,
    /// Bad rows whose time is before that of the row before.
    pub out_of_order: u64,
    /// Bad rows of all kinds.
    pub bad_rows: u64,
    /// The first of them.
    pub bad_rows_listed: Vec<BadRow>,
    /// The format; of the first file when there are several.
    pub format: Option<Format>,
    /// The zone that times without one were read in.
    pub zone: String,
    /// The stored side, none for both.
    pub side: Option<QuoteSide>,
    /// Decimals that the prices use.
    pub digits: u32,
    /// Decimals of the instrument's tick.
    pub tick_digits: u32,
    /// What the reader should know before trusting the bars.
    pub warnings: Vec<String>,
}
