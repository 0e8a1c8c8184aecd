//! Evaluation of the market part of a plan, a block of bars at a time.

use crate::BLOCK;
use crate::indicator::{History, NumberWindow, PriceWindow, Smoother};
use crate::program::{Program, Wakes, reads_price};
use crate::quotes::Quotes;
use crate::value::{
    FALSE, TRUE, Tri, UNDEFINED, UNKNOWN, absolute, arithmetic, compare, connect, is_comparison,
    is_connective, negate, not, root,
};
use fx_domain::{NANOS_PER_DAY, NANOS_PER_HOUR, NANOS_PER_MINUTE, UnixNanos};
use fx_strategy::{Binary, ClockField, Node, NodeId, Type, Unary};
use std::ops::Range;

/// What a node remembers from bar to bar.
#[derive(Clone, Debug)]
pub(crate) enum Memory {
    None,
    LagNumber(History<f64>),
    LagCondition(History<Tri>),
    Price(PriceWindow),
    Number(NumberWindow),
    Smoother(Smoother),
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
                    Self::Number(NumberWindow::new(kind, bars as usize, Vec::new()))
                }
            }
            Node::Recursion { .. } => Self::Smoother(Smoother::new()),
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
    /// Nonzero where a rule of the kind may hold; one more chunk than a block, so that a search need not look for the end.
    unless_long: Vec<u8>,
    unless_short: Vec<u8>,
    always: Vec<u8>,
}

/// Bytes that the search for the next set flag looks at together.
const CHUNK: usize = 8;

impl Block {
    pub(crate) fn new(program: &Program<'_>) -> Self {
        let columns = program.plan.nodes.iter().zip(&program.types).zip(&program.columns);
        let columns = columns.map(|((node, kind), column)| match (node, kind) {
            _ if !column => Column::None,
            (Node::Number(value), _) => Column::Number(vec![*value; BLOCK]),
            (Node::Condition(value), _) => Column::Condition(vec![Tri::from(*value); BLOCK]),
            (_, Type::Number) => Column::Number(vec![UNDEFINED; BLOCK]),
            (_, Type::Condition) => Column::Condition(vec![UNKNOWN; BLOCK]),
        });
        let flags = || vec![0; BLOCK + CHUNK];
        Self { columns: columns.collect(), unless_long: flags(), unless_short: flags(), always: flags() }
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
        for (id, node) in program.plan.nodes.iter().enumerate() {
            let (operands, rest) = self.columns.split_at_mut(id);
            let operands = Operands { columns: operands, bars: range.len() };
            match &mut rest[0] {
                Column::None => {}
                Column::Number(out) => {
                    let market = Market { quotes, range: range.clone(), clock, nodes: &program.plan.nodes };
                    number(node, &operands, &mut memories[id], &market, &mut out[..range.len()]);
                }
                Column::Condition(out) => {
                    condition(node, &operands, &mut memories[id], &mut out[..range.len()]);
                }
            }
        }
        self.flag(program, range.len());
    }

    /// Marks the bars at which each rule's necessary conditions hold.
    fn flag(&mut self, program: &Program<'_>, bars: usize) {
        let Self { columns, unless_long, unless_short, always } = self;
        for flags in [&mut *unless_long, &mut *unless_short, &mut *always] {
            flags.fill(0);
        }
        let mut holds = [TRUE; BLOCK];
        for rule in &program.rules {
            let flags = match rule.wakes {
                Wakes::UnlessLong => &mut *unless_long,
                Wakes::UnlessShort => &mut *unless_short,
                Wakes::Always => &mut *always,
            };
            let holds = &mut holds[..bars];
            holds.fill(1);
            for id in &rule.necessary {
                if let Column::Condition(column) = &columns[id.index()] {
                    for (holds, condition) in holds.iter_mut().zip(column) {
                        *holds &= u8::from(*condition == TRUE);
                    }
                }
            }
            for (flag, holds) in flags.iter_mut().zip(holds.iter()) {
                *flag |= *holds;
            }
        }
    }

