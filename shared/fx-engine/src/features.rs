//! What other services tell, as it could be read at each close.
//!
//! A value is seen at the first close that is at or after the instant at which it was available, and until the next one
//! is: what came in later is not known before, whatever instant it speaks of. Where a bar is decided on and no value is
//! there, or the newest is too old, the run ends: a strategy never decides by a value that it would not have had.

use crate::evaluate::{Block, Clock, Column, Memory, Others};
use crate::state::TrackState;
use crate::value::UNDEFINED;
use crate::{EngineError, FeatureTrack};
use fx_domain::{NANOS_PER_HOUR, UnixNanos};
use fx_strategy::{Node, Plan};
use std::ops::Range;

/// The values of one feature.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeatureSeries {
    /// When each could be read for the first time, ascending.
    pub available_at: Vec<UnixNanos>,
    /// As many values, finite.
    pub values: Vec<f64>,
}

impl FeatureSeries {
    /// What became available after an instant, if one is given, and up to another one.
    #[must_use]
    pub fn between(&self, after: Option<UnixNanos>, until: UnixNanos) -> Self {
        let by = |instant: UnixNanos| self.available_at.partition_point(|at| *at <= instant);
        let known = after.map_or(0, by).min(by(until))..by(until);
        let values = self.values.get(known.clone()).unwrap_or_default().to_vec();
        Self { available_at: self.available_at[known].to_vec(), values }
    }

    /// Whether it is one.
    pub(crate) fn is_sound(&self) -> bool {
        self.available_at.len() == self.values.len()
            && self.available_at.windows(2).all(|pair| pair[0] < pair[1])
            && self.values.iter().all(|value| value.is_finite())
    }
}

/// The newest value that was seen, and since when it was there.
pub(crate) type Told = Option<(UnixNanos, f64)>;

/// One feature of a track.
pub(crate) struct Source<'a> {
    pub(crate) series: &'a FeatureSeries,
    pub(crate) track: &'a FeatureTrack,
    /// How old a value may be that is decided by.
    pub(crate) age_hours_max: u32,
}

impl Source<'_> {
    /// Writes what is seen at each of the bars that open at `times`, of which those from `first_decision` on are decided on.
    fn see(
        &self,
        told: &mut Told,
        times: &[UnixNanos],
        (clock, first_decision): (Clock, usize),
        out: &mut [f64],
    ) -> Result<(), EngineError> {
        let known = |at: &UnixNanos| told.is_some_and(|(seen, _)| *at <= seen);
        let mut next = self.series.available_at.partition_point(known);
        let age_nanos_max = i64::from(self.age_hours_max).saturating_mul(NANOS_PER_HOUR);
        for (place, (open, out)) in times.iter().zip(out).enumerate() {
            let close = clock.granularity.close_of(*open);
            while let Some(at) = self.series.available_at.get(next).filter(|at| **at <= close) {
                *told = Some((*at, self.series.values[next]));
                next += 1;
            }
            let fresh = told.filter(|(at, _)| close.get().saturating_sub(at.get()) <= age_nanos_max);
            if place >= first_decision && fresh.is_none() {
                return Err(EngineError::StaleFeature {
                    track: self.track.clone(),
                    time: close,
                    seen: told.map(|(at, _)| at),
                    hours_max: self.age_hours_max,
                });
            }
            *out = told.map_or(UNDEFINED, |(_, value)| value);
        }
        Ok(())
    }
}

impl Block {
    /// Writes the columns of the features over the bars that open at `times`, one block at most.
    ///
    /// # Errors
    /// [`EngineError::StaleFeature`] for the first feature, and of that the first bar that is decided on without a value.
    pub(crate) fn see_features(
        &mut self,
        plan: &Plan,
        track: &mut TrackState,
        times: &[UnixNanos],
        (rows, clock): (Range<usize>, Clock),
        others: &Others<'_>,
    ) -> Result<(), EngineError> {
        let first_decision = clock.first_decision.saturating_sub(rows.start);
        let nodes = plan.nodes.iter().zip(&mut self.columns).zip(&mut track.memories);
        for ((node, column), memory) in nodes {
            if let (Node::Feature { feature }, Column::Number(out), Memory::Told(told)) =
                (node, column, memory)
                && let Some(source) = &others.features[usize::from(feature.0)]
            {
                source.see(told, &times[rows.clone()], (clock, first_decision), out)?;
            }
        }
        Ok(())
    }
}
