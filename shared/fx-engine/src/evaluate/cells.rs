//! Cells that bars alone decide, and what depends on them.
//!
//! What a cell holds comes from the bar before, so that nothing that depends on it is a column before the cell is one.
//! Such nodes go through a block together, bar by bar, in steps that know beforehand what they do and where it stands.

use crate::BLOCK;
use crate::evaluate::{Column, Memory, select};
use crate::program::Program;
use crate::value::{
    Tri, UNDEFINED, UNKNOWN, arithmetic, compare, connect, is_comparison, is_connective, not, unary,
};
use fx_strategy::{Action, Binary, Node, NodeId, Type, Unary};

/// Room for a column, and for what a cell holds after it.
const ROOM: usize = BLOCK + 1;

/// The nodes that depend on cells, and their columns.
pub(crate) struct Cells {
    steps: Vec<Step>,
    cells: Vec<Held>,
    /// Columns of the block that steps read, and where their copies stand.
    reads: Vec<(NodeId, usize)>,
    /// Columns that others than steps read.
    yields: Vec<(NodeId, usize)>,
    numbers: Vec<f64>,
    conditions: Vec<Tri>,
}

/// Evaluates one node at one bar. Places are those of first values in [`Cells::numbers`] or [`Cells::conditions`].
struct Step {
    does: Does,
    node: NodeId,
    x: [usize; 3],
    out: usize,
}

#[derive(Clone, Copy)]
enum Does {
    Arithmetic(Binary),
    Compare(Binary),
    Connect(Binary),
    Unary(Unary),
    Not,
    DefinedNumber,
    DefinedCondition,
    SelectNumber,
    SelectCondition,
    LagNumber(usize),
    LagCondition(usize),
}

/// A cell. Its column is one longer than the bars.
struct Held {
    node: NodeId,
    kind: Type,
    /// What it will be.
    next: usize,
    out: usize,
}

impl Cells {
    /// Of a program; nothing where bars alone decide no cell.
    pub(crate) fn of(program: &Program<'_>) -> Option<Self> {
        let plan = program.plan;
        let carried: Vec<_> = plan
            .nodes
            .iter()
            .zip(0_u32..)
            .map(|(node, index)| (node, NodeId(index)))
            .filter(|(_, id)| program.carried[id.index()] && program.columns[id.index()])
            .collect();
        let next = |node: &Node| match node {
            Node::Cell { cell, .. } => Some(plan.cells[usize::from(cell.0)]),
            _ => None,
        };
        let mut wanted = vec![false; plan.nodes.len()];
        for (node, id) in &carried {
            for each in node.operands().chain(next(node)).chain([*id]) {
                wanted[each.index()] = true;
            }
        }
        let (mut numbers, mut conditions) = (0, 0);
        let mut places = vec![0; plan.nodes.len()];
        for (place, (wanted, kind)) in places.iter_mut().zip(wanted.iter().zip(&program.types)) {
            let taken = if *kind == Type::Number { &mut numbers } else { &mut conditions };
            *place = *taken;
            *taken += if *wanted { ROOM } else { 0 };
        }
        let place = |id: NodeId| places[id.index()];
        let cells = carried.iter().filter_map(|(node, id)| {
            let (kind, out) = (program.types[id.index()], place(*id));
            next(node).map(|next| Held { node: *id, kind, next: place(next), out })
        });
        let steps = carried.iter().filter_map(|(node, id)| {
            let mut x = [0; 3];
            for (x, operand) in x.iter_mut().zip(node.operands()) {
                *x = place(operand);
            }
            does(program, node).map(|does| Step { does, node: *id, x, out: place(*id) })
        });
        let outside = read_outside(program);
        let yields = carried.iter().map(|(_, id)| *id).filter(|id| outside[id.index()]);
        let mut all = Self {
            steps: steps.collect(),
            cells: cells.collect(),
            reads: Vec::new(),
            yields: yields.map(|id| (id, place(id))).collect(),
            numbers: vec![UNDEFINED; numbers],
            conditions: vec![UNKNOWN; conditions],
        };
        for id in (0..wanted.len()).filter(|id| wanted[*id] && !program.carried[*id]) {
            match plan.nodes[id] {
                Node::Number(value) => all.numbers[places[id]..][..ROOM].fill(value),
                Node::Condition(value) => all.conditions[places[id]..][..ROOM].fill(Tri::from(value)),
                _ => all.reads.push((NodeId(id as u32), places[id])),
            }
        }
        (!carried.is_empty()).then_some(all)
    }

    /// Evaluates them over `bars` bars; before `first_decided` a cell stays what it is. The columns that they read are
    /// there.
    #[inline(always)]
    pub(crate) fn evaluate(
        &mut self,
        columns: &mut [Column],
        memories: &mut [Memory],
        bars: usize,
        first_decided: usize,
    ) {
        for (id, at) in &self.reads {
            match &columns[id.index()] {
                Column::Number(column) => self.numbers[*at..][..bars].copy_from_slice(&column[..bars]),
                Column::Condition(column) => self.conditions[*at..][..bars].copy_from_slice(&column[..bars]),
                Column::None => {}
            }
        }
        self.recall(memories, bars);
        for bar in 0..bars {
            self.step(bar);
            self.carry(bar, bar >= first_decided);
        }
        self.remember(memories, bars);
        for (id, at) in &self.yields {
            match &mut columns[id.index()] {
                Column::Number(column) => column[..bars].copy_from_slice(&self.numbers[*at..][..bars]),
                Column::Condition(column) => column[..bars].copy_from_slice(&self.conditions[*at..][..bars]),
                Column::None => {}
            }
        }
    }

