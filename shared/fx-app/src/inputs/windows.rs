//! The bars of a run, one window of time after the other: memory holds a window or two, however long the run is.
//!
//! A run of one series is cut anywhere. Where there are several, a window ends where no bar of any of them is open: at
//! 17:00 New York, where weekly bars are among them on Friday. Where there is no such instant (bars that are anchored
//! elsewhere), the window goes on until there is one.

use super::{History, RATE_LEAD_NANOS, RunBars, RunSeries, led};
use crate::ports::{BarStream, TimeRange};
use crate::records::SeriesVersion;
use crate::{App, errors};
use futures::stream::TryStreamExt;
use fx_domain::{Bars, Granularity, NANOS_PER_HOUR, PlatformResult, UnixNanos};
use fx_engine::{FeatureSeries, FeatureTrack};

/// The windows of a run.
pub(crate) struct Windows {
    tracks: Vec<Series>,
    finer: Vec<Series>,
    rates: Vec<Series>,
    references: Vec<Series>,
    features: Vec<FeatureSeries>,
    /// At the ends of its bars, windows may end.
    grid: Granularity,
}

/// One series under way.
struct Series {
    granularity: Granularity,
    stream: BarStream,
    /// What was read and is in no window yet.
    held: Bars,
    /// Nothing is left to read.
    ended: bool,
    /// When the last bar of the windows so far was complete.
    complete: Option<UnixNanos>,
}

impl Series {
    async fn open(version: &SeriesVersion, stream: BarStream) -> PlatformResult<Self> {
        let held = Bars { ask_source: version.ask_source, ..Bars::empty(version.side) };
        let granularity = version.series.granularity;
        let mut series = Self { granularity, stream, held, ended: false, complete: None };
        series.read().await?;
        Ok(series)
    }

    /// Reads one more piece.
    async fn read(&mut self) -> PlatformResult<()> {
        match self.stream.try_next().await.map_err(errors::store)? {
            Some(piece) if self.held.is_empty() => self.held = piece,
            Some(piece) => self.held.append(&piece),
            None => self.ended = true,
        }
        Ok(())
    }

    /// All that was read.
    fn take(&mut self) -> Bars {
        let none = self.held.slice(0..0);
        let all = std::mem::replace(&mut self.held, none);
        self.completed(all)
    }

    /// The bars that open before `end`.
    fn take_before(&mut self, end: UnixNanos) -> Bars {
        let count = self.held.lower_bound(end);
        let rest = self.held.slice(count..self.held.len());
        let before = std::mem::replace(&mut self.held, rest).slice(0..count);
        self.completed(before)
    }

    /// These are the next window's.
    fn completed(&mut self, bars: Bars) -> Bars {
        self.complete = bars.times.last().map(|last| self.granularity.close_of(*last)).or(self.complete);
        bars
    }

    /// Whether all bars that open before `at` are complete by then.
    fn is_closed_at(&self, at: UnixNanos) -> bool {
        let last = self.held.lower_bound(at).checked_sub(1).map(|last| self.held.times[last]);
        last.is_none_or(|open| self.granularity.close_of(open) <= at)
    }
}

