//! Who may depend on whom. Dev-dependencies are free: a test may use any crate.

use anyhow::Result;
use architecture::{Workspace, root};
use std::collections::BTreeSet;

/// Of each crate, the crates of the house that it may name. All may name the domain: its types are what they talk in.
const ARROWS: &[(&str, &[&str])] = &[
    ("fx-domain", &[]),
    ("fx-strategy", &["fx-domain"]),
    ("fx-engine", &["fx-domain", "fx-strategy"]),
    ("fx-analytics", &["fx-domain"]),
    ("fx-app", &["fx-domain", "fx-strategy", "fx-engine", "fx-analytics"]),
    ("fx-store", &["fx-domain", "fx-app"]),
    ("fx-aws", &["fx-domain", "fx-app"]),
    ("fx-embedded", &["fx-domain", "fx-app"]),
    ("fx-peers", &["fx-domain", "fx-engine", "fx-app"]),
    ("fx-http", &["fx-domain", "fx-app"]),
    ("fx-host", &["fx-domain", "fx-app"]),
    ("fx-testkit", &["fx-domain", "fx-engine", "fx-analytics", "fx-app"]),
    ("registration", LAMBDA),
    ("execution", LAMBDA),
    ("backtesting", LAMBDA),
    ("server", SERVER),
    ("architecture", &[]),
    ("oracle", &["fx-domain"]),
];

/// A Lambda function composes hosts, routes and the AWS adapters.
const LAMBDA: &[&str] = &["fx-domain", "fx-app", "fx-store", "fx-aws", "fx-peers", "fx-http", "fx-host"];

/// The server composes both kinds of adapters; it also makes synthetic bars and reads strategies.
const SERVER: &[&str] = &[
    "fx-domain",
    "fx-strategy",
    "fx-engine",
    "fx-analytics",
    "fx-app",
    "fx-store",
    "fx-aws",
    "fx-embedded",
    "fx-peers",
    "fx-http",
    "fx-host",
];

/// Crates that only test. Nothing that ships links them, and the oracle knows neither compiler nor engine.
const TESTS: &[&str] = &["architecture", "oracle"];

/// Crates that compute and nothing else.
const PURE: &[&str] = &["fx-domain", "fx-strategy", "fx-engine", "fx-analytics"];

#[test]
fn arrows_point_down() -> Result<()> {
    let workspace = Workspace::load()?;
    let mut wrong = Vec::new();
    for (name, package) in workspace.members() {
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
            wrong.push(format!("{name} is not in the table of arrows"));
            continue;
        };
        let upward = workspace.arrows(package).into_iter().filter(|arrow| !allowed.contains(&arrow.as_str()));
        wrong.extend(upward.map(|arrow| format!("{name} must not depend on {arrow}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn the_table_of_arrows_names_no_crate_that_is_gone() -> Result<()> {
    let workspace = Workspace::load()?;
    let members = workspace.members();
    let gone: Vec<_> =
        ARROWS.iter().map(|(name, _)| *name).filter(|name| !members.contains_key(name)).collect();
    assert_eq!(gone, Vec::<&str>::new());
    Ok(())
}

#[test]
fn what_computes_links_no_runtime_and_no_sdk() -> Result<()> {
    let workspace = Workspace::load()?;
    for name in PURE {
        let linked = workspace.linked(name)?;
        let io = |found: &&String| {
            found.starts_with("aws-")
                || ["tokio", "reqwest", "hyper", "axum", "rusqlite", "parquet"].contains(&found.as_str())
        };
        let found: Vec<_> = linked.iter().filter(io).collect();
        assert!(found.is_empty(), "{name} links {found:?}");
    }
    Ok(())
}

#[test]
fn what_ships_links_no_test() -> Result<()> {
    let workspace = Workspace::load()?;
    for name in workspace.members().into_keys().filter(|name| !TESTS.contains(name)) {
        let linked = workspace.linked(name)?;
        assert!(TESTS.iter().all(|test| !linked.contains(*test)), "{name} links a crate that only tests");
    }
    Ok(())
}

#[test]
fn a_lambda_function_links_the_sdk_and_never_sqlite() -> Result<()> {
    let workspace = Workspace::load()?;
    for name in ["registration", "execution", "backtesting"] {
        let linked = workspace.linked(name)?;
        assert!(linked.contains("aws-sdk-dynamodb"), "{name} does not reach its table");
        for forbidden in ["rusqlite", "libsqlite3-sys", "fx-embedded", "clap"] {
            assert!(!linked.contains(forbidden), "{name} links {forbidden}");
        }
    }
    Ok(())
}

#[test]
fn the_server_links_no_sdk_unless_asked() -> Result<()> {
    let linked = Workspace::load()?.linked("server")?;
    assert!(linked.contains("rusqlite"), "the server keeps its data in SQLite");
    let sdk = |name: &&String| {
        ["aws-config", "aws-sdk-", "aws-smithy-", "fx-aws"].iter().any(|it| name.starts_with(it))
    };
    let sdks: Vec<_> = linked.iter().filter(sdk).collect();
    assert!(sdks.is_empty(), "the server without its feature `aws` links {sdks:?}");
    Ok(())
}

#[test]
fn every_manifest_takes_lints_and_package_fields_from_the_workspace() -> Result<()> {
    let inherited = ["version", "edition", "rust-version", "publish"];
    for (name, package) in Workspace::load()?.members() {
        let manifest = std::fs::read_to_string(&package.manifest_path)?;
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{name}: lints are set in the workspace only"
        );
        assert!(
            package.description.as_ref().is_some_and(|text| text.len() > 10),
            "{name} says not what it is"
        );
        for field in inherited {
            let line = format!("{field}.workspace = true");
            assert!(manifest.contains(&line), "{name}: {line}");
        }
        let pinned: Vec<_> = manifest.lines().filter(|line| line.contains("version = \"")).collect();
        assert!(pinned.is_empty(), "{name}: versions are chosen in the workspace manifest: {pinned:?}");
    }
    Ok(())
}

#[test]
fn every_package_stands_where_the_design_puts_it() -> Result<()> {
    let root = root();
    for (name, package) in Workspace::load()?.members() {
        let folder =
            package.manifest_path.parent().map(|path| path.as_std_path().to_owned()).unwrap_or_default();
        let place = if name.starts_with("fx-") {
            "shared"
        } else if TESTS.contains(&name) {
            "tests"
        } else {
            "functions"
        };
        assert_eq!(folder, root.join(place).join(name), "folder = package");
    }
    Ok(())
}

#[test]
fn every_dependency_says_what_it_is_for() -> Result<()> {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml"))?;
    let table = manifest.split("[workspace.dependencies]").nth(1).unwrap_or_default();
    let table = table.split("\n[").next().unwrap_or_default();
    let lines: BTreeSet<_> = table.lines().filter(|line| line.contains(" = ")).collect();
    assert!(lines.len() > 20, "the table of dependencies was not found");
    let silent: Vec<_> =
        lines.iter().filter(|line| !line.contains("path = ") && !line.contains(" # ")).collect();
    assert!(silent.is_empty(), "say in a comment what for: {silent:?}");
    Ok(())
}
