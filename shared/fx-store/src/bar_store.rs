//! Bars from stored objects: only the row groups that a range of time needs, each checked before it is decoded.

use crate::Error;
use crate::bars_file::{ROW_GROUP_ROWS, decode_groups};
use crate::error::into_store_error;
use crate::manifest::{Manifest, ObjectEntry, RowGroupEntry, parse_key};
use async_trait::async_trait;
use bytes::{Buf, Bytes};
use futures::stream::{Stream, StreamExt, TryStreamExt};
use fx_app::ports::{
    BarStore, BarStream, BlobStore, Catalog, PIECE_BARS_MAX, Page, PageRequest, StoreResult, TimeRange,
};
use fx_app::records::{SeriesKey, SeriesVersion};
use fx_domain::{Bars, Digest, UnixNanos};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use std::ops::Range;
use std::sync::Arc;

/// Objects fetched at the same time: each has some megabytes.
const FETCHES_AHEAD: usize = 2;
/// Row groups decoded at the same time.
const DECODES_AHEAD: usize = 2;
const _: () = assert!(ROW_GROUP_ROWS <= PIECE_BARS_MAX, "a row group is a piece");
const STORE: &str = "bars";

/// The bars of a blob store, found through a catalog.
#[derive(Clone)]
pub struct ParquetBars {
    /// Which version of a series is the latest.
    pub catalog: Arc<dyn Catalog<SeriesVersion>>,
    /// Manifests and objects.
    pub blobs: Arc<dyn BlobStore>,
}

impl ParquetBars {
    /// The manifest of a version, held to its digest.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`](fx_app::ports::StoreError::Corrupt) when it is missing or not what the version names.
    pub async fn manifest(&self, version: &SeriesVersion) -> StoreResult<Manifest> {
        let read = async {
            let key = parse_key(&version.manifest_key)?;
            let missing = || Error::corrupt(format!("the manifest {key} is missing"));
            let bytes = self.blobs.get(&key).await?.ok_or_else(missing)?;
            let manifest = Manifest::from_bytes(&bytes, &version.version)?;
            if manifest.series == version.series && manifest.rows == version.rows {
                Ok(manifest)
            } else {
                Err(Error::corrupt(format!("the manifest {key} belongs to another series")))
            }
        };
        read.await.map_err(|error| into_store_error(STORE, error))
    }

    /// Fetches the parts of an object that `groups` needs: the row groups, and the footer.
    async fn fetch(&self, object: &ObjectEntry, groups: Range<usize>) -> Result<Parts, Error> {
        let (first, last) = (&object.row_groups[groups.start], &object.row_groups[groups.end - 1]);
        let key = object.blob_key()?;
        let missing = || Error::corrupt(format!("the object {key} is missing or cut off"));
        let (start, mut end) = (first.offset, last.offset + last.bytes);
        let with_footer = end == object.footer.offset;
        if with_footer {
            end = object.length();
        }
        let data = self.blobs.get_range(&key, start, end - start).await?.ok_or_else(missing)?;
        let mut parts = Parts { length: object.length(), segments: vec![(start, data)] };
        if !with_footer {
            let footer = &object.footer;
            let tail = self.blobs.get_range(&key, footer.offset, footer.bytes).await?.ok_or_else(missing)?;
            parts.segments.push((footer.offset, tail));
        }
        let spans = object.row_groups[groups].iter().map(|group| (group.offset, group.bytes, &group.sha256));
        for (offset, length, sha256) in
            spans.chain([(object.footer.offset, object.footer.bytes, &object.footer.sha256)])
        {
            let part = parts.slice(offset, length).ok_or_else(missing)?;
            if Digest::of(&part) != *sha256 {
                return Err(Error::corrupt(format!("the bytes of {key} at {offset} have another digest")));
            }
        }
        Ok(parts)
    }

