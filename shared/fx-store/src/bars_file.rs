//! One Parquet object of bars or quotes. Prices are integers of `10^-decimals` with that scale in the DECIMAL logical type, so
//! that pandas, polars and DuckDB read decimals. Settings are fixed here because the bytes are the object's identity.
//!
//! A quote has one price of each side: it is stored as time, bid and ask, and becomes a bar of four equal prices when it
//! is read.

use crate::Error;
use crate::error::guarded;
use fx_domain::{
    Bar, Bars, Digest, Granularity, Ohlc, OhlcColumns, Price, QuoteColumns, QuoteSide, TimeOrder, UnixNanos,
};
use parquet::basic::{Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::column::reader::ColumnReader;
use parquet::data_type::{DataType, Int32Type, Int64Type};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{ChunkReader, FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{PrimitiveTypeBuilder, Type, TypePtr};
use std::ops::Range;
use std::sync::Arc;

/// Bars in one row group, the unit that a range of time is read by.
pub const ROW_GROUP_ROWS: usize = 131_072;
/// Bars in one object, at most; a year with more is cut into several. At 80 bytes a bar uncompressed this stays
/// below the blob limit.
pub const OBJECT_ROWS_MAX: usize = 8 * ROW_GROUP_ROWS;
/// The highest price that can be stored, in billionths: 18 decimal digits, what DECIMAL holds in 64 bits.
pub const PRICE_NANOS_MAX: i64 = 999_999_999_999_999_999;
/// The highest count of ticks that a 32-bit DECIMAL column holds.
const NARROW_TICKS_MAX: i64 = 999_999_999;
/// The writer's name inside the file. Not the library's version: an upgrade that writes the same pages should give
/// the same bytes.
const CREATED_BY: &str = "fx-store 1";
const ZSTD_LEVEL: i32 = 3;

/// Which columns the rows of a version have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Open, high, low and close of one side, and a volume.
    OneSide(QuoteSide),
    /// The same of bid and ask.
    BothSides,
    /// Bid and ask.
    Quotes,
}

impl Shape {
    /// The shape of a series; none for quotes of one side, which are not stored.
    pub(crate) const fn of(granularity: Granularity, side: Option<QuoteSide>) -> Option<Self> {
        match (granularity, side) {
            (Granularity::Tick, None) => Some(Self::Quotes),
            (Granularity::Tick, Some(_)) => None,
            (_, Some(side)) => Some(Self::OneSide(side)),
            (_, None) => Some(Self::BothSides),
        }
    }

    /// The one stored side, none for both.
    pub(crate) const fn side(self) -> Option<QuoteSide> {
        match self {
            Self::OneSide(side) => Some(side),
            Self::BothSides | Self::Quotes => None,
        }
    }

    /// No rows of this shape.
    pub(crate) fn empty(self) -> Bars {
        Bars::empty(self.side())
    }

    /// No rows of this shape, with room for `rows`.
    pub(crate) fn with_capacity(self, rows: usize) -> Bars {
        let side = || OhlcColumns::with_capacity(rows);
        let quotes = match self.side() {
            Some(only) => QuoteColumns::One { side: only, ohlc: side() },
            None => QuoteColumns::Both { bid: side(), ask: side() },
        };
        Bars { times: Vec::with_capacity(rows), volume: Vec::with_capacity(rows), quotes, ..self.empty() }
    }

    const fn price_columns(self) -> &'static [&'static str] {
        match self {
            Self::OneSide(_) => &["open", "high", "low", "close"],
            Self::BothSides => &[
                "bid_open",
                "bid_high",
                "bid_low",
                "bid_close",
                "ask_open",
                "ask_high",
                "ask_low",
                "ask_close",
            ],
            Self::Quotes => &["bid", "ask"],
        }
    }

    const fn has_volume(self) -> bool {
        !matches!(self, Self::Quotes)
    }
}

/// What all objects of a version have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    /// Its columns.
    pub(crate) shape: Shape,
    /// Decimals of a stored price, 0 to 9.
    pub(crate) decimals: u32,
    /// Whether prices need 64 bits.
    pub(crate) wide: bool,
    /// Whether times need nanoseconds, not microseconds.
    pub(crate) nanos: bool,
}

