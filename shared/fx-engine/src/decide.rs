//! Evaluation of the reactive part of a plan, and the decisions at a bar's close.

use crate::book::{Book, Journal, Told, event};
use crate::evaluate::{Column, Memory, clock_value, select};
use crate::order::{Decision, OrderLevel, OrderSize, PendingOrder};
use crate::program::Program;
use crate::terms::Terms;
use crate::value::{
    TRUE, Tri, UNDEFINED, UNKNOWN, arithmetic, compare, connect, finite_or_undefined, is_comparison,
    is_connective, not, unary,
};
use crate::{EngineError, OrderEventKind, RunConfig, UNITS_MAX};
use fx_domain::{Lots, Money, OrderId, Pips, Price, ProtectiveLevels, Side, Units, UnixNanos};
use fx_strategy::{AccountField, Action, Direction, Level, Node, NodeId, PositionField, Size, Type, Unary};

/// A bar's close, after all fills of the bar.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    /// Place of the bar in its block.
    pub(crate) at: usize,
    pub(crate) time: UnixNanos,
    /// Number of the bar among those decided on; none while warming up.
    pub(crate) index: Option<u64>,
    pub(crate) bid: Price,
    pub(crate) ask: Price,
    /// In millionths.
    pub(crate) equity: i64,
}

/// The values of reactive nodes at one bar.
pub(crate) struct Scratch {
    numbers: Vec<f64>,
    conditions: Vec<Tri>,
}

/// What the reactive part reads.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) program: &'a Program<'a>,
    pub(crate) terms: &'a Terms<'a>,
    pub(crate) columns: &'a [Column],
    pub(crate) memories: &'a [Memory],
    pub(crate) moment: Moment,
}

impl Scratch {
    pub(crate) fn new(program: &Program<'_>) -> Self {
        let nodes = program.plan.nodes.len();
        Self { numbers: vec![UNDEFINED; nodes], conditions: vec![UNKNOWN; nodes] }
    }

    pub(crate) fn number(&self, view: &View<'_>, id: NodeId) -> f64 {
        match &view.columns[id.index()] {
            Column::Number(column) => column[view.moment.at],
            _ => self.numbers[id.index()],
        }
    }

    fn condition(&self, view: &View<'_>, id: NodeId) -> Tri {
        match &view.columns[id.index()] {
            Column::Condition(column) => column[view.moment.at],
            _ => self.conditions[id.index()],
        }
    }

    /// Evaluates reactive nodes, operands first.
    pub(crate) fn evaluate(&mut self, view: &View<'_>, book: &Book, cone: &[NodeId]) {
        for id in cone {
            match view.program.types[id.index()] {
                Type::Number => self.numbers[id.index()] = self.number_of(view, book, *id),
                Type::Condition => self.conditions[id.index()] = self.condition_of(view, *id),
            }
        }
    }

    /// Lets reactive memories see this bar's values.
    pub(crate) fn remember(&self, view: &View<'_>, memories: &mut [Memory]) {
        for id in &view.program.every_bar {
            if let Node::Lag { x, .. } = view.program.plan.nodes[id.index()] {
                match &mut memories[id.index()] {
                    Memory::LagNumber(history) => history.push(self.number(view, x)),
                    Memory::LagCondition(history) => history.push(self.condition(view, x)),
                    _ => {}
                }
            }
        }
    }

    fn number_of(&self, view: &View<'_>, book: &Book, id: NodeId) -> f64 {
        match view.program.plan.nodes[id.index()] {
            Node::Position(field) => position(field, view, book),
            Node::Account(AccountField::Equity) => view.moment.equity as f64 / Money::SCALE as f64,
            Node::Account(AccountField::Balance) => book.balance.to_f64(),
            Node::Clock(field) => clock_value(field, view.moment.time, view.moment.index),
            Node::Unary { op, x } => unary(op, self.number(view, x)),
            Node::Binary { op, a, b } => arithmetic(op, self.number(view, a), self.number(view, b)),
            Node::Select { condition, then, otherwise } => {
                let (then, otherwise) = (self.number(view, then), self.number(view, otherwise));
                select(self.condition(view, condition), then, otherwise, UNDEFINED)
            }
            Node::Lag { bars, .. } => match &view.memories[id.index()] {
                Memory::LagNumber(history) => history.back(bars as usize).unwrap_or(UNDEFINED),
                _ => UNDEFINED,
            },
            _ => UNDEFINED,
        }
    }

