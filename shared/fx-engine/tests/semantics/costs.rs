//! What fills pay beside the price, and where the price came from.

use crate::script::{Points, both, free, one, plan, points, rows, run, start};
use fx_domain::{Bars, Granularity, OrderId, PriceSource, QuoteSide};
use fx_engine::{Commission, OrderEventKind, RunConfig, Slice, Slippage, SpreadModel};

const FLAT: Points = [110_000; 4];

fn hours(side: QuoteSide, rows: &[Points]) -> Bars {
    one(side, start(), Granularity::H1, rows)
}

/// Raw price, price and source of each fill by an order.
fn fills(slice: &Slice) -> Vec<(OrderId, String, String, PriceSource)> {
    let fill = |event: &fx_engine::OrderEvent| match event.kind {
        OrderEventKind::Filled { fill, .. } | OrderEventKind::Exited { fill, .. } => {
            Some((event.order, points(fill.raw_price), points(fill.price), fill.source))
        }
        _ => None,
    };
    slice.events.iter().filter_map(fill).collect()
}

/// A long position, from bar 1 to bar 3.
fn long() -> fx_strategy::Plan {
    plan(&[(0, "buy(units=100000)"), (2, "close()")])
}

#[test]
fn the_side_that_is_stored_is_measured_and_the_other_modelled() {
    use PriceSource::{Measured, Modelled};
    let config = RunConfig { spread: SpreadModel::Pips(2.0), ..free() };
    for (side, bought, sold, sources, spread) in [
        // Entry and exit of 100,000 units pay two dollars for two pips, once: on the side that the model makes.
        (QuoteSide::Bid, "110020", "110000", [Modelled, Measured], 20_000_000),
        (QuoteSide::Ask, "110000", "109980", [Measured, Modelled], 20_000_000),
        (QuoteSide::Mid, "110010", "109990", [Modelled, Modelled], 20_000_000),
    ] {
        let slice = run(&long(), &config, &hours(side, &[FLAT; 4]));
        let found = fills(&slice);
        assert_eq!([&found[0].2, &found[1].2], [bought, sold], "{side:?}");
        assert_eq!([found[0].3, found[1].3], sources, "{side:?}");
        assert_eq!(slice.trades[0].costs.spread_micros, spread, "{side:?}");
        // The spread is inside the prices: it is not paid twice.
        assert_eq!(slice.trades[0].profit_loss.micros(), -20_000_000, "{side:?}");
    }
}

#[test]
fn an_ask_made_of_a_column_of_spreads_is_modelled_and_costs_what_the_column_says() {
    let spreads = [20, 15, 40, 7];
    let mut bars = both(0, &[FLAT; 4]);
    bars.ask_source = PriceSource::Modelled;
    let fx_domain::QuoteColumns::Both { ask, .. } = &mut bars.quotes else { panic!("two sides") };
    for (bar, spread) in spreads.into_iter().enumerate() {
        for column in [&mut ask.open, &mut ask.high, &mut ask.low, &mut ask.close] {
            column[bar] = crate::script::price(110_000 + spread);
        }
    }
    let slice = run(&long(), &free(), &bars);
    let found = fills(&slice);
    assert_eq!([&found[0].2, &found[1].2], ["110015", "110000"]);
    assert_eq!([found[0].3, found[1].3], [PriceSource::Modelled, PriceSource::Measured]);
    assert_eq!(slice.trades[0].costs.spread_micros, 15_000_000);
    assert_eq!(slice.trades[0].profit_loss.micros(), -15_000_000);
    // Quoted asks of the same height give the same money; only where they come from differs.
    let quoted = Bars { ask_source: PriceSource::Measured, ..bars.clone() };
    let measured = run(&long(), &free(), &quoted);
    assert_eq!(measured.trades[0].profit_loss, slice.trades[0].profit_loss);
    assert_eq!((measured.trades[0].costs.spread_micros, fills(&measured)[0].3), (0, PriceSource::Measured));
    // A crossed bar is found whatever made it.
    let fx_domain::QuoteColumns::Both { ask, .. } = &mut bars.quotes else { panic!("two sides") };
    ask.close[2] = crate::script::price(109_999);
    let state = fx_engine::State::start(&long(), &free()).unwrap();
    let refused = fx_engine::advance(&long(), &free(), state, &fx_engine::Inputs::of(&bars)).unwrap_err();
    assert!(matches!(refused, fx_engine::EngineError::Bar { index: 2, .. }), "{refused}");
}

#[test]
fn a_spread_by_the_hour_is_that_of_the_bars_open() {
    let mut pips = [0.0; 24];
    (pips[1], pips[2], pips[3]) = (1.5, 5.0, 0.7);
    let config = RunConfig { spread: SpreadModel::ByHour(pips), ..free() };
    let slice = run(&long(), &config, &hours(QuoteSide::Bid, &[FLAT; 4]));
    let found = fills(&slice);
    assert_eq!((found[0].2.as_str(), found[1].2.as_str()), ("110015", "110000"));
    assert_eq!(slice.trades[0].costs.spread_micros, 15_000_000);
    // A short position leaves at the ask of the hour of its exit; its stop sees the ask of five pips.
    let plan = plan(&[(0, "sell(units=100000, stop_loss=1.1005)")]);
    let slice = run(&plan, &config, &hours(QuoteSide::Bid, &[FLAT, FLAT, FLAT]));
    let found = fills(&slice);
    assert_eq!((found[1].2.as_str(), slice.trades[0].exit_bar), ("110050", 2));
    assert_eq!(slice.trades[0].costs.spread_micros, 50_000_000);
}

