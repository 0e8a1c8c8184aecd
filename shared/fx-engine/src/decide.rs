//! Evaluation of the reactive part of a plan, and the decisions at a bar's close.

use crate::book::{Book, Dealing};
use crate::evaluate::{Column, Memory, clock_value, select};
use crate::program::Program;
use crate::value::{
    TRUE, Tri, UNDEFINED, UNKNOWN, arithmetic, compare, connect, finite_or_undefined, is_comparison,
    is_connective, not, unary,
};
use crate::{Decided, EngineError, Recorder};
use fx_domain::{Money, Price, UnixNanos};
use fx_strategy::{AccountField, Action, Node, NodeId, PositionField, Type, Unary};

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
    /// Of each node of a sweep's plan: where its column is.
    pub(crate) places: Option<&'a [NodeId]>,
    pub(crate) track: u16,
    pub(crate) pip_nanos: i64,
    pub(crate) columns: &'a [Column],
    pub(crate) memories: &'a [Memory],
    pub(crate) moment: Moment,
}

impl View<'_> {
    fn column(&self, id: NodeId) -> &Column {
        &self.columns[self.places.map_or(id, |places| places[id.index()]).index()]
    }
}

impl Scratch {
    pub(crate) fn new(program: &Program<'_>) -> Self {
        let nodes = program.plan.nodes.len();
        Self { numbers: vec![UNDEFINED; nodes], conditions: vec![UNKNOWN; nodes] }
    }

    pub(crate) fn number(&self, view: &View<'_>, id: NodeId) -> f64 {
        match view.column(id) {
            Column::Number(column) => column[view.moment.at],
            _ => self.numbers[id.index()],
        }
    }

    fn condition(&self, view: &View<'_>, id: NodeId) -> Tri {
        match view.column(id) {
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

    /// Lets reactive memories see this bar's values. Cells begin with the bars that are decided on: what they hold does
    /// not depend on how many bars came before.
    pub(crate) fn remember(&self, view: &View<'_>, memories: &mut [Memory]) {
        let plan = view.program.plan;
        for id in &view.program.every_bar {
            let x = match plan.nodes[id.index()] {
                Node::Lag { x, .. } => x,
                Node::Cell { cell, .. } if view.moment.index.is_some() => plan.cells[usize::from(cell.0)],
                _ => continue,
            };
            match &mut memories[id.index()] {
                Memory::LagNumber(history) => history.push(self.number(view, x)),
                Memory::LagCondition(history) => history.push(self.condition(view, x)),
                Memory::HeldNumber(held) => *held = self.number(view, x),
                Memory::HeldCondition(held) => *held = self.condition(view, x),
                _ => {}
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
            Node::Cell { .. } => match &view.memories[id.index()] {
                Memory::HeldNumber(held) => *held,
                _ => UNDEFINED,
            },
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
            Node::Cell { .. } => match &view.memories[id.index()] {
                Memory::HeldCondition(held) => *held,
                _ => UNKNOWN,
            },
            Node::Lag { bars, .. } => match &view.memories[id.index()] {
                Memory::LagCondition(history) => history.back(bars as usize).unwrap_or(UNKNOWN),
                _ => UNKNOWN,
            },
            _ => UNKNOWN,
        }
    }

    /// Asks every rule, and lets what they decide become orders.
    pub(crate) fn decide<R: Recorder>(
        &mut self,
        view: &View<'_>,
        dealing: &mut Dealing<'_, R>,
    ) -> Result<(), EngineError> {
        for (rule, prepared) in view.program.plan.rules.iter().zip(&view.program.rules) {
            let holds = |id: &NodeId| self.condition(view, *id) == TRUE;
            if !prepared.necessary.iter().all(holds) {
                continue;
            }
            self.evaluate(view, dealing.book, &prepared.guard);
            if self.condition(view, rule.guard) != TRUE {
                continue;
            }
            self.evaluate(view, dealing.book, &prepared.arguments);
            // One undefined argument undoes the whole rule, so all are read before any order is written.
            let arguments = || rule.actions.iter().flat_map(Action::nodes);
            if arguments().any(|id| self.number(view, id).is_nan()) {
                continue;
            }
            let decided = Decided { time: view.moment.time, track: view.track, actions: &rule.actions };
            dealing.recorder.decided(&decided, |id| self.number(view, id));
            for action in &rule.actions {
                dealing.act(action, |id| self.number(view, id))?;
            }
        }
        Ok(())
    }
}

fn position(field: PositionField, view: &View<'_>, book: &Book) -> f64 {
    let exposure = book.exposure(view.track);
    let net = exposure.net();
    match field {
        PositionField::Units => net as f64,
        PositionField::EntryPrice => {
            finite_or_undefined(exposure.cost as f64 / (net as f64 * Price::SCALE as f64))
        }
        PositionField::Bars => {
            let entered = book.lots_of(view.track).next().map(|lot| lot.bar);
            let held = entered.zip(view.moment.index).map(|(entered, now)| now.saturating_sub(entered));
            held.unwrap_or(0) as f64
        }
        PositionField::UnrealizedPips if net == 0 => 0.0,
        PositionField::UnrealizedPips => {
            let gain = exposure.gain(view.moment.bid, view.moment.ask);
            gain as f64 / (net.unsigned_abs() as f64 * view.pip_nanos as f64)
        }
    }
}
