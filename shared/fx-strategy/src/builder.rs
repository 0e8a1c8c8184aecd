//! Builds a plan: no two nodes alike, conditions folded, nothing that no rule uses, numbered in one canonical order.

use crate::floor::{floor_div, floor_mod};
use crate::limits::{FEEDS_MAX, HISTORY_MAX, NODES_MAX};
use crate::plan::{
    Action, Binary, CellId, Clock, Feature, FeatureId, Feed, LabelId, Literal, Node, NodeId, Plan, Recording,
    Rule, Type, Unary,
};
use std::collections::HashMap;

/// What nodes and rules call by number, in order of appearance.
#[derive(Debug, Default)]
pub(crate) struct Called {
    /// Labels of orders.
    pub(crate) labels: Vec<String>,
    /// What is read beside bars.
    pub(crate) features: Vec<Feature>,
}

/// Identifies a node by value; a number by its bits. The map that uses it is only looked up, never iterated.
type Key = (u8, u64, u32, u32);

#[derive(Debug, Default)]
pub(crate) struct Builder {
    nodes: Vec<Node>,
    types: Vec<Type>,
    reactive: Vec<bool>,
    clocks: Vec<Clock>,
    /// Whether a node is the same at every bar.
    constant: Vec<bool>,
    known: HashMap<Key, NodeId>,
    history: u64,
    /// Other timeframes and instruments whose bars are read.
    feeds: Vec<Feed>,
    overflow: Option<String>,
}

impl Builder {
    /// Which limit the plan has passed, if any. Node numbers are then meaningless.
    pub(crate) fn overflow(&self) -> Option<&str> {
        self.overflow.as_deref()
    }

    pub(crate) fn node_type(&self, id: NodeId) -> Type {
        self.types[id.index()]
    }

    pub(crate) fn is_reactive(&self, id: NodeId) -> bool {
        self.reactive[id.index()]
    }

    /// Whose bars a node is evaluated at.
    pub(crate) fn clock(&self, id: NodeId) -> Clock {
        self.clocks[id.index()]
    }

    /// The one node of this value. Operands on several clocks are brought to the strategy's own bars.
    pub(crate) fn intern(&mut self, node: Node) -> NodeId {
        let node = match node.clock_given(|operand| self.clocks[operand.index()]) {
            None => node.map_operands(|operand| self.own(operand)),
            Some(_) => node,
        };
        let key = key(&node);
        if let Some(&id) = self.known.get(&key) {
            return id;
        }
        self.history += u64::from(node.look_back());
        if self.history > HISTORY_MAX {
            let message =
                || format!("the windows of this strategy together look back more than {HISTORY_MAX} bars");
            self.overflow.get_or_insert_with(message);
        }
        if let Node::FeedPrice { feed, .. } | Node::FeedVolume { feed } = node
            && !self.feeds.contains(&feed)
        {
            self.feeds.push(feed);
            if self.feeds.len() > FEEDS_MAX {
                let message = || format!("more than {FEEDS_MAX} other timeframes and instruments");
                self.overflow.get_or_insert_with(message);
            }
        }
        if self.nodes.len() >= NODES_MAX {
            self.overflow.get_or_insert_with(|| format!("this strategy has more than {NODES_MAX} nodes"));
            return NodeId(0);
        }
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.types.push(node.type_given(|operand| self.types[operand.index()]));
        self.reactive.push(node.reactive_given(|operand| self.reactive[operand.index()]));
        let clock = node.clock_given(|operand| self.clocks[operand.index()]);
        self.clocks.push(clock.unwrap_or(Clock::Own));
        let is_constant = match node {
            Node::Number(_) | Node::Condition(_) => true,
            Node::Unary { .. } | Node::Binary { .. } | Node::Select { .. } => {
                node.operands().all(|operand| self.constant[operand.index()])
            }
            _ => false,
        };
        self.constant.push(is_constant);
        self.nodes.push(node);
        self.known.insert(key, id);
        id
    }

