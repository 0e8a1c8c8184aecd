//! Rejection, margin call, stop-out: at what price, of which entries, in what order.

use crate::script::{Points, both, config, lives, plan, rows, run, trades};
use fx_domain::Currency;
use fx_engine::{Account, AccountKind, IntrabarPolicy, MarginCause, RunConfig, Slice, StopOutPolicy};

const FLAT: Points = [110_000; 4];

/// A thousand dollars at leverage 30.
fn thousand() -> RunConfig {
    config("EUR/USD", 1_000, Currency::USD)
}

fn with(stop_out: StopOutPolicy) -> RunConfig {
    let account = Account { stop_out, ..thousand().account };
    RunConfig { account, pyramiding: 9, ..thousand() }
}

fn causes(slice: &Slice) -> Vec<MarginCause> {
    slice.margin.iter().map(|point| point.cause).filter(|cause| *cause != MarginCause::Fill).collect()
}

/// 20,000 units: equity 1000 + 20000 · (p − 1.1), used margin 20000 · p ÷ 30. The level is 100 % at 1.086206…, 50 % at
/// 1.067796….
const LONG: &str = "buy(units=20000)";

#[test]
fn an_order_beyond_the_free_margin_is_refused_and_never_resized() {
    // 27,272 units need 999.97, one more 1000.01.
    let found = |units: u32, config: &RunConfig| {
        lives(&run(&plan(&[(0, &format!("buy(units={units})"))]), config, &both(0, &[FLAT, FLAT])))[1].clone()
    };
    assert_eq!(found(27_272, &thousand()), "1 #0 filled: buys 27272 at 110000");
    assert_eq!(found(27_273, &thousand()), "1 #0 rejected: InsufficientMargin");
    // What is left free counts: a reversal needs the margin of its own side only.
    let pyramid = RunConfig { pyramiding: 1, ..thousand() };
    let slice = run(
        &plan(&[(0, LONG), (1, "buy(units=7273)"), (2, "sell(units=27272)")]),
        &pyramid,
        &both(0, &[FLAT; 4]),
    );
    assert_eq!(lives(&slice)[3], "2 #1 rejected: InsufficientMargin");
    assert_eq!(slice.state.net_units(0).get(), -27_272);
}

#[test]
fn hedged_legs_charge_the_larger_side() {
    let account = Account { kind: AccountKind::Hedging, ..thousand().account };
    let config = RunConfig { account, ..thousand() };
    let decisions = [(0, "order(units=27000)"), (1, "order(units=-27272)"), (2, "order(units=-1)")];
    let slice = run(&plan(&decisions), &config, &both(0, &[FLAT; 4]));
    assert_eq!(lives(&slice)[5], "3 #2 rejected: InsufficientMargin");
    assert_eq!(slice.margin.last().unwrap().used_micros, 999_973_333);
}

#[test]
fn the_margin_call_comes_once_until_the_level_has_recovered() {
    let row = |low| [108_700, 108_700, low, 108_700];
    let calls = |rows: &[Points]| {
        let bars: Vec<_> = [FLAT, FLAT].iter().chain(rows).copied().collect();
        causes(&run(&plan(&[(0, LONG)]), &thousand(), &both(0, &bars))).len()
    };
    // At 1.08621 equity is 724.20 and used 724.14; a point lower 724.00 and 724.13.
    assert_eq!(calls(&[row(108_621)]), 0);
    assert_eq!(calls(&[row(108_620)]), 1);
    // It stays low, and is not called again; it recovers, and is.
    assert_eq!(calls(&[[108_000; 4], [108_010; 4], [107_990; 4]]), 1);
    assert_eq!(calls(&[[108_000; 4], [109_000; 4], [108_000; 4]]), 2);
}

#[test]
fn a_stop_out_fills_at_the_adverse_extreme_of_the_bar() {
    for fill_policy in [
        IntrabarPolicy::Pessimistic,
        IntrabarPolicy::Optimistic,
        IntrabarPolicy::Ohlc,
        IntrabarPolicy::Olhc,
        IntrabarPolicy::NearestExtremeFirst,
    ] {
        let found = |low| {
            let bars = both(0, &[FLAT, FLAT, [110_000, 110_000, low, 109_000]]);
            run(&plan(&[(0, LONG), (0, "cancel()")]), &RunConfig { fill_policy, ..thousand() }, &bars)
        };
        assert_eq!(causes(&found(106_780)), [MarginCause::MarginCall], "{fill_policy:?}");
        let slice = found(106_779);
        assert_eq!(trades(&slice), ["long 20000 110000@1 to 106779@2 stop_out"], "{fill_policy:?}");
        assert_eq!(causes(&slice), [MarginCause::MarginCall, MarginCause::StopOut]);
        assert_eq!(rows(&slice), [("profit_loss", -644_200_000)]);
    }
}

