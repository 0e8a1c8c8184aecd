//! Statistics of trades and of bars over whole columns.

use super::samples::{currency, defined, downside, mean, ratio, seconds_between, spread_of};
use fx_analytics::{CostTotals, PerBar, TradeStats};
use fx_domain::{Granularity, NANOS_PER_DAY, Trade};

const SECONDS_PER_HOUR: f64 = 3_600.0;
const DAYS_PER_YEAR: f64 = 365.0;

#[derive(Clone, Copy, Debug)]
pub(super) struct PerBarInput<'a> {
    pub(super) equity: &'a [f64],
    pub(super) initial_capital: f64,
    pub(super) closes: &'a [f64],
    pub(super) granularity: Granularity,
}

pub(super) fn per_bar(input: &PerBarInput<'_>) -> PerBar {
    let PerBarInput { equity, initial_capital, closes, granularity } = *input;
    let bars_a_year = ratio(DAYS_PER_YEAR * NANOS_PER_DAY as f64, granularity.nominal_nanos() as f64);
    let Some(last) = equity.last() else { return PerBar::default() };
    let mut returns = Vec::with_capacity(equity.len());
    let (mut previous, mut peak, mut deepest) = (initial_capital, initial_capital, 0.0f64);
    for value in equity {
        returns.push(value / previous - 1.0);
        peak = peak.max(*value);
        deepest = deepest.max(1.0 - value / peak);
        previous = *value;
    }
    let total = last / initial_capital;
    let annual = bars_a_year.and_then(|bars| defined(libm::pow(total, bars / equity.len() as f64) - 1.0));
    let (gains, losses) = returns.iter().fold((0.0, 0.0), |(gains, losses), value| {
        if *value > 0.0 { (gains + value, losses) } else { (gains, losses - value) }
    });
    let year = bars_a_year.map(f64::sqrt);
    let scaled_mean = mean(&returns).zip(year).map(|(mean, year)| mean * year);
    let deviation = spread_of(&returns);
    let benchmark = closes.first().zip(closes.last()).and_then(|(first, last)| ratio(*last, *first));
    PerBar {
        total_return_pct: defined((total - 1.0) * 100.0),
        benchmark_return_pct: benchmark.map(|value| (value - 1.0) * 100.0),
        max_drawdown_pct: defined(deepest * 100.0),
        annualized_return: annual,
        annualized_volatility: deviation.zip(year).map(|(deviation, year)| deviation * year),
        sharpe_ratio: scaled_mean.zip(deviation).and_then(|(mean, deviation)| ratio(mean, deviation)),
        sortino_ratio: scaled_mean.zip(downside(&returns)).and_then(|(mean, below)| ratio(mean, below)),
        calmar_ratio: annual.and_then(|annual| ratio(annual, deepest)),
        omega_ratio: ratio(gains, losses),
    }
}

/// Exact sums over closed trades, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) wins: u64,
    pub(super) losses: u64,
    pub(super) ambiguous: u64,
    pub(super) gains: i128,
    pub(super) lost: i128,
    spread: i128,
    commission: i128,
    slippage: i128,
    financing: i128,
}

impl Sums {
    pub(super) fn of(trades: &[Trade]) -> Self {
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

    pub(super) fn costs(&self) -> CostTotals {
        CostTotals {
            spread: currency(self.spread),
            commission: currency(self.commission),
            slippage: currency(self.slippage),
            financing: currency(self.financing),
        }
    }
}

/// Durations in hours, gains in the account currency and in percent of the entry's notional.
pub(super) fn trade_stats(trades: &[Trade]) -> TradeStats {
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