    fn condition_of(&self, view: &View<'_>, id: NodeId) -> Tri {
        match view.program.plan.nodes[id.index()] {
            Node::Unary { op: Unary::Defined, x } => match view.program.types[x.index()] {
                Type::Number => Tri::from(!self.number(view, x).is_nan()),
                Type::Condition => Tri::from(self.condition(view, x) != UNKNOWN),
            },
            Node::Unary { x, .. } => not(self.condition(view, x)),
            Node::Binary { op, a, b } if is_connective(op) => {
                connect(op, self.condition(view, a), self.condition(view, b))
            }
            Node::Binary { op, a, b } if is_comparison(op) => {
                compare(op, self.number(view, a), self.number(view, b))
            }
            Node::Select { condition, then, otherwise } => {
                let (then, otherwise) = (self.condition(view, then), self.condition(view, otherwise));
                select(self.condition(view, condition), then, otherwise, UNKNOWN)
            }
            Node::Lag { bars, .. } => match &view.memories[id.index()] {
                Memory::LagCondition(history) => history.back(bars as usize).unwrap_or(UNKNOWN),
                _ => UNKNOWN,
            },
            _ => UNKNOWN,
        }
    }

    /// Asks every rule, and puts what they decide behind the waiting orders.
    pub(crate) fn decide(
        &mut self,
        view: &View<'_>,
        book: &mut Book,
        journal: &mut Journal,
    ) -> Result<(), EngineError> {
        for (rule, prepared) in view.program.plan.rules.iter().zip(&view.program.rules) {
            let holds = |id: &NodeId| self.condition(view, *id) == TRUE;
            if !prepared.necessary.iter().all(holds) {
                continue;
            }
            self.evaluate(view, book, &prepared.guard);
            if self.condition(view, rule.guard) != TRUE {
                continue;
            }
            self.evaluate(view, book, &prepared.arguments);
            // One undefined argument undoes the whole rule, so all are read before any order is written.
            let arguments = || rule.actions.iter().flat_map(Action::nodes);
            if arguments().any(|id| self.number(view, id).is_nan()) {
                continue;
            }
            for action in &rule.actions {
                let decision = self.decision(view, action)?;
                submit(view, book, decision, journal);
            }
        }
        Ok(())
    }

    fn decision(&self, view: &View<'_>, action: &Action) -> Result<Decision, EngineError> {
        let overflow = |what| EngineError::Overflow {
            index: view.terms.warm_up_bars + view.moment.index.unwrap_or_default(),
            time: view.moment.time,
            what,
        };
        let whole = |value: f64| {
            let bounded = value.trunc().abs() <= UNITS_MAX as f64;
            if bounded { Ok(Units::new(value as i64)) } else { Err(overflow("size")) }
        };
        let instrument = &view.terms.config.instrument;
        let level = |level: &Option<Level>| {
            let Some(level) = *level else { return Ok(None) };
            let value = self.number(view, level.node());
            let found = match level {
                Level::Price(_) => Price::from_f64(value)
                    .filter(fits)
                    .map(|price| OrderLevel::Price(price.round_to(instrument.tick()))),
                Level::Pips(_) => Pips(value).to_price(instrument).filter(fits).map(OrderLevel::Distance),
                Level::Distance(_) => Price::from_f64(value).filter(fits).map(OrderLevel::Distance),
            };
            found.map(Some).ok_or_else(|| overflow("level"))
        };
        Ok(match action {
            Action::Close => Decision::Close,
            Action::Target { units } => Decision::Target(whole(self.number(view, *units))?),
            Action::Enter { direction, size, stop_loss, take_profit } => {
                let value = self.number(view, size.node());
                Decision::Enter {
                    side: match direction {
                        Direction::Long => Side::Long,
                        Direction::Short => Side::Short,
                    },
                    size: match size {
                        Size::Units(_) => OrderSize::Units(whole(value)?),
                        Size::Lots(_) => {
                            let units = Lots(value).to_units(instrument).ok_or_else(|| overflow("size"))?;
                            OrderSize::Units(whole(units.get() as f64)?)
                        }
                        Size::RiskPercent(_) => OrderSize::RiskPercent(value),
                        Size::EquityPercent(_) => OrderSize::EquityPercent(value),
                    },
                    stop_loss: level(stop_loss)?,
                    take_profit: level(take_profit)?,
                }
            }
        })
    }
}

