//! One HTML file that shows a run: no script, no link, no request, readable in light, dark and print.

mod axis;
mod chart;
mod outline;
mod sections;
mod sketch;
mod text;

use crate::Report;
use fx_domain::{Digest, Instrument};
pub use sketch::Sketch;
use std::fmt::Write as _;
use text::{escape, number};

/// Trades in the page's trade table, at most: the first ones. All of them are in the stored result.
pub const TRADE_ROWS_MAX: usize = 50;
/// Trades drawn on the price, at most: the last ones. More of them would cover each other and the price.
pub const TRADES_DRAWN_MAX: usize = 150;
/// Warnings on one page, at most.
const WARNINGS_MAX: usize = 50;
/// Rows of the table that gives the run again, at most.
const REPRODUCE_ROWS_MAX: usize = 100;
/// Characters of one text of the caller's, at most: what is longer is cut, and says so.
const TEXT_LENGTH_MAX: usize = 4_000;

/// The page's only style sheet. Its hash is in [`content_security_policy`].
const STYLE: &str = include_str!("style.css");

/// What the page shows. All text is escaped here, whatever it holds.
#[derive(Clone, Copy, Debug)]
pub struct TearSheet<'a> {
    /// Usually the strategy's name.
    pub title: &'a str,
    /// Instrument, timeframe, period.
    pub subtitle: &'a str,
    /// The statistics.
    pub report: &'a Report,
    /// Curves and trades.
    pub sketch: &'a Sketch,
    /// The pair.
    pub instrument: Instrument,
    /// What the reader should know before believing the numbers, in plain words.
    pub warnings: &'a [String],
    /// Names and values that give the run again.
    pub reproduce: &'a [(String, String)],
    /// Whether the bars were generated: the page then says so beside its title.
    pub synthetic: bool,
}

/// The policy to serve the page with: nothing but its own style sheet, by hash. The page carries the same policy in a
/// `meta` element, so that it holds for a file opened from a folder too.
#[must_use]
pub fn content_security_policy() -> String {
    format!("{}; frame-ancestors 'none'", page_policy())
}

/// The part of the policy that a `meta` element may state.
fn page_policy() -> String {
    let hash = data_encoding::BASE64.encode(Digest::of(STYLE.as_bytes()).as_bytes());
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
}

/// Renders the page.
#[must_use]
pub fn tear_sheet(sheet: &TearSheet<'_>) -> String {
    let (title, subtitle) = (clean(sheet.title), clean(sheet.subtitle));
    let badge = if sheet.synthetic { " <span class=\"badge\">SYNTHETIC DATA</span>" } else { "" };
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{title}</title>\
         <style>{STYLE}</style></head>\n<body><main><header><h1>{title}{badge}</h1><p>{subtitle}</p></header>\n",
        page_policy()
    );
    warnings(&mut html, sheet.warnings);
    html.push_str(&sections::tiles(sheet));
    section(&mut html, "", "Key figures", &sections::figures(sheet));
    charts(&mut html, sheet);
    html.push_str("<div class=\"pair\">");
    section(&mut html, "", "Where the money went", &sections::costs(sheet));
    section(&mut html, "", "Deepest drawdowns", &sections::drawdowns(sheet.report));
    html.push_str("</div>");
    let rows = sheet.reproduce.iter().take(REPRODUCE_ROWS_MAX);
    let rows: Vec<(String, String)> = rows.map(|(name, value)| (cut(name), cut(value))).collect();
    section(&mut html, "", "How to get this result again", &sections::reproduce(&rows));
    if sheet.sketch.trades > 0 {
        section(&mut html, "long", &trade_heading(sheet.sketch.trades), &sections::trades(sheet));
    }
    html.push_str(
        "<footer>Simulated on past data. Past results, simulated ones above all, do not tell the future.</footer>\
         </main></body></html>\n",
    );
    html
}

fn charts(html: &mut String, sheet: &TearSheet<'_>) {
    if let Some(chart) = chart::equity_chart(sheet) {
        let note = format!(
            "<p class=\"note\">{}, open positions marked; the dashed line is the initial capital. Below: fall from the \
             highest equity so far. Time in UTC.</p>",
            sheet.sketch.initial_capital.currency()
        );
        section(html, "", "Equity and drawdown", &(chart + &note));
    }
    if !sheet.report.monthly_returns.is_empty() {
        section(html, "", "Monthly returns, percent", &sections::monthly(&sheet.report.monthly_returns));
    }
    if let Some(chart) = chart::price_chart(sheet) {
        section(html, "", "Trades on price", &(chart + &drawn_note(sheet.sketch)));
    }
}

fn section(html: &mut String, class: &str, heading: &str, body: &str) {
    let _ = writeln!(html, "<section class=\"{class}\"><h2>{heading}</h2>{body}</section>");
}

fn warnings(html: &mut String, warnings: &[String]) {
    if warnings.is_empty() {
        return;
    }
    html.push_str("<section class=\"warnings\" role=\"note\"><h2>Before you believe the numbers</h2><ul>");
    for warning in warnings.iter().take(WARNINGS_MAX) {
        let _ = write!(html, "<li>{}</li>", clean(warning));
    }
    if warnings.len() > WARNINGS_MAX {
        let _ = write!(html, "<li>… and {} more, in the stored result.</li>", warnings.len() - WARNINGS_MAX);
    }
    html.push_str("</ul></section>\n");
}

fn trade_heading(count: u64) -> String {
    if count <= TRADE_ROWS_MAX as u64 {
        format!("All {count} trades")
    } else {
        format!("Trades, the first {TRADE_ROWS_MAX} of {}", number(count as f64, 0))
    }
}

fn drawn_note(sketch: &Sketch) -> String {
    let (all, drawn) = (sketch.trades, sketch.drawn.len());
    let which = if all == 0 {
        "There are no closed trades.".to_owned()
    } else if sketch.shows_all_trades() {
        format!("All {all} closed trades.")
    } else {
        let all = number(all as f64, 0);
        format!("The last {drawn} of {all} closed trades, and the price since the first of them.")
    };
    format!(
        "<p class=\"note\">{which} Triangles are entries (up long, down short), rings are exits; \
         <span class=\"gain\">blue gained</span>, <span class=\"loss\">orange did not</span>. Rest the pointer on a trade \
         for its numbers.</p>"
    )
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_LENGTH_MAX) {
        Some((end, _)) => format!("{} … (cut)", &text[..end]),
        None => text.to_owned(),
    }
}

fn clean(text: &str) -> String {
    escape(&cut(text))
}
