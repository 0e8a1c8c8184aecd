//! The stored form of a state.
//!
//! `schema` (u16), engine version, digests of plan and configuration, then the rest, in postcard's encoding; then the
//! SHA-256 of all that. Sums and candidate lists are not stored but rebuilt, so that they cannot disagree.

use crate::book::{Book, Lot};
use crate::evaluate::{Forming, Memory};
use crate::features::Told;
use crate::indicator::{History, NumberWindow, PriceWindow, Psar, Scanner, SessionMemory, Smoother};
use crate::market::StoredSides;
use crate::order::{Decision, OrderLevel, OrderPortion, OrderSize, OrderTicket, PendingOrder};
use crate::program::Program;
use crate::rates::Seen;
use crate::state::{LastBar, TrackState, config_digest};
use crate::submit::within_quarter;
use crate::value::{UNKNOWN, finite_or_undefined};
use crate::{AccountKind, ENGINE_VERSION, EngineError, ORDERS_MAX, PRICE_MAX, RunConfig, State, UNITS_MAX};
use fx_domain::{Digest, OrderKind, Price, Units, UnixNanos};
use fx_strategy::{Node, Plan};
use serde::{Deserialize, Serialize};

/// Version of the stored form.
const STATE_SCHEMA: u16 = 4;

/// Counters of a stored state are below this: a run never gets there, and adding to them cannot wrap.
const COUNTER_MAX: u64 = 1 << 62;

/// Bytes of the digest behind the form.
const SEAL_BYTES: usize = 32;

#[derive(Serialize, Deserialize)]
struct Form {
    schema: u16,
    engine: String,
    plan: Digest,
    config: Digest,
    tracks: Vec<TrackForm>,
    seen: Vec<Option<Seen>>,
    now: Option<UnixNanos>,
    book: Book,
}

#[derive(Serialize, Deserialize)]
struct TrackForm {
    stored: Option<StoredSides>,
    bars_done: u64,
    decision_bars: u64,
    last: Option<LastBar>,
    memories: Vec<MemoryForm>,
    forming: Vec<Option<Forming>>,
}

#[derive(Serialize, Deserialize)]
enum MemoryForm {
    None,
    Numbers(Vec<f64>),
    Conditions(Vec<u8>),
    Prices(Vec<i64>),
    Smoother(Smoother),
    Scanner(Scanner),
    Psar(Psar),
    Session(SessionMemory),
    Told(Told),
}

impl State {
    /// Its stored form: the same bytes for the same run, however its bars were cut into calls.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let form = Form {
            schema: STATE_SCHEMA,
            engine: ENGINE_VERSION.to_owned(),
            plan: self.plan,
            config: self.config,
            tracks: self.tracks.iter().map(TrackForm::of).collect(),
            seen: self.seen.clone(),
            now: self.now,
            book: self.book.clone(),
        };
        // Writing to a vector has no error; were there one, the empty bytes would be refused when read.
        let mut bytes = postcard::to_stdvec(&form).unwrap_or_default();
        let seal = Digest::of(&bytes);
        bytes.extend_from_slice(seal.as_bytes());
        bytes
    }

    /// Reads bytes of [`State::to_bytes`] for a run of `plan` and `config`; the bytes may come from anywhere.
    ///
    /// # Errors
    /// [`EngineError::State`] for a state of another engine version, plan or configuration, and for bytes that no run
    /// writes; [`EngineError::Config`] and [`EngineError::Plan`] as in [`State::start`].
    pub fn from_bytes(plan: &Plan, config: &RunConfig, bytes: &[u8]) -> Result<Self, EngineError> {
        config.validate()?;
        let program = Program::new(plan)?;
        let Some((body, seal)) = bytes.split_last_chunk::<SEAL_BYTES>() else {
            return refuse("it is too short");
        };
        let schema: Result<(u16, &[u8]), _> = postcard::take_from_bytes(body);
        if !schema.is_ok_and(|(schema, _)| schema == STATE_SCHEMA) {
            return refuse("its form has another version");
        }
        if Digest::of(body).as_bytes() != seal {
            return refuse("its digest does not match its content");
        }
        let Ok((form, [])) = postcard::take_from_bytes::<Form>(body) else {
            return refuse("it does not decode");
        };
        if form.engine != ENGINE_VERSION {
            refuse("it was written by another version of the engine")
        } else if form.plan != plan.hash() {
            refuse("it belongs to another plan")
        } else if form.config != config_digest(config) {
            refuse("it belongs to another configuration")
        } else {
            form.into_state(&program, config)
        }
    }
}

