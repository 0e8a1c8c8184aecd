//! What an import is told.

use crate::Error;
use bytes::Bytes;
use fx_app::records::SeriesKey;
use fx_domain::{Price, QuoteSide};
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Lean hourly and daily quote bars: `YYYYMMDD HH:MM`, bid OHLC, size, ask OHLC, size.
    Lean,
    /// Lean minute quote bars: milliseconds since midnight; the date is in the file's name.
    LeanMinute,
    /// Lean quote ticks: milliseconds since midnight, bid, ask; the date is in the file's name.
    LeanTick,
    /// A header, a delimiter, columns by their names. Exports of backtesting.py and nautilus are of this kind. Of quotes
    /// also without a header: time, bid, ask.
    Csv,
    /// HistData M1: `YYYYMMDD HHMMSS;o;h;l;c;v` or their MetaTrader variant, in EST without daylight saving. Quotes are
    /// `YYYYMMDD HHMMSSmmm,bid,ask,0`.
    HistData,
    /// TrueFX quotes: `EUR/USD,YYYYMMDD HH:MM:SS.mmm,bid,ask`.
    TrueFx,
    /// Dukascopy: `Gmt time,Open,High,Low,Close,Volume` with `DD.MM.YYYY HH:MM:SS.mmm`. Quotes are
    /// `Gmt time,Ask,Bid,AskVolume,BidVolume`.
    Dukascopy,
    /// MetaTrader 4 and 5: `<DATE> <TIME> <OPEN> …` or `YYYY.MM.DD,HH:MM,o,h,l,c,v`, in the broker's server time. Quotes
    /// are `<DATE> <TIME> <BID> <ASK> …`, a price left empty where it is that of the row before.
    MetaTrader,
    /// OANDA v20 candles as JSON.
    Oanda,
    /// Parquet with a time stamp and prices as decimals of 32 or 64 bits, or doubles.
    Parquet,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Lean,
        Self::LeanMinute,
        Self::LeanTick,
        Self::Csv,
        Self::HistData,
        Self::TrueFx,
        Self::Dukascopy,
        Self::MetaTrader,
        Self::Oanda,
        Self::Parquet,
    ];
    /// Their names, for messages.
    pub const LIST: &'static str =
        "lean, lean-minute, lean-tick, csv, histdata, truefx, dukascopy, metatrader, oanda, parquet";

    /// The name that an option gives.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lean => "lean",
            Self::LeanMinute => "lean-minute",
            Self::LeanTick => "lean-tick",
            Self::Csv => "csv",
            Self::HistData => "histdata",
            Self::TrueFx => "truefx",
            Self::Dukascopy => "dukascopy",
            Self::MetaTrader => "metatrader",
            Self::Oanda => "oanda",
            Self::Parquet => "parquet",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|format| format.as_str() == text).ok_or_else(|| Error::Option {
            option: "format",
            reason: format!("`{text}` is not one of {}", Self::LIST),
        })
    }
}

/// Which end of a bar its time names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Label {
    /// The start, as bars are stored.
    #[default]
    Start,
    /// The end: the bar's length is subtracted. Quotes have none.
    End,
}

/// The time zone of a file's times that name none themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct FileZone {
    name: String,
    zone: TimeZone,
}

/// Hours that a fixed offset can be away from UTC, at most.
const OFFSET_HOURS_MAX: i32 = 18;

impl FileZone {
    /// UTC.
    #[must_use]
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }

    /// New York's standard time all the year: the convention of HistData.
    #[must_use]
    pub fn est_without_dst() -> Self {
        Self { name: "UTC-5".to_owned(), zone: TimeZone::fixed(jiff::tz::offset(-5)) }
    }

    /// Reads `UTC`, `UTC-5`, `UTC+05:30`, or an IANA name such as `Europe/Athens` from the bundled data.
    ///
    /// # Errors
    /// [`Error::Option`] for anything else.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let invalid = || Error::Option {
            option: "timezone",
            reason: format!(
                "`{text}` is neither UTC, an offset such as UTC-5, nor a zone such as Europe/Athens"
            ),
        };
        let offset = ["UTC", "utc", "GMT", "gmt"].iter().find_map(|prefix| text.strip_prefix(prefix));
        let zone = match offset {
            Some("") => TimeZone::UTC,
            Some(offset) => TimeZone::fixed(parse_offset(offset).ok_or_else(invalid)?),
            None => TimeZoneDatabase::bundled().get(text).map_err(|_| invalid())?,
        };
        Ok(Self { name: text.to_owned(), zone })
    }

    pub(crate) const fn zone(&self) -> &TimeZone {
        &self.zone
    }
}

