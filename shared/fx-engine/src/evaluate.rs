//! Evaluation of the market part of a plan, a block of bars at a time.
//!
//! What is the same at all bars of a block is known to be, and costs nothing after the first block that has it.

mod braid;
mod cells;
mod clock;
mod feeds;
mod flags;
mod loops;
mod totals;

pub(crate) use braid::Braid;
pub(crate) use clock::{Clock, clock_value};
pub(crate) use feeds::{Forming, Others};
pub(crate) use loops::select;

use crate::BLOCK;
use crate::features::Told;
use crate::indicator::{
    History, NumberWindow, PriceWindow, Psar, PsarInput, Scanner, SessionMemory, Smoother,
};
use crate::market::Quotes;
use crate::program::union::Member;
use crate::program::{Comparison, PriceSeries, Program, price_of, reads_price};
use crate::value::{
    FALSE, TRUE, Tri, UNDEFINED, UNKNOWN, absolute, arithmetic, compare, connect, is_comparison,
    is_connective, negate, not, root, unary,
};
use cells::Cells;
use fearless_simd::Level;
use flags::Flags;
use fx_domain::Side;
use fx_strategy::{Binary, ClockField, Literal, Node, NodeId, Plan, Scan, Type, Unary, Window};
use std::ops::Range;
use totals::{Sums, Totals, compare_means};

/// What a node remembers from bar to bar.
#[derive(Clone, Debug)]
pub(crate) enum Memory {
    None,
    LagNumber(History<f64>),
    LagCondition(History<Tri>),
    Price(PriceWindow),
    Number(NumberWindow),
    Smoother(Smoother),
    /// One value: a cell's, or that of a feed's last bar.
    HeldNumber(f64),
    HeldCondition(Tri),
    Scanner(Scanner),
    /// Values at the bars at which a condition held.
    Occasions(History<f64>),
    Psar(Psar),
    Session(SessionMemory),
    /// What a feature was last told to be.
    Told(Told),
}

impl Memory {
    /// Which memory a node needs, empty.
    pub(crate) fn of(program: &Program<'_>, node: &Node) -> Self {
        match *node {
            Node::Lag { x, bars } => match program.types[x.index()] {
                Type::Number => Self::LagNumber(History::new(bars as usize, Vec::new())),
                Type::Condition => Self::LagCondition(History::new(bars as usize, Vec::new())),
            },
            Node::Window { kind, bars, .. } => {
                if reads_price(program.plan, node) {
                    Self::Price(PriceWindow::new(kind, bars as usize, Vec::new()))
                } else {
                    Self::Number(NumberWindow::new(kind, bars as usize, &[]))
                }
            }
            Node::Recursion { .. } => Self::Smoother(Smoother::new()),
            Node::Cell { initial: Literal::Number(value), .. } => Self::HeldNumber(value),
            Node::Cell { initial: Literal::Condition(value), .. } => Self::HeldCondition(Tri::from(value)),
            Node::AsOf { x } => match program.types[x.index()] {
                Type::Number => Self::HeldNumber(UNDEFINED),
                Type::Condition => Self::HeldCondition(UNKNOWN),
            },
            Node::Scan { kind: Scan::ValueWhen, bars, .. } => {
                Self::Occasions(History::new(bars as usize, Vec::new()))
            }
            Node::Scan { .. } => Self::Scanner(Scanner::new()),
            Node::Psar { .. } => Self::Psar(Psar::new()),
            Node::Session { .. } => Self::Session(SessionMemory::new()),
            Node::Feature { .. } => Self::Told(None),
            _ => Self::None,
        }
    }
}

/// The values of one market node over a block.
#[derive(Clone, Debug)]
pub(crate) enum Column {
    /// The node is evaluated at single bars.
    None,
    Number(Vec<f64>),
    Condition(Vec<Tri>),
}