/// What rows need of a [`Form`], gathered one by one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FormNeeds {
    decimals: u32,
    highest_nanos: i64,
    nanos: bool,
}

impl FormNeeds {
    pub(crate) fn add_time(&mut self, time: UnixNanos) {
        self.nanos |= time.get() % 1_000 != 0;
    }

    pub(crate) fn add_price(&mut self, price: Price) {
        self.highest_nanos = self.highest_nanos.max(price.nanos());
        while self.decimals < 9 && price.nanos() % tick_nanos(self.decimals) != 0 {
            self.decimals += 1;
        }
    }

    /// Decimals that the prices use.
    pub(crate) const fn decimals(&self) -> u32 {
        self.decimals
    }

    /// The narrowest form that holds all rows, with at least `decimals_min` decimals.
    pub(crate) fn form(&self, shape: Shape, decimals_min: u32) -> Form {
        let decimals = self.decimals.max(decimals_min).min(9);
        let wide = self.highest_nanos / tick_nanos(decimals) > NARROW_TICKS_MAX;
        Form { shape, decimals, wide, nanos: self.nanos }
    }
}

/// Billionths in one step of a price with `decimals` decimals.
const fn tick_nanos(decimals: u32) -> i64 {
    10_i64.pow(9 - decimals)
}

/// Where one row group lies in an object.
#[derive(Clone, Debug)]
pub(crate) struct GroupSpan {
    pub(crate) bytes: Range<usize>,
    pub(crate) rows: usize,
    pub(crate) first: UnixNanos,
    pub(crate) last: UnixNanos,
}

/// A finished object.
#[derive(Debug)]
pub(crate) struct EncodedObject {
    pub(crate) bytes: Vec<u8>,
    pub(crate) groups: Vec<GroupSpan>,
}

impl EncodedObject {
    /// Where the footer begins: right behind the last row group.
    pub(crate) fn footer_start(&self) -> usize {
        self.groups.last().map_or(0, |group| group.bytes.end)
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }
}

/// Writes one object, row group by row group.
pub(crate) struct ObjectWriter {
    form: Form,
    writer: SerializedFileWriter<Vec<u8>>,
    groups: Vec<GroupSpan>,
}

impl ObjectWriter {
    pub(crate) fn new(form: Form) -> Result<Self, Error> {
        let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(Error::parquet("the compression level"))?;
        let properties = WriterProperties::builder()
            .set_created_by(CREATED_BY.to_owned())
            .set_dictionary_enabled(false)
            .set_encoding(Encoding::DELTA_BINARY_PACKED)
            .set_compression(Compression::ZSTD(level))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_data_page_row_count_limit(ROW_GROUP_ROWS)
            .build();
        let schema = schema(form).map_err(Error::parquet("the schema of bars"))?;
        let writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))
            .map_err(Error::parquet("an object of bars"))?;
        Ok(Self { form, writer, groups: Vec::new() })
    }

    /// Adds one row group of 1 to [`ROW_GROUP_ROWS`] bars that the form holds.
    pub(crate) fn write_group(&mut self, bars: &Bars) -> Result<(), Error> {
        let (Some(first), Some(last)) = (bars.times.first(), bars.times.last()) else { return Ok(()) };
        assert!(bars.len() <= ROW_GROUP_ROWS, "a row group of {} bars is over the limit", bars.len());
        let start = self.writer.bytes_written();
        let form = self.form;
        let mut write = || {
            let mut group = self.writer.next_row_group()?;
            let divisor = if form.nanos { 1 } else { 1_000 };
            let times: Vec<i64> = bars.times.iter().map(|time| time.get() / divisor).collect();
            write_column::<Int64Type>(&mut group, &times)?;
            match &bars.quotes {
                QuoteColumns::One { ohlc, .. } => write_side(&mut group, ohlc, form)?,
                QuoteColumns::Both { bid, ask } => {
                    write_side(&mut group, bid, form)?;
                    write_side(&mut group, ask, form)?;
                }
            }
            if form.shape.has_volume() {
                write_column::<Int64Type>(&mut group, &bars.volume)?;
            }
            group.close().map(|_| ())
        };
        write().map_err(Error::parquet("a row group of bars"))?;
        let bytes = start..self.writer.bytes_written();
        self.groups.push(GroupSpan { bytes, rows: bars.len(), first: *first, last: *last });
        Ok(())
    }

    pub(crate) fn rows(&self) -> usize {
        self.groups.iter().map(|group| group.rows).sum()
    }

    pub(crate) fn finish(self) -> Result<EncodedObject, Error> {
        let bytes = self.writer.into_inner().map_err(Error::parquet("an object of bars"))?;
        Ok(EncodedObject { bytes, groups: self.groups })
    }
}

