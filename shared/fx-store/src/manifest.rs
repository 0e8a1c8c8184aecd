//! The manifest of one version of a series: which objects hold which bars, with the digest of every part that is read.

use crate::Error;
use crate::bars_file::{EncodedObject, Shape, one_sided_quotes};
use fx_app::ports::BlobKey;
use fx_app::records::SeriesKey;
use fx_domain::{Digest, PriceSource, QuoteSide, UnixNanos};
use serde::{Deserialize, Serialize};

/// Version of the manifest's form.
pub const MANIFEST_SCHEMA: u16 = 1;
/// Longest gaps that a manifest and a report list.
pub(crate) const GAPS_LISTED_MAX: usize = 10;

/// Where bars of two hours and more begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// At multiples of their length after 00:00 UTC. Bars below two hours are always so.
    UtcMidnight,
    /// At multiples of their length after 17:00 in New York.
    #[serde(rename = "new_york_17")]
    NewYork17,
    /// Neither.
    Other,
}

/// A stretch without bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Open time of the last bar before it.
    pub from: UnixNanos,
    /// Open time of the first bar after it.
    pub to: UnixNanos,
    /// Whether it is a usual weekend: it spans Saturday noon UTC and is no longer than a weekend.
    pub weekend: bool,
}

/// The stretches without bars.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gaps {
    /// How many, weekends included: neighbours further apart than one bar, quotes further than an hour.
    pub count: u64,
    /// How many of them are weekends.
    pub weekends: u64,
    /// The longest, longest first, earlier first among equals; ten at most.
    pub longest: Vec<Gap>,
}

/// One row group of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowGroupEntry {
    /// First byte in the object.
    pub offset: u64,
    /// Length in bytes.
    pub bytes: u64,
    /// Bars.
    pub rows: u64,
    /// Open time of the first bar.
    pub first: UnixNanos,
    /// Open time of the last bar.
    pub last: UnixNanos,
    /// Digest of these bytes.
    pub sha256: Digest,
}

/// The Parquet footer of an object: without it no row group can be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footer {
    /// First byte in the object, right behind the last row group.
    pub offset: u64,
    /// Length in bytes.
    pub bytes: u64,
    /// Digest of these bytes.
    pub sha256: Digest,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectEntry {
    /// Its key in the blob store.
    pub key: String,
    /// Digest of its bytes.
    pub sha256: Digest,
    /// Bars.
    pub rows: u64,
    /// Open time of the first bar.
    pub first: UnixNanos,
    /// Open time of the last bar.
    pub last: UnixNanos,
    /// Its row groups, in order of time, without holes between them.
    pub row_groups: Vec<RowGroupEntry>,
    /// Its footer.
    pub footer: Footer,
}

/// One version of a series. Its digest, over [`Manifest::to_bytes`], is the version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Form of this document, [`MANIFEST_SCHEMA`].
    pub schema: u16,
    /// The series.
    pub series: SeriesKey,
    /// The stored side; none when both are.
    pub side: Option<QuoteSide>,
    /// Where a stored ask comes from; said only where it was made of a column of spreads.
    #[serde(default, skip_serializing_if = "PriceSource::is_measured")]
    pub ask_source: PriceSource,
    /// Decimals of the stored prices.
    pub decimals: u32,
    /// Where long bars begin.
    pub anchor: Anchor,
    /// Names of the files that were imported, without folders.
    pub sources: Vec<String>,
    /// Whether the bars were generated, not traded.
    pub synthetic: bool,
    /// Bars in all objects.
    pub rows: u64,
    /// Stretches without bars.
    pub gaps: Gaps,
    /// The objects in order of time.
    pub objects: Vec<ObjectEntry>,
}

impl ObjectEntry {
    pub(crate) fn of(series: &SeriesKey, object: &EncodedObject) -> Option<Self> {
        let (first, last) = (object.groups.first()?.first, object.groups.last()?.last);
        let sha256 = object.digest();
        let row_groups = object.groups.iter().map(|group| RowGroupEntry {
            offset: group.bytes.start as u64,
            bytes: group.bytes.len() as u64,
            rows: group.rows as u64,
            first: group.first,
            last: group.last,
            sha256: Digest::of(&object.bytes[group.bytes.clone()]),
        });
        let tail = &object.bytes[object.footer_start()..];
        Some(Self {
            key: format!("bars/{series}/{}/{sha256}.parquet", first.year_month().0),
            sha256,
            rows: object.groups.iter().map(|group| group.rows as u64).sum(),
            first,
            last,
            row_groups: row_groups.collect(),
            footer: Footer {
                offset: object.footer_start() as u64,
                bytes: tail.len() as u64,
                sha256: Digest::of(tail),
            },
        })
    }

    /// The key as the blob store takes it.
    pub(crate) fn blob_key(&self) -> Result<BlobKey, Error> {
        parse_key(&self.key)
    }

    /// Length of the object in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.footer.offset.saturating_add(self.footer.bytes)
    }
}

pub(crate) fn parse_key(text: &str) -> Result<BlobKey, Error> {
    BlobKey::parse(text).ok_or_else(|| Error::corrupt(format!("`{text}` is not a blob key")))
}

impl Manifest {
    /// The canonical bytes: JSON with fields in the order of this type, without spaces.
    ///
    /// # Errors
    /// None in practice: every field has a JSON form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(self)
            .map_err(|error| Error::corrupt(format!("the manifest has no JSON form: {error}")))
    }

    /// Reads a manifest and holds it to the digest that names it.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the bytes have another digest, are not a manifest, or contradict themselves.
    pub fn from_bytes(bytes: &[u8], version: &Digest) -> Result<Self, Error> {
        let found = Digest::of(bytes);
        if found != *version {
            return Err(Error::corrupt(format!("the manifest {version} has digest {found}")));
        }
        let manifest: Self = serde_json::from_slice(bytes)
            .map_err(|error| Error::corrupt(format!("the manifest {version} is not readable: {error}")))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// Where the manifest of `version` lies.
    #[must_use]
    pub fn key(series: &SeriesKey, version: &Digest) -> String {
        format!("bars/{series}/manifests/{version}.json")
    }

    /// The columns of the objects.
    pub(crate) fn shape(&self) -> Result<Shape, Error> {
        Shape::of(self.series.granularity, self.side).ok_or_else(one_sided_quotes)
    }

    fn check(&self) -> Result<(), Error> {
        if self.schema != MANIFEST_SCHEMA {
            return Err(Error::corrupt(format!("manifest schema {} is not {MANIFEST_SCHEMA}", self.schema)));
        }
        self.shape()?;
        let order = self.series.granularity.time_order();
        let mut last = None;
        let mut rows = 0_u64;
        for object in &self.objects {
            let mut end = None;
            for group in &object.row_groups {
                let contiguous = end.is_none_or(|end| end == group.offset);
                let follows = last.is_none_or(|last| order.allows(last, group.first));
                if !contiguous || !follows || group.last < group.first {
                    return Err(Error::corrupt(format!("row groups of {} are out of order", object.key)));
                }
                end = group.offset.checked_add(group.bytes);
                last = Some(group.last);
                rows = rows.saturating_add(group.rows);
            }
            if end != Some(object.footer.offset) {
                return Err(Error::corrupt(format!("the footer of {} is misplaced", object.key)));
            }
        }
        if rows == self.rows { Ok(()) } else { Err(Error::corrupt("the rows of the manifest do not add up")) }
    }
}
