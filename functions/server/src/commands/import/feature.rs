//! What other services told: read, checked, stored as the feature's latest version.

use anyhow::{Context, Result, bail};
use fx_app::ports::{Clock, FeatureStore};
use fx_app::records::FeatureKey;
use fx_host::SystemClock;
use std::io::Write;
use std::path::Path;

/// Bytes of one file, at most.
const FILE_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Stores the values of `file`, all or nothing.
pub(super) async fn store(file: &Path, key: &FeatureKey, features: &dyn FeatureStore) -> Result<()> {
    let shown = file.display();
    let length = std::fs::metadata(file).with_context(|| format!("cannot read {shown}"))?.len();
    if length > FILE_BYTES_MAX {
        bail!("{shown} has {length} bytes, at most {FILE_BYTES_MAX} are read")
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    let values = fx_store::read_features(&key.told, &text).with_context(|| shown.to_string())?;
    let version = features.put(key, values, SystemClock.now()).await?;
    let mut out = std::io::stdout();
    writeln!(out, "range         {} to {}", version.first, version.last)?;
    if !version.names.is_empty() {
        writeln!(out, "regimes       {}", version.names.join(", "))?;
    }
    writeln!(out, "stored        {} values as {}", version.rows, version.series)?;
    writeln!(out, "data version  {}", version.version)?;
    Ok(())
}
