//! Stored tables of rollover rates, by name: the blob `financing/{name}.csv`.

use crate::backtests::{FinancingRequest, financing_error};
use crate::ports::BlobKey;
use crate::records::FinancingUsed;
use crate::{App, errors};
use fx_domain::{Digest, ErrorKind, FinancingTable, PlatformError, PlatformResult};

/// The folder of the tables.
const FOLDER: &str = "financing";
/// How the name of a table's blob ends.
const ENDING: &str = ".csv";
/// Bytes of one table, at most.
const TABLE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Where the table of a name is stored; `None` for a name that is no part of a key.
#[must_use]
pub fn key(name: &str) -> Option<BlobKey> {
    BlobKey::parse(&format!("{FOLDER}/{name}{ENDING}")).filter(|_| !name.contains('/'))
}

impl App {
    /// The rates that a request asks for, and what its record says of them.
    ///
    /// # Errors
    /// `BacktestConfigError` for a name that no table has, with those that there are, and for a table that cannot be
    /// read.
    pub(crate) async fn find_financing(
        &self,
        request: &FinancingRequest,
    ) -> PlatformResult<(Option<FinancingTable>, FinancingUsed)> {
        let rows = |table: &FinancingTable| table.rows().len() as u64;
        match request {
            FinancingRequest::Zero => Ok((None, FinancingUsed::Zero)),
            FinancingRequest::Rates(table) => {
                let used = FinancingUsed::Request { name: table.name().to_owned(), rows: rows(table) };
                Ok((Some(table.clone()), used))
            }
            FinancingRequest::Table(name) => {
                let (table, digest) = self.stored_table(name).await?;
                let used = FinancingUsed::Table { name: name.clone(), digest, rows: rows(&table) };
                Ok((Some(table), used))
            }
        }
    }

    async fn stored_table(&self, name: &str) -> PlatformResult<(FinancingTable, Digest)> {
        let Some(key) = key(name) else { return Err(self.unknown_table(name).await) };
        let Some(bytes) = self.blobs.get(&key).await.map_err(errors::store)? else {
            return Err(self.unknown_table(name).await);
        };
        let broken = |reason: &str| refuse(&format!("the table `{name}` cannot be read: {reason}"));
        if bytes.len() > TABLE_BYTES_MAX {
            return Err(broken(&format!("it has more than {TABLE_BYTES_MAX} bytes")));
        }
        let digest = Digest::of(&bytes);
        let text = String::from_utf8(bytes.into()).map_err(|_| broken("it is not UTF-8"))?;
        let name = name.to_owned();
        tokio::task::spawn_blocking(move || FinancingTable::parse_csv(name, &text))
            .await
            .map_err(|error| errors::lost_task(ErrorKind::BacktestExecution, error))?
            .map(|table| (table, digest))
            .map_err(|error| broken(financing_error(&error).message()))
    }

    /// Names the tables that there are; without them when the store cannot list them.
    async fn unknown_table(&self, name: &str) -> PlatformError {
        let listed = match BlobKey::parse(FOLDER) {
            Some(folder) => self.blobs.list(&folder).await.unwrap_or_default(),
            None => Vec::new(),
        };
        let named = |key: &BlobKey| {
            let file = key.as_str().strip_prefix(FOLDER)?.strip_prefix('/')?;
            Some(file.strip_suffix(ENDING)?.to_owned())
        };
        let names: Vec<String> = listed.iter().filter_map(named).collect();
        let known = match names.as_slice() {
            [] => "no table is stored: expected `zero`, or rates".to_owned(),
            names => format!("expected `zero`, rates, or one of {}", names.join(", ")),
        };
        refuse(&format!("there is no table `{name}`; {known}"))
    }
}

fn refuse(message: &str) -> PlatformError {
    PlatformError::field(ErrorKind::BacktestConfig, "financing", message)
}
