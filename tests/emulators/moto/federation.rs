//! One directory for all: its metadata becomes a SAML provider, and a changed one is found.

use std::collections::BTreeSet;

use super::company::{EXCLUDED, REACHED, baseline};
use super::witness::Inside;
use super::world::World;

/// What the example's directory publishes.
const METADATA: &str = include_str!("../../../example-repo/baselines/security/directory-metadata.xml");
const PROVIDER: &str = "settings.samlProviders.Directory";

fn federated() -> String {
    baseline("stacks:\n", "  samlProviders: {Directory: {metadata: directory.xml}}\nstacks:\n")
}

impl Inside {
    async fn provider(&self) -> Option<String> {
        let list = self.iam.list_saml_providers().send().await.unwrap().saml_provider_list;
        let arns = list.unwrap_or_default().into_iter().filter_map(|entry| entry.arn);
        arns.into_iter().find(|arn| arn.ends_with(":saml-provider/Directory"))
    }

    async fn metadata(&self) -> Option<String> {
        let call = self.iam.get_saml_provider().saml_provider_arn(self.provider().await?);
        call.send().await.unwrap().saml_metadata_document
    }
}

#[tokio::test]
async fn a_directory_is_made_known_where_the_baseline_reaches_and_a_strangers_change_is_found() {
    let world = World::settled().await;
    world.commit("baselines/security/directory.xml", METADATA);
    world.commit("baselines/security/baseline.yaml", &federated());
    let applied = world.apply(&[]).ends_with(0);
    assert_eq!(applied.writes(), ["CreateSAMLProvider", "CreateSAMLProvider"]);
    for slug in REACHED {
        assert_eq!(world.witness.inside_of(slug).await.metadata().await.as_deref(), Some(METADATA));
    }
    assert_eq!(world.witness.inside_of(EXCLUDED).await.metadata().await, None);
    world.plan(&[]).ends_with(0);

    let moved =
        METADATA.replace("https://login.acme.example/adfs/ls/", "https://login.evil.example/adfs/ls/");
    let inside = world.witness.inside_of("ledger").await;
    let call = inside.iam.update_saml_provider().saml_provider_arn(inside.provider().await.unwrap());
    call.saml_metadata_document(&moved).send().await.unwrap();
    let planned = world.plan(&[]).ends_with(2).wrote_nothing();
    let found: BTreeSet<_> = planned.verdicts().into_iter().collect();
    assert_eq!(found, [(format!("accounts/ledger {PROVIDER}"), "drift".to_owned())].into());

    world.commit("landfast.yaml", "mode: enforce\n");
    let applied = world.apply(&[]).ends_with(0);
    assert_eq!(applied.writes(), ["UpdateSAMLProvider"]);
    assert_eq!(inside.metadata().await.as_deref(), Some(METADATA));
    world.plan(&[]).ends_with(0);
}
