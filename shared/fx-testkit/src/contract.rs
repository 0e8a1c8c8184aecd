//! The suite that holds every adapter to the docs of its port. Each check is a function named as the property it holds.
//!
//! A broken property is a panic that says what was expected, as in any test. Calls that the contract calls concurrent run on
//! tasks of their own: use a runtime with several threads.
// An adapter that fails a call of the suite has failed the suite.
#![allow(clippy::unwrap_used)]

mod blobs;
mod catalog;
mod features;
mod job_queue;
mod job_store;
mod results;
mod runs;
mod strategies;

pub use blobs::blob_store;
pub use catalog::{Sample, catalog};
pub use features::feature_store;
pub use job_queue::{fair_job_queue, job_queue};
pub use job_store::job_store;
pub use results::{result_store, store_result};
pub use runs::{backtest_store, execution_store};
pub use strategies::strategy_store;

use crate::fixtures;
use fx_app::ports::{Page, PageRequest, StoreResult};
use fx_domain::Principal;
use tokio::task::JoinSet;

/// Callers that want the same thing at the same time.
const CONTENDERS: usize = 12;
/// Bytes of a text that every store must take.
const LARGE_TEXT_BYTES: usize = 256 * 1024;

/// Page tokens that a client may make up.
const HOSTILE_TOKENS: [&str; 8] =
    ["", " ", "\0", "~", "'; DROP TABLE strategies; --", "VERSION#", "../../etc/passwd", "\u{10FFFF}📈"];

/// Names that no other run has, at the same time or before.
struct Run {
    tag: String,
}

impl Run {
    fn new() -> Self {
        Self { tag: fixtures::unique_name() }
    }

    fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.tag)
    }

    fn owner(&self, name: &str) -> Principal {
        fixtures::principal(&self.name(name))
    }
}

fn hostile_tokens() -> impl Iterator<Item = String> {
    HOSTILE_TOKENS.iter().map(|token| (*token).to_owned()).chain(["é".repeat(4_000), "f".repeat(100_000)])
}

fn page(size: usize, after: Option<String>) -> PageRequest {
    PageRequest { size, after }
}

fn large_text() -> String {
    "x = 1 # größer\n".chars().cycle().take(LARGE_TEXT_BYTES / 2).collect()
}

/// Runs [`CONTENDERS`] calls at the same time and returns their answers.
async fn contend<T, F>(call: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut calls = JoinSet::new();
    for number in 0..CONTENDERS {
        calls.spawn(call(number));
    }
    calls.join_all().await
}

/// Walks a list to its end in pages of `size` and checks that no page is too long and that the walk ends.
async fn walk<T, F>(size: usize, list: impl Fn(PageRequest) -> F) -> Vec<T>
where
    F: Future<Output = StoreResult<Page<T>>>,
{
    const PAGES_MAX: usize = 10_000;
    let (mut all, mut after) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let found = list(page(size, after.take())).await.unwrap();
        assert!(found.items.len() <= size, "a page of {size} holds {}", found.items.len());
        all.extend(found.items);
        after = found.next;
        if after.is_none() {
            return all;
        }
    }
    panic!("a list does not end within {PAGES_MAX} pages of {size}");
}

/// Any token and any size get an answer or an error, never a panic, and never more than the largest page.
async fn hostile_pages_are_answered<T, F>(list: impl Fn(PageRequest) -> F)
where
    F: Future<Output = StoreResult<Page<T>>>,
{
    for token in hostile_tokens() {
        let found = list(page(2, Some(token))).await;
        assert!(
            found.is_ok_and(|found| found.items.len() <= 2),
            "a made-up token is a position like any other"
        );
    }
    for size in [0, usize::MAX] {
        let found = list(page(size, None)).await.unwrap();
        assert!(found.items.len() <= fx_app::ports::PAGE_SIZE_MAX, "a page of {size}");
    }
}
