//! The standard normal distribution.

/// The probability of a value up to `x`.
pub(super) fn probability(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// The value up to which lies the probability `p`, between 0 and 1 exclusively; elsewhere infinite or NaN.
///
/// Wichura, *Algorithm AS 241: The Percentage Points of the Normal Distribution*, 1988, routine PPND16: a relative
/// error of some 1e-16.
pub(super) fn quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * quotient(&CENTRE, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = (-libm::log(tail)).sqrt();
    let value = if r <= 5.0 { quotient(&NEAR, r - 1.6) } else { quotient(&FAR, r - 5.0) };
    if q < 0.0 { -value } else { value }
}

/// A polynomial over another, coefficients from the constant up.
type Quotient = ([f64; 8], [f64; 8]);

fn quotient((above, below): &Quotient, x: f64) -> f64 {
    let polynomial = |of: &[f64; 8]| of.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient);
    polynomial(above) / polynomial(below)
}

const CENTRE: Quotient = (
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
);
const NEAR: Quotient = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);
const FAR: Quotient = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_points_of_the_tables() {
        // Abramowitz and Stegun, table 26.1 and 26.5.
        for (x, p) in [(0.0, 0.5), (1.0, 0.841_344_746_068_543), (1.96, 0.975_002_104_851_780)] {
            assert!((probability(x) - p).abs() < 1e-15, "{x}");
        }
        for (p, x) in [
            (0.975, 1.959_963_984_540_054),
            (0.99, 2.326_347_874_040_841),
            (0.9999, 3.719_016_485_455_709),
            (1e-20, -9.262_340_089_798_408),
        ] {
            assert!((quantile(p) / x - 1.0).abs() < 1e-14, "{p}: {}", quantile(p));
        }
    }

    #[test]
    fn the_quantile_inverts_the_probability_and_grows() {
        let mut before = f64::NEG_INFINITY;
        for step in 1..4_000 {
            let p = f64::from(step) / 4_000.0;
            let x = quantile(p);
            assert!((probability(x) - p).abs() < 1e-15 && x > before, "{p}");
            before = x;
        }
        for exponent in 1..300 {
            let p = libm::pow(10.0, -f64::from(exponent));
            assert!((probability(quantile(p)) / p - 1.0).abs() < 1e-12, "{p}");
        }
        assert!(quantile(0.0).is_nan() || quantile(0.0).is_infinite());
    }
}
