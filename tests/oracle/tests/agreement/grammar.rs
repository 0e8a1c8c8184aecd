//! Random programs as trees. A tree names no variable and no place: what is printed decides which of the names in reach
//! is meant, so that every tree, and every part of one that shrinking leaves, is a well-typed program.

use proptest::collection::vec;
use proptest::prelude::*;

/// A number.
#[derive(Clone, Debug)]
pub(crate) enum Num {
    /// A literal; thousandths where it is a fraction.
    Whole(i8),
    Fraction(i16),
    /// Of the bar: its prices, volume, place in time.
    Market(u8),
    /// Of position and account, or of the strategy's own.
    Account(u8),
    Parameter(u8),
    Local(u8),
    /// The counter of a loop.
    Counter(u8),
    Binary(u8, Box<Num>, Box<Num>),
    Unary(u8, Box<Num>),
    Extreme(bool, Vec<Num>),
    Power(Box<Num>, i8),
    Choice(Box<Cond>, Box<Num>, Box<Num>),
    Past(Box<Num>, u8),
    Call(Call),
    Helper(u8, Vec<Num>),
}

/// A condition.
#[derive(Clone, Debug)]
pub(crate) enum Cond {
    Constant(bool),
    Parameter(u8),
    Local(u8),
    Compare(Num, Vec<(u8, Num)>),
    Not(Box<Cond>),
    Logic(bool, Vec<Cond>),
    Choice(Box<Cond>, Box<Cond>, Box<Cond>),
    Past(Box<Cond>, u8),
    /// Whether a centre is at work.
    Session(u8),
    /// Of the strategy's own.
    State,
    /// Which name it has or has not.
    Regime(u8),
    Defined(Num),
    DefinedCondition(Box<Cond>),
    Call(Call),
    Helper(u8, Vec<Num>),
}

/// A call of an indicator: which one is meant depends on the kind of value that is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) which: u8,
    pub(crate) operands: Vec<Num>,
    /// Lengths, and how they are written.
    pub(crate) bars: [u8; 3],
    /// Which optional arguments are given, and which by name.
    pub(crate) shape: u8,
}

/// A statement.
#[derive(Clone, Debug)]
pub(crate) enum Stmt {
    Assign(u8, Num),
    AssignCondition(u8, Cond),
    Augment(u8, u8, Num),
    /// Assigns to a state.
    Keep(u8, Num),
    KeepCondition(Cond),
    Unpack(Call, [u8; 3]),
    Swap(u8, u8),
    If(Cond, Vec<Stmt>, Vec<(Cond, Vec<Stmt>)>, Option<Vec<Stmt>>),
    For(u8, Vec<Stmt>),
    Record(Num),
    Decide(Decision),
    Return(Vec<Decision>),
    ReturnDecided,
    Pass,
}

/// A decision: what it is, and where its arguments come from.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    pub(crate) action: u8,
    pub(crate) amount: u8,
    pub(crate) entry: u8,
    pub(crate) exits: u8,
    pub(crate) expiry: u8,
    pub(crate) label: u8,
    pub(crate) is_dict: bool,
    pub(crate) levels: Vec<Level>,
    pub(crate) size: Num,
    pub(crate) choice: Cond,
}

/// A price or a distance.
#[derive(Clone, Debug)]
pub(crate) struct Level {
    pub(crate) kind: u8,
    pub(crate) near: u8,
    pub(crate) number: Num,
}

/// A helper function.
#[derive(Clone, Debug)]
pub(crate) struct Helper {
    pub(crate) is_method: bool,
    pub(crate) gives_condition: bool,
    pub(crate) body: Vec<Stmt>,
    /// Early ways out.
    pub(crate) early: Vec<(Cond, Num, Cond)>,
    pub(crate) number: Num,
    pub(crate) condition: Cond,
}

