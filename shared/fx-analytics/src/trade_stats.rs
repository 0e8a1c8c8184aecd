//! Statistics of single trades.

use crate::numbers::{currency, mean, seconds_between};
use crate::report::{CostTotals, TradeStats};
use fx_domain::{NANOS_PER_HOUR, NANOS_PER_SECOND, Trade};

const SECONDS_PER_HOUR: f64 = (NANOS_PER_HOUR / NANOS_PER_SECOND) as f64;

/// Exact sums over closed trades, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
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
    pub(crate) fn of(trades: &[Trade]) -> Self {
        let mut sums = Self::default();
        for trade in trades {
            let profit = i128::from(trade.profit_loss.micros());
            if profit > 0 {
                sums.wins += 1;
                sums.gains += profit;
            } else if profit < 0 {
                sums.losses += 1;
                sums.lost -= profit;
            }
            sums.ambiguous += u64::from(trade.ambiguous);
            sums.spread += i128::from(trade.costs.spread_micros);
            sums.commission += i128::from(trade.costs.commission_micros);
            sums.slippage += i128::from(trade.costs.slippage_micros);
            sums.financing += i128::from(trade.costs.financing_micros);
        }
        sums
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

/// Durations in hours, gains in the account currency and in percent of the entry's notional.
pub(crate) fn trade_stats(trades: &[Trade]) -> TradeStats {
    let hours: Vec<f64> = trades
        .iter()
        .map(|trade| seconds_between(trade.entry_time, trade.exit_time) / SECONDS_PER_HOUR)
        .collect();
    let pick = |sign: i64, value: fn(&Trade) -> f64| -> Vec<f64> {
        let same = trades.iter().filter(|trade| trade.profit_loss.micros().signum() == sign);
        same.map(value).collect()
    };
    let money = |trade: &Trade| trade.profit_loss.to_f64();
    let percent = |trade: &Trade| trade.return_fraction() * 100.0;
    let (wins, losses) = (pick(1, money), pick(-1, money));
    let (wins_pct, losses_pct) = (pick(1, percent), pick(-1, percent));
    let highest = |values: &[f64]| values.iter().copied().reduce(f64::max);
    let lowest = |values: &[f64]| values.iter().copied().reduce(f64::min);
    TradeStats {
        avg_trade_duration: mean(&hours),
        max_trade_duration: highest(&hours),
        min_trade_duration: lowest(&hours),
        avg_profit: mean(&wins),
        avg_loss: mean(&losses),
        max_profit: highest(&wins),
        max_loss: lowest(&losses),
        avg_profit_pct: mean(&wins_pct),
        avg_loss_pct: mean(&losses_pct),
        max_profit_pct: highest(&wins_pct),
        max_loss_pct: lowest(&losses_pct),
        consecutive_wins: longest_run(trades, 1),
        consecutive_losses: longest_run(trades, -1),
    }
}

/// The longest run of trades whose gain has this sign; a trade of exactly zero ends every run.
fn longest_run(trades: &[Trade], sign: i64) -> u64 {
    let (mut run, mut longest) = (0, 0);
    for trade in trades {
        run = if trade.profit_loss.micros().signum() == sign { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}
