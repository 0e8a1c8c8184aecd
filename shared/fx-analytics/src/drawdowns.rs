//! Falls of equity from its peaks.

use crate::numbers::{currency, mean, seconds_between};
use crate::report::{Drawdown, DrawdownStats};
use fx_domain::{NANOS_PER_DAY, NANOS_PER_SECOND, UnixNanos};

/// Deepest falls that a report lists.
pub(crate) const TOP_DRAWDOWNS: usize = 10;
const SECONDS_PER_DAY: f64 = (NANOS_PER_DAY / NANOS_PER_SECOND) as f64;

/// A fall: from the last bar at its peak, over its lowest bar, to the first bar at or above the peak.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Episode {
    peak: usize,
    peak_micros: i64,
    trough: usize,
    trough_micros: i64,
    recovery: Option<usize>,
}

impl Episode {
    /// Percent of the peak. Peaks are never below the initial capital, which is above zero.
    fn depth(&self) -> f64 {
        let peak = self.peak_micros as f64;
        (peak - self.trough_micros as f64) / peak * 100.0
    }
}

/// Every fall, in order of time. The first peak is the initial capital, held at the first bar.
fn episodes(equity: &[i64], initial_micros: i64) -> Vec<Episode> {
    let mut found = Vec::new();
    let mut open: Option<Episode> = None;
    let (mut peak, mut peak_micros) = (0, initial_micros);
    for (index, &micros) in equity.iter().enumerate() {
        if micros >= peak_micros {
            found.extend(open.take().map(|fall| Episode { recovery: Some(index), ..fall }));
            (peak, peak_micros) = (index, micros);
            continue;
        }
        let fall = open.get_or_insert(Episode {
            peak,
            peak_micros,
            trough: index,
            trough_micros: micros,
            recovery: None,
        });
        if micros < fall.trough_micros {
            (fall.trough, fall.trough_micros) = (index, micros);
        }
    }
    found.extend(open);
    found
}

/// Depths, durations and the deepest falls of a curve. Times are the bars' stamps, as in the equity curve.
/// Nothing is defined when the initial capital is not above zero.
pub(crate) fn drawdown_stats(equity: &[i64], times: &[UnixNanos], initial_micros: i64) -> DrawdownStats {
    if initial_micros <= 0 || equity.is_empty() {
        return DrawdownStats::default();
    }
    let episodes = episodes(equity, initial_micros);
    let days = |from: usize, to: usize| seconds_between(times[from], times[to]) / SECONDS_PER_DAY;
    let last = equity.len() - 1;
    let depths: Vec<f64> = episodes.iter().map(Episode::depth).collect();
    let recoveries: Vec<f64> =
        episodes.iter().filter_map(|fall| fall.recovery.map(|end| days(fall.trough, end))).collect();
    let underwater: Vec<f64> =
        episodes.iter().map(|fall| days(fall.peak, fall.recovery.unwrap_or(last))).collect();
    let mut order: Vec<usize> = (0..episodes.len()).collect();
    // Equally deep falls stay in order of time.
    order.sort_by(|a, b| depths[*b].total_cmp(&depths[*a]).then(a.cmp(b)));
    let top = order.iter().take(TOP_DRAWDOWNS).map(|index| {
        let fall = &episodes[*index];
        Drawdown {
            drawdown: fall.depth(),
            peak_equity: currency(fall.peak_micros.into()),
            trough_equity: currency(fall.trough_micros.into()),
            peak_timestamp: times[fall.peak].to_string(),
            trough_timestamp: times[fall.trough].to_string(),
            recovery_time: fall.recovery.map(|end| days(fall.trough, end)),
            recovery_timestamp: fall.recovery.map(|end| times[end].to_string()),
        }
    });
    DrawdownStats {
        max_drawdown: order.first().map_or(0.0, |index| depths[*index]),
        avg_drawdown: mean(&depths),
        top_drawdowns: top.collect(),
        avg_recovery_time: mean(&recoveries),
        max_recovery_time: recoveries.iter().copied().reduce(f64::max),
        avg_underwater_period: mean(&underwater),
        max_underwater_period: underwater.iter().copied().reduce(f64::max),
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // the values are exact
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn days(count: usize) -> Vec<UnixNanos> {
        (0..count as i64).map(|day| UnixNanos::new(day * NANOS_PER_DAY)).collect()
    }

    #[test]
    fn two_falls_of_which_one_recovers_are_told_apart() {
        let equity = [100, 110, 99, 104, 110, 88, 95];
        let stats = drawdown_stats(&equity, &days(7), 100);
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
        assert_eq!(drawdown_stats(&[75, 80], &days(2), 100).max_drawdown, 25.0);
    }

    #[test]
    fn a_curve_that_never_falls_has_no_mean_drawdown() {
        let stats = drawdown_stats(&[100, 100, 101], &days(3), 100);
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
            let stats = drawdown_stats(&equity, &days(equity.len()), initial);
            prop_assert!((stats.max_drawdown - deepest).abs() < 1e-9);
            prop_assert!(stats.top_drawdowns.windows(2).all(|pair| pair[0].drawdown >= pair[1].drawdown));
            prop_assert!(stats.top_drawdowns.len() <= TOP_DRAWDOWNS);
        }
    }
}