/// A whole program.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Whole numbers, numbers and truth values of the class; odd ones are declared with `param`.
    pub(crate) parameters: (Vec<u8>, Vec<i16>, Vec<bool>),
    pub(crate) helpers: Vec<Helper>,
    pub(crate) body: Vec<Stmt>,
    /// A method that records and decides nothing.
    pub(crate) noted: Vec<Num>,
    pub(crate) last: Vec<Decision>,
}

/// Depth of expressions inside each other.
const DEPTH: u32 = 3;

fn call(num: impl Strategy<Value = Num>) -> impl Strategy<Value = Call> {
    (any::<u8>(), vec(num, 2), any::<[u8; 3]>(), any::<u8>())
        .prop_map(|(which, operands, bars, shape)| Call { which, operands, bars, shape })
}

fn leaf() -> impl Strategy<Value = Num> {
    prop_oneof![
        2 => any::<i8>().prop_map(Num::Whole),
        2 => any::<i16>().prop_map(Num::Fraction),
        6 => any::<u8>().prop_map(Num::Market),
        1 => any::<u8>().prop_map(Num::Account),
        1 => any::<u8>().prop_map(Num::Parameter),
        4 => any::<u8>().prop_map(Num::Local),
        1 => any::<u8>().prop_map(Num::Counter),
    ]
}

/// Conditions whose numbers are `num`.
fn conditions(num: BoxedStrategy<Num>) -> BoxedStrategy<Cond> {
    let start = prop_oneof![
        1 => any::<bool>().prop_map(Cond::Constant),
        1 => any::<u8>().prop_map(Cond::Parameter),
        2 => any::<u8>().prop_map(Cond::Local),
        1 => Just(Cond::State),
        1 => any::<u8>().prop_map(Cond::Session),
        1 => any::<u8>().prop_map(Cond::Regime),
        8 => (num.clone(), vec((any::<u8>(), num.clone()), 1..3)).prop_map(|(a, rest)| Cond::Compare(a, rest)),
        1 => num.clone().prop_map(Cond::Defined),
        3 => call(num.clone()).prop_map(Cond::Call),
        1 => (any::<u8>(), vec(num, 2)).prop_map(|(which, given)| Cond::Helper(which, given)),
    ];
    start
        .prop_recursive(3, 12, 3, |inner| {
            let boxed = inner.clone().prop_map(Box::new);
            prop_oneof![
                boxed.clone().prop_map(Cond::Not),
                (any::<bool>(), vec(inner, 2..4)).prop_map(|(and, operands)| Cond::Logic(and, operands)),
                (boxed.clone(), boxed.clone(), boxed.clone()).prop_map(|(c, a, b)| Cond::Choice(c, a, b)),
                (boxed.clone(), any::<u8>()).prop_map(|(c, bars)| Cond::Past(c, bars)),
                boxed.prop_map(Cond::DefinedCondition),
            ]
        })
        .boxed()
}

fn numbers() -> BoxedStrategy<Num> {
    leaf()
        .prop_recursive(DEPTH, 24, 3, |inner| {
            let boxed = inner.clone().prop_map(Box::new);
            let condition = conditions(inner.clone().boxed()).prop_map(Box::new);
            prop_oneof![
                4 => (any::<u8>(), boxed.clone(), boxed.clone()).prop_map(|(op, a, b)| Num::Binary(op, a, b)),
                1 => (any::<u8>(), boxed.clone()).prop_map(|(op, x)| Num::Unary(op, x)),
                1 => (any::<bool>(), vec(inner.clone(), 2..4)).prop_map(|(min, all)| Num::Extreme(min, all)),
                1 => (boxed.clone(), -3..5_i8).prop_map(|(x, exponent)| Num::Power(x, exponent)),
                1 => (condition, boxed.clone(), boxed.clone()).prop_map(|(c, a, b)| Num::Choice(c, a, b)),
                2 => (boxed, any::<u8>()).prop_map(|(x, bars)| Num::Past(x, bars)),
                6 => call(inner.clone()).prop_map(Num::Call),
                1 => (any::<u8>(), vec(inner, 2)).prop_map(|(which, given)| Num::Helper(which, given)),
            ]
        })
        .boxed()
}

