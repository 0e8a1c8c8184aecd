//! `server openapi`: the contract, for clients that generate code.

use anyhow::Result;
use std::io::Write;

pub(crate) fn run() -> Result<()> {
    let document = serde_json::to_string_pretty(&fx_http::openapi())?;
    writeln!(std::io::stdout(), "{document}")?;
    Ok(())
}
