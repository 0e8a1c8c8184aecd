//! Orders that wait for a price: when they come to life, fill, and give up; and the path of a bar.
//!
//! Buys look at the ask, sells at the bid. A touch triggers. A gap fills at the open: a stop worse than its price, a
//! limit better. Inside a bar the policies with a path walk it from corner to corner, everything that waits being met in
//! the order in which the price comes by; the pessimistic and the optimistic policy know no path: exits of what is open
//! come first, then waiting orders by their distance from the open.

use super::Dealing;
use crate::intrabar::{Exit, Standing};
use crate::order::PendingOrder;
use crate::terms::Purpose;
use crate::{EngineError, IntrabarPolicy, OrderEventKind, Recorder};
use fx_domain::{Ohlc, OrderId, OrderKind, Price, Side, TimeInForce, UnixNanos};
use std::cmp::Ordering;

/// The price that brings an order to life.
#[derive(Clone, Copy)]
struct Trigger {
    side: Side,
    level: Price,
    /// It comes to life at the level and above; else at the level and below.
    above: bool,
}

impl Trigger {
    fn of(order: &PendingOrder) -> Option<Self> {
        let side = order.side(fx_domain::Units::ZERO)?;
        let buys = side == Side::Long;
        let (level, above) = match order.kind() {
            OrderKind::Market => return None,
            OrderKind::Limit(level) | OrderKind::MarketIfTouched(level) => (level, !buys),
            OrderKind::Stop(level) | OrderKind::StopLimit { stop: level, .. } => (level, buys),
            OrderKind::TrailingStop { level, .. } => (level, buys),
        };
        Some(Self { side, level, above })
    }

    fn reached(&self, price: Price) -> bool {
        if self.above { price >= self.level } else { price <= self.level }
    }
}

/// Both sides of a bar.
#[derive(Clone, Copy)]
pub(crate) struct BarQuotes {
    pub(crate) bid: Ohlc,
    pub(crate) ask: Ohlc,
}

impl BarQuotes {
    /// The side that closes a position.
    pub(crate) const fn closing(&self, position: Side) -> Ohlc {
        match position {
            Side::Long => self.bid,
            Side::Short => self.ask,
        }
    }

    /// The side that a fill trades on.
    const fn trading(&self, side: Side) -> Ohlc {
        self.closing(side.opposite())
    }

    /// Both prices at a corner of the bar.
    const fn corner(&self, corner: Corner) -> [Price; 2] {
        match corner {
            Corner::High => [self.bid.high, self.ask.high],
            Corner::Low => [self.bid.low, self.ask.low],
            Corner::Close => [self.bid.close, self.ask.close],
        }
    }
}

#[derive(Clone, Copy)]
enum Corner {
    High,
    Low,
    Close,
}

/// What a stretch of the path meets.
#[derive(Clone, Copy)]
enum Met {
    /// Exit of the lot at this place.
    Exit(usize, Exit),
    /// The order at this place.
    Order(usize),
}

/// How far along a stretch: a fraction between 0 and 1.
#[derive(Clone, Copy)]
struct Along {
    done: i128,
    of: i128,
}

impl Along {
    /// Where a stretch from `from` to `to` comes to `level` and beyond; at once where it is there already.
    fn reach(from: Price, to: Price, level: Price, above: bool) -> Option<Self> {
        let (from, to, level) = (i128::from(from.nanos()), i128::from(to.nanos()), i128::from(level.nanos()));
        let sign = if above { 1 } else { -1 };
        let (missing, way) = (sign * (level - from), sign * (to - from));
        match missing {
            ..=0 => Some(Self { done: 0, of: 1 }),
            _ if missing <= way => Some(Self { done: missing, of: way }),
            _ => None,
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        (self.done * other.of).cmp(&(other.done * self.of))
    }

    fn between(&self, from: Price, to: Price) -> Price {
        let way = i128::from(to.nanos() - from.nanos());
        // Between two prices: it fits.
        Price::from_nanos(from.nanos() + fx_domain::div_half_even(way * self.done, self.of) as i64)
    }
}

impl<R: Recorder> Dealing<'_, R> {
    /// Whether anything of the track can meet a price.
    pub(crate) fn is_busy(&self) -> bool {
        self.book.lots_of(self.track).next().is_some() || self.rests()
    }