    /// The first bar of `range` at which a rule may act on a position that is full on the side of `full`, if any.
    pub(crate) fn next_wake(&self, range: Range<usize>, full: Option<fx_domain::Side>) -> Option<usize> {
        let none = &self.always;
        let (first, second) = match full {
            None => (&self.unless_long, &self.unless_short),
            Some(fx_domain::Side::Long) => (none, &self.unless_short),
            Some(fx_domain::Side::Short) => (&self.unless_long, none),
        };
        let word = |flags: &[u8], at: usize| {
            flags[at..].first_chunk::<CHUNK>().map_or(0, |chunk| u64::from_le_bytes(*chunk))
        };
        let mut at = range.start;
        while at < range.end {
            let word = word(first, at) | word(second, at) | word(&self.always, at);
            if word != 0 {
                let found = at + word.trailing_zeros() as usize / CHUNK;
                return (found < range.end).then_some(found);
            }
            at += CHUNK;
        }
        None
    }
}

/// Where the bars stand in time.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    /// First row of the call's bars that is decided on.
    pub(crate) first_decision: usize,
    /// Its number.
    pub(crate) first_index: u64,
}

impl Clock {
    /// The number of the bar in `row` among those decided on; none while warming up.
    pub(crate) fn index(self, row: usize) -> Option<u64> {
        row.checked_sub(self.first_decision).map(|after| self.first_index + after as u64)
    }

    /// What `data.index` is at the bars of `rows`.
    fn indices(self, rows: Range<usize>, out: &mut [f64]) {
        let (warm_up, decided) =
            out.split_at_mut(self.first_decision.clamp(rows.start, rows.end) - rows.start);
        warm_up.fill(WARM_UP_INDEX);
        let first = self.index(rows.start + warm_up.len()).unwrap_or_default();
        for (out, index) in decided.iter_mut().zip(first..) {
            *out = index as f64;
        }
    }
}

/// The bars of a block.
struct Market<'a> {
    quotes: &'a Quotes<'a>,
    range: Range<usize>,
    clock: Clock,
    nodes: &'a [Node],
}

/// The columns below a node.
struct Operands<'a> {
    columns: &'a [Column],
    bars: usize,
}

impl Operands<'_> {
    /// Market nodes have market operands of the type that the plan's check has proven.
    fn number(&self, id: NodeId) -> &[f64] {
        match &self.columns[id.index()] {
            Column::Number(column) => &column[..self.bars],
            _ => &[],
        }
    }

    fn condition(&self, id: NodeId) -> &[Tri] {
        match &self.columns[id.index()] {
            Column::Condition(column) => &column[..self.bars],
            _ => &[],
        }
    }

    fn is_number(&self, id: NodeId) -> bool {
        matches!(self.columns[id.index()], Column::Number(_))
    }
}

fn number(node: &Node, operands: &Operands<'_>, memory: &mut Memory, market: &Market<'_>, out: &mut [f64]) {
    let Market { quotes, clock, nodes, .. } = *market;
    let range = market.range.clone();
    match *node {
        Node::Price { side, field } => quotes.series(side, field).numbers(range, out),
        Node::Volume => {
            for (out, volume) in out.iter_mut().zip(&quotes.bars.volume[range]) {
                *out = *volume as f64;
            }
        }
        Node::Clock(ClockField::Index) => clock.indices(range, out),
        Node::Clock(field) => {
            for (out, row) in out.iter_mut().zip(range) {
                *out = clock_value(field, quotes.bars.times[row], clock.index(row));
            }
        }
        Node::Unary { op, x } => map(
            operands.number(x),
            out,
            match op {
                Unary::Abs => absolute,
                Unary::Sqrt => root,
                _ => negate,
            },
        ),
        Node::Binary { op, a, b } => binary(op, operands.number(a), operands.number(b), out),
        Node::Select { condition, then, otherwise } => {
            let branches = operands.number(then).iter().zip(operands.number(otherwise));
            for ((out, condition), (then, otherwise)) in
                out.iter_mut().zip(operands.condition(condition)).zip(branches)
            {
                *out = select(*condition, *then, *otherwise, UNDEFINED);
            }
        }
        Node::Lag { x, .. } => {
            if let Memory::LagNumber(history) = memory {
                history.lag(operands.number(x), UNDEFINED, out);
            }
        }
        Node::Window { x, .. } => match memory {
            Memory::Price(window) => {
                if let Node::Price { side, field } = nodes[x.index()] {
                    let series = quotes.series(side, field);
                    window.advance(series.scale(), |values| series.extend(range, values), out);
                }
            }
            Memory::Number(window) => window.advance(operands.number(x), out),
            _ => {}
        },
        Node::Recursion { kind, x, bars } => {
            if let Memory::Smoother(smoother) = memory {
                smoother.advance(kind, bars, operands.number(x), out);
            }
        }
        Node::Number(_) | Node::Condition(_) | Node::Position(_) | Node::Account(_) => {}
    }
}

