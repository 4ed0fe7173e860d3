//! Parameters that AWS never shows again: kept in line without keeping them.

use super::files::{account, company, path};
use super::{HOME, OBSERVED, Play};

const TEMPLATE: &str = "Parameters:
  Pin: {Type: String, NoEcho: true}
Resources:
  Group:
    Type: AWS::SSM::Parameter
    Properties: {Name: pin, Type: String, Value: !Ref Pin}
";

fn folder(pin: &str) -> Vec<(String, Option<String>)> {
    let stack = format!("stacks:\n  pin: {{template: pin.template.yaml, parameters: {{Pin: {pin}}}}}\n");
    vec![
        (path("alpha"), Some(account("alpha", &stack))),
        ("accounts/alpha/pin.template.yaml".to_owned(), Some(TEMPLATE.to_owned())),
    ]
}

fn commit(play: &Play, pin: &str) {
    let files = folder(pin);
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
    play.commit("Set the pin", &files);
}

/// Everything on the branch that keeps what was seen, its whole history included.
fn recorded(play: &Play) -> String {
    let repository = git2::Repository::open_bare(&play.stage.remote).unwrap();
    let mut commits = repository.revwalk().unwrap();
    commits.push_ref(&format!("refs/heads/{OBSERVED}")).unwrap();
    let mut seen = String::new();
    for commit in commits {
        let tree = repository.find_commit(commit.unwrap()).unwrap().tree().unwrap();
        tree.walk(git2::TreeWalkMode::PreOrder, |_, entry| {
            if let Ok(blob) = repository.find_blob(entry.id()) {
                seen.push_str(&String::from_utf8_lossy(blob.content()));
            }
            git2::TreeWalkResult::Ok
        })
        .unwrap();
    }
    seen
}

#[tokio::test]
async fn a_hidden_parameter_is_no_drift_and_a_change_of_it_arrives() {
    let play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    let pin = |play: &Play| {
        let stack = play.stage.aws.stack(&play.id("alpha"), HOME, "pin");
        stack.and_then(|stack| stack.parameters.get("Pin").cloned())
    };
    commit(&play, "canary-one-4711");
    play.until("the pin is set", |play| pin(play).as_deref() == Some("canary-one-4711")).await;
    play.rest().await;
    assert!(play.open_issues().is_empty(), "{:?}", play.open_issues());

    commit(&play, "canary-two-0815");
    play.until("the pin is changed", |play| pin(play).as_deref() == Some("canary-two-0815")).await;
    play.rest().await;
    assert!(play.open_issues().is_empty(), "{:?}", play.open_issues());
    let shown = play.stage.github.issues().iter().map(|issue| issue.body.clone()).collect::<String>();
    let seen = recorded(&play);
    assert!(seen.contains("hmac-sha256:"), "its hash is kept");
    assert!(!seen.contains("canary") && !shown.contains("canary"));
    play.end().await;
}
