//! Averages that go through a block side by side.
//!
//! Every value of an average waits for the one before it, and the processor with it. Averages that need not wait for one
//! another share one loop, and so does one of their differences: the waiting is done once. What each computes is the same,
//! to the bit.

use crate::evaluate::{Column, Memory};
use crate::indicator::{ema_weight, rma_step};
use fx_strategy::{Binary, Node, NodeId, Plan, Recursion};
use std::ops::Range;

/// Averages in one loop, at most.
const LANES_MAX: usize = 4;

/// Averages of one kind that are evaluated together.
pub(crate) struct Braid {
    kind: Recursion,
    lanes: Vec<Lane>,
    /// The node before which all are evaluated: the first one that reads any of them, or the end of the nodes. What they
    /// read stands before it.
    due: usize,
}

struct Lane {
    node: usize,
    bars: u32,
    input: Input,
}

/// What an average is of.
#[derive(Clone, Copy)]
enum Input {
    Column(NodeId),
    /// Another lane.
    Lane(usize),
    /// One lane less another.
    Difference(usize, usize),
}

impl Braid {
    /// The braids among `nodes`, by when they are due. `clocks` says which of them are evaluated at other bars.
    pub(crate) fn all(plan: &Plan, clocks: &[Option<usize>], nodes: Range<usize>) -> Vec<Self> {
        let mut braids: Vec<Self> = Vec::new();
        for id in nodes.clone() {
            let node = &plan.nodes[id];
            let average = match *node {
                Node::Recursion { kind: kind @ (Recursion::Ema | Recursion::Rma), x, bars }
                    if clocks[id].is_none() =>
                {
                    Some((kind, x, bars))
                }
                _ => None,
            };
            let input = average.and_then(|(kind, x, _)| {
                let (open, closed) = braids.split_last()?;
                let has_room = open.kind == kind && open.lanes.len() < LANES_MAX;
                let input = open.input(plan, x, closed, nodes.end).filter(|_| has_room)?;
                Some((input, closed.len()))
            });
            let joins = input.map(|(_, open)| open);
            for (index, braid) in braids.iter_mut().enumerate() {
                if joins != Some(index) && node.operands().any(|x| braid.place(x).is_some()) {
                    braid.due = braid.due.min(id);
                }
            }
            match (average, input) {
                (Some((_, _, bars)), Some((input, open))) => {
                    braids[open].lanes.push(Lane { node: id, bars, input });
                }
                (Some((kind, x, bars)), None) => {
                    let lanes = vec![Lane { node: id, bars, input: Input::Column(x) }];
                    braids.push(Self { kind, lanes, due: nodes.end });
                }
                _ => {}
            }
        }
        braids.retain(|braid| braid.lanes.len() > 1);
        braids.sort_by_key(|braid| braid.due);
        braids
    }

    /// How one more lane would read `x`, if it can be read before the braid is due.
    fn input(&self, plan: &Plan, x: NodeId, closed: &[Self], end: usize) -> Option<Input> {
        if let Some(lane) = self.place(x) {
            return Some(Input::Lane(lane));
        }
        if let Node::Binary { op: Binary::Sub, a, b } = plan.nodes[x.index()]
            && let (Some(a), Some(b)) = (self.place(a), self.place(b))
        {
            return Some(Input::Difference(a, b));
        }
        // Nothing reads a closed braid that is due at the end yet: this lane would, and make it due here.
        let closed = closed.iter().find(|braid| braid.place(x).is_some());
        let there = closed.map_or(x.index(), |braid| braid.due);
        (self.due == end || there < self.due).then_some(Input::Column(x))
    }

