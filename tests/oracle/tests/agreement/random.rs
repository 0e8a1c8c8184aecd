//! Random strategies on random bars.

use crate::compare::Case;
use crate::grammar::programs;
use crate::markets::traded;
use crate::print::source;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use std::collections::{BTreeMap, BTreeSet};

/// Cases of the property, unless `FUZZ_CASES` says how many.
const CASES: u32 = 300;

fn configured() -> Config {
    let asked = std::env::var("FUZZ_CASES").ok().and_then(|text| text.parse().ok());
    Config {
        cases: asked.unwrap_or(CASES),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        max_shrink_time: 60_000,
        ..Config::default()
    }
}

/// Whether the compiler's only objection is the size that loops and helpers give the program.
fn is_too_large(source: &str) -> bool {
    let refused = fx_strategy::compile(source, &BTreeMap::new()).err();
    refused.is_some_and(|found| found.as_slice().iter().all(|diagnostic| diagnostic.code == "limit"))
}

proptest! {
    #![proptest_config(configured())]

    #[test]
    fn random_strategies_decide_and_record_as_the_oracle_does(program in programs(), traded in traded()) {
        let case = Case::new(&source(&program), traded.config, traded.bars);
        prop_assume!(!is_too_large(&case.source));
        if let Err(difference) = case.compare() {
            return Err(TestCaseError::fail(difference));
        }
    }
}

/// The words of a source that are followed by a bracket, or are the action of a dict.
fn called(source: &str) -> BTreeSet<String> {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut found = BTreeSet::new();
    for (end, _) in source.match_indices('(') {
        let word: String = source[..end].chars().rev().take_while(|character| is_word(*character)).collect();
        found.insert(word.chars().rev().collect());
    }
    found
}

#[test]
fn every_function_of_the_language_is_in_random_strategies_that_decide_and_record() {
    let mut runner = TestRunner::deterministic();
    let (mut named, mut bars, mut decisions, mut recorded) = (BTreeSet::new(), 0, 0, 0);
    for _ in 0..150 {
        let program = programs().new_tree(&mut runner).unwrap().current();
        let traded = traded().new_tree(&mut runner).unwrap().current();
        let case = Case::new(&source(&program), traded.config, traded.bars);
        if is_too_large(&case.source) {
            continue;
        }
        let compared = case.compare().unwrap_or_else(|difference| panic!("{difference}"));
        named.extend(called(&case.source));
        bars += compared.bars;
        decisions += compared.decisions;
        recorded += compared.recorded;
    }
    let missing: Vec<_> =
        fx_strategy::BUILTINS.iter().map(|row| row.name).filter(|name| !named.contains(*name)).collect();
    assert!(missing.is_empty(), "the grammar or the oracle lacks {missing:?}");
    assert!(
        decisions > 1_000 && recorded > 1_000,
        "{bars} bars, {decisions} decisions, {recorded} recorded values"
    );
}