/// Room for one block: a column per market node, and where the rules can act.
pub(crate) struct Block {
    pub(crate) columns: Vec<Column>,
    /// Whether a column holds one value throughout, beyond the bars of the block too.
    uniform: Vec<bool>,
    /// Of each of [`Program::series`].
    totals: Vec<Totals>,
    /// Of each mean whose sums are compared.
    sums: Vec<Option<Sums>>,
    /// For means whose sums nobody compares.
    spare: Sums,
    /// Of each feed.
    feeds: Vec<feeds::Room>,
    /// Of each node: whether its column is written with others'.
    together: Vec<bool>,
    cells: Option<Cells>,
    flags: Flags,
    level: Level,
}

impl Block {
    pub(crate) fn new(program: &Program<'_>) -> Self {
        let nodes = &program.plan.nodes;
        let columns = nodes.iter().zip(&program.types).zip(&program.columns);
        let columns = columns.map(|((node, kind), column)| match (node, kind) {
            _ if !column => Column::None,
            (Node::Number(value), _) => Column::Number(vec![*value; BLOCK]),
            (Node::Condition(value), _) => Column::Condition(vec![Tri::from(*value); BLOCK]),
            (_, Type::Number) => Column::Number(vec![UNDEFINED; BLOCK]),
            (_, Type::Condition) => Column::Condition(vec![UNKNOWN; BLOCK]),
        });
        let sums = program.means.iter().map(|mean| mean.filter(|mean| mean.compared).map(|_| Sums::new()));
        Self {
            columns: columns.collect(),
            uniform: vec![true; nodes.len()],
            totals: program.series.iter().map(|_| Totals::new()).collect(),
            sums: sums.collect(),
            spare: Sums::new(),
            feeds: program.feeds.all.iter().map(|_| feeds::Room::new()).collect(),
            together: program.carried.clone(),
            cells: Cells::of(program),
            flags: Flags::new(),
            level: Level::new(),
        }
    }

    /// Evaluates the market nodes over the bars of `range`, one block at most.
    pub(crate) fn evaluate(
        &mut self,
        program: &Program<'_>,
        memories: &mut [Memory],
        quotes: &Quotes<'_>,
        range: Range<usize>,
        clock: Clock,
    ) {
        let market = Market { quotes, range, clock, plan: program.plan, feed: None };
        widest(
            self.level,
            #[inline(always)]
            || {
                self.add_up(program, &market);
                self.evaluate_nodes(program, 0..program.plan.nodes.len(), memories, &market);
                self.evaluate_cells(memories, &market);
                self.flags.mark(&program.rules, &self.columns, &self.uniform, market.range.len());
            },
        );
    }

    /// Begins a block of a union's members.
    pub(crate) fn begin(
        &mut self,
        program: &Program<'_>,
        quotes: &Quotes<'_>,
        range: Range<usize>,
        clock: Clock,
    ) {
        let market = Market { quotes, range, clock, plan: program.plan, feed: None };
        widest(
            self.level,
            #[inline(always)]
            || self.add_up(program, &market),
        );
    }

