//! Which series a run reads, and their bars: those traded on, finer ones, those that convert, and other instruments
//! that the strategy reads.

mod features;
mod rates;
mod windows;

use crate::ports::TimeRange;
use crate::records::{FeatureInput, FeatureVersion, InputRole, SeriesInput, SeriesKey, SeriesVersion};
use crate::{App, errors};
use fx_domain::{
    Bars, DatasetName, Digest, DigestBuilder, ErrorKind, Granularity, PlatformError, PlatformResult,
};
use fx_engine::{FeatureSeries, FeatureTrack, Inputs, RATE_AGE_HOURS_DEFAULT, RunConfig, Track, TrackBars};
use fx_strategy::{Feed, Plan};

/// Bars of one run, at most, all series together: ten years of minutes take four million. Their number costs time, not
/// memory.
pub const RUN_BARS_MAX: u64 = 100_000_000;
/// Prices are converted by from the first trade on, so they are read from this long before the range: a weekend and a
/// holiday.
const RATE_LEAD_NANOS: i64 = RATE_AGE_HOURS_DEFAULT as i64 * fx_domain::NANOS_PER_HOUR;

/// The series of a run, in the order of its configuration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RunSeries {
    /// One for each track.
    pub(crate) tracks: Vec<SeriesVersion>,
    /// One for each track, or none.
    pub(crate) finer: Vec<SeriesVersion>,
    /// One for each rate.
    pub(crate) rates: Vec<SeriesVersion>,
    /// One for each reference.
    pub(crate) references: Vec<SeriesVersion>,
    /// One for each feature; those of one regime share theirs.
    pub(crate) features: Vec<FeatureVersion>,
}

/// The bars of a run, in the order of its configuration.
#[derive(Clone, Debug)]
pub(crate) struct RunBars {
    pub(crate) tracks: Vec<Bars>,
    pub(crate) finer: Vec<Bars>,
    pub(crate) rates: Vec<Bars>,
    pub(crate) references: Vec<Bars>,
    pub(crate) features: Vec<FeatureSeries>,
}

impl RunSeries {
    fn all(&self) -> impl Iterator<Item = (InputRole, &SeriesVersion)> {
        let tracks = self.tracks.iter().map(|version| (InputRole::Track, version));
        let finer = self.finer.iter().map(|version| (InputRole::Intrabar, version));
        let rates = self.rates.iter().map(|version| (InputRole::Rate, version));
        let references = self.references.iter().map(|version| (InputRole::Reference, version));
        tracks.chain(finer).chain(rates).chain(references)
    }

    /// What several runs read, each series once.
    ///
    /// # Errors
    /// `BacktestDataError` where two read different versions of one: it was imported between them.
    pub(crate) fn together(parts: &[Self]) -> PlatformResult<Self> {
        let once = |of: fn(&Self) -> &Vec<SeriesVersion>| {
            let mut all: Vec<SeriesVersion> = Vec::new();
            for version in parts.iter().flat_map(of) {
                match all.iter().find(|known| known.series == version.series) {
                    Some(known) if known.version != version.version => return Err(changed(&version.series)),
                    Some(_) => {}
                    None => all.push(version.clone()),
                }
            }
            Ok(all)
        };
        let mut features: Vec<FeatureVersion> = Vec::new();
        for told in parts.iter().flat_map(|part| &part.features) {
            match features.iter().find(|known| known.series == told.series) {
                Some(known) if known.version != told.version => return Err(changed(&told.series)),
                _ => features.push(told.clone()),
            }
        }
        Ok(Self {
            tracks: once(|part| &part.tracks)?,
            finer: once(|part| &part.finer)?,
            rates: once(|part| &part.rates)?,
            references: once(|part| &part.references)?,
            features,
        })
    }

    /// The first track's series.
    pub(crate) fn first(&self) -> PlatformResult<&SeriesVersion> {
        let none = || PlatformError::new(ErrorKind::BacktestConfig, "no instrument is traded");
        self.tracks.first().ok_or_else(none)
    }

    /// What the run's record says.
    pub(crate) fn records(&self) -> Vec<SeriesInput> {
        let record = |(role, version): (InputRole, &SeriesVersion)| SeriesInput {
            series: version.series.clone(),
            version: version.version,
            role,
        };
        self.all().map(record).collect()
    }

    /// The features that were read, each once.
    pub(crate) fn feature_records(&self) -> Vec<FeatureInput> {
        let mut records: Vec<FeatureInput> = Vec::new();
        for FeatureVersion { series, version, .. } in &self.features {
            if records.iter().all(|known| known.series != *series) {
                records.push(FeatureInput { series: series.clone(), version: *version });
            }
        }
        records
    }

