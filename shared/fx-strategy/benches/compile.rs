//! Time to compile: a strategy of 200 lines, and the smallest one.

#![allow(clippy::expect_used, missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::hint::black_box;

const SMALLEST: &str = "class NewStrategy(Strategy):\n    def analyze(self, data):\n        return {}\n";
/// Lines of the long source.
const LINES: usize = 200;

/// Signals of several lengths that vote, with helpers, a loop and every way to leave a position.
fn long() -> String {
    let mut source = String::from("def between(x, low, high):\n    return x > low and x < high\n\n\n");
    source += "class Votes(Strategy):\n    \"\"\"Averages of many lengths vote.\"\"\"\n";
    for length in 1..=20 {
        let _infallible = writeln!(source, "    n{length}: int = param({}, min=2, max=500)", length * 5);
    }
    source += "\n    def analyze(self, data):\n        votes = 0\n        spread = atr(14)\n";
    for length in 1..=20 {
        let _infallible = writeln!(
            source,
            "        fast = ema(data.close, self.n{length})\n        slow = sma(data.close, self.n{length} * 3)\n        \
             strength = rsi(data.close, self.n{length})\n        if fast > slow and between(strength, 30, 70):\n            \
             votes = votes + 1\n        elif fast < slow:\n            votes = votes - 1"
        );
    }
    source +=
        "        level = 0\n        for i in range(10):\n            level = max(level, data.high[-2 - i])\n";
    source += "        record(\"votes\", votes)\n";
    let exits = "stop_loss=distance(2 * spread), take_profit=distance(3 * spread)";
    for (side, test) in [("buy", "votes > 5"), ("sell", "votes < -5")] {
        let _infallible = writeln!(
            source,
            "        if {test} and position.units == 0 and data.close < level:\n            return {side}(risk_percent=1.0, {exits})"
        );
    }
    while source.lines().count() < LINES - 1 {
        let line = source.lines().count();
        let _infallible = writeln!(source, "        # {line}");
    }
    source + "        return close() if position.bars > 100 else None\n"
}

fn compile(criterion: &mut Criterion) {
    assert_eq!(long().lines().count(), LINES);
    for (name, source) in [("smallest", SMALLEST.to_owned()), ("200_lines", long())] {
        let run = || fx_strategy::compile(black_box(&source), &BTreeMap::new());
        run().expect("a strategy");
        criterion.bench_function(name, |bencher| bencher.iter(run));
    }
}

criterion_group!(benches, compile);
criterion_main!(benches);