fn condition(node: &Node, operands: &Operands<'_>, memory: &mut Memory, out: &mut [Tri]) {
    match *node {
        Node::Unary { op: Unary::Defined, x } if operands.is_number(x) => {
            for (out, x) in out.iter_mut().zip(operands.number(x)) {
                *out = Tri::from(!x.is_nan());
            }
        }
        Node::Unary { op: Unary::Defined, x } => {
            for (out, x) in out.iter_mut().zip(operands.condition(x)) {
                *out = Tri::from(*x != UNKNOWN);
            }
        }
        Node::Unary { x, .. } => {
            for (out, x) in out.iter_mut().zip(operands.condition(x)) {
                *out = not(*x);
            }
        }
        Node::Binary { op, a, b } if is_connective(op) => {
            for ((out, a), b) in out.iter_mut().zip(operands.condition(a)).zip(operands.condition(b)) {
                *out = connect(op, *a, *b);
            }
        }
        Node::Binary { op, a, b } if is_comparison(op) => {
            compare_columns(op, operands.number(a), operands.number(b), out)
        }
        Node::Select { condition, then, otherwise } => {
            let branches = operands.condition(then).iter().zip(operands.condition(otherwise));
            for ((out, condition), (then, otherwise)) in
                out.iter_mut().zip(operands.condition(condition)).zip(branches)
            {
                *out = select(*condition, *then, *otherwise, UNKNOWN);
            }
        }
        Node::Lag { x, .. } => {
            if let Memory::LagCondition(history) = memory {
                history.lag(operands.condition(x), UNKNOWN, out);
            }
        }
        _ => {}
    }
}

fn map(x: &[f64], out: &mut [f64], operator: fn(f64) -> f64) {
    for (out, x) in out.iter_mut().zip(x) {
        *out = operator(*x);
    }
}

/// One loop per operator, so that each is compiled for itself.
fn binary(op: Binary, a: &[f64], b: &[f64], out: &mut [f64]) {
    macro_rules! loops {
        ($($name:ident),*) => {
            match op {
                $(Binary::$name => for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                    *out = arithmetic(Binary::$name, *a, *b);
                },)*
                _ => out.fill(UNDEFINED),
            }
        };
    }
    loops!(Add, Sub, Mul, Div, FloorDiv, Mod, Min, Max);
}

fn compare_columns(op: Binary, a: &[f64], b: &[f64], out: &mut [Tri]) {
    macro_rules! loops {
        ($($name:ident),*) => {
            match op {
                $(Binary::$name => for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                    *out = compare(Binary::$name, *a, *b);
                },)*
                _ => out.fill(UNKNOWN),
            }
        };
    }
    loops!(Lt, Le, Gt, Ge, Eq, Ne);
}

/// `then` where the condition is true, `otherwise` where it is false, `undefined` where it is unknown.
#[inline(always)]
pub(crate) fn select<T>(condition: Tri, then: T, otherwise: T, undefined: T) -> T {
    match condition {
        TRUE => then,
        FALSE => otherwise,
        _ => undefined,
    }
}

/// While warming up no bar can tell how many more will follow: its index is this.
const WARM_UP_INDEX: f64 = -1.0;

/// A bar's place in time.
pub(crate) fn clock_value(field: ClockField, time: UnixNanos, index: Option<u64>) -> f64 {
    /// 1970-01-01 was a Thursday.
    const EPOCH_WEEKDAY: i64 = 3;
    let of_day = time.get().rem_euclid(NANOS_PER_DAY);
    match field {
        ClockField::Index => index.map_or(WARM_UP_INDEX, |index| index as f64),
        ClockField::Hour => (of_day / NANOS_PER_HOUR) as f64,
        ClockField::Minute => (of_day % NANOS_PER_HOUR / NANOS_PER_MINUTE) as f64,
        ClockField::Weekday => (time.get().div_euclid(NANOS_PER_DAY) + EPOCH_WEEKDAY).rem_euclid(7) as f64,
    }
}
