//! The one table of every function of the language. Names, arguments and texts come from here: the compiler binds
//! calls by it, suggestions are drawn from it, and the reference is held to it by a test.

mod indicators;

use indicators::INDICATORS;

/// A function of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// How it is called, with defaults and results.
    pub signature: &'static str,
    /// What it means, in one sentence.
    pub doc: &'static str,
    pub(crate) function: Function,
    pub(crate) arguments: &'static [Argument],
    /// Whether arguments must be named.
    pub(crate) named_only: bool,
}

/// An argument of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Argument {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
}

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Abs,
    Sqrt,
    Min,
    Max,
    Defined,
    Sma,
    Ema,
    Rma,
    Wma,
    Dema,
    Tema,
    Kama,
    Linreg,
    LinregSlope,
    Vwap,
    Rsi,
    Stochastic,
    Cci,
    Roc,
    Momentum,
    Macd,
    Adx,
    PlusDi,
    MinusDi,
    Dmi,
    Stdev,
    Zscore,
    Highest,
    Lowest,
    Bollinger,
    Keltner,
    Donchian,
    Atr,
    Natr,
    Supertrend,
    Psar,
    Ichimoku,
    Pivots,
    Fractals,
    CrossesAbove,
    CrossesBelow,
    Rising,
    Falling,
    BarsSince,
    ValueWhen,
    Feature,
    Regime,
    Pattern,
    Buy,
    Sell,
    Order,
    Target,
    Close,
    ClosePartial,
    Cancel,
    Modify,
    Pips,
    Distance,
    Record,
    Param,
    State,
    Range,
}

impl Function {
    /// Whether it reads prices by itself: other bars than the strategy's own may stand in front of its arguments.
    pub(crate) const fn reads_bars(self) -> bool {
        matches!(
            self,
            Self::Vwap
                | Self::Stochastic
                | Self::Cci
                | Self::Adx
                | Self::PlusDi
                | Self::MinusDi
                | Self::Dmi
                | Self::Keltner
                | Self::Donchian
                | Self::Atr
                | Self::Natr
                | Self::Supertrend
                | Self::Psar
                | Self::Ichimoku
                | Self::Pivots
                | Self::Fractals
        )
    }

    /// Whether it gives a decision, also in dict form.
    pub(crate) const fn is_decision(self) -> bool {
        matches!(
            self,
            Self::Buy
                | Self::Sell
                | Self::Order
                | Self::Target
                | Self::Close
                | Self::ClosePartial
                | Self::Cancel
                | Self::Modify
        )
    }
}

const fn needed(name: &'static str) -> Argument {
    Argument { name, required: true }
}

const fn optional(name: &'static str) -> Argument {
    Argument { name, required: false }
}

const X: &[Argument] = &[needed("x")];
const N: &[Argument] = &[needed("n")];
const NAME: &[Argument] = &[needed("name")];
/// The arguments of `buy` and `sell`.
const ENTRY: &[Argument] = &[
    optional("units"),
    optional("lots"),
    optional("risk_percent"),
    optional("equity_percent"),
    optional("limit"),
    optional("stop"),
    optional("touch"),
    optional("trail"),
    optional("stop_loss"),
    optional("take_profit"),
    optional("trailing"),
    optional("tif"),
    optional("expires"),
    optional("label"),
];
const ORDER: &[Argument] = &[
    needed("units"),
    optional("limit"),
    optional("stop"),
    optional("touch"),
    optional("trail"),
    optional("stop_loss"),
    optional("take_profit"),
    optional("trailing"),
    optional("tif"),
    optional("expires"),
    optional("label"),
    optional("reduce_only"),
];
const MODIFY: &[Argument] = &[
    optional("label"),
    optional("price"),
    optional("stop_loss"),
    optional("take_profit"),
    optional("trailing"),
];

const fn row(
    function: Function,
    name: &'static str,
    arguments: &'static [Argument],
    signature: &'static str,
    doc: &'static str,
) -> Builtin {
    Builtin { name, signature, doc, function, arguments, named_only: false }
}

const fn named(
    function: Function,
    name: &'static str,
    arguments: &'static [Argument],
    signature: &'static str,
    doc: &'static str,
) -> Builtin {
    Builtin { name, signature, doc, function, arguments, named_only: true }
}

/// Every function, in the order of the reference.
pub const BUILTINS: &[Builtin] = &joined::<COUNT>([EXPRESSIONS, FEATURES, INDICATORS, ANSWERS]);

