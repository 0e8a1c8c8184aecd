//! Files as streams: plain, gzip or zip, each bounded.

use crate::Error;
use crate::import::{FileContent, ImportFile};
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of a file that its format is found from.
pub const SAMPLE_BYTES: usize = 64 * 1024;
/// Members of a zip archive, at most.
pub const ZIP_MEMBERS_MAX: usize = 10_000;
/// Bytes that any compressed file may inflate to.
pub const INFLATED_BYTES_FREE: u64 = 16 * 1024 * 1024;
/// How many times its compressed size a file may inflate to beyond that. Price files inflate 4 to 20 times.
pub const INFLATED_RATIO_MAX: u64 = 100;
/// Bytes of a line, or of one JSON object, at most.
pub const LINE_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of an imported Parquet file, at most.
pub const PARQUET_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;

/// Counts the bytes read from files as they lie there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<AtomicU64>);

impl Meter {
    pub(crate) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

struct Metered<'a> {
    inner: Box<dyn ReadSeek + 'a>,
    meter: Meter,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.meter.0.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Metered<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.inner.seek(position)
    }
}

/// Fails once a stream gives more than `left` bytes.
struct InflateLimit<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for InflateLimit<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::other(format!("it inflates to more than {INFLATED_RATIO_MAX} times its size"))
        })?;
        Ok(count)
    }
}

/// Fails when more than [`LINE_BYTES_MAX`] bytes come without `needle`: a reader that collects up to it stays bounded.
pub(crate) struct RunLimit<R> {
    inner: R,
    needle: u8,
    run: usize,
}

impl<R: Read> RunLimit<R> {
    pub(crate) const fn new(inner: R, needle: u8) -> Self {
        Self { inner, needle, run: 0 }
    }
}

impl<R: Read> Read for RunLimit<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let mut rest = &buffer[..count];
        // A buffer can hold several needles; only the longest stretch between two of them matters.
        while let Some(position) = rest.iter().position(|byte| *byte == self.needle) {
            self.run += position;
            self.check()?;
            self.run = 0;
            rest = &rest[position + 1..];
        }
        self.run += rest.len();
        self.check()?;
        Ok(count)
    }
}

impl<R> RunLimit<R> {
    fn check(&self) -> io::Result<()> {
        if self.run > LINE_BYTES_MAX {
            return Err(io::Error::other(format!("a line or object is longer than {LINE_BYTES_MAX} bytes")));
        }
        Ok(())
    }
}

/// Calls `body` with the name and the inflated bytes of each member of a file; a plain file is its own only member.
/// Members are taken in order of their names.
pub(crate) fn for_each_stream(
    file: &ImportFile,
    meter: &Meter,
    body: &mut dyn FnMut(&str, &mut dyn Read) -> Result<(), Error>,
) -> Result<(), Error> {
    let failed = |error| Error::io(&file.name, error);
    let length = file.length()?;
    let inner: Box<dyn ReadSeek> = match &file.content {
        FileContent::Path(path) => Box::new(BufReader::new(File::open(path).map_err(failed)?)),
        FileContent::Bytes(bytes) => Box::new(Cursor::new(bytes.clone())),
    };
    let mut reader = Metered { inner, meter: meter.clone() };
    let mut magic = Vec::new();
    reader.by_ref().take(4).read_to_end(&mut magic).map_err(failed)?;
    reader.seek(SeekFrom::Start(0)).map_err(failed)?;
    // An archive may lie about its members: none is larger than the file.
    let limit = |compressed: u64| {
        INFLATED_BYTES_FREE.saturating_add(compressed.min(length).saturating_mul(INFLATED_RATIO_MAX))
    };
    if magic.starts_with(b"PK") {
        for_each_member(file, reader, limit, body)
    } else if magic.starts_with(&[0x1f, 0x8b]) {
        let inflated = flate2::read::MultiGzDecoder::new(BufReader::new(reader));
        let name = file.name.strip_suffix(".gz").unwrap_or(&file.name).to_owned();
        body(&name, &mut InflateLimit { inner: inflated, left: limit(length) })
    } else {
        body(&file.name, &mut reader)
    }
}

fn for_each_member(
    file: &ImportFile,
    reader: Metered<'_>,
    limit: impl Fn(u64) -> u64,
    body: &mut dyn FnMut(&str, &mut dyn Read) -> Result<(), Error>,
) -> Result<(), Error> {
    let broken = |error: zip::result::ZipError| Error::io(&file.name, io::Error::other(error));
    let mut archive = zip::ZipArchive::new(BufReader::new(reader)).map_err(broken)?;
    if archive.len() > ZIP_MEMBERS_MAX {
        let what = format!("the archive {}", file.name);
        return Err(Error::Limit { what, limit: ZIP_MEMBERS_MAX as u64, unit: "members" });
    }
    let mut members = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let member = archive.by_index(index).map_err(broken)?;
        if !member.is_dir() {
            let name = String::from_utf8_lossy(member.name_raw()).into_owned();
            members.push((name, index));
        }
    }
    members.sort();
    for (name, index) in members {
        let member = archive.by_index(index).map_err(broken)?;
        let left = limit(member.compressed_size());
        let name = name.rsplit(['/', '\\']).next().unwrap_or(&name);
        body(name, &mut InflateLimit { inner: member, left })?;
    }
    Ok(())
}

/// The first [`SAMPLE_BYTES`] of a stream, fewer when it is shorter.
pub(crate) fn sample(stream: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut sample = Vec::with_capacity(SAMPLE_BYTES);
    stream.take(SAMPLE_BYTES as u64).read_to_end(&mut sample)?;
    Ok(sample)
}
