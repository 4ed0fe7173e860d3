//! A bare repository as the simulated forge uses it.

use super::*;

#[test]
fn a_merge_is_a_commit_with_two_parents() {
    let world = World::new();
    let first = bare::head(&world.remote(), "main").unwrap();
    bare::force_branch(&world.remote(), "topic", &first).unwrap();
    let change = BTreeMap::from([("landfast.yaml".to_owned(), None)]);
    let topic = bare::commit_file_changes(&world.remote(), "topic", &change, "drop", at(2)).unwrap();
    let merged = bare::merge(&world.remote(), "main", "topic", "merge", at(3)).unwrap();
    assert_eq!(bare::commit(&world.remote(), &merged).unwrap().parents, [first, topic]);
    assert_eq!(bare::head(&world.remote(), "main").unwrap(), merged);
    let error = bare::merge(&world.remote(), "main", "topic", "again", at(4)).unwrap_err();
    assert!(matches!(error, Error::Conflict { .. }), "{error:?}");
}

#[test]
fn a_merge_with_conflicts_changes_nothing() {
    let world = World::new();
    let first = bare::head(&world.remote(), "main").unwrap();
    bare::force_branch(&world.remote(), "topic", &first).unwrap();
    let change = BTreeMap::from([("landfast.yaml".to_owned(), Some(b"mode: observe\n".to_vec()))]);
    bare::commit_file_changes(&world.remote(), "topic", &change, "theirs", at(2)).unwrap();
    let ours = world.commit("landfast.yaml", "mode: enforce\n");
    let error = bare::merge(&world.remote(), "main", "topic", "merge", at(3)).unwrap_err();
    assert!(matches!(error, Error::Conflict { .. }), "{error:?}");
    assert_eq!(bare::head(&world.remote(), "main").unwrap(), ours);
    assert_eq!(bare::branches(&world.remote()).unwrap().keys().collect::<Vec<_>>(), ["main", "topic"]);
}
