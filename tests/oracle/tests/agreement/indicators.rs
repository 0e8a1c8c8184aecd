//! How every indicator of the language is called. The rest of the language is in the grammar itself.

/// What a call gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gives {
    Number,
    Condition,
    /// So many numbers at once.
    Numbers(usize),
}

/// An argument and its name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Argument {
    /// A number made of market data alone.
    Market(&'static str),
    /// Any number.
    Number(&'static str),
    OptionalNumber(&'static str),
    OptionalMarket(&'static str),
    /// A condition made of market data alone.
    Condition(&'static str),
    /// A number of bars.
    Bars(&'static str),
    OptionalBars(&'static str),
    /// A number of bars above the one before.
    Longer(&'static str),
    /// A number of bars from 2.
    Several(&'static str),
    /// One of these texts, by name.
    Text(&'static str, &'static [&'static str]),
}

impl Argument {
    pub(crate) const fn is_optional(&self) -> bool {
        matches!(self, Self::OptionalNumber(_) | Self::OptionalMarket(_) | Self::OptionalBars(_))
    }
}

/// How a function is called.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) name: &'static str,
    pub(crate) arguments: &'static [Argument],
    pub(crate) gives: Gives,
}

use Argument::{
    Bars, Condition, Longer, Market, Number, OptionalBars, OptionalMarket, OptionalNumber, Several, Text,
};

const X_N: &[Argument] = &[Market("x"), Bars("n")];
const X_SEVERAL: &[Argument] = &[Market("x"), Several("n")];
const PERIOD: Argument = Text("period", &["day", "week"]);
const ICHIMOKU: &[Argument] =
    &[OptionalBars("tenkan"), OptionalBars("kijun"), OptionalBars("senkou"), OptionalBars("shift")];
const N: &[Argument] = &[Bars("n")];

const fn form(name: &'static str, arguments: &'static [Argument], gives: Gives) -> Form {
    Form { name, arguments, gives }
}

/// Every indicator.
pub(crate) const FORMS: &[Form] = &[
    form("sma", X_N, Gives::Number),
    form("ema", X_N, Gives::Number),
    form("rma", X_N, Gives::Number),
    form("wma", X_N, Gives::Number),
    form("rsi", X_N, Gives::Number),
    form("stdev", X_N, Gives::Number),
    form("highest", X_N, Gives::Number),
    form("lowest", X_N, Gives::Number),
    form("bollinger", &[Market("x"), Bars("n"), OptionalNumber("k")], Gives::Numbers(3)),
    form("dema", X_N, Gives::Number),
    form("tema", X_N, Gives::Number),
    form("kama", X_N, Gives::Number),
    form("linreg", X_SEVERAL, Gives::Number),
    form("linreg_slope", X_SEVERAL, Gives::Number),
    form("vwap", &[OptionalBars("n")], Gives::Number),
    form("stochastic", &[Bars("n"), OptionalBars("smooth"), OptionalBars("d")], Gives::Numbers(2)),
    form("cci", N, Gives::Number),
    form("roc", X_N, Gives::Number),
    form("momentum", X_N, Gives::Number),
    form("adx", N, Gives::Number),
    form("plus_di", N, Gives::Number),
    form("minus_di", N, Gives::Number),
    form("dmi", N, Gives::Numbers(3)),
    form("zscore", X_N, Gives::Number),
    form("keltner", &[Bars("n"), OptionalNumber("k"), OptionalBars("atr_n")], Gives::Numbers(3)),
    form("natr", N, Gives::Number),
    form("supertrend", &[OptionalBars("n"), OptionalMarket("k")], Gives::Numbers(2)),
    form("psar", &[OptionalMarket("step"), OptionalMarket("limit")], Gives::Number),
    form("psar", &[], Gives::Number),
    form("ichimoku", ICHIMOKU, Gives::Numbers(4)),
    form("pivots", &[Text("kind", &["classic", "fibonacci"]), PERIOD], Gives::Numbers(7)),
    form("pivots", &[Text("kind", &["camarilla"]), PERIOD], Gives::Numbers(9)),
    form("fractals", &[OptionalBars("n")], Gives::Numbers(2)),
    form("barssince", &[Condition("condition")], Gives::Number),
    form("valuewhen", &[Condition("condition"), Market("x"), OptionalBars("occurrence")], Gives::Number),
    form("donchian", N, Gives::Numbers(3)),
    form("atr", N, Gives::Number),
    form("macd", &[Market("x"), Bars("fast"), Longer("slow"), OptionalBars("signal")], Gives::Numbers(3)),
    form("crosses_above", &[Number("a"), Number("b")], Gives::Condition),
    form("crosses_below", &[Number("a"), Number("b")], Gives::Condition),
    form("rising", &[Market("x"), OptionalBars("n")], Gives::Condition),
    form("falling", &[Market("x"), OptionalBars("n")], Gives::Condition),
];

/// The forms that give what is wanted.
pub(crate) fn forms(wanted: impl Fn(Gives) -> bool) -> Vec<&'static Form> {
    FORMS.iter().filter(|form| wanted(form.gives)).collect()
}
