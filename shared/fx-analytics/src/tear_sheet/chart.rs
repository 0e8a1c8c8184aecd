//! The charts, drawn here so that the page needs no script.

use super::axis::{Scale, time_ticks};
use super::outline::Point;
use super::text::{escape, minute, number, signed};
use super::{Sketch, TearSheet};
use fx_domain::{Price, Side, Trade, UnixNanos};
use std::fmt::Write as _;

const WIDTH: f64 = 1040.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 1028.0;
/// Pixel columns of a plot: a line keeps first, lowest, highest and last value of each.
const COLUMNS: usize = (RIGHT - LEFT) as usize;
/// Air above and below a curve, as a share of its range.
const PADDING: f64 = 0.06;

fn range(line: &[Point]) -> (f64, f64) {
    line.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (_, value)| {
        (low.min(*value), high.max(*value))
    })
}

/// The rest of a line from the last point before `from` on.
fn after(line: &[Point], from: UnixNanos) -> &[Point] {
    &line[line.partition_point(|(time, _)| *time < from).saturating_sub(1)..]
}

/// The points of the line: each pixel column keeps its first, lowest, highest and last value, so that no extreme is
/// lost however long the line is.
fn pixels(line: &[Point], x: &TimeScale, y: &Scale) -> Vec<(f64, f64)> {
    let column = |index: usize| (x.at(line[index].0) - LEFT).clamp(0.0, COLUMNS as f64) as usize;
    let mut points = Vec::new();
    let mut start = 0;
    while start < line.len() {
        let here = column(start);
        let (mut low, mut high, mut end) = (start, start, start);
        while end + 1 < line.len() && column(end + 1) == here {
            end += 1;
            low = if line[end].1 < line[low].1 { end } else { low };
            high = if line[end].1 > line[high].1 { end } else { high };
        }
        let mut kept = [start, low.min(high), low.max(high), end].to_vec();
        kept.dedup();
        points.extend(kept.into_iter().map(|index| (x.at(line[index].0), y.at(line[index].1))));
        start = end + 1;
    }
    points
}

struct TimeScale {
    from: UnixNanos,
    to: UnixNanos,
    scale: Scale,
}

impl TimeScale {
    fn new(from: UnixNanos, to: UnixNanos) -> Self {
        let span = to.get().saturating_sub(from.get());
        Self { from, to, scale: Scale::new(0.0, span as f64, LEFT, RIGHT) }
    }

    fn at(&self, time: UnixNanos) -> f64 {
        self.scale.at(time.get().saturating_sub(self.from.get()) as f64)
    }
}

fn padded(low: f64, high: f64, bottom: f64, top: f64) -> Scale {
    let air = (high - low) * PADDING;
    Scale::new(low - air, high + air, bottom, top)
}

fn path(points: &[(f64, f64)]) -> String {
    let mut text = String::with_capacity(points.len() * 12);
    for (index, (x, y)) in points.iter().enumerate() {
        let _ = write!(text, "{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' });
    }
    text
}

fn closed(points: &[(f64, f64)], base: f64) -> String {
    match (points.first(), points.last()) {
        (Some(first), Some(last)) => {
            format!("{}L{:.1} {base:.1}L{:.1} {base:.1}Z", path(points), last.0, first.0)
        }
        _ => String::new(),
    }
}

fn value_axis(svg: &mut String, scale: &Scale, count: f64, suffix: &str) {
    for (value, label) in scale.ticks(count) {
        let y = scale.at(value);
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/><text class=\"end\" x=\"{:.0}\" y=\"{:.1}\">{label}{suffix}</text>",
            LEFT - 8.0,
            y + 4.0
        );
    }
}

fn time_axis(svg: &mut String, x: &TimeScale, top: f64, bottom: f64) {
    let _ = write!(svg, "<path class=\"axis\" d=\"M{LEFT} {bottom:.1}H{RIGHT}\"/>");
    for (time, label) in time_ticks(x.from, x.to) {
        let at = x.at(time);
        // A label that would hang over the edge is left out; its line stays.
        let fits = (LEFT + 8.0..=RIGHT - 24.0).contains(&at);
        let label = if fits { label } else { String::new() };
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{at:.1} {top:.1}V{bottom:.1}\"/><text class=\"mid\" x=\"{at:.1}\" y=\"{:.1}\">{label}</text>",
            bottom + 18.0
        );
    }
}

