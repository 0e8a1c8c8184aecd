//! The statistics of backtesting.py 0.6.6, by its definitions, so that a run can be held against a run over there.
//!
//! Where the report proper defines a figure differently, `docs/STATISTICS.md` says how and why.

mod daily;
mod equity;
mod exposure;
mod price;
mod trades;

use daily::CalendarReturns;
use equity::Curve;
use exposure::Exposure;
use fx_domain::{Granularity, UnixNanos};
use price::Market;
use serde::{Deserialize, Serialize};
use trades::TradeReturns;

/// A closed trade, as far as these statistics look at it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ComparableTrade {
    /// Index of the entry bar in the equity.
    pub entry_bar: usize,
    /// Index of the exit bar in the equity.
    pub exit_bar: usize,
    /// Seconds from entry to exit.
    pub seconds: f64,
    /// Gain after commission, account currency.
    pub profit: f64,
    /// Gain as a fraction of the entry's notional.
    pub return_fraction: f64,
    /// Commission of entry and exit, account currency.
    pub commission: f64,
}

/// The statistics of backtesting.py, its names in snake case. `*_pct` in percent, durations in seconds rounded up to the
/// bars' resolution (minutes, hours or days; of quotes they are exact), drawdowns zero or below as it writes them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Comparable {
    /// Share of bars on which some closed trade was open, entry and exit bar included.
    pub exposure_time_pct: Option<f64>,
    /// Last equity.
    pub equity_final: Option<f64>,
    /// Highest equity.
    pub equity_peak: Option<f64>,
    /// Commissions of closed trades.
    pub commissions: Option<f64>,
    /// Last equity over first equity less one.
    pub return_pct: Option<f64>,
    /// Last close over the close before the first decision less one.
    pub buy_and_hold_return_pct: Option<f64>,
    /// Geometric mean of daily returns, compounded over 252 days (365 where weekends have bars, 52 weeks of weekly bars).
    pub return_ann_pct: Option<f64>,
    /// Volatility of daily returns, compounded over the same year.
    pub volatility_ann_pct: Option<f64>,
    /// Compound annual growth by calendar time, years of 365.25 days.
    pub cagr_pct: Option<f64>,
    /// `return_ann_pct / volatility_ann_pct`.
    pub sharpe_ratio: Option<f64>,
    /// Annual return over annualised downside deviation of daily returns.
    pub sortino_ratio: Option<f64>,
    /// Annual return over deepest drawdown.
    pub calmar_ratio: Option<f64>,
    /// `return − beta · buy and hold`, percent.
    pub alpha_pct: Option<f64>,
    /// Slope of the equity's log returns over the price's, per bar.
    pub beta: Option<f64>,
    /// Deepest fall, percent, zero or below.
    pub max_drawdown_pct: Option<f64>,
    /// Mean of the falls' depths, percent, zero or below.
    pub avg_drawdown_pct: Option<f64>,
    /// Longest time from a peak to its recovery or the end.
    pub max_drawdown_duration_seconds: Option<f64>,
    /// Mean time from a peak to its recovery or the end.
    pub avg_drawdown_duration_seconds: Option<f64>,
    /// Closed trades.
    pub trades: u64,
    /// Share of trades with a gain.
    pub win_rate_pct: Option<f64>,
    /// Largest return of a trade, of its entry's notional.
    pub best_trade_pct: Option<f64>,
    /// Smallest return of a trade.
    pub worst_trade_pct: Option<f64>,
    /// Geometric mean of the trades' returns.
    pub avg_trade_pct: Option<f64>,
    /// Longest trade.
    pub max_trade_duration_seconds: Option<f64>,
    /// Mean duration of trades.
    pub avg_trade_duration_seconds: Option<f64>,
    /// Sum of positive over sum of negative trade returns (fractions, not money).
    pub profit_factor: Option<f64>,
    /// Arithmetic mean of the trades' returns.
    pub expectancy_pct: Option<f64>,
    /// System quality number: `√trades · mean(profit) / deviation(profit)`.
    pub sqn: Option<f64>,
    /// Kelly's fraction: `W − (1 − W) / (mean win / mean loss)`.
    pub kelly_criterion: Option<f64>,
}

/// Takes what [`Comparable`] is made of, bar by bar and trade by trade.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparableRun {
    granularity: Granularity,
    curve: Curve,
    daily: CalendarReturns,
    market: Market,
    trades: TradeReturns,
    exposure: Exposure,
}

impl ComparableRun {
    /// Before the first bar. `first_decision` is the bar of the first possible decision: buy and hold begins at the
    /// close before it.
    #[must_use]
    pub fn new(first_decision: usize, granularity: Granularity) -> Self {
        Self {
            granularity,
            curve: Curve::default(),
            daily: CalendarReturns::new(granularity),
            market: Market::new(first_decision),
            trades: TradeReturns::default(),
            exposure: Exposure::default(),
        }
    }

    /// The next bars: their open times, equity at their closes in the account currency, and those closes. Without any
    /// closes buy and hold, alpha and beta are undefined.
    pub fn points(&mut self, times: &[UnixNanos], equity: &[f64], closes: &[f64]) {
        self.market.points(equity, closes);
        self.daily.points(times, equity);
        self.curve.points(times, equity);
    }

    /// The next trade in order of exit, after the points of its bars.
    pub fn trade(&mut self, trade: &ComparableTrade) {
        self.trades.add(trade);
        self.exposure.cover(trade.entry_bar, trade.exit_bar, self.curve.bars());
    }

    /// The statistics; undefined is `None`.
    #[must_use]
    pub fn finish(self) -> Comparable {
        let mut stats = Comparable::default();
        self.trades.finish(&mut stats, self.granularity);
        stats.exposure_time_pct = self.exposure.percent_of(self.curve.bars());
        self.curve.finish(&mut stats, self.granularity);
        self.daily.finish(&mut stats);
        self.market.finish(&mut stats);
        stats
    }
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
