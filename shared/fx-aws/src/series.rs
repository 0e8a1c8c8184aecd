//! The series catalogue in DynamoDB: the pointer moves by conditional write, together with the version that it names.

use crate::body::encode;
use crate::table::{Condition, Direction, Key, Outcome, STORE, Table, attribute, text};
use async_trait::async_trait;
use fx_app::ports::{Page, PageRequest, Publish, SeriesCatalog, StoreResult};
use fx_app::records::{SeriesKey, SeriesVersion};
use fx_domain::Digest;
use std::sync::Arc;

/// The list of all series; its places are the pointers.
const ALL: &str = "SERIES";

pub(crate) struct DynamoSeries(pub(crate) Arc<Table>);

fn version_key(series: &str, digest: &str) -> Key {
    Key::new(format!("SERIES#{series}"), format!("VERSION#{digest}"))
}

impl DynamoSeries {
    async fn latest_digest(&self, series: &str) -> StoreResult<Option<String>> {
        let place = Key::in_list(ALL, series);
        let item = self.0.get(&place.pk, &place.sk).await?;
        item.map(|item| attribute(&item, "latest").map(str::to_owned)).transpose()
    }
}

#[async_trait]
impl SeriesCatalog for DynamoSeries {
    async fn publish(&self, next: &SeriesVersion, expected: Option<&Digest>) -> StoreResult<Publish> {
        let (series, digest) = (next.series.to_string(), next.version.to_string());
        let body = encode(STORE, &series, next)?;
        let condition = match expected {
            Some(expected) => Condition::latest_is(expected.to_string()),
            None => Condition::not_there(),
        };
        let writes = [
            self.0.put_body_once(version_key(&series, &digest), body)?,
            self.0.put(Key::in_list(ALL, &series), [("latest", text(&digest))], Some(condition))?,
        ];
        if self.0.transact(&writes).await? == Outcome::Done {
            return Ok(Publish::Published);
        }
        let latest = self.latest_digest(&series).await?;
        Ok(if latest == Some(digest) { Publish::Published } else { Publish::Conflict })
    }

    async fn latest(&self, series: &SeriesKey) -> StoreResult<Option<SeriesVersion>> {
        let series = series.to_string();
        match self.latest_digest(&series).await? {
            Some(digest) => {
                Ok(self.0.get_bodies(vec![version_key(&series, &digest)]).await?.into_iter().next())
            }
            None => Ok(None),
        }
    }

    async fn version(&self, series: &SeriesKey, version: &Digest) -> StoreResult<Option<SeriesVersion>> {
        self.0.get_body(version_key(&series.to_string(), &version.to_string())).await
    }

    async fn list(&self, page: &PageRequest) -> StoreResult<Page<SeriesVersion>> {
        let places = self.0.list(ALL.to_owned(), Direction::Ascending, page).await?;
        let keys = places.items.iter().map(|place| version_key(&place.position, &place.latest)).collect();
        Ok(Page { items: self.0.get_bodies(keys).await?, next: places.next })
    }
}
