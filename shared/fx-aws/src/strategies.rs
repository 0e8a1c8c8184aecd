//! Strategies in DynamoDB. A version, the pointer to it and its places in lists are one transaction.

use crate::body::encode;
use crate::table::{Condition, Direction, Key, Outcome, STORE, Table, attribute, text};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use fx_app::ports::{Page, PageRequest, Put, StoreError, StoreResult, StrategyStore};
use fx_app::records::StrategyVersion;
use fx_domain::{Digest, Principal, StrategyId};
use std::sync::Arc;

const HEAD: &str = "HEAD";

pub(crate) struct DynamoStrategies(pub(crate) Arc<Table>);

/// Where the latest version of a strategy is, and whose it is.
struct Head {
    latest: String,
    owner: String,
    deleted: bool,
}

fn partition(id: &str) -> String {
    format!("STRATEGY#{id}")
}

fn version_key(id: &str, digest: &str) -> Key {
    Key::new(partition(id), format!("VERSION#{digest}"))
}

fn owners_list(owner: &str) -> String {
    format!("OWNER#{owner}#STRATEGIES")
}

fn versions_list(id: &str) -> String {
    format!("STRATEGY#{id}#VERSIONS")
}

impl DynamoStrategies {
    async fn head(&self, id: &StrategyId) -> StoreResult<Option<Head>> {
        let Some(item) = self.0.get(&partition(id.as_str()), HEAD).await? else { return Ok(None) };
        let deleted = item.get("deleted").and_then(|deleted| deleted.as_bool().ok()).copied();
        let what = || format!("the head of {id} does not say whether it is deleted");
        Ok(Some(Head {
            latest: attribute(&item, "latest")?.to_owned(),
            owner: attribute(&item, "owner")?.to_owned(),
            deleted: deleted.ok_or_else(|| StoreError::Corrupt { store: STORE, what: what() })?,
        }))
    }
}

#[async_trait]
impl StrategyStore for DynamoStrategies {
    async fn put(&self, version: &StrategyVersion) -> StoreResult<Put> {
        let body = encode(STORE, version.id.as_str(), version)?;
        let (id, digest) = (version.id.as_str(), version.version.to_string());
        let latest = || ("latest", text(&digest));
        let owner = ("owner", text(version.owner.as_str()));
        let alive = ("deleted", AttributeValue::Bool(false));
        let position = format!("{}-{digest}", version.created_at.sort_key());
        let pointer = [
            self.0.put(Key::new(partition(id), HEAD), [latest(), owner, alive], None)?,
            self.0.put(Key::in_list(owners_list(version.owner.as_str()), id), [latest()], None)?,
        ];
        let key = version_key(id, &digest);
        let mut writes = vec![
            self.0.put(key, [("body", text(body))], Some(Condition::not_there()))?,
            self.0.put(Key::in_list(versions_list(id), &position), [latest()], None)?,
        ];
        writes.extend(pointer.iter().cloned());
        if self.0.transact(&writes).await? == Outcome::Done {
            return Ok(Put::Created);
        }
        self.0.transact(&pointer).await?;
        Ok(Put::AlreadyThere)
    }

    async fn latest(&self, id: &StrategyId) -> StoreResult<Option<StrategyVersion>> {
        match self.head(id).await?.filter(|head| !head.deleted) {
            Some(head) => {
                Ok(self.0.get_bodies(vec![version_key(id.as_str(), &head.latest)]).await?.into_iter().next())
            }
            None => Ok(None),
        }
    }

    async fn version(&self, id: &StrategyId, version: &Digest) -> StoreResult<Option<StrategyVersion>> {
        self.0.get_body(version_key(id.as_str(), &version.to_string())).await
    }

    async fn versions(&self, id: &StrategyId, page: &PageRequest) -> StoreResult<Page<StrategyVersion>> {
        if self.head(id).await?.is_none_or(|head| head.deleted) {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let places = self.0.list(versions_list(id.as_str()), Direction::Ascending, page).await?;
        let keys = places.items.iter().map(|place| version_key(id.as_str(), &place.latest)).collect();
        Ok(Page { items: self.0.get_bodies(keys).await?, next: places.next })
    }

    async fn list(&self, owner: &Principal, page: &PageRequest) -> StoreResult<Page<StrategyVersion>> {
        let places = self.0.list(owners_list(owner.as_str()), Direction::Ascending, page).await?;
        let keys = places.items.iter().map(|place| version_key(&place.position, &place.latest)).collect();
        Ok(Page { items: self.0.get_bodies(keys).await?, next: places.next })
    }

    async fn delete(&self, id: &StrategyId) -> StoreResult<bool> {
        let Some(head) = self.head(id).await? else { return Ok(false) };
        let writes = [
            self.0.mark_deleted(Key::new(partition(id.as_str()), HEAD))?,
            self.0.remove(Key::in_list(owners_list(&head.owner), id.as_str()))?,
        ];
        Ok(self.0.transact(&writes).await? == Outcome::Done)
    }
}
