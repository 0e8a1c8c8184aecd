//! The tables of the page.

use super::TearSheet;
use super::axis::MONTHS;
use super::text::{UNDEFINED, duration_of_hours, escape, minute, number, optional, percent, signed, tone};
use crate::Report;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Four figures that one looks at first.
pub(super) fn tiles(sheet: &TearSheet<'_>) -> String {
    let Report { metrics, drawdown_stats, .. } = sheet.report;
    let currency = sheet.sketch.initial_capital.currency();
    let top = drawdown_stats.top_drawdowns.first();
    let below = match top {
        None => "never below its peak".to_owned(),
        Some(fall) if fall.recovery_time.is_some() => "recovered since".to_owned(),
        Some(_) => "not recovered by the end".to_owned(),
    };
    let tile = |name: &str, class: &str, value: &str, small: &str| {
        format!(
            "<div class=\"tile\"><span>{name}</span><strong class=\"{class}\">{value}</strong><small>{small}</small></div>"
        )
    };
    [
        "<div class=\"tiles\">".to_owned(),
        tile(
            "Net profit",
            tone(metrics.net_profit),
            &signed(metrics.net_profit, 2),
            &format!("{currency}, {} % of the capital", signed(metrics.net_profit_pct, 2)),
        ),
        tile("Deepest drawdown", "", &format!("{} %", number(metrics.max_drawdown, 2)), &below),
        tile(
            "Sharpe ratio",
            "",
            &optional(sheet.report.sharpe_ratio, 2),
            &format!("of {} daily returns", number(sheet.report.ratio_basis.daily_returns as f64, 0))
                .replace(
                    "daily",
                    if sheet.report.ratio_basis.days_per_year < 100.0 { "weekly" } else { "daily" },
                ),
        ),
        tile(
            "Win rate",
            "",
            &percent(metrics.win_rate.map(|rate| rate * 100.0)),
            &format!("of {} closed trades", number(metrics.total_trades as f64, 0)),
        ),
        "</div>".to_owned(),
    ]
    .concat()
}