/// `+5`, `-05`, `+0530`, `-05:30`.
pub(crate) fn parse_offset(text: &str) -> Option<Offset> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = text.get(1..)?;
    let (hours, minutes) = match (digits.split_once(':'), digits.len()) {
        (Some(parts), _) => parts,
        (None, 4) => digits.split_at_checked(2)?,
        (None, _) => (digits, "0"),
    };
    let number = |part: &str| -> Option<i32> {
        (part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    if hours > OFFSET_HOURS_MAX || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).ok()
}

impl fmt::Display for FileZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The bytes of a file.
#[derive(Clone, Debug)]
pub enum FileContent {
    /// On disk, read as a stream.
    Path(PathBuf),
    /// In memory.
    Bytes(Bytes),
}

/// A file to import.
#[derive(Clone, Debug)]
pub struct ImportFile {
    /// Its name without folders: reports and manifests show it, and some formats keep a date or a side in it.
    pub name: String,
    /// Its bytes.
    pub content: FileContent,
}

impl ImportFile {
    /// The file at `path`, or all files of the folder there, by name: hidden ones and what lies deeper left out.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder cannot be listed.
    pub fn all_at(path: impl Into<PathBuf>) -> Result<Vec<Self>, Error> {
        let path = path.into();
        if !path.is_dir() {
            return Ok(vec![Self::at(path)]);
        }
        let failed = |error| Error::io(&path.display().to_string(), error);
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(failed)? {
            let file = Self::at(entry.map_err(failed)?.path());
            let FileContent::Path(at) = &file.content else { continue };
            if at.is_file() && !file.name.starts_with('.') {
                files.push(file);
            }
        }
        files.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(files)
    }

    /// A file on disk.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let name =
            path.file_name().map_or_else(|| "input".to_owned(), |name| name.to_string_lossy().into_owned());
        Self { name, content: FileContent::Path(path) }
    }

    /// A file in memory.
    #[must_use]
    pub fn of_bytes(name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self { name: name.into(), content: FileContent::Bytes(bytes.into()) }
    }

    /// Its length as it lies there, compressed or not.
    pub(crate) fn length(&self) -> Result<u64, Error> {
        match &self.content {
            FileContent::Path(path) => {
                std::fs::metadata(path).map(|data| data.len()).map_err(|error| Error::io(&self.name, error))
            }
            FileContent::Bytes(bytes) => Ok(bytes.len() as u64),
        }
    }
}

/// What an import should do.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// What the bars are.
    pub series: SeriesKey,
    /// The side of a file that holds one and does not say which. Bid, with a warning, when left out.
    pub side: Option<QuoteSide>,
    /// The zone of times without one; the format's own convention when left out.
    pub zone: Option<FileZone>,
    /// What the times name.
    pub label: Label,
    /// The format; found from the content when left out.
    pub format: Option<Format>,
    /// Make asks of the bids and the file's column of spreads, of which one is worth this much: 0.00001 of a MetaTrader
    /// file with five digits, 1 where spreads are price differences.
    pub spread_unit: Option<Price>,
    /// Store the sound rows of a file that has bad ones.
    pub skip_bad_rows: bool,
}

impl ImportOptions {
    /// Everything found from the content, nothing skipped.
    #[must_use]
    pub const fn new(series: SeriesKey) -> Self {
        Self {
            series,
            side: None,
            zone: None,
            label: Label::Start,
            format: None,
            spread_unit: None,
            skip_bad_rows: false,
        }
    }
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Rows read.
    pub rows: u64,
    /// Bytes of the files read, as they lie there.
    pub bytes_done: u64,
    /// Bytes of all files.
    pub bytes_total: u64,
}
