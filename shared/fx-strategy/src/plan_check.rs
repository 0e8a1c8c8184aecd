//! What can be said of a plan without bars: types, reactivity, warm-up, bytes, hash, and whether it is sound.

use crate::builder::key;
use crate::feature_names::name_fault;
use crate::limits::{
    ACTIONS_MAX, CELLS_MAX, FEATURES_MAX, FEEDS_MAX, HISTORY_MAX, LABEL_BYTES_MAX, LABELS_MAX, LOOK_BACK_MAX,
    NODES_MAX, PLAN_BYTES_MAX, RECORDING_NAME_MAX, RECORDINGS_MAX, RULES_MAX,
};
use crate::plan::{
    Action, Binary, Entry, Exits, Expiry, LabelId, Level, Literal, Node, NodeId, PLAN_VERSION, Period, Plan,
    Portion, Scan, Size, Ticket, Type, Unary,
};
use fx_domain::{Digest, DigestBuilder};
use std::collections::BTreeSet;

/// Why bytes are not a plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// The bytes are of another version.
    #[error("the plan has version {found}, this program reads version {PLAN_VERSION}")]
    Version {
        /// The version that the bytes name.
        found: u16,
    },
    /// The bytes do not decode.
    #[error("the plan does not decode: {0}")]
    Encoding(#[from] postcard::Error),
    /// Bytes are missing in front or left over behind.
    #[error("the plan's bytes have a wrong length")]
    Length,
    /// A limit is passed.
    #[error("the plan has too many {what}: {found}, at most {limit}")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: u64,
        /// How many there may be.
        limit: u64,
    },
    /// A node is not sound.
    #[error("node {node} of the plan {fault}")]
    Node {
        /// Its number.
        node: usize,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A rule is not sound.
    #[error("rule {rule} of the plan {fault}")]
    Rule {
        /// Its place, from 0.
        rule: usize,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A label is not sound.
    #[error("label {label} of the plan {fault}")]
    Label {
        /// Its place, from 0.
        label: usize,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A cell is not sound.
    #[error("cell {cell} of the plan {fault}")]
    Cell {
        /// Its place, from 0.
        cell: usize,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A feature is not sound.
    #[error("feature {feature} of the plan {fault}")]
    Feature {
        /// Its place, from 0.
        feature: usize,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A recording is not sound.
    #[error("recording {recording} of the plan {fault}")]
    Recording {
        /// Its place, from 0.
        recording: usize,
        /// What is wrong with it.
        fault: &'static str,
    },
}

impl Node {
    /// The nodes that this one reads, left to right.
    pub fn operands(&self) -> impl Iterator<Item = NodeId> + use<> {
        let operands = match *self {
            Self::Unary { x, .. }
            | Self::AsOf { x }
            | Self::Lag { x, .. }
            | Self::Window { x, .. }
            | Self::Recursion { x, .. }
            | Self::Session { x, .. } => [Some(x), None, None, None],
            Self::Binary { a, b, .. } | Self::Scan { a, b, .. } => [Some(a), Some(b), None, None],
            Self::Select { condition, then, otherwise } => {
                [Some(condition), Some(then), Some(otherwise), None]
            }
            Self::Psar { high, low, step, limit } => [Some(high), Some(low), Some(step), Some(limit)],
            Self::Number(_)
            | Self::Condition(_)
            | Self::Price { .. }
            | Self::Volume
            | Self::Clock(_)
            | Self::Position(_)
            | Self::Account(_)
            | Self::FeedPrice { .. }
            | Self::FeedVolume { .. }
            | Self::Cell { .. }
            | Self::InSession { .. }
            | Self::Feature { .. } => [None; 4],
        };
        operands.into_iter().flatten()
    }

    /// The same node over other operands.
    #[must_use]
    pub fn map_operands(self, mut map: impl FnMut(NodeId) -> NodeId) -> Self {
        match self {
            Self::Unary { op, x } => Self::Unary { op, x: map(x) },
            Self::AsOf { x } => Self::AsOf { x: map(x) },
            Self::Binary { op, a, b } => Self::Binary { op, a: map(a), b: map(b) },
            Self::Select { condition, then, otherwise } => {
                Self::Select { condition: map(condition), then: map(then), otherwise: map(otherwise) }
            }
            Self::Lag { x, bars } => Self::Lag { x: map(x), bars },
            Self::Window { kind, x, bars } => Self::Window { kind, x: map(x), bars },
            Self::Recursion { kind, x, bars } => Self::Recursion { kind, x: map(x), bars },
            Self::Scan { kind, a, b, bars } => Self::Scan { kind, a: map(a), b: map(b), bars },
            Self::Psar { high, low, step, limit } => {
                Self::Psar { high: map(high), low: map(low), step: map(step), limit: map(limit) }
            }
            Self::Session { kind, x, period } => Self::Session { kind, x: map(x), period },
            leaf => leaf,
        }
    }

    /// Bars of its own that it keeps, 0 for most.
    #[must_use]
    pub const fn look_back(&self) -> u32 {
        match *self {
            Self::Lag { bars, .. }
            | Self::Window { bars, .. }
            | Self::Recursion { bars, .. }
            | Self::Scan { bars, .. } => bars,
            _ => 0,
        }
    }

    /// What it yields, given what its operands yield.
    pub(crate) fn type_given(&self, operand: impl Fn(NodeId) -> Type) -> Type {
        match *self {
            Self::Condition(_)
            | Self::InSession { .. }
            | Self::Unary { op: Unary::Not | Unary::Defined, .. }
            | Self::Cell { initial: Literal::Condition(_), .. }
            | Self::Scan { kind: Scan::Latch, .. } => Type::Condition,
            Self::Binary { op, .. } => op.signature().1,
            Self::Select { then, .. } => operand(then),
            Self::Lag { x, .. } | Self::AsOf { x } => operand(x),
            _ => Type::Number,
        }
    }

    /// Whether it depends on position, account or a cell, given whether its operands do.
    pub(crate) fn reactive_given(&self, operand: impl Fn(NodeId) -> bool) -> bool {
        matches!(self, Self::Position(_) | Self::Account(_) | Self::Cell { .. })
            || self.operands().any(operand)
    }

    /// What is wrong with it, given its operands' types and reactivity.
    fn fault(&self, types: &[Type], reactive: &[bool]) -> Option<&'static str> {
        if self.operands().any(|operand| operand.index() >= types.len()) {
            return Some("reads a node that does not come before it");
        }
        let is = |id: NodeId, wanted: Type| types[id.index()] == wanted;
        let typed = match *self {
            Self::Number(value) | Self::Cell { initial: Literal::Number(value), .. }
                if !value.is_finite() =>
            {
                return Some("is a constant that is not finite");
            }
            Self::Unary { op: Unary::Not, x } => is(x, Type::Condition),
            Self::Unary { op: Unary::Defined, .. } | Self::Lag { .. } | Self::AsOf { .. } => true,
            Self::Unary { x, .. }
            | Self::Window { x, .. }
            | Self::Recursion { x, .. }
            | Self::Session { x, .. } => is(x, Type::Number),
            Self::Scan { kind, a, b, .. } => {
                let (first, second) = kind.operands();
                is(a, first) && is(b, second)
            }
            Self::Psar { .. } => self.operands().all(|operand| is(operand, Type::Number)),
            Self::Binary { op, a, b } => is(a, op.signature().0) && is(b, op.signature().0),
            Self::Select { condition, then, otherwise } => {
                is(condition, Type::Condition) && is(then, types[otherwise.index()])
            }
            _ => true,
        };
        if !typed {
            return Some("reads an operand of a wrong type");
        }
        match *self {
            Self::Lag { bars, .. }
            | Self::Window { bars, .. }
            | Self::Recursion { bars, .. }
            | Self::Scan { bars, .. }
                if !(1..=LOOK_BACK_MAX).contains(&bars) =>
            {
                Some("looks back too far or not at all")
            }
            Self::Scan { kind, a, b, bars }
                if (kind != Scan::ValueWhen && bars != 1) || (kind == Scan::BarsSince && a != b) =>
            {
                Some("has an argument that its kind does not read")
            }
            Self::Window { .. }
            | Self::Recursion { .. }
            | Self::Scan { .. }
            | Self::Psar { .. }
            | Self::Session { .. }
                if self.operands().any(|operand| reactive[operand.index()]) =>
            {
                Some("is a window over position, account or a cell")
            }
            _ => None,
        }
    }
}

impl Binary {
    /// What it takes on both sides and what it yields.
    #[must_use]
    pub const fn signature(self) -> (Type, Type) {
        match self {
            Self::Add
            | Self::Sub
            | Self::Mul
            | Self::Div
            | Self::FloorDiv
            | Self::Mod
            | Self::Min
            | Self::Max => (Type::Number, Type::Number),
            Self::Lt | Self::Le | Self::Gt | Self::Ge | Self::Eq | Self::Ne => {
                (Type::Number, Type::Condition)
            }
            Self::And | Self::Or => (Type::Condition, Type::Condition),
        }
    }
}

impl Period {
    /// Its length, without weekends.
    pub(crate) const fn minutes(self) -> u32 {
        match self {
            Self::Day => 24 * 60,
            Self::Week => 5 * 24 * 60,
        }
    }
}

impl Scan {
    /// What it takes, first and second.
    const fn operands(self) -> (Type, Type) {
        match self {
            Self::Adaptive | Self::Ratchet => (Type::Number, Type::Number),
            Self::Latch | Self::BarsSince => (Type::Condition, Type::Condition),
            Self::ValueWhen => (Type::Condition, Type::Number),
        }
    }
}

impl Size {
    /// The node of its amount.
    #[must_use]
    pub const fn node(self) -> NodeId {
        match self {
            Self::Units(x) | Self::Lots(x) | Self::RiskPercent(x) | Self::EquityPercent(x) => x,
        }
    }

    fn map(self, map: &mut impl FnMut(NodeId) -> NodeId) -> Self {
        match self {
            Self::Units(x) => Self::Units(map(x)),
            Self::Lots(x) => Self::Lots(map(x)),
            Self::RiskPercent(x) => Self::RiskPercent(map(x)),
            Self::EquityPercent(x) => Self::EquityPercent(map(x)),
        }
    }
}

impl Level {
    /// The node of its price or distance.
    #[must_use]
    pub const fn node(self) -> NodeId {
        match self {
            Self::Price(x) | Self::Pips(x) | Self::Distance(x) => x,
        }
    }

    fn map(self, map: &mut impl FnMut(NodeId) -> NodeId) -> Self {
        match self {
            Self::Price(x) => Self::Price(map(x)),
            Self::Pips(x) => Self::Pips(map(x)),
            Self::Distance(x) => Self::Distance(map(x)),
        }
    }
}

impl Entry {
    fn levels(self) -> [Option<Level>; 2] {
        match self {
            Self::Market => [None; 2],
            Self::Limit(level) | Self::Stop(level) | Self::Touch(level) | Self::Trail(level) => {
                [Some(level), None]
            }
            Self::StopLimit { stop, limit } => [Some(stop), Some(limit)],
        }
    }

    fn map(self, map: &mut impl FnMut(NodeId) -> NodeId) -> Self {
        match self {
            Self::Market => Self::Market,
            Self::Limit(level) => Self::Limit(level.map(map)),
            Self::Stop(level) => Self::Stop(level.map(map)),
            Self::StopLimit { stop, limit } => Self::StopLimit { stop: stop.map(map), limit: limit.map(map) },
            Self::Touch(level) => Self::Touch(level.map(map)),
            Self::Trail(level) => Self::Trail(level.map(map)),
        }
    }
}

impl Exits {
    const fn levels(self) -> [Option<Level>; 3] {
        [self.stop_loss, self.take_profit, self.trailing]
    }

    fn map(self, map: &mut impl FnMut(NodeId) -> NodeId) -> Self {
        Self {
            stop_loss: self.stop_loss.map(|level| level.map(map)),
            take_profit: self.take_profit.map(|level| level.map(map)),
            trailing: self.trailing.map(|level| level.map(map)),
        }
    }
}

impl Ticket {
    /// The nodes of its levels and its expiry.
    fn nodes(self) -> [Option<NodeId>; 6] {
        let [first, second] = self.entry.levels().map(|level| level.map(Level::node));
        let [stop, target, trailing] = self.exits.levels().map(|level| level.map(Level::node));
        let expiry = if let Expiry::Bars(bars) = self.expiry { Some(bars) } else { None };
        [first, second, stop, target, trailing, expiry]
    }

    fn map(self, map: &mut impl FnMut(NodeId) -> NodeId) -> Self {
        let expiry = match self.expiry {
            Expiry::Bars(bars) => Expiry::Bars(map(bars)),
            other => other,
        };
        Self { entry: self.entry.map(map), exits: self.exits.map(map), expiry, label: self.label }
    }

    const fn fault(&self) -> Option<&'static str> {
        match self {
            Self { entry: Entry::Trail(Level::Price(_)), .. }
            | Self { exits: Exits { trailing: Some(Level::Price(_)), .. }, .. } => {
                Some("trails at a price instead of a distance")
            }
            _ => None,
        }
    }
}

impl Portion {
    /// The node of its amount.
    #[must_use]
    pub const fn node(self) -> NodeId {
        match self {
            Self::Units(x) | Self::Lots(x) | Self::Percent(x) => x,
        }
    }

    fn map(self, map: &mut impl FnMut(NodeId) -> NodeId) -> Self {
        match self {
            Self::Units(x) => Self::Units(map(x)),
            Self::Lots(x) => Self::Lots(map(x)),
            Self::Percent(x) => Self::Percent(map(x)),
        }
    }
}

impl Action {
    /// The nodes of its arguments.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        let none = [None; 6];
        let (amount, ticket) = match *self {
            Self::Enter { size, ticket, .. } => (Some(size.node()), ticket.nodes()),
            Self::Order { units, ticket, .. } => (Some(units), ticket.nodes()),
            Self::Target { units } => (Some(units), none),
            Self::ClosePartial(portion) => (Some(portion.node()), none),
            Self::Modify { price, exits, .. } => {
                (price.map(Level::node), Ticket { exits, ..Ticket::default() }.nodes())
            }
            Self::Close | Self::Cancel { .. } => (None, none),
        };
        std::iter::once(amount).chain(ticket).flatten()
    }

    pub(crate) fn map_nodes(self, map: &mut impl FnMut(NodeId) -> NodeId) -> Self {
        match self {
            Self::Enter { direction, size, ticket } => {
                Self::Enter { direction, size: size.map(map), ticket: ticket.map(map) }
            }
            Self::Order { units, reduce_only, ticket } => {
                Self::Order { units: map(units), reduce_only, ticket: ticket.map(map) }
            }
            Self::Target { units } => Self::Target { units: map(units) },
            Self::ClosePartial(portion) => Self::ClosePartial(portion.map(map)),
            Self::Modify { label, price, exits } => {
                let price = price.map(|level| level.map(map));
                Self::Modify { label, price, exits: exits.map(map) }
            }
            Self::Close | Self::Cancel { .. } => self,
        }
    }

    /// The label that it names.
    #[must_use]
    pub const fn label(&self) -> Option<LabelId> {
        match self {
            Self::Enter { ticket, .. } | Self::Order { ticket, .. } => ticket.label,
            Self::Cancel { label } | Self::Modify { label, .. } => *label,
            Self::Target { .. } | Self::Close | Self::ClosePartial(_) => None,
        }
    }

    /// Where it names a label.
    pub(crate) const fn label_mut(&mut self) -> Option<&mut LabelId> {
        match self {
            Self::Enter { ticket, .. } | Self::Order { ticket, .. } => ticket.label.as_mut(),
            Self::Cancel { label } | Self::Modify { label, .. } => label.as_mut(),
            Self::Target { .. } | Self::Close | Self::ClosePartial(_) => None,
        }
    }

    fn fault(&self, labels: usize) -> Option<&'static str> {
        if self.label().is_some_and(|label| usize::from(label.0) >= labels) {
            return Some("names a label that the plan does not have");
        }
        match self {
            Self::Enter { size: Size::RiskPercent(_), ticket, .. } if ticket.exits.stop_loss.is_none() => {
                Some("sizes by risk without a stop loss")
            }
            Self::Enter { ticket, .. } | Self::Order { ticket, .. } => ticket.fault(),
            Self::Modify { exits: Exits { trailing: Some(Level::Price(_)), .. }, .. } => {
                Some("trails at a price instead of a distance")
            }
            Self::Modify { price: None, exits, .. } if *exits == Exits::default() => Some("modifies nothing"),
            _ => None,
        }
    }
}