    fn rests(&self) -> bool {
        self.book.orders.iter().any(|order| order.track == self.track && order.is_resting())
    }

    /// Drops orders whose time is over when the bar opens.
    pub(crate) fn expire(&mut self) {
        let mut index = 0;
        while let Some(order) = self.book.orders.get(index) {
            let over = order.track == self.track
                && order.is_resting()
                && match order.ticket().map(|ticket| ticket.time_in_force) {
                    Some(TimeInForce::Bars(bars)) => self.at.bar > order.decided_bar.saturating_add(bars),
                    Some(TimeInForce::GoodTilDate(until)) => self.at.time >= until,
                    _ => false,
                };
            if over {
                let order = self.book.orders.remove(index);
                self.tell(order.id, OrderEventKind::Expired);
            } else {
                index += 1;
            }
        }
    }

    /// Exits and orders that the open has passed fill there; what wanted its first price or nothing goes.
    pub(crate) fn gap(&mut self) -> Result<(), EngineError> {
        let quote = self.at;
        self.exit_where(|lot| lot.exits().at(quote.price(lot.side.opposite())))?;
        let mut index = 0;
        while let Some(order) = self.book.orders.get(index) {
            let trigger = Trigger::of(order).filter(|_| order.track == self.track);
            let Some(trigger) = trigger else {
                index += 1;
                continue;
            };
            let at_once = order.ticket().is_some_and(|ticket| {
                matches!(ticket.time_in_force, TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill)
            });
            let shown = quote.price(trigger.side);
            if trigger.reached(shown) && self.come_to_life(index, shown)? {
                continue;
            }
            if at_once {
                let order = self.book.orders.remove(index);
                self.tell(order.id, OrderEventKind::Expired);
            } else {
                index += 1;
            }
        }
        Ok(())
    }

    /// The order at `index` meets `price`, which its trigger has reached. Whether it is gone: a stop-limit order may stay,
    /// a limit order from now on.
    fn come_to_life(&mut self, index: usize, price: Price) -> Result<bool, EngineError> {
        let order = self.book.orders[index];
        let Some(side) = order.side(fx_domain::Units::ZERO) else { return Ok(false) };
        if let OrderKind::StopLimit { limit, .. } = order.kind() {
            self.set_kind(index, OrderKind::Limit(limit));
            self.tell(order.id, OrderEventKind::Triggered { price });
            let takes = if side == Side::Long { price <= limit } else { price >= limit };
            if !takes {
                return Ok(false);
            }
        }
        let order = self.book.orders.remove(index);
        let purpose =
            if matches!(order.kind(), OrderKind::Limit(_)) { Purpose::LimitEntry } else { Purpose::Entry };
        let quote = self.at;
        if quote.price(side) != price {
            self.meet_level(side, price);
        }
        self.fill(&order, purpose)?;
        self.check_margin()?;
        self.at = quote;
        self.see();
        Ok(true)
    }

    fn set_kind(&mut self, index: usize, kind: OrderKind) {
        if let Some(ticket) = self.book.orders.get_mut(index).and_then(PendingOrder::ticket_mut) {
            ticket.kind = kind;
        }
    }

    /// What happens inside a bar, after its open.
    pub(crate) fn inside(&mut self, bar: BarQuotes) -> Result<(), EngineError> {
        let low_first = match self.setup.config.fill_policy {
            policy @ (IntrabarPolicy::Pessimistic | IntrabarPolicy::Optimistic) => {
                return self.settle(bar, policy);
            }
            IntrabarPolicy::Ohlc => false,
            IntrabarPolicy::Olhc => true,
            IntrabarPolicy::NearestExtremeFirst => bar.bid.high - bar.bid.open >= bar.bid.open - bar.bid.low,
        };
        let corners = if low_first {
            [Corner::Low, Corner::High, Corner::Close]
        } else {
            [Corner::High, Corner::Low, Corner::Close]
        };
        let mut here = [bar.bid.open, bar.ask.open];
        self.follow(here);
        for corner in corners {
            let there = bar.corner(corner);
            while let Some((met, along)) = self.first_met(here, there, bar) {
                here = [along.between(here[0], there[0]), along.between(here[1], there[1])];
                self.meet(here[0], here[1]);
                match met {
                    Met::Exit(index, exit) => self.exit(index, exit)?,
                    Met::Order(index) => {
                        let level = Trigger::of(&self.book.orders[index]).map(|trigger| {
                            let shown = self.at.price(trigger.side);
                            if along.done == 0 { shown } else { trigger.level }
                        });
                        if let Some(level) = level {
                            self.come_to_life(index, level)?;
                        }
                    }
                }
            }
            here = there;
            self.meet(here[0], here[1]);
            self.follow(here);
            self.check_margin()?;
        }
        Ok(())
    }

