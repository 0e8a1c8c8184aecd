//! Messages in SQLite. Taking one hides it in the same transaction, so each is taken by one of all processes.
//!
//! Turn and turn about: next comes the owner whose last turn is longest ago, and of its messages the one that could be
//! taken first.

use crate::database::{Database, STORE};
use async_trait::async_trait;
use fx_app::jobs::protocol::after;
use fx_app::ports::{Clock, DELIVERIES_MAX, Delivery, JobMessage, JobQueue, StoreResult};
use fx_domain::{Principal, UnixNanos};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// How often a queue that is waited for looks for what other processes sent, and for delays that have passed.
const POLL: Duration = Duration::from_millis(500);
/// How often a message is given out before it is dropped: nobody who took it came to its end.
const RECEIVES_MAX: i64 = 20;
/// For how long a message is hidden when nobody says otherwise: longer than a worker holds a chunk.
const VISIBILITY: Duration = Duration::from_secs(360);

/// How the queue tells time.
#[derive(Clone)]
pub struct QueueSettings {
    /// The time. The same in all processes that open the folder.
    pub clock: Arc<dyn Clock>,
    /// For how long a message is hidden when it is taken.
    pub visibility: Duration,
}

impl QueueSettings {
    /// Hides a message for six minutes.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, visibility: VISIBILITY }
    }
}

pub(crate) struct SqliteQueue {
    database: Arc<Database>,
    settings: QueueSettings,
    sent: Notify,
}

impl SqliteQueue {
    pub(crate) fn new(database: Arc<Database>, settings: QueueSettings) -> Self {
        Self { database, settings, sent: Notify::new() }
    }

    /// Whether it is worth a write, which makes others wait.
    async fn is_any_visible(&self, now: UnixNanos) -> StoreResult<bool> {
        let find = move |db: &Connection| Ok(next_owner(db, now)?.is_some());
        self.database.read("looking for a message", find).await
    }

    async fn take(&self, limit: usize) -> StoreResult<Vec<Delivery>> {
        let now = self.settings.clock.now();
        if limit == 0 || !self.is_any_visible(now).await? {
            return Ok(Vec::new());
        }
        let hidden_until = after(now, self.settings.visibility);
        let take = move |db: &Connection| {
            let mut taken = Vec::new();
            while taken.len() < limit.min(DELIVERIES_MAX)
                && let Some(owner) = next_owner(db, now)?
            {
                taken.extend(take_of(db, &owner, now, hidden_until)?);
            }
            Ok(taken)
        };
        self.database.write("taking messages", take).await
    }
}

#[async_trait]
impl JobQueue for SqliteQueue {
    async fn send(&self, message: &JobMessage, owner: &Principal, delay: Duration) -> StoreResult<()> {
        let body = message.to_text(STORE)?;
        let (owner, visible_at) = (owner.to_string(), after(self.settings.clock.now(), delay).get());
        let insert = move |db: &Connection| {
            db.prepare_cached(
                "INSERT INTO message_owners (owner, turn) VALUES (?1, 0) ON CONFLICT (owner) DO NOTHING",
            )?
            .execute(params![owner])?;
            db.prepare_cached(
                "INSERT INTO messages (owner, visible_at, receives, body) VALUES (?1, ?2, 0, ?3)",
            )?
            .execute(params![owner, visible_at, body])
        };
        self.database.write("sending a message", insert).await?;
        self.sent.notify_one();
        Ok(())
    }

    async fn receive(&self, limit: usize, wait: Duration) -> StoreResult<Vec<Delivery>> {
        let end = Instant::now() + wait;
        loop {
            let taken = self.take(limit).await?;
            if !taken.is_empty() || Instant::now() >= end {
                return Ok(taken);
            }
            // Sent or not: the next look tells.
            let _ = timeout_at(end.min(Instant::now() + POLL), self.sent.notified()).await;
        }
    }

    async fn delete(&self, receipt: &str) -> StoreResult<()> {
        let Some((id, receives)) = read_receipt(receipt) else { return Ok(()) };
        let delete = move |db: &Connection| {
            db.prepare_cached("DELETE FROM messages WHERE id = ?1 AND receives = ?2")?
                .execute(params![id, receives])
        };
        self.database.write("deleting a message", delete).await.map(drop)
    }

    async fn depth(&self) -> StoreResult<u64> {
        let now = self.settings.clock.now().get();
        let count = move |db: &Connection| {
            db.prepare_cached("SELECT COUNT(*) FROM messages WHERE visible_at <= ?1")?
                .query_row(params![now], |row| row.get::<_, i64>(0))
        };
        Ok(self.database.read("counting messages", count).await?.unsigned_abs())
    }
}

fn next_owner(db: &Connection, now: UnixNanos) -> rusqlite::Result<Option<String>> {
    db.prepare_cached(
        "SELECT owner FROM message_owners o
         WHERE EXISTS (SELECT 1 FROM messages m WHERE m.owner = o.owner AND m.visible_at <= ?1)
         ORDER BY turn, owner LIMIT 1",
    )?
    .query_row(params![now.get()], |row| row.get(0))
    .optional()
}

/// Takes the owner's next message; none when it has to be dropped.
fn take_of(
    db: &Connection,
    owner: &str,
    now: UnixNanos,
    hidden_until: UnixNanos,
) -> rusqlite::Result<Option<Delivery>> {
    let (id, receives, body): (i64, i64, String) = db
        .prepare_cached(
            "SELECT id, receives, body FROM messages WHERE owner = ?1 AND visible_at <= ?2
             ORDER BY visible_at, id LIMIT 1",
        )?
        .query_row(params![owner, now.get()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let message = if receives >= RECEIVES_MAX {
        Err(format!("it was given out {receives} times and never deleted"))
    } else {
        serde_json::from_str(&body).map_err(|error| error.to_string())
    };
    let message = match message {
        Ok(message) => message,
        Err(reason) => {
            tracing::error!(message.id = id, "a message is dropped: {reason}");
            db.prepare_cached("DELETE FROM messages WHERE id = ?1")?.execute(params![id])?;
            return Ok(None);
        }
    };
    db.prepare_cached("UPDATE messages SET visible_at = ?2, receives = receives + 1 WHERE id = ?1")?
        .execute(params![id, hidden_until.get()])?;
    db.prepare_cached(
        "UPDATE message_owners SET turn = (SELECT MAX(turn) + 1 FROM message_owners) WHERE owner = ?1",
    )?
    .execute(params![owner])?;
    Ok(Some(Delivery { message, receipt: format!("{id}-{}", receives + 1) }))
}

fn read_receipt(receipt: &str) -> Option<(i64, i64)> {
    let (id, receives) = receipt.split_once('-')?;
    Some((id.parse().ok()?, receives.parse().ok()?))
}
