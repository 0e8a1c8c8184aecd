//! Rows on disk between judging and encoding: 64-bit little-endian numbers, one record after another.

use crate::Error;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};

const NAME: &str = "the spool file";
const BUFFER_BYTES: usize = 1024 * 1024;

/// Writes records of `N` numbers into a temporary file.
pub(crate) struct SpoolWriter {
    file: BufWriter<File>,
    records: u64,
}

impl SpoolWriter {
    pub(crate) fn new() -> Result<Self, Error> {
        let file = tempfile::tempfile().map_err(|error| Error::io(NAME, error))?;
        Ok(Self { file: BufWriter::with_capacity(BUFFER_BYTES, file), records: 0 })
    }

    pub(crate) fn push<const N: usize>(&mut self, record: &[i64; N]) -> Result<(), Error> {
        for number in record {
            self.file.write_all(&number.to_le_bytes()).map_err(|error| Error::io(NAME, error))?;
        }
        self.records += 1;
        Ok(())
    }

    pub(crate) fn into_reader(self) -> Result<SpoolReader, Error> {
        let mut file = self.file.into_inner().map_err(|error| Error::io(NAME, error.into_error()))?;
        file.seek(SeekFrom::Start(0)).map_err(|error| Error::io(NAME, error))?;
        Ok(SpoolReader { file: BufReader::with_capacity(BUFFER_BYTES, file), left: self.records })
    }
}

/// Reads the records of a [`SpoolWriter`] in their order.
pub(crate) struct SpoolReader {
    file: BufReader<File>,
    left: u64,
}

impl SpoolReader {
    pub(crate) fn next<const N: usize>(&mut self) -> Result<Option<[i64; N]>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut record = [0; N];
        for number in &mut record {
            let mut bytes = [0; 8];
            self.file.read_exact(&mut bytes).map_err(|error| Error::io(NAME, error))?;
            *number = i64::from_le_bytes(bytes);
        }
        Ok(Some(record))
    }
}
