//! Rollover rates on the wire: none, a stored table, or rates in the request.

use super::model::{closed_object, one_of_schema};
use crate::input::{Faults, Fields, Read, read};
use fx_app::backtests::{FinancingRequest, INLINE_RATES_MAX, financing_error};
use fx_domain::{
    Currency, DayCount, DayWeights, FinancingError, FinancingRow, FinancingTable, Instrument, SwapRate,
};
use serde_json::Value;
use std::str::FromStr;
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder, Schema, Type};

/// Pairs with day weights in one request, at most.
const DAY_WEIGHTS_MAX: usize = 200;
/// Rollovers of a week.
const WEEKDAYS: usize = 5;
/// The name of rates that have none.
const UNNAMED: &str = "inline";
/// What names a stored table.
const TABLE_PATTERN: &str = "^[A-Za-z0-9_-]{1,64}$";
/// The word for no rollover.
const ZERO: &str = "zero";

/// What the numbers of a rate count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Points,
    Percent,
    PerLot,
}

const UNITS: &[(&str, Unit)] =
    &[("points", Unit::Points), ("percent", Unit::Percent), ("per_lot", Unit::PerLot)];

pub(super) fn financing(path: &str, value: Value) -> Read<FinancingRequest> {
    match value {
        Value::String(name) if name == ZERO => Ok(FinancingRequest::Zero),
        Value::String(name) if is_table_name(&name) => Ok(FinancingRequest::Table(name)),
        Value::String(_) => {
            Err(Faults::schema(path, format!("expected `{ZERO}` or the name of a table, {TABLE_PATTERN}")))
        }
        Value::Object(object) => table(Fields::nested(path, object)).map(FinancingRequest::Rates),
        _ => Err(Faults::schema(path, format!("expected `{ZERO}`, the name of a table, or rates"))),
    }
}

/// Whether a table may be stored under this name.
fn is_table_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

fn table(mut fields: Fields) -> Read<FinancingTable> {
    let name = fields.optional("name", read::text).unwrap_or_else(|| UNNAMED.to_owned());
    let rates = fields.required("rates", read::list(INLINE_RATES_MAX, "rates", row));
    let weights = fields.optional("day_weights", day_weights).unwrap_or_default();
    let rates = fields.finish(rates)?;
    let table = FinancingTable::new(name, rates).map_err(|error| fault(&error))?;
    weights.into_iter().try_fold(table, |table, (pair, weights)| {
        table.with_day_weights(pair, weights).map_err(|error| fault(&error))
    })
}

fn row(path: &str, value: Value) -> Read<FinancingRow> {
    let mut fields = read::object(path, value)?;
    let instrument = fields.required("instrument", read::parsed(Instrument::parse));
    let from = fields.required("from", |path, value| {
        let text = read::text(path, value)?;
        let date = if text.len() == "YYYY-MM-DD".len() { text.parse().ok() } else { None };
        date.ok_or_else(|| Faults::schema(path, "expected a date such as 2024-03-08"))
    });
    let long = fields.required("long", read::number);
    let short = fields.required("short", read::number);
    let unit = fields.required("unit", read::word(UNITS));
    let day_count = fields.optional("day_count", |path, value| {
        let days = read::whole(path, value)?;
        let count = u16::try_from(days).ok().and_then(|days| DayCount::try_from(days).ok());
        count.ok_or_else(|| Faults::schema(path, format!("expected 360 or 365, found {days}")))
    });
    let currency = fields.optional("currency", read::parsed(Currency::from_str));
    let (count_given, currency_given) = (day_count.is_some(), currency.is_some());
    let row = (|| {
        let rate = |number: f64| match unit? {
            Unit::Points => Some(SwapRate::Points(number)),
            Unit::Percent => Some(SwapRate::AnnualPercent { percent: number, days_in_year: day_count? }),
            Unit::PerLot => Some(SwapRate::PerLot { amount: number, currency }),
        };
        Some(FinancingRow { instrument: instrument?, from: from?, long: rate(long?)?, short: rate(short?)? })
    })();
    let mut faults = Faults::default();
    let row = fields.finish(Some(row)).map_err(|found| faults.add(found)).ok().flatten();
    match unit {
        Some(Unit::Percent) if !count_given && faults.is_empty() => {
            faults.add(Faults::schema(format!("{path}.day_count"), "is required with `percent`: 360 or 365"));
        }
        Some(unit) if unit != Unit::Percent && count_given => {
            faults.add(Faults::schema(format!("{path}.day_count"), "stands beside `percent` only"));
        }
        _ => {}
    }
    if currency_given && unit.is_some_and(|unit| unit != Unit::PerLot) {
        faults.add(Faults::schema(format!("{path}.currency"), "stands beside `per_lot` only"));
    }
    row.filter(|_| faults.is_empty()).ok_or(faults)
}