    /// The bars of `range` and `warm_up` bars before it, piece by piece.
    async fn pieces(
        self,
        version: SeriesVersion,
        range: TimeRange,
        warm_up: usize,
    ) -> Result<impl Stream<Item = Result<Bars, Error>>, Error> {
        let manifest = Arc::new(self.manifest(&version).await?);
        let shape = manifest.shape()?;
        let wanted = select(&manifest, range, warm_up as u64);
        let lead = groups_of(&manifest, &wanted).filter(|group| group.first < range.start).count();
        let mut decoded = self.decoded(Arc::clone(&manifest), wanted).boxed();
        // Where the range begins, and so how much of what is before it, is known when the bars are there.
        let mut head = Bars { ask_source: manifest.ask_source, ..shape.empty() };
        for _ in 0..lead {
            if let Some(bars) = decoded.try_next().await? {
                head.append(&bars);
            }
        }
        let first = head.lower_bound(range.start).saturating_sub(warm_up);
        let cuts = (first..head.len()).step_by(PIECE_BARS_MAX);
        let head: Vec<_> =
            cuts.map(|from| Ok(head.slice(from..head.len().min(from + PIECE_BARS_MAX)))).collect();
        let mut checked =
            Ascending { series: manifest.series.clone(), last: None, end: range.end.max(range.start) };
        Ok(futures::stream::iter(head)
            .chain(decoded)
            .map(move |bars| bars.and_then(|bars| checked.within(bars)))
            .try_filter(|bars| std::future::ready(!bars.is_empty())))
    }

    /// The row groups of `wanted`, one after the other, some of them ahead.
    fn decoded(
        self,
        manifest: Arc<Manifest>,
        wanted: Vec<(usize, Range<usize>)>,
    ) -> impl Stream<Item = Result<Bars, Error>> + 'static {
        let source = Arc::clone(&manifest);
        let fetches = wanted.into_iter().map(move |(object, groups)| {
            let (bars, manifest) = (self.clone(), Arc::clone(&source));
            async move {
                let parts = bars.fetch(&manifest.objects[object], groups.clone()).await?;
                Ok::<_, Error>(futures::stream::iter(
                    groups.map(move |group| Ok::<_, Error>((object, group, parts.clone()))),
                ))
            }
        });
        let groups = futures::stream::iter(fetches).buffered(FETCHES_AHEAD).try_flatten();
        let decode = move |(object, group, parts)| {
            let manifest = Arc::clone(&manifest);
            async move {
                let decode = move || decode_group(&manifest, object, group, parts);
                tokio::task::spawn_blocking(decode).await.map_err(Error::Background)?
            }
        };
        groups.map_ok(decode).try_buffered(DECODES_AHEAD)
    }
}

/// The row groups of what [`select`] chose, in order.
fn groups_of<'a>(
    manifest: &'a Manifest,
    wanted: &'a [(usize, Range<usize>)],
) -> impl Iterator<Item = &'a RowGroupEntry> {
    wanted.iter().flat_map(|(object, groups)| &manifest.objects[*object].row_groups[groups.clone()])
}

/// Which row groups hold the bars of `range` and `warm_up` bars before it: one more than needed at most.
fn select(manifest: &Manifest, range: TimeRange, warm_up: u64) -> Vec<(usize, Range<usize>)> {
    let groups = || {
        manifest.objects.iter().enumerate().flat_map(|(object, entry)| {
            entry.row_groups.iter().enumerate().map(move |(index, group)| (object, index, group))
        })
    };
    let before = groups().take_while(|(_, _, group)| group.last < range.start).count();
    let mut rows_before = 0;
    let mut skip = before;
    for (_, _, group) in groups().take(before).collect::<Vec<_>>().into_iter().rev() {
        if rows_before >= warm_up {
            break;
        }
        rows_before += group.rows;
        skip -= 1;
    }
    let mut wanted: Vec<(usize, Range<usize>)> = Vec::new();
    for (position, (object, index, group)) in groups().enumerate().skip(skip) {
        // The group that holds the start may also hold warm-up bars, whatever the end.
        let holds_warm_up = warm_up > 0 && position <= before && group.first < range.start;
        if group.first >= range.end.max(range.start) && !holds_warm_up {
            break;
        }
        match wanted.last_mut() {
            Some((last, groups)) if *last == object => groups.end = index + 1,
            _ => wanted.push((object, index..index + 1)),
        }
    }
    wanted
}