fn decisions(num: &BoxedStrategy<Num>, cond: &BoxedStrategy<Cond>) -> BoxedStrategy<Decision> {
    let level =
        (any::<u8>(), any::<u8>(), num.clone()).prop_map(|(kind, near, number)| Level { kind, near, number });
    (any::<[u8; 6]>(), any::<bool>(), vec(level, 5), num.clone(), cond.clone())
        .prop_map(|([action, amount, entry, exits, expiry, label], is_dict, levels, size, choice)| Decision {
            action,
            amount,
            entry,
            exits,
            expiry,
            label,
            is_dict,
            levels,
            size,
            choice,
        })
        .boxed()
}

fn statements(
    num: &BoxedStrategy<Num>,
    cond: &BoxedStrategy<Cond>,
    decision: &BoxedStrategy<Decision>,
) -> BoxedStrategy<Stmt> {
    let simple = prop_oneof![
        6 => (any::<u8>(), num.clone()).prop_map(|(name, value)| Stmt::Assign(name, value)),
        3 => (any::<u8>(), cond.clone()).prop_map(|(name, value)| Stmt::AssignCondition(name, value)),
        2 => (any::<u8>(), any::<u8>(), num.clone()).prop_map(|(name, op, value)| Stmt::Augment(name, op, value)),
        2 => (any::<u8>(), num.clone()).prop_map(|(name, value)| Stmt::Keep(name, value)),
        1 => cond.clone().prop_map(Stmt::KeepCondition),
        3 => (call(num.clone()), any::<[u8; 3]>()).prop_map(|(call, names)| Stmt::Unpack(call, names)),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(a, b)| Stmt::Swap(a, b)),
        2 => num.clone().prop_map(Stmt::Record),
        2 => decision.clone().prop_map(Stmt::Decide),
        3 => vec(decision.clone(), 0..3).prop_map(Stmt::Return),
        1 => Just(Stmt::ReturnDecided),
        1 => Just(Stmt::Pass),
    ];
    let cond = cond.clone();
    simple
        .prop_recursive(3, 16, 4, move |inner| {
            let block = vec(inner, 1..4);
            let clauses = vec((cond.clone(), block.clone()), 0..2);
            prop_oneof![
                3 => (cond.clone(), block.clone(), clauses, proptest::option::of(block.clone()))
                    .prop_map(|(test, body, elifs, otherwise)| Stmt::If(test, body, elifs, otherwise)),
                1 => (any::<u8>(), block).prop_map(|(passes, body)| Stmt::For(passes, body)),
            ]
        })
        .boxed()
}

/// Any program.
pub(crate) fn programs() -> impl Strategy<Value = Program> {
    let num = numbers();
    let cond = conditions(num.clone());
    let decision = decisions(&num, &cond);
    let statement = statements(&num, &cond, &decision);
    let early = vec((cond.clone(), num.clone(), cond.clone()), 0..3);
    let helper = (any::<bool>(), any::<bool>(), vec(statement.clone(), 0..3), early, num.clone(), cond)
        .prop_map(|(is_method, gives_condition, body, early, number, condition)| Helper {
            is_method,
            gives_condition,
            body,
            early,
            number,
            condition,
        });
    let parameters = (vec(any::<u8>(), 1..3), vec(any::<i16>(), 0..2), vec(any::<bool>(), 0..2));
    let (body, noted, last) = (vec(statement, 1..8), vec(num, 0..3), vec(decision, 0..3));
    (parameters, vec(helper, 0..3), body, noted, last).prop_map(|(parameters, helpers, body, noted, last)| {
        Program { parameters, helpers, body, noted, last }
    })
}
