//! What is left of rounding after very many bars.

use super::{CHUNK, NumberWindow, Smoother};
use crate::value::UNDEFINED;
use fx_strategy::{Recursion, Window};

/// Bars of a long run: ten million take some seconds where the compiler has done its work.
const BARS: usize = if cfg!(debug_assertions) { 200_000 } else { 10_000_000 };

/// Bars of each function.
const LENGTH: u32 = 50;

/// Bars after which nothing is left of where an average began: the weight of the first one is below 1e-80 by then.
const FORGOTTEN: usize = 10_000;

/// A walk whose steps are no short binary fractions.
fn walk() -> Vec<f64> {
    let (mut seed, mut price) = (42_u64, 1.1);
    let mut step = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 40) as f64 / (1_u64 << 24) as f64 - 0.5
    };
    (0..BARS)
        .map(|_| {
            price += 0.001 * step() + 0.001 * (1.1 - price);
            price
        })
        .collect()
}

#[test]
fn after_ten_million_bars_a_window_is_what_its_last_values_say() {
    let values = walk();
    for kind in Window::ALL {
        let mut out = [UNDEFINED; CHUNK];
        let mut window = NumberWindow::new(kind, LENGTH as usize, &[]);
        let mut last = UNDEFINED;
        for block in values.chunks(CHUNK) {
            window.advance(block, &mut out[..block.len()]);
            last = out[block.len() - 1];
        }
        let (newest, before) = values.split_last().unwrap();
        let mut again = [UNDEFINED];
        NumberWindow::new(kind, LENGTH as usize, &before[before.len() + 1 - LENGTH as usize..])
            .advance(&[*newest], &mut again);
        assert!(last.is_finite());
        assert_eq!(last.to_bits(), again[0].to_bits(), "{kind:?}");
    }
}

#[test]
fn after_ten_million_bars_an_average_is_what_its_last_values_say() {
    let values = walk();
    for kind in [Recursion::Ema, Recursion::Rma, Recursion::Rsi] {
        let end = |values: &[f64]| {
            let (mut smoother, mut out) = (Smoother::new(), [UNDEFINED; CHUNK]);
            let mut last = UNDEFINED;
            for block in values.chunks(CHUNK) {
                smoother.advance(kind, LENGTH, block, &mut out[..block.len()]);
                last = out[block.len() - 1];
            }
            last
        };
        let (all, recent) = (end(&values), end(&values[values.len() - FORGOTTEN..]));
        assert!(((all - recent) / recent).abs() < 1e-13, "{kind:?}: {all} and {recent}");
    }
}

#[test]
fn a_strength_whose_gains_overflow_is_undefined_and_not_flat() {
    // A gain beyond the largest number, and no loss: neither 50 nor 100 would be true.
    let values = [-1e308, 1e308, 1e308, 1e308, 1e308];
    for parts in [1, values.len()] {
        let (mut smoother, mut out) = (Smoother::new(), [0.0; 5]);
        for (block, out) in values.chunks(parts).zip(out.chunks_mut(parts)) {
            smoother.advance(Recursion::Rsi, 2, block, out);
        }
        assert!(out.iter().all(|value| value.to_bits() == UNDEFINED.to_bits()), "{out:?}");
    }
    // The seed was sound, what came later was not.
    let values = [1.0, 1.0, 1.0, -1e308, 1e308, 1e308];
    let (mut smoother, mut out) = (Smoother::new(), [0.0; 6]);
    smoother.advance(Recursion::Rsi, 2, &values, &mut out);
    assert_eq!((out[2], out[3]), (50.0, 0.0));
    assert!(out[4..].iter().all(|value| value.is_nan()), "{out:?}");
}