    /// Evaluates what a member adds to the members before it, and marks where its rules can act: until the next member
    /// is evaluated, [`Block::next_wake`] answers for this one.
    pub(crate) fn evaluate_member(
        &mut self,
        (program, member): (&Program<'_>, &Member),
        memories: &mut [Memory],
        quotes: &Quotes<'_>,
        range: Range<usize>,
        clock: Clock,
    ) {
        let market = Market { quotes, range, clock, plan: program.plan, feed: None };
        widest(
            self.level,
            #[inline(always)]
            || {
                self.evaluate_nodes(program, member.adds.clone(), memories, &market);
                self.flags.mark(&member.rules, &self.columns, &self.uniform, market.range.len());
            },
        );
    }

    #[inline(always)]
    fn add_up(&mut self, program: &Program<'_>, market: &Market<'_>) {
        for (PriceSeries { feed, side, field }, totals) in program.series.iter().zip(&mut self.totals) {
            if *feed == market.feed {
                totals.add_up(market.quotes.series(*side, *field), market.range.clone());
            }
        }
    }

    /// Everything below is inlined here, so that it is compiled for the vectors of the processor at hand.
    #[inline(always)]
    fn evaluate_nodes(
        &mut self,
        program: &Program<'_>,
        nodes: Range<usize>,
        memories: &mut [Memory],
        market: &Market<'_>,
    ) {
        let range = market.range.clone();
        let own = market.feed.is_none();
        let mut braids = program.braids.iter().filter(|braid| own && braid.is_among(&nodes)).peekable();
        for node in braids.clone().flat_map(Braid::nodes) {
            self.together[node] = true;
        }
        for (id, node) in program.plan.nodes.iter().enumerate().take(nodes.end).skip(nodes.start) {
            while let Some(braid) = braids.next_if(|braid| braid.due() == id) {
                self.evaluate_braid(braid, program.plan, memories, range.len());
            }
            if program.feeds.clocks[id] != market.feed || self.together[id] {
                continue;
            }
            self.take_sums(program, id, memories, market);
            let (operands, rest) = self.columns.split_at_mut(id);
            let (uniform, bars) = (&mut self.uniform, range.len());
            match &mut rest[0] {
                Column::None => {}
                Column::Number(out) => {
                    let operands = Operands { columns: operands, uniform, bars };
                    let sums = self.sums[id].as_ref().unwrap_or(&self.spare);
                    let value = number(node, &operands, &mut memories[id], sums, market, &mut out[..bars]);
                    settle(value, out, &mut uniform[id]);
                }
                Column::Condition(out) => {
                    let operands = Operands { columns: operands, uniform, bars };
                    let value = match Comparison::of(market.plan, node) {
                        Some(comparison) => {
                            compare_below(&comparison, node, &self.sums, market, &mut out[..bars])
                        }
                        None => condition(node, &operands, &mut memories[id], market, &mut out[..bars]),
                    };
                    settle(value, out, &mut uniform[id]);
                }
            }
        }
        for braid in braids {
            self.evaluate_braid(braid, program.plan, memories, range.len());
        }
    }

    /// Evaluates averages together, or one by one where a value is missing.
    #[inline(always)]
    fn evaluate_braid(&mut self, braid: &Braid, plan: &Plan, memories: &mut [Memory], bars: usize) {
        for node in braid.nodes() {
            self.uniform[node] = false;
        }
        if !braid.evaluate(&mut self.columns, memories, bars) {
            let [now, later] = braid.apart();
            for node in now {
                average(&plan.nodes[node], node, &mut self.columns, &mut memories[node], bars);
            }
            for node in later {
                self.together[node] = false;
            }
        }
    }

    #[inline(always)]
    fn evaluate_cells(&mut self, memories: &mut [Memory], market: &Market<'_>) {
        let Some(cells) = &mut self.cells else { return };
        for node in cells.nodes() {
            self.uniform[node.index()] = false;
        }
        let (rows, bars) = (&market.range, market.range.len());
        let first_decided = market.clock.first_decision.saturating_sub(rows.start);
        cells.evaluate(&mut self.columns, memories, bars, first_decided);
    }

    /// Takes a mean of a stored price over the block.
    #[inline(always)]
    fn take_sums(&mut self, program: &Program<'_>, id: usize, memories: &mut [Memory], market: &Market<'_>) {
        if let (Some(mean), Memory::Price(window)) = (program.means[id], &mut memories[id]) {
            let PriceSeries { side, field, .. } = program.series[mean.series];
            let sums = self.sums[id].as_mut().unwrap_or(&mut self.spare);
            let series = market.quotes.series(side, field);
            sums.take(window, &self.totals[mean.series], series, market.range.clone());
        }
    }

    /// The first bar of `range` at which a rule may act on a position that is full on the side of `full`, if any.
    #[inline(always)]
    pub(crate) fn next_wake(&self, range: Range<usize>, full: Option<Side>) -> Option<usize> {
        self.flags.next(range, full)
    }
}

/// Evaluates one average by itself.
#[cold]
fn average(node: &Node, id: usize, columns: &mut [Column], memory: &mut Memory, bars: usize) {
    let (operands, rest) = columns.split_at_mut(id);
    if let (Node::Recursion { kind, x, bars: length }, Memory::Smoother(smoother)) = (*node, memory)
        && let (Column::Number(x), Column::Number(out)) = (&operands[x.index()], &mut rest[0])
    {
        smoother.advance(kind, length, &x[..bars], &mut out[..bars]);
    }
}

/// Calls `evaluate`, compiled for the widest vectors that the processor has. They change no result: no operation is
/// reordered, none is fused with another.
#[inline(always)]
pub(crate) fn widest<T>(level: Level, evaluate: impl FnOnce() -> T) -> T {
    use fearless_simd::Simd;
    #[cfg(target_arch = "x86_64")]
    if let Some(avx512) = level.as_avx512() {
        return avx512.vectorize(evaluate);
    } else if let Some(avx2) = level.as_avx2() {
        return avx2.vectorize(evaluate);
    }
    let _ = level;
    evaluate()
}

/// Fills a column that holds one value, unless it does so already.
#[inline(always)]
fn settle<T: Copy + Same>(value: Option<T>, column: &mut [T], uniform: &mut bool) {
    if let Some(value) = value
        && !(*uniform && column.first().is_some_and(|held| held.same(value)))
    {
        column.fill(value);
    }
    *uniform = value.is_some();
}

/// Equal in every bit.
trait Same {
    fn same(self, other: Self) -> bool;
}

impl Same for f64 {
    fn same(self, other: Self) -> bool {
        self.to_bits() == other.to_bits()
    }
}

impl Same for Tri {
    fn same(self, other: Self) -> bool {
        self == other
    }
}

/// The bars of a block.
struct Market<'a> {
    quotes: &'a Quotes<'a>,
    range: Range<usize>,
    clock: Clock,
    plan: &'a Plan,
    /// Whose bars they are, as [`PriceSeries::feed`] has it.
    feed: Option<usize>,
}

