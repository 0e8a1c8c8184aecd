//! A plan, prepared for evaluation: what is market, what is reactive, what must run when.

pub(crate) mod union;

use crate::EngineError;
use crate::evaluate::Braid;
use crate::value::is_comparison;
use fx_strategy::{
    Action, Binary, Clock, ClockField, Direction, Feed, Node, NodeId, Plan, PositionField, PriceField,
    SeriesSide, Type, Window,
};

/// Everything that is known of a plan before the first bar.
pub(crate) struct Program<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) types: Vec<Type>,
    /// What is evaluated at single bars: it depends on position or account.
    pub(crate) reactive: Vec<bool>,
    /// What depends on cells, and is not reactive.
    pub(crate) carried: Vec<bool>,
    pub(crate) rules: Vec<PreparedRule>,
    /// Reactive nodes that are evaluated at every bar, in order: they keep a memory, feed one, or are recorded.
    pub(crate) every_bar: Vec<NodeId>,
    /// Nodes that are evaluated as columns. The rest is evaluated at single bars: what is reactive, and what only the
    /// arguments of decisions read. A price that only windows look at is read from the bars.
    pub(crate) columns: Vec<bool>,
    /// Columns that are evaluated together.
    pub(crate) braids: Vec<Braid>,
    /// Of each mean of a stored price: how it is evaluated.
    pub(crate) means: Vec<Option<Mean>>,
    /// The stored prices that means are taken of.
    pub(crate) series: Vec<PriceSeries>,
    /// Other bars that the plan reads.
    pub(crate) feeds: Feeds,
}

/// A stored price.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct PriceSeries {
    /// Which of [`Feeds::all`]; `None` is the strategy's own bars.
    pub(crate) feed: Option<usize>,
    pub(crate) side: SeriesSide,
    pub(crate) field: PriceField,
}

/// The completed bars that a plan reads beside the strategy's own.
pub(crate) struct Feeds {
    pub(crate) all: Vec<Feed>,
    /// Of each node: whose bars it is evaluated at, as [`PriceSeries::feed`] has it.
    pub(crate) clocks: Vec<Option<usize>>,
    /// The nodes that bring values to the strategy's own bars: which feed, the node, its operand.
    pub(crate) as_of: Vec<(usize, NodeId, NodeId)>,
}

impl Feeds {
    pub(crate) fn of(plan: &Plan) -> Self {
        let all = plan.feeds();
        let place = |clock| match clock {
            Clock::Of(feed) => all.iter().position(|known| *known == feed),
            Clock::Own | Clock::Any => None,
        };
        let clocks: Vec<_> = plan.clocks().into_iter().map(place).collect();
        let as_of = plan.nodes.iter().zip(0..).filter_map(|(node, index)| match *node {
            Node::AsOf { x } => Some((clocks[x.index()]?, NodeId(index), x)),
            _ => None,
        });
        Self { as_of: as_of.collect(), all, clocks }
    }
}

/// The mean of a stored price.
#[derive(Clone, Copy)]
pub(crate) struct Mean {
    /// Which of [`Program::series`].
    pub(crate) series: usize,
    /// Whether a comparison reads its sums. The means are a column only if anything else reads them.
    pub(crate) compared: bool,
}

/// Comparisons that do not read the columns of their operands.
pub(crate) enum Comparison {
    /// Of two means of stored prices: their sums are compared.
    Means,
    /// Of the bar's number, on the left, with a constant, on the right.
    IndexWith(f64),
    /// The same, the sides exchanged.
    WithIndex(f64),
}

impl Comparison {
    /// What `node` is, if one of them.
    pub(crate) fn of(plan: &Plan, node: &Node) -> Option<Self> {
        let Node::Binary { op, a, b } = *node else { return None };
        if !is_comparison(op) {
            return None;
        }
        match (&plan.nodes[a.index()], &plan.nodes[b.index()]) {
            (Node::Clock(ClockField::Index), Node::Number(constant)) => Some(Self::IndexWith(*constant)),
            (Node::Number(constant), Node::Clock(ClockField::Index)) => Some(Self::WithIndex(*constant)),
            (a, b) if mean_of(plan, a).is_some() && mean_of(plan, b).is_some() => Some(Self::Means),
            _ => None,
        }
    }
}

/// A rule with what it needs.
#[derive(Clone)]
pub(crate) struct PreparedRule {
    /// Market conditions that all hold wherever the guard holds: where one does not, the rule need not be looked at.
    pub(crate) necessary: Vec<NodeId>,
    /// Which positions the rule can act on.
    pub(crate) wakes: Wakes,
    /// Nodes of the guard that are no columns, operands first.
    pub(crate) guard: Vec<NodeId>,
    /// Nodes of the arguments that are no columns, operands first.
    pub(crate) arguments: Vec<NodeId>,
}