fn write_side(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    side: &OhlcColumns,
    form: Form,
) -> parquet::errors::Result<()> {
    let tick = tick_nanos(form.decimals);
    let four = [&side.open, &side.high, &side.low, &side.close];
    let columns = if form.shape == Shape::Quotes {
        assert!(four.iter().all(|column| *column == four[0]), "a quote has one price of each side");
        &four[..1]
    } else {
        &four
    };
    for column in columns {
        if form.wide {
            let ticks: Vec<i64> = column.iter().map(|price| price.nanos() / tick).collect();
            write_column::<Int64Type>(group, &ticks)?;
        } else {
            // The form is narrow only when every count of ticks is at most NARROW_TICKS_MAX.
            let ticks: Vec<i32> = column.iter().map(|price| (price.nanos() / tick) as i32).collect();
            write_column::<Int32Type>(group, &ticks)?;
        }
    }
    Ok(())
}

fn write_column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[T::T],
) -> parquet::errors::Result<()> {
    let missing = || parquet::errors::ParquetError::General("more columns than the schema has".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()
}

fn schema(form: Form) -> parquet::errors::Result<TypePtr> {
    fn required(name: &str, physical: Physical) -> PrimitiveTypeBuilder<'_> {
        Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED)
    }
    let unit = if form.nanos { TimeUnit::NANOS } else { TimeUnit::MICROS };
    let timestamp = LogicalType::timestamp(true, unit);
    let mut fields =
        vec![Arc::new(required("timestamp", Physical::INT64).with_logical_type(Some(timestamp)).build()?)];
    let (physical, precision) = if form.wide { (Physical::INT64, 18) } else { (Physical::INT32, 9) };
    let scale = form.decimals as i32;
    for name in form.shape.price_columns() {
        let column = required(name, physical)
            .with_logical_type(Some(LogicalType::decimal(scale, precision)))
            .with_precision(precision)
            .with_scale(scale);
        fields.push(Arc::new(column.build()?));
    }
    if form.shape.has_volume() {
        fields.push(Arc::new(required("volume", Physical::INT64).build()?));
    }
    Type::group_type_builder("bars").with_fields(fields).build().map(Arc::new)
}

/// Appends row groups `groups` of an object to `into`, which has the sides of `shape`. `shape` and `decimals` are what
/// the manifest says.
pub(crate) fn decode_groups<R: ChunkReader + 'static>(
    reader: R,
    groups: Range<usize>,
    (shape, decimals): (Shape, u32),
    into: &mut Bars,
) -> Result<(), Error> {
    let file = SerializedFileReader::new(reader).map_err(Error::parquet("an object of bars"))?;
    let layout = Layout::of(&file, shape, decimals)?;
    let mut scratch = Scratch::default();
    for index in groups {
        let group = file.get_row_group(index).map_err(Error::parquet("a row group of bars"))?;
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(usize::MAX);
        if rows > ROW_GROUP_ROWS {
            return Err(Error::corrupt(format!("a row group of bars has {rows} rows")));
        }
        layout
            .read(group.as_ref(), rows, into, &mut scratch)
            .map_err(Error::parquet("a row group of bars"))?;
    }
    Ok(())
}

/// How the columns of an object are turned into nanoseconds and billionths.
struct Layout {
    shape: Shape,
    nanos_per_time: i64,
    nanos_per_tick: i64,
}

#[derive(Default)]
struct Scratch {
    narrow: Vec<i32>,
    wide: Vec<i64>,
}

