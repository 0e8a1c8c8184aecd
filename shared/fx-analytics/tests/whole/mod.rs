//! The same statistics the plain way, for the tests: over the whole run in memory, in as many passes as a definition has.

mod comparable;
mod drawdowns;
mod samples;
mod trades;

use comparable::{ComparableInput, comparable};
use drawdowns::drawdown_stats;
use fx_analytics::{ComparableTrade, MarginFigures, Metrics, RatioBasis, Report, TradeBars};
use fx_domain::{EquityCurve, Granularity, Money, Price, Trade, UnixNanos};
use samples::{currency, defined, downside, mean, ratio, seconds_between, spread_of};
use std::collections::BTreeMap;
use trades::{PerBarInput, Sums, per_bar, trade_stats};

const DAYS_PER_YEAR: f64 = 252.0;
const WEEKS_PER_YEAR: f64 = 52.0;
const DAILY_SAMPLING: &str = "equity at 17:00 New York";
const WEEKLY_SAMPLING: &str = "equity at the end of each week";

/// A finished run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole<'a> {
    pub(crate) trades: &'a [Trade],
    pub(crate) equity: &'a EquityCurve,
    pub(crate) initial_capital: Money,
    pub(crate) final_balance: Money,
    pub(crate) closes: &'a [Price],
    pub(crate) first_decision: usize,
    pub(crate) granularity: Granularity,
    pub(crate) trade_bars: TradeBars,
    pub(crate) margin: MarginFigures,
}

pub(crate) fn report(run: &Whole<'_>) -> Report {
    let bars = run.equity.times.len().min(run.equity.micros.len());
    let (times, micros) = (&run.equity.times[..bars], &run.equity.micros[..bars]);
    let drawdowns = drawdown_stats(micros, times, run.initial_capital.micros());
    let days: Vec<i64> =
        samples::trading_days(times, run.granularity).iter().map(|index| micros[*index]).collect();
    let ratios = Ratios::of(&days, run.initial_capital.micros(), drawdowns.max_drawdown, run.granularity);
    let equity: Vec<f64> = micros.iter().map(|micros| currency((*micros).into())).collect();
    let closes: Vec<f64> = run.closes.iter().map(|close| close.to_f64()).collect();
    let trades: Vec<ComparableTrade> =
        run.trades.iter().map(|trade| comparable_trade(trade, run.trade_bars, times)).collect();
    Report {
        metrics: metrics(run, micros, drawdowns.max_drawdown),
        sharpe_ratio: ratios.sharpe,
        sortino_ratio: ratios.sortino,
        calmar_ratio: ratios.calmar,
        ratio_basis: ratios.basis,
        trade_stats: trade_stats(run.trades),
        drawdown_stats: drawdowns,
        monthly_returns: monthly_returns(run, bars),
        comparable: comparable(&ComparableInput {
            times,
            equity: &equity,
            closes: &closes,
            trades: &trades,
            first_decision: run.first_decision.min(bars.saturating_sub(1)),
            granularity: run.granularity,
        }),
        per_bar: per_bar(&PerBarInput {
            equity: &equity,
            initial_capital: run.initial_capital.to_f64(),
            closes: &closes,
            granularity: run.granularity,
        }),
    }
}

fn comparable_trade(trade: &Trade, bars: TradeBars, times: &[UnixNanos]) -> ComparableTrade {
    let index = |bar: u64, time: UnixNanos| match bars {
        TradeBars::OfEquity => usize::try_from(bar).unwrap_or(usize::MAX),
        // The last bar that had opened by then.
        TradeBars::OfInstrument => times.partition_point(|open| *open <= time).saturating_sub(1),
    };
    ComparableTrade {
        entry_bar: index(trade.entry_bar, trade.entry_time),
        exit_bar: index(trade.exit_bar, trade.exit_time),
        seconds: seconds_between(trade.entry_time, trade.exit_time),
        profit: trade.profit_loss.to_f64(),
        return_fraction: trade.return_fraction(),
        commission: currency(trade.costs.commission_micros.into()),
    }
}

