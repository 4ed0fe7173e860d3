//! The company's directory: one file of metadata, a SAML provider in every account, and whoever tampers with one.

use super::files::{BASELINE, account, baseline, company, path};
use super::{OBSERVED, Play};
use crate::saml::{FINGERPRINT, METADATA, OTHER, laid_out_otherwise, signed_by};

const FILE: &str = "baselines/base/adfs.xml";

/// The baseline with a provider that the role needs.
fn federated() -> String {
    baseline(14)
        .replace("stacks:\n", "  samlProviders: {ADFS: {metadata: adfs.xml}}\nstacks:\n")
        .replace("template: role", "needs: [settings.samlProviders.ADFS], template: role")
}

fn files(slugs: &[&str]) -> Vec<(String, String)> {
    let mut files = company(slugs);
    files.retain(|(path, _)| path != BASELINE);
    files.extend([(BASELINE.to_owned(), federated()), (FILE.to_owned(), METADATA.to_owned())]);
    files
}

impl Play {
    fn metadata(&self, slug: &str, name: &str) -> Option<String> {
        self.stage.aws.saml_providers(&self.account(slug)?.id).remove(name)
    }

    /// A file of the record as a person would read it.
    fn recorded(&self, path: &str) -> String {
        let repository = git2::Repository::open_bare(&self.stage.remote).unwrap();
        let object = repository.revparse_single(&format!("{OBSERVED}:{path}")).unwrap();
        String::from_utf8(object.as_blob().unwrap().content().to_owned()).unwrap()
    }

    async fn alice(&self, slug: &str) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.session(slug, "alice").await)
    }

    async fn alice_trusts_another_certificate(&self, slug: &str) {
        let arn = format!("arn:aws:iam::{}:saml-provider/ADFS", self.id(slug));
        let call = self.alice(slug).await.update_saml_provider().saml_provider_arn(arn);
        call.saml_metadata_document(signed_by(OTHER)).send().await.unwrap();
    }
}

#[tokio::test]
async fn the_directory_reaches_every_account_before_the_roles_that_trust_it() {
    let play = Play::begin(&files(&["alpha", "beta"])).await;
    play.settled(&["alpha", "beta"]).await;
    for slug in ["alpha", "beta"] {
        assert_eq!(play.metadata(slug, "ADFS").as_deref(), Some(METADATA));
        let writes: Vec<_> = play
            .writes()
            .into_iter()
            .filter(|it| it.account == play.id(slug))
            .map(|it| it.operation)
            .collect();
        let at = |operation: &str| writes.iter().position(|it| it == operation).unwrap();
        assert!(at("CreateSAMLProvider") < at("CreateChangeSet"), "{writes:?}");
    }
    let writes = play.writes().len();
    play.commit("The same in other words", &[(FILE, Some(laid_out_otherwise()))]);
    play.rest().await;
    assert_eq!(play.writes().len(), writes, "{}", play.scene());

    let next = signed_by(OTHER);
    play.commit("The directory's next certificate", &[(FILE, Some(next.clone()))]);
    play.until("it is everywhere", |play| {
        ["alpha", "beta"].iter().all(|slug| play.metadata(slug, "ADFS").as_ref() == Some(&next))
    })
    .await;
    play.rest().await;
    assert_eq!((play.writes().len(), play.calls("UpdateSAMLProvider").len()), (writes + 2, 2));
    play.end().await;
}

#[tokio::test]
async fn a_certificate_that_alice_slips_in_is_told_by_fingerprint_with_her_name() {
    let mut all = files(&["alpha"]);
    all.push((path("beta"), account("beta", "mode: enforce\n")));
    let play = Play::begin(&all).await;
    play.settled(&["alpha", "beta"]).await;
    for slug in ["alpha", "beta"] {
        play.alice_trusts_another_certificate(slug).await;
    }
    play.until("beta is put back", |play| play.metadata("beta", "ADFS").as_deref() == Some(METADATA)).await;
    let named = |play: &Play| {
        play.open_issue("drift", "accounts/alpha").is_some_and(|issue| issue.body.contains("/alice"))
    };
    play.until("alice is named", named).await;
    play.rest().await;
    assert_eq!(play.metadata("alpha", "ADFS"), Some(signed_by(OTHER)), "mode report puts nothing back");
    let issue = play.open_issue("drift", "accounts/alpha").unwrap();
    assert!(issue.title.contains("SAML provider ADFS trusts another certificate"), "{}", issue.title);
    assert!(issue.labels.iter().any(|label| label == "landfast/high"), "{:?}", issue.labels);
    assert!(issue.body.contains(FINGERPRINT) && issue.body.contains("UpdateSAMLProvider"), "{}", issue.body);
    assert!(issue.body.len() < 60_000 && !issue.body.contains(&OTHER[..60]), "{}", issue.body);
    let of = |folder: &str| play.recorded(&format!("{folder}/accounts/alpha.yaml"));
    assert!(of("live").contains(FINGERPRINT) && !of("base").contains(FINGERPRINT), "{}", of("live"));
    play.end().await;
}

#[tokio::test]
async fn a_provider_found_there_waits_for_adopt_and_one_of_another_name_is_nobodys_business() {
    let play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    for name in ["ADFS", "Old"] {
        let call = play.alice("alpha").await.create_saml_provider().name(name);
        call.saml_metadata_document(signed_by(OTHER)).send().await.unwrap();
    }
    let found = Some(signed_by(OTHER));
    play.commit("A directory", &[(BASELINE, Some(federated())), (FILE, Some(METADATA.to_owned()))]);
    let is_told = |play: &Play| play.open_issue("first-contact", "accounts/alpha").is_some();
    play.until("it is found", is_told).await;
    play.rest().await;
    assert_eq!(play.metadata("alpha", "ADFS"), found);
    let body = play.open_issue("first-contact", "accounts/alpha").unwrap().body;
    assert!(body.contains("settings.samlProviders.ADFS") && body.contains(FINGERPRINT), "{body}");
    assert!(body.len() < 60_000, "{}", body.len());

    let adopting = account("alpha", "adopt: [settings.samlProviders.ADFS]\n");
    play.commit("Adopt it", &[(&path("alpha"), Some(adopting))]);
    play.until("it is ours", |play| play.metadata("alpha", "ADFS").as_deref() == Some(METADATA)).await;
    play.commit(
        "No directory any more",
        &[(BASELINE, Some(baseline(14))), (&path("alpha"), Some(account("alpha", "")))],
    );
    let is_told = |play: &Play| {
        play.open_issue("attention", "accounts/alpha")
            .is_some_and(|issue| issue.body.contains("no longer declared"))
    };
    play.until("it is told that it stays", is_told).await;
    play.rest().await;
    assert_eq!(play.metadata("alpha", "ADFS").as_deref(), Some(METADATA));
    assert_eq!(play.metadata("alpha", "Old"), found);
    assert_eq!((play.calls("CreateSAMLProvider").len(), play.calls("DeleteSAMLProvider").len()), (0, 0));
    play.end().await;
}
