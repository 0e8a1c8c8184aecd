//! What the tests of several crates share: [`contract`], the one suite that every adapter of a port must pass;
//! [`memory`], adapters without IO for tests of use-cases; [`faults`], ports that fail as a seed says; [`fixtures`], records
//! that are valid and distinct.
//!
//! Invariants:
//! - The suite knows only the ports: a property that one adapter cannot hold is a change of the port's docs, not of the suite.
//! - The suite runs against a store that already holds other data, and twice at once: every run has names of its own.
//! - The in-memory adapters are real adapters with the full contract, not mocks.
//!
//! What this crate must not know: any adapter but its own. It is a dev-dependency only.

pub mod contract;
pub mod faults;
pub mod fixtures;
pub mod memory;

use futures::stream::TryStreamExt;
use fx_app::ports::{BarStore, StoreResult, TimeRange};
use fx_app::records::SeriesVersion;
use fx_domain::Bars;

/// All bars of a stream, for ranges that fit into memory.
///
/// # Errors
/// Those of the stream.
pub async fn load_bars(
    store: &dyn BarStore,
    version: &SeriesVersion,
    range: TimeRange,
    warm_up: usize,
) -> StoreResult<Bars> {
    let none = Bars { ask_source: version.ask_source, ..Bars::empty(version.side) };
    let join = async |mut bars: Bars, piece| {
        bars.append(&piece);
        Ok(bars)
    };
    store.stream(version, range, warm_up).try_fold(none, join).await
}
