//! Sharpe, Sortino and Calmar ratio of the daily equity.

use crate::PeriodReturns;
use crate::numbers::{Returns, defined, ratio};
use crate::report::RatioBasis;
use crate::sampling::Periods;
use fx_domain::{Granularity, UnixNanos};
use serde::{Deserialize, Serialize};

/// Trading days of a year.
const DAYS_PER_YEAR: f64 = 252.0;
/// Weeks of a year, for weekly bars.
const WEEKS_PER_YEAR: f64 = 52.0;
/// The sample of the ratios.
const DAILY_SAMPLING: &str = "equity at 17:00 New York";
/// The sample of the ratios where the bars know no days.
const WEEKLY_SAMPLING: &str = "equity at the end of each week";

/// The ratios, and what they rest on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ratios {
    pub(crate) sharpe: Option<f64>,
    pub(crate) sortino: Option<f64>,
    pub(crate) calmar: Option<f64>,
    pub(crate) basis: RatioBasis,
}

/// Takes the returns from one trading day's last equity to the next one's. The first is from the initial capital, so
/// that the returns compound to the run's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DailyReturns {
    granularity: Granularity,
    days: Periods,
    initial_micros: i64,
    /// The last sample; the initial capital before the first.
    before: i64,
    /// The last point, which is the sample if its day ends with it.
    last: Option<(UnixNanos, i64)>,
    returns: Returns,
    /// The days that are over, for [`DailyReturns::kept`].
    ends: Vec<UnixNanos>,
    kept: Vec<f64>,
    /// Whether some sample was at or below zero.
    lost: bool,
}

impl DailyReturns {
    pub(crate) fn new(initial_micros: i64, granularity: Granularity) -> Self {
        Self {
            granularity,
            days: Periods::trading_days(granularity),
            initial_micros,
            before: initial_micros,
            last: None,
            returns: Returns::default(),
            ends: Vec::new(),
            kept: Vec::new(),
            lost: false,
        }
    }

    pub(crate) fn points(&mut self, times: &[UnixNanos], micros: &[i64]) {
        let mut next = 0;
        while next < times.len() {
            if self.days.begins(times[next]) {
                self.end_day();
            }
            next += self.days.within(&times[next..]);
            self.last = Some((times[next - 1], micros[next - 1]));
        }
    }

    fn end_day(&mut self) {
        if let Some((time, sample)) = self.last {
            let change = sample as f64 / self.before as f64 - 1.0;
            self.ends.push(time);
            self.kept.push(match (self.lost, sample <= 0) {
                (true, _) => 0.0,
                (false, true) => -1.0,
                (false, false) => change,
            });
            self.lost |= sample <= 0;
            self.returns.add(change);
            self.before = sample;
        }
    }

    /// The returns so far, the day that goes on included; `None` without capital.
    pub(crate) fn kept(&self) -> Option<PeriodReturns> {
        let mut whole = self.clone();
        whole.end_day();
        let (periods_per_year, _) = self.year();
        (self.initial_micros > 0).then_some(PeriodReturns {
            ends: whole.ends,
            returns: whole.kept,
            periods_per_year,
        })
    }

    /// Samples of a year, and what a sample is.
    const fn year(&self) -> (f64, &'static str) {
        match self.granularity {
            Granularity::W1 => (WEEKS_PER_YEAR, WEEKLY_SAMPLING),
            _ => (DAYS_PER_YEAR, DAILY_SAMPLING),
        }
    }

    /// A sample at or below zero leaves the ratios undefined: from there on a return has no meaning. `max_drawdown` is
    /// in percent.
    pub(crate) fn finish(mut self, max_drawdown: f64) -> Ratios {
        self.end_day();
        let (year, sampling) = self.year();
        let count = self.returns.moments().count();
        let basis = RatioBasis { daily_returns: count, days_per_year: year, sampling: sampling.to_owned() };
        if self.initial_micros <= 0 || self.lost {
            return Ratios { basis, ..Ratios::default() };
        }
        let total = self.before as f64 / self.initial_micros as f64;
        Ratios { basis, ..Ratios::of(&self.returns, total, year, max_drawdown) }
    }
}

impl Ratios {
    /// Of returns that compound to the factor `total`, with `year` of them in a year; `max_drawdown` in percent. Of fewer
    /// than two returns none is defined.
    pub(crate) fn of(returns: &Returns, total: f64, year: f64, max_drawdown: f64) -> Self {
        let moments = returns.moments();
        let count = moments.count();
        if count < 2 {
            return Self::default();
        }
        let annual = defined(libm::pow(total, year / count as f64) - 1.0);
        let scaled_mean = moments.mean().map(|mean| mean * year.sqrt());
        let over = |deviation: Option<f64>| {
            scaled_mean.zip(deviation).and_then(|(mean, deviation)| ratio(mean, deviation))
        };
        Self {
            sharpe: over(moments.deviation()),
            sortino: over(returns.downside()),
            calmar: annual.and_then(|annual| ratio(annual * 100.0, max_drawdown)),
            basis: RatioBasis::default(),
        }
    }
}
