//! What a backtest is asked for, on the wire.

use super::parameter::ParameterDto;
use crate::input::{Faults, Fields, FromFields, Read, read};
use fx_app::backtests::{BacktestRequest, Commission, FillTime, IntrabarPolicy, SpreadRequest};
use fx_domain::{Currency, DatasetName, Digest, ErrorKind, StrategyId};
use serde_json::Value;
use std::collections::BTreeMap;
use std::str::FromStr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// When market orders may fill.
const FILLS: &[(&str, FillTime)] = &[("open", FillTime::Open), ("close", FillTime::Close)];
/// Which exit may come first inside a bar.
const FILL_POLICIES: &[(&str, IntrabarPolicy)] = &[
    ("pessimistic", IntrabarPolicy::Pessimistic),
    ("optimistic", IntrabarPolicy::Optimistic),
    ("ohlc", IntrabarPolicy::Ohlc),
    ("olhc", IntrabarPolicy::Olhc),
    ("nearest_extreme_first", IntrabarPolicy::NearestExtremeFirst),
];
/// Points in a pip.
const POINTS_PER_PIP: f64 = 10.0;

/// A backtest of one strategy on stored bars.
#[derive(ToSchema)]
#[expect(dead_code, reason = "read by the document's generator only")]
pub(crate) struct BacktestBody {
    /// The strategy.
    #[schema(min_length = 1, max_length = 80, pattern = "^[A-Za-z0-9_-]+$")]
    strategy_id: String,
    /// Its version; the latest when absent.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    strategy_version: Option<String>,
    /// First instant of decisions: RFC 3339, or a UTC date.
    #[schema(example = "2024-01-01")]
    start_date: String,
    /// End of the run: an RFC 3339 instant is excluded, a UTC date is included whole.
    #[schema(example = "2024-03-31")]
    end_date: String,
    /// Starting balance in the account currency.
    #[schema(exclusive_minimum = 0, maximum = 1e12, default = 10000)]
    initial_capital: Option<f64>,
    /// Overrides of the registered parameters.
    parameters: Option<BTreeMap<String, ParameterDto>>,
    /// The currency of balance and P&L; only the pair's quote currency, which is the default.
    #[schema(pattern = "^[A-Za-z]{3}$")]
    account_currency: Option<String>,
    /// Market orders fill at the next bar's `open`, or at the deciding bar's `close`.
    #[schema(pattern = "^(open|close)$", default = "open")]
    fill: Option<String>,
    /// Which exit comes first when one bar touches both.
    #[schema(
        pattern = "^(pessimistic|optimistic|ohlc|olhc|nearest_extreme_first)$",
        default = "pessimistic"
    )]
    fill_policy: Option<String>,
    /// Modelled spread; the measured one when absent.
    spread: Option<SpreadSchema>,
    /// Slippage of market and stop fills.
    slippage: Option<SlippageSchema>,
    /// Commission of each fill.
    commission: Option<CommissionSchema>,
    /// Overnight interest: only `zero`, which the result warns of.
    #[schema(pattern = "^zero$", default = "zero")]
    financing: Option<String>,
    /// Notional over equity at most.
    #[schema(exclusive_minimum = 0, maximum = 10000, default = 30)]
    leverage: Option<f64>,
    /// How positions of one pair add up: only `netting`.
    #[schema(pattern = "^netting$", default = "netting")]
    account: Option<String>,
    /// Entries on the side already held that are allowed on top of the first.
    #[schema(maximum = 100, default = 0)]
    pyramiding: Option<u32>,
    /// The source of the bars.
    #[schema(min_length = 1, max_length = 80, pattern = "^[A-Za-z0-9_-]+$", default = "default")]
    dataset: Option<String>,
    /// The version of the bars; the latest when absent.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    data_version: Option<String>,
    /// The seed of everything random.
    #[schema(minimum = 0, maximum = 9007199254740991_i64, default = 0)]
    seed: Option<u64>,
}

/// The largest whole number that every JSON reader keeps exactly.
const SEED_MAX: u64 = 9_007_199_254_740_991;

