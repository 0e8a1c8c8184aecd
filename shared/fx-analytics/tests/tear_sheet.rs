//! The page: what it must show, must escape and must not grow to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod runs;

use fx_analytics::{TRADE_ROWS_MAX, TRADES_DRAWN_MAX, TearSheet, content_security_policy, tear_sheet};
use fx_domain::{Granularity, Instrument};
use runs::Run;

const PAGE_BYTES_MAX: usize = 2_000_000;

fn page(run: &Run, title: &str, texts: &[&str]) -> String {
    let (statistics, sketch) = run.measured();
    let warnings: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    let reproduce: Vec<(String, String)> =
        texts.iter().map(|text| ((*text).to_owned(), (*text).to_owned())).collect();
    tear_sheet(&TearSheet {
        title,
        subtitle: title,
        report: &statistics,
        sketch: &sketch,
        instrument: Instrument::parse("EUR/USD").unwrap(),
        warnings: &warnings,
        reproduce: &reproduce,
        synthetic: true,
    })
}

#[test]
fn a_hostile_name_stays_text() {
    let hostile = "</title><script>alert(1)</script><img src=x onerror='a' b=\"c\">&";
    let html = page(&Run::walk(2_000, 10), hostile, &[hostile]);
    assert!(!html.contains("<script") && !html.contains("<img"));
    assert!(html.contains("&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(html.contains("&#39;a&#39; b=&quot;c&quot;&gt;&amp;"));
}

#[test]
fn the_page_asks_for_nothing_and_obeys_its_own_policy() {
    let html = page(&Run::walk(5_000, 400), "MA crossover", &["Few trades."]);
    for forbidden in
        [" style=", "<script", " onload=", " onclick=", "src=", "href=", "url(", "http:", "https:", "@import"]
    {
        let found = html.find(forbidden);
        assert_eq!(found, None, "{forbidden}");
    }
    assert_eq!(html.matches("<style>").count(), 1);
    let policy = content_security_policy();
    let hash = policy.split('\'').find(|part| part.starts_with("sha256-")).unwrap();
    let style = html.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).unwrap().0;
    let digest = fx_domain::Digest::of(style.as_bytes());
    assert_eq!(hash, format!("sha256-{}", data_encoding::BASE64.encode(digest.as_bytes())));
    assert!(html.contains(hash));
    assert!(policy.starts_with("default-src 'none';") && policy.ends_with("frame-ancestors 'none'"));
}

#[test]
fn tags_are_balanced() {
    let html = page(&Run::walk(3_000, 60), "MA crossover", &["One.", "Two."]);
    for tag in
        ["section", "table", "tr", "td", "th", "svg", "g", "div", "dl", "ul", "li", "main", "p", "text", "h2"]
    {
        let opened = html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn what_is_left_out_is_said() {
    let html = page(&Run::walk(20_000, 1_000), "MA crossover", &[]);
    assert!(html.contains(&format!("The last {TRADES_DRAWN_MAX} of 1,000 closed trades")));
    assert!(html.contains(&format!("Trades, the first {TRADE_ROWS_MAX} of 1,000")));
    assert_eq!(html.matches("<g class=").count(), TRADES_DRAWN_MAX);
    let html = page(&Run::walk(20_000, 20), "MA crossover", &[]);
    assert!(html.contains("All 20 closed trades.") && html.contains("All 20 trades"));
}

#[test]
fn ten_thousand_trades_on_a_million_bars_stay_small() {
    let html = page(&Run::walk(1_000_000, 10_000), "MA crossover", &["Few trades."]);
    println!("{} bytes", html.len());
    assert!(html.len() < PAGE_BYTES_MAX / 4, "{} bytes", html.len());
    let long = "x".repeat(100_000);
    let texts = vec![long.as_str(); 1_000];
    assert!(page(&Run::walk(1_000, 10), &long, &texts).len() < PAGE_BYTES_MAX);
}

#[test]
fn runs_without_bars_trades_or_prices_have_a_page() {
    let empty = Run::of_equity("2024-01-01", Granularity::H1, 1_000_000_000, Vec::new());
    assert!(page(&empty, "Empty", &[]).contains("Key figures"));
    let mut one = Run::of_equity("2024-01-01", Granularity::H1, 1_000_000_000, vec![1_000_000_000]);
    one.closes.clear();
    let html = page(&one, "One bar", &[]);
    assert!(
        html.contains("Equity and drawdown") && !html.contains("Trades on price") && !html.contains("NaN")
    );
}
