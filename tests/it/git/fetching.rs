//! Fetching, reading trees, and what becomes of the cache.

use super::*;

#[test]
fn the_files_of_a_commit_are_read_and_nothing_else() {
    let world = World::new();
    let repository = world.open("cache");
    let head = repository.fetch("main").unwrap();
    assert_eq!(head, bare::head(&world.remote(), "main").unwrap());
    let tree = repository.tree(&head).unwrap();
    assert_eq!(tree.files.keys().collect::<Vec<_>>(), ["accounts/one/account.yaml", "landfast.yaml"]);
    assert_eq!(text(&tree, "accounts/one/account.yaml"), "name: One\n");
    assert_eq!(tree.revision, head);
}

#[test]
fn a_second_fetch_brings_only_what_is_new_and_shares_the_rest() {
    let world = World::new();
    let repository = world.open("cache");
    let before = repository.tree(&repository.fetch("main").unwrap()).unwrap();
    let n_before = n_objects(&world.cache("cache"));
    world.commit("accounts/two/account.yaml", "name: Two\n");
    let head = repository.fetch("main").unwrap();
    // One commit, three trees, one blob.
    assert_eq!(n_objects(&world.cache("cache")) - n_before, 5);
    let after = repository.tree(&head).unwrap();
    assert_eq!(text(&after, "accounts/two/account.yaml"), "name: Two\n");
    let shared = |tree: &Tree| match &tree.files["landfast.yaml"] {
        File::Blob(bytes) => Arc::clone(bytes),
        other => panic!("{other:?}"),
    };
    assert!(Arc::ptr_eq(&shared(&before), &shared(&after)));
}

/// Objects stored, counted as often as they are stored.
fn n_objects(cache: &Path) -> usize {
    let mut n_objects = 0;
    for folder in fs::read_dir(cache.join("objects")).unwrap().map(|entry| entry.unwrap().path()) {
        for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match file.extension().and_then(|extension| extension.to_str()) {
                // The index of a pack: the last of its 256 running counts is the number of objects.
                Some("idx") => {
                    let count = &fs::read(file).unwrap()[8 + 255 * 4..][..4];
                    n_objects += u32::from_be_bytes(count.try_into().unwrap()) as usize;
                }
                Some(_) => {}
                None => n_objects += 1,
            }
        }
    }
    n_objects
}

#[test]
fn a_force_push_is_seen_as_one() {
    let world = World::new();
    let repository = world.open("cache");
    let first = repository.fetch("main").unwrap();
    let second = world.commit("landfast.yaml", "mode: enforce\n");
    assert_eq!(repository.fetch("main").unwrap(), second);
    assert!(repository.is_ancestor(&first, &second).unwrap());
    assert!(repository.is_ancestor(&second, &second).unwrap());
    bare::force_branch(&world.remote(), "main", &first).unwrap();
    let other = world.commit("landfast.yaml", "mode: observe\n");
    assert_eq!(repository.fetch("main").unwrap(), other);
    assert!(!repository.is_ancestor(&second, &other).unwrap());
    assert!(repository.is_ancestor(&first, &other).unwrap());
}

#[test]
fn a_tag_of_the_same_name_is_not_the_branch() {
    let world = World::new();
    let first = bare::head(&world.remote(), "main").unwrap();
    let second = world.commit("landfast.yaml", "mode: enforce\n");
    let git = world.git();
    let first = git.find_object(Oid::from_str(first.as_str()).unwrap(), None).unwrap();
    git.tag_lightweight("main", &first, false).unwrap();
    git.reference("refs/heads/refs/heads/main", first.id(), false, "").unwrap();
    assert_eq!(world.open("cache").fetch("main").unwrap(), second);
    git.tag_lightweight("release", &first, false).unwrap();
    git.reference("refs/heads/a/release", first.id(), false, "").unwrap();
    let error = world.open("cache").fetch("release").unwrap_err();
    assert!(matches!(error, Error::NoBranch { .. }), "{error:?}");
}

#[test]
fn a_commit_tells_who_made_it_and_when() {
    let world = World::new();
    let repository = world.open("cache");
    let first = repository.fetch("main").unwrap();
    let second = world.commit("landfast.yaml", "mode: enforce\n");
    repository.fetch("main").unwrap();
    let commit = repository.commit(&second).unwrap();
    assert_eq!((commit.summary.as_str(), commit.time), ("change", at(2)));
    assert_eq!(commit.parents, [first]);
}

#[test]
fn links_submodules_and_large_files_are_named_and_not_read() {
    let world = World::new();
    let git = world.git();
    let large = vec![b'x'; 1024 * 1024 + 1];
    let fits = vec![b'x'; 1024 * 1024];
    let mut account = git.treebuilder(None).unwrap();
    account.insert("link", git.blob(b"/etc/passwd").unwrap(), 0o120_000).unwrap();
    account.insert("module", Oid::from_str(&"1".repeat(40)).unwrap(), 0o160_000).unwrap();
    account.insert("large", git.blob(&large).unwrap(), 0o100_644).unwrap();
    account.insert("large.xml", git.blob(&large).unwrap(), 0o100_644).unwrap();
    account.insert("vast.xml", git.blob(&vec![b'x'; 10_000_001]).unwrap(), 0o100_644).unwrap();
    account.insert("fits", git.blob(&fits).unwrap(), 0o100_755).unwrap();
    let tree = world.open_tree(&[("accounts", account.write().unwrap())]);
    assert_eq!(tree.files["accounts/link"], File::Symlink);
    assert_eq!(tree.files["accounts/module"], File::Submodule);
    assert_eq!(tree.files["accounts/large"], File::TooLarge { size: 1024 * 1024 + 1 });
    assert_eq!(tree.files["accounts/large.xml"], File::Blob(Arc::from(large)), "SAML metadata may be long");
    assert_eq!(tree.files["accounts/vast.xml"], File::TooLarge { size: 10_000_001 });
    assert_eq!(tree.files["accounts/fits"], File::Blob(Arc::from(fits)));
}

