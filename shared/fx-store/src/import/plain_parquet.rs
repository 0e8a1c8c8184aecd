//! Parquet files of others: a time stamp, and prices as integer decimals or doubles, found by their columns' names. Quotes
//! have a bid and an ask.

use crate::Error;
use crate::bars_file::ROW_GROUP_ROWS;
use crate::error::guarded;
use crate::import::delimited::whole_volume;
use crate::import::detect::{BarColumns, VOLUME_NAMES, bar_columns, find, is_time_name};
use crate::import::quotes::quote_columns;
use crate::import::source::PARQUET_BYTES_MAX;
use crate::import::stamp::{Stamp, Times, epoch_nanos};
use crate::import::{Flow, Format, Notes, Row, Sink};
use fx_domain::{Bar, Granularity, Ohlc, Price, QuoteSide, UnixNanos};
use parquet::basic::{LogicalType, TimeUnit, Type as Physical};
use parquet::column::reader::ColumnReader;
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::schema::types::ColumnDescriptor;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// Reads all rows, quotes or bars as `granularity` says; answers the one side that the columns name, none when they name none or both.
pub(crate) fn read(
    file: &str,
    granularity: Granularity,
    stream: &mut dyn Read,
    times: &mut Times,
    notes: &mut Notes,
    sink: &mut Sink<'_>,
) -> Result<Option<QuoteSide>, Error> {
    let spooled = spool(file, stream)?;
    guarded(file, || read_spooled(file, granularity, spooled, times, notes, sink))
}

fn read_spooled(
    file: &str,
    granularity: Granularity,
    spooled: File,
    times: &mut Times,
    notes: &mut Notes,
    sink: &mut Sink<'_>,
) -> Result<Option<QuoteSide>, Error> {
    let reader = SerializedFileReader::new(spooled).map_err(Error::parquet(file))?;
    let columns = Columns::of(file, granularity, &reader)?;
    let mut line = 0;
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(Error::parquet(file))?;
        if read_group(file, group.as_ref(), &columns, &mut line, times, notes, sink)? == Flow::Stop {
            break;
        }
    }
    Ok(columns.side)
}

/// Parquet is read from its end: a stream must lie on disk first.
fn spool(file: &str, stream: &mut dyn Read) -> Result<File, Error> {
    let failed = |error| Error::io(file, error);
    let mut spooled = tempfile::tempfile().map_err(failed)?;
    let copied = std::io::copy(&mut stream.take(PARQUET_BYTES_MAX + 1), &mut spooled).map_err(failed)?;
    if copied > PARQUET_BYTES_MAX {
        return Err(Error::Limit { what: file.to_owned(), limit: PARQUET_BYTES_MAX, unit: "bytes" });
    }
    spooled.seek(SeekFrom::Start(0)).map_err(failed)?;
    Ok(spooled)
}

/// How the numbers of a column become nanoseconds or billionths.
#[derive(Clone, Copy, Debug)]
enum Scale {
    /// Multiply.
    Times(i64),
    /// An epoch number of unknown unit.
    Epoch,
    /// A double of a price.
    PriceFloat,
    /// A count.
    Count,
}

/// A column and what its numbers are.
type Column = (usize, Scale);

/// What a row has of prices: columns, or their values.
enum Prices<T> {
    Bars { bid: [T; 4], ask: Option<[T; 4]> },
    Quotes { bid: T, ask: T },
}

struct Columns {
    time: Column,
    prices: Prices<Column>,
    volume: Option<Column>,
    side: Option<QuoteSide>,
}

