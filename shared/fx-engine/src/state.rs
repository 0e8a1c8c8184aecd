//! Where a run stands.

use crate::book::Book;
use crate::evaluate::Memory;
use crate::program::Program;
use crate::quotes::StoredSides;
use crate::{EngineError, OpenPosition, PendingOrder, RunConfig};
use fx_domain::{Digest, Money, Price, Side, Units, UnixNanos};
use fx_strategy::Plan;
use serde::{Deserialize, Serialize};

/// Where a run stands: indicators, position, waiting orders, balance, and which run it is.
///
/// It is all that [`advance`](crate::advance) needs to go on, and equal for equal runs however their bars were cut into
/// calls. [`State::to_bytes`] is its stored form.
///
/// ```
/// use fx_domain::{Bar, Bars, Currency, Instrument, Money, Ohlc, Price, QuoteSide, UnixNanos};
/// use fx_engine::{Commission, FillTime, IntrabarPolicy, RunConfig, SpreadModel, State, advance};
///
/// let source = "class Always(Strategy):\n    def analyze(self, data):\n        return buy(units=1000)\n";
/// let plan = fx_strategy::compile(source, &Default::default()).expect("a strategy").plan;
/// let config = RunConfig {
///     instrument: Instrument::parse("EUR/USD")?,
///     account_currency: Currency::USD,
///     initial_capital: Money::from_micros(10_000 * Money::SCALE, Currency::USD),
///     start: UnixNanos::new(0),
///     fill: FillTime::Open,
///     fill_policy: IntrabarPolicy::Pessimistic,
///     spread: SpreadModel::Measured,
///     commission: Commission::None,
///     slippage: Price::ZERO,
///     pyramiding: 0,
///     leverage: 30.0,
/// };
/// let mut bars = Bars::empty(Some(QuoteSide::Bid));
/// for minute in 0..10 {
///     let bid = Ohlc::flat(Price::from_nanos(1_100_000_000 + minute * 10_000));
///     bars.push(Bar { time: UnixNanos::new(minute * 60_000_000_000), bid, ask: None, volume: 1 });
/// }
/// let whole = advance(&plan, &config, State::start(&plan, &config)?, &bars)?.state;
///
/// // Stop after four bars, store the state, read it again, go on: it is the same run.
/// let first = advance(&plan, &config, State::start(&plan, &config)?, &bars.slice(0..4))?.state;
/// let stored = first.to_bytes();
/// let read = State::from_bytes(&plan, &config, &stored)?;
/// assert_eq!(read.hash(), first.hash());
/// let resumed = advance(&plan, &config, read, &bars.slice(4..10))?.state;
/// assert_eq!(resumed.hash(), whole.hash());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct State {
    pub(crate) plan: Digest,
    pub(crate) config: Digest,
    pub(crate) stored: Option<StoredSides>,
    /// All bars, warm-up included.
    pub(crate) bars_done: u64,
    /// Bars from the start date on.
    pub(crate) decision_bars: u64,
    pub(crate) last: Option<LastBar>,
    pub(crate) memories: Vec<Memory>,
    pub(crate) book: Book,
}

/// The last bar's time and closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastBar {
    pub(crate) time: UnixNanos,
    pub(crate) bid: Price,
    pub(crate) ask: Price,
}

impl State {
    /// The state before the first bar.
    ///
    /// # Errors
    /// [`EngineError::Config`] or [`EngineError::Plan`] for a configuration or plan that cannot be run.
    pub fn start(plan: &Plan, config: &RunConfig) -> Result<Self, EngineError> {
        config.validate()?;
        Ok(Self::new(&Program::new(plan)?, config))
    }

    pub(crate) fn new(program: &Program<'_>, config: &RunConfig) -> Self {
        Self {
            plan: program.plan.hash(),
            config: config_digest(config),
            stored: None,
            bars_done: 0,
            decision_bars: 0,
            last: None,
            memories: program.plan.nodes.iter().map(|node| Memory::of(program, node)).collect(),
            book: Book::new(config.initial_capital),
        }
    }

    /// Orders decided at the last bar's close. They meet the market with the next bar.
    #[must_use]
    pub fn pending_orders(&self) -> &[PendingOrder] {
        &self.book.pending
    }

    /// The open entries, oldest first, marked at the last close.
    #[must_use]
    pub fn open_positions(&self) -> Vec<OpenPosition> {
        let mark = |side| match (self.last, side) {
            (Some(last), Side::Long) => Some(last.bid),
            (Some(last), Side::Short) => Some(last.ask),
            (None, _) => None,
        };
        let currency = self.book.balance.currency();
        let positions = self.book.lots.iter().map(|lot| {
            let gained = mark(lot.side).map_or(Price::ZERO, |mark| mark - lot.price);
            let signed = Units::new(lot.side.sign() * lot.units.get());
            // Sizes and prices are bounded, and so is their product where equity was marked before.
            let unrealized = Money::of_notional(signed, gained, currency);
            OpenPosition {
                position_id: lot.position_id,
                side: lot.side,
                units: lot.units,
                entry_price: lot.price,
                entry_time: lot.time,
                entry_bar: lot.bar,
                protect: lot.protect,
                unrealized: unrealized.unwrap_or_else(|| Money::zero(currency)),
            }
        });
        positions.collect()
    }

    /// The signed net position.
    #[must_use]
    pub fn net_units(&self) -> Units {
        Units::new(self.book.net())
    }

    /// Realised capital: the sum of the ledger.
    #[must_use]
    pub const fn balance(&self) -> Money {
        self.book.balance
    }

    /// Bars seen, warm-up included.
    #[must_use]
    pub const fn bars_done(&self) -> u64 {
        self.bars_done
    }

    /// Bars seen from the start date on: those that decisions were made on.
    #[must_use]
    pub const fn decision_bars(&self) -> u64 {
        self.decision_bars
    }

    /// The digest of [`State::to_bytes`].
    #[must_use]
    pub fn hash(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }
}

/// Two states are equal when their bytes are.
impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

/// Names a configuration by its bytes.
pub(crate) fn config_digest(config: &RunConfig) -> Digest {
    // Writing numbers and texts to a vector has no error; were there one, no other configuration would match it.
    Digest::of(&postcard::to_stdvec(config).unwrap_or_default())
}