/// When a rule can act: an entry is ignored by a position that is full on its side, and a guard may ask for no position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wakes {
    /// All its decisions are long entries.
    UnlessLong,
    /// All its decisions are short entries.
    UnlessShort,
    /// Its guard holds without a position only.
    IfFlat,
    /// Anything else.
    Always,
}

impl<'a> Program<'a> {
    pub(crate) fn new(plan: &'a Plan) -> Result<Self, EngineError> {
        plan.validate()?;
        Ok(Self::of(plan, reactive(plan)))
    }

    /// The same with cells that are evaluated at single bars: plans that share their columns do not share cells.
    pub(crate) fn without_carried(plan: &'a Plan) -> Result<Self, EngineError> {
        plan.validate()?;
        Ok(Self::of(plan, plan.reactive()))
    }

    fn of(plan: &'a Plan, reactive: Vec<bool>) -> Self {
        let carried = plan.reactive().iter().zip(&reactive).map(|(any, here)| *any && !here).collect();
        let (rules, every_bar, columns) = (Vec::new(), Vec::new(), columns(plan, &reactive));
        let (means, series) = means(plan, &columns);
        let (types, feeds) = (plan.types(), Feeds::of(plan));
        let braids = Braid::all(plan, &feeds.clocks, 0..plan.nodes.len());
        let mut program =
            Self { plan, types, reactive, carried, rules, every_bar, columns, braids, means, series, feeds };
        program.rules = plan
            .rules
            .iter()
            .map(|rule| PreparedRule {
                necessary: program.necessary(rule.guard),
                wakes: if program.needs_flat(rule.guard) { Wakes::IfFlat } else { wakes(&rule.actions) },
                guard: program.cone([rule.guard]),
                arguments: program.cone(rule.actions.iter().flat_map(Action::nodes)),
            })
            .collect();
        let keeps = |node: &Node| matches!(node, Node::Lag { .. } | Node::Cell { .. });
        let memories = plan.nodes.iter().zip(0_u32..).filter(|(node, _)| keeps(node));
        let memories = memories.map(|(_, index)| NodeId(index)).filter(|id| program.reactive[id.index()]);
        let recorded = plan.recordings.iter().map(|recording| recording.value);
        program.every_bar = program.cone(memories.chain(recorded).chain(plan.cells.iter().copied()));
        program
    }

    /// Whether it reads anything beside the strategy's own bars.
    pub(crate) fn reads_others(&self) -> bool {
        !self.feeds.all.is_empty() || !self.plan.features.is_empty()
    }

    /// The nodes that `roots` depend on and that are no columns, themselves included, operands first.
    fn cone(&self, roots: impl IntoIterator<Item = NodeId>) -> Vec<NodeId> {
        let mut wanted = vec![false; self.plan.nodes.len()];
        for root in roots {
            wanted[root.index()] = true;
        }
        let mut cone = Vec::new();
        for index in (0..wanted.len()).rev().filter(|index| !self.columns[*index]) {
            if wanted[index] {
                cone.push(NodeId(index as u32));
                for operand in self.plan.nodes[index].operands() {
                    wanted[operand.index()] = true;
                }
            }
        }
        cone.reverse();
        cone
    }

