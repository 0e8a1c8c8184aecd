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
pub const BUILTINS: &[Builtin] =
    &joined::<{ EXPRESSIONS.len() + INDICATORS.len() + ANSWERS.len() }>([EXPRESSIONS, INDICATORS, ANSWERS]);

/// The tables as one.
const fn joined<const COUNT: usize>(tables: [&[Builtin]; 3]) -> [Builtin; COUNT] {
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

/// Functions that the platform's language names and this release does not have, and what to use instead.
pub(crate) const UNSUPPORTED_FUNCTIONS: &[(&str, &str)] = &[
    ("feature", "features from other services are not supported"),
    ("regime", "features from other services are not supported"),
    ("pattern", "features from other services are not supported"),
];