impl Columns {
    fn of(file: &str, granularity: Granularity, reader: &SerializedFileReader<File>) -> Result<Self, Error> {
        let structure =
            |reason: String| Error::Structure { file: file.to_owned(), format: Format::Parquet, reason };
        let schema = reader.metadata().file_metadata().schema_descr();
        let names: Vec<String> =
            schema.columns().iter().map(|column| column.name().to_ascii_lowercase()).collect();
        if schema.columns().iter().any(|column| column.max_rep_level() > 0) {
            return Err(structure("a column holds lists".to_owned()));
        }
        let time = names.iter().position(|name| is_time_name(name));
        let time = time.ok_or_else(|| structure(format!("no time column among {names:?}")))?;
        let price =
            |index: usize| price_scale(&schema.column(index)).map(|scale| (index, scale)).map_err(structure);
        let time = (time, time_scale(&schema.column(time)).map_err(structure)?);
        let (file, format) = (file.to_owned(), Format::Parquet);
        match (bar_columns(&names), quote_columns(&names), granularity) {
            (Some(_), _, Granularity::Tick) => Err(Error::Bars { file, format }),
            (None, Some((bid, ask)), Granularity::Tick) => {
                let prices = Prices::Quotes { bid: price(bid)?, ask: price(ask)? };
                Ok(Self { time, prices, volume: None, side: None })
            }
            (Some(BarColumns { side, bid, ask }), _, _) => {
                let four =
                    |[a, b, c, d]: [usize; 4]| Ok::<_, Error>([price(a)?, price(b)?, price(c)?, price(d)?]);
                let prices = Prices::Bars { bid: four(bid)?, ask: ask.map(four).transpose()? };
                let volume = find(&names, &VOLUME_NAMES).map(|index| (index, Scale::Count));
                Ok(Self { time, prices, volume, side })
            }
            (None, Some(_), timeframe) => Err(Error::Ticks { file, format, timeframe }),
            (None, None, Granularity::Tick) => Err(structure(format!("no bid and ask among {names:?}"))),
            (None, None, _) => Err(structure(format!("no open, high, low and close among {names:?}"))),
        }
    }
}

fn time_scale(column: &ColumnDescriptor) -> Result<Scale, String> {
    match (column.physical_type(), column.logical_type_ref()) {
        (Physical::INT64, Some(LogicalType::Timestamp(timestamp))) => {
            Ok(Scale::Times(match timestamp.unit {
                TimeUnit::MILLIS => 1_000_000,
                TimeUnit::MICROS => 1_000,
                TimeUnit::NANOS => 1,
            }))
        }
        (Physical::INT64, _) => Ok(Scale::Epoch),
        (other, _) => Err(format!("the time column is {other}, expected a 64-bit time stamp")),
    }
}

fn price_scale(column: &ColumnDescriptor) -> Result<Scale, String> {
    let scale = u32::try_from(column.type_scale()).ok().filter(|scale| *scale <= 9);
    match (column.physical_type(), column.logical_type_ref(), scale) {
        (Physical::DOUBLE, _, _) => Ok(Scale::PriceFloat),
        (Physical::INT32 | Physical::INT64, Some(LogicalType::Decimal(_)), Some(scale)) => {
            Ok(Scale::Times(10_i64.pow(9 - scale)))
        }
        (other, _, _) => Err(format!(
            "the price column {} is {other}, expected a double, or a decimal stored as an integer with at most 9 places",
            column.name()
        )),
    }
}

