//! The table of what the language promises names tests that there are.

use anyhow::{Context, Result, ensure};
use architecture::{TextFile, files};
use std::collections::BTreeMap;

const TABLE: &str = "docs/LANGUAGE-TESTS.md";

/// What the table writes for the beginnings of paths.
const FOLDERS: &[(&str, &str)] = &[
    ("SE/", "shared/fx-engine/"),
    ("ST/", "shared/fx-strategy/tests/language/"),
    ("RUNS/", "shared/fx-app/tests/runs/"),
    ("SEM/", "shared/fx-engine/tests/semantics/"),
    ("ORACLE/", "tests/oracle/tests/agreement/"),
];

/// Promises of the table, at least: an empty one would name no test that is missing.
const PROMISES_MIN: usize = 40;

#[test]
fn every_promise_of_the_language_names_tests_that_there_are() -> Result<()> {
    let texts: BTreeMap<String, String> =
        files(&["md", "rs", "py", "snap"])?.into_iter().map(|TextFile { path, text }| (path, text)).collect();
    let table = texts.get(TABLE).context(TABLE)?;
    let promises: Vec<_> =
        table.lines().filter(|line| line.starts_with("| ") && line.contains('`')).collect();
    ensure!(promises.len() >= PROMISES_MIN, "{TABLE} holds {} promises", promises.len());
    let mut wrong = Vec::new();
    for promise in promises {
        let tests = promise.split(" | ").nth(1).with_context(|| format!("no tests: {promise}"))?;
        let mut file = None;
        for word in tests.split('`').skip(1).step_by(2) {
            if word.contains('/') {
                let path = path(word);
                file = texts.get(&path);
                if file.is_none() {
                    wrong.push(format!("there is no {path}"));
                }
            } else if !file.is_some_and(|text| holds(text, word)) {
                wrong.push(format!("no test `{word}` where this names it: {promise}"));
            }
        }
        if file.is_none() {
            wrong.push(format!("this names no test: {promise}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

fn path(word: &str) -> String {
    let long = FOLDERS.iter().find_map(|(short, long)| Some(format!("{long}{}", word.strip_prefix(short)?)));
    long.unwrap_or_else(|| word.to_owned())
}

/// Whether a file defines a test of this name, by itself or through a macro of its own.
fn holds(text: &str, name: &str) -> bool {
    ["fn ", "def "].iter().any(|start| text.contains(&format!("{start}{name}(")))
}
