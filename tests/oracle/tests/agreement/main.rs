//! The compiler and the engine decide and record what the oracle does: random strategies on random bars, and every
//! strategy and example of the project on real ones.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod compare;
mod grammar;
mod indicators;
mod markets;
mod print;
mod random;
mod real;