/// Equity above, the fall from its peak below, on one time axis.
pub(super) fn equity_chart(sheet: &TearSheet<'_>) -> Option<String> {
    const TOP: f64 = 10.0;
    const MIDDLE: f64 = 270.0;
    const UNDER_TOP: f64 = 300.0;
    const BOTTOM: f64 = 400.0;
    let first = sheet.sketch.begins?;
    let initial = sheet.sketch.initial_capital.to_f64();
    let (equity, under) = (sheet.sketch.equity.points(), sheet.sketch.fall.points());

    let x = TimeScale::new(first, equity.last()?.0);
    let (low, high) = range(&equity);
    let y = padded(low, high, MIDDLE, TOP);
    let depth = range(&under).0.min(-1e-6);
    let y_under = Scale::new(depth * 1.08, 0.0, BOTTOM, UNDER_TOP);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} 426\" role=\"img\" aria-label=\"Equity from {} to {}, and its falls from the peak below\">",
        number(initial, 2),
        number(equity.last().map_or(initial, |(_, value)| *value), 2)
    );
    time_axis(&mut svg, &x, TOP, BOTTOM);
    value_axis(&mut svg, &y, 5.0, "");
    value_axis(&mut svg, &y_under, 3.0, "\u{2009}%");
    let points = pixels(&equity, &x, &y);
    let base = y.at(initial);
    let _ = write!(
        svg,
        "<path class=\"fill\" d=\"{}\"/><path class=\"base\" d=\"M{LEFT} {base:.1}H{RIGHT}\"/><path class=\"curve\" d=\"{}\"/>\
         <path class=\"under\" d=\"{}\"/></svg>",
        closed(&points, base),
        path(&points),
        closed(&pixels(&under, &x, &y_under), UNDER_TOP)
    );
    Some(svg)
}

/// When the price chart begins: with the run, or with the first of the trades that it shows.
fn price_from(sketch: &Sketch, first: UnixNanos) -> UnixNanos {
    if sketch.shows_all_trades() {
        return first;
    }
    sketch.drawn.iter().map(|trade| trade.entry_time).min().unwrap_or(first)
}

/// Closes, with a line from entry to exit of each trade shown.
pub(super) fn price_chart(sheet: &TearSheet<'_>) -> Option<String> {
    const TOP: f64 = 12.0;
    const BOTTOM: f64 = 350.0;
    let sketch = sheet.sketch;
    let from = price_from(sketch, sketch.begins?);
    let closes = sketch.closes.points();
    let closes = after(&closes, from);
    let x = TimeScale::new(from, closes.last()?.0);
    let fills = sketch.drawn.iter().flat_map(|trade| [trade.entry_price.to_f64(), trade.exit_price.to_f64()]);
    let (low, high) = fills.fold(range(closes), |(low, high), price| (low.min(price), high.max(price)));
    let y = padded(low, high, BOTTOM, TOP);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} 376\" role=\"img\" aria-label=\"Price of {} with the trades\">",
        escape(&sheet.instrument.to_string())
    );
    time_axis(&mut svg, &x, TOP, BOTTOM);
    value_axis(&mut svg, &y, 6.0, "");
    let mut points = pixels(closes, &x, &y);
    points.retain(|(at, _)| *at >= LEFT);
    let _ = write!(svg, "<path class=\"price\" d=\"{}\"/>", path(&points));
    for trade in &sketch.drawn {
        draw_trade(&mut svg, trade, &x, &y);
    }
    svg.push_str("</svg>");
    Some(svg)
}

/// A triangle at the entry (up for long, down for short), a ring at the exit, a line between, what it was on hover.
fn draw_trade(svg: &mut String, trade: &Trade, x: &TimeScale, y: &Scale) {
    let at = |time: UnixNanos, price: Price| (x.at(time), y.at(price.to_f64()));
    let (entry, exit) = (at(trade.entry_time, trade.entry_price), at(trade.exit_time, trade.exit_price));
    let class = if trade.profit_loss.micros() > 0 { "win" } else { "lost" };
    let triangle = match trade.side {
        Side::Long => "l4 7h-8z",
        Side::Short => "l4-7h-8z",
    };
    let tip = match trade.side {
        Side::Long => entry.1 - 3.5,
        Side::Short => entry.1 + 3.5,
    };
    let _ = write!(
        svg,
        "<g class=\"{class}\"><title>{} {} at {}, {} at {} on {}: {}</title>\
         <path class=\"hold\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/><path class=\"mark\" d=\"M{:.1} {tip:.1}{triangle}\"/>\
         <path class=\"exit\" d=\"M{:.1} {:.1}a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0\"/></g>",
        trade.side.as_str(),
        trade.units,
        trade.entry_price,
        trade.exit_reason.as_str().replace('_', " "),
        trade.exit_price,
        minute(trade.exit_time),
        signed(trade.profit_loss.to_f64(), 2),
        entry.0,
        entry.1,
        exit.0,
        exit.1,
        entry.0,
        exit.0 - 2.5,
        exit.1,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_shortened_line_keeps_the_extremes(values in prop::collection::vec(-1e6f64..1e6, 2..20_000)) {
            let line: Vec<Point> =
                values.iter().enumerate().map(|(at, value)| (UnixNanos::new(at as i64), *value)).collect();
            let x = TimeScale::new(UnixNanos::new(0), UnixNanos::new(line.len() as i64 - 1));
            let y = Scale::new(-1e6, 1e6, -1e6, 1e6);
            let points = pixels(&line, &x, &y);
            let (low, high) = range(&line);
            let found = |wanted: f64| points.iter().any(|(_, value)| (value - wanted).abs() < 1e-6);
            prop_assert!(found(low) && found(high));
            prop_assert!(points.len() <= 4 * (COLUMNS + 1));
            prop_assert!(points.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        }
    }
}