/// Levels stay where adding them to a price cannot wrap.
fn fits(level: &Price) -> bool {
    level.nanos().unsigned_abs() <= i64::MAX as u64 / 4
}

/// The position as it will be once the waiting orders have met the market, as far as that is known.
struct Outlook {
    side: Option<Side>,
    entries: u64,
    /// None where an order is sized at its fill.
    net: Option<i64>,
}

impl Outlook {
    fn new(book: &Book) -> Self {
        let mut outlook = Self { side: book.side(), entries: book.lots.len() as u64, net: Some(book.net()) };
        for order in &book.pending {
            outlook.apply(&order.decision);
        }
        outlook
    }

    fn apply(&mut self, decision: &Decision) {
        match *decision {
            Decision::Close => *self = Self { side: None, entries: 0, net: Some(0) },
            Decision::Target(units) => {
                let side = match units.get() {
                    0 => None,
                    1.. => Some(Side::Long),
                    _ => Some(Side::Short),
                };
                let entries = if side.is_some() { self.entries.max(1) } else { 0 };
                *self = Self { side, entries, net: Some(units.get()) };
            }
            Decision::Enter { side, size, .. } => {
                let same = self.side == Some(side);
                let kept = if same { self.net } else { Some(0) };
                self.net = match size {
                    OrderSize::Units(units) => kept.map(|kept| kept + side.sign() * units.get()),
                    _ => None,
                };
                self.entries = if same { self.entries + 1 } else { 1 };
                self.side = Some(side);
            }
        }
    }

    /// Whether the decision would change nothing: it is not even an order then.
    fn is_idle(&self, decision: &Decision, config: &RunConfig) -> bool {
        match *decision {
            Decision::Close => self.side.is_none(),
            Decision::Target(units) => self.net == Some(units.get()),
            Decision::Enter { side, .. } => {
                self.side == Some(side) && self.entries > u64::from(config.pyramiding)
            }
        }
    }
}

fn submit(view: &View<'_>, book: &mut Book, decision: Decision, journal: &mut Journal) {
    let outlook = Outlook::new(book);
    if outlook.is_idle(&decision, view.terms.config) {
        return;
    }
    let moment = &view.moment;
    let order = PendingOrder {
        id: OrderId(book.next_order),
        decided_at: moment.time,
        decided_bar: moment.index.unwrap_or_default(),
        bid: moment.bid,
        ask: moment.ask,
        decision,
    };
    book.next_order += 1;
    let net = outlook.net.unwrap_or(0);
    let side = order.side(Units::new(net)).or(outlook.side.map(Side::opposite)).unwrap_or(Side::Long);
    let known = |level: Option<OrderLevel>| match level {
        Some(OrderLevel::Price(price)) => Some(price),
        _ => None,
    };
    let (units, protect) = match decision {
        Decision::Enter { size: OrderSize::Units(units), stop_loss, take_profit, .. } => {
            (units, ProtectiveLevels { stop_loss: known(stop_loss), take_profit: known(take_profit) })
        }
        Decision::Enter { stop_loss, take_profit, .. } => {
            (Units::ZERO, ProtectiveLevels { stop_loss: known(stop_loss), take_profit: known(take_profit) })
        }
        Decision::Target(units) => ((units - Units::new(net)).abs(), ProtectiveLevels::default()),
        Decision::Close => (Units::new(net.abs()), ProtectiveLevels::default()),
    };
    journal.events.push(event(&order, Told { side, units, protect }, moment.time, OrderEventKind::Submitted));
    book.pending.push(order);
}

fn position(field: PositionField, view: &View<'_>, book: &Book) -> f64 {
    let (net, cost) = book.exposure();
    match field {
        PositionField::Units => net as f64,
        PositionField::EntryPrice => finite_or_undefined(cost as f64 / (net as f64 * Price::SCALE as f64)),
        PositionField::Bars => {
            let entered = book.lots.first().map(|lot| lot.bar);
            let held = entered.zip(view.moment.index).map(|(entered, now)| now.saturating_sub(entered));
            held.unwrap_or(0) as f64
        }
        PositionField::UnrealizedPips if net == 0 => 0.0,
        PositionField::UnrealizedPips => {
            let mark = if net > 0 { view.moment.bid } else { view.moment.ask };
            let gain = i128::from(net) * i128::from(mark.nanos()) - cost;
            gain as f64 / (net.unsigned_abs() as f64 * view.terms.config.instrument.pip().nanos() as f64)
        }
    }
}
