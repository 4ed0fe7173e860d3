//! `landfast:hold` stops all writes within one pass; looking and reporting go on.

use super::Play;
use super::files::{BASELINE, baseline, company};

pub(super) fn with_hold(tags: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
    tags.into_iter().chain([("landfast:hold".to_owned(), "incident 7".to_owned())]).collect()
}

pub(super) fn set(play: &Play, id: &str, tags: &[(String, String)]) {
    let tags: Vec<_> = tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    play.stage.aws.set_tags(id, &tags);
}

#[tokio::test]
async fn a_hold_on_an_account_stops_writes_there_and_nowhere_else() {
    let play = Play::begin(&company(&["alpha", "beta"])).await;
    play.settled(&["alpha", "beta"]).await;
    let beta = play.account("beta").unwrap();
    set(&play, &beta.id, &with_hold(beta.tags.clone()));
    let writes = play.writes_in(&beta.id);
    play.commit("Longer passwords", &[(BASELINE, Some(baseline(15)))]);
    play.until("alpha has longer passwords", |play| play.password_length("alpha") == Some(15)).await;
    play.alice_widens_role("beta").await;
    play.until("drift is told", |play| play.open_issue("drift", "accounts/beta").is_some()).await;
    play.rest().await;
    assert_eq!((play.writes_in(&beta.id), play.password_length("beta")), (writes, Some(14)));

    set(&play, &beta.id, &beta.tags.into_iter().collect::<Vec<_>>());
    play.until("beta has longer passwords", |play| play.password_length("beta") == Some(15)).await;
    play.end().await;
}

#[tokio::test]
async fn a_hold_on_the_root_stops_every_write() {
    let play = Play::begin(&company(&["alpha", "beta"])).await;
    play.settled(&["alpha", "beta"]).await;
    let root = play.stage.aws.root_id();
    set(&play, &root, &with_hold([]));
    let writes = play.writes().len();
    let gamma = super::files::account("gamma", "");
    play.commit(
        "All at once",
        &[(BASELINE, Some(baseline(15))), (&super::files::path("gamma"), Some(gamma))],
    );
    play.alice_widens_role("beta").await;
    play.until("drift is told", |play| play.open_issue("drift", "accounts/beta").is_some()).await;
    play.rest().await;
    assert_eq!(play.writes().len(), writes);
    assert_eq!(play.stage.aws.accounts().len(), 3);

    set(&play, &root, &[]);
    play.until("alpha has longer passwords", |play| play.password_length("alpha") == Some(15)).await;
    play.until("gamma is made", |play| play.has_stack("gamma", "role")).await;
    play.end().await;
}

#[tokio::test]
async fn a_held_account_is_not_moved_or_tagged_either() {
    let play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    let alpha = play.account("alpha").unwrap();
    set(&play, &alpha.id, &with_hold(alpha.tags.clone()));
    let file = "name: Company alpha\nou: /special\ntags: {owner: somebody else}\n".to_owned();
    play.commit("Move and tag alpha", &[(&super::files::path("alpha"), Some(file))]);
    play.looks(3).await;
    play.rest().await;
    let held = play.account("alpha").unwrap();
    assert_eq!((&held.ou, held.tags.get("owner")), (&alpha.ou, alpha.tags.get("owner")));

    set(&play, &alpha.id, &alpha.tags.into_iter().collect::<Vec<_>>());
    play.until("alpha is moved", |play| play.account("alpha").unwrap().ou == "/special").await;
    play.end().await;
}
