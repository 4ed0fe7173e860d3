//! Locks, as `follow` holds them: nobody leaves one by their own word.

use landfast::plan::Guards;

use super::Play;
use super::files::{self, BASELINE, company, path};

/// The usual baseline, locked, for production accounts.
fn locked(exclude: &str) -> String {
    format!(
        "targets: {{ous: [/workloads]{exclude}}}\nlocked: [settings.passwordPolicy]\n\
         settings:\n  passwordPolicy: {{minimumLength: 14, requireSymbols: true, onLeave: remove}}\n\
         stacks:\n  role: {{template: role.template.yaml, capabilities: [CAPABILITY_NAMED_IAM]}}\n"
    )
}

fn guarded() -> Vec<(String, String)> {
    let mut files = company(&["alpha", "beta"]);
    files.retain(|(path, _)| path != BASELINE);
    files.push((BASELINE.to_owned(), locked("")));
    files
}

#[tokio::test]
async fn an_account_leaves_a_lock_only_by_the_locks_own_word() {
    let mut play = Play::begin(&guarded()).await;
    play.settled(&["alpha", "beta"]).await;
    let writes = play.writes().len();
    let fled = files::account("alpha", "").replace("ou: /workloads", "ou: /special");
    play.commit("Flee", &[(&path("alpha"), Some(fled))]);
    let is_told = |play: &Play| play.open_issue("rejected", "").is_some();
    play.until("it is refused", is_told).await;
    let body = play.open_issue("rejected", "").unwrap().body;
    assert!(body.contains("accounts/alpha would leave the lock of `settings.passwordPolicy`"), "{body}");
    play.rest().await;
    // A daemon that starts anew holds it back just the same.
    play.stop().await;
    play.start();
    play.rest().await;
    assert!(is_told(&play) && play.writes().len() == writes);
    assert_eq!(play.account("alpha").unwrap().ou, "/workloads");

    play.commit("Let alpha go", &[(BASELINE, Some(locked(", exclude: {alpha: OPS-9}")))]);
    play.until("it moved", |play| play.account("alpha").is_some_and(|account| account.ou == "/special"))
        .await;
    play.until("the policy is gone", |play| play.password_length("alpha").is_none()).await;
    play.until("it is told to be over", |play| !is_told(play)).await;
    assert!(play.is_kept("beta"));
    play.end().await;
}

#[tokio::test]
async fn a_folder_that_goes_and_comes_back_is_under_the_locks_it_was_under() {
    let mut play = Play::begin(&guarded()).await;
    play.settled(&["alpha", "beta"]).await;
    play.stop().await;
    play.stage.guard(Guards { vanished_folders: 1, ..Guards::default() });
    play.start();
    let kept = format!("id: \"{}\"\n{}", play.id("alpha"), files::account("alpha", ""));
    let fled = kept.replace("ou: /workloads", "ou: /special");
    play.commit("Record the id", &[(&path("alpha"), Some(kept.clone()))]);
    play.rest().await;
    let writes = play.writes().len();
    let is_told = |play: &Play| play.open_issue("rejected", "").is_some();
    // What was never in force says nothing of where it stood.
    play.commit("Flee", &[(&path("alpha"), Some(fled.clone()))]);
    play.until("it is refused", is_told).await;
    play.commit("Go", &[(&path("alpha"), None)]);
    play.until("that is followed", |play| !is_told(play)).await;
    play.rest().await;
    // Somewhere else, under another name, after another commit.
    play.commit("Something else", &[("accounts/beta/README.md", Some("beta".to_owned()))]);
    play.rest().await;
    play.stop().await;
    play.start();
    play.rest().await;
    play.commit("Come back", &[(&path("gamma"), Some(fled.replace("Company alpha", "Company gamma")))]);
    play.until("it is refused", is_told).await;
    let body = play.open_issue("rejected", "").unwrap().body;
    assert!(body.contains("accounts/gamma would leave the lock of `settings.passwordPolicy`"), "{body}");
    assert!(
        body.contains("an account whose folder comes back is under the locks it was under before"),
        "{body}"
    );
    play.rest().await;
    assert_eq!(play.writes().len(), writes);
    assert_eq!(play.account("alpha").unwrap().ou, "/workloads");

    play.commit("As it was", &[(&path("gamma"), None), (&path("alpha"), Some(kept))]);
    play.until("it is told to be over", |play| !is_told(play)).await;
    play.settled(&["alpha", "beta"]).await;
    assert_eq!(play.account("alpha").unwrap().ou, "/workloads");
    play.end().await;
}

#[tokio::test]
async fn what_a_lock_was_in_a_commit_that_was_never_in_force_does_not_count() {
    let mut play = Play::begin(&guarded()).await;
    play.settled(&["alpha", "beta"]).await;
    let kept = format!("id: \"{}\"\n{}", play.id("alpha"), files::account("alpha", ""));
    play.commit("Record the id", &[(&path("alpha"), Some(kept.clone()))]);
    play.rest().await;
    // The daemon sees the second one only.
    play.stop().await;
    let unlocked = locked("").replace("locked: [settings.passwordPolicy]\n", "");
    play.commit("Unlock", &[(BASELINE, Some(unlocked))]);
    play.commit("Lock again, and go", &[(BASELINE, Some(locked(""))), (&path("alpha"), None)]);
    play.stage.guard(Guards { vanished_folders: 1, ..Guards::default() });
    play.start();
    play.rest().await;
    let fled = kept.replace("ou: /workloads", "ou: /special");
    play.commit("Come back", &[(&path("alpha"), Some(fled))]);
    play.until("it is refused", |play| play.open_issue("rejected", "").is_some()).await;
    play.commit("As it was", &[(&path("alpha"), Some(kept))]);
    play.until("it is followed", |play| play.open_issue("rejected", "").is_none()).await;
    play.settled(&["alpha", "beta"]).await;
    play.end().await;
}
