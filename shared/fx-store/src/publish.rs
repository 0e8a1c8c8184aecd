//! From bars or quotes in order of time to stored objects, a manifest and the series' latest version.

use crate::Error;
use crate::bars_file::{Form, OBJECT_ROWS_MAX, ObjectWriter, ROW_GROUP_ROWS};
use crate::manifest::{Anchor, Gaps, MANIFEST_SCHEMA, Manifest, ObjectEntry, parse_key};
use bytes::Bytes;
use fx_app::ports::{BlobKey, BlobStore, Catalog, Publish, Versioned};
use fx_app::records::{RECORD_SCHEMA, SeriesKey, SeriesVersion};
use fx_domain::{Bar, Bars, Digest, PriceSource, UnixNanos};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Attempts to become the latest version while others publish the same series.
pub const PUBLISH_ATTEMPTS_MAX: u32 = 8;
/// Name of the spool file in errors.
const SPOOL: &str = "the spool file";

/// One encoded object, waiting in the spool file.
#[derive(Clone, Debug)]
pub struct StagedObject {
    /// Where it will be stored.
    pub key: BlobKey,
    span: Range<u64>,
}

/// A version that is ready to be stored. Its bytes lie in a temporary file that vanishes with this value.
#[derive(Debug)]
pub struct StagedSeries {
    manifest: Manifest,
    manifest_bytes: Vec<u8>,
    version: Digest,
    objects: Vec<StagedObject>,
    file: Mutex<File>,
}

impl StagedSeries {
    /// The manifest.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The digest of the manifest's bytes.
    #[must_use]
    pub const fn version(&self) -> &Digest {
        &self.version
    }

    /// The objects in order of time.
    #[must_use]
    pub fn objects(&self) -> &[StagedObject] {
        &self.objects
    }

    /// Reads an object from the spool file: blocking.
    pub(crate) fn read(&self, object: &StagedObject) -> Result<Bytes, Error> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let length = usize::try_from(object.span.end - object.span.start)
            .map_err(|_| Error::corrupt("an object is larger than memory"))?;
        let mut bytes = vec![0; length];
        file.seek(SeekFrom::Start(object.span.start)).map_err(|error| Error::io(SPOOL, error))?;
        file.read_exact(&mut bytes).map_err(|error| Error::io(SPOOL, error))?;
        Ok(Bytes::from(bytes))
    }
}

/// What a manifest says besides its objects.
#[derive(Clone, Debug)]
pub(crate) struct Provenance {
    pub(crate) anchor: Anchor,
    pub(crate) ask_source: PriceSource,
    pub(crate) sources: Vec<String>,
    pub(crate) synthetic: bool,
    pub(crate) gaps: Gaps,
}

/// Cuts bars into row groups and objects, one object for each UTC year or [`OBJECT_ROWS_MAX`] bars. Quotes of one instant
/// may be cut apart: they stay in their order, and a reader takes every group that touches its range.
pub(crate) struct Stager {
    series: SeriesKey,
    form: Form,
    buffer: Bars,
    year_end: Option<UnixNanos>,
    object: Option<ObjectWriter>,
    entries: Vec<ObjectEntry>,
    spans: Vec<StagedObject>,
    file: File,
    length: u64,
}

impl Stager {
    pub(crate) fn new(series: SeriesKey, form: Form) -> Result<Self, Error> {
        let file = tempfile::tempfile().map_err(|error| Error::io(SPOOL, error))?;
        let buffer = form.shape.empty();
        let (entries, spans) = (Vec::new(), Vec::new());
        Ok(Self { series, form, buffer, year_end: None, object: None, entries, spans, file, length: 0 })
    }

    /// Adds a bar that is behind all others, sound, and fits the form.
    pub(crate) fn push(&mut self, bar: Bar) -> Result<(), Error> {
        if self.year_end.is_none_or(|end| bar.time >= end) {
            self.close_object()?;
            self.year_end = Some(end_of_year(bar.time));
        }
        self.buffer.push(bar);
        if self.buffer.len() == ROW_GROUP_ROWS {
            self.flush_group()?;
            if self.object.as_ref().is_some_and(|object| object.rows() >= OBJECT_ROWS_MAX) {
                self.close_object()?;
            }
        }
        Ok(())
    }

