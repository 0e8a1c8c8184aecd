//! Statistics of single trades.

use crate::numbers::{Summary, currency, seconds_between};
use crate::report::{CostTotals, TradeStats};
use fx_domain::{NANOS_PER_HOUR, NANOS_PER_SECOND, Trade};
use serde::{Deserialize, Serialize};

const SECONDS_PER_HOUR: f64 = (NANOS_PER_HOUR / NANOS_PER_SECOND) as f64;

/// Exact sums over closed trades, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sums {
    pub(crate) trades: u64,
    pub(crate) wins: u64,
    pub(crate) losses: u64,
    pub(crate) ambiguous: u64,
    pub(crate) gains: i128,
    pub(crate) lost: i128,
    spread: i128,
    commission: i128,
    slippage: i128,
    financing: i128,
}

impl Sums {
    pub(crate) fn add(&mut self, trade: &Trade) {
        let profit = i128::from(trade.profit_loss.micros());
        self.trades += 1;
        if profit > 0 {
            self.wins += 1;
            self.gains += profit;
        } else if profit < 0 {
            self.losses += 1;
            self.lost -= profit;
        }
        self.ambiguous += u64::from(trade.ambiguous);
        self.spread += i128::from(trade.costs.spread_micros);
        self.commission += i128::from(trade.costs.commission_micros);
        self.slippage += i128::from(trade.costs.slippage_micros);
        self.financing += i128::from(trade.costs.financing_micros);
    }

    pub(crate) fn costs(&self) -> CostTotals {
        CostTotals {
            spread: currency(self.spread),
            commission: currency(self.commission),
            slippage: currency(self.slippage),
            financing: currency(self.financing),
        }
    }
}

/// Trades of one sign of gain: the gains in the account currency and in percent of the entry's notional, and how many
/// came in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Side {
    money: Summary,
    percent: Summary,
    run: u64,
    longest_run: u64,
}

impl Side {
    fn add(&mut self, trade: &Trade) {
        self.money.add(trade.profit_loss.to_f64());
        self.percent.add(trade.return_fraction() * 100.0);
        self.run += 1;
        self.longest_run = self.longest_run.max(self.run);
    }
}

/// Takes durations in hours and gains by sign. A trade of exactly zero is of neither, and ends every run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct TradeSums {
    hours: Summary,
    wins: Side,
    losses: Side,
}

impl TradeSums {
    pub(crate) fn add(&mut self, trade: &Trade) {
        self.hours.add(seconds_between(trade.entry_time, trade.exit_time) / SECONDS_PER_HOUR);
        let sign = trade.profit_loss.micros().signum();
        for (side, own) in [(&mut self.wins, 1), (&mut self.losses, -1)] {
            if sign == own {
                side.add(trade);
            } else {
                side.run = 0;
            }
        }
    }

    pub(crate) fn finish(self) -> TradeStats {
        let Self { hours, wins, losses } = self;
        TradeStats {
            avg_trade_duration: hours.mean(),
            max_trade_duration: hours.highest(),
            min_trade_duration: hours.lowest(),
            avg_profit: wins.money.mean(),
            avg_loss: losses.money.mean(),
            max_profit: wins.money.highest(),
            max_loss: losses.money.lowest(),
            avg_profit_pct: wins.percent.mean(),
            avg_loss_pct: losses.percent.mean(),
            max_profit_pct: wins.percent.highest(),
            max_loss_pct: losses.percent.lowest(),
            consecutive_wins: wins.longest_run,
            consecutive_losses: losses.longest_run,
        }
    }
}
