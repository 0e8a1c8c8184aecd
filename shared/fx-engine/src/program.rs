//! A plan, prepared for evaluation: what is market, what is reactive, what must run when.

use crate::EngineError;
use fx_strategy::{Action, Binary, Direction, Node, NodeId, Plan, Type, Window};

/// Everything that is known of a plan before the first bar.
pub(crate) struct Program<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) types: Vec<Type>,
    pub(crate) reactive: Vec<bool>,
    pub(crate) rules: Vec<PreparedRule>,
    /// Reactive nodes that are evaluated at every bar, in order: they keep a memory, feed one, or are recorded.
    pub(crate) every_bar: Vec<NodeId>,
    /// Market nodes that are evaluated as columns. The rest is evaluated at single bars: what depends on the position,
    /// and what only the arguments of decisions read. A price that only windows look at is read from the bars.
    pub(crate) columns: Vec<bool>,
}

/// A rule with what it needs.
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

/// When a rule can act: an entry is ignored by a position that is full on its side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wakes {
    /// All its decisions are long entries.
    UnlessLong,
    /// All its decisions are short entries.
    UnlessShort,
    /// Anything else.
    Always,
}

impl<'a> Program<'a> {
    pub(crate) fn new(plan: &'a Plan) -> Result<Self, EngineError> {
        plan.validate()?;
        let (types, reactive) = (plan.types(), plan.reactive());
        let (rules, every_bar, columns) = (Vec::new(), Vec::new(), columns(plan, &reactive));
        let mut program = Self { plan, types, reactive, rules, every_bar, columns };
        program.rules = plan
            .rules
            .iter()
            .map(|rule| PreparedRule {
                necessary: program.necessary(rule.guard),
                wakes: wakes(&rule.actions),
                guard: program.cone([rule.guard]),
                arguments: program.cone(rule.actions.iter().flat_map(Action::nodes)),
            })
            .collect();
        let memories = plan.nodes.iter().zip(0_u32..).filter(|(node, _)| matches!(node, Node::Lag { .. }));
        let memories = memories.map(|(_, index)| NodeId(index)).filter(|id| program.reactive[id.index()]);
        let recorded = plan.recordings.iter().map(|recording| recording.value);
        program.every_bar = program.cone(memories.chain(recorded));
        Ok(program)
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
        let mut found = Vec::new();
        let mut open = vec![guard];
        while let Some(id) = open.pop() {
            match self.plan.nodes[id.index()] {
                _ if !self.reactive[id.index()] => found.push(id),
                Node::Binary { op: Binary::And, a, b } => open.extend([a, b]),
                _ => {}
            }
        }
        found.sort_unstable();
        found.dedup();
        found
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
        // A node with a memory keeps it whether it is read or not: its state is part of the run's.
        wanted[index] |= has_memory(node);
        if wanted[index] && !reads_price(plan, node) {
            for operand in node.operands() {
                wanted[operand.index()] = true;
            }
        }
    }
    wanted.iter().zip(reactive).map(|(wanted, reactive)| *wanted && !reactive).collect()
}

/// Whether the node remembers earlier bars.
fn has_memory(node: &Node) -> bool {
    matches!(node, Node::Lag { .. } | Node::Window { .. } | Node::Recursion { .. })
}

/// Whether the node is a window that reads a stored price by itself, as whole numbers.
pub(crate) fn reads_price(plan: &Plan, node: &Node) -> bool {
    match *node {
        Node::Window { kind: Window::Sma | Window::Stdev, x, .. } => {
            matches!(plan.nodes[x.index()], Node::Price { .. })
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
