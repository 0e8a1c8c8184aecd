//! Return, growth and falls of the equity, from the first bar's on.

use super::{Comparable, round_up};
use crate::numbers::{Fall, Summary, defined, percent, seconds_between};
use fx_domain::{Granularity, UnixNanos};
use serde::{Deserialize, Serialize};

/// The bar of the last peak: a fall lasts from one bar at the peak to the next, or to the last bar, and counts when they
/// are not neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Peak {
    bar: usize,
    time: UnixNanos,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    first_time: UnixNanos,
    first: f64,
    last_time: UnixNanos,
    last: f64,
    peak: Peak,
    fall: Fall,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Curve {
    bars: usize,
    open: Option<Open>,
    deepest: f64,
    depths: Summary,
    durations: Summary,
}

impl Curve {
    pub(super) const fn bars(&self) -> usize {
        self.bars
    }

    pub(super) fn points(&mut self, times: &[UnixNanos], equity: &[f64]) {
        let (Some(first), Some(last)) = (times.first().zip(equity.first()), times.last().zip(equity.last()))
        else {
            return;
        };
        let mut open = self.open.take().unwrap_or_else(|| Open {
            first_time: *first.0,
            first: *first.1,
            last_time: *first.0,
            last: *first.1,
            peak: Peak { bar: 0, time: *first.0 },
            fall: Fall::from(*first.1),
        });
        for (time, value) in times.iter().zip(equity) {
            if let Some(fall) = open.fall.step(*value) {
                self.end(fall, open.peak, *time);
                open.peak = Peak { bar: self.bars, time: *time };
            }
            self.bars += 1;
        }
        (open.last_time, open.last) = (*last.0, *last.1);
        self.open = Some(open);
    }

    /// The fall ends at the bar that comes next.
    fn end(&mut self, fall: Fall, peak: Peak, time: UnixNanos) {
        if self.bars > peak.bar + 1 {
            let depth = fall.depth();
            self.deepest = self.deepest.max(depth);
            self.depths.add(depth);
            self.durations.add(seconds_between(peak.time, time));
        }
    }

    pub(super) fn finish(mut self, stats: &mut Comparable, granularity: Granularity) {
        let Some(Open { first_time, first, last_time, last, peak, fall }) = self.open.take() else { return };
        let change = last / first;
        stats.equity_final = defined(last);
        stats.equity_peak = defined(fall.peak());
        stats.return_pct = percent(change - 1.0);
        let years = seconds_between(first_time, last_time).trunc() / 86_400.0 / 365.25;
        stats.cagr_pct = if years > 0.0 { percent(libm::pow(change, 1.0 / years) - 1.0) } else { None };

        // The last bar ends what is open, though it be next to the peak: that is deep, but too short to count.
        self.deepest = self.deepest.max(fall.depth());
        self.bars -= 1;
        self.end(fall, peak, last_time);
        let rounded = |seconds: Option<f64>| seconds.map(|seconds| round_up(seconds, granularity));
        stats.max_drawdown_pct = percent(-self.deepest);
        stats.avg_drawdown_pct = self.depths.mean().and_then(|depth| percent(-depth));
        stats.max_drawdown_duration_seconds = rounded(self.durations.highest());
        stats.avg_drawdown_duration_seconds = rounded(self.durations.mean());
    }
}
