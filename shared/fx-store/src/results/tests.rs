use super::*;
use fx_domain::{ConversionStep, ExitReason, LedgerKind, OrderId, Side};
use proptest::prelude::*;

fn trade(numbers: [i64; 8], long: bool, reason: ExitReason) -> Trade {
    let [a, b, c, d, e, f, g, h] = numbers;
    Trade {
        id: a.cast_unsigned(),
        position_id: b.cast_unsigned(),
        instrument: Instrument::parse("EUR/JPY").unwrap(),
        side: if long { Side::Long } else { Side::Short },
        units: Units::new(c),
        entry_bar: d.cast_unsigned(),
        exit_bar: 7,
        entry_time: UnixNanos::new(e),
        exit_time: UnixNanos::new(f),
        entry_price: Price::from_nanos(g),
        exit_price: Price::from_nanos(h),
        profit_loss: Money::from_micros(a, Currency::JPY),
        costs: Costs { spread_micros: b, commission_micros: c, slippage_micros: d, financing_micros: e },
        exit_reason: reason,
        ambiguous: long,
        mae: Price::from_nanos(f),
        mfe: Price::from_nanos(g),
    }
}

fn row(numbers: [i64; 8], some: bool, pick: usize) -> LedgerRow {
    let kinds = [
        LedgerKind::Deposit,
        LedgerKind::ProfitLoss,
        LedgerKind::Commission,
        LedgerKind::Financing,
        LedgerKind::NegativeBalance,
    ];
    let [a, b, c, d, e, f, g, h] = numbers;
    let step = |price: i64| ConversionStep {
        instrument: Instrument::parse("USD/JPY").unwrap(),
        bid_plus_ask: Price::from_nanos(price),
        inverse: some,
        time: UnixNanos::new(price),
    };
    let conversion = fx_domain::Conversion {
        from: Currency::JPY,
        first: step(e),
        second: pick.is_multiple_of(2).then(|| step(f)),
    };
    let rollover = fx_domain::Rollover {
        instrument: Instrument::parse("EUR/USD").unwrap(),
        time: UnixNanos::new(g),
        days: u32::try_from(h.unsigned_abs() % 1_000).unwrap(),
        units: Units::new(h),
        price: Price::from_nanos(g),
        inside_bar: some,
    };
    LedgerRow {
        sequence: a.cast_unsigned(),
        time: UnixNanos::new(b),
        kind: kinds[pick % kinds.len()],
        order: some.then_some(OrderId(c.cast_unsigned())),
        amount: Money::from_micros(d, Currency::USD),
        balance: Money::from_micros(e, Currency::USD),
        conversion: (!pick.is_multiple_of(3)).then_some(conversion),
        rollover: (pick % 4 == 3).then_some(rollover),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn trades_ledger_and_equity_are_read_back_as_they_were(
        rows in proptest::collection::vec((any::<[i64; 8]>(), any::<bool>(), 0..12_usize), 0..40),
    ) {
        let reasons = [ExitReason::Close, ExitReason::Reverse, ExitReason::StopLoss, ExitReason::TakeProfit];
        let trades: Vec<Trade> =
            rows.iter().map(|(numbers, long, pick)| trade(*numbers, *long, reasons[*pick % 4])).collect();
        let rows_of = |(numbers, some, pick): &([i64; 8], bool, usize)| row(*numbers, *some, *pick);
        let ledger: Vec<LedgerRow> = rows.iter().map(rows_of).collect();
        let equity = EquityCurve {
            times: rows.iter().map(|row| UnixNanos::new(row.0[5])).collect(),
            micros: rows.iter().map(|row| row.0[6]).collect(),
            currency: Currency::USD,
        };
        prop_assert_eq!(decode_trades(encode_trades(&trades).unwrap()).unwrap(), trades);
        prop_assert_eq!(ledger::decode(ledger::encode(&ledger).unwrap()).unwrap(), ledger);
        prop_assert_eq!(decode_equity(encode_equity(&equity).unwrap()).unwrap(), equity);
    }

    #[test]
    fn other_bytes_are_an_error(bytes: Vec<u8>) {
        let bytes = Bytes::from(bytes);
        prop_assert!(decode_trades(bytes.clone()).is_err());
        prop_assert!(ledger::decode(bytes.clone()).is_err());
        prop_assert!(decode_equity(bytes.clone()).is_err());
        prop_assert!(events::decode(bytes.clone()).is_err());
        prop_assert!(margin::decode(bytes).is_err());
    }
}

#[test]
fn every_kind_of_event_and_margin_point_is_read_back_as_it_was_over_row_groups() {
    let artefacts = fx_testkit::fixtures::artefacts();
    let repeated = crate::bars_file::ROW_GROUP_ROWS / artefacts.events.len() + 2;
    let events: Vec<_> =
        artefacts.events.iter().cycle().take(repeated * artefacts.events.len()).cloned().collect();
    let bytes = events::encode(&events).unwrap();
    assert!(events::decode(bytes).unwrap() == events);
    let margin = margin::encode(&artefacts.margin, Currency::EUR).unwrap();
    assert_eq!(Table::open(margin.clone()).unwrap().note(CURRENCY_NOTE), Some("EUR"));
    assert_eq!(margin::decode(margin).unwrap(), artefacts.margin);
}

#[test]
fn a_row_that_lacks_what_its_event_has_is_an_error() {
    let columns = |event: &'static str| {
        let text = |value| Values::OptionalText(vec![value]);
        let none = || Values::OptionalInteger(Meaning::Signed, vec![None]);
        let mut columns = vec![
            ("time", Values::Integer(Meaning::Timestamp, vec![0])),
            ("order", Values::Integer(Meaning::Unsigned, vec![0])),
            ("instrument", Values::Text(vec!["EUR/USD"])),
            ("event", Values::Text(vec![event])),
        ];
        for name in ["reason", "side", "kind", "time_in_force", "price_source"] {
            columns.push((name, text(None)));
        }
        for name in [
            "units",
            "limit_price",
            "stop_price",
            "touch_price",
            "trail_distance",
            "in_force_bars",
            "in_force_until",
            "price",
            "raw_price",
            "stop_loss",
            "take_profit",
            "trailing_distance",
        ] {
            columns.push((name, none()));
        }
        write(&columns, &[]).unwrap()
    };
    assert_eq!(events::decode(columns("lapsed")).unwrap().len(), 1);
    for event in ["submitted", "triggered", "filled", "exited", "moved", "cancelled", "rejected", "sold"] {
        assert!(matches!(events::decode(columns(event)), Err(Error::Corrupt { .. })), "{event}");
    }
}
