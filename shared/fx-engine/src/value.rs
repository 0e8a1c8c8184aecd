//! Numbers that may be undefined, conditions of three values, and the operators on them.
//!
//! An undefined number is one canonical NaN; conditions are bytes, so that a column of them is a column of bytes.

use fx_strategy::{Binary, Unary, floor_div, floor_mod};

/// The undefined number: the same bits on every platform.
pub(crate) const UNDEFINED: f64 = f64::from_bits(0x7ff8_0000_0000_0000);

/// A condition: [`FALSE`], [`TRUE`] or [`UNKNOWN`].
pub(crate) type Tri = u8;
pub(crate) const FALSE: Tri = 0;
pub(crate) const TRUE: Tri = 1;
pub(crate) const UNKNOWN: Tri = 2;

/// `value`, or [`UNDEFINED`] when it is not finite.
#[inline(always)]
pub(crate) fn finite_or_undefined(value: f64) -> f64 {
    if value.is_finite() { value } else { UNDEFINED }
}

#[inline(always)]
pub(crate) fn negate(x: f64) -> f64 {
    finite_or_undefined(-x)
}

#[inline(always)]
pub(crate) fn absolute(x: f64) -> f64 {
    finite_or_undefined(x.abs())
}

#[inline(always)]
pub(crate) fn root(x: f64) -> f64 {
    finite_or_undefined(x.sqrt())
}

#[inline(always)]
pub(crate) const fn not(x: Tri) -> Tri {
    if x == UNKNOWN { UNKNOWN } else { x ^ TRUE }
}

/// Arithmetic. Comparisons and connectives are not numbers and yield [`UNDEFINED`]: the plan's check keeps them out.
#[inline(always)]
pub(crate) fn arithmetic(op: Binary, a: f64, b: f64) -> f64 {
    let value = match op {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul => a * b,
        Binary::Div => a / b,
        Binary::FloorDiv => floor_div(a, b),
        Binary::Mod => floor_mod(a, b),
        Binary::Min if a.is_nan() || b.is_nan() => UNDEFINED,
        Binary::Max if a.is_nan() || b.is_nan() => UNDEFINED,
        Binary::Min => {
            if b < a {
                b
            } else {
                a
            }
        }
        Binary::Max => {
            if b > a {
                b
            } else {
                a
            }
        }
        _ => UNDEFINED,
    };
    finite_or_undefined(value)
}

#[inline(always)]
#[expect(clippy::float_cmp, reason = "a strategy's == is the comparison that Python makes")]
pub(crate) fn compare(op: Binary, a: f64, b: f64) -> Tri {
    let holds = match op {
        Binary::Lt => a < b,
        Binary::Le => a <= b,
        Binary::Gt => a > b,
        Binary::Ge => a >= b,
        Binary::Eq => a == b,
        _ => a != b,
    };
    if a.is_nan() | b.is_nan() { UNKNOWN } else { Tri::from(holds) }
}

/// `and`, `or`: the left operand decides, or hands over to the right one.
#[inline(always)]
pub(crate) const fn connect(op: Binary, a: Tri, b: Tri) -> Tri {
    let hands_over = match op {
        Binary::And => TRUE,
        _ => FALSE,
    };
    if a == hands_over { b } else { a }
}

/// Whether the operator takes conditions.
pub(crate) const fn is_connective(op: Binary) -> bool {
    matches!(op, Binary::And | Binary::Or)
}

/// Whether the operator yields a condition of two numbers.
pub(crate) const fn is_comparison(op: Binary) -> bool {
    matches!(op, Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge | Binary::Eq | Binary::Ne)
}

/// An operator of one number that yields a number; `not` and `defined` yield conditions and are not numbers.
#[inline(always)]
pub(crate) fn unary(op: Unary, x: f64) -> f64 {
    match op {
        Unary::Neg => negate(x),
        Unary::Abs => absolute(x),
        Unary::Sqrt => root(x),
        Unary::Not | Unary::Defined => UNDEFINED,
    }
}

