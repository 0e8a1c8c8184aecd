//! Jobs and chunks in DynamoDB. A change is conditional on the epoch and the revision before it, and is one transaction with
//! the job's places in the lists of open jobs.
//!
//! Every item of a job carries its `expires`, so that the table removes them all when nobody needs them any more.

use crate::AwsError;
use crate::body::encode;
use crate::table::{Condition, Direction, Key, Outcome, STORE, Table, attribute, number, text};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use futures::stream::{StreamExt as _, TryStreamExt as _, iter};
use fx_app::jobs::protocol::{Chunk, Job};
use fx_app::ports::{ChunkKey, JobStore, OPEN_JOBS_MAX, PAGE_SIZE_MAX, PageRequest, Put, StoreResult, Swap};
use fx_app::stored::{decode, job_ids};
use fx_domain::{BacktestId, Digest, NANOS_PER_SECOND, Principal, UnixNanos};
use std::collections::BTreeMap;
use std::sync::Arc;

const META: &str = "META";
/// Partitions of the list of all open jobs: each takes a thousand writes a second.
const OPEN_SHARDS: u8 = 8;
/// Writes of one transaction, the API's limit.
const TRANSACTION_WRITES_MAX: usize = 100;
/// Transactions of one call at the same time.
const TRANSACTIONS_AT_ONCE: usize = 4;
/// How often a submission looks at a job that others replace or the table removes at the same time.
const CREATE_ATTEMPTS_MAX: u32 = 5;

pub(crate) struct DynamoJobs(pub(crate) Arc<Table>);

#[async_trait]
impl JobStore for DynamoJobs {
    async fn create(&self, job: &Job, now: UnixNanos) -> StoreResult<Put> {
        for _ in 0..CREATE_ATTEMPTS_MAX {
            if self.put(job, None).await? == Outcome::Done {
                return Ok(Put::Created);
            }
            match self.job(&job.id).await? {
                Some(kept) if !kept.is_expired(now) => return Ok(Put::AlreadyThere),
                Some(expired) if self.put(job, Some(&expired)).await? == Outcome::Done => {
                    return Ok(Put::Created);
                }
                // Replaced by another submission, or removed by the table since it was seen.
                Some(_) | None => {}
            }
        }
        let (resource, attempts) = (self.0.name().to_owned(), CREATE_ATTEMPTS_MAX);
        let contended = AwsError::Contended { call: "TransactWriteItems", resource, attempts };
        Err(contended.into_store_error(STORE))
    }

    async fn job(&self, id: &BacktestId) -> StoreResult<Option<Job>> {
        self.0.get_body(Key::new(partition(id), META)).await
    }

    async fn swap(&self, next: &Job) -> StoreResult<Swap> {
        let Some(condition) = Condition::is_before(next.epoch, next.revision) else {
            return Ok(Swap::Conflict);
        };
        let meta = self.0.update(Key::new(partition(&next.id), META), columns(next)?, condition)?;
        let mut writes = vec![meta];
        if next.status.is_terminal() {
            for place in places(next) {
                writes.push(self.0.remove(place)?);
            }
        }
        Ok(swapped(self.0.transact(&writes).await?))
    }

    async fn create_chunks(&self, chunks: &[Chunk]) -> StoreResult<()> {
        let mut jobs = BTreeMap::new();
        for chunk in chunks {
            if !jobs.contains_key(&chunk.job) {
                jobs.insert(chunk.job.clone(), self.job(&chunk.job).await?);
            }
        }
        let of_its_submission = |chunk: &&Chunk| {
            let job = jobs.get(&chunk.job).and_then(Option::as_ref);
            job.filter(|job| job.epoch == chunk.epoch).map(|job| job.expires)
        };
        let writes = chunks
            .iter()
            .filter_map(|chunk| Some((chunk, of_its_submission(&chunk)?)))
            .map(|(chunk, expires)| self.put_once(chunk, expires))
            .collect::<StoreResult<Vec<_>>>()?;
        let batches: Vec<_> = writes.chunks(TRANSACTION_WRITES_MAX).map(<[_]>::to_vec).collect();
        let transactions = iter(batches).map(|batch| async move { self.0.transact(&batch).await });
        transactions.buffer_unordered(TRANSACTIONS_AT_ONCE).try_collect::<Vec<_>>().await.map(drop)
    }

    async fn chunk(&self, key: &ChunkKey) -> StoreResult<Option<Chunk>> {
        self.0.get_body(key_of(&key.job, key.epoch, key.index)).await
    }

    async fn chunks(&self, job: &BacktestId, epoch: u64) -> StoreResult<Vec<Chunk>> {
        let items = self.0.under(partition(job), chunks_of(epoch)).await?;
        items.iter().map(|item| decode(STORE, job.as_str(), attribute(item, "body")?)).collect()
    }

