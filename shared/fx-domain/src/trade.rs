//! What happened: fills, closed trades, ledger rows, equity.

use crate::{Currency, ExitReason, Instrument, Money, OrderId, Price, Side, Units, UnixNanos};
use serde::{Deserialize, Serialize};

/// Where a price came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PriceSource {
    /// Both sides were in the data.
    #[default]
    Measured,
    /// One side was in the data, the other came from the spread model.
    Modelled,
}

impl PriceSource {
    /// Whether both sides were in the data.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        *self == Self::Measured
    }
}

/// How an order met the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// The bar's price before modelled spread and slippage.
    pub raw_price: Price,
    /// The price paid or got.
    pub price: Price,
    /// Whether the side was in the data.
    pub source: PriceSource,
}

/// What a trade cost, each above zero when it was paid, in millionths of the account currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Costs {
    /// Modelled spread, entry and exit. Measured spread is inside the prices.
    pub spread_micros: i64,
    /// Commission, entry and exit.
    pub commission_micros: i64,
    /// Slippage, entry and exit.
    pub slippage_micros: i64,
    /// Rollover paid (received when negative).
    pub financing_micros: i64,
}

/// A position, or a part of one, from entry to exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trade {
    /// Number in order of exit, from 0.
    pub id: u64,
    /// Number of the position in order of entry, from 0.
    pub position_id: u64,
    /// The pair.
    pub instrument: Instrument,
    /// Which way.
    pub side: Side,
    /// How much, above zero.
    pub units: Units,
    /// Index of the entry bar, from the first bar at or after the start date.
    pub entry_bar: u64,
    /// Index of the exit bar.
    pub exit_bar: u64,
    /// When it was entered.
    pub entry_time: UnixNanos,
    /// When it was left.
    pub exit_time: UnixNanos,
    /// Entry price, after spread and slippage.
    pub entry_price: Price,
    /// Exit price, after spread and slippage.
    pub exit_price: Price,
    /// Gain after commission and financing, in the account currency.
    pub profit_loss: Money,
    /// What it cost.
    pub costs: Costs,
    /// Why it ended.
    pub exit_reason: ExitReason,
    /// Whether the bars leave open which of two exits came first.
    pub ambiguous: bool,
    /// Worst price difference against the entry while it was open, zero or below.
    pub mae: Price,
    /// Best price difference while it was open, zero or above.
    pub mfe: Price,
}

impl Trade {
    /// The gain as a fraction of the entry's notional, before commission: `side · (exit ÷ entry − 1)`, less
    /// `commission ÷ notional` when the account is in the quote currency (the definition of backtesting.py).
    #[must_use]
    pub fn return_fraction(&self) -> f64 {
        let (entry, exit) = (self.entry_price.to_f64(), self.exit_price.to_f64());
        let commission = self.costs.commission_micros as f64 / Money::SCALE as f64;
        self.side.sign() as f64 * (exit / entry - 1.0) - commission / (self.units.get() as f64 * entry)
    }
}

/// What a ledger row books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerKind {
    /// The starting capital.
    Deposit,
    /// Price gain or loss of a closed trade.
    ProfitLoss,
    /// Commission of one fill.
    Commission,
    /// Rollover of one position at 17:00 New York.
    Financing,
    /// A negative balance, taken over by the broker.
    NegativeBalance,
}

impl LedgerKind {
    /// `deposit`, `profit_loss`, `commission`, `financing`, `negative_balance`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::ProfitLoss => "profit_loss",
            Self::Commission => "commission",
            Self::Financing => "financing",
            Self::NegativeBalance => "negative_balance",
        }
    }
}

/// One posting. Rows sum to the balance, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// Number of the row, from 0.
    pub sequence: u64,
    /// When it is booked.
    pub time: UnixNanos,
    /// What it books.
    pub kind: LedgerKind,
    /// The order behind it; none for the deposit and for what the account as a whole is charged.
    pub order: Option<OrderId>,
    /// Amount in the account currency.
    pub amount: Money,
    /// Balance after it.
    pub balance: Money,
    /// How the amount came from another currency; none where it was in the account currency.
    pub conversion: Option<Conversion>,
    /// What a financing row is made of.
    pub rollover: Option<Rollover>,
}

/// How an amount became account currency: at the mid prices of this moment, multiplied or divided one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversion {
    /// The currency that the amount came from.
    pub from: Currency,
    /// The first price.
    pub first: ConversionStep,
    /// The second, for a path through the US dollar.
    pub second: Option<ConversionStep>,
}

/// One price of a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversionStep {
    /// The pair.
    pub instrument: Instrument,
    /// Bid and ask added: twice the mid price, exactly.
    pub bid_plus_ask: Price,
    /// Whether amounts are divided by the price instead of multiplied.
    pub inverse: bool,
    /// When the price was seen.
    pub time: UnixNanos,
}

impl Conversion {
    /// Account currency for one of `from`.
    #[must_use]
    pub fn rate(&self) -> f64 {
        let steps = std::iter::once(&self.first).chain(self.second.as_ref());
        steps.fold(1.0, |rate, step| {
            let mid = step.bid_plus_ask.to_f64() / 2.0;
            if step.inverse { rate / mid } else { rate * mid }
        })
    }

    /// When the older of its prices was seen.
    #[must_use]
    pub fn time(&self) -> UnixNanos {
        self.second.map_or(self.first.time, |second| second.time.min(self.first.time))
    }
}

/// `EUR/GBP`, `1/USD/JPY`, `EUR/USD x 1/USD/JPY`: the path of the conversion.
impl std::fmt::Display for Conversion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let step = |f: &mut std::fmt::Formatter<'_>, step: &ConversionStep| {
            write!(f, "{}{}", if step.inverse { "1/" } else { "" }, step.instrument)
        };
        step(f, &self.first)?;
        match &self.second {
            Some(second) => {
                f.write_str(" x ")?;
                step(f, second)
            }
            None => Ok(()),
        }
    }
}

/// One position held over 17:00 New York.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollover {
    /// The pair.
    pub instrument: Instrument,
    /// 17:00 New York of this trading day.
    pub time: UnixNanos,
    /// Days between the value dates.
    pub days: u32,
    /// The position's signed units.
    pub units: Units,
    /// Mid price at which it was valued.
    pub price: Price,
    /// The bar that spans the rollover is not anchored at it: its exits come after.
    pub inside_bar: bool,
}

/// Equity at every bar's close, open positions marked at the side that would close them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EquityCurve {
    /// Open times of the bars.
    pub times: Vec<UnixNanos>,
    /// Equity at their closes, in millionths of `currency`.
    pub micros: Vec<i64>,
    /// The account currency.
    pub currency: Currency,
}

impl EquityCurve {
    /// Equity at bar `index`.
    ///
    /// # Panics
    /// When `index` is out of range.
    #[must_use]
    pub fn at(&self, index: usize) -> Money {
        Money::from_micros(self.micros[index], self.currency)
    }
}
