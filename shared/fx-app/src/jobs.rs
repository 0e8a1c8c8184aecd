//! Long work: jobs that are cut into chunks, which any number of workers do, in any order, twice where it happens so. The
//! result is that of one process.
//!
//! The store is the truth, messages are hints: whoever sees that something is due ([`plan_actions`]) does it by a
//! conditional write, and nobody waits for anybody.

pub mod protocol;

mod actions;

pub use actions::{Action, plan_actions};