/// Pieces that follow one another.
struct Ascending {
    series: SeriesKey,
    /// The last time of the piece before.
    last: Option<UnixNanos>,
    /// What is here or later is left out.
    end: UnixNanos,
}

impl Ascending {
    fn within(&mut self, bars: Bars) -> Result<Bars, Error> {
        let order = self.series.granularity.time_order();
        let earlier = self.last.iter().chain(&bars.times);
        let later = bars.times.iter().skip(usize::from(self.last.is_none()));
        if let Some((_, back)) = earlier.zip(later).find(|(earlier, later)| !order.allows(**earlier, **later))
        {
            return Err(Error::corrupt(format!("{} goes back in time at {back}", self.series)));
        }
        self.last = bars.times.last().copied().or(self.last);
        let within = bars.lower_bound(self.end);
        Ok(if within == bars.len() { bars } else { bars.slice(0..within) })
    }
}

fn decode_group(manifest: &Manifest, object: usize, group: usize, parts: Parts) -> Result<Bars, Error> {
    let shape = manifest.shape()?;
    let entry = &manifest.objects[object].row_groups[group];
    // A row group is never longer: the decoder refuses it.
    let bars = shape.with_capacity(usize::try_from(entry.rows).unwrap_or(0).min(PIECE_BARS_MAX));
    let mut bars = Bars { ask_source: manifest.ask_source, ..bars };
    decode_groups(parts, group..group + 1, (shape, manifest.decimals), &mut bars)?;
    if bars.len() as u64 == entry.rows {
        Ok(bars)
    } else {
        let (series, found, rows) = (&manifest.series, bars.len(), entry.rows);
        Err(Error::corrupt(format!("a row group of {series} has {found} of {rows} bars")))
    }
}

/// Parts of an object that were fetched, in order. Reading outside of them is an error, not a fetch.
#[derive(Clone)]
struct Parts {
    length: u64,
    segments: Vec<(u64, Bytes)>,
}

impl Parts {
    fn slice(&self, offset: u64, length: u64) -> Option<Bytes> {
        self.segments.iter().find_map(|(start, bytes)| {
            let from = usize::try_from(offset.checked_sub(*start)?).ok()?;
            let to = from.checked_add(usize::try_from(length).ok()?)?;
            (to <= bytes.len()).then(|| bytes.slice(from..to))
        })
    }
}

impl Length for Parts {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Parts {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        let segment = self
            .segments
            .iter()
            .find(|(offset, bytes)| start >= *offset && start - *offset <= bytes.len() as u64);
        let (offset, bytes) = segment.ok_or_else(|| outside(start))?;
        Ok(bytes.slice((start - offset) as usize..).reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        self.slice(start, length as u64).ok_or_else(|| outside(start))
    }
}

fn outside(start: u64) -> ParquetError {
    ParquetError::EOF(format!("byte {start} was not fetched"))
}

#[async_trait]
impl BarStore for ParquetBars {
    async fn describe(
        &self,
        series: &SeriesKey,
        version: Option<&Digest>,
    ) -> StoreResult<Option<SeriesVersion>> {
        match version {
            Some(version) => self.catalog.version(series, version).await,
            None => self.catalog.latest(series).await,
        }
    }

    fn stream(&self, version: &SeriesVersion, range: TimeRange, warm_up: usize) -> BarStream {
        let pieces = self.clone().pieces(version.clone(), range, warm_up);
        futures::stream::once(pieces).try_flatten().map_err(|error| into_store_error(STORE, error)).boxed()
    }

    async fn list(&self, page: &PageRequest) -> StoreResult<Page<SeriesVersion>> {
        self.catalog.list(page).await
    }

    async fn rows_within_max(&self, version: &SeriesVersion, range: TimeRange) -> StoreResult<u64> {
        let manifest = self.manifest(version).await?;
        let groups = manifest.objects.iter().flat_map(|object| &object.row_groups);
        let within = groups.filter(|group| group.first < range.end && group.last >= range.start);
        Ok(within.map(|group| group.rows).sum())
    }
}
