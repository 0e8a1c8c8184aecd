//! Bytes from anywhere: a value, or an error; never a panic.

use crate::bounded;
use crate::cases::{Case, cases, single};
use fx_domain::{Bars, Digest, QuoteColumns, UnixNanos};
use fx_engine::{RunConfig, State};
use fx_strategy::Plan;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// Bytes of the digest behind a state.
const SEAL_BYTES: usize = 32;

/// What is done to bytes: at a place, something.
type Change = (Index, u8, u8);

fn changed(bytes: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (at, kind, value) in changes {
        let at = at.index(bytes.len().max(1));
        match kind % 4 {
            0 if at < bytes.len() => bytes[at] ^= 1 << (value % 8),
            1 if at < bytes.len() => bytes[at] = *value,
            2 => bytes.insert(at, *value),
            _ if at < bytes.len() => drop(bytes.remove(at)),
            _ => {}
        }
    }
    bytes
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    vec((any::<Index>(), any::<u8>(), any::<u8>()), 1..4)
}

/// Runs what comes of it, as long as it is of bounded cost.
fn try_run(case: &Case) {
    drop(case.run());
}

proptest! {
    #![proptest_config(bounded(512))]

    #[test]
    fn a_plan_of_any_bytes_is_refused_or_runs(case in single(40), changes in changes()) {
        let bytes = postcard::to_stdvec(&case.plan).unwrap();
        if let Ok(plan) = postcard::from_bytes::<Plan>(&changed(&bytes, &changes)) {
            try_run(&Case { plan, ..case });
        }
    }

    #[test]
    fn a_state_behind_a_forged_seal_is_refused_or_runs(case in cases(60), cut in any::<Index>(), changes in changes()) {
        let times = &case.bars[0].times;
        let cut = times[cut.index(times.len())];
        let (first, last) = (UnixNanos::new(i64::MIN), UnixNanos::new(i64::MAX));
        let bytes = case.between(first, cut).run().unwrap().state.to_bytes();
        let mut forged = changed(&bytes[..bytes.len() - SEAL_BYTES], &changes);
        let seal = Digest::of(&forged);
        forged.extend_from_slice(seal.as_bytes());
        if let Ok(state) = State::from_bytes(&case.plan, &case.config, &forged) {
            drop((state.open_positions(), state.hash()));
            drop(case.between(cut, last).run_from(state));
        }
    }

    #[test]
    fn a_configuration_of_any_bytes_is_refused_or_runs(case in cases(40), changes in changes()) {
        let bytes = postcard::to_stdvec(&case.config).unwrap();
        if let Ok(config) = postcard::from_bytes::<RunConfig>(&changed(&bytes, &changes)) {
            try_run(&Case { config, ..case });
        }
    }

    #[test]
    fn bytes_that_no_run_wrote_are_refused(case in cases(60), at in any::<Index>(), flip in 1_u8..) {
        let mut bytes = case.run().unwrap().state.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(State::from_bytes(&case.plan, &case.config, &bytes).is_err());
        prop_assert!(State::from_bytes(&case.plan, &case.config, &bytes[..at]).is_err());
        bytes[at] ^= flip;
        let other = RunConfig { pyramiding: 9, ..case.config.clone() };
        prop_assert!(State::from_bytes(&case.plan, &other, &bytes).is_err());
    }

    #[test]
    fn prices_of_any_kind_are_refused_or_run(
        case in cases(40),
        spoils in vec((any::<Index>(), any::<u8>(), any::<u8>(), prop_oneof![any::<i64>(), -3_i64..3, 1_i64..200_000_000_000_000]), 1..4),
        series in any::<u8>(),
    ) {
        let mut case = case;
        let spoiled = match series % 3 {
            1 => case.rates.first_mut(),
            2 => case.finer.as_mut(),
            _ => case.bars.first_mut(),
        };
        if let Some(bars) = spoiled {
            spoils.into_iter().for_each(|spoil| spoil_one(bars, spoil));
        }
        try_run(&case);
    }
}

fn spoil_one(bars: &mut Bars, (at, column, side, value): (Index, u8, u8, i64)) {
    if bars.is_empty() {
        return;
    }
    let at = at.index(bars.len());
    let price = fx_domain::Price::from_nanos(value);
    let ohlc = match &mut bars.quotes {
        QuoteColumns::One { ohlc, .. } => ohlc,
        QuoteColumns::Both { bid, ask } => {
            if side % 2 == 0 {
                bid
            } else {
                ask
            }
        }
    };
    match column % 8 {
        0 => ohlc.open[at] = price,
        1 => ohlc.high[at] = price,
        2 => ohlc.low[at] = price,
        3 => ohlc.close[at] = price,
        4 => bars.times[at] = UnixNanos::new(value),
        5 => bars.volume[at] = value,
        // A whole bar at one price: sound, and far away.
        6 => [&mut ohlc.open, &mut ohlc.high, &mut ohlc.low, &mut ohlc.close]
            .into_iter()
            .for_each(|column| column[at] = price),
        _ => ohlc.high[at] = price,
    }
}
