//! The six peer services: clients over HTTP, and what stands in for a peer that has no URL.
//!
//! Invariants:
//! - Only calls that change nothing at the peer are repeated.
//! - Every call has a time limit, every answer a size limit; redirects are refused, for they would carry the key along.
//! - A peer that failed too often in a row is not asked until its breaker's time is over.
//! - What cannot be checked is refused: no answer of the risk service ever becomes an approval by default.
//! - No key and no URL reaches a log line, an error or a health message: `/health` needs no key.
//!
//! What this crate must not know: storage, routes, the environment.

mod breaker;
mod client;
mod embedded_risk;
mod error;
mod health;
mod http_risk;
mod peers;

pub use embedded_risk::EmbeddedRisk;
pub use error::PeersError;
pub use http_risk::HttpRisk;
pub use peers::connect;
