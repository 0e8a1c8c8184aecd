//! What a strategy wants after the newest bars. The engine itself says what would fill, and at what size: it is taken
//! over one more bar, in which the market stands still, or stands at the price that an order waits for.

use crate::inputs::RunBars;
use fx_domain::{
    Bar, Bars, ErrorKind, Instrument, Money, Ohlc, OrderKind, PlatformError, PlatformResult, Price,
    ProtectiveLevels, QuoteColumns, Side, TimeInForce, Units, UnixNanos,
};
use fx_engine::{
    Decision, EngineError, FeatureSeries, Inputs, OrderEvent, OrderEventKind, OrderSize, PendingOrder,
    RunConfig, State, TrackBars,
};
use fx_strategy::Plan;

/// What the strategy wants.
pub(super) struct Wish {
    /// Open time of the newest bar.
    pub(super) time: UnixNanos,
    pub(super) equity: Money,
    /// What it decided at the newest bar of each instrument.
    pub(super) signals: Vec<Signal>,
    /// What it would have sent by now: orders for the next bar, then those that wait for a price.
    pub(super) orders: Vec<Intended>,
    /// Why orders are not possible.
    pub(super) refusals: Vec<String>,
    /// Whether an order enters a position.
    pub(super) enters: bool,
}

/// A decision at a newest bar.
pub(super) struct Signal {
    pub(super) instrument: Instrument,
    pub(super) action: &'static str,
    /// The deciding bar's close.
    pub(super) close: f64,
    pub(super) time: UnixNanos,
}

/// An order as it would be sent.
pub(super) struct Intended {
    pub(super) instrument: Instrument,
    pub(super) decided_at: UnixNanos,
    /// Its number among the orders of its deciding bar.
    pub(super) number: u64,
    pub(super) kind: OrderKind,
    pub(super) side: Side,
    /// Zero where that shows at the fill only.
    pub(super) units: Units,
    /// What it is expected to fill at.
    pub(super) price: Price,
    pub(super) protect: ProtectiveLevels,
    pub(super) time_in_force: TimeInForce,
}

/// Runs the strategy over all of `bars` and asks what follows.
pub(super) fn wish_of(plan: &Plan, config: RunConfig, bars: &RunBars) -> PlatformResult<Wish> {
    let opens = bars.tracks.iter().filter_map(|bars| bars.times.first()).min();
    let newest = bars.tracks.iter().filter_map(|bars| bars.times.last()).max();
    let (Some(start), Some(time)) = (opens, newest) else {
        return Err(PlatformError::new(ErrorKind::BacktestData, "the series has no bars"));
    };
    let config = RunConfig { start: covered_from(*start, *time, &config, bars), ..config };
    let state = State::start(plan, &config).map_err(broke)?;
    let now = fx_engine::advance(plan, &config, state, &bars.inputs()).map_err(broke)?;
    let equity = now.equity.last().copied().unwrap_or(config.account.capital.micros());
    let mut wish = Wish {
        time: *time,
        equity: Money::from_micros(equity, config.account.currency),
        signals: Vec::new(),
        orders: Vec::new(),
        refusals: Vec::new(),
        enters: false,
    };
    let pending = now.state.pending_orders().to_vec();
    let probe = Probe { plan, config: &config, bars, state: now.state, events: &now.events };
    wish.signals = pending.iter().filter_map(|order| probe.signal(order)).collect();
    let (waiting, meeting): (Vec<_>, Vec<_>) = pending.iter().partition(|order| order.is_resting());
    wish.enters =
        pending.iter().any(|order| !matches!(order.decision, Decision::Close | Decision::ClosePartial(_)));
    let events = probe.events(None)?;
    for order in meeting {
        wish.take(&probe, order, &events);
    }
    for order in waiting {
        wish.take(&probe, order, &probe.events(Some(order))?);
    }
    Ok(wish)
}