impl Windows {
    /// Whether bars of one series are all that the run reads.
    fn is_alone(&self) -> bool {
        self.tracks.len() == 1 && self.finer.is_empty() && self.rates.is_empty() && self.references.is_empty()
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Series> {
        let tracks = self.tracks.iter_mut().chain(&mut self.finer);
        tracks.chain(&mut self.rates).chain(&mut self.references)
    }

    /// The next window; none when all bars were in one.
    pub(crate) async fn next(&mut self) -> PlatformResult<Option<RunBars>> {
        let complete = |track: &Series| track.complete;
        let seen = self.tracks.iter().map(complete).min().flatten();
        let Some(bars) = self.next_bars().await? else { return Ok(None) };
        // What the tracks see for the first time, and what one of them may not have seen yet.
        let until = self.tracks.iter().filter_map(complete).max().unwrap_or(UnixNanos::new(i64::MIN));
        let features = self.features.iter().map(|series| series.between(seen, until)).collect();
        Ok(Some(RunBars { features, ..bars }))
    }

    async fn next_bars(&mut self) -> PlatformResult<Option<RunBars>> {
        if self.is_alone() {
            let [track] = self.tracks.as_mut_slice() else { return Ok(None) };
            let bars = track.take();
            track.read().await?;
            return Ok((!bars.is_empty()).then(|| RunBars::of_track(bars)));
        }
        loop {
            // Of every series all bars before this are there.
            let unread = self.all().filter(|series| !series.ended);
            let known = unread.map(|series| series.held.times.last().copied()).min();
            let Some(known) = known else {
                let rest = self.rest();
                let some = rest.tracks.iter().chain(&rest.rates).any(|bars| !bars.is_empty());
                return Ok(some.then_some(rest));
            };
            if let Some(end) = known.and_then(|known| self.cut(known)) {
                return Ok(Some(self.before(end)));
            }
            for series in self.all().filter(|series| !series.ended) {
                if series.held.times.last().copied() == known {
                    series.read().await?;
                }
            }
        }
    }

    /// The last instant up to `known` at which no bar is open and before which there are bars.
    fn cut(&mut self, known: UnixNanos) -> Option<UnixNanos> {
        let grid = self.grid;
        let mut end = grid.end_after(known.plus_nanos(-2 * grid.nominal_nanos() - NANOS_PER_HOUR));
        while grid.end_after(end) <= known {
            end = grid.end_after(end);
        }
        let closed = end <= known && self.all().all(|series| series.is_closed_at(end));
        let some = |series: &Series| series.held.lower_bound(end) > 0;
        (closed && self.tracks.iter().any(some)).then_some(end)
    }

    fn before(&mut self, end: UnixNanos) -> RunBars {
        let before = |all: &mut Vec<Series>| -> Vec<Bars> {
            all.iter_mut().map(|series| series.take_before(end)).collect()
        };
        let (tracks, finer, rates) =
            (before(&mut self.tracks), before(&mut self.finer), before(&mut self.rates));
        // What closes after the last bars that were decided on is seen in a later window, and given to it again.
        let reading = self.tracks.iter().filter(|track| !track.ended || !track.held.is_empty());
        let seen = reading.map(|track| track.complete).min().flatten();
        let references = self.references.iter_mut().map(|series| {
            let bars = series.held.slice(0..series.held.lower_bound(end));
            let open = |open: &UnixNanos| seen.is_none_or(|seen| series.granularity.close_of(*open) > seen);
            let first = series.held.times.iter().position(open).unwrap_or(series.held.len());
            series.held = series.held.slice(first..series.held.len());
            bars
        });
        let references = references.collect();
        RunBars { tracks, finer, rates, references, features: Vec::new() }
    }

    /// All bars as one window.
    pub(crate) async fn all_at_once(mut self) -> PlatformResult<RunBars> {
        for series in self.all() {
            while !series.ended {
                series.read().await?;
            }
        }
        let features = std::mem::take(&mut self.features);
        Ok(RunBars { features, ..self.rest() })
    }

    /// The last window.
    fn rest(&mut self) -> RunBars {
        let all = |all: &mut Vec<Series>| -> Vec<Bars> { all.iter_mut().map(Series::take).collect() };
        RunBars {
            tracks: all(&mut self.tracks),
            finer: all(&mut self.finer),
            rates: all(&mut self.rates),
            references: all(&mut self.references),
            features: Vec::new(),
        }
    }
}

impl App {
    /// Opens the bars of `range`, what comes before it, the prices to convert by, and the `features` of the configuration.
    ///
    /// # Errors
    /// `ServiceError` when the store fails.
    pub(crate) async fn open_windows(
        &self,
        series: &RunSeries,
        features: &[FeatureTrack],
        range: TimeRange,
        history: History,
    ) -> PlatformResult<Windows> {
        let open = async |version: &SeriesVersion, range, warm_up| {
            Series::open(version, self.files.bars.stream(version, range, warm_up)).await
        };
        let mut windows = Windows {
            tracks: Vec::new(),
            finer: Vec::new(),
            rates: Vec::new(),
            references: Vec::new(),
            features: self.load_features(&series.features, features).await?,
            grid: grid_of(series),
        };
        for version in &series.tracks {
            windows.tracks.push(open(version, led(range, history.lead_nanos), history.bars).await?);
        }
        for (version, track) in series.finer.iter().zip(&series.tracks) {
            // The last bar's path may reach over the end.
            let end = range.end.plus_nanos(track.series.granularity.nominal_nanos());
            windows.finer.push(open(version, TimeRange { end, ..range }, 0).await?);
        }
        // Trades may begin with the warm-up where there is no other beginning.
        let first = windows.tracks.iter().filter_map(|track| track.held.times.first()).min();
        let start = first.map_or(range.start, |first| range.start.min(*first));
        for version in &series.rates {
            windows.rates.push(open(version, led(TimeRange { start, ..range }, RATE_LEAD_NANOS), 0).await?);
        }
        for version in &series.references {
            let range = led(TimeRange { start, ..range }, history.lead_nanos);
            windows.references.push(open(version, range, 0).await?);
        }
        Ok(windows)
    }
}

/// Days, or weeks where some bars are a week long.
fn grid_of(series: &RunSeries) -> Granularity {
    let longest = series.all().map(|(_, version)| version.series.granularity).max();
    longest.unwrap_or(Granularity::D1).max(Granularity::D1)
}