    /// Of one series its version; of several, and with features, the digest over keys and versions, in order.
    pub(crate) fn version(&self) -> Digest {
        match (self.tracks.as_slice(), self.all().count() - self.tracks.len(), self.features.len()) {
            ([only], 0, 0) => only.version,
            _ => {
                let parts = self.all().fold(DigestBuilder::new("run-series"), |digest, (role, version)| {
                    digest
                        .part(role.as_str().as_bytes())
                        .part(version.series.to_string().as_bytes())
                        .part(version.version.as_bytes())
                });
                let parts = self.feature_records().iter().fold(parts, |digest, told| {
                    digest
                        .part(b"feature")
                        .part(told.series.to_string().as_bytes())
                        .part(told.version.as_bytes())
                });
                parts.finish()
            }
        }
    }

    /// Whether any of them was generated.
    pub(crate) fn synthetic(&self) -> bool {
        self.all().any(|(_, version)| version.synthetic)
    }
}

impl RunBars {
    /// Of a run that reads nothing else.
    pub(crate) fn of_track(bars: Bars) -> Self {
        Self {
            tracks: vec![bars],
            finer: Vec::new(),
            rates: Vec::new(),
            references: Vec::new(),
            features: Vec::new(),
        }
    }

    /// As the engine takes them.
    pub(crate) fn inputs(&self) -> Inputs<'_> {
        let track = |(index, bars)| TrackBars { bars, finer: self.finer.get(index) };
        Inputs {
            tracks: self.tracks.iter().enumerate().map(track).collect(),
            rates: self.rates.iter().collect(),
            references: self.references.iter().collect(),
            features: self.features.iter().collect(),
        }
    }
}

/// What a run asks of a data set.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) dataset: &'a DatasetName,
    /// The version that the request names.
    pub(crate) pinned: Option<&'a Digest>,
    pub(crate) stretch: Stretch,
    /// What the strategy reads beside its own bars.
    pub(crate) plan: &'a Plan,
}

/// What a run reads of the bars before its range.
#[derive(Clone, Copy)]
pub(crate) struct History {
    /// Bars of each track.
    pub(crate) bars: usize,
    /// Of tracks and references, before those bars: longer timeframes and other instruments are made of it.
    pub(crate) lead_nanos: i64,
}

impl History {
    /// What the indicators of a plan need on bars of `timeframe`.
    pub(crate) fn of(plan: &Plan, timeframe: Granularity) -> Self {
        Self {
            bars: usize::try_from(plan.warm_up_bars()).unwrap_or(usize::MAX),
            lead_nanos: plan.feed_lead_nanos(timeframe),
        }
    }
}

/// Which bars of a series are decided on.
#[derive(Clone, Copy)]
pub(crate) enum Stretch {
    /// Those of a range.
    Range(TimeRange),
    /// So many newest ones.
    Newest(usize),
}

impl App {
    /// Finds the series of a run and puts those that convert, and what the strategy reads, into its configuration.
    ///
    /// # Errors
    /// `BacktestDataError` naming what is missing.
    pub(crate) async fn find_series(
        &self,
        wanted: &Wanted<'_>,
        config: &mut RunConfig,
    ) -> PlatformResult<RunSeries> {
        let key = |track: &Track, granularity| SeriesKey {
            dataset: wanted.dataset.clone(),
            instrument: track.instrument,
            granularity,
        };
        // One series is asked for by its version; several only have a version together.
        let needs_rates = rates::needed(config).next().is_some();
        let feeds = wanted.plan.feeds();
        let reads = feeds.iter().any(|feed| feed.instrument.is_some()) || !wanted.plan.features.is_empty();
        let alone = config.tracks.len() == 1 && config.intrabar.is_none() && !needs_rates && !reads;
        let pinned = wanted.pinned.filter(|_| alone);
        let mut series = RunSeries {
            tracks: Vec::new(),
            finer: Vec::new(),
            rates: Vec::new(),
            references: Vec::new(),
            features: Vec::new(),
        };
        for track in &config.tracks {
            series.tracks.push(self.describe_series(&key(track, track.granularity), pinned).await?);
        }
        let covers = |data: &SeriesVersion| match wanted.stretch {
            Stretch::Range(range) => check_coverage(data, range),
            Stretch::Newest(_) => Ok(()),
        };
        series.tracks.iter().try_for_each(covers)?;
        if let Some(finer) = config.intrabar {
            for track in &config.tracks {
                let described = self.describe_series(&key(track, finer), None).await;
                let covered = described.and_then(|data| covers(&data).map(|()| data));
                series.finer.push(covered.map_err(|error| name_field("intrabar", error))?);
            }
        }
        series.rates = self.find_rates(wanted, config, &series.tracks).await?;
        let rate = |data: &SeriesVersion| Track {
            instrument: data.series.instrument,
            granularity: data.series.granularity,
        };
        config.rates = series.rates.iter().map(rate).collect();
        for reference in references(&feeds, config) {
            let described = self.describe_series(&key(&reference, reference.granularity), None).await;
            let covered = described.and_then(|data| covers(&data).map(|()| data));
            let read = covered.map_err(|error| name_field("instruments", error))?;
            series.references.push(read);
            config.references.push(reference);
        }
        series.features = self.find_features(wanted, config).await?;
        match wanted.pinned {
            Some(pinned) if *pinned != series.version() => Err(not_pinned(pinned, &series)),
            _ => Ok(series),
        }
    }

