//! Falls of equity from its peaks.

use crate::numbers::{Summary, currency, seconds_between};
use crate::report::{Drawdown, DrawdownStats};
use fx_domain::{NANOS_PER_DAY, NANOS_PER_SECOND, UnixNanos};
use serde::{Deserialize, Serialize};

/// Deepest falls that a report lists.
const TOP_DRAWDOWNS: usize = 10;
const SECONDS_PER_DAY: f64 = (NANOS_PER_DAY / NANOS_PER_SECOND) as f64;

/// Equity at one bar, stamped by the bar's open.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    time: UnixNanos,
    micros: i64,
}

/// A fall: from the last bar at its peak, over its lowest bar, to the first bar at or above the peak.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Episode {
    peak: Point,
    trough: Point,
    recovery: Option<UnixNanos>,
}

impl Episode {
    /// Percent of the peak. Peaks are never below the initial capital, which is above zero.
    fn depth(&self) -> f64 {
        let peak = self.peak.micros as f64;
        (peak - self.trough.micros as f64) / peak * 100.0
    }

    fn recovery_days(&self) -> Option<f64> {
        self.recovery.map(|end| days(self.trough.time, end))
    }

    fn drawdown(&self) -> Drawdown {
        Drawdown {
            drawdown: self.depth(),
            peak_equity: currency(self.peak.micros.into()),
            trough_equity: currency(self.trough.micros.into()),
            peak_timestamp: self.peak.time.to_string(),
            trough_timestamp: self.trough.time.to_string(),
            recovery_time: self.recovery_days(),
            recovery_timestamp: self.recovery.map(|end| end.to_string()),
        }
    }
}

fn days(from: UnixNanos, to: UnixNanos) -> f64 {
    seconds_between(from, to) / SECONDS_PER_DAY
}

/// Takes depths, durations and the deepest falls of a curve. Nothing is defined when the initial capital is not above
/// zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Drawdowns {
    initial_micros: i64,
    /// The last point at the highest equity so far: first the initial capital, held at the first bar.
    peak: Option<Point>,
    open: Option<Episode>,
    last: UnixNanos,
    depths: Summary,
    recoveries: Summary,
    underwater: Summary,
    /// The deepest falls that are over, deepest first, equally deep ones in order of time.
    top: Vec<Episode>,
}

impl Drawdowns {
    pub(crate) fn new(initial_micros: i64) -> Self {
        Self {
            initial_micros,
            peak: None,
            open: None,
            last: UnixNanos::default(),
            depths: Summary::default(),
            recoveries: Summary::default(),
            underwater: Summary::default(),
            top: Vec::with_capacity(TOP_DRAWDOWNS + 1),
        }
    }

    /// Equity at the next bars' closes, in millionths, stamped by the bars' opens.
    pub(crate) fn points(&mut self, times: &[UnixNanos], micros: &[i64]) {
        let (Some(first), Some(last)) = (times.first(), times.last()) else { return };
        if self.initial_micros <= 0 {
            return;
        }
        self.last = *last;
        let mut peak = self.peak.unwrap_or(Point { time: *first, micros: self.initial_micros });
        for (&time, &micros) in times.iter().zip(micros) {
            let point = Point { time, micros };
            if micros >= peak.micros {
                if let Some(fall) = self.open.take() {
                    self.end(Episode { recovery: Some(time), ..fall });
                }
                peak = point;
                continue;
            }
            let fall = self.open.get_or_insert(Episode { peak, trough: point, recovery: None });
            if micros < fall.trough.micros {
                fall.trough = point;
            }
        }
        self.peak = Some(peak);
    }

    fn end(&mut self, fall: Episode) {
        let depth = fall.depth();
        self.depths.add(depth);
        if let Some(days) = fall.recovery_days() {
            self.recoveries.add(days);
        }
        self.underwater.add(days(fall.peak.time, fall.recovery.unwrap_or(self.last)));
        let at = self.top.partition_point(|other| other.depth() >= depth);
        if at < TOP_DRAWDOWNS {
            self.top.insert(at, fall);
            self.top.truncate(TOP_DRAWDOWNS);
        }
    }