#[test]
fn a_short_position_is_stopped_out_at_the_ask() {
    // Equity 1000 − 20000 · (ask − 1.1), used margin at the mid, 10 points below: 50 % at an ask of 1.130983….
    let bars = |high| both(20, &[FLAT, FLAT, [110_000, high, 110_000, 110_500]]);
    let short = plan(&[(0, "sell(units=20000)")]);
    let slice = run(&short, &thousand(), &bars(113_097));
    assert_eq!(trades(&slice), ["short 20000 110000@1 to 113117@2 stop_out"]);
    assert_eq!(causes(&run(&short, &thousand(), &bars(113_077))), [MarginCause::MarginCall]);
}

#[test]
fn a_protective_stop_on_the_way_comes_first() {
    let bars = both(0, &[FLAT, FLAT, [110_000, 110_000, 106_000, 106_500]]);
    let slice = run(&plan(&[(0, "buy(units=20000, stop_loss=1.07)")]), &thousand(), &bars);
    assert_eq!(trades(&slice), ["long 20000 110000@1 to 107000@2 stop_loss"]);
    assert!(causes(&slice).is_empty());
}

#[test]
fn a_gap_fills_at_the_open_and_may_go_below_zero() {
    let bars = both(0, &[FLAT, FLAT, [104_000; 4], FLAT]);
    let slice = run(&plan(&[(0, LONG)]), &thousand(), &bars);
    assert_eq!(trades(&slice), ["long 20000 110000@1 to 104000@2 stop_out"]);
    assert_eq!(slice.state.balance().micros(), -200_000_000);
    let account = Account { negative_balance_protection: true, ..thousand().account };
    let slice = run(&plan(&[(0, LONG)]), &RunConfig { account, ..thousand() }, &bars);
    assert_eq!(rows(&slice), [("profit_loss", -1_200_000_000), ("negative_balance", 200_000_000)]);
    assert_eq!(*slice.equity.last().unwrap(), 0);
}

/// Two entries: 10,000 at 1.1000 and 10,000 at 1.0950, and an order that waits.
fn two_entries(config: &RunConfig, low: i64) -> Slice {
    let decisions = [(0, "buy(units=10000)"), (1, "[buy(units=10000), order(units=-5, limit=1.5)]")];
    let bars = both(0, &[FLAT, FLAT, [109_500; 4], [109_500, 109_500, low, low]]);
    run(&plan(&decisions), config, &bars)
}

#[test]
fn the_policies_close_the_largest_loss_all_or_as_much_as_it_takes() {
    // Equity at p: 1000 + 10000 · (2p − 2.195); used 20000 · p ÷ 30. At 1.06500: 350 and 710, 49.3 %.
    let slice = two_entries(&with(StopOutPolicy::LargestLoss), 106_500);
    assert_eq!(trades(&slice), ["long 10000 110000@1 to 106500@3 stop_out"]);
    assert_eq!(slice.state.net_units(0).get(), 10_000);
    // What waited is taken back before anything is closed.
    let told = lives(&slice);
    assert_eq!(told[told.len() - 2..], ["3 #2 cancelled: StopOut", "3 #0 exits 10000 by stop_out at 106500"]);
    let slice = two_entries(&with(StopOutPolicy::All), 106_500);
    let all = ["long 10000 110000@1 to 106500@3 stop_out", "long 10000 109500@2 to 106500@3 stop_out"];
    assert_eq!(trades(&slice), all);
    // Half of the used margin must be below 350: 19,718 units use 699.99, so 282 go, and one more that equals.
    let slice = two_entries(&with(StopOutPolicy::ReduceToCover), 106_500);
    assert_eq!(trades(&slice), ["long 282 110000@1 to 106500@3 stop_out"]);
    assert_eq!(slice.state.net_units(0).get(), 19_718);
}

