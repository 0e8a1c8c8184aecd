//! Holds the house's rules: who may depend on whom, and what no file may contain.
//!
//! The rules are the tests under `tests/`; this library is what they read: the workspace as cargo sees it, and its files.
//! What this crate must not know: what any other crate does.

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Folders that hold nothing of ours.
const SKIPPED_FOLDERS: &[&str] = &["target", "data", "artefacts", "__pycache__"];

/// The workspace as cargo resolves it with default features.
pub struct Workspace {
    metadata: Metadata,
}

impl Workspace {
    /// Asks cargo, without the network.
    ///
    /// # Errors
    /// When cargo cannot resolve the workspace from `Cargo.lock`.
    pub fn load() -> Result<Self> {
        let manifest = root().join("Cargo.toml");
        // Packages of other platforms are not on a machine that only builds for its own.
        let options = ["--locked", "--offline", "--filter-platform", "host-tuple"].map(str::to_owned);
        let metadata = MetadataCommand::new()
            .manifest_path(&manifest)
            .other_options(options)
            .exec()
            .with_context(|| format!("cargo metadata of {}", manifest.display()))?;
        Ok(Self { metadata })
    }

    /// Our own packages, by name.
    #[must_use]
    pub fn members(&self) -> BTreeMap<&str, &Package> {
        self.metadata
            .workspace_packages()
            .into_iter()
            .map(|package| (package.name.as_str(), package))
            .collect()
    }

    /// Names of the workspace's packages that `package` names in its manifest, optional ones too, dev-dependencies not.
    #[must_use]
    pub fn arrows(&self, package: &Package) -> BTreeSet<String> {
        let members = self.members();
        package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development)
            .map(|dependency| dependency.name.clone())
            .filter(|name| members.contains_key(name.as_str()))
            .collect()
    }

    /// Names of all packages that are compiled into `name` with its default features, itself left out. Features of the
    /// packages from elsewhere are those that the whole workspace asks for, so this errs on the side of naming too many.
    ///
    /// # Errors
    /// When cargo resolved no such package.
    pub fn linked(&self, name: &str) -> Result<BTreeSet<String>> {
        let members = self.members();
        let start = members.get(name).with_context(|| format!("no package {name}"))?;
        let resolve = self.metadata.resolve.as_ref().context("cargo resolved nothing")?;
        let nodes: BTreeMap<&PackageId, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
        let mut found = BTreeSet::new();
        let mut waiting = vec![&start.id];
        while let Some(id) = waiting.pop() {
            let node = nodes.get(id).with_context(|| format!("cargo resolved no {id}"))?;
            for dependency in &node.deps {
                let shipped =
                    dependency.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development);
                if shipped && found.insert(&dependency.pkg) {
                    waiting.push(&dependency.pkg);
                }
            }
        }
        Ok(found.into_iter().map(|id| self.metadata[id].name.to_string()).collect())
    }
}

/// The folder of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// A text file of ours.
pub struct TextFile {
    /// Its path from the workspace's folder, with `/`.
    pub path: String,
    /// What it says.
    pub text: String,
}

impl TextFile {
    /// Whether it is Rust that ships: in a crate's `src`, and not a file of tests.
    #[must_use]
    pub fn is_shipped_rust(&self) -> bool {
        self.path.ends_with(".rs") && self.path.contains("/src/") && !self.path.ends_with("/tests.rs")
    }
}

/// All files of ours with one of the `endings`, by path.
///
/// # Errors
/// When a folder or a file cannot be read.
pub fn files(endings: &[&str]) -> Result<Vec<TextFile>> {
    let root = root();
    let (mut found, mut waiting) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = waiting.pop() {
        let listing = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in listing {
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if entry.file_type()?.is_dir() {
                if !name.starts_with('.') && !SKIPPED_FOLDERS.contains(&name.as_str()) {
                    waiting.push(path);
                }
            } else if path
                .extension()
                .and_then(|ending| ending.to_str())
                .is_some_and(|it| endings.contains(&it))
            {
                let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
                let path = path.strip_prefix(&root)?.components();
                let parts: Vec<_> = path.map(|part| part.as_os_str().to_string_lossy()).collect();
                found.push(TextFile { path: parts.join("/"), text });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}
