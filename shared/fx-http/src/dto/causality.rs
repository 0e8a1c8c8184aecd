//! How a strategy was shown not to look ahead, on the wire.

use fx_app::records::Causality;
use serde::Serialize;
use utoipa::ToSchema;

/// That what a strategy decides on the first bars of a sample is what it decides at them when all bars are there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CausalityDto {
    /// The engine that ran.
    engine_version: String,
    /// Digest of the sample's bars: generated, the same for every strategy of the pair, timeframe and number of bars.
    sample_hash: String,
    /// Bars of the sample.
    bars: u64,
    /// Those of them before the first decision.
    warm_up_bars: u64,
    /// After how many bars the run was cut off and compared with the run of all bars, each time.
    cuts: Vec<u64>,
    /// Orders that it submitted on all bars; 0 when nothing of the sample made it decide.
    decisions: u64,
    /// Values that it recorded.
    recorded: u64,
}

impl CausalityDto {
    pub(crate) fn of(causality: &Causality) -> Self {
        let Causality { engine_version, sample, bars, warm_up_bars, cuts, decisions, recorded } = causality;
        Self {
            engine_version: engine_version.clone(),
            sample_hash: sample.to_string(),
            bars: *bars,
            warm_up_bars: *warm_up_bars,
            cuts: cuts.clone(),
            decisions: *decisions,
            recorded: *recorded,
        }
    }
}
