//! Following a branch: commits that cannot be read are refused out loud.

use landfast::follow::{Follow, News, Origin};
use landfast::plan::Guards;

use super::*;

fn follow(world: &World) -> Follow {
    Follow::new(
        Origin::Branch { repository: world.open("cache"), branch: "main".to_owned() },
        None,
        Guards::default(),
    )
}

#[tokio::test]
async fn a_commit_that_is_too_deep_to_read_is_rejected_once() {
    let world = World::new();
    let mut follow = follow(&world);
    follow.look().await.unwrap();
    let deep = world.commit("accounts/1/2/3/4/5/6/7/8/file", "x");
    let News::Rejected(rejected) = follow.look().await.unwrap() else { panic!("it was followed") };
    assert_eq!(rejected.commit, deep);
    assert!(rejected.diagnostics.contains("depth of folders"), "{}", rejected.diagnostics);
    assert!(matches!(follow.look().await.unwrap(), News::Same));
    world.commit("landfast.yaml", "mode: observe\n");
    assert!(matches!(follow.look().await.unwrap(), News::Rejected(_)), "it is still there");
}

#[tokio::test]
async fn a_commit_with_a_name_that_cannot_be_read_is_rejected_once() {
    let world = World::new();
    let mut follow = follow(&world);
    follow.look().await.unwrap();
    let bad = world.commit("accounts/one/a\\b", "x");
    let News::Rejected(rejected) = follow.look().await.unwrap() else { panic!("it was followed") };
    assert_eq!(rejected.commit, bad);
    assert!(rejected.diagnostics.contains("separator"), "{}", rejected.diagnostics);
    assert!(matches!(follow.look().await.unwrap(), News::Same));
}

#[tokio::test]
async fn a_remote_that_is_away_is_an_error_and_not_a_refusal() {
    let world = World::new();
    let mut follow = follow(&world);
    follow.look().await.unwrap();
    fs::rename(world.remote(), world.folder.path().join("away")).unwrap();
    assert!(follow.look().await.is_err());
}
