//! What the tests of several crates share: [`contract`], the one suite that every adapter of a port must pass;
//! [`memory`], adapters without IO for tests of use-cases; [`fixtures`], records that are valid and distinct.
//!
//! Invariants:
//! - The suite knows only the ports: a property that one adapter cannot hold is a change of the port's docs, not of the suite.
//! - The suite runs against a store that already holds other data, and twice at once: every run has names of its own.
//! - The in-memory adapters are real adapters with the full contract, not mocks.
//!
//! What this crate must not know: any adapter but its own. It is a dev-dependency only.

pub mod contract;
pub mod fixtures;
pub mod memory;