    /// `x` at the strategy's own bars: of a feed, its value at the last bar that is complete.
    pub(crate) fn own(&mut self, x: NodeId) -> NodeId {
        match self.clocks[x.index()] {
            Clock::Of(_) => self.intern(Node::AsOf { x }),
            Clock::Own | Clock::Any => x,
        }
    }

    /// `a` and `b` on one clock.
    pub(crate) fn together(&mut self, a: NodeId, b: NodeId) -> [NodeId; 2] {
        let (one, other) = (self.clocks[a.index()], self.clocks[b.index()]);
        if one == other || one == Clock::Any || other == Clock::Any {
            return [a, b];
        }
        [self.own(a), self.own(b)]
    }

    /// A constant; −0 is written as 0, nothing in the language tells them apart.
    pub(crate) fn number(&mut self, value: f64) -> NodeId {
        self.intern(Node::Number(if value == 0.0 { 0.0 } else { value }))
    }

    pub(crate) fn condition(&mut self, value: bool) -> NodeId {
        self.intern(Node::Condition(value))
    }

    /// The constant condition that `id` is.
    pub(crate) fn known_condition(&self, id: NodeId) -> Option<bool> {
        match self.nodes[id.index()] {
            Node::Condition(value) => Some(value),
            _ => None,
        }
    }

