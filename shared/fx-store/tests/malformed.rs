//! Parquet files that are not what they should be: an error or sound bars, never a panic, never a price that no bar has.

#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use fx_domain::{Bar, Bars, Granularity, NANOS_PER_MINUTE, Ohlc, Price, QuoteSide, TimeOrder, UnixNanos};
use fx_store::{decode_bars, encode_bars};
use proptest::collection::vec;
use proptest::prelude::*;

/// Cases of each property; `FUZZ_CASES` asks for more.
fn bounded(cases: u32) -> ProptestConfig {
    let asked = std::env::var("FUZZ_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(cases), failure_persistence: None, ..ProptestConfig::default() }
}

/// One way of spoiling a file.
#[derive(Clone, Debug)]
enum Damage {
    Flip { at: prop::sample::Index, mask: u8 },
    Cut { at: prop::sample::Index },
    Drop { at: prop::sample::Index, length: usize },
    Repeat { at: prop::sample::Index, length: usize },
    Overwrite { at: prop::sample::Index, with: Vec<u8> },
}

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let at = any::<prop::sample::Index>;
    let one = prop_oneof![
        4 => (at(), 1_u8..).prop_map(|(at, mask)| Damage::Flip { at, mask }),
        1 => at().prop_map(|at| Damage::Cut { at }),
        1 => (at(), 1_usize..40).prop_map(|(at, length)| Damage::Drop { at, length }),
        1 => (at(), 1_usize..40).prop_map(|(at, length)| Damage::Repeat { at, length }),
        2 => (at(), vec(any::<u8>(), 1..16)).prop_map(|(at, with)| Damage::Overwrite { at, with }),
    ];
    vec(one, 1..6)
}

fn spoil(bytes: &mut Vec<u8>, damage: Damage) {
    if bytes.is_empty() {
        return;
    }
    let length_of = |bytes: &Vec<u8>, from: usize, length: usize| from..bytes.len().min(from + length);
    match damage {
        Damage::Flip { at, mask } => {
            let at = at.index(bytes.len());
            bytes[at] ^= mask;
        }
        Damage::Cut { at } => bytes.truncate(at.index(bytes.len())),
        Damage::Drop { at, length } => {
            let from = at.index(bytes.len());
            bytes.drain(length_of(bytes, from, length));
        }
        Damage::Repeat { at, length } => {
            let from = at.index(bytes.len());
            let again = bytes[length_of(bytes, from, length)].to_vec();
            bytes.splice(from..from, again);
        }
        Damage::Overwrite { at, with } => {
            let from = at.index(bytes.len());
            let range = length_of(bytes, from, with.len());
            let kept = range.len();
            bytes[range].copy_from_slice(&with[..kept]);
        }
    }
}

fn ohlc(points: i64, step: i64) -> Ohlc {
    let price = |points: i64| Price::from_nanos(points * 10_000);
    Ohlc {
        open: price(points),
        high: price(points + step + 3),
        low: price(points - 3),
        close: price(points + step),
    }
}

/// Sound bars of one side or both.
fn bars() -> impl Strategy<Value = Bars> {
    let rows = vec((1_i64..5, 50_000_i64..150_000, 0_i64..50, 0_i64..30), 1..120);
    (any::<bool>(), rows).prop_map(|(both, rows)| {
        let mut bars = Bars::empty((!both).then_some(QuoteSide::Bid));
        let mut minute = 26_000_000;
        for (gap, points, step, spread) in rows {
            minute += gap;
            let time = UnixNanos::new(minute * NANOS_PER_MINUTE);
            let ask = both.then(|| ohlc(points + spread, step));
            bars.push(Bar { time, bid: ohlc(points, step), ask, volume: step });
        }
        bars
    })
}

fn assert_sound(bars: &Bars) -> Result<(), TestCaseError> {
    for row in 0..bars.len() {
        prop_assert!(bars.get(row).check().is_ok(), "{:?}", bars.get(row));
        prop_assert!(row == 0 || bars.times[row - 1] < bars.times[row]);
    }
    Ok(())
}

proptest! {
    #![proptest_config(bounded(1_500))]

    #[test]
    fn a_damaged_file_is_an_error_or_holds_sound_bars(bars in bars(), damages in damages(), side in any::<bool>()) {
        assert_eq!(Granularity::M1.time_order(), TimeOrder::Strict);
        let mut bytes = encode_bars(&bars, Granularity::M1, 5).unwrap().to_vec();
        for damage in damages {
            spoil(&mut bytes, damage);
        }
        if let Ok(read) = decode_bars(Bytes::from(bytes), Granularity::M1, side.then_some(QuoteSide::Bid)) {
            assert_sound(&read)?;
        }
    }

    #[test]
    fn any_bytes_are_an_error(bytes in vec(any::<u8>(), 0..400), magic in any::<bool>()) {
        let mut bytes = bytes;
        if magic {
            // As far as the first and the last look go, it is Parquet.
            bytes.splice(0..0, *b"PAR1");
            bytes.extend_from_slice(b"PAR1");
        }
        prop_assert!(decode_bars(Bytes::from(bytes), Granularity::M1, None).is_err());
    }

    #[test]
    fn an_undamaged_file_holds_what_was_put_in(bars in bars()) {
        let side = match bars.get(0).ask {
            Some(_) => None,
            None => Some(QuoteSide::Bid),
        };
        let bytes = encode_bars(&bars, Granularity::M1, 5).unwrap();
        prop_assert!(decode_bars(Bytes::from(bytes), Granularity::M1, side).unwrap() == bars);
    }
}