    /// Checks what a run over `range` would read, before anything is read.
    ///
    /// # Errors
    /// `BacktestDataError` above [`RUN_BARS_MAX`].
    pub(crate) async fn check_size(
        &self,
        series: &RunSeries,
        range: TimeRange,
        history: History,
    ) -> PlatformResult<()> {
        let mut rows = 0_u64;
        for (role, version) in series.all() {
            let range = match role {
                InputRole::Rate => led(range, RATE_LEAD_NANOS),
                InputRole::Track | InputRole::Reference => led(range, history.lead_nanos),
                InputRole::Intrabar => range,
            };
            let held = self.files.bars.rows_within_max(version, range).await.map_err(errors::store)?;
            rows = rows.saturating_add(held);
        }
        let told = series.features.iter().map(|version| version.rows).sum();
        rows = rows.saturating_add(told);
        if rows <= RUN_BARS_MAX {
            return Ok(());
        }
        let message = format!(
            "the range asked for holds up to {rows} bars and values of {} series; one run takes {RUN_BARS_MAX} at most",
            series.all().count() + series.features.len()
        );
        Err(PlatformError::new(ErrorKind::BacktestData, message))
    }

    /// Reads the bars of `range`, what comes before it, and the `features` of the configuration, all at once: for short ranges.
    ///
    /// # Errors
    /// `ServiceError` when the store fails.
    pub(crate) async fn load_bars(
        &self,
        series: &RunSeries,
        features: &[FeatureTrack],
        range: TimeRange,
        history: History,
    ) -> PlatformResult<RunBars> {
        self.open_windows(series, features, range, history).await?.all_at_once().await
    }
}

/// The range with what is read before it.
fn led(range: TimeRange, lead_nanos: i64) -> TimeRange {
    TimeRange { start: range.start.plus_nanos(-lead_nanos), ..range }
}

/// The series of other instruments that a strategy reads: each with bars as long as those of each track.
fn references(feeds: &[Feed], config: &RunConfig) -> Vec<Track> {
    let mut found = Vec::new();
    for instrument in feeds.iter().filter_map(|feed| feed.instrument) {
        for track in &config.tracks {
            let reference = Track { instrument, granularity: track.granularity };
            if !found.contains(&reference) {
                found.push(reference);
            }
        }
    }
    found
}

fn check_coverage(data: &SeriesVersion, range: TimeRange) -> PlatformResult<()> {
    if range.end > data.first && range.start <= data.last {
        return Ok(());
    }
    let message = format!(
        "no bars of {} between {} and {}: stored are {} to {}",
        data.series, range.start, range.end, data.first, data.last
    );
    Err(PlatformError::new(ErrorKind::BacktestData, message))
}

fn changed(series: &impl std::fmt::Display) -> PlatformError {
    let message = format!("{series} was imported anew while the run was prepared: ask again");
    PlatformError::new(ErrorKind::BacktestData, message)
}

fn name_field(field: &str, error: PlatformError) -> PlatformError {
    match error.kind() {
        ErrorKind::BacktestData => PlatformError::field(ErrorKind::BacktestData, field, error.message()),
        _ => error,
    }
}

pub(crate) fn not_pinned(pinned: &Digest, series: &RunSeries) -> PlatformError {
    let message = format!(
        "the latest versions of the run's {} series together are {}, not {pinned}: of several series only the latest \
         versions can be asked for",
        series.all().count() + series.feature_records().len(),
        series.version()
    );
    PlatformError::field(ErrorKind::BacktestData, "data_version", message)
}
