//! The stored form of records: JSON text that is known to come back as it is.

use crate::ports::{StoreError, StoreResult};
use crate::records::RECORD_SCHEMA;
use fx_domain::BacktestId;
use serde::{Serialize, de::DeserializeOwned};

/// The stored form of a record, for an adapter that keeps text.
///
/// # Errors
/// [`StoreError::Corrupt`] for a record that would not come back as it is: JSON has no NaN.
pub fn encode<R: Serialize + DeserializeOwned + PartialEq>(
    store: &'static str,
    key: &str,
    record: &R,
) -> StoreResult<String> {
    let text = serde_json::to_string(record)
        .map_err(|error| StoreError::Corrupt { store, what: format!("{key} cannot be written: {error}") })?;
    if decode::<R>(store, key, &text)? == *record {
        Ok(text)
    } else {
        Err(StoreError::Corrupt { store, what: format!("{key} would not be read back as it is") })
    }
}

/// The jobs that a list names.
///
/// # Errors
/// [`StoreError::Corrupt`] for what is no id.
pub fn job_ids(
    store: &'static str,
    listed: impl IntoIterator<Item = String>,
) -> StoreResult<Vec<BacktestId>> {
    let read = |id: String| {
        let broken = |error| StoreError::Corrupt { store, what: format!("job {id}: {error}") };
        BacktestId::parse(&id).map_err(broken)
    };
    listed.into_iter().map(read).collect()
}

/// Reads what [`encode`] wrote.
///
/// # Errors
/// [`StoreError::Corrupt`] for anything else, and for the form of another release.
pub fn decode<R: DeserializeOwned>(store: &'static str, key: &str, text: &str) -> StoreResult<R> {
    #[derive(serde::Deserialize)]
    struct Form {
        schema: u16,
    }
    let broken = |error: serde_json::Error| StoreError::Corrupt {
        store,
        what: format!("{key} is not readable: {error}"),
    };
    let form: Form = serde_json::from_str(text).map_err(broken)?;
    if form.schema != RECORD_SCHEMA {
        let what = format!("{key} has form {}, this release reads {RECORD_SCHEMA}", form.schema);
        return Err(StoreError::Corrupt { store, what });
    }
    serde_json::from_str(text).map_err(broken)
}
