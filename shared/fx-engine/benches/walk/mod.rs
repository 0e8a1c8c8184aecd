//! A walk of whole points, one minute a bar: the same on every machine.

use fx_domain::{Bar, Bars, NANOS_PER_MINUTE, Ohlc, Price, QuoteSide, UnixNanos};

/// That many bars of a bid.
pub(crate) fn bars(count: usize) -> Bars {
    let mut bars = Bars::empty(Some(QuoteSide::Bid));
    let (mut seed, mut points) = (42_u64, 110_000_i64);
    let mut step = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 60) as i64 - 7
    };
    for row in 0..count {
        let open = points;
        points = (points + step()).clamp(50_000, 200_000);
        let (high, low) = (open.max(points) + step().abs(), open.min(points) - step().abs());
        let price = |points: i64| Price::from_nanos(points * 10_000);
        let bid = Ohlc { open: price(open), high: price(high), low: price(low), close: price(points) };
        bars.push(Bar { time: UnixNanos::new(row as i64 * NANOS_PER_MINUTE), bid, ask: None, volume: 1 });
    }
    bars
}
