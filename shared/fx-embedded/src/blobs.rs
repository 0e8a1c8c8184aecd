//! Blobs as files under their keys, so that any tool opens them.
//!
//! A blob is written and synced under a temporary name on the same file system and then gets its own name by a rename that
//! does not replace: it is there whole or not at all, and exactly one of several writers wins. A key that is the beginning
//! of another (`a` and `a/b`) would have to be file and folder at once: the second put fails and names the path.

use crate::EmbeddedError;
use async_trait::async_trait;
use bytes::Bytes;
use fx_app::ports::{BLOB_BYTES_MAX, BlobKey, BlobStore, LISTED_BLOBS_MAX, Put, StoreError, StoreResult};
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Blobs that do not have their name yet. Not a key's segment: those never start with a dot.
const UNNAMED_FOLDER: &str = ".unnamed";
/// A file in [`UNNAMED_FOLDER`] this old was left by a process that died, and is removed when the folder is opened.
const UNNAMED_AGE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

const STORE: &str = "blob folder";

pub(crate) struct FolderBlobs {
    root: PathBuf,
}

impl FolderBlobs {
    pub(crate) fn open(root: &Path) -> Result<Self, EmbeddedError> {
        let unnamed = root.join(UNNAMED_FOLDER);
        create_folders(&unnamed)?;
        remove_old_files(&unnamed).map_err(EmbeddedError::file("clean", &unnamed))?;
        Ok(Self { root: root.to_owned() })
    }

    fn path_of(&self, key: &BlobKey) -> PathBuf {
        self.root.join(key.as_str())
    }
}

#[async_trait]
impl BlobStore for FolderBlobs {
    async fn put(&self, key: &BlobKey, bytes: Bytes) -> StoreResult<Put> {
        if bytes.len() > BLOB_BYTES_MAX {
            return Err(StoreError::TooLarge { what: key.to_string(), limit_bytes: BLOB_BYTES_MAX });
        }
        let (root, path) = (self.root.clone(), self.path_of(key));
        blocking("storing a blob", move || put_file(&root, &path, &bytes)).await
    }

    async fn get(&self, key: &BlobKey) -> StoreResult<Option<Bytes>> {
        self.get_range(key, 0, u64::MAX).await
    }

    async fn get_range(&self, key: &BlobKey, offset: u64, length: u64) -> StoreResult<Option<Bytes>> {
        let path = self.path_of(key);
        blocking("reading a blob", move || {
            read_range(&path, offset, length).map_err(EmbeddedError::file("read", &path))
        })
        .await
    }

    async fn list(&self, folder: &BlobKey) -> StoreResult<Vec<BlobKey>> {
        let (path, folder) = (self.path_of(folder), folder.clone());
        blocking("listing blobs", move || {
            files_in(&path, &folder).map_err(EmbeddedError::file("list", &path))
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    action: &'static str,
    work: impl FnOnce() -> Result<T, EmbeddedError> + Send + 'static,
) -> StoreResult<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|source| Err(EmbeddedError::Interrupted { action, source }))
        .map_err(|error| error.into_store_error(STORE))
}

fn put_file(root: &Path, path: &Path, bytes: &[u8]) -> Result<Put, EmbeddedError> {
    let folder = path.parent().unwrap_or(root);
    let put = if path.is_file() {
        Put::AlreadyThere
    } else {
        create_folders(folder)?;
        let write = || -> std::io::Result<tempfile::NamedTempFile> {
            let mut file = tempfile::NamedTempFile::new_in(root.join(UNNAMED_FOLDER))?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            Ok(file)
        };
        let file = write().map_err(EmbeddedError::file("write", path))?;
        match file.persist_noclobber(path) {
            Ok(_) => Put::Created,
            Err(taken) if taken.error.kind() == ErrorKind::AlreadyExists && path.is_file() => {
                Put::AlreadyThere
            }
            Err(failed) => return Err(EmbeddedError::file("write", path)(failed.error)),
        }
    };
    // Also when it was there: its writer may not have come this far yet, and the answer promises that it stays.
    sync_folder(folder)?;
    Ok(put)
}

/// Makes a folder and those above it, each name synced into the folder that holds it.
fn create_folders(folder: &Path) -> Result<(), EmbeddedError> {
    if folder.is_dir() {
        return Ok(());
    }
    match folder.parent() {
        Some(above) if !above.as_os_str().is_empty() => {
            create_folders(above)?;
            create_folder(folder)?;
            sync_folder(above)
        }
        _ => create_folder(folder),
    }
}

fn create_folder(folder: &Path) -> Result<(), EmbeddedError> {
    match fs::create_dir(folder) {
        Err(error) if !folder.is_dir() => Err(EmbeddedError::file("create", folder)(error)),
        _ => Ok(()), // Made, by us or by another writer in between.
    }
}

fn sync_folder(folder: &Path) -> Result<(), EmbeddedError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(EmbeddedError::file("sync", folder))
}

fn read_range(path: &Path, offset: u64, length: u64) -> std::io::Result<Option<Bytes>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let about = file.metadata()?;
    if !about.is_file() {
        return Ok(None);
    }
    let offset = offset.min(about.len());
    let length = length.min(about.len() - offset);
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.take(length).read_to_end(&mut bytes)?;
    Ok(Some(bytes.into()))
}

fn files_in(path: &Path, folder: &BlobKey) -> std::io::Result<Vec<BlobKey>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut keys = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        // What no key spells was not put here.
        let key = name.to_str().and_then(|name| BlobKey::parse(&format!("{folder}/{name}")));
        keys.extend(key.filter(|_| entry.path().is_file()));
    }
    keys.sort();
    keys.truncate(LISTED_BLOBS_MAX);
    Ok(keys)
}

fn remove_old_files(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A file that vanishes between the calls was named or removed by its writer.
        let old =
            |about: fs::Metadata| about.modified().ok()?.elapsed().ok().map(|age| age > UNNAMED_AGE_MAX);
        if entry.metadata().ok().and_then(old) == Some(true) {
            match fs::remove_file(entry.path()) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}
