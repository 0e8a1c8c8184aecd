//! What a backtest is asked for, on the wire.

mod costs;
mod financing;
mod model;
#[cfg(test)]
mod tests;

use super::parameter::ParameterDto;
use crate::input::{Faults, Fields, FromFields, Read, read};
use costs::{CommissionSchema, SlippageSchema, SpreadSchema};
use financing::FinancingSchema;
use fx_app::backtests::{
    AccountKind, BacktestRequest, FillTime, IntrabarPolicy, SCENARIOS_MAX, StopOutPolicy,
};
use fx_domain::{Currency, DatasetName, Digest, ErrorKind, StrategyId};
use serde_json::Value;
use std::collections::BTreeMap;
use std::str::FromStr;
use utoipa::ToSchema;

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
/// Whether opposite entries meet.
const ACCOUNTS: &[(&str, AccountKind)] =
    &[("netting", AccountKind::Netting), ("hedging", AccountKind::Hedging)];
/// What a stop-out closes.
const STOP_OUTS: &[(&str, StopOutPolicy)] = &[
    ("largest_loss", StopOutPolicy::LargestLoss),
    ("all", StopOutPolicy::All),
    ("reduce_to_cover", StopOutPolicy::ReduceToCover),
];

/// How requests and results call a policy.
pub(super) fn fill_policy_word(policy: IntrabarPolicy) -> &'static str {
    FILL_POLICIES.iter().find(|(_, known)| *known == policy).map_or("", |(word, _)| word)
}

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
    /// What is traded, asked in this order at equal times; the strategy's own when absent.
    #[schema(max_items = 64)]
    instruments: Option<Vec<String>>,
    /// Each instrument has an account of its own with an equal share of the capital, what does not divide goes to the first;
    /// else all share one.
    #[schema(default = false)]
    independent: Option<bool>,
    /// The currency of balance and P&L; the first pair's quote currency when absent. Amounts in other currencies are
    /// converted at the mid price of the moment.
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
    /// What holding a position over 17:00 New York pays or costs: `zero`, which the result warns of, the name of a stored
    /// table, or rates.
    financing: Option<FinancingSchema>,
    /// Notional over used margin.
    #[schema(exclusive_minimum = 0, maximum = 10000, default = 30)]
    leverage: Option<f64>,
    /// Whether opposite entries meet (`netting`) or stand side by side (`hedging`).
    #[schema(pattern = "^(netting|hedging)$", default = "netting")]
    account: Option<String>,
    /// Margin level in percent at or below which the account is called.
    #[schema(minimum = 0, maximum = 10000, default = 100)]
    margin_call_pct: Option<f64>,
    /// When and what the account's broker closes.
    stop_out: Option<StopOutBody>,
    /// Whether a balance below zero with nothing open is set to zero.
    #[schema(default = false)]
    negative_balance_protection: Option<bool>,
    /// Finer bars of the same data set that show the path inside each bar: `tick`, `1m`, …
    #[schema(pattern = "^(tick|[0-9]+[mhd]|[MHD][0-9]+)$")]
    intrabar: Option<String>,
    /// Fill policies that the run is made under, each once; the first one's is the result, the others stand beside it.
    #[schema(max_items = 5)]
    scenarios: Option<Vec<String>>,
    /// Entries on the side already held that are allowed on top of the first.
    #[schema(maximum = 100, default = 0)]
    pyramiding: Option<u32>,
    /// The source of the bars.
    #[schema(min_length = 1, max_length = 80, pattern = "^[A-Za-z0-9_-]+$", default = "default")]
    dataset: Option<String>,
    /// The version of the bars; the latest when absent.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    data_version: Option<String>,
    /// How old, in hours, the newest value of a feature may be at a bar that is decided on; beyond it, or where there is
    /// none, the run is refused. A week when absent.
    #[schema(minimum = 1, maximum = 87600, default = 168)]
    features_age_hours_max: Option<u32>,
    /// The seed of everything random.
    #[schema(minimum = 0, maximum = 9007199254740991_i64, default = 0)]
    seed: Option<u64>,
}

/// When and what the account's broker closes.
#[derive(ToSchema)]
#[expect(dead_code, reason = "read by the document's generator only")]
pub(crate) struct StopOutBody {
    /// Margin level in percent at or below which entries are closed; not above `margin_call_pct`.
    #[schema(minimum = 0, maximum = 10000, default = 50)]
    level_pct: Option<f64>,
    /// The entry with the largest loss, then the next; everything; or only so many units that the level holds.
    #[schema(pattern = "^(largest_loss|all|reduce_to_cover)$", default = "largest_loss")]
    policy: Option<String>,
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
        let mut set: Vec<_> = [
            option!("initial_capital", read::number => initial_capital),
            option!("parameters", read::parameters => parameters),
            option!("instruments", read::instruments => instruments),
            option!("independent", read::boolean => independent),
            option!("account_currency", some(read::parsed(Currency::from_str)) => account_currency),
            option!("account", read::word(ACCOUNTS) => account),
            option!("leverage", read::number => leverage),
            option!("margin_call_pct", read::number => margin_call_pct),
            option!("negative_balance_protection", read::boolean => negative_balance_protection),
            option!("fill", read::word(FILLS) => fill),
            option!("fill_policy", read::word(FILL_POLICIES) => fill_policy),
            option!("intrabar", some(read::timeframe) => intrabar),
            option!("scenarios", scenarios => scenarios),
            option!("spread", costs::spread => spread),
            option!("slippage", costs::slippage => slippage),
            option!("commission", costs::commission => commission),
            option!("financing", financing::financing => financing),
            option!("pyramiding", small => pyramiding),
            option!("dataset", read::parsed(DatasetName::parse) => dataset),
            option!("data_version", some(read::parsed(Digest::from_str)) => data_version),
            option!("features_age_hours_max", small => features_age_hours_max),
            option!("seed", seed => seed),
        ]
        .into_iter()
        .flatten()
        .collect();
        set.extend(fields.optional("stop_out", stop_out));
        set
    }
}

/// Either part of a stop-out may be absent.
fn stop_out(path: &str, value: Value) -> Read<Setter> {
    let mut fields = read::object(path, value)?;
    let level = fields.optional("level_pct", read::number);
    let policy = fields.optional("policy", read::word(STOP_OUTS));
    fields.finish(Some(()))?;
    Ok(Box::new(move |request| {
        request.stop_out_pct = level.unwrap_or(request.stop_out_pct);
        request.stop_out_policy = policy.unwrap_or(request.stop_out_policy);
    }))
}

fn scenarios(path: &str, value: Value) -> Read<Vec<IntrabarPolicy>> {
    read::list(SCENARIOS_MAX, "fill policies", read::word(FILL_POLICIES))(path, value)
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

fn small(path: &str, value: Value) -> Read<u32> {
    let number = read::whole(path, value)?;
    u32::try_from(number).map_err(|_| Faults::schema(path, format!("{number} is too large")))
}
