//! The plan: a strategy in lowered form.
//!
//! A plan is a list of nodes in topological order (an operand's number is below its user's) and a list of rules in
//! program order. A *market* node depends on bars alone and is evaluated a block at a time; a *reactive* node depends
//! on position, account or a cell and is evaluated bar by bar. Numbers are `f64`, an undefined one is NaN; conditions have
//! three values: false, true, undefined.
//!
//! Every node has a clock: the strategy's own bars, or the completed bars of a [`Feed`]. Windows, recursions and lags
//! count bars of their node's clock. [`Node::AsOf`] brings a value of a feed to the strategy's own bars; operands of one
//! node, guards, arguments and recordings are on one clock, theirs or the strategy's own.
//!
//! Undefined values:
//! - arithmetic, comparison, `not`, `min max abs sqrt` of an undefined operand are undefined; so are ÷ 0, √ of a
//!   negative number and anything not finite;
//! - `a and b`: false if `a` is false, undefined if `a` is undefined, else `b`; `or` is its mirror image;
//! - [`Node::Select`] on an undefined condition is undefined, and so is a cell that is assigned under one;
//! - a window is undefined while one of its values is; a recursion skips undefined inputs and is undefined on them;
//! - what else has a memory says itself what it does;
//! - a rule whose guard or argument is undefined decides nothing.

use fx_domain::{Granularity, Instrument, TradingCentre};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Version of the plan's byte form and of the meaning of its nodes. It enters every plan hash.
pub const PLAN_VERSION: u16 = 5;

/// The number of a node in its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The node's place in [`Plan::nodes`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Completed bars beside the strategy's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Feed {
    /// Another pair; `None` is the strategy's own.
    pub instrument: Option<Instrument>,
    /// A longer timeframe; `None` is the strategy's own.
    pub granularity: Option<Granularity>,
}

/// Whose bars a node is evaluated at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Constants: the same everywhere.
    Any,
    /// The strategy's own bars.
    Own,
    /// The completed bars of a feed.
    Of(Feed),
}

/// The number of a cell in its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CellId(pub u16);

/// The number of a feature in its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeatureId(pub u16);

/// What another service tells of an instrument, as a number. It holds from the instant at which it was there to be read
/// until the next one is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Feature {
    /// `feature("name")`
    Named(String),
    /// `pattern("name")`: from 0 to 1, 0 where the pattern is not seen.
    Pattern(String),
    /// `regime() == "name"`: 1 while the regime has this name, else 0.
    Regime(String),
}

impl Feature {
    /// The name that the strategy writes.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Named(name) | Self::Pattern(name) | Self::Regime(name) => name,
        }
    }
}

/// The call that reads it: `feature("name")`, `pattern("name")`, `regime()`.
impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => write!(f, "feature(\"{name}\")"),
            Self::Pattern(name) => write!(f, "pattern(\"{name}\")"),
            Self::Regime(_) => f.write_str("regime()"),
        }
    }
}

/// A value that is known before the run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Literal {
    /// A finite number.
    Number(f64),
    /// True or false.
    Condition(bool),
}

/// What a node yields at each bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Type {
    /// A number, NaN when undefined.
    Number,
    /// False, true or undefined.
    Condition,
}

/// A side of the quote, as a strategy names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SeriesSide {
    /// `data.close`: the bid where both sides are stored, else the stored side.
    Signal,
    /// `data.bid.close`
    Bid,
    /// `data.ask.close`
    Ask,
    /// `data.mid.close`
    Mid,
}

/// One of the four prices of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PriceField {
    /// First.
    Open,
    /// Highest.
    High,
    /// Lowest.
    Low,
    /// Last.
    Close,
}

/// What is known of a bar's place in time, from its UTC open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ClockField {
    /// Number of the bar, 0 at the first bar at or after the start date, −1 while warming up.
    Index,
    /// 0 to 23.
    Hour,
    /// 0 to 59.
    Minute,
    /// 0 is Monday, 6 is Sunday.
    Weekday,
    /// Day of the month, 1 to 31.
    Day,
    /// 1 is January, 12 is December.
    Month,
    /// Of the Gregorian calendar.
    Year,
}

