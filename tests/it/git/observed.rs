//! The branch `landfast/observed`: what is believed and what is written.

use super::*;

fn base(world: &World, signer: &Signer) -> BTreeMap<Scope, Arc<Base>> {
    // A cache of its own: a daemon that starts with nothing on its disk.
    world
        .observed(&format!("cache-{}", fs::read_dir(world.folder.path()).unwrap().count()), signer)
        .read()
        .unwrap()
}

#[test]
fn a_branch_that_is_not_there_is_empty() {
    assert_eq!(base(&World::new(), &Signer::generate()), BTreeMap::new());
}

#[test]
fn what_was_written_is_read_back_and_other_scopes_stay() {
    let (world, signer) = (World::new(), Signer::generate());
    let observed = world.observed("cache", &signer);
    let ou = record(Scope::Organization, &[("ous./workloads", json!({}))]);
    observed.write(&[two_items("a"), ou.clone()], "first", at(1)).unwrap().unwrap();
    observed.write(&[two_items("b")], "second", at(2)).unwrap().unwrap();
    let expected = BTreeMap::from([(Scope::Organization, ou.base), (account("one"), two_items("b").base)]);
    assert_eq!(base(&world, &signer), expected);
    assert_eq!(observed.read().unwrap(), expected);
    let live = world.observed_file("live/accounts/one.yaml").unwrap();
    assert_eq!(live, world.observed_file("base/accounts/one.yaml").unwrap());
    assert!(live.starts_with("# written by landfast; do not edit\nsettings.passwordPolicy:"), "{live}");
}

#[test]
fn the_same_content_makes_no_commit() {
    let (world, signer) = (World::new(), Signer::generate());
    let first = world.observed("cache", &signer).write(&[two_items("a")], "first", at(1)).unwrap().unwrap();
    assert_eq!(world.observed("cache", &signer).write(&[two_items("a")], "again", at(2)).unwrap(), None);
    assert_eq!(world.observed("other", &signer).write(&[], "nothing", at(3)).unwrap(), None);
    assert_eq!(bare::head(&world.remote(), OBSERVED_BRANCH).unwrap(), first);
}

#[test]
fn the_same_writes_make_the_same_commit() {
    let signer = Signer::generate();
    let write = || World::new().observed("cache", &signer).write(&[two_items("a")], "first", at(1)).unwrap();
    assert_eq!(write(), write());
}

#[test]
fn a_commit_is_signed_and_names_its_time() {
    let (world, signer) = (World::new(), Signer::generate());
    let id = world.observed("cache", &signer).write(&[two_items("a")], "first", at(5)).unwrap().unwrap();
    let commit = bare::commit(&world.remote(), &id).unwrap();
    assert_eq!((commit.author_name.as_str(), commit.time), ("Landfast", at(5)));
    let repository = world.open("cache");
    repository.fetch(OBSERVED_BRANCH).unwrap();
    assert!(signer.verify(&repository, &id).unwrap());
    assert!(!Signer::generate().verify(&repository, &id).unwrap());
    assert!(!signer.verify(&repository, &repository.fetch("main").unwrap()).unwrap());
}

#[test]
fn an_item_that_somebody_altered_has_no_base_and_the_others_keep_theirs() {
    let (world, signer) = (World::new(), Signer::generate());
    let writer = world.observed("cache", &signer);
    writer.write(&[two_items("ours")], "first", at(1)).unwrap();
    world.forge("base/accounts/one.yaml", |text| text.replace("ours", "theirs"));
    let mut expected = Base::clone(&two_items("ours").base);
    expected.items.remove(&item("settings.accountAlias"));
    assert_eq!(*base(&world, &signer)[&account("one")], expected);
    assert_eq!(*writer.read().unwrap()[&account("one")], expected);
}

#[test]
fn an_item_that_somebody_added_or_removed_has_no_base() {
    let (world, signer) = (World::new(), Signer::generate());
    let alias = record(account("one"), &[("settings.accountAlias", json!("a"))]);
    world.observed("cache", &signer).write(&[alias], "first", at(1)).unwrap();
    world.forge("base/accounts/one.yaml", |_| "settings.passwordPolicy: {minimumLength: 6}\n".to_owned());
    assert_eq!(*base(&world, &signer)[&account("one")], Base::default());
}

