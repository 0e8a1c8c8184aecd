//! What the linter takes and answers.

use super::causality::CausalityDto;
use super::diagnostic::DiagnosticDto;
use super::parameter::{ParameterDto, parameter_map};
use crate::input::{Fields, FromFields, read};
use fx_app::records::Parameters;
use fx_app::validation::{Candidate, Outline, ParameterSpec, PlanSize, Reads, Track, Validation};
use fx_domain::{ErrorKind, Granularity, Instrument};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A source to be looked at. A registration's body can be sent as it is: its name and description change nothing.
#[derive(Debug, ToSchema)]
pub(crate) struct ValidateBody {
    /// The source, in the strategy language.
    #[schema(min_length = 1)]
    code: String,
    /// Overrides of the source's parameters.
    #[schema(value_type = Option<BTreeMap<String, ParameterDto>>)]
    parameters: Parameters,
    /// The pairs it trades; the first one's bars are generated to show that it does not look ahead.
    #[schema(value_type = Option<Vec<String>>, example = json!(["EUR/USD"]))]
    instruments: Vec<Instrument>,
    /// The bars it sees, shorter than all others that it reads; hours when absent.
    #[schema(value_type = Option<String>, example = "1h")]
    timeframe: Option<Granularity>,
}

impl FromFields for ValidateBody {
    const UNSUPPORTED: ErrorKind = ErrorKind::StrategyConfiguration;

    fn read(fields: &mut Fields) -> Option<Self> {
        fields.optional("name", read::text);
        fields.optional("description", read::text);
        let instruments = fields.optional("instruments", read::instruments).unwrap_or_default();
        let timeframe = fields.optional("timeframe", read::timeframe);
        let parameters = fields.optional("parameters", read::parameters).unwrap_or_default();
        let code = fields.required("code", read::text);
        Some(Self { code: code?, parameters, instruments, timeframe })
    }
}

impl From<ValidateBody> for Candidate {
    fn from(body: ValidateBody) -> Self {
        let ValidateBody { code, parameters, instruments, timeframe } = body;
        let usual = Self::default().track;
        let track = Track {
            instrument: instruments.first().copied().unwrap_or(usual.instrument),
            granularity: timeframe.unwrap_or(usual.granularity),
        };
        Self { code, parameters, track }
    }
}

/// What a source is found to be. Without errors, everything but the diagnostics says what it would run as.
#[derive(Debug, Serialize, ToSchema)]
pub struct ValidationDto {
    /// Whether it can be registered: there is no error.
    valid: bool,
    /// Errors and warnings, in the order of the source.
    diagnostics: Vec<DiagnosticDto>,
    #[serde(flatten)]
    outline: OutlineDto,
}

/// What a strategy would run as; of a source with errors, nothing.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct OutlineDto {
    /// The name of its class.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The docstring of its class.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Its parameters, in the order of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Vec<ParameterSpecDto>>,
    /// The value of each, overrides applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_parameters: Option<BTreeMap<String, ParameterDto>>,
    /// What it reads beside its own bars.
    #[serde(skip_serializing_if = "Option::is_none")]
    reads: Option<ReadsDto>,
    /// Its own bars that must precede a decision for every indicator to be defined.
    #[serde(skip_serializing_if = "Option::is_none")]
    warm_up_bars: Option<u64>,
    /// Days, weekends counted, of prices before those bars that the other timeframes and instruments are made of; absent
    /// where it reads none.
    #[serde(skip_serializing_if = "Option::is_none")]
    warm_up_lead_days: Option<u64>,
    /// How large its plan is.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<PlanSizeDto>,
    /// Bars of one instrument that a core runs in a second: an estimate from the plan, the same on every machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated_bars_per_second: Option<u64>,
    /// How it was shown that it does not look ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    causality: Option<CausalityDto>,
}

/// A parameter that a strategy declares.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ParameterSpecDto {
    /// Its name.
    name: String,
    /// `bool`, `int` or `float`.
    #[schema(pattern = "^(bool|int|float)$")]
    kind: &'static str,
    /// Its value where the request gives none.
    default: ParameterDto,
    /// The least value, itself allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<ParameterDto>,
    /// The greatest value, itself allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<ParameterDto>,
    /// What it means.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

/// What a strategy reads beside its own bars, each once, in order of appearance.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReadsDto {
    /// Longer timeframes, of any instrument.
    #[schema(example = json!(["4h"]))]
    timeframes: Vec<&'static str>,
    /// Other instruments.
    #[schema(example = json!(["GBP/USD"]))]
    instruments: Vec<String>,
    /// Features, as `feature("name")` names them.
    features: Vec<String>,
    /// Patterns, as `pattern("name")` names them.
    patterns: Vec<String>,
    /// The names that `regime()` is compared with.
    regimes: Vec<String>,
}

/// How large a plan is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanSizeDto {
    /// Steps.
    nodes: usize,
    /// Ways to decide.
    rules: usize,
    /// Recorded series.
    recordings: usize,
    /// Bytes of its stored form.
    bytes: usize,
    /// Digest of what the source compiles to.
    hash: String,
}

impl From<&Validation> for ValidationDto {
    fn from(validation: &Validation) -> Self {
        Self {
            valid: validation.is_valid(),
            diagnostics: validation.findings.iter().map(DiagnosticDto::of).collect(),
            outline: validation.outline.as_ref().map(OutlineDto::of).unwrap_or_default(),
        }
    }
}

impl OutlineDto {
    fn of(outline: &Outline) -> Self {
        let PlanSize { nodes, rules, recordings, bytes, hash } = outline.plan;
        Self {
            name: Some(outline.name.clone()),
            description: outline.description.clone(),
            parameters: Some(outline.parameters.iter().map(ParameterSpecDto::of).collect()),
            effective_parameters: Some(parameter_map(&outline.effective)),
            reads: Some(ReadsDto::of(&outline.reads)),
            warm_up_bars: Some(outline.warm_up_bars),
            warm_up_lead_days: outline.warm_up_lead_days(),
            plan: Some(PlanSizeDto { nodes, rules, recordings, bytes, hash: hash.to_string() }),
            estimated_bars_per_second: Some(outline.estimated_bars_per_second),
            causality: Some(CausalityDto::of(&outline.causality)),
        }
    }
}

impl ReadsDto {
    fn of(reads: &Reads) -> Self {
        Self {
            timeframes: reads.timeframes.iter().map(|timeframe| timeframe.as_str()).collect(),
            instruments: reads.instruments.iter().map(ToString::to_string).collect(),
            features: reads.features.clone(),
            patterns: reads.patterns.clone(),
            regimes: reads.regimes.clone(),
        }
    }
}

impl ParameterSpecDto {
    fn of(spec: &ParameterSpec) -> Self {
        Self {
            name: spec.name.clone(),
            kind: spec.kind.annotation(),
            default: ParameterDto::of(&spec.default),
            min: spec.min.as_ref().map(ParameterDto::of),
            max: spec.max.as_ref().map(ParameterDto::of),
            description: spec.description.clone(),
        }
    }
}