/// The columns below a node.
struct Operands<'a> {
    columns: &'a [Column],
    uniform: &'a [bool],
    bars: usize,
}

impl Operands<'_> {
    /// Market nodes have market operands of the type that the plan's check has proven.
    #[inline(always)]
    fn number(&self, id: NodeId) -> &[f64] {
        match &self.columns[id.index()] {
            Column::Number(column) => &column[..self.bars],
            _ => &[],
        }
    }

    #[inline(always)]
    fn condition(&self, id: NodeId) -> &[Tri] {
        match &self.columns[id.index()] {
            Column::Condition(column) => &column[..self.bars],
            _ => &[],
        }
    }

    #[inline(always)]
    fn is_number(&self, id: NodeId) -> bool {
        matches!(self.columns[id.index()], Column::Number(_))
    }

    /// The one value of a number that is the same at all bars.
    #[inline(always)]
    fn one_number(&self, id: NodeId) -> Option<f64> {
        if self.uniform[id.index()] { self.number(id).first().copied() } else { None }
    }

    /// The one value of a condition that is the same at all bars.
    #[inline(always)]
    fn one_condition(&self, id: NodeId) -> Option<Tri> {
        if self.uniform[id.index()] { self.condition(id).first().copied() } else { None }
    }
}

/// Evaluates a number: writes its values, or yields the one that all bars have.
#[inline(always)]
fn number(
    node: &Node,
    operands: &Operands<'_>,
    memory: &mut Memory,
    sums: &Sums,
    market: &Market<'_>,
    out: &mut [f64],
) -> Option<f64> {
    let Market { quotes, clock, plan, .. } = *market;
    let range = market.range.clone();
    match *node {
        Node::Number(value) => return Some(value),
        Node::Price { side, field } | Node::FeedPrice { side, field, .. } => {
            totals::prices(quotes.series(side, field), range, out);
        }
        Node::Volume | Node::FeedVolume { .. } => {
            loops::map(&quotes.bars.volume[range], out, |volume| volume as f64)
        }
        Node::Clock(ClockField::Index) => clock.indices(range, out),
        Node::Clock(field) => clock::values(field, &quotes.bars.times[range], out),
        Node::Unary { op, x } => {
            if let Some(x) = operands.one_number(x) {
                return Some(unary(op, x));
            }
            let x = operands.number(x);
            match op {
                Unary::Abs => loops::map(x, out, absolute),
                Unary::Sqrt => loops::map(x, out, root),
                _ => loops::map(x, out, negate),
            }
        }
        Node::Binary { op, a, b } => {
            if let (Some(a), Some(b)) = (operands.one_number(a), operands.one_number(b)) {
                return Some(arithmetic(op, a, b));
            }
            loops::arithmetic_each(op, operands.number(a), operands.number(b), out);
        }
        Node::Select { condition, then, otherwise } => {
            if let Some(condition) = operands.one_condition(condition) {
                let chosen = match condition {
                    TRUE => then,
                    FALSE => otherwise,
                    _ => return Some(UNDEFINED),
                };
                out.copy_from_slice(operands.number(chosen));
                return operands.one_number(chosen);
            }
            let branches = [operands.number(then), operands.number(otherwise)];
            loops::select_each(operands.condition(condition), branches, UNDEFINED, out);
        }
        Node::Lag { x, .. } => {
            if let Memory::LagNumber(history) = memory {
                history.lag(operands.number(x), UNDEFINED, out);
            }
            #[cfg(test)]
            leak(node, operands.number(x), out);
        }
        Node::Window { kind, x, .. } => match memory {
            Memory::Price(window) => match (kind, price_of(&plan.nodes[x.index()])) {
                (Window::Stdev, Some((_, side, field))) => {
                    window.deviations(quotes.series(side, field), range, out);
                }
                _ => sums.means(out),
            },
            Memory::Number(window) => window.advance(operands.number(x), out),
            _ => {}
        },
        Node::Recursion { kind, x, bars } => {
            if let Memory::Smoother(smoother) = memory {
                smoother.advance(kind, bars, operands.number(x), out);
            }
        }
        Node::Scan { kind, a, b, bars } => match (kind, memory) {
            (Scan::Adaptive, Memory::Scanner(scanner)) => {
                scanner.adapt(operands.number(a), operands.number(b), out);
            }
            (Scan::Ratchet, Memory::Scanner(scanner)) => {
                scanner.ratchet(operands.number(a), operands.number(b), out);
            }
            (Scan::BarsSince, Memory::Scanner(scanner)) => scanner.since(operands.condition(a), out),
            (Scan::ValueWhen, Memory::Occasions(occasions)) => {
                occasions.recall(operands.condition(a), operands.number(b), bars as usize, out);
            }
            _ => {}
        },
        Node::Psar { high, low, step, limit } => {
            if let Memory::Psar(psar) = memory {
                let [high, low, step, limit] = [high, low, step, limit].map(|id| operands.number(id));
                let bars = high.iter().zip(low).zip(step.iter().zip(limit));
                for (((&high, &low), (&step, &limit)), out) in bars.zip(out) {
                    *out = psar.next(PsarInput { high, low, step, limit });
                }
            }
        }
        Node::Session { kind, x, period } => {
            if let Memory::Session(session) = memory {
                session.advance((kind, period), &quotes.bars.times[range], operands.number(x), out);
            }
        }
        // Written before the nodes of the strategy's own bars are evaluated.
        Node::AsOf { .. } | Node::Feature { .. } => {}
        Node::Condition(_)
        | Node::InSession { .. }
        | Node::Position(_)
        | Node::Account(_)
        | Node::Cell { .. } => {}
    }
    None
}