impl Layout {
    fn of<R: ChunkReader + 'static>(
        file: &SerializedFileReader<R>,
        shape: Shape,
        decimals: u32,
    ) -> Result<Self, Error> {
        let schema = file.metadata().file_metadata().schema_descr();
        let names: Vec<&str> = schema.columns().iter().map(|column| column.name()).collect();
        let prices = shape.price_columns();
        let volume = shape.has_volume().then_some("volume");
        let expected: Vec<&str> =
            std::iter::once("timestamp").chain(prices.iter().copied()).chain(volume).collect();
        let scale_is_right = |index: usize| schema.column(index).type_scale() == decimals as i32;
        let required = schema.columns().iter().all(|column| column.max_def_level() == 0);
        if names != expected || !required || decimals > 9 || !(1..=prices.len()).all(scale_is_right) {
            return Err(Error::corrupt(format!("an object of bars has columns {names:?} of another form")));
        }
        let nanos_per_time = match schema.column(0).logical_type_ref() {
            Some(LogicalType::Timestamp(timestamp)) if timestamp.unit == TimeUnit::NANOS => 1,
            Some(LogicalType::Timestamp(timestamp)) if timestamp.unit == TimeUnit::MICROS => 1_000,
            _ => return Err(Error::corrupt("an object of bars has no time stamps")),
        };
        Ok(Self { shape, nanos_per_time, nanos_per_tick: tick_nanos(decimals) })
    }

    fn read(
        &self,
        group: &dyn RowGroupReader,
        rows: usize,
        into: &mut Bars,
        scratch: &mut Scratch,
    ) -> parquet::errors::Result<()> {
        let broken = |what: &str| parquet::errors::ParquetError::General(what.to_owned());
        read_i64(group, 0, rows, scratch)?;
        for value in &scratch.wide {
            let nanos = value.checked_mul(self.nanos_per_time).ok_or_else(|| broken("a time overflows"))?;
            into.times.push(UnixNanos::new(nanos));
        }
        let sides: &mut [&mut OhlcColumns] = match &mut into.quotes {
            QuoteColumns::One { ohlc, .. } => &mut [ohlc],
            QuoteColumns::Both { bid, ask } => &mut [bid, ask],
        };
        let mut column = 1;
        for side in sides {
            if self.shape == Shape::Quotes {
                self.read_prices(group, column, rows, &mut side.open, scratch)?;
                let prices = &side.open[side.open.len() - rows..];
                for copy in [&mut side.high, &mut side.low, &mut side.close] {
                    copy.extend_from_slice(prices);
                }
                column += 1;
                continue;
            }
            for prices in [&mut side.open, &mut side.high, &mut side.low, &mut side.close] {
                self.read_prices(group, column, rows, prices, scratch)?;
                column += 1;
            }
        }
        if self.shape.has_volume() {
            read_i64(group, column, rows, scratch)?;
            into.volume.extend_from_slice(&scratch.wide);
        } else {
            into.volume.resize(into.times.len(), 0);
        }
        Ok(())
    }

    fn read_prices(
        &self,
        group: &dyn RowGroupReader,
        column: usize,
        rows: usize,
        prices: &mut Vec<Price>,
        scratch: &mut Scratch,
    ) -> parquet::errors::Result<()> {
        if group.metadata().column(column).column_type() == Physical::INT32 {
            scratch.narrow.clear();
            let ColumnReader::Int32ColumnReader(mut reader) = group.get_column_reader(column)? else {
                return Err(parquet::errors::ParquetError::General("a price column changed its type".into()));
            };
            let (read, _, _) = reader.read_records(rows, None, None, &mut scratch.narrow)?;
            check_count(read, rows)?;
            // At most 2³¹ · 10⁹: always fits.
            prices.extend(
                scratch.narrow.iter().map(|ticks| Price::from_nanos(i64::from(*ticks) * self.nanos_per_tick)),
            );
        } else {
            read_i64(group, column, rows, scratch)?;
            for ticks in &scratch.wide {
                let nanos = ticks
                    .checked_mul(self.nanos_per_tick)
                    .ok_or_else(|| parquet::errors::ParquetError::General("a price overflows".to_owned()))?;
                prices.push(Price::from_nanos(nanos));
            }
        }
        Ok(())
    }
}

fn read_i64(
    group: &dyn RowGroupReader,
    column: usize,
    rows: usize,
    scratch: &mut Scratch,
) -> parquet::errors::Result<()> {
    scratch.wide.clear();
    let ColumnReader::Int64ColumnReader(mut reader) = group.get_column_reader(column)? else {
        return Err(parquet::errors::ParquetError::General(format!("column {column} is not of 64 bits")));
    };
    let (read, _, _) = reader.read_records(rows, None, None, &mut scratch.wide)?;
    check_count(read, rows)
}

