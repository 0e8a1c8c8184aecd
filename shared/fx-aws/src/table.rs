//! The table: consistent reads, transactions that are tried again when they meet other writers, and lists.

use crate::AwsError;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, KeysAndAttributes, Put, TransactWriteItem, Update};
use fx_app::ports::{PAGE_SIZE_MAX, Page, PageRequest, StoreError, StoreResult};
use fx_app::records::RECORD_SCHEMA;
use fx_app::stored::decode;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// What the operator calls it.
pub(crate) const STORE: &str = "table";
/// Attempts of one transaction that meets other writers, and of one batch read that gets nothing.
const ATTEMPTS_MAX: u32 = 12;
/// Longest pause before the second attempt; doubles with each.
const PAUSE_FIRST: Duration = Duration::from_millis(10);
/// Longest pause before any attempt.
const PAUSE_MAX: Duration = Duration::from_millis(500);
/// Keys of one batch read, the API's limit.
const BATCH_KEYS_MAX: usize = 100;
/// Bytes of a page token that are looked at: longer than any that is handed out, shorter than a sort key may be.
const TOKEN_BYTES_MAX: usize = 512;
/// Begins every sort key of a list, so that no token makes an empty one.
const LIST_PREFIX: &str = "-";

pub(crate) type Item = HashMap<String, AttributeValue>;

/// Where an item lies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl Key {
    pub(crate) fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    /// The place `position` of the list `pk`.
    pub(crate) fn in_list(pk: impl Into<String>, position: &str) -> Self {
        Self::new(pk, format!("{LIST_PREFIX}{position}"))
    }

    fn item(self) -> Item {
        HashMap::from([("pk".to_owned(), text(self.pk)), ("sk".to_owned(), text(self.sk))])
    }
}

/// Which way a list runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Ascending,
    Descending,
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// A condition did not hold; nothing was written.
    Refused,
}

/// When a write may happen: a condition, the attributes that it names, each `#` and its name, and the values.
pub(crate) struct Condition {
    expression: &'static str,
    names: &'static [&'static str],
    values: Vec<(&'static str, AttributeValue)>,
}

impl Condition {
    pub(crate) fn not_there() -> Self {
        Self { expression: "attribute_not_exists(pk)", names: &[], values: Vec::new() }
    }

    pub(crate) fn latest_is(expected: String) -> Self {
        let values = vec![(":expected", text(expected))];
        Self { expression: "#latest = :expected", names: &["latest"], values }
    }

    /// The item is that revision.
    pub(crate) fn is_at(epoch: u64, revision: u64) -> Self {
        Self {
            expression: "#epoch = :of AND #revision = :at",
            names: &["epoch", "revision"],
            values: vec![(":of", number(epoch)), (":at", number(revision))],
        }
    }

    /// The item is the revision before that one; none before the first.
    pub(crate) fn is_before(epoch: u64, revision: u64) -> Option<Self> {
        Some(Self::is_at(epoch, revision.checked_sub(1)?))
    }
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// An attribute of an item that every item of its kind has.
pub(crate) fn attribute<'a>(item: &'a Item, name: &'static str) -> StoreResult<&'a str> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str).ok_or_else(|| {
        let key = item.get("pk").and_then(|pk| pk.as_s().ok());
        StoreError::Corrupt { store: STORE, what: format!("{key:?} has no text attribute `{name}`") }
    })
}

pub(crate) struct Table {
    client: Client,
    name: String,
}

