//! What no file may contain, and how each crate opens.

use anyhow::Result;
use architecture::{TextFile, files};

/// Lines of one Rust file, at most. It only goes down.
const RUST_LINES_MAX: usize = 700;

/// Endings of files that people read.
const TEXT: &[&str] = &["rs", "py", "md", "yaml", "yml", "toml", "sh"];

/// Marks of unfinished work, and paths of one machine. In halves, so that this file does not hold them.
const FORBIDDEN: &[(&str, &str)] = &[
    ("todo", "!("),
    ("unimplemented", "!("),
    ("FIX", "ME"),
    ("TO", "DO"),
    ("#[ign", "ore"),
    ("/ro", "ot/"),
    ("/ho", "me/"),
    ("/wo", "rk/"),
    ("thread::sl", "eep("),
];

#[test]
fn no_file_holds_a_mark_of_unfinished_work_or_a_path_of_one_machine() -> Result<()> {
    let mut wrong = Vec::new();
    for TextFile { path, text } in files(TEXT)? {
        for (number, line) in text.lines().enumerate() {
            for (head, tail) in FORBIDDEN {
                let word = format!("{head}{tail}");
                if line.contains(&word) {
                    wrong.push(format!("{path}:{}: `{word}`", number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn shipped_code_does_not_silence_the_lints_against_panics() -> Result<()> {
    let lints = ["unwrap_used", "expect_used", "print_stdout", "float_cmp"];
    let mut wrong = Vec::new();
    // The test kit is a dev-dependency of every crate that names it.
    let ships = |file: &&TextFile| file.is_shipped_rust() && !file.path.starts_with("shared/fx-testkit/");
    for file in files(&["rs"])?.iter().filter(ships) {
        let shipped = file.text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in shipped.lines().enumerate() {
            if line.contains("allow(clippy::") && lints.iter().any(|lint| line.contains(lint)) {
                wrong.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn a_rust_file_tells_one_story() -> Result<()> {
    let long: Vec<_> = files(&["rs"])?
        .into_iter()
        .map(|file| (file.text.lines().count(), file.path))
        .filter(|(lines, _)| *lines > RUST_LINES_MAX)
        .collect();
    assert!(long.is_empty(), "over {RUST_LINES_MAX} lines: {long:?}");
    Ok(())
}

#[test]
fn every_crate_opens_with_its_purpose_and_what_it_must_not_know() -> Result<()> {
    let mut opened = 0;
    for file in files(&["rs"])?.iter().filter(|file| file.path.ends_with("/src/lib.rs")) {
        let opening: Vec<_> = file.text.lines().take_while(|line| line.starts_with("//!")).collect();
        assert!(opening.len() >= 3, "{}: say the purpose and the invariants", file.path);
        assert!(opening.join(" ").contains("must not know"), "{}: say what it must not know", file.path);
        opened += 1;
    }
    assert!(opened >= 12, "only {opened} crates were found");
    Ok(())
}