const fn refuse<T>(reason: &'static str) -> Result<T, EngineError> {
    Err(EngineError::State { reason })
}

impl Form {
    fn into_state(self, program: &Program<'_>, config: &RunConfig) -> Result<State, EngineError> {
        let mut state = State::new(program, config);
        if self.tracks.len() != state.tracks.len() || self.seen.len() != state.seen.len() {
            return refuse("its tracks are not the configuration's");
        }
        if !self.tracks.iter().all(TrackForm::adds_up) || !self.seen.iter().flatten().all(seen_is_sound) {
            return refuse("its bars do not add up");
        }
        if !book_is_sound(&self.book, &self.tracks, config) {
            return refuse("its position, orders or balance cannot be");
        }
        for (track, form) in state.tracks.iter_mut().zip(self.tracks) {
            if form.forming.len() != track.forming.len()
                || !form.forming.iter().flatten().all(Forming::is_sound)
            {
                return refuse("its other timeframes are not the plan's");
            }
            if form.memories.len() != track.memories.len() {
                return refuse("its indicators are not the plan's");
            }
            for ((memory, form), node) in
                track.memories.iter_mut().zip(form.memories).zip(&program.plan.nodes)
            {
                match form.into_memory(memory, node) {
                    Some(filled) => *memory = filled,
                    None => return refuse("its indicators are not the plan's"),
                }
            }
            (track.stored, track.last, track.forming) = (form.stored, form.last, form.forming);
            (track.bars_done, track.decision_bars) = (form.bars_done, form.decision_bars);
        }
        (state.seen, state.now, state.book) = (self.seen, self.now, self.book);
        Ok(state)
    }
}

impl TrackForm {
    fn of(track: &TrackState) -> Self {
        Self {
            stored: track.stored,
            bars_done: track.bars_done,
            decision_bars: track.decision_bars,
            last: track.last,
            memories: track.memories.iter().map(MemoryForm::of).collect(),
            forming: track.forming.clone(),
        }
    }

    const fn adds_up(&self) -> bool {
        self.bars_done < COUNTER_MAX
            && self.decision_bars <= self.bars_done
            && self.last.is_some() == (self.bars_done > 0)
            && self.last.is_some() == self.stored.is_some()
    }
}

impl MemoryForm {
    fn of(memory: &Memory) -> Self {
        match memory {
            Memory::None => Self::None,
            Memory::LagNumber(history) => Self::Numbers(history.tail().to_vec()),
            Memory::LagCondition(history) => Self::Conditions(history.tail().to_vec()),
            Memory::Price(window) => Self::Prices(window.tail().to_vec()),
            Memory::Number(window) => Self::Numbers(window.tail().to_vec()),
            Memory::Smoother(smoother) => Self::Smoother(smoother.clone()),
            Memory::HeldNumber(value) => Self::Numbers(vec![*value]),
            Memory::HeldCondition(value) => Self::Conditions(vec![*value]),
            Memory::Scanner(scanner) => Self::Scanner(*scanner),
            Memory::Occasions(history) => Self::Numbers(history.tail().to_vec()),
            Memory::Psar(psar) => Self::Psar(*psar),
            Memory::Session(session) => Self::Session(*session),
            Memory::Told(told) => Self::Told(*told),
        }
    }

