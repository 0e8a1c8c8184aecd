//! Runs that are written down: costs, blocks, errors.

use crate::cases::{Step, config};
use fx_domain::{Bars, Currency, Granularity, Money};
use fx_engine::{EngineError, Inputs, RunConfig, Slice, State, advance};
use fx_strategy::Plan;

#[derive(Clone, Debug)]
struct Case {
    plan: Plan,
    config: RunConfig,
    bars: Bars,
}

fn run(case: &Case) -> Result<Slice, EngineError> {
    advance(&case.plan, &case.config, State::start(&case.plan, &case.config)?, &Inputs::of(&case.bars))
}

/// A netting account far from its end, without financing.
fn plain(options: (u8, u8, u8, u8, u8, u8)) -> RunConfig {
    config((options, (1, 0, 1, 1)), 3)
}

fn bars(sides: u8, steps: &[Step]) -> Bars {
    crate::cases::bars(sides, Granularity::M1, steps)
}

/// Commission changes no fill of a strategy that does not look at the account, and takes what it says.
#[test]
fn commission_never_helps() {
    let steps: Vec<_> = (0..600_u32)
        .map(|n| ((n * 37 % 91) as i8 - 45, (n % 31) as u8, (n % 29) as u8, (n % 251) as u8))
        .collect();
    let source = "class Swing(Strategy):\n    def analyze(self, data):\n        if data.close > sma(data.close, 5):\n            \
        return buy(units=1000)\n        if data.close < sma(data.close, 5):\n            return sell(units=1000)\n        return {}\n";
    let plan = fx_strategy::compile(source, &std::collections::BTreeMap::new()).unwrap().plan;
    let free = Case { plan, config: plain((0, 0, 0, 0, 0, 0)), bars: bars(3, &steps) };
    let free_slice = run(&free).unwrap();
    assert!(free_slice.trades.len() > 20);
    for commission in [1, 2, 3] {
        let paid = run(&Case { config: plain((0, 0, 0, commission, 0, 0)), ..free.clone() }).unwrap();
        assert_eq!(paid.trades.len(), free_slice.trades.len());
        for (paid, free) in paid.trades.iter().zip(&free_slice.trades) {
            assert_eq!((paid.entry_price, paid.exit_price), (free.entry_price, free.exit_price));
            assert!(paid.profit_loss.micros() < free.profit_loss.micros());
        }
        assert!(paid.equity.iter().zip(&free_slice.equity).all(|(paid, free)| paid <= free));
    }
}

#[test]
fn block_sizes_do_not_show() {
    let steps: Vec<_> = (0..2_600_u32)
        .map(|n| ((n * 37 % 91) as i8 - 45, (n % 31) as u8, (n % 29) as u8, (n % 251) as u8))
        .collect();
    let source = "class Swing(Strategy):\n    def analyze(self, data):\n        top = highest(data.high, 40)[-2]\n        \
        if data.close > top:\n            return buy(units=1000, stop_loss=pips(3), take_profit=pips(9))\n        \
        if rsi(data.close, 7) > 60 and stdev(data.close, 20) > 0:\n            return sell(units=1500, stop_loss=pips(4))\n        return {}\n";
    let plan = fx_strategy::compile(source, &std::collections::BTreeMap::new()).unwrap().plan;
    let case = Case { plan, config: plain((0, 0, 0, 3, 0, 0)), bars: bars(3, &steps) };
    let whole = run(&case).unwrap();
    assert!(whole.trades.len() > 10);
    for cut in [1, 1_023, 1_024, 1_025, 2_047, 2_048, 2_049] {
        let state = State::start(&case.plan, &case.config).unwrap();
        let first = advance(&case.plan, &case.config, state, &Inputs::of(&case.bars.slice(0..cut))).unwrap();
        let rest = advance(&case.plan, &case.config, first.state, &Inputs::of(&case.bars.slice(cut..2_600)))
            .unwrap();
        assert_eq!(rest.state.hash(), whole.state.hash(), "cut at {cut}");
    }
}

#[test]
fn a_bad_bar_is_named() {
    let mut bars = bars(0, &[(1, 1, 1, 1); 5]);
    bars.times[3] = bars.times[2];
    let case = Case { plan: Plan::default(), config: plain((0, 0, 0, 0, 0, 0)), bars };
    let error = run(&case).unwrap_err();
    assert!(matches!(error, EngineError::Bar { index: 3, .. }), "{error}");
    let mut yen = case.config.clone();
    yen.account = fx_engine::Account::new(Money::from_micros(1, Currency::JPY));
    let error = State::start(&case.plan, &yen).unwrap_err();
    assert!(matches!(error, EngineError::NoRate { .. }), "{error}");
}

/// Two bars warm up, the third decides, the fourth would fill: bars are counted from the first of the run.
#[test]
fn an_overflow_names_its_bar_with_the_warm_up_counted() {
    let found = |action: &str, fill: u8| {
        let source =
            format!("class Huge(Strategy):\n    def analyze(self, data):\n        return buy({action})\n");
        let plan = fx_strategy::compile(&source, &std::collections::BTreeMap::new()).unwrap().plan;
        let bars = bars(0, &[(1, 1, 1, 1); 6]);
        let config = RunConfig { start: bars.times[2], ..plain((fill, 0, 0, 0, 0, 0)) };
        let state = State::start(&plan, &config).unwrap();
        let whole = advance(&plan, &config, state.clone(), &Inputs::of(&bars)).unwrap_err();
        let first = advance(&plan, &config, state, &Inputs::of(&bars.slice(0..1))).unwrap();
        let resumed = advance(&plan, &config, first.state, &Inputs::of(&bars.slice(1..6))).unwrap_err();
        assert_eq!(resumed, whole);
        match whole {
            EngineError::Overflow { index, time, .. } => {
                assert_eq!(time, bars.times[index as usize]);
                index
            }
            other => panic!("{other}"),
        }
    };
    assert_eq!(found("units=data.close * 1e15", 0), 2);
    assert_eq!(found("equity_percent=1e18", 0), 3);
    assert_eq!(found("equity_percent=1e18", 1), 2);
}
