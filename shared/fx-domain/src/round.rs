//! The one rounding rule of the house: to nearest, ties to even.

/// `numerator / denominator`, rounded to nearest, ties to even.
///
/// # Panics
/// When `denominator` is not positive: a scale is a constant of the program.
#[must_use]
pub const fn div_half_even(numerator: i128, denominator: i128) -> i128 {
    assert!(denominator > 0, "a rounding scale is positive");
    let quotient = numerator.div_euclid(denominator);
    let twice = 2 * numerator.rem_euclid(denominator);
    if twice > denominator || (twice == denominator && quotient % 2 != 0) { quotient + 1 } else { quotient }
}

/// `value` rounded to the nearest integer, ties to even; `None` when it is not finite or does not fit.
#[must_use]
pub fn f64_to_i64_half_even(value: f64) -> Option<i64> {
    let rounded = value.round_ties_even();
    // 2^63 is exactly representable, i64::MAX is not: the range is half open on purpose.
    (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded).then_some(rounded as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ties_go_to_the_even_neighbour_on_both_sides_of_zero() {
        let halves: Vec<i128> = [-5, -3, -1, 1, 3, 5].iter().map(|n| div_half_even(*n, 2)).collect();
        assert_eq!(halves, [-2, -2, 0, 0, 2, 2]);
    }

    #[test]
    fn a_float_that_does_not_fit_is_none() {
        assert_eq!(f64_to_i64_half_even(2.5), Some(2));
        assert_eq!(f64_to_i64_half_even(f64::NAN), None);
        assert_eq!(f64_to_i64_half_even(f64::INFINITY), None);
        assert_eq!(f64_to_i64_half_even(9.3e18), None);
        assert_eq!(f64_to_i64_half_even(-9_223_372_036_854_775_808.0), Some(i64::MIN));
    }

    proptest! {
        #[test]
        fn rounding_is_odd_and_never_off_by_more_than_a_half(n in -1_000_000_000_000i128..1_000_000_000_000, d in 1i128..1_000_000) {
            let q = div_half_even(n, d);
            prop_assert!((2 * (q * d - n)).abs() <= d);
            prop_assert_eq!(q, -div_half_even(-n, d));
        }
    }
}