    /// The memory of a node whose empty memory is `empty`; `None` when it is of another kind or out of range.
    fn into_memory(self, empty: &Memory, node: &Node) -> Option<Memory> {
        let bars = node.look_back() as usize;
        let fits = |length: usize| length <= bars;
        match (self, empty) {
            (Self::None, Memory::None) => Some(Memory::None),
            (Self::Numbers(values), Memory::HeldNumber(_)) => match *values {
                [value] => Some(Memory::HeldNumber(finite_or_undefined(value))),
                _ => None,
            },
            (Self::Conditions(values), Memory::HeldCondition(_)) => match *values {
                [value] if value <= UNKNOWN => Some(Memory::HeldCondition(value)),
                _ => None,
            },
            (Self::Numbers(values), Memory::LagNumber(_)) if fits(values.len()) => {
                let values = values.into_iter().map(finite_or_undefined).collect();
                Some(Memory::LagNumber(History::new(bars, values)))
            }
            (Self::Conditions(values), Memory::LagCondition(_)) if fits(values.len()) => {
                let known = values.iter().all(|value| *value <= UNKNOWN);
                known.then(|| Memory::LagCondition(History::new(bars, values)))
            }
            (Self::Prices(values), Memory::Price(window)) if fits(values.len()) => {
                let sound = values.iter().all(|value| *value > 0 && *value <= 2 * PRICE_MAX.nanos());
                sound.then(|| Memory::Price(PriceWindow::new(window.kind(), bars, values)))
            }
            (Self::Numbers(values), Memory::Number(window)) if fits(values.len()) => {
                let values: Vec<_> = values.into_iter().map(finite_or_undefined).collect();
                Some(Memory::Number(NumberWindow::new(window.kind(), bars, &values)))
            }
            (Self::Numbers(values), Memory::Occasions(_)) if fits(values.len()) => {
                let values = values.into_iter().map(finite_or_undefined).collect();
                Some(Memory::Occasions(History::new(bars, values)))
            }
            (Self::Scanner(scanner), Memory::Scanner(_)) => Some(Memory::Scanner(scanner.canonical())),
            (Self::Psar(psar), Memory::Psar(_)) if psar.seen <= 2 => Some(Memory::Psar(psar.canonical())),
            (Self::Session(session), Memory::Session(_)) => Some(Memory::Session(session.canonical())),
            (Self::Told(told), Memory::Told(_)) => {
                told.is_none_or(|(_, value)| value.is_finite()).then_some(Memory::Told(told))
            }
            (Self::Smoother(smoother), Memory::Smoother(_)) => {
                let Smoother { seen, last, up, down } = smoother;
                let [last, up, down] = [last, up, down].map(finite_or_undefined);
                (seen as usize <= bars + 1).then_some(Memory::Smoother(Smoother { seen, last, up, down }))
            }
            _ => None,
        }
    }
}

fn is_price(price: Price) -> bool {
    price.is_positive() && price <= PRICE_MAX
}

/// Fill prices may stand above the largest quote by spread and slippage, those inside a bar below the lowest.
fn is_fill_price(price: Price) -> bool {
    price.nanos().unsigned_abs() <= 4 * PRICE_MAX.nanos().unsigned_abs()
}

fn seen_is_sound(seen: &Seen) -> bool {
    is_fill_price(seen.bid) && is_fill_price(seen.ask) && (seen.bid.nanos() + seen.ask.nanos()) > 0
}

fn book_is_sound(book: &Book, tracks: &[TrackForm], config: &RunConfig) -> bool {
    let counters = [book.next_order, book.next_position, book.next_trade, book.next_fill, book.ledger_rows];
    let decided = |track: u16| tracks.get(usize::from(track)).map_or(0, |track| track.decision_bars);
    let traded = |track: u16| usize::from(track) < config.tracks.len();
    let begun = tracks.iter().any(|track| track.decision_bars > 0);
    let all: i128 = book.lots.iter().map(|lot| i128::from(lot.units.get())).sum();
    counters.iter().all(|counter| *counter < COUNTER_MAX)
        && book.balance.currency() == config.account.currency
        && (book.ledger_rows > 0) == begun
        && all <= 2 * i128::from(UNITS_MAX) * tracks.len() as i128
        && book.orders.len() <= ORDERS_MAX
        && book.lots.iter().all(|lot| traded(lot.track) && lot_is_sound(lot, decided(lot.track)))
        && book.orders.iter().all(|order| traded(order.track) && order_is_sound(order, decided(order.track)))
        && (config.account.kind == AccountKind::Hedging || sides_agree(book))
}

/// On a netting account the lots of one track are on one side.
fn sides_agree(book: &Book) -> bool {
    book.lots.iter().all(|lot| book.lots_of(lot.track).all(|other| other.side == lot.side))
}

fn lot_is_sound(lot: &Lot, decision_bars: u64) -> bool {
    let costs = &lot.costs;
    let costs = [costs.spread_micros, costs.commission_micros, costs.slippage_micros];
    let bounded = |price: Option<Price>| price.is_none_or(|price| within_quarter(&price));
    (1..=UNITS_MAX).contains(&lot.units.get())
        && lot.bar < decision_bars
        && [lot.price, lot.lowest, lot.highest].into_iter().all(is_fill_price)
        && lot.price.is_positive()
        && costs.iter().all(|cost| *cost >= 0)
        && bounded(lot.trail)
        && bounded(lot.protect.trailing_distance)
        && lot.trail.is_some() == lot.protect.trailing_distance.is_some()
}

