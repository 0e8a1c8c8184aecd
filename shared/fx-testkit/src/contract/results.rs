//! [`ResultStore`].

use super::Run;
use crate::fixtures;
use fx_app::ports::{ResultPart, ResultStore, RunArtefacts};
use fx_domain::{BacktestId, Currency, EquityCurve};
use std::sync::Arc;

type Store = Arc<dyn ResultStore>;

/// Holds an adapter to the docs of [`ResultStore`].
///
/// # Panics
/// When a property does not hold.
pub async fn result_store(store: &Store) {
    let run = &Run::new();
    what_is_unknown_is_none(store, run).await;
    every_part_comes_back_as_it_was(store, run).await;
    an_empty_result_is_there(store, run).await;
    the_first_result_stays(store, run).await;
}

fn id(run: &Run, name: &str) -> BacktestId {
    BacktestId::parse(&run.name(name)).unwrap()
}

fn empty() -> RunArtefacts {
    RunArtefacts {
        trades: Vec::new(),
        ledger: Vec::new(),
        equity: EquityCurve { times: Vec::new(), micros: Vec::new(), currency: Currency::JPY },
        events: Vec::new(),
        margin: Vec::new(),
        report_html: String::new(),
    }
}

async fn read(store: &Store, id: &BacktestId) -> Option<RunArtefacts> {
    Some(RunArtefacts {
        trades: store.trades(id).await.unwrap()?,
        ledger: store.ledger(id).await.unwrap()?,
        equity: store.equity(id).await.unwrap()?,
        events: store.events(id).await.unwrap()?,
        margin: store.margin(id).await.unwrap()?,
        report_html: store.report(id).await.unwrap()?,
    })
}

async fn what_is_unknown_is_none(store: &Store, run: &Run) {
    let id = id(run, "none");
    assert_eq!(store.trades(&id).await.unwrap(), None);
    assert_eq!(store.ledger(&id).await.unwrap(), None);
    assert_eq!(store.equity(&id).await.unwrap(), None);
    assert_eq!(store.events(&id).await.unwrap(), None);
    assert_eq!(store.margin(&id).await.unwrap(), None);
    assert_eq!(store.report(&id).await.unwrap(), None);
    for part in ResultPart::ALL {
        assert_eq!(store.parquet(&id, part).await.unwrap(), None, "{part:?}");
    }
}

async fn every_part_comes_back_as_it_was(store: &Store, run: &Run) {
    let (id, artefacts) = (id(run, "parts"), fixtures::artefacts());
    store.put(&id, &artefacts).await.unwrap();
    assert_eq!(read(store, &id).await, Some(artefacts));
    let mut files = Vec::new();
    for part in ResultPart::ALL {
        files.push(store.parquet(&id, part).await.unwrap().unwrap());
    }
    for (index, file) in files.iter().enumerate() {
        assert!(!file.is_empty() && !files[..index].contains(file), "{:?}", ResultPart::ALL[index]);
    }
}

async fn an_empty_result_is_there(store: &Store, run: &Run) {
    let id = id(run, "empty");
    store.put(&id, &empty()).await.unwrap();
    assert_eq!(read(store, &id).await, Some(empty()));
}

async fn the_first_result_stays(store: &Store, run: &Run) {
    let id = id(run, "first");
    store.put(&id, &fixtures::artefacts()).await.unwrap();
    store.put(&id, &empty()).await.unwrap();
    assert_eq!(read(store, &id).await, Some(fixtures::artefacts()));
}
