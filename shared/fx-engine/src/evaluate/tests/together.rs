//! What is evaluated together against the same evaluated one by one.

use super::{bars, config, wide};
use crate::evaluate::{Block, Clock, Column, Memory};
use crate::market::Quotes;
use crate::program::Program;
use crate::{BLOCK, SpreadModel, State};
use fx_domain::{Bars, Granularity, Instrument};
use fx_strategy::{Binary, Node, NodeId, Plan, PriceField, Recursion, SeriesSide};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Averages of prices, of averages, of differences, and of what is now and then undefined or too large.
fn averages(seeds: &[(u8, u8, u8)]) -> Plan {
    let price = |field| Node::Price { side: SeriesSide::Signal, field };
    let mut plan = Plan { nodes: vec![price(PriceField::Close), price(PriceField::High)], ..Plan::default() };
    plan.nodes.extend([Node::Number(1e308), Node::Binary { op: Binary::Sub, a: NodeId(1), b: NodeId(0) }]);
    for (kind, a, b) in seeds {
        let pick = |choice: u8| NodeId(u32::from(choice) % plan.nodes.len() as u32);
        let newest = NodeId(plan.nodes.len() as u32 - 1 - u32::from(*b) % 3);
        let (x, bars) = (if kind % 2 == 0 { pick(*a) } else { newest }, 1 + u32::from(b % 9));
        let node = match kind % 16 {
            0..=6 => Node::Recursion { kind: Recursion::Ema, x, bars },
            7 | 8 => Node::Recursion { kind: Recursion::Rma, x, bars },
            9..=12 => Node::Binary { op: Binary::Sub, a: pick(*a), b: newest },
            13 => Node::Binary { op: Binary::Div, a: x, b: NodeId(3) },
            14 => Node::Binary { op: Binary::Mul, a: x, b: NodeId(2) },
            _ => Node::Lag { x, bars },
        };
        if !plan.nodes.contains(&node) {
            plan.nodes.push(node);
        }
    }
    plan
}

/// The bits of every column at every bar, in blocks of `size`, and the state behind them.
fn columns(program: &Program<'_>, bars: &Bars, size: usize) -> (Vec<Vec<u64>>, Vec<u8>) {
    let quotes = Quotes::new(bars, SpreadModel::Measured, &Instrument::parse("EUR/USD").unwrap()).unwrap();
    let clock = Clock { first_decision: 0, first_index: 0, granularity: Granularity::M1 };
    let (mut state, mut block) = (State::new(program, &config()), Block::new(program));
    let mut all = vec![Vec::new(); program.plan.nodes.len()];
    for from in (0..bars.len()).step_by(size) {
        let rows = from..bars.len().min(from + size);
        block.evaluate(program, &mut state.tracks[0].memories, &quotes, rows.clone(), clock);
        for (all, column) in all.iter_mut().zip(&block.columns) {
            if let Column::Number(column) = column {
                all.extend(wide(column[..rows.len()].iter().copied()));
            }
        }
    }
    (all, state.to_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn averages_side_by_side_are_those_one_by_one(
        seeds in vec(any::<(u8, u8, u8)>(), 1..20),
        steps in vec(any::<(i8, u8)>(), 1..200),
    ) {
        let (plan, bars) = (averages(&seeds), bars(1_100_000_000, true, &steps));
        let together = Program::new(&plan).unwrap();
        let mut apart = Program::new(&plan).unwrap();
        apart.braids.clear();
        let expected = columns(&apart, &bars, BLOCK);
        for size in [1, 7, 64, BLOCK] {
            prop_assert!(columns(&together, &bars, size) == expected, "blocks of {size}");
        }
    }
}

/// Random plans have averages that do go side by side: many of every number of lanes, and most of them seeded and
/// defined.
#[test]
fn averages_go_side_by_side() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let steps: Vec<_> = (0..64_u8).map(|step| (step as i8, 3)).collect();
    let (bars, mut together) = (bars(1_100_000_000, true, &steps), BTreeMap::<usize, usize>::new());
    for _ in 0..200 {
        let plan = averages(&vec(any::<(u8, u8, u8)>(), 1..20).new_tree(&mut runner).unwrap().current());
        let program = Program::new(&plan).unwrap();
        let quotes =
            Quotes::new(&bars, SpreadModel::Measured, &Instrument::parse("EUR/USD").unwrap()).unwrap();
        let clock = Clock { first_decision: 0, first_index: 0, granularity: Granularity::M1 };
        let mut memories: Vec<_> = plan.nodes.iter().map(|node| Memory::of(&program, node)).collect();
        let mut block = Block::new(&program);
        block.evaluate(&program, &mut memories, &quotes, 0..64, clock);
        for braid in &program.braids {
            if braid.evaluate(&mut block.columns, &mut memories, 64) {
                *together.entry(braid.nodes().count()).or_default() += 1;
            }
        }
    }
    assert!(
        [2, 3, 4].iter().all(|lanes| together.get(lanes).is_some_and(|times| *times > 10)),
        "{together:?}"
    );
}

fn plan(body: &str) -> Plan {
    let source = format!(
        "class S(Strategy):\n    n = state(0)\n    m = state(0)\n\n    def analyze(self, data):\n{body}        return {{}}\n"
    );
    fx_strategy::compile(&source, &BTreeMap::new()).unwrap().plan
}

#[test]
fn the_averages_of_macd_share_a_loop() {
    let plan = plan(
        "        line, signal, hist = macd(data.close)\n        if line > signal:\n            return buy(units=1)\n",
    );
    let program = Program::new(&plan).unwrap();
    assert_eq!(program.braids.iter().map(|braid| braid.nodes().count()).collect::<Vec<_>>(), [3]);
}

/// A cell is evaluated at single bars if position or account decide it, by itself or through another cell.
#[test]
fn cells_that_bars_decide_go_by_the_block() {
    let rest = "        if self.n > 3 and self.m > 3:\n            return buy(units=1)\n";
    for (body, by_the_block) in [
        ("        self.n += 1\n        self.m += self.n + data.close\n", 2),
        ("        self.n += 1\n        self.m += position.units\n", 1),
        ("        self.n += account.equity\n        self.m += self.n\n", 0),
        ("        self.n += self.m\n        self.m += self.n + position.units\n", 0),
    ] {
        let plan = plan(&format!("{body}{rest}"));
        let program = Program::new(&plan).unwrap();
        let cells = plan.nodes.iter().zip(&program.carried);
        let carried = cells.filter(|(node, carried)| matches!(node, Node::Cell { .. }) && **carried);
        assert_eq!(carried.count(), by_the_block, "{body}");
        assert_eq!(program.every_bar.is_empty(), by_the_block == 2, "{body}");
        let apart = Program::without_carried(&plan).unwrap();
        assert!(!apart.carried.contains(&true) && !apart.every_bar.is_empty());
    }
}
