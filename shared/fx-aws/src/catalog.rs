//! Catalogues in DynamoDB: the pointer moves by conditional write, together with the version that it names.

use crate::body::encode;
use crate::table::{Condition, Direction, Key, Outcome, STORE, Table, attribute, text};
use async_trait::async_trait;
use fx_app::ports::{Catalog, Page, PageRequest, Publish, StoreResult, Versioned};
use fx_domain::Digest;
use std::sync::Arc;

/// The list of all keys of a kind is called by the kind; its places are the pointers.
pub(crate) struct DynamoCatalog(pub(crate) Arc<Table>);

fn version_key<V: Versioned>(key: &str, digest: &str) -> Key {
    Key::new(format!("{}#{key}", V::KIND), format!("VERSION#{digest}"))
}

impl DynamoCatalog {
    async fn latest_digest<V: Versioned>(&self, key: &str) -> StoreResult<Option<String>> {
        let place = Key::in_list(V::KIND, key);
        let item = self.0.get(&place.pk, &place.sk).await?;
        item.map(|item| attribute(&item, "latest").map(str::to_owned)).transpose()
    }
}

#[async_trait]
impl<V: Versioned> Catalog<V> for DynamoCatalog {
    async fn publish(&self, next: &V, expected: Option<&Digest>) -> StoreResult<Publish> {
        let (key, digest) = (next.key().to_string(), next.version().to_string());
        let body = encode(STORE, &key, next)?;
        let condition = match expected {
            Some(expected) => Condition::latest_is(expected.to_string()),
            None => Condition::not_there(),
        };
        let writes = [
            self.0.put_once(version_key::<V>(&key, &digest), [("body", text(body))])?,
            self.0.put(Key::in_list(V::KIND, &key), [("latest", text(&digest))], Some(condition))?,
        ];
        if self.0.transact(&writes).await? == Outcome::Done {
            return Ok(Publish::Published);
        }
        let latest = self.latest_digest::<V>(&key).await?;
        Ok(if latest == Some(digest) { Publish::Published } else { Publish::Conflict })
    }

    async fn latest(&self, key: &V::Key) -> StoreResult<Option<V>> {
        let key = key.to_string();
        match self.latest_digest::<V>(&key).await? {
            Some(digest) => {
                Ok(self.0.get_bodies(vec![version_key::<V>(&key, &digest)]).await?.into_iter().next())
            }
            None => Ok(None),
        }
    }

    async fn version(&self, key: &V::Key, version: &Digest) -> StoreResult<Option<V>> {
        self.0.get_body(version_key::<V>(&key.to_string(), &version.to_string())).await
    }

    async fn list(&self, page: &PageRequest) -> StoreResult<Page<V>> {
        let places = self.0.list(V::KIND.to_owned(), Direction::Ascending, page).await?;
        let keys =
            places.items.iter().map(|place| version_key::<V>(&place.position, &place.latest)).collect();
        Ok(Page { items: self.0.get_bodies(keys).await?, next: places.next })
    }
}
