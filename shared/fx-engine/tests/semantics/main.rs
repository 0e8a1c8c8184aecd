//! What the engine does with each order, cost and account, by hand-made bars and numbers that a reader can check.

#![allow(clippy::unwrap_used)]

mod clock;
mod costs;
mod entries;
mod expiry;
mod features;
mod feeds;
mod inside;
mod malformed;
mod margin;
mod positions;
mod rates;
mod rollover;
mod script;
mod sight;
mod sizes;
mod state;
mod trailing;
