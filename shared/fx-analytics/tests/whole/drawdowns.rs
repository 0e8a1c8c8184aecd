//! Falls of a whole curve.

use super::samples::{currency, mean, seconds_between};
use fx_analytics::{Drawdown, DrawdownStats};
use fx_domain::UnixNanos;

const TOP_DRAWDOWNS: usize = 10;
const SECONDS_PER_DAY: f64 = 86_400.0;

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
pub(super) fn drawdown_stats(equity: &[i64], times: &[UnixNanos], initial_micros: i64) -> DrawdownStats {
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