    fn place(&self, id: NodeId) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.node == id.index())
    }

    pub(crate) const fn due(&self) -> usize {
        self.due
    }

    pub(crate) fn is_among(&self, nodes: &Range<usize>) -> bool {
        self.lanes.iter().all(|lane| nodes.contains(&lane.node))
    }

    /// Whose columns it writes.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = usize> {
        self.lanes.iter().map(|lane| lane.node)
    }

    /// Evaluates all lanes over `bars` bars, if all are seeded and every value on the way is a number; else nothing has
    /// happened that matters.
    #[inline(always)]
    pub(crate) fn evaluate(&self, columns: &mut [Column], memories: &mut [Memory], bars: usize) -> bool {
        match self.lanes.len() {
            2 => self.side_by_side::<2>(columns, memories, bars),
            3 => self.side_by_side::<3>(columns, memories, bars),
            _ => self.side_by_side::<LANES_MAX>(columns, memories, bars),
        }
    }

    #[inline(always)]
    fn side_by_side<const LANES: usize>(
        &self,
        columns: &mut [Column],
        memories: &mut [Memory],
        bars: usize,
    ) -> bool {
        let Some(lanes) = self.lanes.first_chunk::<LANES>() else { return false };
        let mut averages = [0.0; LANES];
        for (lane, average) in lanes.iter().zip(&mut averages) {
            match &memories[lane.node] {
                Memory::Smoother(smoother) if smoother.seen >= lane.bars => *average = smoother.up,
                _ => return false,
            }
        }
        let mut out = lanes.each_ref().map(|lane| match &mut columns[lane.node] {
            Column::Number(column) => std::mem::take(column),
            _ => Vec::new(),
        });
        let count = lanes.each_ref().map(|lane| f64::from(lane.bars));
        match self.kind {
            Recursion::Ema => {
                let weight = count.map(ema_weight);
                let step = |lane: usize, y: f64, x: f64| y + weight[lane] * (x - y);
                walk(lanes, columns, &mut out, &mut averages, bars, step);
            }
            _ => {
                let step = |lane: usize, y: f64, x: f64| rma_step(y, x, count[lane]);
                walk(lanes, columns, &mut out, &mut averages, bars, step);
            }
        }
        for (lane, out) in lanes.iter().zip(out) {
            columns[lane.node] = Column::Number(out);
        }
        // An average of anything that is not finite, or that is not finite itself, never becomes finite again: the last
        // ones tell of all.
        if !averages.iter().all(|average| average.is_finite()) {
            return false;
        }
        for (lane, average) in lanes.iter().zip(averages) {
            if let Memory::Smoother(smoother) = &mut memories[lane.node] {
                smoother.up = average;
            }
        }
        true
    }

    /// The lanes that are evaluated one by one instead, now, and those that come later, when what they read is there.
    pub(crate) fn apart(&self) -> [impl Iterator<Item = usize>; 2] {
        [true, false].map(|now| self.nodes().filter(move |node| (*node < self.due) == now))
    }
}

/// Not inlined: for itself it keeps every average in a register.
#[inline(never)]
fn walk<const LANES: usize>(
    lanes: &[Lane; LANES],
    columns: &[Column],
    out: &mut [Vec<f64>; LANES],
    averages: &mut [f64; LANES],
    bars: usize,
    step: impl Fn(usize, f64, f64) -> f64,
) {
    let column = |input: Input| match input {
        Input::Column(x) => match &columns[x.index()] {
            Column::Number(column) => Some(&column[..bars]),
            _ => None,
        },
        _ => None,
    };
    // The first lane reads a column: it stands in where a lane reads other lanes.
    let Some(first) = column(lanes[0].input) else { return };
    let inputs = lanes.each_ref().map(|lane| column(lane.input).unwrap_or(first));
    // Less 0 is the lane itself.
    let of_lanes = lanes.each_ref().map(|lane| match lane.input {
        Input::Column(_) => None,
        Input::Lane(a) => Some([a, LANES_MAX]),
        Input::Difference(a, b) => Some([a, b]),
    });
    let out = out.each_mut().map(|out| &mut out[..bars]);
    let (mut now, mut shown) = (*averages, [0.0; LANES_MAX + 1]);
    for bar in 0..bars {
        for lane in 0..LANES {
            let x = match of_lanes[lane] {
                None => inputs[lane][bar],
                Some([a, b]) => shown[a] - shown[b],
            };
            now[lane] = step(lane, now[lane], x);
            shown[lane] = now[lane];
            out[lane][bar] = now[lane];
        }
    }
    *averages = now;
}