const COUNT: usize = EXPRESSIONS.len() + FEATURES.len() + INDICATORS.len() + ANSWERS.len();

/// The tables as one.
const fn joined<const COUNT: usize>(tables: [&[Builtin]; 4]) -> [Builtin; COUNT] {
    let mut all = [tables[0][0]; COUNT];
    let (mut table, mut at) = (0, 0);
    while table < tables.len() {
        let mut row = 0;
        while row < tables[table].len() {
            all[at] = tables[table][row];
            (row, at) = (row + 1, at + 1);
        }
        table += 1;
    }
    all
}

/// Functions of numbers of one bar.
const EXPRESSIONS: &[Builtin] = &[
    row(Function::Abs, "abs", X, "abs(x)", "The distance from zero."),
    row(Function::Sqrt, "sqrt", X, "sqrt(x)", "The square root; undefined below zero."),
    row(Function::Min, "min", &[], "min(a, b, …)", "The smallest of two or more numbers of this bar."),
    row(Function::Max, "max", &[], "max(a, b, …)", "The largest of two or more numbers of this bar."),
    row(Function::Defined, "defined", X, "defined(x)", "Whether x has a value at this bar."),
];

/// What other services tell.
const FEATURES: &[Builtin] = &[
    row(
        Function::Feature,
        "feature",
        NAME,
        "feature(\"name\")",
        "A number that another service tells of the instrument: the newest one that was there at the bar's close.",
    ),
    row(
        Function::Regime,
        "regime",
        &[],
        "regime()",
        "The market regime that the analysis engine tells, likewise; it is compared with a text.",
    ),
    row(
        Function::Pattern,
        "pattern",
        NAME,
        "pattern(\"name\")",
        "How sure the analysis engine is of a chart pattern, from 0 to 1, likewise; 0 where it sees none.",
    ),
];

/// What a strategy answers, and what declares and repeats.
const ANSWERS: &[Builtin] = &[
    named(
        Function::Buy,
        "buy",
        ENTRY,
        "buy(SIZE, ENTRY, EXITS)",
        "Enters long, closing a short first; does nothing when already long.",
    ),
    named(
        Function::Sell,
        "sell",
        ENTRY,
        "sell(SIZE, ENTRY, EXITS)",
        "Enters short, closing a long first; does nothing when already short.",
    ),
    named(
        Function::Order,
        "order",
        ORDER,
        "order(units=±n, ENTRY, EXITS, reduce_only=False)",
        "Trades these signed units, whatever the position is.",
    ),
    named(
        Function::Target,
        "target",
        &[needed("units")],
        "target(units=±n)",
        "Trades the difference to this net position at the market.",
    ),
    row(Function::Close, "close", &[], "close()", "Leaves the position at the market."),
    named(
        Function::ClosePartial,
        "close_partial",
        &[optional("units"), optional("lots"), optional("percent")],
        "close_partial(PART)",
        "Leaves a part of the position at the market, the oldest entries first.",
    ),
    named(
        Function::Cancel,
        "cancel",
        &[optional("label")],
        "cancel(label=None)",
        "Takes back the waiting orders of this label, or all of them.",
    ),
    named(
        Function::Modify,
        "modify",
        MODIFY,
        "modify(label=None, price=None, EXITS)",
        "Gives waiting orders of this label, or all, another price, and the open position other exits.",
    ),
    row(
        Function::Pips,
        "pips",
        N,
        "pips(n)",
        "A level n pips away: an exit from the fill, an order from the deciding close.",
    ),
    row(
        Function::Distance,
        "distance",
        X,
        "distance(x)",
        "A level at a price difference of x, measured as `pips(n)` is.",
    ),
    row(
        Function::Record,
        "record",
        &[needed("name"), needed("x")],
        "record(\"name\", x)",
        "Keeps x as a series of the report; a statement of its own.",
    ),
    row(
        Function::Param,
        "param",
        &[needed("default"), optional("min"), optional("max"), optional("description")],
        "param(default, min=None, max=None, description=None)",
        "Declares a parameter with its range; a class field's value.",
    ),
    row(
        Function::State,
        "state",
        &[needed("initial")],
        "state(initial)",
        "Declares a value of the strategy's own, kept from bar to bar; a class field's value.",
    ),
    row(
        Function::Range,
        "range",
        &[needed("first"), optional("end"), optional("step")],
        "range(N)",
        "The passes of a `for` loop, a constant number.",
    ),
];