#[test]
fn a_forged_commit_is_superseded_and_not_removed() {
    let (world, signer) = (World::new(), Signer::generate());
    world.observed("cache", &signer).write(&[two_items("ours")], "first", at(1)).unwrap();
    world.forge("base/accounts/one.yaml", |text| text.replace("ours", "theirs"));
    let forged = bare::head(&world.remote(), OBSERVED_BRANCH).unwrap();
    let ou = record(Scope::Organization, &[("ous./workloads", json!({}))]);
    let sealed = world.observed("fresh", &signer).write(&[ou], "second", at(2)).unwrap().unwrap();
    assert_eq!(bare::commit(&world.remote(), &sealed).unwrap().parents, [forged]);
    let text = world.observed_file("base/accounts/one.yaml").unwrap();
    assert!(!text.contains("accountAlias") && text.contains("passwordPolicy"), "{text}");
    let expected = base(&world, &signer);
    assert_eq!(expected[&account("one")].items.len(), 1);
    assert_eq!(expected[&Scope::Organization].items.len(), 1);
    assert_eq!(world.observed("fresh", &signer).write(&[], "third", at(3)).unwrap(), None);
}

#[test]
fn what_somebody_altered_is_printed_again_although_we_have_written_it_before() {
    let (world, signer) = (World::new(), Signer::generate());
    let observed = world.observed("cache", &signer);
    observed.write(&[two_items("ours")], "first", at(1)).unwrap();
    assert_eq!(observed.write(&[two_items("ours")], "the same", at(2)).unwrap(), None);
    world.forge("live/accounts/one.yaml", |text| text.replace("ours", "theirs"));
    assert!(observed.write(&[two_items("ours")], "second", at(3)).unwrap().is_some());
    assert!(world.observed_file("live/accounts/one.yaml").unwrap().contains("ours"));
    assert!(observed.write(&[two_items("other")], "third", at(4)).unwrap().is_some());
    assert!(world.observed_file("live/accounts/one.yaml").unwrap().contains("other"));
}

#[test]
fn an_unsigned_commit_that_changed_nothing_is_sealed_once() {
    let (world, signer) = (World::new(), Signer::generate());
    let observed = world.observed("cache", &signer);
    observed.write(&[two_items("ours")], "first", at(1)).unwrap();
    world.forge("base/accounts/one.yaml", ToOwned::to_owned);
    assert_eq!(base(&world, &signer)[&account("one")], two_items("ours").base);
    assert!(observed.write(&[], "seal", at(2)).unwrap().is_some());
    assert_eq!(observed.write(&[], "again", at(3)).unwrap(), None);
}

#[test]
fn a_branch_that_we_never_signed_is_not_believed_at_all() {
    let (world, stranger) = (World::new(), Signer::generate());
    world.observed("cache", &stranger).write(&[two_items("theirs")], "first", at(1)).unwrap();
    let signer = Signer::generate();
    assert_eq!(base(&world, &signer), BTreeMap::new());
    let ours = record(account("two"), &[("settings.accountAlias", json!("two"))]);
    world.observed("ours", &signer).write(std::slice::from_ref(&ours), "second", at(2)).unwrap().unwrap();
    assert_eq!(base(&world, &signer), BTreeMap::from([(ours.scope, ours.base)]));
}

#[test]
fn a_signature_is_for_its_own_commit_only() {
    let (world, signer) = (World::new(), Signer::generate());
    let id = world.observed("cache", &signer).write(&[two_items("ours")], "first", at(1)).unwrap().unwrap();
    let git = world.git();
    let (signature, content) =
        git.extract_signature(&Oid::from_str(id.as_str()).unwrap(), Some("gpgsig")).unwrap();
    world.forge("base/accounts/one.yaml", |text| text.replace("ours", "theirs"));
    let forged = git.find_reference(&full(OBSERVED_BRANCH)).unwrap().peel_to_commit().unwrap();
    let content = std::str::from_utf8(&content).unwrap();
    let old_tree = git.find_commit(Oid::from_str(id.as_str()).unwrap()).unwrap().tree_id().to_string();
    let content = content.replace(&old_tree, &forged.tree_id().to_string());
    let signature = std::str::from_utf8(&signature).unwrap();
    let pasted = git.commit_signed(&content, signature, Some("gpgsig")).unwrap();
    git.reference(&full(OBSERVED_BRANCH), pasted, true, "").unwrap();
    assert_eq!(base(&world, &signer), BTreeMap::new());
}