/// The headline table.
pub(super) fn figures(sheet: &TearSheet<'_>) -> String {
    let Report { metrics, trade_stats, drawdown_stats, comparable, .. } = sheet.report;
    let paid =
        metrics.costs.spread + metrics.costs.commission + metrics.costs.slippage + metrics.costs.financing;
    let rows = [
        ("Initial capital", number(sheet.sketch.initial_capital.to_f64(), 2)),
        ("Final equity", number(metrics.final_equity, 2)),
        ("Final balance", number(metrics.final_balance, 2)),
        ("Buy and hold", percent(comparable.buy_and_hold_return_pct)),
        ("Time in the market", percent(comparable.exposure_time_pct)),
        ("Annual growth (CAGR)", percent(comparable.cagr_pct)),
        ("Sortino ratio", optional(sheet.report.sortino_ratio, 2)),
        ("Calmar ratio", optional(sheet.report.calmar_ratio, 2)),
        ("Profit factor", optional(metrics.profit_factor, 2)),
        ("Expectancy per trade", optional(metrics.expectancy, 2)),
        ("Average win", optional(metrics.avg_profit, 2)),
        ("Average loss", optional(metrics.avg_loss, 2)),
        ("Largest win", optional(trade_stats.max_profit, 2)),
        ("Largest loss", optional(trade_stats.max_loss, 2)),
        ("Average duration", duration_of_hours(trade_stats.avg_trade_duration)),
        (
            "Wins, losses in a row",
            format!("{}, {}", trade_stats.consecutive_wins, trade_stats.consecutive_losses),
        ),
        (
            "Longest under water",
            drawdown_stats
                .max_underwater_period
                .map_or_else(|| UNDEFINED.to_owned(), |d| format!("{} days", number(d, 1))),
        ),
        ("Costs paid", number(paid, 2)),
    ];
    let mut html = "<dl class=\"figures\">".to_owned();
    for (name, value) in rows {
        let _ = write!(html, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    html + "</dl>"
}

/// Shades on each side of zero.
const SHADES: f64 = 4.0;

/// A table of years and months, shaded by size.
pub(super) fn monthly(returns: &BTreeMap<String, f64>) -> String {
    let mut years: BTreeMap<&str, [Option<f64>; 12]> = BTreeMap::new();
    for (key, value) in returns {
        let Some((year, month)) = key.rsplit_once('-') else { continue };
        let slot = month.parse::<usize>().ok().and_then(|month| month.checked_sub(1));
        if let Some(cell) = slot.and_then(|slot| years.entry(year).or_default().get_mut(slot)) {
            *cell = Some(*value);
        }
    }
    let largest = returns.values().fold(0.0f64, |largest, value| largest.max(value.abs()));
    let mut html = "<div class=\"scroll\"><table class=\"heat\"><tr><th></th>".to_owned();
    for month in MONTHS {
        let _ = write!(html, "<th scope=\"col\">{month}</th>");
    }
    html.push_str("<th scope=\"col\">Year</th></tr>");
    for (year, months) in years.iter().rev() {
        let _ = write!(html, "<tr><th scope=\"row\">{}</th>", escape(year));
        let mut growth = 1.0;
        for month in months {
            match month {
                None => html.push_str("<td class=\"none\">·</td>"),
                Some(value) => {
                    growth *= 1.0 + value / 100.0;
                    let _ =
                        write!(html, "<td class=\"{}\">{}</td>", shade(*value, largest), signed(*value, 2));
                }
            }
        }
        let total = (growth - 1.0) * 100.0;
        let _ = write!(html, "<td class=\"year {}\">{}</td></tr>", tone(total), signed(total, 2));
    }
    html + "</table></div>"
}

fn shade(value: f64, largest: f64) -> String {
    let side = if value > 0.0 { 'p' } else { 'n' };
    let level = (value.abs() / largest * SHADES).ceil();
    if level >= 1.0 { format!("{side}{}", level.min(SHADES) as u8) } else { String::new() }
}

/// From the gain before costs to the net profit, row by row; the rows add up.
pub(super) fn costs(sheet: &TearSheet<'_>) -> String {
    let metrics = &sheet.report.metrics;
    let costs = &metrics.costs;
    let closed = metrics.gross_profit - metrics.gross_loss;
    let before = closed + costs.spread + costs.commission + costs.slippage + costs.financing;
    let rows = [
        ("Spread", costs.spread),
        ("Commission", costs.commission),
        ("Slippage", costs.slippage),
        ("Financing", costs.financing),
    ];
    let largest = rows.iter().fold(0.0f64, |largest, (_, value)| largest.max(value.abs()));
    let mut html = format!(
        "<table><tr><td class=\"left\">Closed trades before costs</td><td></td><td>{}</td></tr>",
        signed(before, 2)
    );
    for (name, value) in rows {
        let width = if largest > 0.0 { value.abs() / largest * 100.0 } else { 0.0 };
        let class = if value < 0.0 { "paid" } else { "cost" };
        let _ = write!(
            html,
            "<tr><td class=\"left\">{name}</td><td class=\"bar\"><svg viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\" height=\"8\" aria-hidden=\"true\">\
             <rect class=\"{class}\" width=\"{width:.1}\" height=\"6\" rx=\"1\"/></svg></td><td>{}</td></tr>",
            signed(-value, 2)
        );
    }
    let _ = write!(
        html,
        "<tr class=\"sum\"><td class=\"left\">Closed trades</td><td></td><td>{}</td></tr>\
         <tr><td class=\"left\">Positions still open</td><td></td><td>{}</td></tr>\
         <tr class=\"sum\"><td class=\"left\">Net profit</td><td></td><td>{}</td></tr></table>\
         <p class=\"note\">Spread here is what the spread model added. Where the data holds bid and ask, their spread is in the prices.</p>",
        signed(closed, 2),
        signed(metrics.net_profit - closed, 2),
        signed(metrics.net_profit, 2)
    );
    html
}

/// The deepest falls.
pub(super) fn drawdowns(report: &Report) -> String {
    let mut html = "<div class=\"scroll\"><table><tr><th>Depth</th><th class=\"left\">Peak</th><th class=\"left\">Trough</th>\
                    <th>Back after</th></tr>"
        .to_owned();
    for fall in report.drawdown_stats.top_drawdowns.iter().take(ROWS_OF_DRAWDOWNS) {
        let day = |timestamp: &str| escape(timestamp.get(..10).unwrap_or(timestamp));
        let back = fall
            .recovery_time
            .map_or_else(|| "not yet".to_owned(), |days| format!("{} days", number(days, 1)));
        let _ = write!(
            html,
            "<tr><td>{} %</td><td class=\"left\">{}</td><td class=\"left\">{}</td><td>{back}</td></tr>",
            number(fall.drawdown, 2),
            day(&fall.peak_timestamp),
            day(&fall.trough_timestamp)
        );
    }
    html + "</table></div>"
}

/// As many falls as the cost table beside it has rows.
const ROWS_OF_DRAWDOWNS: usize = 8;

/// Names and values that give the run again.
pub(super) fn reproduce(rows: &[(String, String)]) -> String {
    let mut html = "<table>".to_owned();
    for (name, value) in rows {
        let _ = write!(
            html,
            "<tr><td class=\"left\">{}</td><td class=\"wide\">{}</td></tr>",
            escape(name),
            escape(value)
        );
    }
    html + "</table>"
}

/// The first [`TRADE_ROWS_MAX`](super::TRADE_ROWS_MAX) trades.
pub(super) fn trades(sheet: &TearSheet<'_>) -> String {
    let mut html = "<div class=\"scroll\"><table><tr><th>#</th><th class=\"left\">Side</th><th>Units</th>\
                    <th class=\"left\">Entry (UTC)</th><th>Price</th><th class=\"left\">Exit (UTC)</th><th>Price</th>\
                    <th class=\"left\">Ended by</th><th>Gain</th><th>%</th></tr>"
        .to_owned();
    let several = sheet.sketch.has_others_than(sheet.instrument);
    for trade in &sheet.sketch.listed {
        let gain = trade.profit_loss.to_f64();
        let decimals = usize::try_from(trade.instrument.quote_decimals()).unwrap_or(5);
        let side = trade.side.as_str();
        let side = if several { format!("{side} {}", trade.instrument) } else { side.to_owned() };
        let _ = write!(
            html,
            "<tr><td>{}</td><td class=\"left\">{}</td><td>{}</td><td class=\"left\">{}</td><td>{}</td><td class=\"left\">{}</td>\
             <td>{}</td><td class=\"left\">{}{}</td><td class=\"{}\">{}</td><td>{}</td></tr>",
            trade.id,
            side,
            number(trade.units.get() as f64, 0),
            minute(trade.entry_time),
            number(trade.entry_price.to_f64(), decimals),
            minute(trade.exit_time),
            number(trade.exit_price.to_f64(), decimals),
            trade.exit_reason.as_str().replace('_', " "),
            if trade.ambiguous { " (ambiguous)" } else { "" },
            tone(gain),
            signed(gain, 2),
            signed(trade.return_fraction() * 100.0, 2)
        );
    }
    html + "</table></div>"
}
