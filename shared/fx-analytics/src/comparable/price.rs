//! The run against its market: buy and hold, alpha, beta.

use super::Comparable;
use crate::numbers::{Slope, defined, log_changes, percent};
use serde::{Deserialize, Serialize};

/// Bars that are looked at together.
const BLOCK: usize = 512;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Market {
    /// Index of the close at which buy and hold begins: the one before the first decision.
    begins: usize,
    bars: usize,
    /// The close there, or the last so far, and the one before it.
    held: Option<f64>,
    held_before: Option<f64>,
    /// Equity and close of the last bar.
    last: Option<(f64, f64)>,
    /// Log returns of the equity over those of the price.
    returns: Slope,
}

impl Market {
    pub(super) fn new(first_decision: usize) -> Self {
        Self {
            begins: first_decision.saturating_sub(1),
            bars: 0,
            held: None,
            held_before: None,
            last: None,
            returns: Slope::default(),
        }
    }

    pub(super) fn points(&mut self, equity: &[f64], closes: &[f64]) {
        let mut logarithms = ([0.0; BLOCK], [0.0; BLOCK]);
        for (equity, closes) in equity.chunks(BLOCK).zip(closes.chunks(BLOCK)) {
            self.hold(closes);
            // The first bar has none before it, and no return.
            let skipped = usize::from(self.last.is_none());
            let (own_before, before) = self.last.unwrap_or((equity[0], closes[0]));
            let own = log_changes(own_before, &equity[skipped..], &mut logarithms.0);
            let market = log_changes(before, &closes[skipped..], &mut logarithms.1);
            for (own, market) in own.iter().zip(market) {
                self.returns.add(*own, *market);
            }
            self.last = Some((equity[equity.len() - 1], closes[closes.len() - 1]));
            self.bars += closes.len();
        }
    }

    fn hold(&mut self, closes: &[f64]) {
        for close in closes.iter().take((self.begins + 1).saturating_sub(self.bars)) {
            (self.held_before, self.held) = (self.held, Some(*close));
        }
    }

    /// Reads the return of what `stats` has so far.
    pub(super) fn finish(&self, stats: &mut Comparable) {
        let Some((_, last)) = self.last else { return };
        // A decision is possible on the last bar at the latest, so that a run too short for one is held over a bar.
        let reached = self.bars > self.begins + 1;
        let from = if reached { self.held } else { self.held_before.or(self.held) };
        stats.buy_and_hold_return_pct = from.and_then(|from| percent(last / from - 1.0));
        stats.beta = self.returns.value();
        stats.alpha_pct = match (stats.return_pct, stats.beta, stats.buy_and_hold_return_pct) {
            (Some(own), Some(beta), Some(held)) => defined(own - beta * held),
            _ => None,
        };
    }
}