fn read_group(
    file: &str,
    group: &dyn RowGroupReader,
    columns: &Columns,
    line: &mut u64,
    times: &mut Times,
    notes: &mut Notes,
    sink: &mut Sink<'_>,
) -> Result<Flow, Error> {
    let open = |(index, scale): Column| Values::open(file, group, index, scale);
    let four = |[a, b, c, d]: [Column; 4]| Ok::<_, Error>([open(a)?, open(b)?, open(c)?, open(d)?]);
    let mut time = open(columns.time)?;
    let mut prices = match columns.prices {
        Prices::Bars { bid, ask } => Prices::Bars { bid: four(bid)?, ask: ask.map(four).transpose()? },
        Prices::Quotes { bid, ask } => Prices::Quotes { bid: open(bid)?, ask: open(ask)? },
    };
    let mut volume = columns.volume.map(open).transpose()?;
    loop {
        let rows = time.fill(file, notes)?;
        if rows == 0 {
            return Ok(Flow::Continue);
        }
        for column in prices.iter_mut().chain(volume.iter_mut()) {
            if column.fill(file, notes)? != rows {
                return Err(Error::corrupt(format!(
                    "{file}: columns of one row group have different lengths"
                )));
            }
        }
        for row in 0..rows {
            *line += 1;
            let parsed = bar(row, &time, &prices, volume.as_ref(), times);
            if sink(Row { line: *line, parsed })? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
    }
}

impl Prices<Values> {
    fn iter_mut(&mut self) -> impl Iterator<Item = &mut Values> {
        match self {
            Self::Bars { bid, ask } => {
                bid.iter_mut().chain(ask.iter_mut().flatten()).collect::<Vec<_>>().into_iter()
            }
            Self::Quotes { bid, ask } => vec![bid, ask].into_iter(),
        }
    }
}

fn bar(
    row: usize,
    time: &Values,
    prices: &Prices<Values>,
    volume: Option<&Values>,
    times: &mut Times,
) -> Result<Bar, String> {
    let stamp = Stamp::Instant(UnixNanos::new(time.get(row)?));
    let price = |column: &Values| column.get(row).map(Price::from_nanos);
    let side = |[open, high, low, close]: &[Values; 4]| -> Result<Ohlc, String> {
        Ok(Ohlc { open: price(open)?, high: price(high)?, low: price(low)?, close: price(close)? })
    };
    let time = times.instant(stamp)?;
    match prices {
        Prices::Bars { bid, ask } => Ok(Bar {
            time,
            bid: side(bid)?,
            ask: ask.as_ref().map(side).transpose()?,
            volume: volume.map_or(Ok(0), |volume| volume.get(row))?,
        }),
        Prices::Quotes { bid, ask } => Ok(Bar::tick(time, price(bid)?, price(ask)?)),
    }
}

/// One column of a row group, a batch at a time.
struct Values {
    name: String,
    reader: ColumnReader,
    scale: Scale,
    optional: bool,
    batch: Vec<Option<i64>>,
}

impl Values {
    fn open(file: &str, group: &dyn RowGroupReader, index: usize, scale: Scale) -> Result<Self, Error> {
        let reader = group.get_column_reader(index).map_err(Error::parquet(file))?;
        let column = group.metadata().column(index).column_descr();
        let (name, optional) = (column.name().to_owned(), column.max_def_level() > 0);
        Ok(Self { name, reader, scale, optional, batch: Vec::new() })
    }

    fn get(&self, row: usize) -> Result<i64, String> {
        self.batch[row].ok_or_else(|| format!("{}: missing, not finite, or too large", self.name))
    }

    /// Reads the next batch; its length, 0 at the end.
    fn fill(&mut self, file: &str, notes: &mut Notes) -> Result<usize, Error> {
        let mut levels: Vec<i16> = Vec::new();
        let scale = self.scale;
        let wanted = if self.optional { Some(&mut levels) } else { None };
        let result = match &mut self.reader {
            ColumnReader::Int32ColumnReader(reader) => {
                let mut values: Vec<i32> = Vec::new();
                let read = reader.read_records(ROW_GROUP_ROWS, wanted, None, &mut values);
                read.map(|_| values.into_iter().map(|value| scaled(i64::from(value), scale)).collect())
            }
            ColumnReader::Int64ColumnReader(reader) => {
                let mut values: Vec<i64> = Vec::new();
                let read = reader.read_records(ROW_GROUP_ROWS, wanted, None, &mut values);
                read.map(|_| values.into_iter().map(|value| scaled(value, scale)).collect())
            }
            ColumnReader::DoubleColumnReader(reader) => {
                let mut values: Vec<f64> = Vec::new();
                let read = reader.read_records(ROW_GROUP_ROWS, wanted, None, &mut values);
                read.map(|_| values.into_iter().map(|value| floated(value, scale, notes)).collect())
            }
            _ => Err(parquet::errors::ParquetError::General(format!("column {} has no numbers", self.name))),
        };
        let values: Vec<Option<i64>> = result.map_err(Error::parquet(file))?;
        self.batch = if self.optional {
            let highest = levels.iter().copied().max().unwrap_or(0).max(1);
            let mut present = values.into_iter();
            levels
                .iter()
                .map(|level| if *level == highest { present.next().flatten() } else { None })
                .collect()
        } else {
            values
        };
        Ok(self.batch.len())
    }
}

fn scaled(value: i64, scale: Scale) -> Option<i64> {
    match scale {
        Scale::Times(factor) => value.checked_mul(factor),
        Scale::Epoch => epoch_nanos(value),
        Scale::Count => Some(value),
        Scale::PriceFloat => None,
    }
}

fn floated(value: f64, scale: Scale, notes: &mut Notes) -> Option<i64> {
    match scale {
        Scale::PriceFloat => Price::from_f64(value).map(Price::nanos),
        Scale::Count => whole_volume(value, notes),
        Scale::Times(_) | Scale::Epoch => None,
    }
}
