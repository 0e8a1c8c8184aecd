use super::*;
use crate::table::{Columns, TableWriter};
use fx_domain::{
    ConversionStep, Costs, ExitReason, LedgerKind, Money, OrderId, Price, Side, Units, UnixNanos,
};
use proptest::prelude::*;

fn stored(columns: &Columns) -> Table {
    let mut writer = TableWriter::new(columns, &[]).unwrap();
    writer.write(columns).unwrap();
    Table::open(writer.finish().unwrap(), 0..usize::MAX).unwrap()
}

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
        let equity: Vec<_> = rows.iter().map(|row| (UnixNanos::new(row.0[5]), row.0[6])).collect();
        prop_assert_eq!(trades::decode(&stored(&trades::columns(&trades))).unwrap(), trades);
        prop_assert_eq!(ledger::decode(&stored(&ledger::columns(&ledger))).unwrap(), ledger);
        prop_assert_eq!(equity::decode(&stored(&equity::columns(&equity))).unwrap(), equity);
    }

    #[test]
    fn any_stretch_of_a_table_is_that_stretch_of_its_rows(
        len in 0..400_usize, group in 1..90_usize, from in 0..420_usize, more in 0..420_usize,
    ) {
        let points: Vec<_> = (0..len as i64).map(|row| (UnixNanos::new(row), -row)).collect();
        let mut writer = TableWriter::new(&equity::columns(&[]), &[]).unwrap();
        for rows in points.chunks(group) {
            writer.write(&equity::columns(rows)).unwrap();
        }
        prop_assert_eq!(writer.rows(), len);
        let table = Table::open(writer.finish().unwrap(), from..from + more).unwrap();
        let (from, to) = (from.min(len), (from + more).min(len));
        prop_assert_eq!(equity::decode(&table).unwrap(), &points[from..to]);
    }

    #[test]
    fn other_bytes_are_an_error(bytes: Vec<u8>) {
        prop_assert!(Table::open(bytes.into(), 0..9).is_err());
    }
}

#[test]
fn every_kind_of_event_and_margin_point_is_read_back_as_it_was() {
    let (rows, _) = fx_testkit::fixtures::result();
    assert_eq!(events::decode(&stored(&events::columns(&rows.events))).unwrap(), rows.events);
    assert_eq!(margin::decode(&stored(&margin::columns(&rows.margin))).unwrap(), rows.margin);
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
        stored(&columns)
    };
    assert_eq!(events::decode(&columns("lapsed")).unwrap().len(), 1);
    for event in ["submitted", "triggered", "filled", "exited", "moved", "cancelled", "rejected", "sold"] {
        assert!(matches!(events::decode(&columns(event)), Err(Error::Corrupt { .. })), "{event}");
    }
}
