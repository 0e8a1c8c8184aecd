//! What no run can have is an error that names it, never a panic and never a result.

use crate::script::{Points, advance_all, both, both_from, config, free, one, plan, price, start, track};
use fx_domain::{Bars, Currency, Granularity, QuoteColumns, QuoteSide, UnixNanos};
use fx_engine::{
    Account, Commission, EngineError, Inputs, RunConfig, Slippage, SpreadModel, State, TrackBars,
};
use fx_strategy::Plan;

const FLAT: Points = [110_000; 4];

fn outcome(config: &RunConfig, bars: &Bars) -> String {
    match advance_all(&Plan::default(), config, &Inputs::of(bars)) {
        Ok(_) => "a result".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// Four sound bars, the third of them changed.
fn spoiled(spoil: impl Fn(&mut Bars)) -> String {
    let mut bars = both(20, &[FLAT; 4]);
    assert_eq!(outcome(&free(), &bars), "a result");
    spoil(&mut bars);
    outcome(&free(), &bars)
}

fn bid(bars: &mut Bars) -> &mut fx_domain::OhlcColumns {
    match &mut bars.quotes {
        QuoteColumns::Both { bid, .. } => bid,
        QuoteColumns::One { ohlc, .. } => ohlc,
    }
}

#[test]
fn a_bar_that_is_none_is_named() {
    let at_two = "bar 2 at 2024-01-03T02:00:00Z: ";
    for (found, reason) in [
        (spoiled(|bars| bid(bars).low[2] = price(0)), "a price is not above zero"),
        (spoiled(|bars| bid(bars).open[2] = price(-1)), "a price is not above zero"),
        (spoiled(|bars| bid(bars).low[2] = price(i64::MIN / 10_000)), "a price is not above zero"),
        (spoiled(|bars| bid(bars).high[2] = price(109_999)), "the high is below another price of the bar"),
        (
            spoiled(|bars| (bid(bars).low[2], bid(bars).high[2]) = (price(110_001), price(110_010))),
            "the low is above another price of the bar",
        ),
        (
            spoiled(|bars| (bid(bars).high[2], bid(bars).close[2]) = (price(110_030), price(110_030))),
            "the bid is above the ask",
        ),
        (spoiled(|bars| bars.volume[2] = -1), "the volume is negative"),
        (spoiled(|bars| bars.times[2] = bars.times[1]), "the time is not after the bar before"),
        (spoiled(|bars| bars.times[2] = UnixNanos::new(i64::MIN)), "the time is not after the bar before"),
    ] {
        assert!(found.starts_with("bar 2 at ") && found.ends_with(reason), "{found}");
    }
    let far = spoiled(|bars| bars.times[3] = UnixNanos::new(i64::MAX));
    assert!(far.starts_with("bar 3 ") && far.ends_with("the time is too far from 1970"), "{far}");
    let high = spoiled(|bars| {
        if let QuoteColumns::Both { ask, .. } = &mut bars.quotes {
            ask.high[2] = price(10_000_000_001);
        }
    });
    assert_eq!(high, format!("{at_two}a price is above the largest that the engine computes with"));
    assert_eq!(spoiled(|bars| bars.volume.truncate(2)), "the columns of the bars differ in length");
    assert_eq!(spoiled(|bars| bid(bars).low.truncate(2)), "the columns of the bars differ in length");
}

#[test]
fn quotes_of_one_instant_are_allowed_and_bars_of_one_are_not() {
    let mut bars = both(20, &[FLAT; 4]);
    bars.times[2] = bars.times[1];
    let mut config = free();
    config.tracks[0].granularity = Granularity::Tick;
    assert_eq!(outcome(&config, &bars), "a result");
    bars.times[2] = start();
    assert!(outcome(&config, &bars).contains("the time is not after the bar before"));
}

#[test]
fn a_call_goes_on_after_the_last_bar_with_the_same_sides() {
    let (plan, config) = (Plan::default(), free());
    let bars = both(20, &[FLAT; 4]);
    let state = advance_all(&plan, &config, &Inputs::of(&bars.slice(0..2))).unwrap().state;
    let next = |bars: &Bars| {
        fx_engine::advance(&plan, &config, state.clone(), &Inputs::of(bars))
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(next(&bars.slice(2..4)), Ok(()));
    let again = next(&bars.slice(1..4)).unwrap_err();
    assert_eq!(again, "bar 2 at 2024-01-03T01:00:00Z: the time is not after the bar before");
    let other = one(QuoteSide::Bid, bars.times[2], Granularity::H1, &[FLAT]);
    assert_eq!(next(&other), Err(EngineError::SidesChanged.to_string()));
}

#[test]
fn a_modelled_spread_must_leave_both_sides_above_zero_and_one_stored() {
    let config = RunConfig { spread: SpreadModel::Pips(5.0), ..free() };
    assert!(outcome(&config, &both(20, &[FLAT])).contains("one side only"));
    let low = one(QuoteSide::Ask, start(), Granularity::H1, &[FLAT, [50; 4]]);
    assert_eq!(outcome(&config, &low), "bar 1 at 2024-01-03T01:00:00Z: a price is not above zero");
    let mut pips = [0.0; 24];
    pips[1] = 5.0;
    let by_hour = RunConfig { spread: SpreadModel::ByHour(pips), ..free() };
    assert_eq!(outcome(&by_hour, &low), "bar 1 at 2024-01-03T01:00:00Z: a price is not above zero");
}

#[test]
fn an_absurd_configuration_is_refused_by_its_field() {
    let refused = |change: &dyn Fn(&mut RunConfig)| {
        let mut config = free();
        change(&mut config);
        match State::start(&Plan::default(), &config) {
            Err(EngineError::Config { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    };
    let account = |change: &dyn Fn(&mut Account)| refused(&|config| change(&mut config.account));
    for value in [f64::NAN, f64::INFINITY, -1.0] {
        assert_eq!(account(&|account| account.leverage = value), "leverage");
        assert_eq!(account(&|account| account.margin_call_percent = value), "margin_call_pct");
        assert_eq!(refused(&|config| config.spread = SpreadModel::Pips(value)), "spread");
        assert_eq!(refused(&|config| config.spread = SpreadModel::ByHour([value; 24])), "spread");
        assert_eq!(refused(&|config| config.spread = SpreadModel::Relative(value)), "spread");
        assert_eq!(refused(&|config| config.slippage = Slippage::Pips(value)), "slippage");
        assert_eq!(refused(&|config| config.slippage = Slippage::Random(value)), "slippage");
        assert_eq!(refused(&|config| config.slippage = Slippage::SpreadShare(value)), "slippage");
        assert_eq!(refused(&|config| config.commission = Commission::PerLot(value)), "commission");
        let notional = Commission::PerNotional { rate: 1e-5, minimum: value };
        assert_eq!(refused(&|config| config.commission = notional), "commission");
    }
    assert_eq!(account(&|account| account.leverage = 0.0), "leverage");
    assert_eq!(account(&|account| account.stop_out_percent = 101.0), "stop_out.level_pct");
    assert_eq!(
        account(&|account| account.capital = fx_domain::Money::from_micros(0, Currency::USD)),
        "initial_capital"
    );
    assert_eq!(account(&|account| account.currency = Currency::EUR), "initial_capital");
    assert_eq!(refused(&|config| config.tracks.clear()), "tracks");
    assert_eq!(refused(&|config| config.rates = config.tracks.clone()), "tracks");
    assert_eq!(refused(&|config| config.intrabar = Some(Granularity::H1)), "intrabar");
    assert_eq!(refused(&|config| config.slippage = Slippage::SpreadShare(1.5)), "slippage");
}

#[test]
fn sizes_and_money_that_do_not_fit_are_errors_with_their_bar() {
    let bars = both(0, &[FLAT; 4]);
    let mut rich = config("EUR/USD", 9_000_000_000_000, Currency::USD);
    rich.account.leverage = 1e9;
    rich.pyramiding = 9;
    let found = |config: &RunConfig, decision: &str, bars: &Bars| match advance_all(
        &plan(&[(1, decision)]),
        config,
        &Inputs::of(bars),
    ) {
        Err(EngineError::Overflow { index, what, .. }) => format!("{index} {what}"),
        other => panic!("{other:?}"),
    };
    assert_eq!(found(&rich, "buy(units=1000000000001)", &bars), "1 size");
    assert_eq!(found(&rich, "buy(lots=1e300)", &bars), "1 size");
    assert_eq!(found(&rich, "buy(equity_percent=1e12)", &bars), "2 size");
    assert_eq!(found(&rich, "[buy(units=900000000000), buy(units=200000000000)]", &bars), "2 size");
    assert_eq!(found(&rich, "buy(units=1000, limit=1e300)", &bars), "1 level");
    assert_eq!(found(&rich, "buy(units=1000, stop_loss=pips(1e300))", &bars), "1 level");
    // A gain of nine trillions on top of nine trillions.
    let jump = both_from(start(), Granularity::H1, 0, &[FLAT, FLAT, FLAT, [1_100_000; 4]]);
    assert_eq!(found(&rich, "buy(units=1000000000000)", &jump), "3 equity");
}

#[test]
fn inputs_go_with_the_configuration() {
    let bars = both(0, &[FLAT; 2]);
    let mut config = free();
    config.tracks.push(track("GBP/USD", Granularity::H1));
    assert!(outcome(&config, &bars).starts_with("tracks"));
    let config = free();
    let one = TrackBars { bars: &bars, finer: None };
    let inputs = Inputs { tracks: vec![one], rates: vec![&bars], ..Inputs::default() };
    let found = advance_all(&Plan::default(), &config, &inputs).unwrap_err().to_string();
    assert!(found.starts_with("tracks"), "{found}");
}

#[test]
fn a_call_may_not_begin_inside_a_bar_of_another_series() {
    let mut config = free();
    config.tracks.push(track("GBP/USD", Granularity::M30));
    let (hours, halves) = (both(0, &[FLAT; 3]), both_from(start(), Granularity::M30, 0, &[FLAT; 6]));
    let go = |state: State, hours: &Bars, halves: &Bars| {
        let track = |bars| TrackBars { bars, finer: None };
        let inputs =
            Inputs { tracks: vec![track(hours), track(halves)], rates: Vec::new(), ..Inputs::default() };
        fx_engine::advance(&Plan::default(), &config, state, &inputs)
    };
    let begin = || State::start(&Plan::default(), &config).unwrap();
    let state = go(begin(), &hours.slice(0..2), &halves.slice(0..3)).unwrap().state;
    let cut = go(state, &hours.slice(2..3), &halves.slice(3..6));
    assert!(matches!(cut, Err(EngineError::CutThroughBar { .. })), "{cut:?}");
    let state = go(begin(), &hours.slice(0..2), &halves.slice(0..4)).unwrap().state;
    assert!(go(state, &hours.slice(2..3), &halves.slice(4..6)).is_ok());
}
