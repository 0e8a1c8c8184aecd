//! [`ResultStore`].

use super::Run;
use crate::fixtures;
use fx_app::ports::{ResultEnd, ResultPart, ResultStore, RunRows};
use fx_domain::{BacktestId, Currency, EquityCurve};
use std::ops::Range;
use std::sync::Arc;

type Store = Arc<dyn ResultStore>;

/// Every row.
const ALL: Range<u64> = 0..u64::MAX;

/// Holds an adapter to the docs of [`ResultStore`].
///
/// # Panics
/// When a property does not hold.
pub async fn result_store(store: &Store) {
    let run = &Run::new();
    what_is_unknown_is_none(store, run).await;
    every_part_comes_back_as_it_was(store, run).await;
    rows_are_read_by_their_numbers(store, run).await;
    rows_that_came_apart_are_the_rows_that_came_together(store, run).await;
    an_empty_result_is_there(store, run).await;
    the_first_result_stays(store, run).await;
}

fn id(run: &Run, name: &str) -> BacktestId {
    BacktestId::parse(&run.name(name)).unwrap()
}

fn empty() -> (RunRows, ResultEnd) {
    let rows = RunRows::none(Currency::JPY);
    let end = ResultEnd { curve: rows.equity.clone(), pending: Vec::new(), report_html: String::new() };
    (rows, end)
}

/// Stores a result whose rows came all at once.
///
/// # Panics
/// When the store fails.
pub async fn store_result(store: &dyn ResultStore, id: &BacktestId, (rows, end): (RunRows, ResultEnd)) {
    let mut writer = store.writer(id, rows.equity.currency);
    writer.append(rows).await.unwrap();
    writer.finish(end).await.unwrap();
}

async fn read(store: &Store, id: &BacktestId) -> Option<(RunRows, ResultEnd)> {
    Some((
        read_rows(store, id, ALL).await?,
        ResultEnd {
            curve: store.curve(id).await.unwrap()?,
            pending: store.pending(id).await.unwrap()?,
            report_html: store.report(id).await.unwrap()?,
        },
    ))
}

async fn read_rows(store: &Store, id: &BacktestId, rows: Range<u64>) -> Option<RunRows> {
    Some(RunRows {
        trades: store.trades(id, rows.clone()).await.unwrap()?,
        ledger: store.ledger(id, rows.clone()).await.unwrap()?,
        equity: store.equity(id, rows.clone()).await.unwrap()?,
        events: store.events(id, rows.clone()).await.unwrap()?,
        margin: store.margin(id, rows).await.unwrap()?,
    })
}

async fn what_is_unknown_is_none(store: &Store, run: &Run) {
    nothing_is_there(store, &id(run, "none")).await;
}

async fn nothing_is_there(store: &Store, id: &BacktestId) {
    assert_eq!(store.trades(id, ALL).await.unwrap(), None);
    assert_eq!(store.ledger(id, ALL).await.unwrap(), None);
    assert_eq!(store.equity(id, ALL).await.unwrap(), None);
    assert_eq!(store.events(id, ALL).await.unwrap(), None);
    assert_eq!(store.margin(id, ALL).await.unwrap(), None);
    assert_eq!(store.curve(id).await.unwrap(), None);
    assert_eq!(store.pending(id).await.unwrap(), None);
    assert_eq!(store.report(id).await.unwrap(), None);
    for part in ResultPart::ALL {
        assert_eq!(store.parquet(id, part).await.unwrap(), None, "{part:?}");
    }
}

async fn every_part_comes_back_as_it_was(store: &Store, run: &Run) {
    let id = id(run, "parts");
    store_result(&**store, &id, fixtures::result()).await;
    assert_eq!(read(store, &id).await, Some(fixtures::result()));
    let mut files = Vec::new();
    for part in ResultPart::ALL {
        files.push(store.parquet(&id, part).await.unwrap().unwrap());
    }
    for (index, file) in files.iter().enumerate() {
        assert!(!file.is_empty() && !files[..index].contains(file), "{:?}", ResultPart::ALL[index]);
    }
}

async fn rows_are_read_by_their_numbers(store: &Store, run: &Run) {
    let id = id(run, "numbers");
    let (all, end) = fixtures::result();
    store_result(&**store, &id, (all.clone(), end)).await;
    for rows in [0..0, 0..1, 1..3, 2..u64::MAX, 500..600] {
        let read = read_rows(store, &id, rows.clone()).await.unwrap();
        let of = |len: usize| {
            let index = |row: u64| usize::try_from(row).unwrap().min(len);
            index(rows.start)..index(rows.end)
        };
        assert_eq!(read.trades, all.trades[of(all.trades.len())], "{rows:?}");
        assert_eq!(read.ledger, all.ledger[of(all.ledger.len())], "{rows:?}");
        assert_eq!(read.equity.times, all.equity.times[of(all.equity.times.len())], "{rows:?}");
        assert_eq!(read.equity.micros, all.equity.micros[of(all.equity.micros.len())], "{rows:?}");
        assert_eq!(read.equity.currency, all.equity.currency);
        assert_eq!(read.events, all.events[of(all.events.len())], "{rows:?}");
        assert_eq!(read.margin, all.margin[of(all.margin.len())], "{rows:?}");
    }
}

async fn rows_that_came_apart_are_the_rows_that_came_together(store: &Store, run: &Run) {
    let (id, (all, end)) = (id(run, "apart"), fixtures::result());
    let mut writer = store.writer(&id, all.equity.currency);
    for row in 0..all.events.len() {
        writer.append(only(&all, row)).await.unwrap();
        nothing_is_there(store, &id).await;
    }
    writer.finish(end.clone()).await.unwrap();
    assert_eq!(read(store, &id).await, Some((all, end)));
}

/// Row `row` of each part.
fn only(all: &RunRows, row: usize) -> RunRows {
    fn one<T: Clone>(all: &[T], row: usize) -> Vec<T> {
        all.get(row).cloned().into_iter().collect()
    }
    RunRows {
        trades: one(&all.trades, row),
        ledger: one(&all.ledger, row),
        equity: EquityCurve {
            times: one(&all.equity.times, row),
            micros: one(&all.equity.micros, row),
            currency: all.equity.currency,
        },
        events: one(&all.events, row),
        margin: one(&all.margin, row),
    }
}

async fn an_empty_result_is_there(store: &Store, run: &Run) {
    let id = id(run, "empty");
    store_result(&**store, &id, empty()).await;
    assert_eq!(read(store, &id).await, Some(empty()));
}

async fn the_first_result_stays(store: &Store, run: &Run) {
    let id = id(run, "first");
    store_result(&**store, &id, fixtures::result()).await;
    store_result(&**store, &id, empty()).await;
    assert_eq!(read(store, &id).await, Some(fixtures::result()));
}