fn day_weights(path: &str, value: Value) -> Read<Vec<(Instrument, DayWeights)>> {
    let Value::Object(pairs) = value else {
        return Err(Faults::schema(path, "expected an object of pairs"));
    };
    if pairs.len() > DAY_WEIGHTS_MAX {
        return Err(Faults::schema(path, format!("has {} pairs: at most {DAY_WEIGHTS_MAX}", pairs.len())));
    }
    let mut faults = Faults::default();
    let mut read_pairs = Vec::with_capacity(pairs.len());
    for (pair, value) in pairs {
        let place = format!("{path}.{pair}");
        let instrument = Instrument::parse(&pair).map_err(|error| Faults::schema(&place, error.to_string()));
        let weights = read::list(WEEKDAYS, "days", read::whole)(&place, value).and_then(|days| {
            let days: Option<Vec<u32>> = days.iter().map(|days| u32::try_from(*days).ok()).collect();
            let week = days.and_then(|days| <[u32; WEEKDAYS]>::try_from(days).ok());
            let week = week.ok_or_else(|| {
                Faults::schema(&place, format!("expected {WEEKDAYS} numbers of days, Monday to Friday"))
            })?;
            DayWeights::new(week).map_err(|error| Faults::schema(&place, error.to_string()))
        });
        match (instrument, weights) {
            (Ok(instrument), Ok(weights)) => read_pairs.push((instrument, weights)),
            (instrument, weights) => {
                instrument.err().into_iter().chain(weights.err()).for_each(|fault| faults.add(fault));
            }
        }
    }
    if faults.is_empty() { Ok(read_pairs) } else { Err(faults) }
}

/// What is wrong with the table as a whole.
fn fault(error: &FinancingError) -> Faults {
    Faults { unsupported: financing_error(error).issues().to_vec(), ..Faults::default() }
}

fn text_schema(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

fn rate_schema() -> ObjectBuilder {
    let number = |description: &str| {
        ObjectBuilder::new()
            .schema_type(Type::Number)
            .minimum(Some(-1e9))
            .maximum(Some(1e9))
            .description(Some(description))
    };
    let unit = text_schema("What the numbers count: points and money are per day, percent per year.");
    let days = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .enum_values(Some([360, 365]))
        .description(Some("Days of the year of `percent`, which needs it."));
    closed_object()
        .property("instrument", text_schema("The pair."))
        .required("instrument")
        .property("from", text_schema("First trading day, such as 2024-03-08."))
        .required("from")
        .property("long", number("Received by a long position when positive, paid when negative."))
        .required("long")
        .property("short", number("The same of a short position."))
        .required("short")
        .property("unit", unit.enum_values(Some(UNITS.iter().map(|(name, _)| *name))))
        .required("unit")
        .property("day_count", days)
        .property("currency", text_schema("The currency of `per_lot`; the account's when absent."))
}

fn rates_schema() -> ObjectBuilder {
    let day = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(31));
    let week = ArrayBuilder::new().items(day).min_items(Some(WEEKDAYS)).max_items(Some(WEEKDAYS));
    let weights = ObjectBuilder::new()
        .additional_properties(Some(AdditionalProperties::<Schema>::from(week)))
        .description(Some("By pair: days charged Monday to Friday, instead of those between value dates."));
    let rates = ArrayBuilder::new().items(rate_schema()).min_items(Some(1)).max_items(Some(INLINE_RATES_MAX));
    closed_object()
        .property("name", text_schema("What the result calls it.").min_length(Some(1)).max_length(Some(64)))
        .property("rates", rates)
        .required("rates")
        .property("day_weights", weights)
}

one_of_schema!(
    /// The document's form of financing.
    FinancingSchema:
        text_schema("`zero`, or the name of a stored table.").pattern(Some(TABLE_PATTERN)),
        rates_schema(),
);

#[cfg(test)]
mod tests {
    use super::*;
    use fx_domain::{Side, UnixNanos};
    use serde_json::json;

    fn rates(value: Value) -> FinancingTable {
        match financing("financing", value) {
            Ok(FinancingRequest::Rates(table)) => table,
            other => panic!("{other:?}"),
        }
    }

