//! From a run's rows, as they come, to its report.

use crate::PeriodReturns;
use crate::comparable::{ComparableRun, ComparableTrade};
use crate::drawdowns::Drawdowns;
use crate::monthly::MonthlyReturns;
use crate::numbers::{currency, defined, ratio, seconds_between};
use crate::per_bar::PerBarRun;
use crate::ratios::DailyReturns;
use crate::report::{Metrics, Report};
use crate::stamps::Stamps;
use crate::tear_sheet::Sketch;
use crate::trade_stats::{Sums, TradeSums};
use fx_domain::{Granularity, Money, Price, Trade, UnixNanos};
use serde::{Deserialize, Serialize};

/// Bars that are turned into floats at a time.
const BLOCK: usize = 1_024;

/// What is known of a run before its first bar.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStart {
    /// Capital before the first bar.
    pub initial_capital: Money,
    /// The bars' length: tells when a bar closes, and so to which day and month its equity belongs.
    pub granularity: Granularity,
    /// What the bar numbers of trades count.
    pub trade_bars: TradeBars,
    /// Index (in the equity) of the bar of the first possible decision: buy and hold begins at the close before it. A
    /// run that ends earlier is taken as if the last bar were that bar.
    pub first_decision: usize,
}

/// What is known of a run after its last bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunEnd {
    /// Realised capital.
    pub final_balance: Money,
    /// What the account's margin did.
    pub margin: MarginFigures,
}

/// What the bar numbers of trades count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TradeBars {
    /// The points of the equity: one instrument was traded.
    #[default]
    OfEquity,
    /// The bars of each trade's own instrument: the points of the equity are found by time.
    OfInstrument,
}

/// What the account's margin did in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MarginFigures {
    /// Times that the level fell to the stop-out.
    pub stop_outs: u64,
    /// Times that it fell to the margin call.
    pub margin_calls: u64,
    /// The lowest level seen with a position, percent.
    pub lowest_level_pct: Option<f64>,
}

/// Measures a run as its rows come, and keeps none of them but what a page shows.
///
/// It is a value: cloned or read back from its bytes it goes on to the same figures, and however the rows are cut into
/// calls they are the same bits. Amounts are in one currency, that of the initial capital.
///
/// What grows: a bit for each bar, for the time in the market. Of several instruments the clock is kept too, as stretches
/// of equal steps: 32 bytes for each gap between bars, 16 for each quote. Besides, months, and some thousand points of
/// each curve for each doubling of its length, and 16 bytes for each trading day, for its return.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    initial_capital: Money,
    last: Option<i64>,
    with_closes: Option<bool>,
    /// Where bars of trades are found by time.
    stamps: Option<Stamps>,
    ratios: DailyReturns,
    months: MonthlyReturns,
    drawdowns: Drawdowns,
    sums: Sums,
    trades: TradeSums,
    comparable: ComparableRun,
    per_bar: PerBarRun,
    sketch: Sketch,
}

impl Analysis {
    /// Before the first bar.
    #[must_use]
    pub fn new(start: RunStart) -> Self {
        let RunStart { initial_capital, granularity, trade_bars, first_decision } = start;
        let initial = initial_capital.micros();
        Self {
            initial_capital,
            last: None,
            with_closes: None,
            stamps: (trade_bars == TradeBars::OfInstrument).then(Stamps::default),
            ratios: DailyReturns::new(initial, granularity),
            months: MonthlyReturns::new(initial, granularity),
            drawdowns: Drawdowns::new(initial),
            sums: Sums::default(),
            trades: TradeSums::default(),
            comparable: ComparableRun::new(first_decision, granularity),
            per_bar: PerBarRun::new(initial_capital.to_f64(), granularity),
            sketch: Sketch::new(initial_capital, granularity),
        }
    }

