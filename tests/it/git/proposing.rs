//! Branches for pull requests.

use super::*;

fn changes(text: &str) -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([("accounts/one/account.yaml".to_owned(), text.as_bytes().to_vec())])
}

#[test]
fn the_same_proposal_is_made_once() {
    let world = World::new();
    let repository = world.open("cache");
    let base = repository.fetch("main").unwrap();
    let first = propose(&repository, &base, "landfast/id-one", &changes("id: x\n"), "record", at(2)).unwrap();
    assert!(first.is_new);
    let later = world.commit("landfast.yaml", "mode: enforce\n");
    repository.fetch("main").unwrap();
    let again =
        propose(&repository, &later, "landfast/id-one", &changes("id: x\n"), "record", at(3)).unwrap();
    assert_eq!((again.commit, again.is_new), (first.commit.clone(), false));
    let diff = bare::diff(&world.remote(), "main", "landfast/id-one").unwrap();
    assert!(diff.contains("-name: One\n+id: x\n") && !diff.contains("enforce"), "{diff}");
    assert_eq!(bare::commit(&world.remote(), &first.commit).unwrap().parents, [base]);
}

#[test]
fn another_content_goes_on_top_of_what_others_pushed() {
    let world = World::new();
    let repository = world.open("cache");
    let base = repository.fetch("main").unwrap();
    propose(&repository, &base, "proposal", &changes("id: x\n"), "record", at(2)).unwrap();
    let person = BTreeMap::from([("notes.md".to_owned(), Some(b"mine".to_vec()))]);
    let theirs = bare::commit_file_changes(&world.remote(), "proposal", &person, "notes", at(3)).unwrap();
    let second = propose(&repository, &base, "proposal", &changes("id: y\n"), "record", at(4)).unwrap();
    assert_eq!(bare::commit(&world.remote(), &second.commit).unwrap().parents, [theirs]);
}

#[test]
fn a_merged_proposal_makes_room_for_the_next() {
    let world = World::new();
    let repository = world.open("cache");
    let base = repository.fetch("main").unwrap();
    propose(&repository, &base, "proposal", &changes("id: x\n"), "record", at(2)).unwrap();
    let merged = bare::merge(&world.remote(), "main", "proposal", "merge", at(3)).unwrap();
    repository.fetch("main").unwrap();
    let next = propose(&repository, &merged, "proposal", &changes("id: y\n"), "record", at(4)).unwrap();
    assert_eq!(bare::commit(&world.remote(), &next.commit).unwrap().parents, [merged]);
}
