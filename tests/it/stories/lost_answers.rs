//! Removals whose answers get lost. One account loses its answers and its twin does not: both end alike.

use std::collections::BTreeMap;

use landfast::plan::Guards;
use landfast::sandbox::aws::{Fault, Trouble, When};

use super::files::{account, company, path};
use super::{OBSERVED, Play, scenery};
use crate::saml::METADATA;

/// What each removal is asked for with.
const REMOVALS: [&str; 4] =
    ["DeleteAccountAlias", "DeleteAccountPasswordPolicy", "DeleteSAMLProvider", "DeleteStack"];
const TWINS: [&str; 2] = ["alpha", "gamma"];

/// An account with one of each thing that can be removed.
fn full(slug: &str) -> String {
    let more = format!(
        "onLeave: remove\nsettings:\n  accountAlias: acme-{slug}\n  \
         samlProviders: {{ADFS: {{metadata: adfs.xml}}}}\n  passwordPolicy: {{minimumLength: 14}}\n\
         stacks: {{topic: {{template: topic.template.yaml}}}}\n"
    );
    account(slug, &more)
}

fn twins() -> Vec<(String, String)> {
    let mut files = company(&[]);
    files.retain(|(path, _)| !path.starts_with("baselines/"));
    for slug in TWINS {
        files.extend([
            (path(slug), full(slug)),
            (format!("accounts/{slug}/adfs.xml"), METADATA.to_owned()),
            (
                format!("accounts/{slug}/topic.template.yaml"),
                "Resources:\n  Topic: {Type: AWS::SNS::Topic}\n".to_owned(),
            ),
        ]);
    }
    files
}

impl Play {
    fn has_nothing(&self, slug: &str) -> bool {
        let (aws, id) = (&self.stage.aws, self.id(slug));
        aws.password_policy(&id).is_none()
            && aws.alias(&id).is_none()
            && aws.saml_providers(&id).is_empty()
            && self.stack(slug, "topic").is_none()
    }

    fn has_all(&self, slug: &str) -> bool {
        let (aws, id) = (&self.stage.aws, self.id(slug));
        aws.password_policy(&id).is_some()
            && aws.alias(&id).is_some()
            && !aws.saml_providers(&id).is_empty()
            && self.has_stack(slug, "topic")
    }

    /// Everything that is on record of an account, with its own name and id left out of it.
    fn record_of(&self, slug: &str) -> BTreeMap<String, String> {
        let repository = git2::Repository::open_bare(&self.stage.remote).unwrap();
        let tree = repository.revparse_single(OBSERVED).unwrap().peel_to_tree().unwrap();
        let mut record = BTreeMap::new();
        for kind in ["base", "live", "proof", "tie"] {
            let path = format!("{kind}/accounts/{slug}.yaml");
            let Ok(entry) = tree.get_path(path.as_ref()) else { continue };
            let blob = entry.to_object(&repository).unwrap().into_blob().unwrap();
            let text = String::from_utf8(blob.content().to_owned()).unwrap();
            record.insert(kind.to_owned(), text.replace(slug, "(slug)").replace(&self.id(slug), "(id)"));
        }
        record
    }
}

/// Everything is removed from both twins while alpha's answers get lost so many times.
async fn removed_under(trouble: Trouble, times: u32) {
    let mut play = Play::set(scenery(), &twins()).await;
    play.stage.guard(Guards::lifted());
    play.start();
    play.until("the accounts are there", |play| TWINS.iter().all(|slug| play.account(slug).is_some())).await;
    play.until("all is there", |play| TWINS.iter().all(|slug| play.has_all(slug))).await;
    play.rest().await;
    for operation in REMOVALS {
        let fault = Fault::new(operation, When::Next(times), trouble.clone());
        play.stage.aws.add_fault(fault.within(&play.id("alpha")));
    }
    let bare = TWINS.map(|slug| (path(slug), account(slug, "")));
    let files: Vec<_> = bare.iter().map(|(path, text)| (path.as_str(), Some(text.clone()))).collect();
    play.commit("Nothing", &files);
    play.until("all is gone", |play| TWINS.iter().all(|slug| play.has_nothing(slug))).await;
    play.rest().await;
    let alpha = play.id("alpha");
    for operation in REMOVALS {
        let calls = play.calls(operation);
        let lost = calls.iter().filter(|it| it.account == alpha && it.outcome != "OK" && it.acted);
        assert!(lost.count() >= 1, "{trouble:?} {operation}: an answer was lost\n{}", play.scene());
    }
    assert!(play.open_issues().is_empty(), "{trouble:?}: nobody is asked for anything\n{}", play.scene());
    let [alpha, gamma] = TWINS.map(|slug| play.record_of(slug));
    assert!(!alpha.is_empty());
    assert_eq!(alpha, gamma, "{trouble:?} {times}");
    play.end().await;
}

#[tokio::test]
async fn a_removal_whose_answer_is_lost_ends_as_one_that_was_answered() {
    removed_under(Trouble::DropAfter, 1).await;
}

/// More often than the client repeats a call by itself: it is the next pass that finds out.
#[tokio::test]
async fn a_removal_whose_every_answer_is_lost_is_found_done_by_the_next_pass() {
    removed_under(Trouble::DropAfter, 4).await;
}

#[tokio::test]
async fn a_removal_that_aws_calls_failed_although_it_is_done_ends_as_one_that_was_answered() {
    removed_under(Trouble::ErrorAfter(500), 4).await;
}