/// The first bar to decide on: the first that there is, or where features begin later, the first that all of them cover. The
/// newest bar is always decided on: a feature that does not cover it is refused.
fn covered_from(first: UnixNanos, newest: UnixNanos, config: &RunConfig, bars: &RunBars) -> UnixNanos {
    let begins = bars.features.iter().filter_map(|series| series.available_at.first());
    let Some(begin) = begins.max() else { return first };
    let opens = config.tracks.iter().zip(&bars.tracks).flat_map(|(track, bars)| {
        let covered = bars.times.partition_point(|open| track.granularity.close_of(*open) < *begin);
        bars.times.get(covered)
    });
    opens.max().copied().unwrap_or(newest).clamp(first, newest)
}

impl Wish {
    /// What became of `order` over one more bar.
    fn take(&mut self, probe: &Probe<'_>, order: &PendingOrder, events: &[OrderEvent]) {
        let mut said = events.iter().filter(|event| event.order == order.id).peekable();
        if said.peek().is_none() && order.is_resting() {
            self.orders.extend(probe.intended(order, None));
        }
        for event in said {
            match event.kind {
                OrderEventKind::Filled { side, units, fill, protect } => {
                    self.orders.extend(probe.intended(order, Some((side, units, fill.price, protect))));
                }
                OrderEventKind::Rejected { reason } => {
                    self.refusals.push(format!("the order is not possible: {reason:?}"));
                }
                // It waits, but would find nothing to do as things are.
                OrderEventKind::Lapsed if order.is_resting() => {
                    self.orders.extend(probe.intended(order, None))
                }
                _ => {}
            }
        }
    }
}

/// The run after the newest bars.
struct Probe<'a> {
    plan: &'a Plan,
    config: &'a RunConfig,
    bars: &'a RunBars,
    state: State,
    /// What happened so far.
    events: &'a [OrderEvent],
}

impl Probe<'_> {
    /// What happens in one more bar of every track: at the last close, or where `order` fills.
    fn events(&self, order: Option<&PendingOrder>) -> PlatformResult<Vec<OrderEvent>> {
        let next = self.next_open();
        let still = |(index, bars): (usize, &Bars)| {
            let level = order.filter(|order| usize::from(order.track) == index);
            still_bar(
                bars,
                next,
                level.and_then(|order| Some((order.side(Units::new(0))?, level_of(order)?))),
            )
        };
        let tracks: Vec<Bars> = self.bars.tracks.iter().enumerate().map(still).collect();
        let rates: Vec<Bars> = self.bars.rates.iter().map(|bars| bars.slice(0..0)).collect();
        // Nobody tells anything else while the market stands still.
        let still = |series: &FeatureSeries| {
            let values: Vec<f64> = series.values.last().copied().into_iter().collect();
            FeatureSeries { available_at: vec![next; values.len()], values }
        };
        let features: Vec<_> = self.bars.features.iter().map(still).collect();
        let inputs = Inputs {
            tracks: tracks.iter().map(|bars| TrackBars { bars, finer: None }).collect(),
            rates: rates.iter().collect(),
            references: self.bars.references.iter().collect(),
            features: features.iter().collect(),
        };
        fx_engine::advance(self.plan, self.config, self.state.clone(), &inputs)
            .map(|next| next.events)
            .map_err(broke)
    }

    /// When every bar that was seen is complete.
    fn next_open(&self) -> UnixNanos {
        let tracks = self.config.tracks.iter().zip(&self.bars.tracks);
        let series = tracks.chain(self.config.rates.iter().zip(&self.bars.rates));
        let closes = series.filter_map(|(track, bars)| Some(track.granularity.close_of(*bars.times.last()?)));
        closes.max().unwrap_or(UnixNanos::new(0))
    }

    fn instrument(&self, order: &PendingOrder) -> Option<Instrument> {
        Some(self.config.tracks.get(usize::from(order.track))?.instrument)
    }

    /// An order that was decided at the newest bar of its instrument is a signal.
    fn signal(&self, order: &PendingOrder) -> Option<Signal> {
        let bars = self.bars.tracks.get(usize::from(order.track))?;
        let fresh = bars.times.last() == Some(&order.decided_at);
        let close = bars.signal_side().close.last()?.to_f64();
        fresh.then_some(())?;
        Some(Signal {
            instrument: self.instrument(order)?,
            action: action(order),
            close,
            time: order.decided_at,
        })
    }

    fn intended(
        &self,
        order: &PendingOrder,
        filled: Option<(Side, Units, Price, ProtectiveLevels)>,
    ) -> Option<Intended> {
        let ticket = match order.decision {
            Decision::Enter { ticket, .. } | Decision::Trade { ticket, .. } => Some(ticket),
            Decision::Target(_) | Decision::Close | Decision::ClosePartial(_) => None,
        };
        let unfilled = || {
            let units = match order.decision {
                Decision::Enter { size: OrderSize::Units(units), .. } | Decision::Trade { units, .. } => {
                    units
                }
                _ => Units::new(0),
            };
            Some((order.side(Units::new(0))?, units, level_of(order)?, ProtectiveLevels::default()))
        };
        let (side, units, price, protect) = filled.or_else(unfilled)?;
        let instrument = self.instrument(order)?;
        // Counted from what was decided, not from what is left: an order keeps its number while others go.
        let before = |event: &&OrderEvent| {
            matches!(event.kind, OrderEventKind::Submitted { .. })
                && (event.instrument, event.time) == (instrument, order.decided_at)
                && event.order < order.id
        };
        Some(Intended {
            instrument,
            decided_at: order.decided_at,
            number: self.events.iter().filter(before).count() as u64,
            kind: order.kind(),
            side,
            units,
            price,
            protect,
            time_in_force: ticket.map_or(TimeInForce::default(), |ticket| ticket.time_in_force),
        })
    }
}

