//! Files for a person's own folder: each appears whole or not at all, and never outside of it.
//!
//! Guarantees: a file that is there is only replaced where the caller says so, and only while it still is what the
//! caller read; no link is followed; a new folder appears with everything in it at once.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use super::setup::Failure;

/// Writes new files, folder by folder, below `root`.
pub(super) fn new_files(root: &Path, files: &BTreeMap<String, String>) -> Result<(), Failure> {
    let mut folders: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (path, text) in files {
        inside(root, path)?;
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        folders.entry(folder).or_default().push((name, text));
    }
    for (folder, files) in folders {
        let path = inside(root, folder)?;
        if path.exists() {
            for (name, text) in files {
                place(&path.join(name), text, None)?;
            }
        } else {
            whole_folder(root, &path, &files)?;
        }
    }
    Ok(())
}

/// Puts `after` in the place of `before`.
pub(super) fn replace(root: &Path, path: &str, before: &[u8], after: &str) -> Result<(), Failure> {
    place(&inside(root, path)?, after, Some(before))
}

/// Made aside and then moved: whoever stops us in between leaves no half of a folder.
fn whole_folder(root: &Path, path: &Path, files: &[(&str, &str)]) -> Result<(), Failure> {
    let aside = tempfile::Builder::new().prefix(".landfast-").tempdir_in(root);
    let aside = aside.map_err(|source| failed(root, source))?;
    // `tempdir` lets nobody else in, which is not what the files of a repository want.
    let made = aside.path().join("folder");
    fs::create_dir(&made).map_err(|source| failed(&made, source))?;
    for (name, text) in files {
        fs::write(made.join(name), text).map_err(|source| failed(path, source))?;
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|source| failed(parent, source))?;
    }
    fs::rename(&made, path).map_err(|source| failed(path, source))
}

fn place(path: &Path, text: &str, before: Option<&[u8]>) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(path);
    let made = || -> io::Result<()> {
        let Some(before) = before else {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(text.as_bytes())?;
            readable(file.path())?;
            return file.persist_noclobber(path).map(drop).map_err(|error| error.error);
        };
        if fs::read(path)? != before {
            return Err(io::Error::other("somebody has changed it meanwhile; import again"));
        }
        let rights = fs::metadata(path)?.permissions();
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        fs::set_permissions(file.path(), rights)?;
        file.persist(path).map(drop).map_err(|error| error.error)
    };
    made().map_err(|source| failed(path, source))
}

/// A temporary file is for its owner alone.
#[cfg(unix)]
fn readable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &Path) -> io::Result<()> {
    Ok(())
}

/// `path` below `root`, with no link on the way.
fn inside(root: &Path, path: &str) -> Result<PathBuf, Failure> {
    let mut whole = root.to_owned();
    for part in Path::new(path).components() {
        let Component::Normal(name) = part else {
            return Err(Failure::Option(format!("{path} is not a path inside {}", root.display())));
        };
        whole.push(name);
        if fs::symlink_metadata(&whole).is_ok_and(|it| it.file_type().is_symlink()) {
            return Err(Failure::Option(format!(
                "{} is a link; nothing is written behind it",
                whole.display()
            )));
        }
    }
    Ok(whole)
}

fn failed(path: &Path, source: io::Error) -> Failure {
    Failure::File { what: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> BTreeMap<String, String> {
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn nothing_is_written_outside_behind_a_link_or_over_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        new_files(&root, &files(&[("accounts/a/account.yaml", "a"), ("landfast.yaml", "l")])).unwrap();
        assert_eq!(fs::read_to_string(root.join("accounts/a/account.yaml")).unwrap(), "a");
        for path in ["../b", "accounts/../../b", "/b", "landfast.yaml", "accounts/a/account.yaml"] {
            assert!(new_files(&root, &files(&[(path, "x")])).is_err(), "{path}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.path(), root.join("baselines")).unwrap();
            assert!(new_files(&root, &files(&[("baselines/x/b.yaml", "x")])).is_err());
        }
        let names = fs::read_dir(folder.path()).unwrap().count() + fs::read_dir(&root).unwrap().count();
        assert_eq!(names, if cfg!(unix) { 4 } else { 3 });
    }

    #[test]
    fn what_somebody_changed_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "now").unwrap();
        assert!(replace(folder.path(), "a", b"before", "after").is_err());
        replace(folder.path(), "a", b"now", "after").unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("a")).unwrap(), "after");
    }
}
