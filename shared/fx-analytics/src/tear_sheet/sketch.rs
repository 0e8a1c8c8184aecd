//! What the page draws and lists of a run, gathered as the run comes.

use super::outline::Outline;
use super::{TRADE_ROWS_MAX, TRADES_DRAWN_MAX};
use crate::sampling::close_of;
use fx_domain::{Granularity, Instrument, Money, Trade, UnixNanos};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What a page draws of a run, in a size that hardly grows with it: outlines of three curves, the trades that are shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sketch {
    granularity: Granularity,
    pub(super) initial_capital: Money,
    /// When the first bar opened.
    pub(super) begins: Option<UnixNanos>,
    peak: f64,
    pub(super) equity: Outline,
    /// Fall of the equity from its peak, percent, zero or below.
    pub(super) fall: Outline,
    pub(super) closes: Outline,
    pub(super) trades: u64,
    /// Whether trades are of more than one instrument.
    mixed: bool,
    /// The first [`TRADE_ROWS_MAX`] trades.
    pub(super) listed: Vec<Trade>,
    /// The last [`TRADES_DRAWN_MAX`].
    pub(super) drawn: VecDeque<Trade>,
}

impl Sketch {
    pub(crate) fn new(initial_capital: Money, granularity: Granularity) -> Self {
        Self {
            granularity,
            initial_capital,
            begins: None,
            peak: f64::NEG_INFINITY,
            equity: Outline::default(),
            fall: Outline::default(),
            closes: Outline::default(),
            trades: 0,
            mixed: false,
            listed: Vec::new(),
            drawn: VecDeque::new(),
        }
    }

    /// The next bars: their open times, equity at their closes in the account currency, and those closes or none.
    pub(crate) fn points(&mut self, times: &[UnixNanos], equity: &[f64], closes: &[f64]) {
        let initial = self.initial_capital.to_f64();
        if let (None, Some(first)) = (self.begins, times.first()) {
            // The curve begins with the capital at the first bar's open.
            self.begins = Some(*first);
            self.peak = initial;
            self.equity.extend([(*first, initial)].into_iter());
            self.fall.extend([(*first, 0.0)].into_iter());
        }
        let granularity = self.granularity;
        let ends = || times.iter().map(|time| close_of(*time, granularity));
        self.equity.extend(ends().zip(equity.iter().copied()));
        let mut peak = self.peak;
        self.fall.extend(ends().zip(equity.iter().map(|value| {
            peak = peak.max(*value);
            if peak > 0.0 { (value / peak - 1.0) * 100.0 } else { 0.0 }
        })));
        self.peak = peak;
        self.closes.extend(ends().zip(closes.iter().copied()));
    }

    /// The next trades, in order of exit.
    pub(crate) fn trades(&mut self, trades: &[Trade]) {
        self.listed.extend(trades.iter().take(TRADE_ROWS_MAX - self.listed.len()));
        let first = self.listed.first().map(|trade| trade.instrument);
        self.mixed |= trades.iter().any(|trade| Some(trade.instrument) != first);
        self.trades += trades.len() as u64;
        self.drawn.extend(&trades[trades.len().saturating_sub(TRADES_DRAWN_MAX)..]);
        self.drawn.drain(..self.drawn.len().saturating_sub(TRADES_DRAWN_MAX));
    }

    pub(super) fn shows_all_trades(&self) -> bool {
        self.drawn.len() as u64 == self.trades
    }

    /// Whether some trade is of another instrument than this.
    pub(super) fn has_others_than(&self, instrument: Instrument) -> bool {
        self.mixed || self.listed.first().is_some_and(|trade| trade.instrument != instrument)
    }
}