    /// What the stretch from `from` to `to` meets first: exits before orders, then the older.
    fn first_met(&self, from: [Price; 2], to: [Price; 2], bar: BarQuotes) -> Option<(Met, Along)> {
        let mut first: Option<(Met, Along)> = None;
        let mut offer = |met, along: Along| {
            if first.as_ref().is_none_or(|(_, best)| along.compare(best) == Ordering::Less) {
                first = Some((met, along));
            }
        };
        for (index, lot) in self.book.lots.iter().enumerate().filter(|(_, lot)| lot.track == self.track) {
            let side = usize::from(lot.side == Side::Short);
            let exits = lot.exits();
            let long = lot.side == Side::Long;
            let closing = bar.closing(lot.side);
            let touched =
                |level: Price, above: bool| if above { closing.high >= level } else { closing.low <= level };
            let stop = exits.stop.map(|(level, reason)| (level, reason, !long));
            let target = exits.target.map(|level| (level, fx_domain::ExitReason::TakeProfit, long));
            let both =
                [stop, target].iter().all(|exit| exit.is_some_and(|(level, _, above)| touched(level, above)));
            for (level, reason, above) in stop.into_iter().chain(target) {
                if let Some(along) = Along::reach(from[side], to[side], level, above) {
                    let price = if along.done == 0 { from[side] } else { level };
                    offer(Met::Exit(index, Exit { price, reason, ambiguous: both }), along);
                }
            }
        }
        for (index, order) in
            self.book.orders.iter().enumerate().filter(|(_, order)| order.track == self.track)
        {
            let Some(trigger) = Trigger::of(order) else { continue };
            let side = usize::from(trigger.side == Side::Long);
            if let Some(along) = Along::reach(from[side], to[side], trigger.level, trigger.above) {
                offer(Met::Order(index), along);
            }
        }
        first
    }

    /// Trailing stops follow the quote that the path has come to.
    fn follow(&mut self, [bid, ask]: [Price; 2]) {
        for lot in self.book.lots.iter_mut().filter(|lot| lot.track == self.track) {
            lot.ratchet(if lot.side == Side::Long { bid } else { ask });
        }
        self.follow_orders(bid, ask);
    }

    fn follow_orders(&mut self, bid: Price, ask: Price) {
        for order in self.book.orders.iter_mut().filter(|order| order.track == self.track) {
            let side = order.side(fx_domain::Units::ZERO);
            let Some(ticket) = order.ticket_mut() else { continue };
            if let OrderKind::TrailingStop { distance, level } = ticket.kind {
                let level = match side {
                    Some(Side::Long) => level.min(ask + distance),
                    _ => level.max(bid - distance),
                };
                ticket.kind = OrderKind::TrailingStop { distance, level };
            }
        }
    }

    /// Exits of lots older than `newest` that only the longer bar shows, where finer bars leave out a part of it: when they
    /// came is not known.
    pub(crate) fn exit_missed(&mut self, bar: BarQuotes, newest: u64) -> Result<(), EngineError> {
        let policy = match self.setup.config.fill_policy {
            IntrabarPolicy::Optimistic => IntrabarPolicy::Optimistic,
            _ => IntrabarPolicy::Pessimistic,
        };
        self.exit_where(|lot| {
            let exit = || lot.exits().inside(policy, Standing::SinceOpen, bar.closing(lot.side));
            (lot.position_id < newest).then(exit).flatten()
        })
    }

