//! Spread, slippage and commission on the wire.

use super::model::{
    NumberOrModel, POINTS_PER_PIP, model_schema, number_or_model, number_schema, one_field_schema, one_model,
    one_of_schema,
};
use crate::input::{Faults, Read, read};
use fx_app::backtests::{Commission, Slippage, SpreadRequest};
use serde_json::Value;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder};

/// Hours of a day.
const HOURS: usize = 24;

pub(super) fn spread(path: &str, value: Value) -> Read<SpreadRequest> {
    let mut fields = match number_or_model(path, value)? {
        NumberOrModel::Number(pips) => return Ok(SpreadRequest::Pips(pips)),
        NumberOrModel::Model(fields) => fields,
    };
    let models = vec![
        fields.optional("points", read::number).map(SpreadRequest::Points),
        fields.optional("by_hour", by_hour).map(SpreadRequest::ByHour),
        fields.optional("relative_on_entry", read::number).map(SpreadRequest::RelativeOnEntry),
        fields.optional("relative", read::number).map(SpreadRequest::Relative),
    ];
    one_model(path, fields, models)
}

fn by_hour(path: &str, value: Value) -> Read<[f64; HOURS]> {
    let pips = read::list(HOURS, "numbers", read::number)(path, value)?;
    let count = pips.len();
    pips.try_into().map_err(|_| {
        Faults::schema(path, format!("expected {HOURS} numbers, one for each UTC hour, found {count}"))
    })
}

pub(super) fn slippage(path: &str, value: Value) -> Read<Slippage> {
    let mut fields = match number_or_model(path, value)? {
        NumberOrModel::Number(pips) => return Ok(Slippage::Pips(pips)),
        NumberOrModel::Model(fields) => fields,
    };
    let models = vec![
        fields.optional("points", read::number).map(|points| Slippage::Pips(points / POINTS_PER_PIP)),
        fields.optional("spread_share", read::number).map(Slippage::SpreadShare),
        fields.optional("random", read::number).map(Slippage::Random),
    ];
    one_model(path, fields, models)
}

pub(super) fn commission(path: &str, value: Value) -> Read<Commission> {
    let mut fields = match number_or_model(path, value)? {
        NumberOrModel::Number(per_lot) => return Ok(Commission::PerLot(per_lot)),
        NumberOrModel::Model(fields) => fields,
    };
    let minimum = fields.optional("minimum", read::number);
    let rate = fields.optional("per_notional", read::number);
    if minimum.is_some() && rate.is_none() {
        return Err(Faults::schema(format!("{path}.minimum"), "stands beside `per_notional` only"));
    }
    let models = vec![
        rate.map(|rate| Commission::PerNotional { rate, minimum: minimum.unwrap_or(0.0) }),
        fields.optional("per_unit", read::number).map(Commission::PerUnit),
    ];
    one_model(path, fields, models)
}

fn by_hour_schema() -> ObjectBuilder {
    let hours = ArrayBuilder::new()
        .items(number_schema(10_000.0, "Pips."))
        .min_items(Some(HOURS))
        .max_items(Some(HOURS))
        .description(Some("Pips by the UTC hour in which a bar opens, from 0 to 23."));
    one_field_schema("by_hour", hours)
}

one_of_schema!(
    /// The document's form of a spread.
    SpreadSchema:
        number_schema(10_000.0, "Pips."),
        model_schema(&[("points", 100_000.0, "Tenths of a pip.")]),
        by_hour_schema(),
        model_schema(&[("relative_on_entry", 0.1, "Fraction of the entry price, paid on entry.")]),
        model_schema(&[("relative", 0.1, "Fraction of the price, half paid on each side.")]),
);
one_of_schema!(
    /// The document's form of a slippage.
    SlippageSchema:
        number_schema(10_000.0, "Pips."),
        model_schema(&[("points", 100_000.0, "Tenths of a pip.")]),
        model_schema(&[("spread_share", 1.0, "Share of the spread of the moment.")]),
        model_schema(&[("random", 10_000.0, "Pips at most, drawn from the seed for each fill.")]),
);
one_of_schema!(
    /// The document's form of a commission.
    CommissionSchema:
        number_schema(1e12, "Account currency per standard lot and side."),
        model_schema(&[("per_unit", 0.1, "Account currency per unit and side.")]),
        model_schema(&[
            ("per_notional", 0.1, "Fraction of the fill's notional."),
            ("minimum", 1e12, "Account currency per fill at least."),
        ]),
);