/// What a body is read into: the use-case's request, its defaults where the body says nothing.
#[derive(Debug)]
pub(crate) struct BacktestInput(pub(crate) BacktestRequest);

impl FromFields for BacktestInput {
    const UNSUPPORTED: ErrorKind = ErrorKind::BacktestConfig;

    fn read(fields: &mut Fields) -> Option<Self> {
        let strategy_id = fields.required("strategy_id", read::parsed(StrategyId::parse));
        let strategy_version = fields.optional("strategy_version", read::parsed(Digest::from_str));
        let start = fields.required("start_date", read::start);
        let end = fields.required("end_date", read::end);
        let options = Options::read(fields);
        let mut request = BacktestRequest::new(strategy_id?, start?, end?);
        request.strategy_version = strategy_version;
        options.into_iter().for_each(|set| set(&mut request));
        Some(Self(request))
    }
}

/// Sets one option of a request.
type Setter = Box<dyn FnOnce(&mut BacktestRequest)>;

/// The options that a body gives.
struct Options;

impl Options {
    /// Reads every option, whether or not the others are sound: all that is wrong is told at once.
    fn read(fields: &mut Fields) -> Vec<Setter> {
        /// Reads one option into a setter of its place in the request.
        macro_rules! option {
            ($name:literal, $read:expr => $place:ident) => {
                fields.optional($name, $read).map(|value| {
                    let set: Setter = Box::new(move |request| request.$place = value);
                    set
                })
            };
        }
        let set = [
            option!("initial_capital", read::number => initial_capital),
            option!("parameters", read::parameters => parameters),
            option!("account_currency", some(read::parsed(Currency::from_str)) => account_currency),
            option!("fill", word(FILLS) => fill),
            option!("fill_policy", word(FILL_POLICIES) => fill_policy),
            option!("spread", spread => spread),
            option!("slippage", slippage => slippage_pips),
            option!("commission", commission => commission),
            option!("leverage", read::number => leverage),
            option!("pyramiding", entries => pyramiding),
            option!("dataset", read::parsed(DatasetName::parse) => dataset),
            option!("data_version", some(read::parsed(Digest::from_str)) => data_version),
            option!("seed", seed => seed),
        ];
        fields.optional("financing", |path, value| only(path, value, "zero"));
        fields.optional("account", |path, value| only(path, value, "netting"));
        fields.unsupported(
            "margin_call_pct",
            "a run ends without margin calls, and `leverage` bounds every order",
        );
        fields.unsupported("stop_out", "a run ends without stop-outs, and `leverage` bounds every order");
        fields.unsupported("intrabar", "exits inside a bar follow `fill_policy`");
        fields.unsupported("scenarios", "send one request for each `fill_policy`");
        set.into_iter().flatten().collect()
    }
}

fn some<T>(read: impl FnOnce(&str, Value) -> Read<T>) -> impl FnOnce(&str, Value) -> Read<Option<T>> {
    move |path, value| read(path, value).map(Some)
}

fn seed(path: &str, value: Value) -> Read<u64> {
    match read::whole(path, value)? {
        seed @ 0..=SEED_MAX => Ok(seed),
        _ => Err(Faults::schema(path, format!("expected at most {SEED_MAX}"))),
    }
}

fn entries(path: &str, value: Value) -> Read<u32> {
    let entries = read::whole(path, value)?;
    u32::try_from(entries).map_err(|_| Faults::schema(path, format!("{entries} is too large")))
}

/// What one of `words` means.
fn word<T: Copy>(words: &'static [(&'static str, T)]) -> impl FnOnce(&str, Value) -> Read<T> {
    move |path, value| {
        let meant = words.iter().find(|(word, _)| value.as_str() == Some(word)).map(|(_, meant)| *meant);
        meant.ok_or_else(|| {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            Faults::schema(path, format!("expected one of {}", known.join(", ")))
        })
    }
}