impl Table {
    pub(crate) fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) async fn get(&self, pk: &str, sk: &str) -> StoreResult<Option<Item>> {
        let get = self.client.get_item().table_name(&self.name).consistent_read(true);
        let found = get.key("pk", text(pk)).key("sk", text(sk)).send().await;
        found.map(|found| found.item).map_err(|error| self.failed("GetItem", error))
    }

    pub(crate) async fn get_body<R: DeserializeOwned>(&self, key: Key) -> StoreResult<Option<R>> {
        let item = self.get(&key.pk, &key.sk).await?;
        item.map(|item| decode(STORE, &key.pk, attribute(&item, "body")?)).transpose()
    }

    /// The bodies at `keys`, in their order. One that is not there is a broken entry: something refers to it.
    pub(crate) async fn get_bodies<R: DeserializeOwned>(&self, keys: Vec<Key>) -> StoreResult<Vec<R>> {
        let mut bodies = Vec::with_capacity(keys.len());
        for keys in keys.chunks(BATCH_KEYS_MAX) {
            let found = self.get_batch(keys).await?;
            for key in keys {
                let item = found.get(key).ok_or_else(|| StoreError::Corrupt {
                    store: STORE,
                    what: format!("{} {} is named by a list but not there", key.pk, key.sk),
                })?;
                bodies.push(decode(STORE, &key.pk, attribute(item, "body")?)?);
            }
        }
        Ok(bodies)
    }

    async fn get_batch(&self, keys: &[Key]) -> StoreResult<HashMap<Key, Item>> {
        let mut found = HashMap::new();
        let mut wanted: Vec<Item> = keys.iter().cloned().map(Key::item).collect();
        let mut attempts_without_progress = 0;
        while !wanted.is_empty() {
            if attempts_without_progress > 0 {
                self.pause(attempts_without_progress, "BatchGetItem").await?;
            }
            let keys = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build();
            let keys = keys.map_err(|error| self.unavailable("BatchGetItem", Box::new(error)))?;
            let answer = self.client.batch_get_item().request_items(&self.name, keys).send().await;
            let answer = answer.map_err(|error| self.failed("BatchGetItem", error))?;
            let items = answer.responses.and_then(|mut tables| tables.remove(&self.name)).unwrap_or_default();
            attempts_without_progress = if items.is_empty() { attempts_without_progress + 1 } else { 0 };
            for item in items {
                found.insert(Key::new(attribute(&item, "pk")?, attribute(&item, "sk")?), item);
            }
            let rest = answer.unprocessed_keys.and_then(|mut tables| tables.remove(&self.name));
            wanted = rest.map(|rest| rest.keys).unwrap_or_default();
        }
        Ok(found)
    }

    /// A page of the list `pk`, of what `latest` of each place names, and where to go on.
    pub(crate) async fn list(
        &self,
        pk: String,
        direction: Direction,
        page: &PageRequest,
    ) -> StoreResult<Page<Place>> {
        let size = page.size.clamp(1, PAGE_SIZE_MAX);
        let mut query = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .scan_index_forward(direction == Direction::Ascending)
            .limit(i32::try_from(size).unwrap_or(i32::MAX))
            .expression_attribute_values(":pk", text(pk));
        query = match (&page.after, direction) {
            (None, _) => query.key_condition_expression("pk = :pk"),
            (Some(_), Direction::Ascending) => query.key_condition_expression("pk = :pk AND sk > :after"),
            (Some(_), Direction::Descending) => query.key_condition_expression("pk = :pk AND sk < :after"),
        };
        if let Some(after) = &page.after {
            let after = &after[..after.floor_char_boundary(TOKEN_BYTES_MAX)];
            query = query.expression_attribute_values(":after", text(format!("{LIST_PREFIX}{after}")));
        }
        let found = query.send().await.map_err(|error| self.failed("Query", error))?;
        let next = found.last_evaluated_key.map(|key| position_of(&key)).transpose()?;
        let items = found.items.unwrap_or_default().iter().map(Place::read).collect::<StoreResult<_>>()?;
        Ok(Page { items, next })
    }

    /// All items of a partition whose sort keys begin with `prefix`, in their order.
    pub(crate) async fn under(&self, pk: String, prefix: String) -> StoreResult<Vec<Item>> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":prefix", text(prefix));
        let items = query.into_paginator().items().send().collect::<Result<_, _>>().await;
        items.map_err(|error| self.failed("Query", error))
    }

    /// Writes all or nothing. Tried again while others write the same items; the SDK's token makes a retry of its own harmless.
    pub(crate) async fn transact(&self, writes: &[TransactWriteItem]) -> StoreResult<Outcome> {
        const CALL: &str = "TransactWriteItems";
        let mut attempts = 0;
        loop {
            attempts += 1;
            let answer =
                self.client.transact_write_items().set_transact_items(Some(writes.to_vec())).send().await;
            let Err(error) = answer else { return Ok(Outcome::Done) };
            match error.as_service_error().map(verdict) {
                Some(Verdict::Refused) => return Ok(Outcome::Refused),
                Some(Verdict::Again) => self.pause(attempts, CALL).await?,
                Some(Verdict::Failed) | None => return Err(self.failed(CALL, error)),
            }
        }
    }

    pub(crate) fn put(
        &self,
        key: Key,
        attributes: impl IntoIterator<Item = (&'static str, AttributeValue)>,
        condition: Option<Condition>,
    ) -> StoreResult<TransactWriteItem> {
        let mut item = key.item();
        item.insert("schema".to_owned(), number(RECORD_SCHEMA));
        item.extend(attributes.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let mut put = Put::builder().table_name(&self.name).set_item(Some(item));
        if let Some(condition) = condition {
            put = put.condition_expression(condition.expression);
            for name in condition.names {
                put = put.expression_attribute_names(format!("#{name}"), *name);
            }
            for (name, value) in condition.values {
                put = put.expression_attribute_values(name, value);
            }
        }
        let put = put.build().map_err(|error| self.unavailable("Put", Box::new(error)))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Writes each attribute unless it is there: an item that is there stays as it is.
    pub(crate) fn put_once(
        &self,
        key: Key,
        attributes: impl IntoIterator<Item = (&'static str, AttributeValue)>,
    ) -> StoreResult<TransactWriteItem> {
        let attributes = attributes.into_iter().chain([("schema", number(RECORD_SCHEMA))]);
        self.set(key, attributes, |name| format!("#{name} = if_not_exists(#{name}, :{name})"), None)
    }

    /// Changes attributes of an item.
    pub(crate) fn update(
        &self,
        key: Key,
        attributes: impl IntoIterator<Item = (&'static str, AttributeValue)>,
        condition: Condition,
    ) -> StoreResult<TransactWriteItem> {
        self.set(key, attributes, |name| format!("#{name} = :{name}"), Some(condition))
    }

    fn set(
        &self,
        key: Key,
        attributes: impl IntoIterator<Item = (&'static str, AttributeValue)>,
        assignment: impl Fn(&str) -> String,
        condition: Option<Condition>,
    ) -> StoreResult<TransactWriteItem> {
        let mut update = Update::builder().table_name(&self.name).set_key(Some(key.item()));
        let mut assignments = Vec::new();
        for (name, value) in attributes {
            assignments.push(assignment(name));
            update = update
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), value);
        }
        if let Some(condition) = condition {
            update = update.condition_expression(condition.expression);
            for name in condition.names {
                update = update.expression_attribute_names(format!("#{name}"), *name);
            }
            for (name, value) in condition.values {
                update = update.expression_attribute_values(name, value);
            }
        }
        let update = update.update_expression(format!("SET {}", assignments.join(", "))).build();
        let update = update.map_err(|error| self.unavailable("Update", Box::new(error)))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Marks a head as deleted, if it is there and is not.
    pub(crate) fn mark_deleted(&self, key: Key) -> StoreResult<TransactWriteItem> {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(key.item()))
            .update_expression("SET #deleted = :yes")
            .condition_expression("attribute_exists(pk) AND #deleted = :no")
            .expression_attribute_names("#deleted", "deleted")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .build();
        let update = update.map_err(|error| self.unavailable("Update", Box::new(error)))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    pub(crate) fn remove(&self, key: Key) -> StoreResult<TransactWriteItem> {
        let delete = Delete::builder().table_name(&self.name).set_key(Some(key.item())).build();
        let delete = delete.map_err(|error| self.unavailable("Delete", Box::new(error)))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// Waits before the next attempt, a random part of a growing limit, so that writers who met do not meet again.
    async fn pause(&self, attempts: u32, call: &'static str) -> StoreResult<()> {
        if attempts >= ATTEMPTS_MAX {
            let resource = self.name.clone();
            return Err(AwsError::Contended { call, resource, attempts }.into_store_error(STORE));
        }
        let limit = PAUSE_FIRST.saturating_mul(1 << (attempts - 1)).min(PAUSE_MAX);
        let random = f64::from((RandomState::new().hash_one(attempts) >> 32) as u32) / f64::from(u32::MAX);
        tokio::time::sleep(limit.mul_f64(random)).await;
        Ok(())
    }

    fn failed<E, R>(&self, call: &'static str, error: aws_sdk_dynamodb::error::SdkError<E, R>) -> StoreError
    where
        E: aws_sdk_dynamodb::error::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        AwsError::call(call, &self.name, error).into_store_error(STORE)
    }

    fn unavailable(
        &self,
        call: &'static str,
        source: Box<dyn std::error::Error + Send + Sync>,
    ) -> StoreError {
        let (resource, code) = (self.name.clone(), "not sent".to_owned());
        AwsError::Call { call, resource, code, source }.into_store_error(STORE)
    }
}

/// One place of a list.
pub(crate) struct Place {
    /// Where in the list.
    pub(crate) position: String,
    /// What it names: a digest or an id.
    pub(crate) latest: String,
}

impl Place {
    fn read(item: &Item) -> StoreResult<Self> {
        Ok(Self { position: position_of(item)?, latest: attribute(item, "latest")?.to_owned() })
    }
}

fn position_of(item: &Item) -> StoreResult<String> {
    let sk = attribute(item, "sk")?;
    Ok(sk.strip_prefix(LIST_PREFIX).unwrap_or(sk).to_owned())
}

enum Verdict {
    Refused,
    Again,
    Failed,
}

fn verdict(error: &TransactWriteItemsError) -> Verdict {
    let cancelled = match error {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => cancelled,
        TransactWriteItemsError::TransactionInProgressException(_) => return Verdict::Again,
        _ => return Verdict::Failed,
    };
    let mut again = false;
    for reason in cancelled.cancellation_reasons() {
        match reason.code() {
            // Decides even if another item met a writer: this one would refuse again.
            Some("ConditionalCheckFailed") => return Verdict::Refused,
            Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded") => again = true,
            _ => {}
        }
    }
    if again { Verdict::Again } else { Verdict::Failed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::{Answers, serve};
    use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
    use std::sync::Arc;

    fn table(endpoint: &str) -> Table {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(endpoint);
        Table::new(Client::from_conf(config.build()), "t".to_owned())
    }

    fn cancelled(codes: &[&str]) -> (u16, String) {
        let reasons: Vec<_> = codes.iter().map(|code| serde_json::json!({ "Code": code })).collect();
        let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
        (400, serde_json::json!({ "__type": kind, "CancellationReasons": reasons }).to_string())
    }

    async fn transact(answers: Vec<(u16, String)>) -> (StoreResult<Outcome>, Arc<Answers>) {
        let served = serve(answers);
        let table = table(&served.endpoint);
        let write = table.put(Key::new("p", "s"), [], None).unwrap();
        (table.transact(&[write]).await, served)
    }

    #[tokio::test]
    async fn a_transaction_that_meets_a_writer_is_tried_again() {
        let conflict = || cancelled(&["None", "TransactionConflict"]);
        let (outcome, served) = transact(vec![conflict(), conflict(), (200, "{}".to_owned())]).await;
        assert_eq!((outcome.unwrap(), served.count()), (Outcome::Done, 3));
    }

    #[tokio::test]
    async fn a_condition_that_does_not_hold_decides_even_beside_a_conflict() {
        let (outcome, served) =
            transact(vec![cancelled(&["TransactionConflict", "ConditionalCheckFailed"])]).await;
        assert_eq!((outcome.unwrap(), served.count()), (Outcome::Refused, 1));
    }

    #[tokio::test]
    async fn any_other_cancellation_is_a_failure_that_is_not_tried_again() {
        let (outcome, served) = transact(vec![cancelled(&["ValidationError"])]).await;
        assert!(matches!(outcome, Err(StoreError::Unavailable { .. })), "{outcome:?}");
        assert_eq!(served.count(), 1);
    }

    #[tokio::test]
    async fn writers_who_never_stop_end_the_attempts() {
        let failed = table("http://127.0.0.1:9").pause(ATTEMPTS_MAX, "TransactWriteItems").await;
        assert!(matches!(failed, Err(StoreError::Unavailable { .. })), "{failed:?}");
    }

    #[tokio::test]
    async fn what_a_batch_read_leaves_out_is_asked_again_and_a_missing_body_is_broken() {
        let key = serde_json::json!({ "pk": { "S": "p" }, "sk": { "S": "s" } });
        let left_out =
            serde_json::json!({ "Responses": { "t": [] }, "UnprocessedKeys": { "t": { "Keys": [key] } } });
        let mut item = key.clone();
        item["body"] = serde_json::json!({ "S": r#"{"schema":1,"value":7}"# });
        let answers = [left_out, serde_json::json!({ "Responses": { "t": [item] } }), serde_json::json!({})];
        let served = serve(answers.into_iter().map(|answer| (200, answer.to_string())).collect());
        let table = table(&served.endpoint);
        let bodies: Vec<serde_json::Value> = table.get_bodies(vec![Key::new("p", "s")]).await.unwrap();
        assert_eq!((bodies[0]["value"].as_u64(), served.count()), (Some(7), 2));
        let missing = table.get_bodies::<serde_json::Value>(vec![Key::new("p", "s")]).await;
        assert!(matches!(missing, Err(StoreError::Corrupt { .. })), "{missing:?}");
    }
}
