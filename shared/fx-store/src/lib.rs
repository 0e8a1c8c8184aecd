//! Bars and results as bytes: importers of vendor files, Parquet objects, manifests, result files, synthetic bars.
//!
//! Invariants:
//! - A version of a series is the digest of its manifest, the manifest names the digest of every row group and footer,
//!   and nothing is decoded before its digest was checked: a flipped bit is an error, never another price.
//! - The same input gives the same objects, the same manifest and the same version: no wall-clock time is inside, and
//!   encoder settings are fixed here.
//! - Nothing of an import is stored unless every row is sound, or the caller chose to skip bad rows and the report
//!   counts them.
//! - Memory is bounded by one row group per column, whatever the length of the input: rows are spooled to disk.
//!
//! What this crate must not know: which store holds the bytes (it asks `fx_app::ports::BlobStore` and
//! `Catalog`), HTTP, the clock and the environment.

mod bar_store;
mod bars_file;
mod error;
mod features;
pub mod import;
mod manifest;
mod publish;
mod results;
pub mod synthetic;
mod table;

pub use bar_store::ParquetBars;
pub use bars_file::{OBJECT_ROWS_MAX, PRICE_NANOS_MAX, ROW_GROUP_ROWS, decode_bars, encode_bars};
pub use error::Error;
pub use features::{BlobFeatures, FeatureFileError, read_features};
pub use manifest::{Anchor, Footer, Gap, Gaps, MANIFEST_SCHEMA, Manifest, ObjectEntry, RowGroupEntry};
pub use publish::{PUBLISH_ATTEMPTS_MAX, StagedObject, StagedSeries, publish};
pub use results::BlobResults;

use fx_app::{Files, Stores};
use std::sync::Arc;

/// What reads and writes bars and results in the blobs of `stores`.
#[must_use]
pub fn files(stores: &Stores) -> Files {
    let (catalog, blobs) = (Arc::clone(&stores.series), Arc::clone(&stores.blobs));
    Files {
        bars: Arc::new(ParquetBars { catalog, blobs: Arc::clone(&blobs) }),
        features: Arc::new(BlobFeatures { catalog: Arc::clone(&stores.features), blobs: Arc::clone(&blobs) }),
        results: Arc::new(BlobResults { blobs }),
    }
}
