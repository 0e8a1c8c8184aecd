//! What is not written down changes nothing that is: recorders that want less, and many plans at once.

use crate::bounded;
use crate::cases::{Case, cases, single};
use crate::plans::of_bars;
use fx_domain::{LedgerRow, Money, Trade, UnixNanos};
use fx_engine::{
    Commission, FillTime, MarginPoint, Market, OrderEvent, Recorder, RunConfig, SpreadModel, State, Tally,
    advance_over, sweep,
};
use fx_strategy::{ParameterValue, Plan};
use proptest::prelude::*;

/// Keeps trades, ledger, equity and the bits of what is recorded, and wants no events.
#[derive(Debug, Default, PartialEq)]
struct Quiet {
    trades: Vec<Trade>,
    ledger: Vec<LedgerRow>,
    equity: Vec<i64>,
    recordings: Vec<Vec<u64>>,
}

impl Recorder for Quiet {
    const DETAILED: bool = false;

    fn trade(&mut self, trade: &Trade) {
        self.trades.push(*trade);
    }

    fn ledger(&mut self, row: &LedgerRow) {
        self.ledger.push(*row);
    }

    fn event(&mut self, _: impl FnOnce() -> OrderEvent) {}

    fn margin(&mut self, _: impl FnOnce() -> MarginPoint) {}

    fn equity(&mut self, _: &[UnixNanos], micros: &[i64]) {
        self.equity.extend_from_slice(micros);
    }

    fn recording(&mut self, index: usize, values: &[f64]) {
        self.recordings.resize_with(self.recordings.len().max(index + 1), Vec::new);
        self.recordings[index].extend(values.iter().map(|value| value.to_bits()));
    }
}

fn recorded<R: Recorder + Default>(case: &Case) -> (R, State) {
    let state = State::start(&case.plan, &case.config).unwrap();
    let inputs = case.inputs();
    let market = Market::new(&case.config, &state, &inputs).unwrap();
    let mut recorder = R::default();
    let state = advance_over(&case.plan, &case.config, state, &market, &mut recorder).unwrap();
    (recorder, state)
}

pub(crate) fn cross(fast: i64, slow: i64, units: i64) -> Plan {
    let source = format!(
        "class Cross(Strategy):\n    fast = 3\n    slow = 9\n    def analyze(self, data):\n        quick = \
         sma(data.close, self.fast)\n        calm = sma(data.close, self.slow)\n        if quick > calm:\n            \
         return buy(units={units})\n        if quick < calm:\n            return sell(units={units})\n        return {{}}\n"
    );
    let set = |name: &str, value| (name.to_owned(), ParameterValue::Integer(value));
    fx_strategy::compile(&source, &[set("fast", fast), set("slow", slow)].into()).unwrap().plan
}

fn assert_quiet(case: &Case) -> Result<usize, TestCaseError> {
    let slice = case.run().unwrap();
    let (quiet, state) = recorded::<Quiet>(case);
    prop_assert_eq!(&quiet.trades, &slice.trades);
    prop_assert_eq!(&quiet.ledger, &slice.ledger);
    prop_assert_eq!(&quiet.equity, &slice.equity);
    let recorded =
        slice.recordings.iter().map(|values| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>());
    prop_assert!(
        quiet.recordings.is_empty() || quiet.recordings.iter().eq(recorded.collect::<Vec<_>>().iter())
    );
    prop_assert_eq!(state.to_bytes(), slice.state.to_bytes());
    Ok(slice.trades.len())
}

