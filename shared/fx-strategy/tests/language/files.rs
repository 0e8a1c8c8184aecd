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
    for needed in ["bollinger_reversion", "donchian_breakout", "ma_crossover", "rsi_reversion"] {
        assert!(strategies.iter().any(|(stem, _)| stem == needed), "{needed}");
    }
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
fn every_example_of_the_reference_compiles_and_every_function_is_in_it() {
    let reference = fs::read_to_string(root().join("docs/LANGUAGE.md")).unwrap();
    let mut examples = 0;
    for block in reference.split("```python\n").skip(1) {
        let code = block.split("```").next().unwrap();
        let source = if code.contains("class ") { code.to_owned() } else { crate::strategy(code) };
        compile(&source, &BTreeMap::new()).unwrap_or_else(|error| panic!("{code}\n{error}"));
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
fn limits() -> [(&'static str, u64); 8] {
    use fx_strategy::limits as l;
    [
        ("bytes of a source", l::SOURCE_BYTES_MAX as u64),
        ("brackets and blocks inside each other", l::NESTING_MAX as u64),
        ("passes of all loops together", l::UNROLL_MAX as u64),
        ("helpers inside each other", l::INLINE_DEPTH_MAX as u64),
        ("nodes of a plan", l::NODES_MAX as u64),
        ("bars of one window", u64::from(l::LOOK_BACK_MAX)),
        ("bars of all windows together", l::HISTORY_MAX),
        ("parameters", l::PARAMETERS_MAX as u64),
    ]
}
