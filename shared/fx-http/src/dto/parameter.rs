//! Parameters of strategies on the wire.

use fx_app::records::{ParameterValue, Parameters};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A parameter's value: true, false, or a number.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct ParameterDto(ParameterValue);

impl PartialSchema for ParameterDto {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::Boolean, Type::Number]))
            .description(Some("True, false or a number."))
            .into()
    }
}

impl ToSchema for ParameterDto {}

impl ParameterDto {
    pub(crate) fn of(value: &ParameterValue) -> Self {
        Self(value.clone())
    }
}

pub(crate) fn parameter_map(parameters: &Parameters) -> BTreeMap<String, ParameterDto> {
    parameters.iter().map(|(name, value)| (name.clone(), ParameterDto::of(value))).collect()
}
