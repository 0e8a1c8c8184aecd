//! The statistics of backtesting.py over whole columns.

use super::samples::{
    calendar_periods, changes, defined, downside, geometric_mean, mean, ratio, seconds_between, spread_of,
    variance, weekday,
};
use fx_analytics::{Comparable, ComparableTrade};
use fx_domain::{Granularity, UnixNanos};

#[derive(Clone, Copy, Debug)]
pub(super) struct ComparableInput<'a> {
    pub(super) times: &'a [UnixNanos],
    pub(super) equity: &'a [f64],
    pub(super) closes: &'a [f64],
    pub(super) trades: &'a [ComparableTrade],
    pub(super) first_decision: usize,
    pub(super) granularity: Granularity,
}

pub(super) fn comparable(input: &ComparableInput<'_>) -> Comparable {
    let bars = input.times.len().min(input.equity.len());
    let closes = if input.closes.len() >= bars { &input.closes[..bars] } else { &[] };
    let input =
        ComparableInput { times: &input.times[..bars], equity: &input.equity[..bars], closes, ..*input };
    let mut stats = Comparable { trades: input.trades.len() as u64, ..Comparable::default() };
    of_trades(&mut stats, input.trades, input.granularity);
    if bars > 0 {
        stats.exposure_time_pct = exposure(input.trades, bars);
        of_equity(&mut stats, &input);
        of_daily_returns(&mut stats, &input);
        of_price(&mut stats, &input);
    }
    stats
}

fn percent(fraction: f64) -> Option<f64> {
    defined(fraction * 100.0)
}

/// Seconds, rounded up to what the bars resolve: minutes, hours or days. Quotes resolve every instant.
fn round_up(seconds: f64, granularity: Granularity) -> f64 {
    let unit = match granularity {
        Granularity::Tick => return seconds,
        Granularity::M1 | Granularity::M5 | Granularity::M15 | Granularity::M30 => 60.0,
        Granularity::H1 | Granularity::H4 => 3_600.0,
        Granularity::D1 | Granularity::W1 => 86_400.0,
    };
    (seconds / unit).ceil() * unit
}

/// Bars covered by trades, counted once, by adding up the changes of the number of open trades.
fn exposure(trades: &[ComparableTrade], bars: usize) -> Option<f64> {
    let mut change = vec![0i32; bars + 1];
    for trade in trades.iter().filter(|trade| trade.entry_bar < bars) {
        change[trade.entry_bar] += 1;
        change[trade.exit_bar.min(bars - 1).max(trade.entry_bar) + 1] -= 1;
    }
    let (mut open, mut exposed) = (0, 0u64);
    for step in &change[..bars] {
        open += step;
        exposed += u64::from(open > 0);
    }
    percent(exposed as f64 / bars as f64)
}

fn of_trades(stats: &mut Comparable, trades: &[ComparableTrade], granularity: Granularity) {
    let column = |value: fn(&ComparableTrade) -> f64| -> Vec<f64> { trades.iter().map(value).collect() };
    let returns = column(|trade| trade.return_fraction);
    let profits = column(|trade| trade.profit);
    let seconds = column(|trade| trade.seconds);
    let sum_where =
        |keep: fn(f64) -> bool| -> f64 { returns.iter().copied().filter(|value| keep(*value)).sum() };
    let count = trades.len() as f64;
    let wins: Vec<f64> = profits.iter().copied().filter(|profit| *profit > 0.0).collect();
    let losses: Vec<f64> = profits.iter().copied().filter(|profit| *profit < 0.0).collect();
    let win_rate = ratio(wins.len() as f64, count);
    stats.commissions = Some(trades.iter().map(|trade| trade.commission).sum());
    stats.win_rate_pct = win_rate.and_then(percent);
    stats.best_trade_pct = returns.iter().copied().reduce(f64::max).and_then(percent);
    stats.worst_trade_pct = returns.iter().copied().reduce(f64::min).and_then(percent);
    stats.avg_trade_pct = geometric_mean(&returns).and_then(percent);
    stats.expectancy_pct = mean(&returns).and_then(percent);
    let longest = seconds.iter().copied().reduce(f64::max);
    stats.max_trade_duration_seconds = longest.map(|value| round_up(value, granularity));
    stats.avg_trade_duration_seconds = mean(&seconds).map(|value| round_up(value, granularity));
    stats.profit_factor = ratio(sum_where(|value| value > 0.0), -sum_where(|value| value < 0.0));
    stats.sqn = mean(&profits)
        .zip(spread_of(&profits))
        .and_then(|(mean, deviation)| ratio(count.sqrt() * mean, deviation));
    stats.kelly_criterion = match (win_rate, mean(&wins), mean(&losses)) {
        (Some(rate), Some(win), Some(loss)) => defined(rate - (1.0 - rate) / (win / -loss)),
        _ => None,
    };
}

