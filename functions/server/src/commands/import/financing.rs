//! Tables of rollover rates: read, checked, stored under a name that is never reused.

use anyhow::{Context, Result, bail};
use fx_app::ports::{BlobKey, BlobStore, Put};
use fx_domain::FinancingTable;
use std::io::Write;
use std::path::Path;

/// The name that means no rollover.
const RESERVED: &str = "zero";
/// Characters of a name, at most.
const NAME_LENGTH_MAX: usize = 64;

/// Stores the table of `file` under `name`. What a name means never changes, so that a result that names it can be had
/// again.
pub(super) async fn store(file: &Path, name: &str, blobs: &dyn BlobStore) -> Result<()> {
    let key = key(name)?;
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let table = FinancingTable::parse_csv(name, &text).with_context(|| file.display().to_string())?;
    let bytes = text.into_bytes();
    if blobs.put(&key, bytes.clone().into()).await? == Put::AlreadyThere
        && blobs.get(&key).await?.is_none_or(|stored| stored != bytes)
    {
        bail!("there is another table called `{name}`, and what a name means does not change: choose another")
    }
    writeln!(std::io::stdout(), "stored        {} rates as table `{name}`", table.rows().len())?;
    Ok(())
}

/// Where a backtest looks for the table.
fn key(name: &str) -> Result<BlobKey> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if name == RESERVED || !(1..=NAME_LENGTH_MAX).contains(&name.len()) || !name.bytes().all(allowed) {
        bail!(
            "--name: expected 1 to {NAME_LENGTH_MAX} of a–z A–Z 0–9 _ -, and not `{RESERVED}`, got `{name}`"
        )
    }
    fx_app::financing::key(name).context("--name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_part_of_a_key_and_never_a_path() {
        assert_eq!(key("broker-2024").unwrap().as_str(), "financing/broker-2024.csv");
        for bad in ["", "zero", "a/b", "../x", "a.b", "é", &"x".repeat(NAME_LENGTH_MAX + 1)] {
            assert!(key(bad).is_err(), "{bad}");
        }
    }
}
