//! Division of floats that rounds down, as Python has it (CPython, `float_divmod`): what the compiler folds and what the
//! engine evaluates is one.

/// Whether a remainder lies on the other side of zero than its divisor: the quotient was not rounded down then.
fn is_opposite(remainder: f64, divisor: f64) -> bool {
    remainder.abs() > 0.0 && (remainder < 0.0) != (divisor < 0.0)
}

/// Python's `%` of floats: the exact remainder, with the sign of the divisor, also where it is zero. Not a number where the
/// divisor is zero.
#[inline]
#[must_use]
pub fn floor_mod(a: f64, b: f64) -> f64 {
    let remainder = a % b;
    if is_opposite(remainder, b) { remainder + b } else { remainder.abs().copysign(b) }
}

/// Python's `//` of floats: the floor of the exact quotient, so that `1.0 // 0.1` is 9. A zero has the quotient's sign.
#[inline]
#[must_use]
pub fn floor_div(a: f64, b: f64) -> f64 {
    let remainder = a % b;
    let quotient = (a - remainder) / b - f64::from(u8::from(is_opposite(remainder, b)));
    let floor = quotient.floor();
    match quotient {
        0.0 => 0.0_f64.copysign(a / b),
        _ if quotient - floor > 0.5 => floor + 1.0,
        _ => floor,
    }
}