    /// Whose columns it writes.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.yields.iter().map(|(id, _)| *id)
    }

    /// Brings what earlier blocks have left: what cells hold at the first bar, and what was lags ago.
    fn recall(&mut self, memories: &[Memory], bars: usize) {
        for cell in &self.cells {
            match &memories[cell.node.index()] {
                Memory::HeldNumber(held) => self.numbers[cell.out] = *held,
                Memory::HeldCondition(held) => self.conditions[cell.out] = *held,
                _ => {}
            }
        }
        for step in &self.steps {
            match (&memories[step.node.index()], step.does) {
                (Memory::LagNumber(history), Does::LagNumber(lag)) => {
                    history.earlier(UNDEFINED, &mut self.numbers[step.out..][..lag.min(bars)]);
                }
                (Memory::LagCondition(history), Does::LagCondition(lag)) => {
                    history.earlier(UNKNOWN, &mut self.conditions[step.out..][..lag.min(bars)]);
                }
                _ => {}
            }
        }
    }

    /// Leaves it to later blocks.
    fn remember(&self, memories: &mut [Memory], bars: usize) {
        for cell in &self.cells {
            match &mut memories[cell.node.index()] {
                Memory::HeldNumber(held) => *held = self.numbers[cell.out + bars],
                Memory::HeldCondition(held) => *held = self.conditions[cell.out + bars],
                _ => {}
            }
        }
        for step in &self.steps {
            match &mut memories[step.node.index()] {
                Memory::LagNumber(history) => history.see(&self.numbers[step.x[0]..][..bars]),
                Memory::LagCondition(history) => history.see(&self.conditions[step.x[0]..][..bars]),
                _ => {}
            }
        }
    }

    /// Cells become what they are at the next bar.
    #[inline(always)]
    fn carry(&mut self, bar: usize, decided: bool) {
        for Held { kind, next, out, .. } in &self.cells {
            let from = bar + if decided { *next } else { *out };
            match kind {
                Type::Number => self.numbers[out + bar + 1] = self.numbers[from],
                Type::Condition => self.conditions[out + bar + 1] = self.conditions[from],
            }
        }
    }

    /// Evaluates all steps at one bar.
    #[inline(always)]
    fn step(&mut self, bar: usize) {
        let Self { steps, numbers, conditions, .. } = self;
        for Step { does, x: [a, b, c], out, .. } in steps {
            let [a, b, c, out] = [*a + bar, *b + bar, *c + bar, *out + bar];
            match *does {
                Does::Arithmetic(op) => numbers[out] = arithmetic(op, numbers[a], numbers[b]),
                Does::Compare(op) => conditions[out] = compare(op, numbers[a], numbers[b]),
                Does::Connect(op) => conditions[out] = connect(op, conditions[a], conditions[b]),
                Does::Unary(op) => numbers[out] = unary(op, numbers[a]),
                Does::Not => conditions[out] = not(conditions[a]),
                Does::DefinedNumber => conditions[out] = Tri::from(!numbers[a].is_nan()),
                Does::DefinedCondition => conditions[out] = Tri::from(conditions[a] != UNKNOWN),
                Does::SelectNumber => {
                    numbers[out] = select(conditions[a], numbers[b], numbers[c], UNDEFINED);
                }
                Does::SelectCondition => {
                    conditions[out] = select(conditions[a], conditions[b], conditions[c], UNKNOWN);
                }
                Does::LagNumber(lag) if lag <= bar => numbers[out] = numbers[a - lag],
                Does::LagCondition(lag) if lag <= bar => conditions[out] = conditions[a - lag],
                Does::LagNumber(_) | Does::LagCondition(_) => {}
            }
        }
    }
}

/// What rules, recordings and nodes read that are no columns which depend on cells.
fn read_outside(program: &Program<'_>) -> Vec<bool> {
    let plan = program.plan;
    let mut read = vec![false; plan.nodes.len()];
    let guards = plan.rules.iter().map(|rule| rule.guard);
    let arguments = plan.rules.iter().flat_map(|rule| &rule.actions).flat_map(Action::nodes);
    let recorded = plan.recordings.iter().map(|recording| recording.value);
    let inside = |id: usize| program.carried[id] && program.columns[id];
    let others = plan.nodes.iter().enumerate().filter(|(id, _)| !inside(*id));
    let operands = others.flat_map(|(_, node)| node.operands());
    for id in guards.chain(arguments).chain(recorded).chain(operands) {
        read[id.index()] = true;
    }
    read
}

/// What the step of a node does; a cell has none.
fn does(program: &Program<'_>, node: &Node) -> Option<Does> {
    let is_number = |id: NodeId| program.types[id.index()] == Type::Number;
    Some(match *node {
        Node::Unary { op: Unary::Defined, x } if is_number(x) => Does::DefinedNumber,
        Node::Unary { op: Unary::Defined, .. } => Does::DefinedCondition,
        Node::Unary { op: Unary::Not, .. } => Does::Not,
        Node::Unary { op, .. } => Does::Unary(op),
        Node::Binary { op, .. } if is_connective(op) => Does::Connect(op),
        Node::Binary { op, .. } if is_comparison(op) => Does::Compare(op),
        Node::Binary { op, .. } => Does::Arithmetic(op),
        Node::Select { then, .. } if is_number(then) => Does::SelectNumber,
        Node::Select { .. } => Does::SelectCondition,
        Node::Lag { x, bars } if is_number(x) => Does::LagNumber(bars as usize),
        Node::Lag { bars, .. } => Does::LagCondition(bars as usize),
        _ => return None,
    })
}
