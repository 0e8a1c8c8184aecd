//! The folder of strategies that ship with the platform: files of the language, which are data, not code.

use crate::HostError;
use crate::config::StrategiesDir;
use fx_app::library::SourceFile;
use std::io::Read;
use std::path::Path;

/// Files in the folder, at most.
pub const FILES_MAX: usize = 1_000;
/// Bytes of one file, at most: as much as the language takes of one source.
pub const FILE_BYTES_MAX: usize = 64 * 1024;
/// Ending of a strategy file; others are left alone.
const ENDING: &str = "py";

/// Reads every strategy file of the folder, by name. A folder that nobody named and that is not there holds none.
///
/// # Errors
/// When a named folder is missing, when the folder or a file cannot be read or is not UTF-8, and when there are more
/// files or bytes than the limits: a library with a hole in it would answer 404 for a strategy that was shipped.
pub fn read(dir: &StrategiesDir) -> Result<Vec<SourceFile>, HostError> {
    let path = dir.path();
    let unreadable = |source| HostError::Strategies { path: path.to_owned(), source };
    let listing = match std::fs::read_dir(path) {
        Ok(listing) => listing,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !dir.is_named() => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(unreadable(error)),
    };
    let mut paths = Vec::new();
    for entry in listing {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|ending| ending == ENDING) && file.is_file() {
            paths.push(file);
        }
        if paths.len() > FILES_MAX {
            let reason = format!("holds more than {FILES_MAX} strategies");
            return Err(HostError::StrategiesLimit { path: path.to_owned(), reason });
        }
    }
    paths.sort();
    paths.iter().map(|file| source_file(file)).collect()
}

fn source_file(path: &Path) -> Result<SourceFile, HostError> {
    let unreadable = |source| HostError::Strategies { path: path.to_owned(), source };
    let limit = |reason| HostError::StrategiesLimit { path: path.to_owned(), reason };
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let stem = stem.ok_or_else(|| limit("has a name that is not UTF-8".to_owned()))?.to_owned();
    let mut source = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX as u64 + 1).read_to_string(&mut source).map_err(unreadable)?;
    if source.len() > FILE_BYTES_MAX {
        return Err(limit(format!("is larger than {FILE_BYTES_MAX} bytes")));
    }
    Ok(SourceFile { stem, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        folder
    }

    #[test]
    fn strategy_files_are_read_by_name_and_others_left_alone() {
        let folder = folder(&[("b.py", b"two"), ("a.py", b"one"), ("notes.txt", b"\xff")]);
        let read = read(&StrategiesDir::Named(folder.path().to_owned())).unwrap();
        let pairs: Vec<_> = read.iter().map(|file| (file.stem.as_str(), file.source.as_str())).collect();
        assert_eq!(pairs, [("a", "one"), ("b", "two")]);
    }

    #[test]
    fn only_a_folder_that_was_named_must_be_there() {
        let gone = folder(&[]).path().join("gone");
        assert_eq!(read(&StrategiesDir::Usual(gone.clone())).unwrap(), []);
        let error = read(&StrategiesDir::Named(gone)).unwrap_err().to_string();
        assert!(error.starts_with("STRATEGIES_DIR: cannot read ") && error.ends_with("gone"), "{error}");
    }

    #[test]
    fn a_file_over_the_limit_or_outside_utf8_is_named() {
        let large = folder(&[("large.py", &[b'#'; FILE_BYTES_MAX + 1])]);
        let error = read(&StrategiesDir::Named(large.path().to_owned())).unwrap_err().to_string();
        assert!(error.ends_with("large.py is larger than 65536 bytes"), "{error}");
        let full = folder(&[("full.py", &[b'#'; FILE_BYTES_MAX])]);
        assert_eq!(read(&StrategiesDir::Named(full.path().to_owned())).unwrap().len(), 1);
        let broken = folder(&[("broken.py", b"\xff")]);
        let error = read(&StrategiesDir::Named(broken.path().to_owned())).unwrap_err().to_string();
        assert!(error.ends_with("broken.py"), "{error}");
    }
}