/// `numerator ÷ denominator` of integers, rounded once, ties to even: the nearest float of the exact quotient.
///
/// Both are above zero and below 2^64 and 2^53: a window's sum and `bars · scale`.
pub(crate) fn nearest_quotient(numerator: u64, denominator: u64) -> f64 {
    const EXACT: u64 = 1 << 53;
    if numerator < EXACT {
        return numerator as f64 / denominator as f64;
    }
    // 55 bits of quotient or more, and a last bit that says whether anything is left: converting that rounds once.
    let bits = |value: u64| 64 - value.leading_zeros();
    let shift = (56 + bits(denominator)).saturating_sub(bits(numerator));
    let (numerator, denominator) = (u128::from(numerator) << shift, u128::from(denominator));
    let sticky = u128::from(!numerator.is_multiple_of(denominator));
    ((numerator / denominator) | sticky) as f64 / 2_f64.powi(shift as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floor_division_and_remainder_are_pythons() {
        // As CPython 3.11 prints them.
        for (a, b, quotient, remainder) in [
            (7.0, 2.0, 3.0, 1.0),
            (-7.0, 2.0, -4.0, 1.0),
            (7.0, -2.0, -4.0, -1.0),
            (-7.0, -2.0, 3.0, -1.0),
            (0.0, 3.0, 0.0, 0.0),
            (-0.0, 3.0, -0.0, 0.0),
            (0.0, -3.0, -0.0, -0.0),
            (-0.0, -3.0, 0.0, -0.0),
            (6.0, 3.0, 2.0, 0.0),
            (-6.0, 3.0, -2.0, 0.0),
            (6.0, -3.0, -2.0, -0.0),
            (-6.0, -3.0, 2.0, -0.0),
            (1.0, 3.0, 0.0, 1.0),
            (-1.0, -3.0, 0.0, -1.0),
            (1.0, 0.1, 9.0, 0.09999999999999995),
            (-1.0, 0.1, -10.0, 5.551115123125783e-17),
            (1e-320, 1.0, 0.0, 1e-320),
            (-1e-320, 1.0, -1.0, 1.0),
            (5.0, 1e308, 0.0, 5.0),
            (-5.0, 1e308, -1.0, 1e308),
            (-1.7e308, 1e308, -2.0, 3.000000000000001e307),
            (1e16, 3.0, 3333333333333333.0, 1.0),
        ] {
            assert_eq!(arithmetic(Binary::FloorDiv, a, b).to_bits(), f64::to_bits(quotient), "{a} // {b}");
            assert_eq!(arithmetic(Binary::Mod, a, b).to_bits(), f64::to_bits(remainder), "{a} % {b}");
        }
        // What Python raises for or gives as an infinity.
        for (op, a, b) in [
            (Binary::Mod, 1.0, 0.0),
            (Binary::FloorDiv, 1.0, 0.0),
            (Binary::FloorDiv, 1e308, 1e-10),
            (Binary::FloorDiv, UNDEFINED, 1.0),
            (Binary::Mod, 1.0, UNDEFINED),
        ] {
            assert_eq!(arithmetic(op, a, b).to_bits(), UNDEFINED.to_bits());
        }
    }

    #[test]
    fn connectives_stop_at_the_left_operand() {
        let table = |op| [FALSE, TRUE, UNKNOWN].map(|a| [FALSE, TRUE, UNKNOWN].map(|b| connect(op, a, b)));
        assert_eq!(table(Binary::And), [[0, 0, 0], [0, 1, 2], [2, 2, 2]]);
        assert_eq!(table(Binary::Or), [[0, 1, 2], [1, 1, 1], [2, 2, 2]]);
    }

    #[test]
    fn whatever_is_not_finite_is_the_one_undefined_number() {
        for value in [
            arithmetic(Binary::Div, 1.0, 0.0),
            arithmetic(Binary::Div, 0.0, 0.0),
            root(-1.0),
            negate(f64::NAN),
        ] {
            assert_eq!(value.to_bits(), UNDEFINED.to_bits());
        }
        assert_eq!(arithmetic(Binary::Mul, 1e308, 10.0).to_bits(), UNDEFINED.to_bits());
    }

    #[test]
    fn a_quotient_of_large_integers_is_rounded_once() {
        // 2^53 + 1 lies half-way between two floats: divided by 1 it goes to the even one, and 2^53 + 3 up.
        assert_eq!(nearest_quotient((1 << 53) + 1, 1).to_bits(), 9_007_199_254_740_992_f64.to_bits());
        assert_eq!(nearest_quotient((1 << 53) + 3, 1).to_bits(), 9_007_199_254_740_996_f64.to_bits());
        // Converting the numerator first would give …992/3; the exact third of 2^53 + 1 is 3002399751580331 exactly.
        assert_eq!(nearest_quotient((1 << 53) + 1, 3).to_bits(), 3_002_399_751_580_331_f64.to_bits());
        assert_eq!(nearest_quotient(10, 4).to_bits(), 2.5_f64.to_bits());
    }
}