fn metrics(run: &Whole<'_>, micros: &[i64], max_drawdown: f64) -> Metrics {
    let sums = Sums::of(run.trades);
    let initial = run.initial_capital.micros();
    let last = micros.last().copied().unwrap_or(run.final_balance.micros());
    let net = i128::from(last) - i128::from(initial);
    // The contract has no null here: without capital there is no return, and 0 is what was gained.
    let net_pct = ratio(net as f64 * 100.0, initial as f64).unwrap_or(0.0);
    let trades = run.trades.len() as f64;
    Metrics {
        total_trades: run.trades.len() as u64,
        winning_trades: sums.wins,
        losing_trades: sums.losses,
        win_rate: ratio(sums.wins as f64, trades),
        profit_factor: ratio(sums.gains as f64, sums.lost as f64),
        net_profit: currency(net),
        net_profit_pct: net_pct,
        max_drawdown,
        expectancy: ratio(currency(sums.gains - sums.lost), trades),
        gross_profit: currency(sums.gains),
        gross_loss: currency(sums.lost),
        avg_profit: ratio(currency(sums.gains), sums.wins as f64),
        avg_loss: ratio(-currency(sums.lost), sums.losses as f64),
        final_balance: run.final_balance.to_f64(),
        final_equity: currency(last.into()),
        return_pct: net_pct,
        costs: sums.costs(),
        ambiguous_trades: sums.ambiguous,
        stop_outs: run.margin.stop_outs,
        margin_calls: run.margin.margin_calls,
        lowest_margin_level_pct: run.margin.lowest_level_pct.and_then(defined),
    }
}

struct Ratios {
    sharpe: Option<f64>,
    sortino: Option<f64>,
    calmar: Option<f64>,
    basis: RatioBasis,
}

impl Ratios {
    /// The first sample's return is from the initial capital, so that the returns compound to the run's. A sample at or
    /// below zero leaves the ratios undefined: from there on a return has no meaning.
    fn of(samples: &[i64], initial_micros: i64, max_drawdown: f64, granularity: Granularity) -> Self {
        let (year, sampling) = match granularity {
            Granularity::W1 => (WEEKS_PER_YEAR, WEEKLY_SAMPLING),
            _ => (DAYS_PER_YEAR, DAILY_SAMPLING),
        };
        let count = samples.len() as u64;
        let basis = RatioBasis { daily_returns: count, days_per_year: year, sampling: sampling.to_owned() };
        let undefined = Self { sharpe: None, sortino: None, calmar: None, basis: basis.clone() };
        if initial_micros <= 0 || samples.len() < 2 || samples.iter().any(|micros| *micros <= 0) {
            return undefined;
        }
        let mut previous = initial_micros as f64;
        let mut returns = Vec::with_capacity(samples.len());
        for micros in samples {
            returns.push(*micros as f64 / previous - 1.0);
            previous = *micros as f64;
        }
        let total = previous / initial_micros as f64;
        let annual = defined(libm::pow(total, year / returns.len() as f64) - 1.0);
        let Some(mean) = mean(&returns) else { return undefined };
        let root = year.sqrt();
        Self {
            sharpe: spread_of(&returns).and_then(|deviation| ratio(mean * root, deviation)),
            sortino: downside(&returns).and_then(|deviation| ratio(mean * root, deviation)),
            calmar: annual.and_then(|annual| ratio(annual * 100.0, max_drawdown)),
            basis,
        }
    }
}

/// Percent by month of the bars' closes; the first month's from the initial capital, so that the months compound to the
/// run's return. From equity at or below zero on, months are left out: a return of nothing is undefined.
fn monthly_returns(run: &Whole<'_>, bars: usize) -> BTreeMap<String, f64> {
    let mut returns = BTreeMap::new();
    let mut before = run.initial_capital.micros();
    for ((year, month), index) in samples::months(&run.equity.times[..bars], run.granularity) {
        if before <= 0 {
            break;
        }
        let after = run.equity.micros[index];
        returns.insert(format!("{year:04}-{month:02}"), (after as f64 / before as f64 - 1.0) * 100.0);
        before = after;
    }
    returns
}