/// The function of this name.
#[must_use]
pub fn builtin(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name)
}

/// What Python and its libraries have and the language has not, and what to write instead.
const PYTHON_NAMES: &[(&str, &str)] = &[
    ("print", "`record(\"name\", x)` keeps a series for the report"),
    ("len", "the number of this bar is `data.index`; a window names its own length: `sma(data.close, 20)`"),
    ("sum", "the sum of the last n values is `sma(x, n) * n`"),
    ("mean", "the mean of the last n values is `sma(x, n)`"),
    ("round", "order prices are rounded to the instrument's tick, sizes to its unit"),
    ("int", "`//` divides without a fraction"),
    ("float", "whole numbers are numbers: leave it out"),
    ("bool", "a comparison is a condition already: `x > 0`"),
    ("str", "texts are constants: leave it out"),
    ("list", "several decisions are a list: `return [close(), buy(units=1000)]`"),
    ("any", "combine conditions with `or`"),
    ("all", "combine conditions with `and`"),
    ("sorted", "the smallest and largest of the last n values are `lowest(x, n)` and `highest(x, n)`"),
    ("enumerate", "a loop counts: `for i in range(N)` with a constant N"),
    ("zip", "a loop counts: `for i in range(N)` with a constant N"),
    ("pow", "a power is `x ** 2`"),
    ("isnan", "`defined(x)` tests for a missing value"),
    ("super", "the class derives from `Strategy` and nothing else: delete it"),
    ("math", "`abs`, `sqrt`, `min` and `max` are built in: leave `math.` out"),
    ("np", "the functions are built in: the mean of n bars is `sma(x, n)`"),
    ("numpy", "the functions are built in: the mean of n bars is `sma(x, n)`"),
    ("pd", "`data.close` is a series already, and `data.close[-2]` its value one bar ago"),
    ("pandas", "`data.close` is a series already, and `data.close[-2]` its value one bar ago"),
    ("ta", "the indicators are built in: `rsi(data.close, 14)`"),
    ("talib", "the indicators are built in: `rsi(data.close, 14)`"),
    ("datetime", "the bar's time is `data.time.hour`, `data.time.minute`, `data.time.weekday`"),
    ("time", "the bar's time is `data.time.hour`, `data.time.minute`, `data.time.weekday`"),
    ("random", "the same bars decide the same: there is no chance in a strategy"),
    ("df", "the bars are `data`: `data.close`"),
    ("true", "write `True`"),
    ("false", "write `False`"),
    ("null", "write `None`"),
    ("nan", "a value is undefined by itself where it has none; `defined(x)` tests it"),
];

/// What a series of other libraries has and ours has not, and what to write instead.
const SERIES_HABITS: &[(&str, &str)] = &[
    ("iloc", "write the index behind the series: `data.close[-1]` is now, `data.close[-2]` one bar ago"),
    ("iat", "write the index behind the series: `data.close[-1]` is now, `data.close[-2]` one bar ago"),
    ("values", "leave it out: `data.close` is the value of this bar"),
    ("shift", "`data.close[-2]` is the value one bar ago"),
    ("diff", "the difference to the bar before is `x - x[-2]`"),
    ("rolling", "the mean of the last n values is `sma(x, n)`, their largest `highest(x, n)`"),
    ("ewm", "the exponential average is `ema(x, n)`"),
    ("mean", "the mean of the last n values is `sma(x, n)`"),
    ("std", "the standard deviation of the last n values is `stdev(x, n)`"),
    ("max", "the largest of the last n values is `highest(x, n)`"),
    ("min", "the smallest of the last n values is `lowest(x, n)`"),
    ("sum", "the sum of the last n values is `sma(x, n) * n`"),
    ("tail", "a window names its own length: `sma(data.close, 20)`"),
    ("isna", "`defined(x)` tests for a missing value"),
];

/// What to write instead of this name of Python's.
pub(crate) fn python_habit(name: &str) -> Option<&'static str> {
    PYTHON_NAMES.iter().find(|(known, _)| *known == name).map(|(_, hint)| *hint)
}

/// What to write instead of this attribute or method of a series.
pub(crate) fn series_habit(name: &str) -> Option<&'static str> {
    SERIES_HABITS.iter().find(|(known, _)| *known == name).map(|(_, hint)| *hint)
}