/// The position, as the strategy sees it after all fills of the bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PositionField {
    /// Signed units, 0 when flat.
    Units,
    /// Average entry price; undefined when flat.
    EntryPrice,
    /// Bars since the entry bar, 0 on it and when flat.
    Bars,
    /// Gain in pips at the closing side, 0 when flat.
    UnrealizedPips,
}

/// The account, as the strategy sees it after all fills of the bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AccountField {
    /// Balance and open gain at the bar's close.
    Equity,
    /// Realised capital.
    Balance,
}

/// Operators of one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unary {
    /// Number → number.
    Neg,
    /// Number → number.
    Abs,
    /// Number → number; undefined below zero.
    Sqrt,
    /// Condition → condition.
    Not,
    /// Number or condition → condition, never undefined.
    Defined,
}

/// Operators of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Binary {
    /// Number, number → number.
    Add,
    /// Number, number → number.
    Sub,
    /// Number, number → number.
    Mul,
    /// Number, number → number; undefined for a zero divisor.
    Div,
    /// Python's `//`: floor of the quotient.
    FloorDiv,
    /// Python's `%`: the sign follows the divisor.
    Mod,
    /// The smaller; of equal ones the left.
    Min,
    /// The larger; of equal ones the left.
    Max,
    /// Number, number → condition.
    Lt,
    /// Number, number → condition.
    Le,
    /// Number, number → condition.
    Gt,
    /// Number, number → condition.
    Ge,
    /// Number, number → condition.
    Eq,
    /// Number, number → condition.
    Ne,
    /// Condition, condition → condition, short-circuit from the left.
    And,
    /// Condition, condition → condition, short-circuit from the left.
    Or,
}

/// Functions of the last `bars` values of a number, defined once all of them are.
///
/// All but the extremes and the mean deviation come from the mean `m` of the values and a second number `s`, in one
/// order that keeps rounding small and costs a logarithm of the length. One value x has `m = x`, `s = 0`. Of n values,
/// the newest q are taken for themselves, q the largest power of two below n, and so are the p = n − q older ones; of
/// both `(mₚ, sₚ)` and `(m_q, s_q)` comes, with `δ = m_q − mₚ`,
///
/// - `m = mₚ + δ · (q ÷ n)`,
/// - `s = (sₚ + s_q) + (δ · δ) · ((p · q) ÷ n)`, the sum of the squares of the differences from the mean, or
/// - `s = (sₚ + s_q) + δ · ((p · q) ÷ 2)`, the sum of the values times their distances from the window's middle bar.
///
/// Values that are all equal have exactly their mean, and `s = 0` (Chan, Golub, LeVeque 1979).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Window {
    /// Arithmetic mean. Of a stored price: integer sum of nanos ÷ (bars · 1e9), one rounding. Of anything else: `m`.
    Sma,
    /// Weights 1 to `bars`, newest heaviest: `m + s ÷ ((n · (n + 1)) ÷ 2)`, `s` of the distances.
    Wma,
    /// Population standard deviation: `√(s ÷ n)`, `s` of the squares. Of a stored price, in whole numbers x of 1 ÷ scale:
    /// √(n · Σx² − (Σx)²) ÷ (n · scale), the radicand exact.
    Stdev,
    /// Largest; of zeros of either sign the newest.
    Highest,
    /// Smallest; of zeros of either sign the newest.
    Lowest,
    /// Rise per bar of the least squares line: `s ÷ (n · (n² − 1) ÷ 12)`, `s` of the distances, the divisor exact and
    /// rounded once. Undefined of one value.
    Slope,
    /// Mean of the distances from the mean: `|x − m|` added from oldest to newest, divided by n. Of a stored price `m`
    /// is that of its values as numbers, not of their integers.
    MeanDeviation,
}

impl Window {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Sma, Self::Wma, Self::Stdev, Self::Highest, Self::Lowest, Self::Slope, Self::MeanDeviation];
}