fn check_count(read: usize, rows: usize) -> parquet::errors::Result<()> {
    if read == rows {
        Ok(())
    } else {
        Err(parquet::errors::ParquetError::General(format!("a column has {read} of {rows} values")))
    }
}

/// Bars of `granularity` as one Parquet file, with at least `decimals_min` decimals. The bars are those of
/// [`Bars::check`], quotes those of [`Bar::tick`].
///
/// # Errors
/// [`Error::Corrupt`] for a bar that cannot be stored: unusable, or a price above [`PRICE_NANOS_MAX`].
pub fn encode_bars(bars: &Bars, granularity: Granularity, decimals_min: u32) -> Result<Vec<u8>, Error> {
    let side = match &bars.quotes {
        QuoteColumns::One { side, .. } => Some(*side),
        QuoteColumns::Both { .. } => None,
    };
    let shape = Shape::of(granularity, side).ok_or_else(one_sided_quotes)?;
    check(bars, granularity.time_order())?;
    let mut needs = FormNeeds::default();
    for index in 0..bars.len() {
        let bar = bars.get(index);
        if shape == Shape::Quotes && !is_quote(&bar) {
            return Err(Error::corrupt(format!("row {index} is not a quote: one price of each side")));
        }
        needs.add_time(bar.time);
        for side in std::iter::once(bar.bid).chain(bar.ask) {
            if side.high.nanos() > PRICE_NANOS_MAX {
                return Err(Error::corrupt(format!("bar {index}: the price {} is too high", side.high)));
            }
            [side.open, side.high, side.low, side.close].into_iter().for_each(|price| needs.add_price(price));
        }
    }
    let mut writer = ObjectWriter::new(needs.form(shape, decimals_min))?;
    for start in (0..bars.len()).step_by(ROW_GROUP_ROWS) {
        writer.write_group(&bars.slice(start..bars.len().min(start + ROW_GROUP_ROWS)))?;
    }
    Ok(writer.finish()?.bytes)
}

fn is_quote(bar: &Bar) -> bool {
    let flat = |side: Ohlc| side == Ohlc::flat(side.open);
    flat(bar.bid) && bar.ask.is_some_and(flat) && bar.volume == 0
}

pub(crate) fn one_sided_quotes() -> Error {
    Error::corrupt("quotes of one side are not a series")
}

fn check(bars: &Bars, order: TimeOrder) -> Result<(), Error> {
    bars.check(order).map_err(|(index, fault)| Error::corrupt(format!("bar {index}: {fault}")))
}

/// Reads a file of [`encode_bars`]. `granularity` and `side` are not in the file: they are the manifest's.
///
/// # Errors
/// [`Error::Parquet`] and [`Error::Corrupt`] for other bytes.
pub fn decode_bars(
    bytes: bytes::Bytes,
    granularity: Granularity,
    side: Option<QuoteSide>,
) -> Result<Bars, Error> {
    let shape = Shape::of(granularity, side).ok_or_else(one_sided_quotes)?;
    guarded("a file of bars", || {
        let bars = decode_unchecked(bytes, shape)?;
        check(&bars, granularity.time_order())?;
        Ok(bars)
    })
}

