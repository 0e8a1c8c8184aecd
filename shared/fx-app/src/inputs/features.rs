//! What a strategy reads that other services told: which versions, and their values as the engine takes them.

use super::Wanted;
use crate::ports::{FeatureColumn, FeatureValues};
use crate::records::{FeatureKey, FeatureVersion, Told};
use crate::{App, errors};
use fx_domain::{DatasetName, ErrorKind, PlatformError, PlatformResult};
use fx_engine::{FeatureSeries, FeatureTrack, RunConfig};
use fx_strategy::Feature;

impl App {
    /// Finds every feature of every track and puts it into the configuration. What is told of each in the run's range is
    /// looked at by the engine, bar by bar.
    ///
    /// # Errors
    /// `BacktestDataError` for a feature that is not stored, and for a regime that never has the name that the strategy
    /// compares it with.
    pub(super) async fn find_features(
        &self,
        wanted: &Wanted<'_>,
        config: &mut RunConfig,
    ) -> PlatformResult<Vec<FeatureVersion>> {
        let mut versions = Vec::new();
        for track in &config.tracks {
            for feature in &wanted.plan.features {
                let told = Told::read_by(feature, track.granularity);
                let dataset: &DatasetName = wanted.dataset;
                let series = FeatureKey { dataset: dataset.clone(), instrument: track.instrument, told };
                let version = self.files.features.describe(&series).await.map_err(errors::store)?;
                let version = version.ok_or_else(|| not_stored(feature, &series))?;
                if let Feature::Regime(name) = feature
                    && !version.names.contains(name)
                {
                    return Err(never_so(name, &version));
                }
                versions.push(version);
                config.features.push(FeatureTrack { instrument: track.instrument, feature: feature.clone() });
            }
        }
        Ok(versions)
    }

    /// The values of `versions`, one for each of `tracks`.
    pub(super) async fn load_features(
        &self,
        versions: &[FeatureVersion],
        tracks: &[FeatureTrack],
    ) -> PlatformResult<Vec<FeatureSeries>> {
        let mut loaded: Vec<(&FeatureVersion, FeatureValues)> = Vec::new();
        let mut series = Vec::new();
        for (version, track) in versions.iter().zip(tracks) {
            let known = loaded.iter().position(|(known, _)| known.series == version.series);
            let place = match known {
                Some(place) => place,
                None => {
                    let values = self.files.features.load(version).await.map_err(errors::store)?;
                    loaded.push((version, values));
                    loaded.len() - 1
                }
            };
            series.push(as_numbers(&track.feature, &loaded[place].1));
        }
        Ok(series)
    }
}

/// A regime that is compared with a name is 1 while it has it, else 0.
fn as_numbers(feature: &Feature, told: &FeatureValues) -> FeatureSeries {
    let values = match &told.values {
        FeatureColumn::Numbers(numbers) => numbers.clone(),
        FeatureColumn::Names(names) => names.iter().map(|name| f64::from(name == feature.name())).collect(),
    };
    FeatureSeries { available_at: told.available_at.clone(), values }
}

fn not_stored(feature: &Feature, series: &FeatureKey) -> PlatformError {
    let FeatureKey { dataset, instrument, told } = series;
    let of = told.timeframe().map(|timeframe| format!(" on bars of {timeframe}")).unwrap_or_default();
    let message = format!("no values of {feature} for {instrument}{of} are stored in data set `{dataset}`");
    PlatformError::field(ErrorKind::BacktestData, "features", message)
}

fn never_so(name: &str, version: &FeatureVersion) -> PlatformError {
    let message = format!(
        "the stored regimes of {} are never \"{name}\": they are {}",
        version.series.instrument,
        version.names.join(", ")
    );
    PlatformError::field(ErrorKind::BacktestData, "features", message)
}
