//! Random strategies on random bars.

use crate::compare::Case;
use crate::grammar::{Program, programs};
use crate::markets::{Traded, traded};
use crate::print::source;
use fx_strategy::ParameterValue;
use proptest::collection::vec;
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

/// Values in place of some of the program's defaults: odd choices leave the default.
fn overrides(program: &Program, choices: &[u8]) -> BTreeMap<String, ParameterValue> {
    let (whole, numbers, truths) = &program.parameters;
    let of_whole = |choice: u8| ParameterValue::Integer(1 + i64::from(choice % 40));
    // A whole number is a number too.
    let of_number = |choice: u8| match choice % 4 {
        0 => ParameterValue::Integer(i64::from(choice) - 100),
        _ => ParameterValue::Number(f64::from(choice) / 32.0 - 3.0),
    };
    let of_truth = |choice: u8| ParameterValue::Boolean(choice.is_multiple_of(4));
    let of = |count: usize, letter: char, value: &dyn Fn(u8) -> ParameterValue, choices: &[u8]| {
        let chosen = (0..count).zip(choices.iter().copied()).filter(|(_, choice)| choice % 2 == 0);
        chosen.map(|(place, choice)| (format!("{letter}{place}"), value(choice))).collect::<Vec<_>>()
    };
    let (for_whole, rest) = choices.split_at(whole.len());
    let (for_numbers, for_truths) = rest.split_at(numbers.len());
    let mut given = of(whole.len(), 'w', &of_whole, for_whole);
    given.extend(of(numbers.len(), 'f', &of_number, for_numbers));
    given.extend(of(truths.len(), 'b', &of_truth, for_truths));
    given.into_iter().collect()
}

/// More of them than a program has parameters.
const CHOICES: usize = 8;

fn case(program: &Program, choices: &[u8], traded: Traded) -> Case {
    let parameters = overrides(program, choices);
    Case { parameters, ..Case::new(&source(program), traded.config, traded.bars) }
}

/// Whether the compiler's only objection is the size that loops and helpers give the program.
fn is_too_large(case: &Case) -> bool {
    let refused = fx_strategy::compile(&case.source, &case.parameters).err();
    refused.is_some_and(|found| found.as_slice().iter().all(|diagnostic| diagnostic.code == "limit"))
}

proptest! {
    #![proptest_config(configured())]

    #[test]
    fn random_strategies_decide_and_record_as_the_oracle_does(
        program in programs(), choices in vec(any::<u8>(), CHOICES), traded in traded(),
    ) {
        let case = case(&program, &choices, traded);
        prop_assume!(!is_too_large(&case));
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
    let (mut overridden, mut sessions) = (0, 0);
    for _ in 0..150 {
        let program = programs().new_tree(&mut runner).unwrap().current();
        let traded = traded().new_tree(&mut runner).unwrap().current();
        let choices = vec(any::<u8>(), CHOICES).new_tree(&mut runner).unwrap().current();
        let case = case(&program, &choices, traded);
        if is_too_large(&case) {
            continue;
        }
        overridden += case.parameters.len();
        sessions += case.source.matches(".in_session(").count();
        let compared = case.compare().unwrap_or_else(|difference| panic!("{difference}"));
        named.extend(called(&case.source));
        bars += compared.bars;
        decisions += compared.decisions;
        recorded += compared.recorded;
    }
    let missing: Vec<_> =
        fx_strategy::BUILTINS.iter().map(|row| row.name).filter(|name| !named.contains(*name)).collect();
    assert!(missing.is_empty(), "the grammar or the oracle lacks {missing:?}");
    assert!(overridden > 100 && sessions > 100, "{overridden} overridden parameters, {sessions} sessions");
    assert!(
        decisions > 1_000 && recorded > 1_000,
        "{bars} bars, {decisions} decisions, {recorded} recorded values"
    );
}
