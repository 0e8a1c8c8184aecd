use fx_strategy::{BUILTINS, compile};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The shipped strategies: file stem and source.
pub(crate) fn strategies() -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = fs::read_dir(root().join("strategies"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .map(|path| {
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (stem, fs::read_to_string(path).unwrap())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn every_shipped_strategy_compiles_and_explains_itself() {
    let strategies = strategies();
    let stems: Vec<&str> = strategies.iter().map(|(stem, _)| stem.as_str()).collect();
    let needed = [
        "adaptive_ma",
        "advanced_breakout",
        "bollinger_reversion",
        "donchian_breakout",
        "elliott_wave",
        "fibonacci_retracement",
        "gann_levels",
        "harmonic_pattern",
        "ma_crossover",
        "macd_trend",
        "multi_timeframe_confluence",
        "pivot_confluence",
        "regime_filter",
        "rsi_reversion",
        "volatility_breakout",
    ];
    assert!(needed.iter().all(|needed| stems.contains(needed)), "{stems:?}");
    for (stem, source) in strategies {
        let compiled = compile(&source, &BTreeMap::new()).unwrap_or_else(|error| panic!("{stem}:\n{error}"));
        assert!(compiled.warnings.is_empty(), "{stem}: {:?}", compiled.warnings);
        assert!(compiled.description.is_some_and(|text| text.len() > 40), "{stem} has no docstring");
        assert!(compiled.plan.rules.len() >= 2 && !compiled.parameters.is_empty(), "{stem}");
        for parameter in compiled.parameters {
            let ranged =
                parameter.min.is_some() && parameter.max.is_some() && parameter.description.is_some();
            assert!(ranged, "{stem}: `{}` has no range or description", parameter.name);
        }
    }
}

#[test]
fn the_volatility_breakout_waits_on_both_sides_while_it_is_flat() {
    let (_, source) = strategies().into_iter().find(|(stem, _)| stem == "volatility_breakout").unwrap();
    let atr = "Rma(Max(Max(Sub(high, low), Abs(Sub(high, close[-2]))), Abs(Sub(low, close[-2]))), 14)";
    let away = |ranges: u32| format!("distance Mul({ranges}, {atr})");
    let (entry, stop, trail) = (away(1), away(3), away(4));
    let order = |side| {
        format!(
            "{side} RiskPercent 0.5 stop {entry} sl {stop} tp none trailing {trail} for 1 bars as breakout"
        )
    };
    assert_eq!(
        crate::words(&crate::compiled(&source).plan),
        format!(
            "Ne(position.units, 0) => cancel breakout\nNot(Ne(position.units, 0)) => {}; {}\nreach = {atr}",
            order("Long"),
            order("Short")
        )
    );
}

#[test]
fn every_example_of_the_reference_compiles_and_every_function_is_in_it() {
    let reference = fs::read_to_string(root().join("docs/LANGUAGE.md")).unwrap();
    let mut examples = 0;
    for block in reference.split("```python\n").skip(1) {
        let code = block.split("```").next().unwrap();
        let source = if code.contains("class ") { code.to_owned() } else { crate::strategy(code) };
        let mut compiled =
            compile(&source, &BTreeMap::new()).unwrap_or_else(|error| panic!("{code}\n{error}"));
        // A fragment shows how something is written, and need not do anything with it.
        let is_fragment = !code.contains("class ");
        compiled.warnings.retain(|found| !(is_fragment && ["unused", "no-decision"].contains(&found.code)));
        assert!(compiled.warnings.is_empty(), "{code}\n{:?}", compiled.warnings);
        examples += 1;
    }
    assert!(examples > 10);
    for row in BUILTINS {
        let line = format!("| `{}` | {} |", row.signature, row.doc);
        assert!(reference.contains(&line), "LANGUAGE.md lacks the row\n{line}");
    }
    for (name, limit) in limits() {
        assert!(
            reference.contains(&format!("| {name} | {limit} |")),
            "LANGUAGE.md lacks the limit `{name}` of {limit}"
        );
    }
}

/// The limits that the reference names.
fn limits() -> [(&'static str, u64); 21] {
    use fx_strategy::limits as l;
    [
        ("bytes of a source", l::SOURCE_BYTES_MAX as u64),
        ("brackets and blocks inside each other", l::NESTING_MAX as u64),
        ("passes of all loops together", l::UNROLL_MAX as u64),
        ("helpers inside each other", l::INLINE_DEPTH_MAX as u64),
        ("nodes of a plan", l::NODES_MAX as u64),
        ("bars of one window", u64::from(l::LOOK_BACK_MAX)),
        ("bars of all windows together", l::HISTORY_MAX),
        ("decisions of one return", l::ACTIONS_MAX as u64),
        ("words and signs of a statement", l::STATEMENT_TOKENS_MAX as u64),
        ("levels of an expression", l::DEPTH_MAX as u64),
        ("steps after unrolling and inlining", l::STEPS_MAX as u64),
        ("local names of a function", l::LOCALS_MAX as u64),
        ("ways to decide", l::RULES_MAX as u64),
        ("recorded series", l::RECORDINGS_MAX as u64),
        ("labels", l::LABELS_MAX as u64),
        ("bytes of a label", l::LABEL_BYTES_MAX as u64),
        ("states", l::CELLS_MAX as u64),
        ("other timeframes and instruments", l::FEEDS_MAX as u64),
        ("features", l::FEATURES_MAX as u64),
        ("bytes of a feature's name", l::FEATURE_NAME_MAX as u64),
        ("parameters", l::PARAMETERS_MAX as u64),
    ]
}