proptest! {
    #![proptest_config(bounded(192))]

    #[test]
    fn a_run_that_nobody_is_told_of_is_the_same_run(case in cases(160)) {
        assert_quiet(&case)?;
    }

    /// Plans whose signals take the short way to their fills.
    #[test]
    fn the_short_way_to_a_fill_is_the_long_one(case in single(300), fast in 1_i64..5, units in 1_i64..60_000) {
        assert_quiet(&Case { plan: cross(fast, fast + 3, units), ..case })?;
    }

    /// The margin is low at every price: the short way is left and taken again.
    #[test]
    fn the_short_way_ends_where_the_margin_is_close(
        case in single(300), units in 1_i64..60_000, leverage in 0.5_f64..4.0, share in 0.2_f64..3.0,
    ) {
        let plain = RunConfig { fill: FillTime::Open, pyramiding: 0, financing: None, intrabar: None, ..case.config.clone() };
        let mut case = Case { plan: cross(2, 5, units), config: plain, finer: None, ..case };
        let notional = case.bars[0].get(0).bid.close.to_f64() * units as f64;
        let capital = Money::from_f64((notional * share).max(0.01), case.config.account.currency).unwrap();
        (case.config.account.capital, case.config.account.leverage) = (capital, leverage);
        assert_quiet(&case)?;
    }

    #[test]
    fn a_sweep_is_its_runs_one_by_one(case in single(300), sets in prop::collection::vec((1_i64..6, 6_i64..20, 1_i64..60_000), 1..7)) {
        let plans: Vec<_> = sets.into_iter().map(|(fast, slow, units)| cross(fast, slow, units)).collect();
        // A sweep takes cells bar by bar, a run alone takes those that bars decide by the block.
        let plans = [plans, vec![case.plan.clone(), of_bars(case.plan.clone())]].concat();
        let case = Case { finer: None, ..case };
        let inputs = case.inputs();
        let market = Market::new(&case.config, &State::start(&plans[0], &case.config).unwrap(), &inputs).unwrap();
        if !case.rates.is_empty() {
            return Ok(());
        }
        let together = sweep::<Quiet>(&plans, &case.config, &market).unwrap();
        let tallies = sweep::<Tally>(&plans, &case.config, &market).unwrap();
        for ((plan, quiet), tally) in plans.into_iter().zip(together).zip(tallies) {
            let (alone, _) = recorded::<Quiet>(&Case { plan, ..case.clone() });
            prop_assert_eq!(tally.trades as usize, alone.trades.len());
            prop_assert_eq!(tally.points as usize, alone.equity.len());
            prop_assert_eq!(Some(tally.final_equity_micros).filter(|_| tally.points > 0), alone.equity.last().copied());
            let gains: i64 = alone.trades.iter().map(|trade| trade.profit_loss.micros()).sum();
            prop_assert_eq!(tally.gross_profit_micros - tally.gross_loss_micros, gains);
            prop_assert_eq!(quiet, alone);
        }
    }
}

/// The random plans whose cells bars decide do have cells that change, and trade.
#[test]
fn cells_that_bars_decide_change_and_trade() {
    use fx_strategy::{Node, Recording};
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut changing, mut trading) = (0, 0);
    for _ in 0..100 {
        let case = single(300).new_tree(&mut runner).unwrap().current();
        let mut plan = of_bars(case.plan.clone());
        let cell = plan.nodes.iter().zip(0..).find(|(node, _)| matches!(node, Node::Cell { .. })).unwrap().1;
        plan.recordings = vec![Recording { name: "cell".into(), value: fx_strategy::NodeId(cell) }];
        let slice = Case { plan, ..case }.run().unwrap();
        let first = slice.recordings[0].first().map(|value| value.to_bits());
        changing += usize::from(slice.recordings[0].iter().any(|value| Some(value.to_bits()) != first));
        trading += usize::from(!slice.trades.is_empty());
    }
    assert!(changing > 40 && trading > 40, "{changing} change, {trading} trade");
}

/// The cases above trade by the short way, and often.
#[test]
fn the_short_way_is_taken() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut trades = 0;
    for _ in 0..40 {
        let case = single(300).new_tree(&mut runner).unwrap().current();
        let config = RunConfig {
            fill: FillTime::Open,
            pyramiding: 0,
            financing: None,
            commission: Commission::PerLot(3.0),
            spread: SpreadModel::Relative(1e-5),
            ..case.config.clone()
        };
        trades += assert_quiet(&Case { plan: cross(2, 5, 1_000), config, ..case }).unwrap();
    }
    assert!(trades > 400, "{trades}");
}