/// Evaluates a condition: writes its values, or yields the one that all bars have.
#[inline(always)]
fn condition(
    node: &Node,
    operands: &Operands<'_>,
    memory: &mut Memory,
    market: &Market<'_>,
    out: &mut [Tri],
) -> Option<Tri> {
    match *node {
        Node::InSession { centre } => {
            clock::sessions(centre, &market.quotes.bars.times[market.range.clone()], out);
        }
        Node::Condition(value) => return Some(Tri::from(value)),
        Node::Unary { op: Unary::Defined, x } if operands.is_number(x) => {
            loops::map(operands.number(x), out, |x| Tri::from(!x.is_nan()));
        }
        Node::Unary { op: Unary::Defined, x } => {
            loops::map(operands.condition(x), out, |x| Tri::from(x != UNKNOWN));
        }
        Node::Unary { x, .. } => {
            if let Some(x) = operands.one_condition(x) {
                return Some(not(x));
            }
            loops::map(operands.condition(x), out, not);
        }
        Node::Binary { op, a, b } if is_connective(op) => {
            let hands_over = |value| connect(op, value, UNKNOWN) == UNKNOWN && value != UNKNOWN;
            match (operands.one_condition(a), operands.one_condition(b)) {
                (Some(a), _) if !hands_over(a) => return Some(a),
                (Some(_), Some(b)) => return Some(b),
                (Some(_), None) => out.copy_from_slice(operands.condition(b)),
                // `x and true`, `x or false`
                (None, Some(b)) if hands_over(b) => out.copy_from_slice(operands.condition(a)),
                _ => loops::connect_each(op, operands.condition(a), operands.condition(b), out),
            }
        }
        Node::Binary { op, a, b } if is_comparison(op) => {
            if let (Some(a), Some(b)) = (operands.one_number(a), operands.one_number(b)) {
                return Some(compare(op, a, b));
            }
            loops::compare_each(op, operands.number(a), operands.number(b), out);
        }
        Node::Select { condition, then, otherwise } => {
            let branches = [operands.condition(then), operands.condition(otherwise)];
            loops::select_each(operands.condition(condition), branches, UNKNOWN, out);
        }
        Node::Lag { x, .. } => {
            if let Memory::LagCondition(history) = memory {
                history.lag(operands.condition(x), UNKNOWN, out);
            }
        }
        Node::Scan { kind: Scan::Latch, a, b, .. } => {
            if let Memory::Scanner(scanner) = memory {
                scanner.latch(operands.condition(a), operands.condition(b), out);
            }
        }
        _ => {}
    }
    None
}

