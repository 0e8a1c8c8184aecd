//! Small typed tables as Parquet: results and features.

use crate::Error;
use crate::bars_file::ROW_GROUP_ROWS;
use bytes::Bytes;
use parquet::basic::{Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::column::reader::ColumnReader;
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, Type, TypePtr};
use std::ops::Range;
use std::sync::Arc;

/// What a 64-bit column means to its readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A plain signed number.
    Signed,
    /// A count, kept as the same 64 bits.
    Unsigned,
    /// Nanoseconds since 1970, UTC.
    Timestamp,
    /// A decimal with this many places.
    Decimal(i32),
}

/// The values of one column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    Integer(Meaning, Vec<i64>),
    Number(Vec<f64>),
    Bool(Vec<bool>),
    Text(Vec<&'static str>),
    Owned(Vec<String>),
    OptionalInteger(Meaning, Vec<Option<i64>>),
    OptionalBool(Vec<Option<bool>>),
    OptionalText(Vec<Option<&'static str>>),
    OptionalOwned(Vec<Option<String>>),
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Integer(_, values) => values.len(),
            Self::OptionalInteger(_, values) => values.len(),
            Self::Number(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::OptionalBool(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::OptionalText(values) => values.len(),
            Self::Owned(values) => values.len(),
            Self::OptionalOwned(values) => values.len(),
        }
    }

    const fn meaning(&self) -> Option<Meaning> {
        match self {
            Self::Integer(meaning, _) | Self::OptionalInteger(meaning, _) => Some(*meaning),
            _ => None,
        }
    }

    fn field(&self, name: &str) -> parquet::errors::Result<Type> {
        let logical = match self.meaning() {
            Some(Meaning::Signed) => None,
            Some(Meaning::Unsigned) => Some(LogicalType::integer(64, false)),
            Some(Meaning::Timestamp) => Some(LogicalType::timestamp(true, TimeUnit::NANOS)),
            Some(Meaning::Decimal(scale)) => Some(LogicalType::decimal(scale, DECIMAL_PRECISION)),
            None if matches!(self, Self::Number(_) | Self::Bool(_) | Self::OptionalBool(_)) => None,
            None => Some(LogicalType::String),
        };
        let (physical, repetition) = match self {
            Self::Integer(..) => (Physical::INT64, Repetition::REQUIRED),
            Self::OptionalInteger(..) => (Physical::INT64, Repetition::OPTIONAL),
            Self::Number(_) => (Physical::DOUBLE, Repetition::REQUIRED),
            Self::Bool(_) => (Physical::BOOLEAN, Repetition::REQUIRED),
            Self::OptionalBool(_) => (Physical::BOOLEAN, Repetition::OPTIONAL),
            Self::Text(_) | Self::Owned(_) => (Physical::BYTE_ARRAY, Repetition::REQUIRED),
            Self::OptionalText(_) | Self::OptionalOwned(_) => (Physical::BYTE_ARRAY, Repetition::OPTIONAL),
        };
        let builder = Type::primitive_type_builder(name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical);
        match self.meaning() {
            Some(Meaning::Decimal(scale)) => {
                builder.with_precision(DECIMAL_PRECISION).with_scale(scale).build()
            }
            _ => builder.build(),
        }
    }

    fn write(&self, group: &mut SerializedRowGroupWriter<'_, Vec<u8>>) -> parquet::errors::Result<()> {
        let missing = || ParquetError::General("more columns than the schema has".to_owned());
        let mut column = group.next_column()?.ok_or_else(missing)?;
        let text = |value: &str| ByteArray::from(value.as_bytes().to_vec());
        match self {
            Self::Integer(_, values) => {
                column.typed::<Int64Type>().write_batch(values, None, None)?;
            }
            Self::OptionalInteger(_, values) => {
                let (present, levels) = present(values, |value| *value);
                column.typed::<Int64Type>().write_batch(&present, Some(&levels), None)?;
            }
            Self::Number(values) => {
                column.typed::<DoubleType>().write_batch(values, None, None)?;
            }
            Self::Bool(values) => {
                column.typed::<BoolType>().write_batch(values, None, None)?;
            }
            Self::OptionalBool(values) => {
                let (present, levels) = present(values, |value| *value);
                column.typed::<BoolType>().write_batch(&present, Some(&levels), None)?;
            }
            Self::OptionalText(values) => {
                let (present, levels) = present(values, |value| text(value));
                column.typed::<ByteArrayType>().write_batch(&present, Some(&levels), None)?;
            }
            Self::OptionalOwned(values) => {
                let (present, levels) = present(values, |value| text(value));
                column.typed::<ByteArrayType>().write_batch(&present, Some(&levels), None)?;
            }
            Self::Text(values) => {
                let values: Vec<ByteArray> = values.iter().map(|value| text(value)).collect();
                column.typed::<ByteArrayType>().write_batch(&values, None, None)?;
            }
            Self::Owned(values) => {
                let values: Vec<ByteArray> = values.iter().map(|value| text(value)).collect();
                column.typed::<ByteArrayType>().write_batch(&values, None, None)?;
            }
        }
        column.close()
    }
}

/// The values that are there, and of each row whether its value is: what Parquet stores of an optional column.
fn present<T, U>(values: &[Option<T>], value: impl Fn(&T) -> U) -> (Vec<U>, Vec<i16>) {
    let levels = values.iter().map(|value| i16::from(value.is_some())).collect();
    (values.iter().flatten().map(value).collect(), levels)
}

/// Digits of a 64-bit DECIMAL.
const DECIMAL_PRECISION: i32 = 18;
const CREATED_BY: &str = "fx-store 1";
const ZSTD_LEVEL: i32 = 3;

/// Columns of one length, by name.
pub(crate) type Columns = Vec<(&'static str, Values)>;

/// Writes a table, row group by row group.
pub(crate) struct TableWriter {
    writer: SerializedFileWriter<Vec<u8>>,
    rows: usize,
}

impl TableWriter {
    /// A table with the columns of `like`, none of whose rows it takes, and the key-value pairs `notes`.
    pub(crate) fn new(like: &Columns, notes: &[(&str, &str)]) -> Result<Self, Error> {
        let build = || {
            let fields = like.iter().map(|(name, values)| values.field(name).map(Arc::new));
            let fields: Vec<TypePtr> = fields.collect::<parquet::errors::Result<_>>()?;
            let schema = Arc::new(Type::group_type_builder("table").with_fields(fields).build()?);
            SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties(like, notes)?))
        };
        let writer = build().map_err(Error::parquet("a result table"))?;
        Ok(Self { writer, rows: 0 })
    }

    /// Adds one row group of at most [`ROW_GROUP_ROWS`] rows.
    pub(crate) fn write(&mut self, columns: &Columns) -> Result<(), Error> {
        let rows = columns.first().map_or(0, |(_, values)| values.len());
        let one_length = columns.iter().all(|(_, values)| values.len() == rows);
        assert!(
            one_length && rows <= ROW_GROUP_ROWS,
            "a row group has columns of one length, within its limit"
        );
        if rows == 0 {
            return Ok(());
        }
        let mut write = || {
            let mut group = self.writer.next_row_group()?;
            for (_, values) in columns {
                values.write(&mut group)?;
            }
            group.close().map(|_| ())
        };
        write().map_err(Error::parquet("a result table"))?;
        self.rows += rows;
        Ok(())
    }

    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of the row groups so far.
    pub(crate) fn bytes(&self) -> usize {
        self.writer.bytes_written()
    }

    pub(crate) fn finish(self) -> Result<Bytes, Error> {
        self.writer.into_inner().map(Bytes::from).map_err(Error::parquet("a result table"))
    }
}