    fn refused(value: Value) -> Vec<String> {
        let faults = financing("financing", value).unwrap_err();
        faults.schema.iter().chain(&faults.unsupported).map(ToString::to_string).collect()
    }

    fn rate(extra: Value) -> Value {
        let mut row = json!({"instrument": "EUR_USD", "from": "2024-01-01", "long": -0.6, "short": 0.2, "unit": "points"});
        if let (Value::Object(row), Value::Object(extra)) = (&mut row, extra) {
            row.extend(extra);
        }
        row
    }

    #[test]
    fn a_word_is_zero_or_a_table() {
        assert_eq!(financing("financing", json!("zero")), Ok(FinancingRequest::Zero));
        assert_eq!(
            financing("financing", json!("broker-2024")),
            Ok(FinancingRequest::Table("broker-2024".to_owned()))
        );
        for bad in [json!("a/b"), json!(""), json!("../x"), json!("x".repeat(65)), json!(1)] {
            assert!(refused(bad.clone())[0].starts_with("financing: "), "{bad}");
        }
    }

    #[test]
    fn rates_of_every_unit_are_read() {
        let at = UnixNanos::parse("2024-01-03T22:00:00Z").unwrap();
        let table = rates(json!({"rates": [
            rate(json!({})),
            rate(json!({"instrument": "GBP/USD", "unit": "percent", "day_count": 365})),
            rate(json!({"instrument": "USDJPY", "unit": "per_lot", "currency": "JPY"})),
        ], "day_weights": {"EUR/USD": [1, 1, 1, 1, 3]}}));
        let long = |pair| table.swap(&Instrument::parse(pair).unwrap(), Side::Long, at);
        assert_eq!(long("EUR/USD"), Some(SwapRate::Points(-0.6)));
        assert_eq!(
            long("GBP/USD"),
            Some(SwapRate::AnnualPercent { percent: -0.6, days_in_year: DayCount::Actual365 })
        );
        assert_eq!(
            long("USD/JPY"),
            Some(SwapRate::PerLot { amount: -0.6, currency: Some("JPY".parse().unwrap()) })
        );
        assert_eq!(table.days(&Instrument::parse("EUR/USD").unwrap(), at), 1);
        assert_eq!((table.days(&Instrument::parse("GBP/USD").unwrap(), at), table.name()), (3, "inline"));
    }

    #[test]
    fn every_wrong_rate_is_named_by_its_place() {
        let named = refused(json!({"rates": [
            rate(json!({"unit": "pips"})),
            rate(json!({"from": "2024-01-01T00:00:00", "instrument": "EUR"})),
            rate(json!({"unit": "percent"})),
            rate(json!({"day_count": 360})),
            rate(json!({"currency": "USD"})),
            rate(json!({"lnog": 1})),
        ], "day_weights": {"EUR/USD": [1, 1]}}));
        let expected = [
            "financing.rates[0].unit: ",
            "financing.rates[1].instrument: ",
            "financing.rates[1].from: ",
            "financing.rates[2].day_count: ",
            "financing.rates[3].day_count: ",
            "financing.rates[4].currency: ",
            "financing.rates[5].lnog: ",
            "financing.day_weights.EUR/USD: ",
        ];
        assert_eq!(named.len(), expected.len(), "{named:#?}");
        for (named, expected) in named.iter().zip(expected) {
            assert!(named.starts_with(expected), "{named} is not {expected}");
        }
        assert!(named[6].contains("did you mean `long`?"), "{}", named[6]);
    }

    #[test]
    fn a_table_that_is_wrong_as_a_whole_is_named_too() {
        let day_weights = json!({"USD/JPY": [1, 1, 1, 1, 1]});
        for (value, expected) in [
            (json!({}), "financing.rates: is required"),
            (json!({"rates": []}), "financing.rates: "),
            (json!({"rates": [rate(json!({})), rate(json!({}))]}), "financing.rates[1].from: "),
            (json!({"rates": [rate(json!({"short": 1e10}))]}), "financing.rates[0].short: "),
            (json!({"rates": [rate(json!({}))], "day_weights": day_weights}), "financing.day_weights: "),
            (json!({"rates": [rate(json!({}))], "name": ""}), "financing.name: "),
        ] {
            let named = refused(value);
            assert!(named[0].starts_with(expected), "{} is not {expected}", named[0]);
        }
    }
}
