//! What the plan's documentation says, said once more and plainly.

use crate::value::{FALSE, TRUE, Tri, UNDEFINED, UNKNOWN, finite_or_undefined, nearest_quotient};
use fx_domain::{NANOS_PER_DAY, UnixNanos, next_roll_after};
use fx_strategy::{Period, Recursion, Scan, Session, Window};

pub(super) fn price_window(kind: Window, length: usize, prices: &[i64], scale: i64) -> Vec<f64> {
    let value = |window: &[i64]| {
        let sum: i64 = window.iter().sum();
        if kind == Window::Sma {
            return nearest_quotient(sum.unsigned_abs(), length as u64 * scale as u64);
        }
        let squares: i128 = window.iter().map(|x| i128::from(*x) * i128::from(*x)).sum();
        let spread = length as i128 * squares - i128::from(sum) * i128::from(sum);
        (spread as f64).sqrt() / (length as f64 * scale as f64)
    };
    let full = prices.windows(length).map(value);
    std::iter::repeat_n(UNDEFINED, length - 1).chain(full).take(prices.len()).collect()
}

/// Mean, spread and tilt of a window, from those of its newest 2^k values and of the older ones.
fn moments(window: &[f64]) -> [f64; 3] {
    if let [x] = window {
        return [*x, 0.0, 0.0];
    }
    let mut newest = 1;
    while newest * 2 < window.len() {
        newest *= 2;
    }
    let (older, newer) = window.split_at(window.len() - newest);
    let (p, q) = (older.len() as f64, newer.len() as f64);
    let (older, newer) = (moments(older), moments(newer));
    let delta = newer[0] - older[0];
    [
        older[0] + delta * (q / (p + q)),
        (older[1] + newer[1]) + delta * delta * (p * q / (p + q)),
        (older[2] + newer[2]) + delta * (p * q / 2.0),
    ]
}

pub(super) fn number_window(kind: Window, length: usize, numbers: &[f64]) -> Vec<f64> {
    let count = length as f64;
    let value = |window: &[f64]| {
        if window.iter().any(|x| x.is_nan()) {
            return UNDEFINED;
        }
        let [mean, spread, tilt] = moments(window);
        finite_or_undefined(match kind {
            Window::Sma => mean,
            Window::Wma => mean + tilt / (count * (count + 1.0) / 2.0),
            Window::Slope => tilt / (count * (count * count - 1.0) / 12.0),
            Window::Stdev => (spread / count).sqrt(),
            Window::MeanDeviation => window.iter().fold(0.0, |sum, x| sum + (x - mean).abs()) / count,
            Window::Highest => {
                window[1..].iter().fold(window[0], |best, x| if *x >= best { *x } else { best })
            }
            Window::Lowest => {
                window[1..].iter().fold(window[0], |best, x| if *x <= best { *x } else { best })
            }
        })
    };
    let full = numbers.windows(length).map(value);
    std::iter::repeat_n(UNDEFINED, length - 1).chain(full).take(numbers.len()).collect()
}

pub(super) fn recursion(kind: Recursion, length: f64, numbers: impl Iterator<Item = f64>) -> Vec<f64> {
    let (mut seen, mut last, mut up, mut down) = (0.0, 0.0, 0.0, 0.0);
    let rma = |y: f64, x: f64| finite_or_undefined((y * (length - 1.0) + x) / length);
    let seeded = |seen: f64, y: f64, x: f64, step: &dyn Fn(f64, f64) -> f64| {
        if seen > length {
            return step(y, x);
        }
        finite_or_undefined(if seen < length { y + x } else { (y + x) / length })
    };
    let value = |x: f64| {
        if x.is_nan() {
            return UNDEFINED;
        }
        seen += 1.0;
        if kind != Recursion::Rsi {
            let ema = |y: f64, x: f64| finite_or_undefined(y + 2.0 / (length + 1.0) * (x - y));
            up = if kind == Recursion::Ema { seeded(seen, up, x, &ema) } else { seeded(seen, up, x, &rma) };
            return if seen < length { UNDEFINED } else { up };
        }
        let difference = x - last;
        last = x;
        if seen < 2.0 {
            return UNDEFINED;
        }
        up = seeded(seen - 1.0, up, difference.max(0.0), &rma);
        down = seeded(seen - 1.0, down, (-difference).max(0.0), &rma);
        match (up, down) {
            _ if seen <= length => UNDEFINED,
            (up, down) if down > 0.0 || up.is_nan() || down.is_nan() => {
                finite_or_undefined(100.0 - 100.0 / (1.0 + up / down))
            }
            (up, _) if up > 0.0 => 100.0,
            _ => 50.0,
        }
    };
    numbers.map(value).collect()
}