    pub(crate) fn finish(mut self) -> DrawdownStats {
        if let Some(fall) = self.open.take() {
            self.end(fall);
        }
        DrawdownStats {
            max_drawdown: self.depths.highest().unwrap_or(0.0),
            avg_drawdown: self.depths.mean(),
            top_drawdowns: self.top.iter().map(Episode::drawdown).collect(),
            avg_recovery_time: self.recoveries.mean(),
            max_recovery_time: self.recoveries.highest(),
            avg_underwater_period: self.underwater.mean(),
            max_underwater_period: self.underwater.highest(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // the values are exact
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drawdown_stats(equity: &[i64], times: &[UnixNanos], initial_micros: i64) -> DrawdownStats {
        let mut falls = Drawdowns::new(initial_micros);
        falls.points(times, equity);
        falls.finish()
    }

    fn stamps(count: usize) -> Vec<UnixNanos> {
        (0..count as i64).map(|day| UnixNanos::new(day * NANOS_PER_DAY)).collect()
    }

    #[test]
    fn two_falls_of_which_one_recovers_are_told_apart() {
        let equity = [100, 110, 99, 104, 110, 88, 95];
        let stats = drawdown_stats(&equity, &stamps(7), 100);
        assert_eq!(stats.max_drawdown, 20.0);
        assert_eq!(stats.avg_drawdown, Some(15.0));
        assert_eq!((stats.max_recovery_time, stats.avg_recovery_time), (Some(2.0), Some(2.0)));
        assert_eq!((stats.max_underwater_period, stats.avg_underwater_period), (Some(3.0), Some(2.5)));
        let [deep, shallow] = stats.top_drawdowns.as_slice() else { panic!("{stats:?}") };
        assert_eq!((deep.recovery_time, &deep.recovery_timestamp), (None, &None));
        assert_eq!(deep.peak_timestamp, "1970-01-05T00:00:00Z");
        assert_eq!(shallow.peak_timestamp, "1970-01-02T00:00:00Z");
        assert_eq!(shallow.trough_timestamp, "1970-01-03T00:00:00Z");
        assert_eq!(shallow.recovery_timestamp.as_deref(), Some("1970-01-05T00:00:00Z"));
    }

    #[test]
    fn a_loss_on_the_first_bar_falls_from_the_initial_capital() {
        assert_eq!(drawdown_stats(&[75, 80], &stamps(2), 100).max_drawdown, 25.0);
    }

    #[test]
    fn a_curve_that_never_falls_has_no_mean_drawdown() {
        let stats = drawdown_stats(&[100, 100, 101], &stamps(3), 100);
        assert_eq!(stats, DrawdownStats::default());
    }

    proptest! {
        #[test]
        fn the_deepest_fall_is_the_deepest_of_all_pairs(
            equity in prop::collection::vec(1i64..2_000, 1..60), initial in 1i64..2_000,
        ) {
            let curve: Vec<i64> = std::iter::once(initial).chain(equity.iter().copied()).collect();
            let mut deepest = 0.0f64;
            for (index, peak) in curve.iter().enumerate() {
                for trough in &curve[index..] {
                    deepest = deepest.max((*peak as f64 - *trough as f64) / *peak as f64 * 100.0);
                }
            }
            let stats = drawdown_stats(&equity, &stamps(equity.len()), initial);
            prop_assert!((stats.max_drawdown - deepest).abs() < 1e-9);
            prop_assert!(stats.top_drawdowns.windows(2).all(|pair| pair[0].drawdown >= pair[1].drawdown));
            prop_assert!(stats.top_drawdowns.len() <= TOP_DRAWDOWNS);
        }
    }
}
