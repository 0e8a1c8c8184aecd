//! The objects of jobs: what was asked, what chunks gave, and what became of all. Their keys are the digests of their bytes,
//! so that writing one twice changes nothing and reading one checks it.

use crate::ports::BlobKey;
use crate::{App, errors};
use fx_domain::{Digest, ErrorKind, PlatformError, PlatformResult};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Of an object's key.
const FOLDER: &str = "jobs";

fn key(digest: &Digest) -> PlatformResult<BlobKey> {
    let text = format!("{FOLDER}/{digest}.json");
    BlobKey::parse(&text).ok_or_else(|| broken(digest, "has no key"))
}

fn broken(digest: &Digest, why: &str) -> PlatformError {
    PlatformError::new(ErrorKind::Platform, format!("object {digest} of a job {why}"))
}

/// JSON, and its digest.
fn encode(object: &impl Serialize) -> PlatformResult<(Vec<u8>, Digest)> {
    let bytes = serde_json::to_vec(object).map_err(|error| {
        PlatformError::new(ErrorKind::Platform, "an object of a job cannot be written").caused_by(error)
    })?;
    let digest = Digest::of(&bytes);
    Ok((bytes, digest))
}

impl App {
    /// Stores an object, and says under what digest.
    pub(super) async fn put_object(&self, object: &(impl Serialize + Sync)) -> PlatformResult<Digest> {
        let (bytes, digest) = encode(object)?;
        self.blobs.put(&key(&digest)?, bytes.into()).await.map_err(errors::store)?;
        Ok(digest)
    }

    /// Reads an object back.
    pub(super) async fn get_object<T: DeserializeOwned>(&self, digest: &Digest) -> PlatformResult<T> {
        let bytes = self.blobs.get(&key(digest)?).await.map_err(errors::store)?;
        let bytes = bytes.ok_or_else(|| broken(digest, "is not there"))?;
        if Digest::of(&bytes) != *digest {
            return Err(broken(digest, "has other bytes than its name says"));
        }
        serde_json::from_slice(&bytes).map_err(|error| broken(digest, "is not readable").caused_by(error))
    }
}
