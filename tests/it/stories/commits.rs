//! Commits: those that change one thing, those that do not load, those that are not followed.

use landfast::git::bare;
use landfast::sandbox::stage::BRANCH;

use super::Play;
use super::files::{BASELINE, baseline, company, path};

#[tokio::test]
async fn a_baseline_reaches_every_target_and_nothing_else() {
    let mut files = company(&["alpha", "beta"]);
    let special = "name: Company gamma\nou: /special\n".to_owned();
    files.push((path("gamma"), special));
    let play = Play::begin(&files).await;
    play.until("gamma is there", |play| play.has_stack("gamma", "role")).await;
    play.settled(&["alpha", "beta"]).await;
    let targets = ["alpha", "beta"].map(|slug| play.id(slug));
    let before = play.writes();
    let strict =
        "targets: {ous: [\"/workloads\"]}\nafter: [base]\nsettings: {passwordPolicy: {minimumLength: 20}}\n";
    play.commit("Be strict", &[("baselines/strict/baseline.yaml", Some(strict.to_owned()))]);
    let is_strict = |play: &Play, slug| play.password_length(slug) == Some(20);
    play.until("both are strict", |play| ["alpha", "beta"].iter().all(|slug| is_strict(play, slug))).await;
    play.rest().await;
    let after = play.writes();
    let mut written: Vec<_> =
        after[before.len()..].iter().map(|entry| (entry.account.clone(), entry.operation.clone())).collect();
    written.sort();
    let mut expected = targets.map(|id| (id, "UpdateAccountPasswordPolicy".to_owned()));
    expected.sort();
    assert_eq!(written, expected);
    assert_eq!(play.password_length("gamma"), Some(14));
    play.end().await;
}

#[tokio::test]
async fn a_force_push_that_empties_accounts_is_not_followed() {
    let play = Play::begin(&company(&["alpha", "beta"])).await;
    play.settled(&["alpha", "beta"]).await;
    let first = play.head();
    let in_force = play.commit("Longer passwords", &[(BASELINE, Some(baseline(15)))]);
    play.until("passwords are longer", |play| play.password_length("beta") == Some(15)).await;
    play.rest().await;
    let writes = play.writes().len();

    let remote = &play.stage.remote;
    bare::force_branch(remote, "elsewhere", &first).unwrap();
    let emptied = ["alpha", "beta"].map(|slug| (path(slug), None)).into();
    let empty =
        bare::commit_file_changes(remote, "elsewhere", &emptied, "Empty", play.stage.aws.now()).unwrap();
    bare::force_branch(remote, BRANCH, &empty).unwrap();
    play.until("it is told", |play| play.open_issue("halted", "").is_some()).await;
    play.alice_sets_password_length("alpha", 8).await;
    play.until("the commit before is in force", |play| play.open_issue("drift", "accounts/alpha").is_some())
        .await;
    play.rest().await;
    let body = play.open_issue("halted", "").unwrap().body;
    assert!(body.contains(empty.as_str()) && body.contains(in_force.as_str()), "{body}");
    assert_eq!((play.writes().len(), play.stage.aws.accounts().len()), (writes, 3));

    bare::force_branch(remote, BRANCH, &in_force).unwrap();
    play.until("it is over", |play| play.open_issue("halted", "").is_none()).await;
    play.end().await;
}

#[tokio::test]
async fn a_commit_that_does_not_load_changes_nothing_and_its_faults_are_told_until_it_is_mended() {
    let play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    let writes = play.writes().len();
    let broken = baseline(15).replace("minimumLength", "minimalLength");
    play.commit("Break it", &[(BASELINE, Some(broken)), (&path("alpha"), None)]);
    play.until("it is told", |play| play.open_issue("rejected", "").is_some()).await;
    play.rest().await;
    let body = play.open_issue("rejected", "").unwrap().body;
    assert!(body.contains("baselines/base/baseline.yaml:3") && body.contains("minimalLength"), "{body}");
    assert_eq!((play.writes().len(), play.password_length("alpha")), (writes, Some(14)));

    let alpha = super::files::account("alpha", "");
    play.commit("Mend it", &[(BASELINE, Some(baseline(16))), (&path("alpha"), Some(alpha))]);
    play.until("the mended commit is applied", |play| play.password_length("alpha") == Some(16)).await;
    play.until("it is over", |play| play.open_issues().is_empty()).await;
    play.end().await;
}