fn properties(columns: &Columns, notes: &[(&str, &str)]) -> parquet::errors::Result<WriterProperties> {
    let notes = notes.iter().map(|(key, value)| KeyValue::new((*key).to_owned(), (*value).to_owned()));
    let properties = WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_key_value_metadata(Some(notes.collect()));
    let numbers = columns.iter().filter(|(_, values)| values.meaning().is_some());
    Ok(numbers
        .fold(properties, |properties, (name, _)| {
            let path = ColumnPath::from(*name);
            properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED)
        })
        .build())
}

/// Tables of the same columns as one, row groups copied as they are; the notes are the first one's.
pub(crate) fn joined(tables: &[Bytes]) -> Result<Bytes, Error> {
    let join = || {
        let mut writer: Option<SerializedFileWriter<Vec<u8>>> = None;
        for table in tables {
            let file = SerializedFileReader::new(table.clone())?;
            let metadata = file.metadata();
            if writer.is_none() {
                let properties = WriterProperties::builder()
                    .set_created_by(CREATED_BY.to_owned())
                    .set_offset_index_disabled(true)
                    .set_key_value_metadata(metadata.file_metadata().key_value_metadata().cloned());
                let schema = metadata.file_metadata().schema_descr().root_schema_ptr();
                writer = Some(SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties.build()))?);
            }
            let Some(writer) = &mut writer else { continue };
            for group in metadata.row_groups() {
                let mut copy = writer.next_row_group()?;
                for column in group.columns() {
                    let close = ColumnCloseResult {
                        bytes_written: column.compressed_size().cast_unsigned(),
                        rows_written: group.num_rows().cast_unsigned(),
                        metadata: column.clone(),
                        bloom_filter: None,
                        column_index: None,
                        offset_index: None,
                    };
                    copy.append_column(table, close)?;
                }
                copy.close()?;
            }
        }
        writer.map_or_else(|| Err(wrong_type()), SerializedFileWriter::into_inner)
    };
    join().map(Bytes::from).map_err(Error::parquet("a result table"))
}

