//! The folder of strategies that ship with the platform: files of the language, which are data, not code.

use crate::HostError;
use crate::config::StrategiesDir;
use fx_app::library::SourceFile;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Files in the folder, at most.
pub const FILES_MAX: usize = 1_000;
/// Bytes of one file, at most: as much as the language takes of one source.
pub const FILE_BYTES_MAX: usize = 64 * 1024;
/// Ending of a strategy file; others are left alone.
const ENDING: &str = "py";

/// A folder or a file of strategies cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system refuses, or the text is not UTF-8.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file or folder is over its limit.
    #[error("{} {limit}", path.display())]
    Limit {
        /// The file or folder.
        path: PathBuf,
        /// The limit, in words.
        limit: String,
    },
}

/// Reads every strategy file of the folder, by name; one that cannot be read is there with the reason. A folder that
/// nobody named and that is not there holds none.
///
/// # Errors
/// When a named folder is missing or a folder cannot be listed, and when it holds more files than [`FILES_MAX`].
pub fn read(dir: &StrategiesDir) -> Result<Vec<SourceFile>, HostError> {
    let path = dir.path();
    if !dir.is_named() && !path.exists() {
        return Ok(Vec::new());
    }
    Ok(paths(path)?.iter().map(|file| source_file(file)).collect())
}

/// The strategy files of a folder, by name. Folders inside it are left alone, and so are hidden files: what is being
/// copied in has such a name with many programs.
///
/// # Errors
/// [`FileError`] when the folder cannot be listed, or holds more than [`FILES_MAX`].
pub fn paths(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let unreadable = |source| FileError::Unreadable { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        let hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && file.extension().is_some_and(|ending| ending == ENDING) && file.is_file() {
            paths.push(file);
        }
        if paths.len() > FILES_MAX {
            let limit = format!("holds more than {FILES_MAX} strategies");
            return Err(FileError::Limit { path: folder.to_owned(), limit });
        }
    }
    paths.sort();
    Ok(paths)
}

/// The text of one file.
///
/// # Errors
/// [`FileError`] when it cannot be read, is not UTF-8, or has more than [`FILE_BYTES_MAX`].
pub fn source(path: &Path) -> Result<String, FileError> {
    let unreadable = |source| FileError::Unreadable { path: path.to_owned(), source };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX as u64 + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() > FILE_BYTES_MAX {
        let limit = format!("is larger than {FILE_BYTES_MAX} bytes");
        return Err(FileError::Limit { path: path.to_owned(), limit });
    }
    Ok(text)
}

/// A reason names no folder: health shows it.
fn source_file(path: &Path) -> SourceFile {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let source = source(path).map_err(|error| match error {
        FileError::Unreadable { source, .. } => format!("cannot be read: {source}"),
        FileError::Limit { limit, .. } => limit,
    });
    SourceFile { stem, source }
}

/// How often a server looks whether the files have changed.
pub const RELOAD_INTERVAL: Duration = Duration::from_secs(2);

/// Looks at the folder from time to time. It compares what the files hold, not their times: a mounted volume may keep
/// none, and two writes may share one.
#[derive(Debug)]
pub struct Watch {
    dir: StrategiesDir,
    /// What was handed over last.
    taken: Option<Vec<SourceFile>>,
    /// What the look before this one saw.
    seen: Option<Vec<SourceFile>>,
}

impl Watch {
    /// A watch that has handed over nothing yet.
    #[must_use]
    pub const fn new(dir: StrategiesDir) -> Self {
        Self { dir, taken: None, seen: None }
    }

