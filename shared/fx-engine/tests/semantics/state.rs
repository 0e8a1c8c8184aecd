//! Cells: what a strategy keeps from bar to bar.

use crate::script::{at, both, free, run, trades};
use fx_engine::RunConfig;
use fx_strategy::Plan;
use std::collections::BTreeMap;

const FLAT: [i64; 4] = [110_000, 110_010, 109_990, 110_000];

fn compiled(fields: &str, body: &str) -> Plan {
    let body = body.replace('\n', "\n        ");
    let source =
        format!("class Keeps(Strategy):\n    {fields}\n    def analyze(self, data):\n        {body}\n");
    fx_strategy::compile(&source, &BTreeMap::new()).unwrap_or_else(|found| panic!("{found:?}")).plan
}

/// What a strategy records at each of these bars.
fn recorded(fields: &str, body: &str, config: &RunConfig, rows: &[[i64; 4]]) -> Vec<f64> {
    run(&compiled(fields, body), config, &both(1, rows)).recordings.remove(0)
}

#[test]
fn a_counter_counts_the_bars() {
    let body = "record(\"before\", self.n)\nself.n += 1";
    assert_eq!(recorded("n = state(5)", body, &free(), &[FLAT; 4]), [5.0, 6.0, 7.0, 8.0]);
}

#[test]
fn a_cell_begins_with_the_first_bar_that_is_decided_on() {
    let config = RunConfig { start: at("2024-01-03T02:00:00Z"), ..free() };
    let body = "self.n += 1\nrecord(\"after\", self.n)";
    assert_eq!(recorded("n = state(0)", body, &config, &[FLAT; 5]), [1.0, 2.0, 3.0]);
    // A lag of it sees the initial value in the warm-up.
    let body = "self.n += 1\nrecord(\"two ago\", self.n[-3])";
    assert_eq!(recorded("n = state(0)", body, &config, &[FLAT; 5])[2..], [1.0]);
}

#[test]
fn an_undefined_condition_makes_a_cell_undefined_until_it_is_assigned_again() {
    let up = |close| [110_000, 110_100, 109_900, close];
    let rows = [up(110_000), up(110_010), up(110_020), up(110_030), up(110_040)];
    let text = |values: Vec<f64>| values.iter().map(|value| value.to_string()).collect::<Vec<_>>().join(" ");
    let body = "if sma(data.close, 3) > 1.10001:\n    self.n += 1\nrecord(\"n\", self.n)";
    assert_eq!(text(recorded("n = state(0)", body, &free(), &rows)), "NaN NaN NaN NaN NaN");
    let tested = body.replace("if sma", "if defined(sma(data.close, 3)) and sma");
    assert_eq!(text(recorded("n = state(0)", &tested, &free(), &rows)), "0 0 1 2 3");
    let reset = format!("if not defined(self.n):\n    self.n = 0\n{body}");
    assert_eq!(text(recorded("n = state(0)", &reset, &free(), &rows)), "NaN NaN 1 2 3");
    let same =
        "if sma(data.close, 3) > 1.10001:\n    self.n = 4\nelse:\n    self.n = 4\nrecord(\"n\", self.n)";
    assert_eq!(text(recorded("n = state(0)", same, &free(), &rows)), "4 4 4 4 4");
}

#[test]
fn a_condition_remembers_and_decides() {
    let up = |close| [110_000, 110_300, 109_700, close];
    let rows = [up(110_000), up(110_200), up(110_000), up(109_800), up(110_000), up(110_000), up(110_000)];
    let body = "if data.close > 1.1010:\n    self.seen = True\nif self.seen and data.close < 1.0990:\n    self.seen = False\n    \
                return buy(units=1000)\nif position.bars == 1:\n    return close()";
    let plan = compiled("seen = state(False)", body);
    assert_eq!(trades(&run(&plan, &free(), &both(1, &rows))), ["long 1000 110001@4 to 110000@6 close"]);
}

#[test]
fn every_instrument_keeps_its_own() {
    use crate::script::{run_series, track};
    use fx_domain::Granularity;
    let plan = compiled("n = state(0)", "self.n += 1\nif self.n == 2:\n    return buy(units=1000)");
    let mut config = free();
    config.tracks.push(track("GBP/USD", Granularity::H1));
    let (euro, pound) = (both(1, &[FLAT; 4]), both(1, &[FLAT; 4]));
    let slice = run_series(&plan, &config, &[&euro, &pound], &[]);
    assert_eq!(slice.state.open_positions().iter().map(|open| open.entry_bar).collect::<Vec<_>>(), [2, 2]);
}