#[test]
fn a_tree_that_is_too_deep_or_too_wide_is_refused() {
    let world = World::new();
    let git = world.git();
    let file = git.blob(b"x").unwrap();
    let mut deep = git.treebuilder(None).unwrap();
    deep.insert("file", file, 0o100_644).unwrap();
    let mut deep = deep.write().unwrap();
    for _ in 0..8 {
        let mut folder = git.treebuilder(None).unwrap();
        folder.insert("folder", deep, 0o040_000).unwrap();
        deep = folder.write().unwrap();
    }
    let mut wide = git.treebuilder(None).unwrap();
    for n in 0..=20_000 {
        wide.insert(format!("{n}"), file, 0o100_644).unwrap();
    }
    for root in [deep, wide.write().unwrap()] {
        let error = world.try_open_tree(&[("accounts", root)]).unwrap_err();
        assert!(matches!(error, Error::Limit { .. }), "{error:?}");
        assert_eq!(error.class(), Class::Stalled);
    }
}

impl World {
    /// Reads a commit with these folders at its root.
    fn open_tree(&self, roots: &[(&str, Oid)]) -> Tree {
        self.try_open_tree(roots).unwrap()
    }

    fn try_open_tree(&self, roots: &[(&str, Oid)]) -> Result<Tree, Error> {
        let git = self.git();
        let mut root = git.treebuilder(None).unwrap();
        for (name, id) in roots {
            root.insert(name, *id, 0o040_000).unwrap();
        }
        let root = git.find_tree(root.write().unwrap()).unwrap();
        let author = Signature::new("A", "a@example.com", &Time::new(0, 0)).unwrap();
        let commit = git.commit(None, &author, &author, "odd", &root, &[]).unwrap();
        git.reference(&full("odd"), commit, true, "").unwrap();
        let repository = self.open("cache-odd");
        repository.tree(&repository.fetch("odd")?)
    }
}

#[test]
fn a_wiped_cache_is_made_anew() {
    let world = World::new();
    let repository = world.open("cache");
    let head = repository.fetch("main").unwrap();
    fs::remove_dir_all(world.folder.path().join("cache")).unwrap();
    let error = repository.tree(&head).unwrap_err();
    assert!(matches!(error, Error::UnknownCommit { .. }), "{error:?}");
    assert_eq!(error.class(), Class::Transient);
    assert_eq!(repository.fetch("main").unwrap(), head);
    assert_eq!(repository.tree(&head).unwrap().files.len(), 2);
}

#[test]
fn a_damaged_cache_is_made_anew() {
    let world = World::new();
    let head = world.open("cache").fetch("main").unwrap();
    // All objects are gone, but the refs still name them.
    fs::remove_dir_all(world.cache("cache").join("objects")).unwrap();
    fs::create_dir(world.cache("cache").join("objects")).unwrap();
    let repository = world.open("cache");
    assert_eq!(repository.fetch("main").unwrap(), head);
    assert_eq!(repository.tree(&head).unwrap().files.len(), 2);
}

#[test]
fn one_lost_object_is_noticed_and_healed() {
    let world = World::new();
    let repository = world.open("cache");
    let head = repository.fetch("main").unwrap();
    world.lose_objects_below_the_root("cache", &head);
    let error = world.open("cache").tree(&head).unwrap_err();
    assert_eq!(error.class(), Class::Transient, "{error:?}");
    assert_eq!(repository.fetch("main").unwrap(), head);
    assert_eq!(repository.tree(&head).unwrap().files.len(), 2);
}

#[test]
fn a_fetch_that_fails_is_an_error_and_never_an_empty_tree() {
    let world = World::new();
    let repository = world.open("cache");
    repository.fetch("main").unwrap();
    let error = repository.fetch("absent").unwrap_err();
    assert!(matches!(error, Error::NoBranch { .. }), "{error:?}");
    fs::rename(world.remote(), world.folder.path().join("away")).unwrap();
    let error = repository.fetch("main").unwrap_err();
    assert!(matches!(error, Error::NoRepository { .. }), "{error:?}");
    let observed = world.observed("cache", &Signer::generate());
    assert!(observed.read().is_err());
    assert!(observed.write(&[two_items("a")], "m", at(1)).is_err());
}

#[tokio::test]
async fn git_work_is_done_off_the_runtime() {
    let world = World::new();
    let repository = world.open("cache");
    let head = landfast::git::blocking(move || repository.fetch("main")).await.unwrap();
    assert_eq!(head, bare::head(&world.remote(), "main").unwrap());
}