/// Functions with memory of all earlier values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Recursion {
    /// `y += 2 ÷ (bars + 1) · (x − y)`, seeded with the mean of the first `bars` values (TA-Lib EMA).
    Ema,
    /// `y = (y · (bars − 1) + x) ÷ bars`, seeded with the mean of the first `bars` values (Wilder).
    Rma,
    /// Wilder's relative strength index, first value after `bars` differences; 100 without losses, 50 of a flat price.
    Rsi,
}

/// Functions of what they were before and of two operands. Where an operand is undefined so is the value, and what is
/// remembered stays, unless the kind says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Scan {
    /// `y += b · (a − y)`: an average whose weight changes. A y that is undefined, before the first step, is taken for
    /// the last defined `a` of an earlier bar, or for this bar's where there is none.
    Adaptive,
    /// The y before where it is at most `a` and at least `b`, else `a`: what only falls until `b` is above it. `a` where
    /// there is no y before.
    Ratchet,
    /// Conditions → condition: while it does not hold it becomes `a`, while it holds it becomes `not b`. It begins as
    /// false.
    Latch,
    /// Condition `a` → bars since it last held, 0 where it does; undefined before. An undefined condition does not hold.
    /// `b` is `a`.
    BarsSince,
    /// The number `b` at the bar, counted backwards, at which the condition `a` held for the `bars`th time; undefined
    /// before, and where `b` was. An undefined condition does not hold.
    ValueWhen,
}

/// What is taken of the bars of a trading day or week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Session {
    /// Largest value of the last completed one; of zeros of either sign the newest.
    Highest,
    /// Smallest value of the last completed one; of zeros of either sign the newest.
    Lowest,
    /// Last value of the last completed one.
    Last,
    /// Sum of the values of the current one so far, added from oldest to newest.
    Sum,
}

/// How long a session is. It ends at 17:00 New York, and a bar belongs to the one in which it opens; what opens on a
/// weekend belongs to the Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Period {
    /// A trading day, Monday to Friday.
    Day,
    /// A trading week: it ends with its Friday.
    Week,
}