impl Plan {
    /// What each node yields.
    #[must_use]
    pub fn types(&self) -> Vec<Type> {
        let mut types: Vec<Type> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            types.push(node.type_given(|operand| types[operand.index()]));
        }
        types
    }

    /// Whether each node depends on position, account or a cell, itself or through an operand.
    #[must_use]
    pub fn reactive(&self) -> Vec<bool> {
        let mut reactive: Vec<bool> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            reactive.push(node.reactive_given(|operand| reactive[operand.index()]));
        }
        reactive
    }

    /// What one node yields.
    #[must_use]
    pub fn node_type(&self, id: NodeId) -> Type {
        let mut at = id;
        loop {
            match self.nodes[at.index()] {
                Node::Select { then, .. } => at = then,
                Node::Lag { x, .. } => at = x,
                node => return node.type_given(|_| Type::Number),
            }
        }
    }

    /// Its bytes: the version as two little-endian bytes, then the postcard form. Equal plans have equal bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let version = PLAN_VERSION.to_le_bytes().to_vec();
        match postcard::to_extend(self, version) {
            Ok(bytes) => bytes,
            // Growing a vector has no error, and every sequence of a plan knows its length.
            Err(error) => unreachable!("a plan always serialises: {error}"),
        }
    }

    /// Reads bytes of [`Plan::to_bytes`] and proves that an engine can run them; the bytes may come from anywhere.
    ///
    /// # Errors
    /// Another version, bytes that do not decode, and every breach of what [`Plan`] promises.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PlanError> {
        let count = |found: usize, limit: usize, what| limit_of(found as u64, limit as u64, what);
        count(bytes.len(), PLAN_BYTES_MAX, "bytes")?;
        let Some((version, body)) = bytes.split_first_chunk() else { return Err(PlanError::Length) };
        let found = u16::from_le_bytes(*version);
        if found != PLAN_VERSION {
            return Err(PlanError::Version { found });
        }
        let (plan, rest): (Self, _) = postcard::take_from_bytes(body)?;
        if !rest.is_empty() {
            return Err(PlanError::Length);
        }
        plan.validate()?;
        Ok(plan)
    }

    /// Its content address, over the version and every node, rule, recording, label, cell and feature.
    #[must_use]
    pub fn hash(&self) -> Digest {
        DigestBuilder::new("plan").part(&self.to_bytes()).finish()
    }

    /// Proves what [`Plan`] promises: operands before users, types, one clock, finite constants, no two nodes alike, windows of
    /// market values only, labels, cells and features that are there, distances where a stop trails, limits.
    ///
    /// # Errors
    /// The first breach.
    pub fn validate(&self) -> Result<(), PlanError> {
        limit_of(self.nodes.len() as u64, NODES_MAX as u64, "nodes")?;
        limit_of(self.rules.len() as u64, RULES_MAX as u64, "rules")?;
        limit_of(self.recordings.len() as u64, RECORDINGS_MAX as u64, "recordings")?;
        let history = self.nodes.iter().map(|node| u64::from(node.look_back())).sum();
        limit_of(history, HISTORY_MAX, "bars of history")?;
        let types = self.validate_nodes()?;
        let is = |id: NodeId, wanted: Type| types.get(id.index()) == Some(&wanted);
        for (rule, checked) in self.rules.iter().enumerate() {
            let fault = |fault| PlanError::Rule { rule, fault };
            limit_of(checked.actions.len() as u64, ACTIONS_MAX as u64, "decisions in one rule")?;
            if !is(checked.guard, Type::Condition) {
                return Err(fault("has a guard that is not a condition"));
            }
            for action in &checked.actions {
                if !action.nodes().all(|id| is(id, Type::Number)) {
                    return Err(fault("has an argument that is not a number"));
                }
                if let Some(found) = action.fault(self.labels.len()) {
                    return Err(fault(found));
                }
            }
        }
        limit_of(self.feeds().len() as u64, FEEDS_MAX as u64, "other timeframes and instruments")?;
        self.validate_clocks()?;
        self.validate_labels()?;
        self.validate_cells(&types)?;
        self.validate_features()?;
        self.validate_recordings(is)
    }

    fn validate_labels(&self) -> Result<(), PlanError> {
        limit_of(self.labels.len() as u64, LABELS_MAX as u64, "labels")?;
        let mut seen = BTreeSet::new();
        for (label, text) in self.labels.iter().enumerate() {
            let fault = |fault| PlanError::Label { label, fault };
            if text.is_empty() || text.len() > LABEL_BYTES_MAX {
                return Err(fault("is empty or too long"));
            }
            if !seen.insert(text.as_str()) {
                return Err(fault("is there twice"));
            }
        }
        Ok(())
    }

    fn validate_cells(&self, types: &[Type]) -> Result<(), PlanError> {
        limit_of(self.cells.len() as u64, CELLS_MAX as u64, "cells")?;
        let mut held = vec![None; self.cells.len()];
        for (node, kind) in self.nodes.iter().zip(types) {
            let Node::Cell { cell, .. } = node else { continue };
            let cell = usize::from(cell.0);
            match held.get_mut(cell) {
                None => return Err(PlanError::Cell { cell, fault: "is not there" }),
                Some(Some(_)) => return Err(PlanError::Cell { cell, fault: "has two nodes" }),
                Some(place) => *place = Some(*kind),
            }
        }
        for (cell, (next, kind)) in self.cells.iter().zip(held).enumerate() {
            if kind.is_none() || kind != types.get(next.index()).copied() {
                return Err(PlanError::Cell { cell, fault: "is not read, or becomes what it cannot hold" });
            }
        }
        Ok(())
    }

    /// Every feature has a name, and one node: nodes that are alike were refused before.
    fn validate_features(&self) -> Result<(), PlanError> {
        limit_of(self.features.len() as u64, FEATURES_MAX as u64, "features")?;
        let mut read = vec![false; self.features.len()];
        for node in &self.nodes {
            let Node::Feature { feature } = node else { continue };
            let feature = usize::from(feature.0);
            match read.get_mut(feature) {
                None => return Err(PlanError::Feature { feature, fault: "is not there" }),
                Some(read) => *read = true,
            }
        }
        let mut seen = BTreeSet::new();
        for (feature, (named, read)) in self.features.iter().zip(read).enumerate() {
            let fault = |fault| Err(PlanError::Feature { feature, fault });
            if name_fault(named).is_some() {
                return fault("has a name that no feature has");
            }
            if !read {
                return fault("is not read");
            }
            if !seen.insert(named) {
                return fault("is there twice");
            }
        }
        Ok(())
    }

    fn validate_nodes(&self) -> Result<Vec<Type>, PlanError> {
        let mut types = Vec::with_capacity(self.nodes.len());
        let mut reactive = Vec::with_capacity(self.nodes.len());
        let mut keys = BTreeSet::new();
        for (node, checked) in self.nodes.iter().enumerate() {
            if let Some(fault) = checked.fault(&types, &reactive) {
                return Err(PlanError::Node { node, fault });
            }
            if !keys.insert(key(checked)) {
                return Err(PlanError::Node { node, fault: "is a node twice" });
            }
            types.push(checked.type_given(|operand| types[operand.index()]));
            reactive.push(checked.reactive_given(|operand| reactive[operand.index()]));
        }
        Ok(types)
    }

    fn validate_recordings(&self, is: impl Fn(NodeId, Type) -> bool) -> Result<(), PlanError> {
        let mut names = BTreeSet::new();
        for (recording, checked) in self.recordings.iter().enumerate() {
            let fault = |fault| PlanError::Recording { recording, fault };
            if checked.name.is_empty() || checked.name.len() > RECORDING_NAME_MAX {
                return Err(fault("has a name that is empty or too long"));
            }
            if !names.insert(checked.name.as_str()) {
                return Err(fault("has a name twice"));
            }
            if !is(checked.value, Type::Number) {
                return Err(fault("is not a number"));
            }
        }
        Ok(())
    }
}

const fn limit_of(found: u64, limit: u64, what: &'static str) -> Result<(), PlanError> {
    if found > limit { Err(PlanError::Limit { what, found, limit }) } else { Ok(()) }
}
