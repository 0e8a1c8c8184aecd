//! Strategies on the wire.

use super::causality::CausalityDto;
use super::parameter::{ParameterDto, parameter_map};
use crate::input::{Fields, FromFields, read};
use fx_app::records::{Parameters, StrategyVersion};
use fx_app::strategies::Registration;
use fx_domain::{ErrorKind, Granularity, Instrument};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The owner of shipped strategies.
const LIBRARY_OWNER: &str = "platform";

/// A strategy to be registered.
#[derive(Debug, ToSchema)]
pub(crate) struct RegisterBody {
    /// Its name: registering a name again adds a version.
    #[schema(min_length = 1, max_length = 200, example = "MA cross")]
    name: String,
    /// What it is for; the source's docstring when absent.
    #[schema(max_length = 4000)]
    description: Option<String>,
    /// The pairs it trades, as `EUR/USD`, `EUR_USD` or `EURUSD`.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 28, example = json!(["EUR/USD"]))]
    instruments: Vec<Instrument>,
    /// The bars it sees: `1m 5m 15m 30m 1h 4h 1d 1w`, or `M1 … W1`.
    #[schema(value_type = String, pattern = "^(1m|5m|15m|30m|1h|4h|1d|1w|M1|M5|M15|M30|H1|H4|D1|W1)$", example = "1h")]
    timeframe: Granularity,
    /// Overrides of the source's parameters.
    #[schema(value_type = Option<BTreeMap<String, ParameterDto>>)]
    parameters: Parameters,
    /// The source, in the strategy language.
    #[schema(min_length = 1)]
    code: String,
}

impl FromFields for RegisterBody {
    const UNSUPPORTED: ErrorKind = ErrorKind::StrategyConfiguration;

    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", read::text);
        let description = fields.optional("description", read::text);
        let instruments = fields.required("instruments", read::instruments);
        let timeframe = fields.required("timeframe", read::timeframe);
        let parameters = fields.optional("parameters", read::parameters).unwrap_or_default();
        let code = fields.required("code", read::text);
        Some(Self {
            name: name?,
            description,
            instruments: instruments?,
            timeframe: timeframe?,
            parameters,
            code: code?,
        })
    }
}

impl From<RegisterBody> for Registration {
    fn from(body: RegisterBody) -> Self {
        let RegisterBody { name, description, instruments, timeframe, parameters, code } = body;
        Self { name, description, instruments, timeframe, parameters, code }
    }
}

/// A strategy.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StrategyDto {
    /// Its id, the same for every version.
    id: String,
    /// Its name.
    name: String,
    /// `library` ships with the platform, `custom` was registered.
    #[serde(rename = "type")]
    #[schema(pattern = "^(library|custom)$")]
    origin: &'static str,
    /// Always `active`.
    #[schema(pattern = "^active$")]
    status: &'static str,
    /// The pairs it trades.
    instruments: Vec<String>,
    /// The bars it sees.
    timeframe: &'static str,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Overrides of the source's parameters.
    parameters: BTreeMap<String, ParameterDto>,
    /// Digest of source, parameters, instruments and timeframe.
    version: String,
    /// Digest of what it compiles to.
    plan_hash: String,
    /// How it was shown that it does not look ahead; absent of versions from before that was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    causality: Option<CausalityDto>,
    /// When this version was first registered.
    #[schema(format = DateTime)]
    created_at: String,
    /// The source; left out of lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

impl StrategyDto {
    /// As an entry of a list.
    pub(crate) fn listed(version: &StrategyVersion) -> Self {
        Self {
            id: version.id.to_string(),
            name: version.name.clone(),
            origin: if version.owner.as_str() == LIBRARY_OWNER { "library" } else { "custom" },
            status: "active",
            instruments: version.instruments.iter().map(ToString::to_string).collect(),
            timeframe: version.timeframe.as_str(),
            description: version.description.clone(),
            parameters: parameter_map(&version.parameters),
            version: version.version.to_string(),
            plan_hash: version.plan_hash.to_string(),
            causality: version.causality.as_ref().map(CausalityDto::of),
            created_at: version.created_at.to_string(),
            code: None,
        }
    }

    /// With its source.
    pub(crate) fn whole(version: &StrategyVersion) -> Self {
        Self { code: Some(version.source.clone()), ..Self::listed(version) }
    }
}

/// A page of strategies.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StrategyPage {
    /// The strategies.
    pub(crate) strategies: Vec<StrategyDto>,
    /// Where to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_page_token: Option<String>,
}

/// A page of one strategy's versions, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionPage {
    /// The strategy.
    pub(crate) strategy_id: String,
    /// Its versions.
    pub(crate) versions: Vec<StrategyDto>,
    /// Where to go on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_page_token: Option<String>,
}

/// A registered strategy.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegisteredDto {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// Always `active`.
    #[schema(pattern = "^active$")]
    status: &'static str,
    /// What happened.
    message: String,
    /// Digest of source, parameters, instruments and timeframe: the same content is the same version.
    version: String,
    /// Digest of what it compiles to.
    plan_hash: String,
}

impl From<&StrategyVersion> for RegisteredDto {
    fn from(version: &StrategyVersion) -> Self {
        Self {
            id: version.id.to_string(),
            name: version.name.clone(),
            status: "active",
            message: format!("strategy {} registered", version.id),
            version: version.version.to_string(),
            plan_hash: version.plan_hash.to_string(),
        }
    }
}