fn only(path: &str, value: Value, supported: &str) -> Read<()> {
    let text = read::text(path, value)?;
    if text == supported {
        return Ok(());
    }
    Err(Faults::unsupported(path, format!("`{text}` is not supported: only `{supported}` is")))
}

/// A number, or the fields of a model object.
enum NumberOrModel {
    Number(f64),
    Model(Fields),
}

fn number_or_model(path: &str, value: Value) -> Read<NumberOrModel> {
    match value {
        Value::Object(object) => Ok(NumberOrModel::Model(Fields::nested(path, object))),
        Value::Number(_) => read::number(path, value).map(NumberOrModel::Number),
        _ => Err(Faults::schema(path, "expected a number or a model object")),
    }
}

/// One model out of those that the object may name.
fn one_model<T>(path: &str, fields: Fields, models: Vec<Option<T>>) -> Read<T> {
    let mut named: Vec<T> = models.into_iter().flatten().collect();
    let model = named.pop();
    let alone = named.is_empty();
    fields.finish(Some(()))?;
    model.filter(|_| alone).ok_or_else(|| Faults::schema(path, "names no model, or more than one"))
}

fn spread(path: &str, value: Value) -> Read<SpreadRequest> {
    let mut fields = match number_or_model(path, value)? {
        NumberOrModel::Number(pips) => return Ok(SpreadRequest::Pips(pips)),
        NumberOrModel::Model(fields) => fields,
    };
    let models = vec![
        fields.optional("points", read::number).map(SpreadRequest::Points),
        fields.optional("relative_on_entry", read::number).map(SpreadRequest::RelativeOnEntry),
        fields.optional("relative", read::number).map(SpreadRequest::Relative),
    ];
    fields.unsupported("by_hour", "`points`, `relative_on_entry` and `relative` are");
    one_model(path, fields, models)
}

fn slippage(path: &str, value: Value) -> Read<f64> {
    let mut fields = match number_or_model(path, value)? {
        NumberOrModel::Number(pips) => return Ok(pips),
        NumberOrModel::Model(fields) => fields,
    };
    let models = vec![fields.optional("points", read::number).map(|points| points / POINTS_PER_PIP)];
    fields.unsupported("relative_on_entry", "a number of pips or `points` is");
    fields.unsupported("by_hour", "a number of pips or `points` is");
    one_model(path, fields, models)
}

fn commission(path: &str, value: Value) -> Read<Commission> {
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

fn number_schema(maximum: f64, description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Number)
        .minimum(Some(0.0))
        .maximum(Some(maximum))
        .description(Some(description))
}

fn model_schema(fields: &[(&str, f64, &str)], required: &str) -> ObjectBuilder {
    let object =
        ObjectBuilder::new().additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
    let object = fields.iter().fold(object, |object, (name, maximum, description)| {
        object.property(*name, number_schema(*maximum, description))
    });
    object.required(required)
}

macro_rules! one_of_schema {
    ($(#[$doc:meta])* $name:ident: $($item:expr),+ $(,)?) => {
        $(#[$doc])*
        struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                OneOfBuilder::new()$(.item($item))+.into()
            }
        }

        impl ToSchema for $name {}
    };
}