    /// The next points of the equity, in millionths: stamped by the bars' opens, marked at their closes. `closes` are
    /// those of the same bars, or empty in all calls: without them buy and hold, alpha, beta and the benchmark are
    /// undefined and a page draws no prices.
    ///
    /// # Panics
    ///
    /// When the columns differ in length, or only some calls have closes.
    pub fn points(&mut self, times: &[UnixNanos], micros: &[i64], closes: &[Price]) {
        assert_eq!(times.len(), micros.len(), "each point of the equity has a time");
        if times.is_empty() {
            return;
        }
        assert!(closes.is_empty() || closes.len() == times.len(), "all bars have a close or none has");
        let with_closes = *self.with_closes.get_or_insert(!closes.is_empty());
        assert_eq!(with_closes, !closes.is_empty(), "all bars of a run have a close or none has");
        self.last = micros.last().copied();
        self.ratios.points(times, micros);
        self.months.points(times, micros);
        self.drawdowns.points(times, micros);
        if let Some(stamps) = &mut self.stamps {
            times.iter().for_each(|time| stamps.push(*time));
        }
        let money = |micros| Money::from_micros(micros, self.initial_capital.currency()).to_f64();
        let (mut equity, mut prices) = ([0.0; BLOCK], [0.0; BLOCK]);
        for (block, times) in times.chunks(BLOCK).enumerate() {
            let from = block * BLOCK;
            let equity = floats(&mut equity, &micros[from..from + times.len()], money);
            let prices =
                floats(&mut prices, closes.get(from..from + times.len()).unwrap_or_default(), Price::to_f64);
            self.per_bar.points(equity, prices);
            self.comparable.points(times, equity, prices);
            self.sketch.points(times, equity, prices);
        }
    }

    /// The next trades, in order of exit, after the points of the bars in which they ended.
    pub fn trades(&mut self, trades: &[Trade]) {
        for trade in trades {
            self.sums.add(trade);
            self.trades.add(trade);
            self.comparable.trade(&self.comparable_trade(trade));
        }
        self.sketch.trades(trades);
    }

    fn comparable_trade(&self, trade: &Trade) -> ComparableTrade {
        let index = |bar: u64, time: UnixNanos| match &self.stamps {
            None => usize::try_from(bar).unwrap_or(usize::MAX),
            Some(stamps) => stamps.index_at(time),
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

    /// The returns of the trading days so far, the one that goes on included. `None` where the initial capital is not
    /// above zero: there is nothing to measure a gain by.
    #[must_use]
    pub fn period_returns(&self) -> Option<PeriodReturns> {
        self.ratios.kept()
    }

    /// Every statistic of the run, and what a page draws of it. A run without bars has its capital, and undefined
    /// ratios.
    #[must_use]
    pub fn finish(self, end: RunEnd) -> (Report, Sketch) {
        let initial = self.initial_capital.micros();
        let last = self.last.unwrap_or(end.final_balance.micros());
        let drawdowns = self.drawdowns.finish();
        let ratios = self.ratios.finish(drawdowns.max_drawdown);
        let report = Report {
            metrics: metrics(&self.sums, initial, last, drawdowns.max_drawdown, end),
            sharpe_ratio: ratios.sharpe,
            sortino_ratio: ratios.sortino,
            calmar_ratio: ratios.calmar,
            ratio_basis: ratios.basis,
            trade_stats: self.trades.finish(),
            drawdown_stats: drawdowns,
            monthly_returns: self.months.finish(),
            comparable: self.comparable.finish(),
            per_bar: self.per_bar.finish(),
        };
        (report, self.sketch)
    }
}

/// `values` as floats, in a buffer of [`BLOCK`].
fn floats<'a, T: Copy>(buffer: &'a mut [f64; BLOCK], values: &[T], float: impl Fn(T) -> f64) -> &'a [f64] {
    let part = &mut buffer[..values.len()];
    for (to, value) in part.iter_mut().zip(values) {
        *to = float(*value);
    }
    part
}

/// The headline numbers; equity in millionths.
fn metrics(sums: &Sums, initial: i64, last: i64, max_drawdown: f64, end: RunEnd) -> Metrics {
    let net = i128::from(last) - i128::from(initial);
    // The contract has no null here: without capital there is no return, and 0 is what was gained.
    let net_pct = ratio(net as f64 * 100.0, initial as f64).unwrap_or(0.0);
    let trades = sums.trades as f64;
    Metrics {
        total_trades: sums.trades,
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
        final_balance: end.final_balance.to_f64(),
        final_equity: currency(last.into()),
        return_pct: net_pct,
        costs: sums.costs(),
        ambiguous_trades: sums.ambiguous,
        stop_outs: end.margin.stop_outs,
        margin_calls: end.margin.margin_calls,
        lowest_margin_level_pct: end.margin.lowest_level_pct.and_then(defined),
    }
}