    /// Market conditions without which `guard` is not true.
    fn necessary(&self, guard: NodeId) -> Vec<NodeId> {
        let mut found = self.conjuncts(guard);
        found.retain(|id| !self.reactive[id.index()]);
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether `guard` is only true without a position: `position.units == 0` is among what it joins by `and`.
    fn needs_flat(&self, guard: NodeId) -> bool {
        let node = |id: NodeId| self.plan.nodes[id.index()];
        let is_units = |id| node(id) == Node::Position(PositionField::Units);
        let is_zero = |id| matches!(node(id), Node::Number(value) if value == 0.0);
        self.conjuncts(guard).into_iter().any(|id| match node(id) {
            Node::Binary { op: Binary::Eq, a, b } => {
                (is_units(a) && is_zero(b)) || (is_zero(a) && is_units(b))
            }
            _ => false,
        })
    }

    /// What `guard` joins by `and`; market conditions whole.
    fn conjuncts(&self, guard: NodeId) -> Vec<NodeId> {
        let mut found = Vec::new();
        let mut open = vec![guard];
        while let Some(id) = open.pop() {
            match self.plan.nodes[id.index()] {
                Node::Binary { op: Binary::And, a, b } if self.reactive[id.index()] => open.extend([a, b]),
                _ => found.push(id),
            }
        }
        found
    }
}

/// Which nodes depend on position or account, by themselves or through cells.
fn reactive(plan: &Plan) -> Vec<bool> {
    let mut cells = vec![false; plan.cells.len()];
    loop {
        let mut reactive: Vec<bool> = Vec::with_capacity(plan.nodes.len());
        for node in &plan.nodes {
            reactive.push(match node {
                Node::Position(_) | Node::Account(_) => true,
                Node::Cell { cell, .. } => cells[usize::from(cell.0)],
                _ => node.operands().any(|operand| reactive[operand.index()]),
            });
        }
        let found: Vec<_> = plan.cells.iter().map(|next| reactive[next.index()]).collect();
        if found == cells {
            return reactive;
        }
        cells = found;
    }
}

/// Which nodes are evaluated as columns: see [`Program::columns`].
fn columns(plan: &Plan, reactive: &[bool]) -> Vec<bool> {
    let mut wanted = vec![false; plan.nodes.len()];
    for rule in &plan.rules {
        wanted[rule.guard.index()] = true;
    }
    for recording in &plan.recordings {
        wanted[recording.value.index()] = true;
    }
    for next in &plan.cells {
        wanted[next.index()] = true;
    }
    // Operators that only arguments read are evaluated where a rule decides; what they start from are columns.
    let mut open: Vec<_> = plan.rules.iter().flat_map(|rule| &rule.actions).flat_map(Action::nodes).collect();
    let mut seen = vec![false; plan.nodes.len()];
    while let Some(id) = open.pop() {
        let node = &plan.nodes[id.index()];
        if std::mem::replace(&mut seen[id.index()], true) {
            continue;
        }
        match node {
            Node::Unary { .. } | Node::Binary { .. } | Node::Select { .. } => open.extend(node.operands()),
            _ => wanted[id.index()] = true,
        }
    }
    for index in (0..wanted.len()).rev() {
        let node = &plan.nodes[index];
        // A node with a memory keeps it whether it is read or not: its state is part of the run's. A mean of a stored
        // price does so without a column.
        let keeps = has_memory(node) || matches!(node, Node::Cell { .. });
        wanted[index] |= keeps && mean_of(plan, node).is_none();
        let looks_below = reads_price(plan, node) || Comparison::of(plan, node).is_some();
        if wanted[index] && !looks_below {
            for operand in node.operands() {
                wanted[operand.index()] = true;
            }
        }
    }
    wanted.iter().zip(reactive).map(|(wanted, reactive)| *wanted && !reactive).collect()
}

/// The means of stored prices, and the prices that they are of.
fn means(plan: &Plan, columns: &[bool]) -> (Vec<Option<Mean>>, Vec<PriceSeries>) {
    let (mut series, all) = (Vec::new(), plan.feeds());
    let mut means: Vec<_> = plan
        .nodes
        .iter()
        .map(|node| {
            let (feed, side, field) = mean_of(plan, node)?;
            let feed = feed.and_then(|feed| all.iter().position(|known| *known == feed));
            let price = PriceSeries { feed, side, field };
            let known = series.iter().position(|known| *known == price);
            let series = known.unwrap_or_else(|| {
                series.push(price);
                series.len() - 1
            });
            Some(Mean { series, compared: false })
        })
        .collect();
    for (node, column) in plan.nodes.iter().zip(columns) {
        if *column && matches!(Comparison::of(plan, node), Some(Comparison::Means)) {
            for operand in node.operands() {
                if let Some(mean) = &mut means[operand.index()] {
                    mean.compared = true;
                }
            }
        }
    }
    (means, series)
}

/// The stored price that the node is a mean of, if it is one.
fn mean_of(plan: &Plan, node: &Node) -> Option<(Option<Feed>, SeriesSide, PriceField)> {
    match *node {
        Node::Window { kind: Window::Sma, x, .. } => price_of(&plan.nodes[x.index()]),
        _ => None,
    }
}

/// The stored price that the node is, if it is one, and whose.
pub(crate) const fn price_of(node: &Node) -> Option<(Option<Feed>, SeriesSide, PriceField)> {
    match *node {
        Node::Price { side, field } => Some((None, side, field)),
        Node::FeedPrice { feed, side, field } => Some((Some(feed), side, field)),
        _ => None,
    }
}

/// Whether the node remembers earlier bars.
fn has_memory(node: &Node) -> bool {
    matches!(
        node,
        Node::Lag { .. }
            | Node::Window { .. }
            | Node::Recursion { .. }
            | Node::Scan { .. }
            | Node::Psar { .. }
            | Node::Session { .. }
            | Node::AsOf { .. }
            | Node::Feature { .. }
    )
}

/// Whether the node is a window that reads a stored price by itself, as whole numbers.
pub(crate) fn reads_price(plan: &Plan, node: &Node) -> bool {
    match *node {
        Node::Window { kind: Window::Sma | Window::Stdev, x, .. } => {
            price_of(&plan.nodes[x.index()]).is_some()
        }
        _ => false,
    }
}

fn wakes(actions: &[Action]) -> Wakes {
    let enters = |wanted: Direction| {
        actions.iter().all(|action| matches!(action, Action::Enter { direction, .. } if *direction == wanted))
    };
    if enters(Direction::Long) {
        Wakes::UnlessLong
    } else if enters(Direction::Short) {
        Wakes::UnlessShort
    } else {
        Wakes::Always
    }
}