    async fn swap_chunk(&self, next: &Chunk) -> StoreResult<Swap> {
        let Some(condition) = Condition::is_before(next.epoch, next.revision) else {
            return Ok(Swap::Conflict);
        };
        let body = text(encode(STORE, next.job.as_str(), next)?);
        let changed = [("revision", number(next.revision)), ("body", body)];
        let write = self.0.update(key_of(&next.job, next.epoch, next.index), changed, condition)?;
        Ok(swapped(self.0.transact(&[write]).await?))
    }

    async fn open(&self) -> StoreResult<Vec<BacktestId>> {
        let shards = iter((0..OPEN_SHARDS).map(|shard| self.listed(open_shard(shard))));
        let shards: Vec<_> = shards.buffered(OPEN_SHARDS.into()).try_collect().await?;
        let mut places = shards.concat();
        places.sort_unstable();
        places.truncate(OPEN_JOBS_MAX);
        ids(places)
    }

    async fn open_of(&self, owner: &Principal) -> StoreResult<Vec<BacktestId>> {
        ids(self.listed(open_of(owner)).await?)
    }
}

impl DynamoJobs {
    /// Puts a job in the place of none, or of `before`, with its places in lists.
    async fn put(&self, job: &Job, before: Option<&Job>) -> StoreResult<Outcome> {
        let condition = match before {
            None => Condition::not_there(),
            Some(before) => Condition::is_at(before.epoch, before.revision),
        };
        let meta = self.0.put(Key::new(partition(&job.id), META), columns(job)?, Some(condition))?;
        let mut writes = vec![meta];
        let listed = if job.status.is_terminal() { Vec::new() } else { places(job).to_vec() };
        for place in before.map(places).into_iter().flatten().filter(|place| !listed.contains(place)) {
            writes.push(self.0.remove(place)?);
        }
        for place in listed {
            let named = [("latest", text(job.id.as_str())), ("expires", expiry(job.expires))];
            writes.push(self.0.put(place, named, None)?);
        }
        self.0.transact(&writes).await
    }

    fn put_once(&self, chunk: &Chunk, expires: UnixNanos) -> StoreResult<TransactWriteItem> {
        let attributes = [
            ("epoch", number(chunk.epoch)),
            ("revision", number(chunk.revision)),
            ("expires", expiry(expires)),
            ("body", text(encode(STORE, chunk.job.as_str(), chunk)?)),
        ];
        self.0.put_once(key_of(&chunk.job, chunk.epoch, chunk.index), attributes)
    }

    /// The first places of a list, with the ids that they name.
    async fn listed(&self, list: String) -> StoreResult<Vec<(String, String)>> {
        let mut listed = Vec::new();
        let mut page = PageRequest { size: PAGE_SIZE_MAX, after: None };
        while listed.len() < OPEN_JOBS_MAX {
            let found = self.0.list(list.clone(), Direction::Ascending, &page).await?;
            listed.extend(found.items.into_iter().map(|place| (place.position, place.latest)));
            if found.next.is_none() {
                break;
            }
            page.after = found.next;
        }
        listed.truncate(OPEN_JOBS_MAX);
        Ok(listed)
    }
}

fn partition(job: &BacktestId) -> String {
    format!("JOB#{job}")
}

fn chunks_of(epoch: u64) -> String {
    format!("CHUNK#{epoch:020}#")
}

fn key_of(job: &BacktestId, epoch: u64, index: u32) -> Key {
    Key::new(partition(job), format!("{}{index:010}", chunks_of(epoch)))
}

fn open_shard(shard: u8) -> String {
    format!("JOBS#OPEN#{shard}")
}

fn open_of(owner: &Principal) -> String {
    format!("OWNER#{owner}#JOBS#OPEN")
}

/// Where an open job is listed.
fn places(job: &Job) -> [Key; 2] {
    let position = format!("{}-{}", job.created_at.sort_key(), job.id);
    let shard = Digest::of(job.id.as_str().as_bytes()).as_bytes()[0] % OPEN_SHARDS;
    [open_shard(shard), open_of(&job.owner)].map(|list| Key::in_list(list, &position))
}

fn columns(job: &Job) -> StoreResult<[(&'static str, AttributeValue); 4]> {
    Ok([
        ("epoch", number(job.epoch)),
        ("revision", number(job.revision)),
        ("expires", expiry(job.expires)),
        ("body", text(encode(STORE, job.id.as_str(), job)?)),
    ])
}

/// Whole seconds since 1970, as the table removes items: not before `time`.
fn expiry(time: UnixNanos) -> AttributeValue {
    number(time.get().div_euclid(NANOS_PER_SECOND) + 1)
}

fn swapped(outcome: Outcome) -> Swap {
    match outcome {
        Outcome::Done => Swap::Swapped,
        Outcome::Refused => Swap::Conflict,
    }
}

fn ids(listed: Vec<(String, String)>) -> StoreResult<Vec<BacktestId>> {
    job_ids(STORE, listed.into_iter().map(|(_, id)| id))
}
