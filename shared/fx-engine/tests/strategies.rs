//! The shipped strategies on real bars: each of them trades, and decides at a bar what it would have decided had the bar
//! been the last.

#![allow(clippy::unwrap_used)]

#[expect(dead_code, reason = "ticks are the golden tests' own")]
mod market;

use fx_domain::{Bars, Currency, Granularity, Instrument, Money};
use fx_engine::{Inputs, RunConfig, Slice, State, advance};
use fx_strategy::Plan;
use std::collections::BTreeMap;
use std::path::Path;

/// Trades that each strategy makes on the bars below, at least: fewer say nothing of it.
const TRADES_MIN: usize = 10;

/// Ends of the runs that must be the beginning of the whole one, in parts of its bars.
const PREFIXES: [f64; 7] = [0.013, 0.1, 0.25, 0.407, 0.5, 0.75, 0.999];

fn strategies() -> Vec<(String, Plan)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../strategies");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "py") {
            let source = std::fs::read_to_string(&path).unwrap();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let compiled = fx_strategy::compile(&source, &BTreeMap::new());
            found.push((name, compiled.unwrap_or_else(|error| panic!("{}\n{error}", path.display())).plan));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn run(plan: &Plan, bars: &Bars) -> Slice {
    let capital = Money::from_micros(100_000 * Money::SCALE, Currency::USD);
    let mut config = RunConfig::new(Instrument::parse("EUR/USD").unwrap(), Granularity::H1, capital);
    config.account.leverage = 50.0;
    advance(plan, &config, State::start(plan, &config).unwrap(), &Inputs::of(bars)).unwrap()
}

#[test]
fn every_shipped_strategy_trades_on_real_bars_and_knows_only_the_bars_before() {
    let Some(folder) = market::reference() else {
        eprintln!("left out: there are no real bars beside the workspace");
        return;
    };
    let bars = market::bars(&folder, "oanda_eurusd_h1@0:20000").unwrap();
    let strategies = strategies();
    assert!(strategies.len() >= 15, "{}", strategies.len());
    let mut idle = Vec::new();
    for (name, plan) in strategies {
        let whole = run(&plan, &bars);
        println!("{name}: {} trades, equity {:?}", whole.trades.len(), whole.equity.last());
        if whole.trades.len() < TRADES_MIN {
            idle.push((name.clone(), whole.trades.len()));
        }
        for part in PREFIXES {
            let rows = (part * bars.len() as f64) as usize;
            let prefix = run(&plan, &bars.slice(0..rows));
            assert!(whole.events.starts_with(&prefix.events), "{name}: events of the first {rows} bars");
            assert!(whole.trades.starts_with(&prefix.trades), "{name}: trades of the first {rows} bars");
            assert!(whole.equity.starts_with(&prefix.equity), "{name}: equity of the first {rows} bars");
            for (whole, prefix) in whole.recordings.iter().zip(&prefix.recordings) {
                let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&whole[..rows]), bits(prefix), "{name}: recordings of the first {rows} bars");
            }
        }
    }
    assert!(idle.is_empty(), "they hardly trade: {idle:?}");
}
