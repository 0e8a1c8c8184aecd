//! The simulation: a pure, synchronous function of plan, configuration, bars and state.
//!
//! [`State::start`] begins a run, [`advance`] takes it over any number of bars, [`result_hash`] names what came out.
//!
//! Invariants:
//! - the same input gives the same bytes, on every platform and however the bars are cut into calls:
//!   `advance(all) == advance(first k) then advance(rest)`;
//! - money and prices are integers, each ledger posting is rounded once, half to even, and postings sum to the balance;
//! - no decision sees a bar that is not complete, and nothing fills at a price before its decision;
//! - whatever the bars leave open (which of two exits came first) is decided by a named policy and flagged.
//!
//! What happens at a bar, in order:
//! 1. with fills at the close: the orders of the bar before are booked at its close;
//! 2. exits whose level the open has passed fill at the open;
//! 3. with fills at the open: the orders of the bar before fill at the open;
//! 4. the path inside the bar: exits that it touches fill at their level;
//! 5. equity is marked at the close, at the side that would close the position;
//! 6. the strategy decides.
//!
//! What this crate must not know: async, clocks, the environment, randomness that is not a seed, storage, and
//! the order in which a hash map iterates.

mod advance;
mod book;
mod config;
mod decide;
mod error;
mod evaluate;
mod indicator;
mod intrabar;
mod mark;
mod order;
mod output;
mod program;
mod quotes;
mod result_hash;
mod snapshot;
mod state;
mod terms;
mod value;

pub use advance::advance;
pub use config::{Commission, FillTime, IntrabarPolicy, RunConfig, SpreadModel};
pub use error::{BadBar, EngineError};
pub use order::{Decision, OrderLevel, OrderSize, PendingOrder};
pub use output::{OpenPosition, OrderEvent, OrderEventKind, RejectReason, Slice};
pub use result_hash::result_hash;
pub use state::State;

use fx_domain::Price;

/// The engine's version: the package's, then a number that rises whenever the same input gives another output.
pub const ENGINE_VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "+semantics.1");

/// The largest price that the engine computes with: 100,000 of the quote currency. Sums over a window and products with
/// sizes are proven to fit on its strength.
pub const PRICE_MAX: Price = Price::from_nanos(100_000 * Price::SCALE);

/// The largest size of an order or a position, in units.
pub const UNITS_MAX: i64 = 1_000_000_000_000;

/// Bars that a plan is evaluated for at a time: a column per node stays in the cache.
const BLOCK: usize = 1_024;
