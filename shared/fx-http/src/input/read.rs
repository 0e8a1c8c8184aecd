//! Readers of single JSON values.

use super::{Faults, Fields, Read};
use fx_app::records::{ParameterValue, Parameters};
use fx_domain::{Granularity, Instrument, UnixNanos};
use serde_json::Value;
use std::fmt::Display;
use std::str::FromStr;

/// Parameters of one request, at most.
pub(crate) const PARAMETERS_MAX: usize = 200;
/// Entries of a list, at most.
const LIST_MAX: usize = 1_000;

fn expected<T>(path: &str, what: &str, found: &Value) -> Read<T> {
    let found = match found {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    };
    Err(Faults::schema(path, format!("expected {what}, found {found}")))
}

/// A text.
pub(crate) fn text(path: &str, value: Value) -> Read<String> {
    match value {
        Value::String(text) => Ok(text),
        other => expected(path, "a text", &other),
    }
}

/// A text that `parse` understands.
pub(crate) fn parsed<T, E: Display>(parse: impl Fn(&str) -> Result<T, E>) -> impl Fn(&str, Value) -> Read<T> {
    move |path, value| {
        let text = text(path, value)?;
        parse(&text).map_err(|error| Faults::schema(path, error.to_string()))
    }
}

/// True or false.
pub(crate) fn boolean(path: &str, value: Value) -> Read<bool> {
    value.as_bool().map_or_else(|| expected(path, "true or false", &value), Ok)
}

/// A finite number.
pub(crate) fn number(path: &str, value: Value) -> Read<f64> {
    match value.as_f64().filter(|number| number.is_finite()) {
        Some(number) => Ok(number),
        None => expected(path, "a number", &value),
    }
}

/// A whole number of 0 or more. `5.0` is one too: JSON has one kind of number.
pub(crate) fn whole(path: &str, value: Value) -> Read<u64> {
    /// Above this, not every whole number is an `f64`.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let from_float = |number: f64| {
        (number.fract().abs() < f64::MIN_POSITIVE && (0.0..=EXACT_MAX).contains(&number))
            .then_some(number as u64)
    };
    match value.as_u64().or_else(|| value.as_f64().and_then(from_float)) {
        Some(number) => Ok(number),
        None => expected(path, "a whole number, 0 or more", &value),
    }
}

/// Values of a strategy's parameters, by name.
pub(crate) fn parameters(path: &str, value: Value) -> Read<Parameters> {
    let Value::Object(map) = value else { return expected(path, "an object", &value) };
    if map.len() > PARAMETERS_MAX {
        return Err(Faults::schema(path, format!("has {} entries: at most {PARAMETERS_MAX}", map.len())));
    }
    let mut faults = Faults::default();
    let mut parameters = Parameters::new();
    for (name, value) in map {
        match parameter(&value) {
            Some(value) => {
                parameters.insert(name, value);
            }
            None => faults.schema.extend(
                expected::<()>(&format!("{path}.{name}"), "a number or true or false", &value)
                    .err()
                    .unwrap_or_default()
                    .schema,
            ),
        }
    }
    if faults.schema.is_empty() { Ok(parameters) } else { Err(faults) }
}

fn parameter(value: &Value) -> Option<ParameterValue> {
    match value {
        Value::Bool(value) => Some(ParameterValue::Boolean(*value)),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Some(ParameterValue::Integer(whole)),
            None => number.as_f64().filter(|number| number.is_finite()).map(ParameterValue::Number),
        },
        _ => None,
    }
}

/// A list of at most `entries_max`, every entry read: all that is wrong is told at once.
pub(crate) fn list<T>(
    entries_max: usize,
    what: &str,
    read: impl Fn(&str, Value) -> Read<T>,
) -> impl FnOnce(&str, Value) -> Read<Vec<T>> {
    move |path, value| {
        let Value::Array(items) = value else { return expected(path, &format!("a list of {what}"), &value) };
        if items.len() > entries_max {
            return Err(Faults::schema(path, format!("has {} entries: at most {entries_max}", items.len())));
        }
        let mut faults = Faults::default();
        let mut entries = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            match read(&format!("{path}[{index}]"), item) {
                Ok(entry) => entries.push(entry),
                Err(fault) => faults.add(fault),
            }
        }
        if faults.is_empty() { Ok(entries) } else { Err(faults) }
    }
}

/// Pairs, each in any of its spellings.
pub(crate) fn instruments(path: &str, value: Value) -> Read<Vec<Instrument>> {
    list(LIST_MAX, "pairs", parsed(Instrument::parse))(path, value)
}

/// The fields of an object.
pub(crate) fn object(path: &str, value: Value) -> Read<Fields> {
    match value {
        Value::Object(object) => Ok(Fields::nested(path, object)),
        other => expected(path, "an object", &other),
    }
}

/// What one of `words` means.
pub(crate) fn word<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(&str, Value) -> Read<T> {
    move |path, value| {
        let meant = words.iter().find(|(word, _)| value.as_str() == Some(word)).map(|(_, meant)| *meant);
        meant.ok_or_else(|| {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            Faults::schema(path, format!("expected one of {}", known.join(", ")))
        })
    }
}

/// A timeframe in either spelling.
pub(crate) fn timeframe(path: &str, value: Value) -> Read<Granularity> {
    parsed(Granularity::from_str)(path, value)
}

/// The first instant of a run.
pub(crate) fn start(path: &str, value: Value) -> Read<UnixNanos> {
    parsed(UnixNanos::parse)(path, value)
}

/// The first instant behind a run: a bare date includes that whole UTC day, an instant is the end itself.
pub(crate) fn end(path: &str, value: Value) -> Read<UnixNanos> {
    let text = text(path, value)?;
    match UnixNanos::parse_date(&text) {
        Some(midnight) => Ok(midnight.plus_nanos(fx_domain::NANOS_PER_DAY)),
        None => UnixNanos::parse(&text).map_err(|error| Faults::schema(path, error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_bare_end_date_includes_its_day_and_an_instant_is_the_end() {
        let at = |text| UnixNanos::parse(text).unwrap();
        assert_eq!(end("end_date", json!("2024-01-31")), Ok(at("2024-02-01T00:00:00Z")));
        assert_eq!(end("end_date", json!("2024-01-31T00:00:00Z")), Ok(at("2024-01-31T00:00:00Z")));
        assert_eq!(start("start_date", json!("2024-01-31")), Ok(at("2024-01-31T00:00:00Z")));
        assert!(end("end_date", json!("31.01.2024")).is_err());
    }

    #[test]
    fn whole_numbers_and_numbers_stay_apart_in_parameters() {
        let read = parameters("parameters", json!({"fast": 5, "rate": 5.5, "on": true})).unwrap();
        assert_eq!(read["fast"], ParameterValue::Integer(5));
        assert_eq!(read["rate"], ParameterValue::Number(5.5));
        assert_eq!(read["on"], ParameterValue::Boolean(true));
        let faults = parameters("parameters", json!({"a": "x", "b": [1], "c": 1})).unwrap_err();
        let named: Vec<_> = faults.schema.iter().map(ToString::to_string).collect();
        assert!(
            named[0].starts_with("parameters.a: ") && named[1].starts_with("parameters.b: "),
            "{named:?}"
        );
    }

    #[test]
    fn a_whole_number_may_be_written_as_a_float_but_not_with_a_fraction() {
        assert_eq!(whole("seed", json!(5.0)), Ok(5));
        for bad in [json!(5.5), json!(-1), json!("5"), json!(1e300)] {
            assert!(whole("seed", bad.clone()).is_err(), "{bad}");
        }
    }
}