#[test]
fn a_branch_that_was_set_back_loses_what_differs() {
    let (world, signer) = (World::new(), Signer::generate());
    let observed = world.observed("cache", &signer);
    let old = observed.write(&[two_items("old")], "first", at(1)).unwrap().unwrap();
    observed.write(&[two_items("new")], "second", at(2)).unwrap();
    bare::force_branch(&world.remote(), OBSERVED_BRANCH, &old).unwrap();
    let mut expected = Base::clone(&two_items("new").base);
    expected.items.remove(&item("settings.accountAlias"));
    assert_eq!(*observed.read().unwrap()[&account("one")], expected);
    let head = observed.write(&[two_items("new")], "third", at(3)).unwrap().unwrap();
    assert_eq!(bare::commit(&world.remote(), &head).unwrap().parents, [old]);
    assert_eq!(observed.read().unwrap()[&account("one")], two_items("new").base);
}

#[test]
fn a_damaged_cache_is_noticed_and_healed() {
    let (world, signer) = (World::new(), Signer::generate());
    let head = world.observed("cache", &signer).write(&[two_items("ours")], "first", at(1)).unwrap().unwrap();
    world.lose_objects_below_the_root("cache", &head);
    let observed = world.observed("cache", &signer);
    assert_eq!(observed.read().unwrap_err().class(), Class::Transient);
    assert_eq!(observed.read().unwrap()[&account("one")], two_items("ours").base);
}

#[test]
fn without_a_key_nothing_is_believed_and_no_base_is_lost() {
    let (world, signer) = (World::new(), Signer::generate());
    world.observed("cache", &signer).write(&[two_items("ours")], "first", at(1)).unwrap();
    let keyless = ObservedBranch::new(world.open("keyless"), None);
    assert_eq!(keyless.read().unwrap(), BTreeMap::new());
    keyless.write(&[two_items("seen")], "second", at(2)).unwrap().unwrap();
    assert_eq!(keyless.write(&[two_items("seen")], "third", at(3)).unwrap(), None);
    assert!(world.observed_file("live/accounts/one.yaml").unwrap().contains("seen"));
    assert_eq!(base(&world, &signer)[&account("one")], two_items("ours").base);
}

#[test]
fn a_remote_that_refuses_is_not_asked_for_ever() {
    let (world, signer) = (World::new(), Signer::generate());
    let observed = world.observed("cache", &signer);
    observed.write(&[two_items("a")], "first", at(1)).unwrap();
    fs::write(world.remote().join("refs/heads/landfast/observed.lock"), "").unwrap();
    let error = observed.write(&[two_items("b")], "second", at(2)).unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    assert_eq!(error.class(), Class::Stalled);
    fs::remove_file(world.remote().join("refs/heads/landfast/observed.lock")).unwrap();
    assert!(observed.write(&[two_items("b")], "third", at(3)).unwrap().is_some());
}

#[test]
fn when_a_base_last_changed_is_told_by_our_own_commits_and_never_too_early() {
    let (world, signer) = (World::new(), Signer::generate());
    let writer = world.observed("cache", &signer);
    let two = |alias: &str| ScopeRecord { scope: account("two"), ..two_items(alias) };
    writer.write(&[two_items("a"), two("a")], "first", at(100)).unwrap();
    writer.write(&[two_items("b")], "one changes", at(200)).unwrap();
    let live = ScopeRecord { live: BTreeMap::new(), ..two_items("b") };
    writer.write(&[live], "only what is seen changes", at(300)).unwrap();
    let changes = |from| world.observed("other", &signer).changes(from).unwrap();
    let [one, other] = ["one", "two"].map(|slug| Slug::parse(slug).unwrap());
    let second = |time: i64| if time == 0 { 0 } else { at(time).as_second() };
    let told =
        |one_at, two_at| BTreeMap::from([(one.clone(), second(one_at)), (other.clone(), second(two_at))]);
    assert_eq!(changes(0), told(200, 100));
    assert_eq!(changes(second(150)), told(200, 0), "what is older than was asked for is old");
    // Somebody without the key changes a base; superseding that is a change of ours, made now.
    world.forge("base/accounts/two.yaml", |text| text.replace('a', "x"));
    assert_eq!(changes(0), told(200, 100));
    writer.write(&[two("c")], "and ours again", at(400)).unwrap();
    assert_eq!(changes(0), told(200, 400));
    assert_eq!(world.observed("without", &Signer::generate()).changes(0).unwrap(), BTreeMap::new());
}
