//! Where a run stands.

use crate::book::Book;
use crate::evaluate::{Forming, Memory};
use crate::market::StoredSides;
use crate::program::Program;
use crate::rates::{Path, Rate, Seen};
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
/// use fx_domain::{Bar, Bars, Currency, Granularity, Instrument, Money, Ohlc, Price, QuoteSide, UnixNanos};
/// use fx_engine::{Inputs, RunConfig, State, advance};
///
/// let source = "class Always(Strategy):\n    def analyze(self, data):\n        return buy(units=1000)\n";
/// let plan = fx_strategy::compile(source, &Default::default()).expect("a strategy").plan;
/// let capital = Money::from_micros(10_000 * Money::SCALE, Currency::USD);
/// let config = RunConfig::new(Instrument::parse("EUR/USD")?, Granularity::M1, capital);
/// let mut bars = Bars::empty(Some(QuoteSide::Bid));
/// for minute in 0..10 {
///     let bid = Ohlc::flat(Price::from_nanos(1_100_000_000 + minute * 10_000));
///     bars.push(Bar { time: UnixNanos::new(minute * 60_000_000_000), bid, ask: None, volume: 1 });
/// }
/// let whole = advance(&plan, &config, State::start(&plan, &config)?, &Inputs::of(&bars))?.state;
///
/// // Stop after four bars, store the state, read it again, go on: it is the same run.
/// let first = advance(&plan, &config, State::start(&plan, &config)?, &Inputs::of(&bars.slice(0..4)))?.state;
/// let stored = first.to_bytes();
/// let read = State::from_bytes(&plan, &config, &stored)?;
/// assert_eq!(read.hash(), first.hash());
/// let resumed = advance(&plan, &config, read, &Inputs::of(&bars.slice(4..10)))?.state;
/// assert_eq!(resumed.hash(), whole.hash());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct State {
    pub(crate) plan: Digest,
    pub(crate) config: Digest,
    /// Tracks, then rates.
    pub(crate) tracks: Vec<TrackState>,
    /// The last prices seen of each.
    pub(crate) seen: Vec<Option<Seen>>,
    /// The instant that a run of several tracks has come to.
    pub(crate) now: Option<UnixNanos>,
    pub(crate) book: Book,
    /// The configuration, to name and convert positions; stored as its digest.
    run_config: RunConfig,
}

/// How far one series has come.
#[derive(Clone, Debug)]
pub(crate) struct TrackState {
    pub(crate) stored: Option<StoredSides>,
    /// All bars, warm-up included.
    pub(crate) bars_done: u64,
    /// Bars from the start date on; 0 of rates.
    pub(crate) decision_bars: u64,
    pub(crate) last: Option<LastBar>,
    /// One for each node of the plan; none of rates.
    pub(crate) memories: Vec<Memory>,
    /// Of each feed of the plan: its bar that is not complete; none of rates.
    pub(crate) forming: Vec<Option<Forming>>,
}

/// The last bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastBar {
    pub(crate) opened: UnixNanos,
}

impl State {
    /// The state before the first bar.
    ///
    /// # Errors
    /// [`EngineError::Config`], [`EngineError::NoRate`] or [`EngineError::Plan`] for a configuration or plan that cannot
    /// be run.
    pub fn start(plan: &Plan, config: &RunConfig) -> Result<Self, EngineError> {
        config.validate()?;
        for track in &config.tracks {
            Path::find(config, track.instrument.quote())?;
        }
        config.check_feeds(plan)?;
        Ok(Self::new(&Program::new(plan)?, config))
    }

    pub(crate) fn new(program: &Program<'_>, config: &RunConfig) -> Self {
        let track = |traded: bool| {
            let nodes = program.plan.nodes.iter().filter(|_| traded);
            let memories = nodes.map(|node| Memory::of(program, node)).collect();
            let forming = vec![None; if traded { program.feeds.all.len() } else { 0 }];
            TrackState { stored: None, bars_done: 0, decision_bars: 0, last: None, memories, forming }
        };
        let tracks = config.tracks.iter().map(|_| track(true));
        let tracks: Vec<_> = tracks.chain(config.rates.iter().map(|_| track(false))).collect();
        Self {
            plan: program.plan.hash(),
            config: config_digest(config),
            seen: vec![None; tracks.len()],
            tracks,
            now: None,
            book: Book::new(config.account.capital),
            run_config: config.clone(),
        }
    }

    /// Orders decided and not yet filled: those for the next bar, and those that wait for a price. Oldest first.
    #[must_use]
    pub fn pending_orders(&self) -> &[PendingOrder] {
        &self.book.orders
    }

    /// The open entries, oldest first, marked at the last close.
    #[must_use]
    pub fn open_positions(&self) -> Vec<OpenPosition> {
        let currency = self.book.balance.currency();
        let positions = self.book.lots.iter().map(|lot| {
            let track = usize::from(lot.track);
            let mark = self.seen[track].map(|seen| if lot.side == Side::Long { seen.bid } else { seen.ask });
            let gained = mark.map_or(Price::ZERO, |mark| mark - lot.price);
            let exact = i128::from(lot.side.sign() * lot.units.get()) * i128::from(gained.nanos());
            // Sizes and prices are bounded, and their gain was converted where equity was marked before.
            let unrealized = self.rate(track).and_then(|rate| rate.micros(exact)).unwrap_or_default();
            OpenPosition {
                position_id: lot.position_id,
                instrument: self.run_config.tracks[track].instrument,
                side: lot.side,
                units: lot.units,
                entry_price: lot.price,
                entry_time: lot.time,
                entry_bar: lot.bar,
                protect: lot.protect,
                unrealized: Money::from_micros(unrealized, currency),
            }
        });
        positions.collect()
    }

    fn rate(&self, track: usize) -> Option<Rate> {
        let quote = self.run_config.tracks[track].instrument.quote();
        match Path::find(&self.run_config, quote).ok()? {
            None => Some(Rate::Same),
            Some(path) => {
                let now = self.seen[track]?.at;
                path.rate(&self.seen, now, self.run_config.rate_age_hours_max).ok().map(Rate::By)
            }
        }
    }

    /// The signed net position of a track.
    #[must_use]
    pub fn net_units(&self, track: u16) -> Units {
        Units::new(self.book.net(track))
    }

    /// Realised capital: the sum of the ledger.
    #[must_use]
    pub const fn balance(&self) -> Money {
        self.book.balance
    }

    /// Bars of the first track seen, warm-up included.
    #[must_use]
    pub fn bars_done(&self) -> u64 {
        self.tracks[0].bars_done
    }

    /// Bars of the first track seen from the start date on: those that decisions were made on.
    #[must_use]
    pub fn decision_bars(&self) -> u64 {
        self.tracks[0].decision_bars
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