fn of_equity(stats: &mut Comparable, input: &ComparableInput<'_>) {
    let ComparableInput { times, equity, granularity, .. } = *input;
    let (first, last) = (equity[0], equity[equity.len() - 1]);
    stats.equity_final = defined(last);
    stats.equity_peak = equity.iter().copied().reduce(f64::max).and_then(defined);
    stats.return_pct = percent(last / first - 1.0);
    let years = seconds_between(times[0], times[times.len() - 1]).trunc() / 86_400.0 / 365.25;
    stats.cagr_pct = if years > 0.0 { percent(libm::pow(last / first, 1.0 / years) - 1.0) } else { None };

    // A fall lasts from one bar at the peak to the next, or to the last bar, and counts when they are not neighbours.
    let (mut peak, mut deepest, mut depth, mut start) = (f64::NEG_INFINITY, 0.0f64, 0.0f64, 0);
    let (mut depths, mut durations) = (Vec::new(), Vec::new());
    for (index, &value) in equity.iter().enumerate() {
        let at_peak = value >= peak;
        peak = peak.max(value);
        depth = depth.max(1.0 - value / peak);
        deepest = deepest.max(depth);
        if at_peak || index + 1 == equity.len() {
            if index > start + 1 {
                depths.push(depth);
                durations.push(seconds_between(times[start], times[index]));
            }
            (start, depth) = (index, 0.0);
        }
    }
    stats.max_drawdown_pct = percent(-deepest);
    stats.avg_drawdown_pct = mean(&depths).and_then(|depth| percent(-depth));
    let longest = durations.iter().copied().reduce(f64::max);
    stats.max_drawdown_duration_seconds = longest.map(|seconds| round_up(seconds, granularity));
    stats.avg_drawdown_duration_seconds = mean(&durations).map(|seconds| round_up(seconds, granularity));
}

/// Share of bars on Saturday and Sunday above which backtesting.py takes the market to trade on weekends.
const WEEKEND_SHARE: f64 = 2.0 / 7.0 * 0.6;

fn periods_per_year(times: &[UnixNanos], granularity: Granularity) -> f64 {
    if granularity == Granularity::W1 {
        return 52.0;
    }
    let weekend = times.iter().filter(|time| weekday(**time) >= 5).count();
    if weekend as f64 / times.len() as f64 > WEEKEND_SHARE { 365.0 } else { 252.0 }
}

fn of_daily_returns(stats: &mut Comparable, input: &ComparableInput<'_>) {
    let ComparableInput { times, equity, granularity, .. } = *input;
    let days: Vec<f64> = calendar_periods(times, granularity).iter().map(|index| equity[*index]).collect();
    let returns = changes(&days);
    let year = periods_per_year(times, granularity);
    let Some(daily) = geometric_mean(&returns) else { return };
    let annual = libm::pow(1.0 + daily, year) - 1.0;
    stats.return_ann_pct = percent(annual);
    let volatility = spread_of(&returns).and_then(|_| variance(&returns)).map(|variance| {
        let squared = (1.0 + daily) * (1.0 + daily);
        (libm::pow(variance + squared, year) - libm::pow(squared, year)).sqrt()
    });
    stats.volatility_ann_pct = volatility.and_then(percent);
    stats.sharpe_ratio = volatility.and_then(|volatility| ratio(annual, volatility));
    stats.sortino_ratio = downside(&returns).and_then(|deviation| ratio(annual, deviation * year.sqrt()));
    stats.calmar_ratio = stats.max_drawdown_pct.and_then(|depth| ratio(annual, -depth / 100.0));
}

fn of_price(stats: &mut Comparable, input: &ComparableInput<'_>) {
    let ComparableInput { equity, closes, first_decision, .. } = *input;
    let held = closes.get(first_decision.saturating_sub(1)).zip(closes.last());
    stats.buy_and_hold_return_pct = held.and_then(|(from, to)| percent(to / from - 1.0));
    if closes.len() < 2 {
        return;
    }
    // Log returns telescope, so their means need no pass of their own.
    let steps = (closes.len() - 1) as f64;
    let mean_of = |values: &[f64]| libm::log(values[values.len() - 1] / values[0]) / steps;
    let (own_mean, market_mean) = (mean_of(equity), mean_of(closes));
    let (mut covariance, mut market_variance) = (0.0, 0.0);
    for (own, market) in equity.windows(2).zip(closes.windows(2)) {
        let (own, market) = (log_return(own) - own_mean, log_return(market) - market_mean);
        covariance += own * market;
        market_variance += market * market;
    }
    stats.beta = ratio(covariance, market_variance);
    stats.alpha_pct = match (stats.return_pct, stats.beta, stats.buy_and_hold_return_pct) {
        (Some(own), Some(beta), Some(held)) => defined(own - beta * held),
        _ => None,
    };
}

/// The log of the second over the first; bars without a change, which are many, need no logarithm.
fn log_return(pair: &[f64]) -> f64 {
    if pair[0].to_bits() == pair[1].to_bits() { 0.0 } else { libm::log(pair[1] / pair[0]) }
}
