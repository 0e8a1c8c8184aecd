//! Operators over whole columns: one loop each, so that each is compiled for itself, in vectors.

use crate::value::{FALSE, TRUE, Tri, UNDEFINED, UNKNOWN, arithmetic, compare, connect};
use fx_strategy::Binary;

/// `then` where the condition is true, `otherwise` where it is false, `undefined` where it is unknown.
#[inline(always)]
pub(crate) fn select<T>(condition: Tri, then: T, otherwise: T, undefined: T) -> T {
    match condition {
        TRUE => then,
        FALSE => otherwise,
        _ => undefined,
    }
}

#[inline(always)]
pub(crate) fn map<A: Copy, T>(x: &[A], out: &mut [T], operator: impl Fn(A) -> T) {
    for (out, x) in out.iter_mut().zip(x) {
        *out = operator(*x);
    }
}

#[inline(always)]
pub(crate) fn zip<A: Copy, T>(a: &[A], b: &[A], out: &mut [T], operator: impl Fn(A, A) -> T) {
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        *out = operator(*a, *b);
    }
}

#[inline(always)]
pub(crate) fn arithmetic_each(op: Binary, a: &[f64], b: &[f64], out: &mut [f64]) {
    macro_rules! loops {
        ($($name:ident),*) => {
            match op {
                $(Binary::$name => zip(a, b, out, |a, b| arithmetic(Binary::$name, a, b)),)*
                _ => out.fill(UNDEFINED),
            }
        };
    }
    loops!(Add, Sub, Mul, Div, FloorDiv, Mod, Min, Max);
}

#[inline(always)]
pub(crate) fn compare_each(op: Binary, a: &[f64], b: &[f64], out: &mut [Tri]) {
    macro_rules! loops {
        ($($name:ident),*) => {
            match op {
                $(Binary::$name => zip(a, b, out, |a, b| compare(Binary::$name, a, b)),)*
                _ => out.fill(UNKNOWN),
            }
        };
    }
    loops!(Lt, Le, Gt, Ge, Eq, Ne);
}

#[inline(always)]
pub(crate) fn connect_each(op: Binary, a: &[Tri], b: &[Tri], out: &mut [Tri]) {
    match op {
        Binary::And => zip(a, b, out, |a, b| connect(Binary::And, a, b)),
        _ => zip(a, b, out, |a, b| connect(Binary::Or, a, b)),
    }
}

#[inline(always)]
pub(crate) fn select_each<T: Copy>(
    condition: &[Tri],
    [then, otherwise]: [&[T]; 2],
    undefined: T,
    out: &mut [T],
) {
    for ((out, condition), (then, otherwise)) in out.iter_mut().zip(condition).zip(then.iter().zip(otherwise))
    {
        *out = select(*condition, *then, *otherwise, undefined);
    }
}
