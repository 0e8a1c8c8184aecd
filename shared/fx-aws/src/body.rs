//! Records as the text of one item.

use fx_app::ports::{StoreError, StoreResult};
use fx_app::stored;
use serde::{Serialize, de::DeserializeOwned};

/// Bytes of a record's text, at most: DynamoDB's 400 KB per item, less the keys and names beside it.
pub(crate) const BODY_BYTES_MAX: usize = 392 * 1024;

/// The stored form of a record; refuses one that no item can hold.
pub(crate) fn encode<R: Serialize + DeserializeOwned + PartialEq>(
    store: &'static str,
    key: &str,
    record: &R,
) -> StoreResult<String> {
    let text = stored::encode(store, key, record)?;
    if text.len() > BODY_BYTES_MAX {
        return Err(StoreError::TooLarge { what: key.to_owned(), limit_bytes: BODY_BYTES_MAX });
    }
    Ok(text)
}
