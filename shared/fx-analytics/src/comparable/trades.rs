//! Returns, gains and durations of closed trades.

use super::{Comparable, ComparableTrade, round_up};
use crate::numbers::{Growth, Moments, Summary, defined, percent, ratio};
use fx_domain::Granularity;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct TradeReturns {
    returns: Summary,
    growth: Growth,
    /// Sums of the positive and of the negative returns, both zero or above.
    gained: f64,
    lost: f64,
    profits: Moments,
    wins: Summary,
    losses: Summary,
    seconds: Summary,
    commissions: f64,
}

impl TradeReturns {
    pub(super) fn add(&mut self, trade: &ComparableTrade) {
        self.returns.add(trade.return_fraction);
        self.growth.add(trade.return_fraction);
        if trade.return_fraction > 0.0 {
            self.gained += trade.return_fraction;
        } else if trade.return_fraction < 0.0 {
            self.lost -= trade.return_fraction;
        }
        self.profits.add(trade.profit);
        if trade.profit > 0.0 {
            self.wins.add(trade.profit);
        } else if trade.profit < 0.0 {
            self.losses.add(trade.profit);
        }
        self.seconds.add(trade.seconds);
        self.commissions += trade.commission;
    }

    pub(super) fn finish(&self, stats: &mut Comparable, granularity: Granularity) {
        let rounded = |seconds: Option<f64>| seconds.map(|seconds| round_up(seconds, granularity));
        let count = self.returns.count() as f64;
        let win_rate = ratio(self.wins.count() as f64, count);
        stats.trades = self.returns.count();
        stats.commissions = Some(self.commissions);
        stats.win_rate_pct = win_rate.and_then(percent);
        stats.best_trade_pct = self.returns.highest().and_then(percent);
        stats.worst_trade_pct = self.returns.lowest().and_then(percent);
        stats.avg_trade_pct = self.growth.mean().and_then(percent);
        stats.expectancy_pct = self.returns.mean().and_then(percent);
        stats.max_trade_duration_seconds = rounded(self.seconds.highest());
        stats.avg_trade_duration_seconds = rounded(self.seconds.mean());
        stats.profit_factor = ratio(self.gained, self.lost);
        stats.sqn = (self.profits.mean().zip(self.profits.deviation()))
            .and_then(|(mean, deviation)| ratio(count.sqrt() * mean, deviation));
        stats.kelly_criterion = match (win_rate, self.wins.mean(), self.losses.mean()) {
            (Some(rate), Some(win), Some(loss)) => defined(rate - (1.0 - rate) / (win / -loss)),
            _ => None,
        };
    }
}