    fn flush_group(&mut self) -> Result<(), Error> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let object = match &mut self.object {
            Some(object) => object,
            None => self.object.insert(ObjectWriter::new(self.form)?),
        };
        object.write_group(&self.buffer)?;
        self.buffer = self.form.shape.empty();
        Ok(())
    }

    fn close_object(&mut self) -> Result<(), Error> {
        self.flush_group()?;
        let Some(object) = self.object.take() else { return Ok(()) };
        let encoded = object.finish()?;
        let Some(entry) = ObjectEntry::of(&self.series, &encoded) else { return Ok(()) };
        self.file.write_all(&encoded.bytes).map_err(|error| Error::io(SPOOL, error))?;
        let start = self.length;
        self.length += encoded.bytes.len() as u64;
        self.spans.push(StagedObject { key: entry.blob_key()?, span: start..self.length });
        self.entries.push(entry);
        Ok(())
    }

    pub(crate) fn finish(mut self, provenance: Provenance) -> Result<StagedSeries, Error> {
        self.close_object()?;
        if self.entries.is_empty() {
            return Err(Error::Empty);
        }
        let manifest = Manifest {
            schema: MANIFEST_SCHEMA,
            series: self.series,
            side: self.form.shape.side(),
            ask_source: provenance.ask_source,
            decimals: self.form.decimals,
            anchor: provenance.anchor,
            sources: provenance.sources,
            synthetic: provenance.synthetic,
            rows: self.entries.iter().map(|entry| entry.rows).sum(),
            gaps: provenance.gaps,
            objects: self.entries,
        };
        let manifest_bytes = manifest.to_bytes()?;
        let version = Digest::of(&manifest_bytes);
        let file = Mutex::new(self.file);
        Ok(StagedSeries { manifest, manifest_bytes, version, objects: self.spans, file })
    }
}

/// The first instant of the next UTC year; the end of time in the last one.
fn end_of_year(time: UnixNanos) -> UnixNanos {
    let next = format!("{:04}-01-01", time.year_month().0 + 1);
    UnixNanos::parse_date(&next).unwrap_or(UnixNanos::new(i64::MAX))
}

/// Stores a staged version and makes it the series' latest. Objects first, then the manifest, then the catalog: a
/// reader never sees a version whose bytes are missing. Storing the same version again changes nothing.
///
/// # Errors
/// [`Error::Store`] when a store fails, [`Error::Conflict`] when others publish the series again and again.
pub async fn publish(
    staged: StagedSeries,
    blobs: &dyn BlobStore,
    catalog: &dyn Catalog<SeriesVersion>,
    created_at: UnixNanos,
) -> Result<SeriesVersion, Error> {
    let staged = Arc::new(staged);
    for index in 0..staged.objects.len() {
        let reader = Arc::clone(&staged);
        let bytes = tokio::task::spawn_blocking(move || reader.read(&reader.objects[index]))
            .await
            .map_err(Error::Background)??;
        blobs.put(&staged.objects[index].key, bytes).await?;
    }
    let manifest = &staged.manifest;
    let (Some(first), Some(last)) = (manifest.objects.first(), manifest.objects.last()) else {
        return Err(Error::Empty);
    };
    let manifest_key = Manifest::key(&manifest.series, &staged.version);
    blobs.put(&parse_key(&manifest_key)?, Bytes::from(staged.manifest_bytes.clone())).await?;
    let next = SeriesVersion {
        schema: RECORD_SCHEMA,
        series: manifest.series.clone(),
        version: staged.version,
        manifest_key,
        side: manifest.side,
        ask_source: manifest.ask_source,
        rows: manifest.rows,
        first: first.first,
        last: last.last,
        gaps: manifest.gaps.count,
        synthetic: manifest.synthetic,
        created_at,
    };
    make_latest(next, catalog).await
}

/// Makes a version whose bytes are stored the latest.
pub(crate) async fn make_latest<V: Versioned>(next: V, catalog: &dyn Catalog<V>) -> Result<V, Error> {
    for _ in 0..PUBLISH_ATTEMPTS_MAX {
        let latest = catalog.latest(next.key()).await?;
        if let Some(latest) = latest.as_ref().filter(|latest| latest.version() == next.version()) {
            return Ok(latest.clone());
        }
        let expected = latest.map(|latest| *latest.version());
        if catalog.publish(&next, expected.as_ref()).await? == Publish::Published {
            return Ok(next);
        }
    }
    Err(Error::Conflict { series: next.key().to_string(), attempts: PUBLISH_ATTEMPTS_MAX })
}