fn decode_unchecked(bytes: bytes::Bytes, shape: Shape) -> Result<Bars, Error> {
    let file = SerializedFileReader::new(bytes.clone()).map_err(Error::parquet("a file of bars"))?;
    let schema = file.metadata().file_metadata().schema_descr();
    if schema.num_columns() < 2 {
        return Err(Error::corrupt("a file of bars has no price column"));
    }
    let decimals = u32::try_from(schema.column(1).type_scale()).unwrap_or(u32::MAX);
    let mut bars = shape.empty();
    decode_groups(bytes, 0..file.num_row_groups(), (shape, decimals), &mut bars)?;
    Ok(bars)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn ohlc(low: i64, [a, b, c]: [i64; 3], tick: i64) -> Ohlc {
        let price = |ticks: i64| Price::from_nanos(ticks * tick);
        Ohlc { open: price(low + a), high: price(low + a + b + c), low: price(low), close: price(low + b) }
    }

    /// Any sound bars, one or two sides, of any precision.
    fn any_bars() -> impl Strategy<Value = Bars> {
        let row = (
            1..1_000_000_000_000_i64,
            1..900_000_000_i64,
            [0..9_999_i64, 0..9_999, 0..9_999],
            0..50_i64,
            0..i64::MAX,
        );
        let rows = proptest::collection::vec(row, 0..60);
        (rows, prop_oneof![Just(1_i64), Just(10), Just(1_000), Just(10_000)], any::<bool>(), any::<bool>())
            .prop_map(|(rows, tick, both, coarse)| {
                let mut bars = Bars::empty((!both).then_some(QuoteSide::Mid));
                let mut time = -5_000_000_000_000_i64;
                for (step, low, shape, spread, volume) in rows {
                    time += if coarse { step * 1_000 } else { step };
                    let ask = both.then(|| ohlc(low + spread, shape, tick));
                    bars.push(Bar { time: UnixNanos::new(time), bid: ohlc(low, shape, tick), ask, volume });
                }
                bars
            })
    }

    fn side_of(bars: &Bars) -> Option<QuoteSide> {
        match &bars.quotes {
            QuoteColumns::One { side, .. } => Some(*side),
            QuoteColumns::Both { .. } => None,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn bars_are_read_back_as_they_were(bars in any_bars()) {
            let bytes = Bytes::from(encode_bars(&bars, Granularity::H1, 5).unwrap());
            prop_assert_eq!(&bytes, &encode_bars(&bars, Granularity::H1, 5).unwrap());
            prop_assert_eq!(decode_bars(bytes, Granularity::H1, side_of(&bars)).unwrap(), bars);
        }

        #[test]
        fn quotes_are_read_back_as_they_were_also_those_of_one_instant(
            rows in proptest::collection::vec((0..3_i64, 1..2_000_000_000_i64, 0..50_i64), 0..60),
            tick in prop_oneof![Just(1_i64), Just(10_000)],
        ) {
            let mut quotes = Bars::empty(None);
            let mut time = -30_i64;
            for (step, bid, spread) in rows {
                time += step;
                let price = |ticks: i64| Price::from_nanos(ticks * tick);
                quotes.push(Bar::tick(UnixNanos::new(time), price(bid), price(bid + spread)));
            }
            let bytes = Bytes::from(encode_bars(&quotes, Granularity::Tick, 5).unwrap());
            prop_assert_eq!(decode_bars(bytes.clone(), Granularity::Tick, None).unwrap(), quotes);
            prop_assert!(decode_bars(bytes, Granularity::M1, None).is_err());
        }

        #[test]
        fn other_bytes_are_an_error(bytes: Vec<u8>) {
            prop_assert!(decode_bars(Bytes::from(bytes), Granularity::H1, Some(QuoteSide::Bid)).is_err());
        }
    }

    #[test]
    fn a_price_of_more_digits_than_fit_is_refused() {
        let mut bars = Bars::empty(Some(QuoteSide::Bid));
        let bid = Ohlc::flat(Price::from_nanos(PRICE_NANOS_MAX + 1));
        bars.push(Bar { time: UnixNanos::new(0), bid, ask: None, volume: 0 });
        assert!(matches!(encode_bars(&bars, Granularity::H1, 5), Err(Error::Corrupt { .. })));
    }

    #[test]
    fn what_is_not_a_quote_of_two_sides_is_not_stored_as_one() {
        let price = Price::from_nanos;
        let quote = Bar::tick(UnixNanos::new(5), price(7), price(8));
        let wide = Ohlc { high: price(9), ..Ohlc::flat(price(8)) };
        for bad in [Bar { ask: Some(wide), ..quote }, Bar { volume: 1, ..quote }] {
            let mut bars = Bars::empty(None);
            bars.push(bad);
            assert!(matches!(encode_bars(&bars, Granularity::Tick, 5), Err(Error::Corrupt { .. })));
            assert!(encode_bars(&bars, Granularity::M1, 5).is_ok());
        }
        let mut one_sided = Bars::empty(Some(QuoteSide::Bid));
        one_sided.push(quote);
        assert!(matches!(encode_bars(&one_sided, Granularity::Tick, 5), Err(Error::Corrupt { .. })));
    }
}