/// Operands and values by their bits, as the columns of a plan are.
pub(super) fn scan(kind: Scan, a: &[u64], b: &[u64], occasion: u32) -> Vec<u64> {
    let (mut before, mut last, mut holds) = (UNDEFINED, UNDEFINED, false);
    let mut occasions = Vec::new();
    let step = |(a, b): (&u64, &u64)| {
        let (x, y) = (f64::from_bits(*a), f64::from_bits(*b));
        let (p, q) = (*a as Tri, *b as Tri);
        match kind {
            Scan::Adaptive | Scan::Ratchet if x.is_nan() || y.is_nan() => {
                last = if x.is_nan() { last } else { x };
                UNDEFINED.to_bits()
            }
            Scan::Adaptive => {
                let known = [before, last, x].into_iter().find(|value| !value.is_nan()).unwrap();
                before = finite_or_undefined(known + y * (x - known));
                last = x;
                before.to_bits()
            }
            Scan::Ratchet => {
                before = if before.is_nan() || before > x || y > before { x } else { before };
                before.to_bits()
            }
            Scan::Latch if p == UNKNOWN || q == UNKNOWN => u64::from(UNKNOWN),
            Scan::Latch => {
                holds = (!holds && p == TRUE) || (holds && q == FALSE);
                u64::from(holds)
            }
            Scan::BarsSince => {
                before = if p == TRUE { 0.0 } else { before + 1.0 };
                finite_or_undefined(before).to_bits()
            }
            Scan::ValueWhen => {
                if p == TRUE {
                    occasions.push(*b);
                }
                let found = occasions.len().checked_sub(occasion as usize).map(|place| occasions[place]);
                found.unwrap_or(UNDEFINED.to_bits())
            }
        }
    };
    a.iter().zip(b).map(step).collect()
}

/// Of high, low, step and limit. A fall is a rise of prices turned upside down.
pub(super) fn psar(bars: &[[f64; 4]]) -> Vec<f64> {
    struct Way {
        sign: f64,
        stop: f64,
        extreme: f64,
        factor: f64,
    }
    let larger = |a: f64, b: f64| if b > a { b } else { a };
    let smaller = |a: f64, b: f64| if b < a { b } else { a };
    let (mut first, mut way): (Option<[f64; 2]>, Option<Way>) = (None, None);
    let mut values = Vec::new();
    for bar in bars {
        let [high, low, step, limit] = *bar;
        if bar.iter().any(|x| x.is_nan()) {
            values.push(UNDEFINED);
            continue;
        }
        let step = smaller(step, limit);
        let Some(mut before) = first.replace([high, low]) else {
            values.push(UNDEFINED);
            continue;
        };
        let mut now = way.take().unwrap_or_else(|| {
            let falls = before[1] - low > 0.0 && high - before[0] < before[1] - low;
            let [stop, extreme] = if falls { [-before[0], -low] } else { [before[1], high] };
            before = [high, low];
            Way { sign: if falls { -1.0 } else { 1.0 }, stop, extreme, factor: step }
        });
        let turned = |sign: f64, [high, low]: [f64; 2]| if sign > 0.0 { [high, low] } else { [-low, -high] };
        let ([up, down], [up_before, down_before]) =
            (turned(now.sign, [high, low]), turned(now.sign, before));
        let (value, next);
        if down <= now.stop {
            let highest = larger(up_before, up);
            let stop = larger(now.extreme, highest);
            value = now.sign * stop;
            (now.factor, now.extreme, now.sign) = (step, -down, -now.sign);
            let after = -stop + now.factor * (now.extreme + stop);
            next = smaller(after, -highest);
        } else {
            value = now.sign * now.stop;
            if up > now.extreme {
                (now.extreme, now.factor) = (up, smaller(now.factor + step, limit));
            }
            let after = now.stop + now.factor * (now.extreme - now.stop);
            next = smaller(after, smaller(down_before, down));
        }
        now.stop = finite_or_undefined(next);
        now.factor = finite_or_undefined(now.factor);
        values.push(finite_or_undefined(value + 0.0));
        way = Some(now);
    }
    values
}

/// The number of a session: the days from 1970 to the end of its trading day, or the weeks.
fn session_number(period: Period, time: UnixNanos) -> i64 {
    let day = next_roll_after(time).get().div_euclid(NANOS_PER_DAY);
    match period {
        Period::Day => day,
        // 1970-01-01 was a Thursday: weeks are counted from the Monday before.
        Period::Week => (day + 3).div_euclid(7),
    }
}

pub(super) fn session(kind: Session, period: Period, times: &[UnixNanos], values: &[f64]) -> Vec<f64> {
    let mut sessions: Vec<(i64, Vec<f64>)> = Vec::new();
    let mut out = Vec::new();
    for (time, x) in times.iter().zip(values) {
        let number = session_number(period, *time);
        if sessions.last().is_none_or(|(last, _)| *last != number) {
            sessions.push((number, Vec::new()));
        }
        let place = sessions.len() - 1;
        if !x.is_nan() {
            sessions[place].1.push(*x);
        }
        let of = |place: usize, pick: &dyn Fn(f64, f64) -> f64| {
            sessions[place].1.iter().copied().reduce(pick).unwrap_or(UNDEFINED)
        };
        out.push(match kind {
            Session::Sum if x.is_nan() => UNDEFINED,
            Session::Sum => of(place, &|sum, x| {
                if sum.is_nan() { x } else { finite_or_undefined(sum + x) }
            }),
            _ if place < 2 => UNDEFINED,
            Session::Highest => of(place - 1, &|best, x| if x >= best { x } else { best }),
            Session::Lowest => of(place - 1, &|best, x| if x <= best { x } else { best }),
            Session::Last => of(place - 1, &|_, x| x),
        });
    }
    out
}