/// In a test build, and in no other, a lag of so many bars reads the bar after this one: what the check of causality must
/// catch.
#[cfg(test)]
pub(crate) const LEAKING_LAG: u32 = 9_999;

#[cfg(test)]
fn leak(node: &Node, x: &[f64], out: &mut [f64]) {
    if matches!(node, Node::Lag { bars: LEAKING_LAG, .. }) {
        out.fill(UNDEFINED);
        for (out, next) in out.iter_mut().zip(x.iter().skip(1)) {
            *out = *next;
        }
    }
}

/// Evaluates a comparison that does not read the columns of its operands.
#[inline(always)]
fn compare_below(
    comparison: &Comparison,
    node: &Node,
    sums: &[Option<Sums>],
    market: &Market<'_>,
    out: &mut [Tri],
) -> Option<Tri> {
    let Node::Binary { op, a, b } = *node else { return None };
    let (clock, range) = (market.clock, market.range.clone());
    match *comparison {
        Comparison::Means => {
            if let (Some(a), Some(b)) = (&sums[a.index()], &sums[b.index()]) {
                compare_means(op, a, b, out);
            }
            None
        }
        Comparison::IndexWith(constant) => clock.compare(op, constant, range, out),
        Comparison::WithIndex(constant) => clock.compare(mirrored(op), constant, range, out),
    }
}

/// The comparison with its sides exchanged.
const fn mirrored(op: Binary) -> Binary {
    match op {
        Binary::Lt => Binary::Gt,
        Binary::Le => Binary::Ge,
        Binary::Gt => Binary::Lt,
        Binary::Ge => Binary::Le,
        other => other,
    }
}

#[cfg(test)]
mod tests;
