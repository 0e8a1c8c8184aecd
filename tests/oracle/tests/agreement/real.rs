//! The strategies that the project ships and the examples of the reference, on real bars.

#[path = "../../../../shared/fx-engine/tests/market/mod.rs"]
#[expect(dead_code, reason = "ticks are the engine's own")]
mod market;

use crate::compare::{Case, Compared};
use anyhow::Result;
use fx_domain::{Bars, Currency, Granularity, Instrument, Money};
use fx_engine::RunConfig;
use std::fs;
use std::path::{Path, PathBuf};

/// Bars that are compared: enough for the longest average of a strategy, and some months of hours.
const BARS: usize = 1_500;
/// Bars of the warm-up.
const WARM_UP: usize = 300;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The first bars of a series, each with a volume: the average by volume needs some.
fn first(bars: Result<Bars>, name: &str) -> Bars {
    let bars = bars.unwrap_or_else(|error| panic!("{name}: {error:#}"));
    let mut bars = bars.slice(0..BARS);
    bars.volume = (0..).map(|row| 1 + row % 5).take(BARS).collect();
    bars
}

fn config(pair: &str, granularity: Granularity, bars: &Bars) -> RunConfig {
    let capital = Money::from_micros(100_000 * Money::SCALE, Currency::USD);
    let mut config = RunConfig::new(Instrument::parse(pair).unwrap(), granularity, capital);
    config.start = bars.times[WARM_UP];
    config
}

/// Compares `source` on all the real bars.
fn compare(name: &str, source: &str, folder: &Path) -> Compared {
    let series = [
        ("EUR/USD", Granularity::H1, market::bars(folder, "eurusd_h1")),
        ("EUR/USD", Granularity::H1, market::both_sides(folder, BARS)),
        ("GBP/USD", Granularity::M1, market::bars(folder, "gbpusd-m1-bid-2012")),
    ];
    let mut all = Compared::default();
    for (pair, granularity, bars) in series {
        let bars = first(bars, pair);
        let config = config(pair, granularity, &bars);
        let compared = Case::new(source, config, bars).compare();
        // The bars are in the reference data: the end of the message says where they differ.
        let compared = compared.unwrap_or_else(|told| panic!("{name} on {pair}: …{}", tail(&told)));
        all.bars += compared.bars;
        all.decisions += compared.decisions;
    }
    all
}

fn tail(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}

#[test]
fn shipped_strategies_decide_on_real_bars_as_the_oracle_does() {
    let Some(folder) = market::reference() else { return println!("left out: there is no reference data") };
    let mut paths: Vec<_> =
        fs::read_dir(root().join("strategies")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "py"));
    paths.sort();
    assert!(paths.len() >= 5, "{paths:?}");
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let source = fs::read_to_string(&path).unwrap();
        if knows_more_than_the_oracle(&source) {
            continue;
        }
        let compared = compare(&name, &source, &folder);
        assert!(compared.decisions > 0, "{name} decides nothing on {} bars", compared.bars);
    }
}

#[test]
fn examples_of_the_reference_decide_on_real_bars_as_the_oracle_does() {
    let Some(folder) = market::reference() else { return println!("left out: there is no reference data") };
    let reference = fs::read_to_string(root().join("docs/LANGUAGE.md")).unwrap();
    let (mut examples, mut decisions) = (0, 0);
    for block in reference.split("```python\n").skip(1) {
        let code = block.split("```").next().unwrap();
        if knows_more_than_the_oracle(code) {
            continue;
        }
        let source = if code.contains("class ") { code.to_owned() } else { in_a_strategy(code) };
        decisions += compare(&format!("example {examples}"), &source, &folder).decisions;
        examples += 1;
    }
    assert!(examples > 10 && decisions > 1_000, "{examples} examples, {decisions} decisions");
}

/// Whether a source is more than the oracle knows: it sees the strategy's own bars only.
fn knows_more_than_the_oracle(source: &str) -> bool {
    [".timeframe(", ".instrument("].iter().any(|call| source.contains(call))
}

/// Lines of `analyze`, with the parameter that examples name.
fn in_a_strategy(lines: &str) -> String {
    let body: String = lines.lines().map(|line| format!("        {line}\n")).collect();
    format!(
        "class Example(Strategy):\n    n = 5\n\n    def analyze(self, data):\n{body}        return {{}}\n"
    )
}
