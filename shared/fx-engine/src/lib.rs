//! The simulation: a pure, synchronous function of plan, configuration, bars and state.
//!
//! [`State::start`] begins a run, [`advance`] takes it over any number of bars, [`ResultHasher`] names what came out.
//!
//! Invariants:
//! - the same input gives the same bytes, on every platform and however the bars are cut into calls:
//!   `advance(all) == advance(first k) then advance(rest)`;
//! - money and prices are integers, each ledger posting is rounded once, half to even, and postings sum to the balance;
//! - no decision sees a bar that is not complete, and nothing fills at a price before its decision;
//! - whatever the bars leave open (which of two exits came first) is decided by a named policy and flagged.
//!
//! What happens at a bar, in order:
//! 1. with fills at the close: the market orders of the bar before are booked at its close;
//! 2. rollovers at 17:00 New York that have passed;
//! 3. at the open: exits and waiting orders that the open has passed fill there; with fills at the open, the market orders
//!    of the bar before; the margin level is looked at;
//! 4. the path inside the bar: exits and waiting orders that it touches fill at their price, the margin level is looked
//!    at on the way, trailing stops follow;
//! 5. equity is marked at the close, at the side that would close the position;
//! 6. the strategy decides.
//!
//! What this crate must not know: async, clocks, the environment, randomness that is not a seed, storage, and
//! the order in which a hash map iterates.

mod advance;
mod book;
mod causality;
mod config;
mod decide;
mod error;
mod estimate;
mod evaluate;
mod features;
mod indicator;
mod intrabar;
mod margin;
mod mark;
mod market;
mod order;
mod output;
mod program;
mod rates;
mod result_hash;
mod rollover;
mod snapshot;
mod state;
mod submit;
mod terms;
mod value;

pub use advance::sweep::sweep;
pub use advance::{advance, advance_over};
pub use causality::{Causality, CausalityFault, check_causality};
pub use config::{
    Account, AccountKind, Commission, FEATURES_AGE_HOURS_DEFAULT, FEATURES_MAX, FeatureTrack, FillTime,
    IntrabarPolicy, RATE_AGE_HOURS_DEFAULT, REFERENCES_MAX, RunConfig, Slippage, SpreadModel, StopOutPolicy,
    TRACKS_MAX, Track,
};
pub use error::{BadBar, EngineError};
pub use estimate::estimated_bars_per_second;
pub use features::FeatureSeries;
pub use market::{Inputs, Market, TrackBars};
pub use order::{Decision, OrderLevel, OrderPortion, OrderSize, OrderTicket, PendingOrder};
pub use output::{
    CancelReason, Decided, Drawdown, Journal, MarginCause, MarginPoint, OpenPosition, OrderEvent,
    OrderEventKind, Recorder, RejectReason, Slice, Tally,
};
pub use result_hash::ResultHasher;
pub use state::State;

use fx_domain::Price;

/// The engine's version: the package's, then a number that rises whenever the same input gives another output.
pub const ENGINE_VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "+semantics.3");

/// The largest price that the engine computes with: 100,000 of the quote currency. Sums over a window and products with
/// sizes are proven to fit on its strength.
pub const PRICE_MAX: Price = Price::from_nanos(100_000 * Price::SCALE);

/// The largest size of an order or a position, in units.
pub const UNITS_MAX: i64 = 1_000_000_000_000;

/// Orders that wait at one time, at most.
pub const ORDERS_MAX: usize = 1_000;

/// Bars that a plan is evaluated for at a time: a column per node stays in the cache.
const BLOCK: usize = 1_024;