#[test]
fn a_relative_spread_moves_fills_and_no_triggers() {
    let bars = both(0, &[[100_000; 4]; 4]);
    let config = |spread| RunConfig { spread, ..free() };
    let entry = run(&long(), &config(SpreadModel::RelativeOnEntry(1e-3)), &bars);
    assert_eq!([&fills(&entry)[0].2, &fills(&entry)[1].2], ["100100", "100000"]);
    assert_eq!([&fills(&entry)[0].1, &fills(&entry)[1].1], ["100000", "100000"]);
    assert_eq!(fills(&entry)[0].3, PriceSource::Modelled);
    let half = run(&long(), &config(SpreadModel::Relative(1e-3)), &bars);
    assert_eq!([&fills(&half)[0].2, &fills(&half)[1].2], ["100050", "99950"]);
    assert_eq!(half.trades[0].costs.spread_micros, 100_000_000);
    // Its stop at 99960 is not touched by a bid of 100000.
    let stop = plan(&[(0, "buy(units=1000, stop_loss=0.9996)")]);
    assert!(run(&stop, &config(SpreadModel::Relative(1e-3)), &bars).trades.is_empty());
}

#[test]
fn market_and_stop_fills_slip_and_limits_do_not() {
    let config = |slippage| RunConfig { slippage, ..free() };
    let decisions =
        [(0, "buy(units=1000, take_profit=1.101)"), (2, "sell(units=1000, stop=1.0995, stop_loss=pips(10))")];
    let bars = both(
        20,
        &[
            FLAT,
            FLAT,
            [110_000, 110_100, 110_000, 110_000],
            [110_000, 110_000, 109_950, 109_950],
            [109_950, 110_100, 109_950, 110_000],
        ],
    );
    let found = |slippage| {
        let slice = run(&plan(&decisions), &config(slippage), &bars);
        fills(&slice).iter().map(|(_, raw, price, _)| format!("{raw} {price}")).collect::<Vec<_>>()
    };
    // The short entry at 109950 less 3 has its stop at 110047, which is bought 3 worse.
    assert_eq!(
        found(Slippage::Pips(0.3)),
        ["110020 110023", "110100 110100", "109950 109947", "110047 110050"]
    );
    // A quarter of 20 points.
    assert_eq!(
        found(Slippage::SpreadShare(0.25)),
        ["110020 110025", "110100 110100", "109950 109945", "110045 110050"]
    );
}

#[test]
fn random_slippage_is_the_same_in_every_run_and_of_another_seed_another() {
    let found = |seed| {
        let config = RunConfig { slippage: Slippage::Random(1.0), seed, ..free() };
        let turns: Vec<_> =
            (0..20).map(|bar| (bar, if bar % 2 == 0 { "buy(units=10)" } else { "sell(units=10)" })).collect();
        // The runner cuts it at every bar, too.
        let slice = run(&plan(&turns), &config, &both(20, &[FLAT; 22]));
        let slips = slice.events.iter().filter_map(|event| match event.kind {
            OrderEventKind::Filled { fill, side, .. } => {
                Some(side.sign() * (fill.price - fill.raw_price).nanos())
            }
            _ => None,
        });
        slips.collect::<Vec<_>>()
    };
    let slips = found(1);
    assert!(slips.len() > 30 && slips.iter().all(|slip| (0..=100_000).contains(slip)), "{slips:?}");
    let mut distinct = slips.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert!(distinct.len() > slips.len() / 2);
    let mean = slips.iter().sum::<i64>() / slips.len() as i64;
    assert!((25_000..75_000).contains(&mean), "{mean}");
    assert_eq!(found(1), slips);
    assert_ne!(found(2), slips);
}

#[test]
fn commission_is_by_lot_unit_or_notional_with_a_minimum() {
    let paid = |commission| {
        let slice = run(&long(), &RunConfig { commission, ..free() }, &both(0, &[FLAT; 4]));
        rows(&slice)
            .into_iter()
            .filter(|(kind, _)| *kind == "commission")
            .map(|(_, micros)| micros)
            .collect::<Vec<_>>()
    };
    assert_eq!(paid(Commission::None), Vec::<i64>::new());
    assert_eq!(paid(Commission::PerLot(3.5)), [-3_500_000; 2]);
    assert_eq!(paid(Commission::PerUnit(0.000_02)), [-2_000_000; 2]);
    // 110,000 dollars at 0.2 basis points are 2.2, or the minimum.
    assert_eq!(paid(Commission::PerNotional { rate: 2e-5, minimum: 1.0 }), [-2_200_000; 2]);
    assert_eq!(paid(Commission::PerNotional { rate: 2e-5, minimum: 3.0 }), [-3_000_000; 2]);
}

#[test]
fn a_trades_profit_is_its_rows_and_its_costs_are_told_apart() {
    let config = RunConfig {
        commission: Commission::PerLot(3.5),
        slippage: Slippage::Pips(0.5),
        spread: SpreadModel::Pips(1.0),
        ..free()
    };
    let rising = [FLAT, FLAT, FLAT, [110_200; 4]];
    let slice = run(&long(), &config, &hours(QuoteSide::Bid, &rising));
    let trade = slice.trades[0];
    // Bought at 110000 + 10 + 5, sold at 110200 - 5: 180 points of 100,000 units, less twice 3.5.
    assert_eq!(trade.profit_loss.micros(), 180_000_000 - 7_000_000);
    assert_eq!(
        (trade.costs.spread_micros, trade.costs.slippage_micros, trade.costs.commission_micros),
        (10_000_000, 10_000_000, 7_000_000)
    );
    assert_eq!(
        rows(&slice),
        [("commission", -3_500_000), ("profit_loss", 180_000_000), ("commission", -3_500_000)]
    );
}