fn order_is_sound(order: &PendingOrder, decision_bars: u64) -> bool {
    let whole = is_price(order.bid) && is_price(order.ask) && order.decided_bar < decision_bars;
    let converts = order.conversion.is_none_or(|conversion| {
        let prices = std::iter::once(conversion.first).chain(conversion.second);
        prices.map(|step| step.bid_plus_ask.nanos()).all(|sum| (2..=2 * PRICE_MAX.nanos()).contains(&sum))
    });
    let units_fit = |units: Units| (-UNITS_MAX..=UNITS_MAX).contains(&units.get());
    let decided = match order.decision {
        Decision::Close => true,
        Decision::Target(units) | Decision::ClosePartial(OrderPortion::Units(units)) => units_fit(units),
        Decision::ClosePartial(OrderPortion::Percent(percent)) => percent.is_finite(),
        Decision::Trade { units, .. } => units_fit(units) && units >= Units::ZERO,
        Decision::Enter { size, .. } => match size {
            OrderSize::Units(units) => units_fit(units),
            OrderSize::RiskPercent(percent) | OrderSize::EquityPercent(percent) => percent.is_finite(),
        },
    };
    whole && converts && decided && order.ticket().is_none_or(ticket_is_sound)
}

fn ticket_is_sound(ticket: &OrderTicket) -> bool {
    let prices = match ticket.kind {
        OrderKind::Market => [None, None],
        OrderKind::Limit(level) | OrderKind::Stop(level) | OrderKind::MarketIfTouched(level) => {
            [Some(level), None]
        }
        OrderKind::StopLimit { stop, limit } => [Some(stop), Some(limit)],
        OrderKind::TrailingStop { distance, level } => [Some(distance), Some(level)],
    };
    let levels = [ticket.stop_loss, ticket.take_profit].into_iter().flatten();
    let levels = levels.map(|(OrderLevel::Price(price) | OrderLevel::Distance(price))| price);
    prices.into_iter().flatten().chain(levels).chain(ticket.trailing).all(|price| within_quarter(&price))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Inputs;
    use fx_domain::{Bar, Bars, Currency, Granularity, Instrument, Money, Ohlc, QuoteSide};
    use std::collections::BTreeMap;

    const SOURCE: &str = "class Swing(Strategy):\n    def analyze(self, data):\n        mean = sma(data.close, 5)\n        \
        if data.close > mean and rsi(data.close, 3) > 50:\n            return buy(risk_percent=1, stop_loss=pips(9))\n        \
        if data.close < highest(data.open, 4)[-2]:\n            return sell(units=1000)\n        return {}\n";

    fn config() -> RunConfig {
        let capital = Money::from_micros(10_000_000_000, Currency::USD);
        let mut config = RunConfig::new(Instrument::parse("EUR/USD").unwrap(), Granularity::M1, capital);
        (config.commission, config.pyramiding) = (crate::Commission::PerLot(3.0), 1);
        config
    }

    fn bars(from: i64, to: i64) -> Bars {
        let mut bars = Bars::empty(Some(QuoteSide::Bid));
        for row in from..to {
            let close = 1_100_000_000 + row * 7_919 % 101 * 10_000;
            let bid = Ohlc::flat(Price::from_nanos(close));
            bars.push(Bar { time: UnixNanos::new(row), bid, ask: None, volume: 1 });
        }
        bars
    }

    /// The seal keeps accidents out, not attackers: whatever decodes behind a good seal may fail, but never panics.
    #[test]
    fn a_forged_seal_is_refused_or_runs_without_a_panic() {
        let (plan, config) = (fx_strategy::compile(SOURCE, &BTreeMap::new()).unwrap().plan, config());
        let run = |state, from, to| crate::advance(&plan, &config, state, &Inputs::of(&bars(from, to)));
        let bytes = run(State::start(&plan, &config).unwrap(), 0, 60).unwrap().state.to_bytes();
        let body = &bytes[..bytes.len() - SEAL_BYTES];
        let mut resumed = 0;
        for at in 0..body.len() {
            for flip in [1_u8, 0x7f, 0x80, 0xff] {
                let mut forged = body.to_vec();
                forged[at] ^= flip;
                let seal = Digest::of(&forged);
                forged.extend_from_slice(seal.as_bytes());
                if let Ok(state) = State::from_bytes(&plan, &config, &forged) {
                    resumed += 1;
                    drop((state.open_positions(), state.hash(), run(state, 60, 80)));
                }
            }
        }
        assert!(resumed > 0, "some forgeries are states");
    }
}
