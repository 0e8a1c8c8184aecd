//! Blobs in S3. A put names what must not be there, so S3 itself lets one writer win.
//!
//! The role needs `s3:ListBucket` beside `GetObject` and `PutObject`: without it S3 answers 403, not 404, for a key that is
//! not there.

use crate::AwsError;
use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use fx_app::ports::{BLOB_BYTES_MAX, BlobKey, BlobStore, LISTED_BLOBS_MAX, Put, StoreError, StoreResult};

const STORE: &str = "bucket";
/// Attempts of one put that meets another writer of the same key.
const ATTEMPTS_MAX: u32 = 5;

const NOT_FOUND: u16 = 404;
const CONFLICT: u16 = 409;
const PRECONDITION_FAILED: u16 = 412;
const RANGE_NOT_SATISFIABLE: u16 = 416;

pub(crate) struct Bucket {
    client: Client,
    name: String,
}

impl Bucket {
    pub(crate) fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    async fn read(&self, key: &BlobKey, range: Option<String>) -> StoreResult<Option<Bytes>> {
        const CALL: &str = "GetObject";
        let get = self.client.get_object().bucket(&self.name).key(key.as_str()).set_range(range);
        match get.send().await {
            Ok(object) => {
                let body = object.body.collect().await;
                body.map(|body| Some(body.into_bytes())).map_err(|error| self.unread(Box::new(error)))
            }
            Err(error) => match status(&error) {
                // `NoSuchBucket` is a 404 too, and no answer to the question.
                Some(NOT_FOUND) if error.code() != Some("NoSuchBucket") => Ok(None),
                Some(RANGE_NOT_SATISFIABLE) => Ok(Some(Bytes::new())),
                _ => Err(AwsError::call(CALL, &self.name, error).into_store_error(STORE)),
            },
        }
    }

    async fn is_there(&self, key: &BlobKey) -> StoreResult<bool> {
        match self.client.head_object().bucket(&self.name).key(key.as_str()).send().await {
            Ok(_) => Ok(true),
            Err(error) if status(&error) == Some(NOT_FOUND) => Ok(false),
            Err(error) => Err(AwsError::call("HeadObject", &self.name, error).into_store_error(STORE)),
        }
    }

    fn unread(&self, source: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
        let (resource, code) = (self.name.clone(), "broken off".to_owned());
        AwsError::Call { call: "GetObject", resource, code, source }.into_store_error(STORE)
    }
}

#[async_trait]
impl BlobStore for Bucket {
    async fn put(&self, key: &BlobKey, bytes: Bytes) -> StoreResult<Put> {
        const CALL: &str = "PutObject";
        if bytes.len() > BLOB_BYTES_MAX {
            return Err(StoreError::TooLarge { what: key.to_string(), limit_bytes: BLOB_BYTES_MAX });
        }
        for _ in 0..ATTEMPTS_MAX {
            let put = self.client.put_object().bucket(&self.name).key(key.as_str()).if_none_match("*");
            match put.body(ByteStream::from(bytes.clone())).send().await {
                Ok(_) => return Ok(Put::Created),
                Err(error) => match status(&error) {
                    Some(PRECONDITION_FAILED) => return Ok(Put::AlreadyThere),
                    // Another writer came in between and has not finished: the next attempt sees its object, or is first.
                    Some(CONFLICT) => {}
                    _ => return Err(AwsError::call(CALL, &self.name, error).into_store_error(STORE)),
                },
            }
        }
        let (resource, attempts) = (self.name.clone(), ATTEMPTS_MAX);
        Err(AwsError::Contended { call: CALL, resource, attempts }.into_store_error(STORE))
    }

    async fn get(&self, key: &BlobKey) -> StoreResult<Option<Bytes>> {
        self.read(key, None).await
    }

    async fn get_range(&self, key: &BlobKey, offset: u64, length: u64) -> StoreResult<Option<Bytes>> {
        // No blob reaches behind the limit; and a range that S3 cannot read it ignores, and sends the whole object.
        let limit = BLOB_BYTES_MAX as u64;
        let end = offset.saturating_add(length).min(limit);
        if end <= offset {
            return Ok(self.is_there(key).await?.then(Bytes::new));
        }
        let range = self.read(key, Some(format!("bytes={offset}-{}", end - 1))).await?;
        if range.as_ref().is_some_and(|bytes| bytes.len() as u64 > end - offset) {
            let (call, what) = ("GetObject", "more bytes than were asked for");
            let resource = self.name.clone();
            return Err(AwsError::Answer { call, resource, what }.into_store_error(STORE));
        }
        Ok(range)
    }

    async fn list(&self, folder: &BlobKey) -> StoreResult<Vec<BlobKey>> {
        // S3 answers keys in order of their UTF-8 bytes, a thousand at a time: those of one list.
        let list =
            self.client.list_objects_v2().bucket(&self.name).prefix(format!("{folder}/")).delimiter("/");
        let listed = list.send().await;
        let listed = listed
            .map_err(|error| AwsError::call("ListObjectsV2", &self.name, error).into_store_error(STORE))?;
        let keys = listed.contents().iter().filter_map(|object| BlobKey::parse(object.key()?));
        Ok(keys.take(LISTED_BLOBS_MAX).collect())
    }
}

fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::serve;
    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};

    fn bucket(endpoint: &str) -> Bucket {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .force_path_style(true)
            .endpoint_url(endpoint);
        Bucket::new(Client::from_conf(config.build()), "b".to_owned())
    }

    fn error(status: u16, code: &str) -> (u16, String) {
        (status, format!("<Error><Code>{code}</Code><Message>m</Message></Error>"))
    }

    #[tokio::test]
    async fn a_put_that_meets_an_unfinished_writer_is_tried_again() {
        let conflict = || error(CONFLICT, "ConditionalRequestConflict");
        let key = BlobKey::parse("k").unwrap();
        for (last, expected) in [
            (error(PRECONDITION_FAILED, "PreconditionFailed"), Put::AlreadyThere),
            ((200, String::new()), Put::Created),
        ] {
            let served = serve(vec![conflict(), conflict(), last]);
            let put = bucket(&served.endpoint).put(&key, Bytes::from_static(b"x")).await.unwrap();
            assert_eq!((put, served.count()), (expected, 3));
        }
        let served = serve((0..ATTEMPTS_MAX).map(|_| conflict()).collect());
        let put = bucket(&served.endpoint).put(&key, Bytes::from_static(b"x")).await;
        assert!(matches!(put, Err(StoreError::Unavailable { .. })), "{put:?}");
    }

    #[tokio::test]
    async fn an_answer_that_ignores_the_range_is_not_taken_for_it() {
        let served = serve(vec![(200, "the whole object".to_owned())]);
        let range = bucket(&served.endpoint).get_range(&BlobKey::parse("k").unwrap(), 2, 4).await;
        assert!(matches!(range, Err(StoreError::Unavailable { .. })), "{range:?}");
    }
}
