//! The market parts of many plans as one: a node that several plans have is evaluated once a block.

use super::{Feeds, PreparedRule, Program, means};
use crate::evaluate::Braid;
use fx_strategy::{Feature, FeatureId, Node, NodeId, Plan};
use std::collections::BTreeMap;
use std::ops::Range;

/// The nodes of several plans, each once, operands first. Those of the first plan come first, then those that the second
/// adds, and so on: what a plan adds is evaluated right before its own run goes through the block.
pub(crate) struct Union {
    /// Nodes only: rules and recordings stay with the members.
    pub(crate) plan: Plan,
    pub(crate) members: Vec<Member>,
    columns: Vec<bool>,
}

/// A plan's place in a [`Union`].
pub(crate) struct Member {
    /// Of each of the plan's nodes: which it is among those of the union.
    pub(crate) places: Vec<NodeId>,
    /// Nodes of the union that no plan before has.
    pub(crate) adds: Range<usize>,
    /// The plan's rules, their necessary conditions by their place in the union.
    pub(crate) rules: Vec<PreparedRule>,
}

impl Union {
    pub(crate) fn of(programs: &[Program<'_>]) -> Self {
        let mut union = Self { plan: Plan::default(), members: Vec::new(), columns: Vec::new() };
        let mut known = BTreeMap::new();
        for program in programs {
            let (mut places, from) = (Vec::new(), union.plan.nodes.len());
            for (node, column) in program.plan.nodes.iter().zip(&program.columns) {
                let mut node = node.map_operands(|id| places[id.index()]);
                if let Node::Feature { feature } = &mut node {
                    *feature = union.feature(&program.plan.features[usize::from(feature.0)]);
                }
                // By its bytes: zeros of either sign are two constants.
                let key = postcard::to_stdvec(&node).unwrap_or_default();
                let place = *known.entry(key).or_insert(NodeId(union.plan.nodes.len() as u32));
                if place.index() == union.plan.nodes.len() {
                    union.plan.nodes.push(node);
                    union.columns.push(false);
                }
                union.columns[place.index()] |= column;
                places.push(place);
            }
            let rules = program.rules.iter().map(|rule| PreparedRule {
                necessary: rule.necessary.iter().map(|id| places[id.index()]).collect(),
                ..rule.clone()
            });
            let (rules, adds) = (rules.collect(), from..union.plan.nodes.len());
            union.members.push(Member { places, adds, rules });
        }
        union
    }

    /// The number of a feature among those of the union.
    fn feature(&mut self, wanted: &Feature) -> FeatureId {
        let features = &mut self.plan.features;
        let known = features.iter().position(|known| known == wanted);
        let place = known.unwrap_or_else(|| {
            features.push(wanted.clone());
            features.len() - 1
        });
        FeatureId(place as u16)
    }

    /// What evaluates the union's columns.
    pub(crate) fn program(&self) -> Program<'_> {
        let plan = &self.plan;
        let (columns, (means, series)) = (self.columns.clone(), means(plan, &self.columns));
        let (types, reactive, carried) = (plan.types(), plan.reactive(), vec![false; plan.nodes.len()]);
        let (rules, every_bar, feeds) = (Vec::new(), Vec::new(), Feeds::of(plan));
        let members = self.members.iter();
        let braids =
            members.flat_map(|member| Braid::all(plan, &feeds.clocks, member.adds.clone())).collect();
        Program { plan, types, reactive, carried, rules, every_bar, columns, braids, means, series, feeds }
    }
}
