//! Plain directories in the place of a repository.

use super::*;

#[test]
fn a_directory_reads_as_the_commit_made_of_it() {
    let world = World::new();
    let source = world.folder.path().join("source");
    let repository = world.open("cache");
    let committed = repository.tree(&repository.fetch("main").unwrap()).unwrap();
    let tree = read_directory(&source).unwrap();
    assert_eq!(tree.files, committed.files);
    assert_eq!(tree.revision.as_str(), "0".repeat(40));
    assert!(read_directory(&source.join("absent")).is_err());
}

#[cfg(unix)]
#[test]
fn a_link_is_named_and_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("accounts/module")).unwrap();
    fs::create_dir(folder.path().join("elsewhere")).unwrap();
    fs::write(folder.path().join("elsewhere/account.yaml"), "name: X\n").unwrap();
    fs::write(folder.path().join("accounts/module/.git"), "gitdir: x").unwrap();
    fs::write(folder.path().join("accounts/large"), vec![b'x'; 1024 * 1024 + 1]).unwrap();
    std::os::unix::fs::symlink("../elsewhere", folder.path().join("accounts/link")).unwrap();
    std::os::unix::fs::symlink("elsewhere", folder.path().join("baselines")).unwrap();
    let files = read_directory(folder.path()).unwrap().files;
    assert_eq!(
        files,
        BTreeMap::from([
            ("accounts/large".to_owned(), File::TooLarge { size: 1024 * 1024 + 1 }),
            ("accounts/link".to_owned(), File::Symlink),
            ("accounts/module".to_owned(), File::Submodule),
            ("baselines".to_owned(), File::Symlink),
        ])
    );
}

#[cfg(unix)]
#[test]
fn what_emacs_puts_beside_a_file_that_is_being_edited_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let one = folder.path().join("accounts/one");
    fs::create_dir_all(&one).unwrap();
    fs::write(one.join("account.yaml"), "name: X\n").unwrap();
    std::os::unix::fs::symlink("me@here.123:456", one.join(".#account.yaml")).unwrap();
    fs::write(one.join(".#net.template.yaml"), "").unwrap();
    fs::write(one.join(".hidden"), "").unwrap();
    let files = read_directory(folder.path()).unwrap().files;
    assert_eq!(files.into_keys().collect::<Vec<_>>(), ["accounts/one/.hidden", "accounts/one/account.yaml"]);
}

#[tokio::test]
async fn a_change_is_told_once_it_is_quiet() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("accounts")).unwrap();
    let mut watch = Watch::start(folder.path()).unwrap();
    for n in 0..5 {
        fs::write(folder.path().join("accounts/file"), format!("{n}")).unwrap();
    }
    watch.changed().await.unwrap();
    // Reading is no change: nothing is left to tell.
    read_directory(folder.path()).unwrap();
    let wait = std::time::Duration::from_millis(400);
    assert!(tokio::time::timeout(wait, watch.changed()).await.is_err());
}
