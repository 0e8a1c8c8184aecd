//! Use-cases, and the ports that they need.
//!
//! Invariants:
//! - A use-case names only ports: what stores the bytes, and what carried the request, is the host's choice.
//! - Every object has an owner; another principal's object does not exist for the caller.
//! - Time comes from [`ports::Clock`]; identifiers come from digests of owner, content and time.
//!
//! What this crate must not know: AWS, HTTP, SQL, Parquet, the environment.

pub mod backtests;
pub mod executions;
pub mod health;
pub mod jobs;
pub mod library;
pub mod peers;
pub mod ports;
pub mod records;
pub mod stored;
pub mod strategies;
pub mod validation;

mod app;
mod caller;
mod errors;
pub mod financing;
mod inputs;

pub use app::{App, Files, RunLimits, Services, Stores};
pub use caller::{Caller, Reach};
