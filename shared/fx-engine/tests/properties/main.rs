//! What holds of every run: any plan, any bars, any options.

#![allow(clippy::unwrap_used)]

mod books;
mod cases;
mod examples;
mod fuzz;
mod mirror;
mod plans;
mod quiet;
mod same;

/// Cases of a property: those that it names, or as many as `FUZZ_CASES` says.
fn bounded(cases: u32) -> proptest::test_runner::Config {
    let asked = std::env::var("FUZZ_CASES").ok().and_then(|text| text.parse().ok());
    let cases = asked.unwrap_or(cases);
    proptest::test_runner::Config {
        cases,
        failure_persistence: None,
        ..proptest::test_runner::Config::default()
    }
}
