//! What one reading leaves for the next saves work and changes nothing.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// A path, and the text to put there or nothing to take it away. Names sort one way as paths and another as names.
fn edit() -> impl Strategy<Value = (String, Option<&'static str>)> {
    let root = prop::sample::select(vec!["accounts", "baselines", "organization"]);
    let folder = prop::sample::select(vec!["a", "a-b", "a.b", "ab", "b"]);
    let file = prop::sample::select(vec!["account.yaml", "deep/er.yaml", "x.template.yaml"]);
    let text = prop::option::weighted(0.7, prop::sample::select(vec!["1", "2", "3"]));
    (root, folder, file, text)
        .prop_map(|(root, folder, file, text)| (format!("{root}/{folder}/{file}"), text))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn what_was_read_before_never_changes_what_a_commit_reads_as(edits in prop::collection::vec(edit(), 1..16)) {
        let (world, mut there) = (World::new(), BTreeSet::new());
        let repository = world.open("cache");
        for (nth, (path, text)) in edits.into_iter().enumerate() {
            let is_there = !there.insert(path.clone());
            if text.is_none() {
                there.remove(&path);
                if !is_there {
                    continue;
                }
            }
            let changes = BTreeMap::from([(path, text.map(|text| text.as_bytes().to_vec()))]);
            let head = bare::commit_file_changes(&world.remote(), "main", &changes, "change", at(i64::try_from(nth).unwrap())).unwrap();
            prop_assert_eq!(&repository.fetch("main").unwrap(), &head);
            let fresh = world.open(&format!("fresh-{nth}"));
            fresh.fetch("main").unwrap();
            prop_assert_eq!(repository.tree(&head).unwrap(), fresh.tree(&head).unwrap());
        }
    }
}

#[test]
fn what_fits_at_one_path_may_be_too_large_for_another_wherever_it_was_read_first() {
    let (world, text) = (World::new(), "x".repeat(2 << 20));
    let repository = world.open("cache");
    let size = text.len() as u64;
    world.commit("accounts/one/idp.xml", &text);
    let before = repository.tree(&repository.fetch("main").unwrap()).unwrap();
    assert!(matches!(before.files["accounts/one/idp.xml"], File::Blob(_)));
    world.commit("accounts/two/net.yaml", &text);
    world.commit("accounts/one/zone.yaml", &text);
    let head = repository.fetch("main").unwrap();
    let fresh = world.open("fresh");
    fresh.fetch("main").unwrap();
    for tree in [repository.tree(&head).unwrap(), fresh.tree(&head).unwrap()] {
        assert!(matches!(tree.files["accounts/one/idp.xml"], File::Blob(_)));
        assert_eq!(tree.files["accounts/two/net.yaml"], File::TooLarge { size });
        assert_eq!(tree.files["accounts/one/zone.yaml"], File::TooLarge { size });
    }
}