/// A stretch of a table that is being read.
pub(crate) struct Table {
    file: SerializedFileReader<Bytes>,
    rows: Range<usize>,
}

impl Table {
    /// The rows of the table that are in `rows`.
    pub(crate) fn open(bytes: Bytes, rows: Range<usize>) -> Result<Self, Error> {
        let file = SerializedFileReader::new(bytes).map_err(Error::parquet("a result table"))?;
        let all = file.metadata().file_metadata().num_rows();
        let all = usize::try_from(all).map_err(|_| Error::corrupt("a result table has a negative length"))?;
        let end = rows.end.min(all);
        Ok(Self { file, rows: rows.start.min(end)..end })
    }

    /// How many rows it has.
    pub(crate) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is a column of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        let schema = self.file.metadata().file_metadata().schema_descr();
        schema.columns().iter().any(|column| column.name() == name)
    }

    fn column<T>(
        &self,
        name: &str,
        mut read: impl FnMut(ColumnReader, usize, &mut Vec<T>) -> parquet::errors::Result<()>,
    ) -> Result<Vec<T>, Error> {
        let schema = self.file.metadata().file_metadata().schema_descr();
        let index = schema.columns().iter().position(|column| column.name() == name);
        let index = index.ok_or_else(|| Error::corrupt(format!("a result table has no column {name}")))?;
        let mut values = Vec::new();
        let (mut first, mut start) = (0, None);
        for group in 0..self.file.num_row_groups() {
            let group = self.file.get_row_group(group).map_err(Error::parquet("a result table"))?;
            let rows = group.metadata().num_rows();
            let rows =
                usize::try_from(rows).map_err(|_| Error::corrupt("a row group has a negative length"))?;
            if first < self.rows.end && first + rows > self.rows.start {
                start.get_or_insert(first);
                let reader = group.get_column_reader(index).map_err(Error::parquet("a result table"))?;
                read(reader, rows, &mut values).map_err(Error::parquet(name))?;
            }
            first += rows;
        }
        values.drain(..(self.rows.start - start.unwrap_or(self.rows.start)).min(values.len()));
        values.truncate(self.rows.len());
        if values.len() == self.rows.len() {
            Ok(values)
        } else {
            Err(Error::corrupt(format!("column {name} has {} of {} values", values.len(), self.rows.len())))
        }
    }

    pub(crate) fn integers(&self, name: &str) -> Result<Vec<i64>, Error> {
        self.column(name, |reader, rows, values| match reader {
            ColumnReader::Int64ColumnReader(mut reader) => {
                reader.read_records(rows, None, None, values).map(|_| ())
            }
            _ => Err(wrong_type()),
        })
    }

    pub(crate) fn numbers(&self, name: &str) -> Result<Vec<f64>, Error> {
        self.column(name, |reader, rows, values| match reader {
            ColumnReader::DoubleColumnReader(mut reader) => {
                reader.read_records(rows, None, None, values).map(|_| ())
            }
            _ => Err(wrong_type()),
        })
    }

    pub(crate) fn unsigned(&self, name: &str) -> Result<Vec<u64>, Error> {
        Ok(self.integers(name)?.into_iter().map(i64::cast_unsigned).collect())
    }

    pub(crate) fn optional_integers(&self, name: &str) -> Result<Vec<Option<i64>>, Error> {
        self.column(name, |reader, rows, values| {
            let ColumnReader::Int64ColumnReader(mut reader) = reader else { return Err(wrong_type()) };
            let (mut levels, mut present) = (Vec::new(), Vec::new());
            reader.read_records(rows, Some(&mut levels), None, &mut present)?;
            spread(&levels, present, values)
        })
    }

    pub(crate) fn optional_unsigned(&self, name: &str) -> Result<Vec<Option<u64>>, Error> {
        let values = self.optional_integers(name)?;
        Ok(values.into_iter().map(|value| value.map(i64::cast_unsigned)).collect())
    }

    pub(crate) fn optional_bools(&self, name: &str) -> Result<Vec<Option<bool>>, Error> {
        self.column(name, |reader, rows, values| {
            let ColumnReader::BoolColumnReader(mut reader) = reader else { return Err(wrong_type()) };
            let (mut levels, mut present) = (Vec::new(), Vec::new());
            reader.read_records(rows, Some(&mut levels), None, &mut present)?;
            spread(&levels, present, values)
        })
    }

    pub(crate) fn optional_texts(&self, name: &str) -> Result<Vec<Option<String>>, Error> {
        self.column(name, |reader, rows, values| {
            let ColumnReader::ByteArrayColumnReader(mut reader) = reader else { return Err(wrong_type()) };
            let mut levels = Vec::new();
            let mut present: Vec<ByteArray> = Vec::new();
            reader.read_records(rows, Some(&mut levels), None, &mut present)?;
            let texts = present.iter().map(|text| text.as_utf8().map(str::to_owned));
            spread(&levels, texts.collect::<parquet::errors::Result<Vec<_>>>()?, values)
        })
    }

    pub(crate) fn bools(&self, name: &str) -> Result<Vec<bool>, Error> {
        self.column(name, |reader, rows, values| match reader {
            ColumnReader::BoolColumnReader(mut reader) => {
                reader.read_records(rows, None, None, values).map(|_| ())
            }
            _ => Err(wrong_type()),
        })
    }

    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, Error> {
        self.column(name, |reader, rows, values| {
            let ColumnReader::ByteArrayColumnReader(mut reader) = reader else { return Err(wrong_type()) };
            let mut read: Vec<ByteArray> = Vec::new();
            reader.read_records(rows, None, None, &mut read)?;
            for value in read {
                values.push(value.as_utf8()?.to_owned());
            }
            Ok(())
        })
    }
}

/// Puts the values that are there into their rows.
fn spread<T>(levels: &[i16], present: Vec<T>, values: &mut Vec<Option<T>>) -> parquet::errors::Result<()> {
    let mut present = present.into_iter();
    for level in levels {
        values.push(if *level == 0 { None } else { Some(present.next().ok_or_else(wrong_type)?) });
    }
    Ok(())
}

fn wrong_type() -> ParquetError {
    ParquetError::General("the column has another type".to_owned())
}