one_of_schema!(
    /// The document's form of a spread.
    SpreadSchema:
        number_schema(10_000.0, "Pips."),
        model_schema(&[("points", 100_000.0, "Tenths of a pip.")], "points"),
        model_schema(&[("relative_on_entry", 0.1, "Fraction of the entry price, paid on entry.")], "relative_on_entry"),
        model_schema(&[("relative", 0.1, "Fraction of the price, half paid on each side.")], "relative"),
);
one_of_schema!(
    /// The document's form of a slippage.
    SlippageSchema:
        number_schema(10_000.0, "Pips."),
        model_schema(&[("points", 100_000.0, "Tenths of a pip.")], "points"),
);
one_of_schema!(
    /// The document's form of a commission.
    CommissionSchema:
        number_schema(1e12, "Account currency per standard lot and side."),
        model_schema(&[("per_unit", 0.1, "Account currency per unit and side.")], "per_unit"),
        model_schema(
            &[
                ("per_notional", 0.1, "Fraction of the fill's notional."),
                ("minimum", 1e12, "Account currency per fill at least."),
            ],
            "per_notional",
        ),
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::decode;
    use fx_domain::UnixNanos;
    use serde_json::json;

    fn read_body(extra: Value) -> Result<BacktestRequest, fx_domain::PlatformError> {
        let mut body = json!({"strategy_id": "s", "start_date": "2024-01-01", "end_date": "2024-01-31"});
        if let (Value::Object(body), Value::Object(extra)) = (&mut body, extra) {
            body.extend(extra);
        }
        decode::<BacktestInput>(body.to_string().as_bytes()).map(|input| input.0)
    }

    #[test]
    fn absent_options_are_the_use_cases_defaults() {
        let at = |text| UnixNanos::parse(text).unwrap();
        let plain = BacktestRequest::new(StrategyId::parse("s").unwrap(), at("2024-01-01"), at("2024-02-01"));
        assert_eq!(read_body(json!({})).unwrap(), plain);
        assert_eq!(
            read_body(json!({"seed": null, "financing": "zero", "account": "netting"})).unwrap(),
            plain
        );
    }

    #[test]
    fn models_are_numbers_or_objects() {
        let read = read_body(json!({
            "spread": {"relative_on_entry": 1e-4}, "slippage": {"points": 5},
            "commission": {"per_notional": 2e-5, "minimum": 1}
        }))
        .unwrap();
        assert_eq!(read.spread, SpreadRequest::RelativeOnEntry(1e-4));
        assert!((read.slippage_pips - 0.5).abs() < 1e-12);
        assert_eq!(read.commission, Commission::PerNotional { rate: 2e-5, minimum: 1.0 });
        let read = read_body(json!({"spread": 1.5, "commission": 3})).unwrap();
        assert_eq!(read.spread, SpreadRequest::Pips(1.5));
        assert_eq!(read.commission, Commission::PerLot(3.0));
        let read = read_body(json!({"commission": {"per_unit": 1e-5}})).unwrap();
        assert_eq!(read.commission, Commission::PerUnit(1e-5));
    }

    #[test]
    fn every_word_is_read_as_what_it_means() {
        for (word, fill) in FILLS {
            assert_eq!(read_body(json!({"fill": word})).unwrap().fill, *fill);
        }
        for (word, policy) in FILL_POLICIES {
            assert_eq!(read_body(json!({"fill_policy": word})).unwrap().fill_policy, *policy);
        }
        assert!(read_body(json!({"fill": "Open"})).unwrap_err().message().contains("open, close"));
    }

    #[test]
    fn what_the_engine_does_not_do_is_refused_by_name() {
        for (field, value) in [
            ("financing", json!("oanda")),
            ("account", json!("hedging")),
            ("margin_call_pct", json!(100)),
            ("stop_out", json!({"level_pct": 50})),
            ("intrabar", json!("1m")),
            ("scenarios", json!(["pessimistic"])),
            ("spread", json!({"by_hour": [1.0]})),
        ] {
            let error = read_body(json!({ field: value })).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BacktestConfig, "{field}");
            assert!(error.message().starts_with(field), "{}", error.message());
        }
    }

    #[test]
    fn every_field_that_does_not_fit_is_named_at_once() {
        let error = decode::<BacktestInput>(
            br#"{"strategy_id": "a b", "start": 1, "seed": -1, "spread": {"point": 2}}"#,
        );
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RequestValidation);
        for named in ["strategy_id", "start_date", "end_date", "seed", "spread.point", "start:"] {
            assert!(error.message().contains(named), "{named}: {}", error.message());
        }
        assert!(
            error.issues().iter().any(|issue| issue.hint.as_deref() == Some("did you mean `start_date`?"))
        );
    }

    #[test]
    fn a_number_beyond_all_floats_is_no_json() {
        let error = decode::<BacktestInput>(br#"{"initial_capital": 1e999}"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RequestValidation);
    }
}
