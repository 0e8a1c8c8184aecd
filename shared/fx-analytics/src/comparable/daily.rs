//! Growth and volatility of daily returns, and the ratios made of them.

use super::Comparable;
use crate::numbers::{Growth, Returns, percent, ratio};
use crate::sampling::{Periods, on_weekend};
use fx_domain::{Granularity, UnixNanos};
use serde::{Deserialize, Serialize};

/// Share of bars on Saturday and Sunday above which backtesting.py takes the market to trade on weekends.
const WEEKEND_SHARE: f64 = 2.0 / 7.0 * 0.6;

/// Takes the returns from one calendar day's (of weekly bars, week's) last equity to the next one's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CalendarReturns {
    granularity: Granularity,
    days: Periods,
    bars: u64,
    weekend_bars: u64,
    /// Whether the day at hand is on a weekend.
    weekend: bool,
    /// The last sample.
    before: Option<f64>,
    /// The last point, which is the sample if its day ends with it.
    last: Option<f64>,
    returns: Returns,
    growth: Growth,
}

impl CalendarReturns {
    pub(super) fn new(granularity: Granularity) -> Self {
        Self {
            granularity,
            days: Periods::stamped(granularity),
            bars: 0,
            weekend_bars: 0,
            weekend: false,
            before: None,
            last: None,
            returns: Returns::default(),
            growth: Growth::default(),
        }
    }

    pub(super) fn points(&mut self, times: &[UnixNanos], equity: &[f64]) {
        let mut next = 0;
        while next < times.len() {
            if self.days.begins(times[next]) {
                self.end_day();
                self.weekend = on_weekend(times[next]);
            }
            let bars = self.days.within(&times[next..]);
            next += bars;
            self.bars += bars as u64;
            self.weekend_bars += if self.weekend { bars as u64 } else { 0 };
            self.last = Some(equity[next - 1]);
        }
    }

    fn end_day(&mut self) {
        if let Some((before, sample)) = self.before.zip(self.last) {
            let change = sample / before - 1.0;
            self.returns.add(change);
            self.growth.add(change);
        }
        self.before = self.last;
    }

    /// Days, or weeks, of a year.
    fn periods_per_year(&self) -> f64 {
        if self.granularity == Granularity::W1 {
            52.0
        } else if self.weekend_bars as f64 / self.bars as f64 > WEEKEND_SHARE {
            365.0
        } else {
            252.0
        }
    }

    /// Reads the deepest fall of what `stats` has so far.
    pub(super) fn finish(mut self, stats: &mut Comparable) {
        self.end_day();
        let year = self.periods_per_year();
        let Some(daily) = self.growth.mean() else { return };
        let annual = libm::pow(1.0 + daily, year) - 1.0;
        stats.return_ann_pct = percent(annual);
        let moments = self.returns.moments();
        let volatility = moments.deviation().and_then(|_| moments.variance()).map(|variance| {
            let squared = (1.0 + daily) * (1.0 + daily);
            (libm::pow(variance + squared, year) - libm::pow(squared, year)).sqrt()
        });
        stats.volatility_ann_pct = volatility.and_then(percent);
        stats.sharpe_ratio = volatility.and_then(|volatility| ratio(annual, volatility));
        stats.sortino_ratio =
            self.returns.downside().and_then(|deviation| ratio(annual, deviation * year.sqrt()));
        stats.calmar_ratio = stats.max_drawdown_pct.and_then(|depth| ratio(annual, -depth / 100.0));
    }
}