    /// The inside of a bar without a path.
    fn settle(&mut self, bar: BarQuotes, policy: IntrabarPolicy) -> Result<(), EngineError> {
        let newest = self.book.next_position;
        self.exit_where(|lot| lot.exits().inside(policy, Standing::SinceOpen, bar.closing(lot.side)))?;
        self.check_margin_at_extremes(bar)?;
        if self.rests() && self.settle_orders(bar, policy)? {
            self.check_margin_at_extremes(bar)?;
        }
        self.meet(bar.bid.close, bar.ask.close);
        self.check_margin()?;
        for lot in self.book.lots.iter_mut().filter(|lot| lot.track == self.track) {
            let closing = bar.closing(lot.side);
            lot.ratchet(match lot.side {
                _ if lot.position_id >= newest => closing.close,
                Side::Long => closing.high,
                Side::Short => closing.low,
            });
        }
        self.follow_orders(bar.bid.high, bar.ask.low);
        Ok(())
    }

    /// Whether something was entered that the adverse extreme may have come after: pessimism says so of all, and an order
    /// that waits for a better price fills on the way there.
    fn settle_orders(&mut self, bar: BarQuotes, policy: IntrabarPolicy) -> Result<bool, EngineError> {
        self.meet(bar.bid.open, bar.ask.open);
        // Stop-limit orders that came to life in this bar and did not fill.
        let mut passed: Vec<OrderId> = Vec::new();
        let mut exposed = false;
        while let Some((index, level)) = self.nearest(bar, policy, &passed) {
            let (order, newest) = (self.book.orders[index], self.book.next_position);
            if !self.come_to_life(index, level)? {
                passed.push(order.id);
            }
            let on_the_way = matches!(order.kind(), OrderKind::Limit(_) | OrderKind::MarketIfTouched(_));
            let entered = self.book.next_position > newest;
            let spread = Price::from_nanos((self.at.ask.nanos() - self.at.bid.nanos()).max(0));
            exposed |= entered && (on_the_way || policy == IntrabarPolicy::Pessimistic);
            self.exit_where(|lot| {
                let closing = bar.closing(lot.side);
                // What the entry has passed already goes at its moment, at a price that the bar has shown.
                let shown = if lot.side == Side::Long { level - spread } else { level + spread };
                let at_once = lot.exits().at(shown.clamp(closing.low, closing.high));
                let exit = || at_once.or_else(|| lot.exits().inside(policy, Standing::SinceInside, closing));
                (lot.position_id >= newest).then(exit).flatten()
            })?;
        }
        Ok(exposed)
    }

    /// The waiting order that the bar reaches nearest to its open, the older of two, with the price that it meets.
    fn nearest(&self, bar: BarQuotes, policy: IntrabarPolicy, passed: &[OrderId]) -> Option<(usize, Price)> {
        let mut nearest: Option<(i64, usize, Price)> = None;
        for (index, order) in
            self.book.orders.iter().enumerate().filter(|(_, order)| order.track == self.track)
        {
            let Some(trigger) = Trigger::of(order) else { continue };
            let side = bar.trading(trigger.side);
            let extreme = match (passed.contains(&order.id), policy) {
                // Since it came to life the price has been at the close, for sure.
                (true, IntrabarPolicy::Pessimistic) => side.close,
                _ if trigger.above => side.high,
                _ => side.low,
            };
            let distance = (trigger.level.nanos() - side.open.nanos()).abs();
            if trigger.reached(extreme) && nearest.is_none_or(|(best, ..)| distance < best) {
                // The open has been met before: whoever is there already came to life inside.
                let price = if trigger.reached(side.open) && !passed.contains(&order.id) {
                    side.open
                } else {
                    trigger.level
                };
                nearest = Some((distance, index, price));
            }
        }
        nearest.map(|(_, index, price)| (index, price))
    }

    /// Takes back every waiting order of the account.
    pub(crate) fn cancel_all(&mut self, reason: crate::CancelReason) {
        let time: UnixNanos = self.at.time;
        for order in std::mem::take(&mut self.book.orders) {
            let instrument = self.setup.terms[usize::from(order.track)].instrument;
            let kind = OrderEventKind::Cancelled { reason };
            self.recorder.event(|| crate::OrderEvent { time, order: order.id, instrument, kind });
        }
    }
}