/// The price that an order waits for and fills at.
const fn level_of(order: &PendingOrder) -> Option<Price> {
    match order.kind() {
        OrderKind::Market => None,
        OrderKind::Limit(level)
        | OrderKind::Stop(level)
        | OrderKind::MarketIfTouched(level)
        | OrderKind::StopLimit { limit: level, .. }
        | OrderKind::TrailingStop { level, .. } => Some(level),
    }
}

/// A bar that opens at `time`, all its prices the last close, or such that an order of this side meets this price.
fn still_bar(bars: &Bars, time: UnixNanos, level: Option<(Side, Price)>) -> Bars {
    let side = match &bars.quotes {
        QuoteColumns::One { side, .. } => Some(*side),
        QuoteColumns::Both { .. } => None,
    };
    let mut still = Bars::empty(side);
    let Some(last) = bars.len().checked_sub(1) else { return still };
    let bar = bars.get(last);
    let (bid, ask) = (bar.bid.close, bar.ask.map(|ask| ask.close));
    let spread = ask.map_or(Price::ZERO, |ask| ask - bid);
    let bid = match level {
        None => bid,
        Some((Side::Short, level)) => level,
        // A price stays above zero.
        Some((Side::Long, level)) => (level - spread).max(Price::from_nanos(1)),
    };
    let ask = ask.map(|_| Ohlc::flat(bid + spread));
    still.push(Bar { time, bid: Ohlc::flat(bid), ask, volume: 0 });
    still
}

const fn action(order: &PendingOrder) -> &'static str {
    match &order.decision {
        Decision::Enter { side: Side::Long, .. } | Decision::Trade { side: Side::Long, .. } => "buy",
        Decision::Enter { side: Side::Short, .. } | Decision::Trade { side: Side::Short, .. } => "sell",
        Decision::Target(_) => "target",
        Decision::Close | Decision::ClosePartial(_) => "close",
    }
}

fn broke(error: EngineError) -> PlatformError {
    let kind = match &error {
        EngineError::Bar { .. } | EngineError::NoRate { .. } | EngineError::StaleRate { .. } => {
            ErrorKind::BacktestData
        }
        EngineError::StaleFeature { .. } => ErrorKind::BacktestData,
        _ => ErrorKind::StrategyExecution,
    };
    PlatformError::new(kind, error.to_string()).caused_by(error)
}
