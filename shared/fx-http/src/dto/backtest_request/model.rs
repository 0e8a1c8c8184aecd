//! Models of costs on the wire: a number, or an object that names one model.

use crate::input::{Faults, Fields, Read, read};
use serde_json::Value;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

/// Points in a pip.
pub(super) const POINTS_PER_PIP: f64 = 10.0;

/// A number, or the fields of a model object.
pub(super) enum NumberOrModel {
    Number(f64),
    Model(Fields),
}

pub(super) fn number_or_model(path: &str, value: Value) -> Read<NumberOrModel> {
    match value {
        Value::Object(object) => Ok(NumberOrModel::Model(Fields::nested(path, object))),
        Value::Number(_) => read::number(path, value).map(NumberOrModel::Number),
        _ => Err(Faults::schema(path, "expected a number or a model object")),
    }
}

/// One model out of those that the object may name.
pub(super) fn one_model<T>(path: &str, fields: Fields, models: Vec<Option<T>>) -> Read<T> {
    let mut named: Vec<T> = models.into_iter().flatten().collect();
    let model = named.pop();
    let alone = named.is_empty();
    fields.finish(Some(()))?;
    model.filter(|_| alone).ok_or_else(|| Faults::schema(path, "names no model, or more than one"))
}

pub(super) fn number_schema(maximum: f64, description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Number)
        .minimum(Some(0.0))
        .maximum(Some(maximum))
        .description(Some(description))
}

/// An object without other fields than those that are added to it.
pub(super) fn closed_object() -> ObjectBuilder {
    ObjectBuilder::new().additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
}

/// An object of one model: its fields with their largest values, the first of them required.
pub(super) fn model_schema(fields: &[(&str, f64, &str)]) -> ObjectBuilder {
    let object = fields.iter().fold(closed_object(), |object, (name, maximum, description)| {
        object.property(*name, number_schema(*maximum, description))
    });
    fields.iter().take(1).fold(object, |object, (name, ..)| object.required(*name))
}

/// An object of one model with one field.
pub(super) fn one_field_schema(name: &str, schema: impl Into<RefOr<Schema>>) -> ObjectBuilder {
    closed_object().property(name, schema).required(name)
}

macro_rules! one_of_schema {
    ($(#[$doc:meta])* $name:ident: $($item:expr),+ $(,)?) => {
        $(#[$doc])*
        pub(super) struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::schema::OneOfBuilder::new()$(.item($item))+.into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}
pub(super) use one_of_schema;