/// One step of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Node {
    /// A constant number, finite.
    Number(f64),
    /// A constant condition.
    Condition(bool),
    /// A price of the bar.
    Price {
        /// Which side.
        side: SeriesSide,
        /// Which of the four.
        field: PriceField,
    },
    /// Volume or tick count of the bar.
    Volume,
    /// Its place in time.
    Clock(ClockField),
    /// The position (reactive).
    Position(PositionField),
    /// The account (reactive).
    Account(AccountField),
    /// An operator of one operand.
    Unary {
        /// Which.
        op: Unary,
        /// Operand.
        x: NodeId,
    },
    /// An operator of two operands.
    Binary {
        /// Which.
        op: Binary,
        /// Left operand.
        a: NodeId,
        /// Right operand.
        b: NodeId,
    },
    /// `then if condition else otherwise`; both branches have one type.
    Select {
        /// The condition.
        condition: NodeId,
        /// Value where it is true.
        then: NodeId,
        /// Value where it is false.
        otherwise: NodeId,
    },
    /// The value `bars` bars ago, 1 or more; undefined before there are that many.
    Lag {
        /// Operand, number or condition.
        x: NodeId,
        /// How far back.
        bars: u32,
    },
    /// A function of a window.
    Window {
        /// Which.
        kind: Window,
        /// Operand, a number of market bars (never reactive).
        x: NodeId,
        /// Length, 1 or more.
        bars: u32,
    },
    /// A function with memory.
    Recursion {
        /// Which.
        kind: Recursion,
        /// Operand, a number of market bars (never reactive).
        x: NodeId,
        /// Length, 1 or more.
        bars: u32,
    },
    /// A price of a feed's bar.
    FeedPrice {
        /// Which bars.
        feed: Feed,
        /// Which side.
        side: SeriesSide,
        /// Which of the four.
        field: PriceField,
    },
    /// Volume or tick count of a feed's bar.
    FeedVolume {
        /// Which bars.
        feed: Feed,
    },
    /// The operand's value at the last bar of its feed that is complete at the close of the strategy's own bar; undefined
    /// while none is.
    AsOf {
        /// Operand, on the clock of a feed.
        x: NodeId,
    },
    /// What a cell held at the end of the bar before (reactive); see [`Plan::cells`].
    Cell {
        /// Which. A cell has one node.
        cell: CellId,
        /// What it holds up to the first bar that is decided on.
        initial: Literal,
    },
    /// A function of what it was before and of two operands (never reactive).
    Scan {
        /// Which.
        kind: Scan,
        /// First operand.
        a: NodeId,
        /// Second operand.
        b: NodeId,
        /// Which of the times of [`Scan::ValueWhen`], 1 is the last one; 1 for the other kinds.
        bars: u32,
    },
    /// Wilder's parabolic stop and reverse (TA-Lib SAR), of operands that are never reactive. Defined from the second
    /// bar on which all of them are; the others are passed over.
    ///
    /// The second bar decides the way: a fall if its low is further below the first one's than its high is above, else a
    /// rise. A rise begins with the stop at the first low and the extreme at the second high, a fall mirrored. Then, at
    /// each bar from the second, in a rise (a fall is the mirror image):
    ///
    /// - if `low ≤ stop`, the way turns: the stop is the extreme, but not below this high and the one before (at the
    ///   second bar, both are the second); that is the value. The factor is `step`, the extreme is this low, and the
    ///   next stop is `stop + factor · (extreme − stop)`, again not below both highs;
    /// - else the value is the stop. If `high > extreme`, the extreme is this high and the factor grows by `step`, up to
    ///   `limit`. The next stop is `stop + factor · (extreme − stop)`, but not above this low and the one before.
    ///
    /// `step` counts as `limit` where it is above it.
    Psar {
        /// The bar's highest.
        high: NodeId,
        /// The bar's lowest.
        low: NodeId,
        /// By how much the factor grows, and where it starts.
        step: NodeId,
        /// Where it stops to grow.
        limit: NodeId,
    },
    /// A function of a trading day's or week's bars. An undefined operand is passed over.
    ///
    /// The session in which the data begins may lack its first bars, so it is never the completed one: the first value
    /// comes with the third session that has bars. A sum begins with the first bar, and is undefined at bars where its
    /// operand is.
    Session {
        /// Which.
        kind: Session,
        /// Operand, a number of market bars (never reactive).
        x: NodeId,
        /// Of what length.
        period: Period,
    },
    /// Whether the bar opens within the working hours of a financial centre; never undefined.
    InSession {
        /// Which.
        centre: TradingCentre,
    },
    /// The newest value of a feature that was there to be read at the bar's close; undefined before the first one.
    Feature {
        /// Which. A feature has one node.
        feature: FeatureId,
    },
}

/// Which way an entry goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// `buy`
    Long,
    /// `sell`
    Short,
}

/// How large an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Size {
    /// Whole units of the base currency, fractions cut off.
    Units(NodeId),
    /// Standard lots.
    Lots(NodeId),
    /// Percent of equity lost when the stop is hit, sized at the fill; needs a stop loss.
    RiskPercent(NodeId),
    /// Percent of equity as notional, before leverage, sized at the fill.
    EquityPercent(NodeId),
}

/// Where an order or an exit is.
///
/// Of an exit, pips and distances are measured from the fill, in the exit's direction. Of an entry they are measured
/// from the deciding close at the side that the order trades on, in the direction in which the order waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Level {
    /// A price, rounded to the instrument's tick, ties to even.
    Price(NodeId),
    /// Pips away.
    Pips(NodeId),
    /// A price difference away.
    Distance(NodeId),
}

/// How an entry meets the market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Entry {
    /// At the next executable price.
    #[default]
    Market,
    /// `limit=`: at this price or better.
    Limit(Level),
    /// `stop=`: at the market once the price has broken through this one.
    Stop(Level),
    /// `stop=` and `limit=`: a limit order that the stop price brings to life.
    StopLimit {
        /// Brings it to life.
        stop: Level,
        /// The worst price that it takes.
        limit: Level,
    },
    /// `touch=`: at the market once the price has come to this one from the better side.
    Touch(Level),
    /// `trail=`: a stop that follows the best price at this distance, never a price.
    Trail(Level),
}

