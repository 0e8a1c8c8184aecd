//! Money and units are conserved, and prices are those of the bars.

use crate::bounded;
use crate::cases::{Case, cases, single};
use crate::quiet::cross;
use fx_domain::{ExitReason, LedgerKind, Money, Price, PriceSource, QuoteColumns, Side};
use fx_engine::{Commission, FillTime, OrderEventKind, RunConfig, Slippage, SpreadModel};
use proptest::prelude::*;

proptest! {
    #![proptest_config(bounded(256))]

    #[test]
    fn the_ledger_is_the_balance_and_equity_is_what_is_open_besides(case in cases(160)) {
        let slice = case.run().unwrap();
        let mut sum = 0;
        for (number, row) in slice.ledger.iter().enumerate() {
            sum += row.amount.micros();
            prop_assert_eq!(row.sequence, number as u64);
            prop_assert_eq!(row.balance.micros(), sum);
            prop_assert_eq!(row.kind == LedgerKind::Deposit, number == 0);
            prop_assert_eq!(row.rollover.is_some(), row.kind == LedgerKind::Financing);
        }
        let balance = slice.state.balance().micros();
        prop_assert!(slice.ledger.is_empty() || balance == sum);
        prop_assert_eq!(slice.equity.len(), slice.equity_times.len());
        let open = slice.state.open_positions();
        let unrealized: i64 = open.iter().map(|lot| lot.unrealized.micros()).sum();
        if let Some(last) = slice.equity.last() {
            // Each lot's gain is rounded, and so is the track's.
            prop_assert!((last - balance - unrealized).abs() <= open.len() as i64 + 1);
        }
        if open.is_empty() {
            let given: i64 = slice.ledger.iter().filter(|row| row.kind == LedgerKind::NegativeBalance).map(|row| row.amount.micros()).sum();
            let profit: i64 = slice.trades.iter().map(|trade| trade.profit_loss.micros()).sum();
            prop_assert_eq!(balance - case.config.account.capital.micros(), profit + given);
        }
    }

    #[test]
    fn units_in_are_units_out_and_units_open_on_every_track(case in cases(160)) {
        let slice = case.run().unwrap();
        for (index, track) in case.config.tracks.iter().enumerate() {
            let filled: i64 = slice.events.iter().filter(|event| event.instrument == track.instrument).map(|event| match event.kind {
                OrderEventKind::Filled { side, units, .. } => side.sign() * units.get(),
                _ => 0,
            }).sum();
            let own = slice.trades.iter().filter(|trade| trade.instrument == track.instrument);
            let protective: i64 = own.filter(|trade| !matches!(trade.exit_reason, ExitReason::Close | ExitReason::Reverse))
                .map(|trade| -trade.side.sign() * trade.units.get()).sum();
            prop_assert_eq!(filled + protective, slice.state.net_units(index as u16).get());
        }
    }

    #[test]
    fn every_order_ends_once_or_waits(case in cases(160)) {
        let slice = case.run().unwrap();
        let mut orders: Vec<_> = slice.events.iter().map(|event| event.order).collect();
        orders.sort_unstable();
        orders.dedup();
        for order in orders {
            let own: Vec<_> = slice.events.iter().filter(|event| event.order == order).collect();
            let begins = matches!(own[0].kind, OrderEventKind::Submitted { .. });
            prop_assert!(begins);
            let mut ends: Vec<_> = own.iter().filter(|event| matches!(event.kind, OrderEventKind::Filled { .. }
                | OrderEventKind::Cancelled { .. } | OrderEventKind::Expired | OrderEventKind::Lapsed | OrderEventKind::Rejected { .. }))
                .map(|event| (event.time, std::mem::discriminant(&event.kind))).collect();
            ends.dedup();
            let waits = slice.state.pending_orders().iter().any(|pending| pending.id == order);
            prop_assert_eq!(ends.len() + usize::from(waits), 1, "{:#?}", own);
        }
    }

    #[test]
    fn trades_lie_inside_their_bars_and_excursions_hold_the_exit(case in single(160)) {
        let mut case = case;
        case.config = RunConfig { spread: SpreadModel::Measured, slippage: Slippage::None, ..case.config };
        let slice = case.run().unwrap();
        let first = case.bars[0].lower_bound(case.config.start);
        for trade in &slice.trades {
            for (bar, price) in [(trade.entry_bar, trade.entry_price), (trade.exit_bar, trade.exit_price)] {
                let bar = case.bars[0].get(first + bar as usize);
                let high = bar.ask.map_or(bar.bid.high, |ask| ask.high);
                prop_assert!(price >= bar.bid.low && price <= high, "{:?} outside {:?}", trade, bar);
            }
            let gain = Price::from_nanos(trade.side.sign() * (trade.exit_price - trade.entry_price).nanos());
            prop_assert!(trade.mae <= Price::ZERO && trade.mfe >= Price::ZERO);
            prop_assert!(trade.mae <= gain && gain <= trade.mfe);
            prop_assert!((trade.entry_bar, trade.entry_time) <= (trade.exit_bar, trade.exit_time));
        }
    }

    #[test]
    fn a_fill_that_claims_to_be_measured_shows_a_price_of_its_bar(case in cases(160)) {
        let slice = case.run().unwrap();
        let modelled = matches!(case.config.spread, SpreadModel::RelativeOnEntry(_) | SpreadModel::Relative(_));
        for event in &slice.events {
            let OrderEventKind::Filled { side: filled, fill, .. } = event.kind else { continue };
            let index = case.config.tracks.iter().position(|track| track.instrument == event.instrument).unwrap();
            let bars = &case.bars[index];
            let both = matches!(bars.quotes, QuoteColumns::Both { .. });
            if fill.source == PriceSource::Measured {
                // Quotes of one instant: any of them.
                let rows = bars.lower_bound(event.time)..bars.lower_bound(event.time.plus_nanos(1));
                let shown = rows.clone().any(|row| {
                    let bar = bars.get(row);
                    let side = if filled == Side::Long { bar.ask.unwrap_or(bar.bid) } else { bar.bid };
                    side.low <= fill.raw_price && fill.raw_price <= side.high
                });
                prop_assert!(shown, "{:?} outside its bar", event);
                prop_assert!((fill.price - fill.raw_price).abs() <= Price::from_nanos(40_000));
            }
            prop_assert!(!both || modelled || fill.source == PriceSource::Measured);
        }
    }

    /// Fixed sizes, decisions of prices alone, and an account that nothing can ruin.
    #[test]
    fn raising_the_commission_never_helps(
        case in single(300), fast in 1_i64..5, units in 1_000_i64..60_000, kind in 0_u8..4, low in 0.0_f64..30.0, more in 0.0_f64..30.0,
    ) {
        let commission = |amount: f64| match kind {
            0 => Commission::PerLot(amount),
            1 => Commission::PerUnit(amount / 100_000.0),
            2 => Commission::PerNotional { rate: amount / 100_000.0, minimum: 0.0 },
            _ => Commission::PerNotional { rate: 1e-5, minimum: amount },
        };
        let run = |amount| {
            let mut config = RunConfig { commission: commission(amount), ..case.config.clone() };
            config.account.capital = Money::from_micros(10_000_000_000 * Money::SCALE, config.account.currency);
            config.account.leverage = 1e6;
            (config.account.margin_call_percent, config.account.stop_out_percent) = (0.0, 0.0);
            Case { plan: cross(fast, fast + 3, units), config, ..case.clone() }.run().unwrap()
        };
        let (cheap, dear) = (run(low), run(low + more));
        prop_assert_eq!(cheap.trades.len(), dear.trades.len());
        for (cheap, dear) in cheap.equity.iter().zip(&dear.equity) {
            prop_assert!(dear <= cheap);
        }
        if more > 0.1 && !cheap.trades.is_empty() {
            prop_assert!(dear.state.balance().micros() < cheap.state.balance().micros());
        }
    }

    #[test]
    fn nothing_is_filled_before_it_is_decided(case in cases(160)) {
        let slice = case.run().unwrap();
        let at_close = case.config.fill == FillTime::Close;
        for event in &slice.events {
            let submitted = slice.events.iter().find(|other| other.order == event.order).unwrap();
            let later = event.time > submitted.time || case.config.tracks[0].granularity == fx_domain::Granularity::Tick;
            let filled = matches!(event.kind, OrderEventKind::Filled { .. } | OrderEventKind::Exited { .. });
            prop_assert!(!filled || later || at_close && event.time == submitted.time, "{:?}", event);
        }
    }
}
