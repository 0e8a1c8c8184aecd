//! Finer bars, and several series on one clock: what each price is of, and when.

use crate::script::{
    advance_all, at, both, both_from, compiled, config, flat_at, free, one, plan, start, track, trades,
};
use fx_domain::{Currency, Granularity, QuoteSide};
use fx_engine::{Inputs, MarginCause, RunConfig, TrackBars};
use fx_strategy::Plan;

#[test]
fn a_level_that_only_the_coarse_bar_shows_is_still_met() {
    let coarse = both(0, &[[110_000; 4], [110_000; 4], [110_000, 110_000, 108_000, 110_000]]);
    let finer = both_from(start(), Granularity::M30, 0, &[[110_000; 4]; 6]);
    let config = RunConfig { intrabar: Some(Granularity::M30), ..free() };
    let inputs = Inputs {
        tracks: vec![TrackBars { bars: &coarse, finer: Some(&finer) }],
        rates: Vec::new(),
        ..Inputs::default()
    };
    let slice = advance_all(&plan(&[(0, "buy(units=1000, stop_loss=1.09)")]), &config, &inputs).unwrap();
    assert_eq!(trades(&slice), ["long 1000 110000@1 to 109000@2 stop_loss"]);
}

#[test]
fn finer_bars_store_the_sides_of_the_bars() {
    let coarse = both(20, &[[110_000; 4]; 3]);
    let finer = one(QuoteSide::Bid, start(), Granularity::M30, &[[110_000; 4]; 6]);
    let config = RunConfig { intrabar: Some(Granularity::M30), ..free() };
    let inputs = Inputs {
        tracks: vec![TrackBars { bars: &coarse, finer: Some(&finer) }],
        rates: Vec::new(),
        ..Inputs::default()
    };
    assert!(advance_all(&Plan::default(), &config, &inputs).is_err());
}

#[test]
fn the_price_of_a_week_is_of_its_end() {
    let mut config = config("EUR/GBP", 10_000, Currency::USD);
    config.rates = vec![track("GBP/USD", Granularity::W1)];
    let rate = flat_at(2, &[("2024-01-07T22:00:00Z", 125_000)]);
    let pair = flat_at(
        2,
        &[
            ("2024-01-14T22:00:00Z", 85_000),
            ("2024-01-14T23:00:00Z", 85_000),
            ("2024-01-15T00:00:00Z", 85_000),
        ],
    );
    let inputs = Inputs {
        tracks: vec![TrackBars { bars: &pair, finer: None }],
        rates: vec![&rate],
        ..Inputs::default()
    };
    let slice = advance_all(&plan(&[(0, "buy(units=1000)"), (1, "close()")]), &config, &inputs).unwrap();
    let conversion = slice.ledger[1].conversion.unwrap();
    assert_eq!(conversion.time(), at("2024-01-12T22:00:00Z"));
}

#[test]
fn a_stop_out_of_another_track_has_that_tracks_bar() {
    let mut config = config("EUR/USD", 1_000, Currency::USD);
    config.tracks.push(track("GBP/USD", Granularity::M15));
    let euro = both(0, &[[110_000; 4], [110_000; 4], [110_000, 110_000, 105_000, 105_000]]);
    let pound = both_from(start(), Granularity::M15, 0, &[[125_000, 125_001, 124_999, 124_999]; 12]);
    let body = "if data.close < 1.2 and data.index == 0:\n    return buy(units=14000)\nif data.close > 1.2 and data.index == 9:\n    return buy(units=3000)\nreturn {}";
    let track = |bars| TrackBars { bars, finer: None };
    let inputs = Inputs { tracks: vec![track(&euro), track(&pound)], rates: Vec::new(), ..Inputs::default() };
    config.account.stop_out = fx_engine::StopOutPolicy::All;
    let slice = advance_all(&compiled(body), &config, &inputs).unwrap();
    let pound = slice.trades.iter().find(|trade| trade.entry_price.to_f64() > 1.2).unwrap();
    assert!(pound.exit_time >= pound.entry_time && pound.exit_bar >= pound.entry_bar, "{pound:?}");
}

#[test]
fn margin_points_do_not_depend_on_the_clock() {
    let bars = both(0, &[[110_000; 4], [110_000, 110_050, 109_900, 110_000]]);
    let plan = plan(&[(0, "buy(units=1000, stop_loss=1.0995)")]);
    let alone = advance_all(&plan, &free(), &Inputs::of(&bars)).unwrap();
    let mut config = free();
    config.rates.push(track("AUD/NZD", Granularity::H1));
    let idle = fx_domain::Bars::empty(Some(QuoteSide::Bid));
    let inputs = Inputs {
        tracks: vec![TrackBars { bars: &bars, finer: None }],
        rates: vec![&idle],
        ..Inputs::default()
    };
    let beside = advance_all(&plan, &config, &inputs).unwrap();
    assert!(alone.margin.iter().all(|point| point.cause == MarginCause::Fill));
    assert_eq!(alone.margin, beside.margin);
}