/// How long an order waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Expiry {
    /// `tif="gtc"`: until it is filled, replaced or cancelled.
    #[default]
    Never,
    /// `tif="day"`: until 17:00 New York.
    Day,
    /// `tif="ioc"`: fills at the first price that it meets, or not at all.
    ImmediateOrCancel,
    /// `tif="fok"`: the same, whole.
    FillOrKill,
    /// `expires=n`: through n bars after the deciding one.
    Bars(NodeId),
    /// `expires="2024-03-08T21:00:00Z"`: until this instant, in nanoseconds since 1970.
    Until(i64),
}

/// Exits attached to a fill; one cancels the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Exits {
    /// `stop_loss=`: leaves at a loss.
    pub stop_loss: Option<Level>,
    /// `take_profit=`: leaves at a gain.
    pub take_profit: Option<Level>,
    /// `trailing=`: leaves this far behind the best price since the fill, never a price.
    pub trailing: Option<Level>,
}

/// The number of a label in its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LabelId(pub u16);

/// What an order says beside side and size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ticket {
    /// How it meets the market.
    pub entry: Entry,
    /// What is attached to its fill.
    pub exits: Exits,
    /// How long it waits.
    pub expiry: Expiry,
    /// `label=`: a waiting order is replaced by the next one of its label and side; without one, by the next one
    /// without a label. Names it for `cancel` and `modify`.
    pub label: Option<LabelId>,
}

/// How much of a position is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Portion {
    /// Units, fractions cut off.
    Units(NodeId),
    /// Standard lots.
    Lots(NodeId),
    /// Percent of what is open at the fill, rounded down to the unit step.
    Percent(NodeId),
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// `buy` and `sell`: enter that side, reversing an opposite position, ignored on the same side unless the
    /// configuration allows pyramiding.
    Enter {
        /// Which way.
        direction: Direction,
        /// How large.
        size: Size,
        /// How, with what exits, for how long.
        ticket: Ticket,
    },
    /// `order(units=±n)`: trades these signed units, whatever the position. A hedging account opens them beside it.
    Order {
        /// Signed units, fractions cut off.
        units: NodeId,
        /// Trades no more than closes the position.
        reduce_only: bool,
        /// How, with what exits, for how long.
        ticket: Ticket,
    },
    /// `target(units=±n)`: trade the difference to this net position.
    Target {
        /// Signed units, fractions cut off.
        units: NodeId,
    },
    /// `close()`: leave the position at the market.
    Close,
    /// `close_partial(…)`: leave a part of it at the market, the oldest entries first.
    ClosePartial(Portion),
    /// `cancel()`: takes back the waiting orders of a label, or all.
    Cancel {
        /// Which.
        label: Option<LabelId>,
    },
    /// `modify(…)`: gives the open position other exits, and waiting orders of the label (or all) another price. What
    /// is not given stays.
    Modify {
        /// Which waiting orders; the position has no label.
        label: Option<LabelId>,
        /// New price of waiting orders: of a stop-limit order, its limit.
        price: Option<Level>,
        /// New exits of the open position, pips and distances measured from the deciding close.
        exits: Exits,
    },
}

/// Decides `actions` at the close of a bar where `guard` is true. The guards of a plan exclude each other: a rule's
/// guard holds the negation of every return before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// A condition.
    pub guard: NodeId,
    /// What is decided, in order.
    pub actions: Vec<Action>,
}

/// `record("name", x)`: a series for the report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// Its name.
    pub name: String,
    /// A number.
    pub value: NodeId,
}

/// A strategy in lowered form, parameters bound.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The steps, operands before users, no two alike.
    pub nodes: Vec<Node>,
    /// The decisions, in program order.
    pub rules: Vec<Rule>,
    /// The series to plot.
    pub recordings: Vec<Recording>,
    /// The labels of orders, in order of appearance.
    pub labels: Vec<String>,
    /// Of each cell, `name = state(…)` in the source: what it holds at the end of a bar. Bars before the start date leave
    /// it as it is.
    pub cells: Vec<NodeId>,
    /// What it reads beside bars, in order of appearance.
    pub features: Vec<Feature>,
}
