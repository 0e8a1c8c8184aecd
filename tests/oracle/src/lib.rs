//! The strategy language once more, as plainly as it can be said: what every source means at every bar.
//!
//! The compiler turns a source into a plan and the engine evaluates the plan in columns. This interpreter does neither.
//! It walks the syntax tree again at each bar, keeps every value that was ever needed, and computes each indicator from
//! its whole history by its definition. It is slow, and it is meant to be read: where the compiler and the engine
//! answer otherwise, one of them is wrong, and the tests of this crate print the strategy.
//!
//! ```
//! use fx_domain::{Bar, Bars, Ohlc, Price, QuoteSide, UnixNanos};
//! use oracle::{Account, Decision, Market, Strategy};
//!
//! let source = "
//! class Higher(Strategy):
//!     def analyze(self, data):
//!         if data.close > data.close[-2]:
//!             return close()
//! ";
//! let mut bars = Bars::empty(Some(QuoteSide::Bid));
//! for (minute, price) in [(0, 11), (1, 12), (2, 12)] {
//!     let bid = Ohlc::flat(Price::from_nanos(price * 100_000_000));
//!     bars.push(Bar { time: UnixNanos::new(minute * 60_000_000_000), bid, ask: None, volume: 1 });
//! }
//! let market = Market::new(&bars, 0);
//! let closes = Strategy::parse(source)?.run(&market, 0, &[Account::flat(10_000.0); 3])?;
//! let decided: Vec<_> = closes.iter().map(|close| close.decisions.len()).collect();
//! assert_eq!(decided, [0, 1, 0]);
//! assert_eq!(closes[1].decisions, [Decision::Close]);
//! # Ok::<(), anyhow::Error>(())
//! ```
//!
//! Invariants:
//! - Every expression that remembers is met once at every bar, under the same `Site`: both ways of a
//!   choice are walked, and so are the lines behind a return that may not have happened.
//! - A number is `f64` and is computed in the order that the definition states; an undefined one is `None`.
//!
//! What this crate must not know: the plan, the compiler that makes it, the engine that evaluates it. What becomes of a
//! decision is not known here either: position and account are given.

mod arithmetic;
mod call;
mod decision;
mod expression;
mod helper;
mod indicator;
mod market;
mod memory;
mod names;
mod scan;
mod series;
mod sessions;
mod source;
mod state;
mod statement;
mod told;
mod value;

pub use decision::{Decision, Entry, Exact, Exits, Expiry, Level, Measure, Side, Ticket};
pub use market::{Account, Market};
pub use source::{Parameter, Strategy};
pub use told::Told;

use anyhow::Result;
use memory::Memory;
use statement::{Frame, Names};

/// What a strategy says at the close of one bar.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Close {
    /// What it decides, in order.
    pub decisions: Vec<Decision>,
    /// What it records, undefined where nothing is recorded at this bar.
    pub recordings: Vec<(String, Option<Exact>)>,
}

impl Strategy {
    /// What the strategy says at each bar of `market`: bars before `first_decision` warm it up and are silent.
    ///
    /// `accounts` are the position and the account after all fills of each bar.
    ///
    /// # Errors
    /// When the source is not in the language: sources that compile are.
    pub fn run(&self, market: &Market, first_decision: usize, accounts: &[Account]) -> Result<Vec<Close>> {
        let (mut memory, mut states) = (Memory::default(), self.initial_states());
        let mut closes = Vec::with_capacity(market.len());
        for (bar, account) in accounts.iter().enumerate().take(market.len()) {
            let now = Now { market, bar, first_decision, account };
            let begun = state::begun(&states);
            let walk = Interpreter {
                strategy: self,
                now,
                memory: &mut memory,
                states: begun,
                recordings: Vec::new(),
            };
            let (close, left) = walk.close()?;
            // The warm-up leaves the states as they are: how long it is does not show in them.
            if bar < first_decision {
                closes.push(Close::default());
            } else {
                closes.push(close);
                states = left;
            }
        }
        Ok(closes)
    }
}

/// What can be seen at the close of a bar.
#[derive(Clone, Copy)]
struct Now<'a> {
    market: &'a Market,
    bar: usize,
    first_decision: usize,
    account: &'a Account,
}

/// One walk through `analyze`, at one bar.
struct Interpreter<'a> {
    strategy: &'a Strategy,
    now: Now<'a>,
    memory: &'a mut Memory,
    /// What the strategy's states are at this place of the walk.
    states: Names,
    recordings: Vec<(String, Option<Exact>)>,
}

impl Interpreter<'_> {
    /// A return counts where it is reached for certain: an undefined way there decides nothing.
    fn close(mut self) -> Result<(Close, Names)> {
        let mut frame = Frame::of_analyze(self.strategy)?;
        self.block(&mut frame, self.strategy.analyze()?)?;
        self.leave(frame.path.is_some(), &frame.returns);
        let mut decisions = Vec::new();
        for returned in frame.returns {
            if returned.way.now == Some(true) {
                decisions.extend(decision::taken(returned.value)?);
            }
        }
        Ok((Close { decisions, recordings: self.recordings }, self.states))
    }
}
