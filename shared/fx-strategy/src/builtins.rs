//! The one table of every function of the language. Names, arguments and texts come from here: the compiler binds
//! calls by it, suggestions are drawn from it, and the reference is held to it by a test.

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
    Rsi,
    Stdev,
    Highest,
    Lowest,
    Bollinger,
    Donchian,
    Atr,
    Macd,
    CrossesAbove,
    CrossesBelow,
    Rising,
    Falling,
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
const X_N: &[Argument] = &[needed("x"), needed("n")];
const X_N_OPTIONAL: &[Argument] = &[needed("x"), optional("n")];
const N: &[Argument] = &[needed("n")];
const A_B: &[Argument] = &[needed("a"), needed("b")];
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
pub const BUILTINS: &[Builtin] = &[
    row(Function::Abs, "abs", X, "abs(x)", "The distance from zero."),
    row(Function::Sqrt, "sqrt", X, "sqrt(x)", "The square root; undefined below zero."),
    row(Function::Min, "min", &[], "min(a, b, …)", "The smallest of two or more numbers of this bar."),
    row(Function::Max, "max", &[], "max(a, b, …)", "The largest of two or more numbers of this bar."),
    row(Function::Defined, "defined", X, "defined(x)", "Whether x has a value at this bar."),
    row(Function::Sma, "sma", X_N, "sma(x, n)", "The mean of the last n values."),
    row(
        Function::Ema,
        "ema",
        X_N,
        "ema(x, n)",
        "The exponential average with weight 2 ÷ (n + 1), seeded with the mean of the first n values.",
    ),
    row(
        Function::Rma,
        "rma",
        X_N,
        "rma(x, n)",
        "Wilder's average with weight 1 ÷ n, seeded with the mean of the first n values.",
    ),
    row(
        Function::Wma,
        "wma",
        X_N,
        "wma(x, n)",
        "The mean of the last n values with weights 1 to n, the newest heaviest.",
    ),
    row(
        Function::Rsi,
        "rsi",
        X_N,
        "rsi(x, n)",
        "Wilder's relative strength index, 0 to 100; 50 of a flat price.",
    ),
    row(
        Function::Stdev,
        "stdev",
        X_N,
        "stdev(x, n)",
        "The population standard deviation of the last n values.",
    ),
    row(
        Function::Highest,
        "highest",
        X_N,
        "highest(x, n)",
        "The largest of the last n values, this bar's included.",
    ),
    row(
        Function::Lowest,
        "lowest",
        X_N,
        "lowest(x, n)",
        "The smallest of the last n values, this bar's included.",
    ),
    row(
        Function::Bollinger,
        "bollinger",
        &[needed("x"), needed("n"), optional("k")],
        "bollinger(x, n, k=2.0) -> upper, middle, lower",
        "The mean of the last n values and the bands k population standard deviations around it.",
    ),
    row(
        Function::Donchian,
        "donchian",
        N,
        "donchian(n) -> upper, middle, lower",
        "The highest high and the lowest low of the last n bars, this one included, and their mean.",
    ),
    row(Function::Atr, "atr", N, "atr(n)", "Wilder's average of the true range."),
    row(
        Function::Macd,
        "macd",
        &[needed("x"), optional("fast"), optional("slow"), optional("signal")],
        "macd(x, fast=12, slow=26, signal=9) -> line, signal, hist",
        "The difference of two exponential averages, its own average, and the difference of both.",
    ),
    row(
        Function::CrossesAbove,
        "crosses_above",
        A_B,
        "crosses_above(a, b)",
        "a is above b, and one bar ago it was not.",
    ),
    row(
        Function::CrossesBelow,
        "crosses_below",
        A_B,
        "crosses_below(a, b)",
        "a is below b, and one bar ago it was not.",
    ),
    row(
        Function::Rising,
        "rising",
        X_N_OPTIONAL,
        "rising(x, n=1)",
        "x is above each of its n values before this bar.",
    ),
    row(
        Function::Falling,
        "falling",
        X_N_OPTIONAL,
        "falling(x, n=1)",
        "x is below each of its n values before this bar.",
    ),
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