#[test]
fn of_equal_losses_the_older_entry_is_closed() {
    let account = Account { kind: AccountKind::Hedging, ..with(StopOutPolicy::LargestLoss).account };
    let config = RunConfig { account, pyramiding: 9, ..thousand() };
    let decisions = [(0, "[order(units=10000), order(units=10000)]")];
    let bars = both(0, &[FLAT, FLAT, [110_000, 110_000, 106_700, 106_700]]);
    let slice = run(&plan(&decisions), &config, &bars);
    assert_eq!(slice.trades.iter().map(|trade| trade.position_id).collect::<Vec<_>>(), [0]);
}

#[test]
fn hedged_legs_are_reduced_in_bounded_steps() {
    let account = Account { kind: AccountKind::Hedging, ..with(StopOutPolicy::ReduceToCover).account };
    let config = RunConfig { account, ..thousand() };
    let mut bars = both(0, &[FLAT; 4]);
    // A spread of 330 pips costs both legs 660 of a thousand.
    if let fx_domain::QuoteColumns::Both { ask, .. } = &mut bars.quotes {
        let wide = crate::script::price(113_300);
        (ask.open[3], ask.high[3], ask.low[3], ask.close[3]) = (wide, wide, wide, wide);
    }
    let slice = run(&plan(&[(0, "[order(units=20000), order(units=-20000)]")]), &config, &bars);
    assert!(slice.trades.len() <= 3, "{:?}", trades(&slice));
    let point = slice.margin.last().unwrap();
    assert!(point.level_percent().is_none_or(|level| level > 50.0), "{point:?}");
}

#[test]
fn an_entry_on_the_way_down_is_looked_at_at_the_extreme_below_it() {
    // Bought at 109000 on the way to 105500, which closes at 109000 again: 20,000 units lose 700 of a thousand.
    let bars = both(0, &[FLAT, [110_000, 110_000, 105_500, 109_000]]);
    for fill_policy in
        [IntrabarPolicy::Pessimistic, IntrabarPolicy::Optimistic, IntrabarPolicy::Ohlc, IntrabarPolicy::Olhc]
    {
        let slice = run(
            &plan(&[(0, "buy(units=20000, limit=1.09)")]),
            &RunConfig { fill_policy, ..thousand() },
            &bars,
        );
        assert_eq!(trades(&slice), ["long 20000 109000@1 to 105500@1 stop_out"], "{fill_policy:?}");
    }
    // A stop order may have filled after the low: pessimism says before, the path with the low first says after.
    let bars = both(0, &[FLAT, [110_000, 110_500, 105_500, 110_400]]);
    let found = |fill_policy| {
        let slice = run(
            &plan(&[(0, "buy(units=20000, stop=1.104)")]),
            &RunConfig { fill_policy, ..thousand() },
            &bars,
        );
        slice.trades.len()
    };
    assert_eq!([IntrabarPolicy::Pessimistic, IntrabarPolicy::Ohlc].map(found), [1, 1]);
    assert_eq!([IntrabarPolicy::Optimistic, IntrabarPolicy::Olhc].map(found), [0, 0]);
}

#[test]
fn the_level_is_looked_at_after_each_fill() {
    // The spread takes the account to its margin call at once, and the close hides it again.
    let bars = both(100, &[FLAT, [110_000, 111_000, 110_000, 111_000]]);
    let slice = run(&plan(&[(0, "buy(units=27200)")]), &thousand(), &bars);
    assert_eq!(causes(&slice), [MarginCause::MarginCall]);
    // Inside the bar, too.
    let bars = both(100, &[FLAT, [110_000, 112_000, 110_000, 112_000]]);
    let slice = run(&plan(&[(0, "buy(units=27000, stop=1.11)")]), &thousand(), &bars);
    assert_eq!(causes(&slice), [MarginCause::MarginCall]);
}

#[test]
fn without_a_position_there_is_no_level() {
    let slice = run(&plan(&[(0, LONG), (1, "close()")]), &thousand(), &both(0, &[FLAT; 4]));
    let levels: Vec<_> = slice.margin.iter().map(fx_engine::MarginPoint::level_percent).collect();
    assert!(levels[0].is_some_and(|level| (level - 136.36).abs() < 0.01));
    assert_eq!(levels[1], None);
}
