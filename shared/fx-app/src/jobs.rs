//! Long work: jobs that are cut into chunks, which any number of workers do, in any order, twice where it happens so. The
//! result is that of one process.
//!
//! The store is the truth, messages are hints: whoever sees that something is due ([`plan_actions`]) does it by a
//! conditional write, and nobody waits for anybody. Cut is only what is independent: sets of parameters. One run is never cut
//! by date and put together again, for forced exits at the cut would change its trades.

pub mod protocol;

mod actions;
mod changes;
mod members;
mod merge;
mod objects;
mod spec;
mod submit;
mod worker;

pub use actions::{Action, plan_actions};
pub use members::{MemberResult, SweepMember};
pub use merge::{JobResult, SweepResult};
pub use spec::{AXES_MAX, Axis, CHUNK_SETS_DEFAULT, JobKind, JobRequest, SETS_MAX, Sweep, SweepMethod};
pub use submit::{JobView, OPEN_CHUNKS_MAX, Submitted};

use crate::App;
use crate::ports::{JobQueue, JobStore};
pub use protocol::{Cause, Job, JobStatus, Timing};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// The use-cases of jobs, over the ports that they need beside those of [`App`].
#[derive(Clone)]
pub struct Jobs {
    app: App,
    store: Arc<dyn JobStore>,
    queue: Arc<dyn JobQueue>,
    timing: Timing,
    /// A name that no other process has.
    worker: Arc<str>,
    /// Claims of this process so far.
    claims: Arc<AtomicU64>,
}

impl Jobs {
    /// The use-cases over these ports. `worker` is a name that no other process has.
    #[must_use]
    pub fn new(
        app: App,
        store: Arc<dyn JobStore>,
        queue: Arc<dyn JobQueue>,
        timing: Timing,
        worker: &str,
    ) -> Self {
        let app = app.with_timeout(timing.lease);
        Self { app, store, queue, timing, worker: worker.into(), claims: Arc::default() }
    }
}