    /// The constant number that `id` is.
    pub(crate) fn known_number(&self, id: NodeId) -> Option<f64> {
        match self.nodes[id.index()] {
            Node::Number(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn unary(&mut self, op: Unary, x: NodeId) -> NodeId {
        match (op, self.nodes[x.index()]) {
            (Unary::Not, Node::Condition(value)) => self.condition(!value),
            (Unary::Not, Node::Unary { op: Unary::Not, x: inner })
            | (Unary::Neg, Node::Unary { op: Unary::Neg, x: inner }) => inner,
            (Unary::Defined, Node::Number(_) | Node::Condition(_)) => self.condition(true),
            // Never undefined, also before the first bar of a feed is complete.
            (Unary::Defined, _) => {
                let x = self.own(x);
                self.intern(Node::Unary { op, x })
            }
            _ => self.intern(Node::Unary { op, x }),
        }
    }

    pub(crate) fn not(&mut self, x: NodeId) -> NodeId {
        self.unary(Unary::Not, x)
    }

    pub(crate) fn binary(&mut self, op: Binary, a: NodeId, b: NodeId) -> NodeId {
        match op {
            Binary::And => self.logic(op, a, b, true),
            Binary::Or => self.logic(op, a, b, false),
            _ if let (Some(x), Some(y)) = (self.known_number(a), self.known_number(b))
                && let Some(holds) = comparison(op, x, y) =>
            {
                self.condition(holds)
            }
            _ if let (Some(x), Some(y)) = (self.known_number(a), self.known_number(b))
                && let Some(value) = arithmetic(op, x, y) =>
            {
                self.number(value)
            }
            _ => self.intern(Node::Binary { op, a, b }),
        }
    }

    pub(crate) fn and(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.binary(Binary::And, a, b)
    }

    /// `neutral` is the value that leaves the other operand as it is. A deciding constant on the right does not fold:
    /// `undefined and False` is undefined.
    fn logic(&mut self, op: Binary, a: NodeId, b: NodeId, neutral: bool) -> NodeId {
        match (self.known_condition(a), self.known_condition(b)) {
            (Some(left), _) if left == neutral => b,
            (Some(_), _) => a,
            (None, Some(right)) if right == neutral => a,
            (None, _) if a == b => a,
            (None, _) => self.intern(Node::Binary { op, a, b }),
        }
    }

    /// Equal branches do not fold: the choice is undefined where its condition is.
    pub(crate) fn select(&mut self, condition: NodeId, then: NodeId, otherwise: NodeId) -> NodeId {
        match self.known_condition(condition) {
            Some(true) => then,
            Some(false) => otherwise,
            None => self.intern(Node::Select { condition, then, otherwise }),
        }
    }

    /// The value `bars` bars ago, `bars` at least 1. A constant is the same at every bar.
    pub(crate) fn lag(&mut self, x: NodeId, bars: u32) -> NodeId {
        if self.constant[x.index()] { x } else { self.intern(Node::Lag { x, bars }) }
    }

    /// The plan of `rules` and `recordings`: nodes are numbered in the order in which these reach them, operands
    /// first, and labels, features and cells likewise, so that the order of the source's assignments does not show.
    /// `cells` has what each cell becomes.
    pub(crate) fn finish(
        self,
        rules: Vec<Rule>,
        recordings: Vec<Recording>,
        called: Called,
        cells: &[NodeId],
    ) -> Plan {
        let (rules, labels) = relabelled(rules, called.labels);
        let mut numbering = Numbering {
            renumbered: vec![None; self.nodes.len()],
            nodes: self.nodes,
            placed: Vec::new(),
            cells: Vec::new(),
            features: Vec::new(),
        };
        let rules = rules
            .into_iter()
            .map(|rule| {
                let guard = numbering.place(rule.guard);
                let place = &mut |id| numbering.place(id);
                let actions = rule.actions.into_iter().map(|action| action.map_nodes(place)).collect();
                Rule { guard, actions }
            })
            .collect();
        let recordings = recordings
            .into_iter()
            .map(|recording| Recording { value: numbering.place(recording.value), name: recording.name })
            .collect();
        // What a cell becomes may read further cells.
        let mut next = Vec::new();
        while let Some(cell) = numbering.cells.get(next.len()) {
            next.push(numbering.place(cells[usize::from(cell.0)]));
        }
        let features =
            numbering.features.iter().map(|id| called.features[usize::from(id.0)].clone()).collect();
        Plan { nodes: numbering.placed, rules, recordings, labels, cells: next, features }
    }
}

/// Nodes, cells and features, numbered as they are reached.
struct Numbering {
    nodes: Vec<Node>,
    renumbered: Vec<Option<NodeId>>,
    placed: Vec<Node>,
    /// The cells reached so far, by their number before.
    cells: Vec<CellId>,
    /// The features reached so far, likewise.
    features: Vec<FeatureId>,
}

impl Numbering {
    fn place(&mut self, root: NodeId) -> NodeId {
        let mut pending = vec![root];
        while let Some(&id) = pending.last() {
            if self.renumbered[id.index()].is_some() {
                pending.pop();
                continue;
            }
            let node = self.nodes[id.index()];
            let before = pending.len();
            pending.extend(node.operands().filter(|operand| self.renumbered[operand.index()].is_none()));
            if pending.len() > before {
                pending[before..].reverse();
                continue;
            }
            let mut placed = node.map_operands(|operand| self.renumbered[operand.index()].unwrap_or(operand));
            match &mut placed {
                Node::Cell { cell, .. } => {
                    self.cells.push(*cell);
                    *cell = CellId(u16::try_from(self.cells.len() - 1).unwrap_or(u16::MAX));
                }
                Node::Feature { feature } => {
                    self.features.push(*feature);
                    *feature = FeatureId(u16::try_from(self.features.len() - 1).unwrap_or(u16::MAX));
                }
                _ => {}
            }
            self.renumbered[id.index()] = Some(NodeId(u32::try_from(self.placed.len()).unwrap_or(u32::MAX)));
            self.placed.push(placed);
            pending.pop();
        }
        self.renumbered[root.index()].unwrap_or(root)
    }
}

/// `rules` with their labels numbered in the order in which they appear; a label that no rule has is gone.
fn relabelled(mut rules: Vec<Rule>, labels: Vec<String>) -> (Vec<Rule>, Vec<String>) {
    let mut renumbered: Vec<Option<LabelId>> = vec![None; labels.len()];
    let mut kept = Vec::new();
    for label in rules.iter_mut().flat_map(|rule| &mut rule.actions).filter_map(Action::label_mut) {
        let place = usize::from(label.0);
        *label = *renumbered[place].get_or_insert_with(|| {
            kept.push(labels[place].clone());
            LabelId(u16::try_from(kept.len() - 1).unwrap_or(u16::MAX))
        });
    }
    (rules, kept)
}

/// `a op b` of constants, where it has a value.
fn arithmetic(op: Binary, a: f64, b: f64) -> Option<f64> {
    let value = match op {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul => a * b,
        Binary::Div => a / b,
        Binary::FloorDiv => floor_div(a, b),
        Binary::Mod => floor_mod(a, b),
        _ => return None,
    };
    value.is_finite().then_some(value)
}

/// `a op b` of constants, where it is a comparison.
#[expect(clippy::float_cmp, reason = "`==` of the language is the comparison of numbers as they are")]
fn comparison(op: Binary, a: f64, b: f64) -> Option<bool> {
    Some(match op {
        Binary::Lt => a < b,
        Binary::Le => a <= b,
        Binary::Gt => a > b,
        Binary::Ge => a >= b,
        Binary::Eq => a == b,
        Binary::Ne => a != b,
        _ => return None,
    })
}

/// Two nodes are alike exactly when their keys are equal.
pub(crate) fn key(node: &Node) -> Key {
    match *node {
        Node::Number(value) => (0, value.to_bits(), 0, 0),
        Node::Condition(value) => (1, u64::from(value), 0, 0),
        Node::Price { side, field } => (2, side as u64, field as u32, 0),
        Node::Volume => (3, 0, 0, 0),
        Node::Clock(field) => (4, field as u64, 0, 0),
        Node::Position(field) => (5, field as u64, 0, 0),
        Node::Account(field) => (6, field as u64, 0, 0),
        Node::Unary { op, x } => (7, op as u64, x.0, 0),
        Node::Binary { op, a, b } => (8, op as u64, a.0, b.0),
        Node::Select { condition, then, otherwise } => (9, u64::from(condition.0), then.0, otherwise.0),
        Node::Lag { x, bars } => (10, 0, x.0, bars),
        Node::Window { kind, x, bars } => (11, kind as u64, x.0, bars),
        Node::Recursion { kind, x, bars } => (12, kind as u64, x.0, bars),
        Node::FeedPrice { feed, side, field } => (31, feed_key(feed), side as u32, field as u32),
        Node::FeedVolume { feed } => (32, feed_key(feed), 0, 0),
        Node::AsOf { x } => (33, 0, x.0, 0),
        Node::Cell { cell, initial: Literal::Number(value) } => (30, value.to_bits(), u32::from(cell.0), 0),
        Node::Cell { cell, initial: Literal::Condition(value) } => {
            (30, u64::from(value), u32::from(cell.0), 1)
        }
        Node::Scan { kind, a, b, bars } => (13, wide(kind as u32, bars), a.0, b.0),
        Node::Psar { high, low, step, limit } => (14, wide(high.0, low.0), step.0, limit.0),
        Node::Session { kind, x, period } => (15, kind as u64, x.0, period as u32),
        Node::InSession { centre } => (16, centre as u64, 0, 0),
        Node::Feature { feature } => (17, u64::from(feature.0), 0, 0),
    }
}

/// Two halves of a key's word.
fn wide(high: u32, low: u32) -> u64 {
    u64::from(high) << u32::BITS | u64::from(low)
}

/// The codes of the pair and the length of the bars, a byte each; 0 for the strategy's own.
fn feed_key(feed: Feed) -> u64 {
    let pair = feed.instrument.map(|pair| (pair.base(), pair.quote()));
    let codes = pair.iter().flat_map(|(base, quote)| base.code().bytes().chain(quote.code().bytes()));
    let codes = codes.fold(0, |key: u64, byte| key << 8 | u64::from(byte));
    codes << 8 | feed.granularity.map_or(0, |granularity| 1 + granularity as u64)
}