    /// The files, if they are others than those handed over last and two looks in a row have seen them alike: a file
    /// that is being written is waited for.
    ///
    /// # Errors
    /// As [`read`]; the next look begins anew.
    pub fn look(&mut self) -> Result<Option<Vec<SourceFile>>, HostError> {
        let found = read(&self.dir);
        let before = self.seen.take();
        let found = found?;
        let settled = before.as_ref() == Some(&found);
        self.seen = Some(found.clone());
        if !settled || self.taken.as_ref() == Some(&found) {
            return Ok(None);
        }
        self.taken = Some(found.clone());
        Ok(Some(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_handed_over_once_it_has_stood_still() {
        let folder = folder(&[("a.py", b"one")]);
        let mut watch = Watch::new(StrategiesDir::Named(folder.path().to_owned()));
        let texts = |files: Option<Vec<SourceFile>>| {
            files.map(|files| files.into_iter().map(|file| file.source.unwrap()).collect::<Vec<_>>())
        };
        assert_eq!(texts(watch.look().unwrap()), None);
        assert_eq!(texts(watch.look().unwrap()), Some(vec!["one".to_owned()]));
        assert_eq!(texts(watch.look().unwrap()), None);
        // Written in two parts: neither the first part nor the moment between is taken.
        for half in ["t", "two"] {
            std::fs::write(folder.path().join("a.py"), half).unwrap();
            assert_eq!(texts(watch.look().unwrap()), None);
        }
        assert_eq!(texts(watch.look().unwrap()), Some(vec!["two".to_owned()]));
        std::fs::remove_file(folder.path().join("a.py")).unwrap();
        assert_eq!(texts(watch.look().unwrap()), None);
        assert_eq!(texts(watch.look().unwrap()), Some(vec![]));
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_an_error_and_not_an_empty_library() {
        let folder = folder(&[("a.py", b"one")]);
        let mut watch = Watch::new(StrategiesDir::Named(folder.path().to_owned()));
        drop((watch.look().unwrap(), watch.look().unwrap()));
        std::fs::rename(folder.path(), folder.path().with_extension("away")).unwrap();
        assert!(watch.look().is_err() && watch.look().is_err());
        std::fs::rename(folder.path().with_extension("away"), folder.path()).unwrap();
        assert_eq!(
            (watch.look().unwrap(), watch.look().unwrap()),
            (None, None),
            "they are the files of before"
        );
    }

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        folder
    }

    fn read_named(folder: &tempfile::TempDir) -> Vec<SourceFile> {
        read(&StrategiesDir::Named(folder.path().to_owned())).unwrap()
    }

    #[test]
    fn strategy_files_are_read_by_name_and_others_left_alone() {
        let folder =
            folder(&[("b.py", b"two"), ("a.py", b"one"), ("notes.txt", b"\xff"), (".a.py", b"half")]);
        let read = read_named(&folder);
        let pairs: Vec<_> =
            read.iter().map(|file| (file.stem.as_str(), file.source.as_deref().unwrap())).collect();
        assert_eq!(pairs, [("a", "one"), ("b", "two")]);
    }

    #[test]
    fn only_a_folder_that_was_named_must_be_there() {
        let gone = folder(&[]).path().join("gone");
        assert_eq!(read(&StrategiesDir::Usual(gone.clone())).unwrap(), []);
        let error = read(&StrategiesDir::Named(gone)).unwrap_err().to_string();
        assert!(error.starts_with("STRATEGIES_DIR: cannot read ") && error.contains("gone"), "{error}");
    }

    #[test]
    fn a_file_that_cannot_be_read_leaves_the_others_readable_and_says_why() {
        let folder = folder(&[
            ("broken.py", b"\xff"),
            ("full.py", &[b'#'; FILE_BYTES_MAX]),
            ("large.py", &[b'#'; FILE_BYTES_MAX + 1]),
        ]);
        let read = read_named(&folder);
        let reasons: Vec<_> =
            read.iter().map(|file| file.source.as_ref().err().map(String::as_str)).collect();
        let [Some(broken), None, Some(large)] = *reasons else { panic!("{reasons:?}") };
        assert!(broken.starts_with("cannot be read: ") && broken.contains("UTF-8"), "{broken}");
        assert_eq!(large, "is larger than 65536 bytes");
    }

    #[test]
    fn a_folder_of_too_many_files_is_refused() {
        let folder = folder(&[]);
        for number in 0..=FILES_MAX {
            std::fs::write(folder.path().join(format!("s{number}.py")), "").unwrap();
        }
        let error = paths(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("holds more than 1000 strategies"), "{error}");
    }
}
