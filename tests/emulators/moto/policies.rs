//! The life of a policy of the organization.

use super::company;
use super::world::World;
use crate::ran::verdicts;

const FILE: &str = "organization/policies/service-control-policy/deny-leaving.json";
const ORGANIZATION: &str = "organization/organization.yaml";
const VAULT: &str = "accounts/vault/account.yaml";
const NAME: &str = "deny-leaving";

fn denying(action: &str) -> String {
    let statement = serde_json::json!({"Effect": "Deny", "Action": action, "Resource": "*"});
    serde_json::json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

fn organization(world: &World, attached: bool) -> String {
    let files = company::files(&world.witness.organization);
    let names = if attached { "policies: [deny-leaving], " } else { "" };
    files[ORGANIZATION].replace("workloads: {", &format!("workloads: {{{names}")) + "onLeave: remove\n"
}

#[tokio::test]
async fn a_policy_is_made_attached_changed_put_back_and_goes() {
    let world = World::settled().await;
    let vault = company::files(&world.witness.organization)[VAULT].clone();
    world.commit(FILE, &denying("organizations:LeaveOrganization"));
    world.commit(ORGANIZATION, &organization(&world, true));
    world.commit(
        VAULT,
        &(vault.clone()
            + "policies: [deny-leaving]
"),
    );
    let first = world.apply(&[]).ends_with(0);
    assert_eq!((first.count("CreatePolicy"), first.count("AttachPolicy")), (1, 2));
    assert!(world.witness.policy_types().await.contains(&"SERVICE_CONTROL_POLICY ENABLED".to_owned()));
    let (id, content, tags, targets) = world.witness.policy(NAME).await.unwrap();
    assert_eq!(content, denying("organizations:LeaveOrganization"));
    assert_eq!(tags["landfast:owner"], world.witness.organization);
    let vaults_id = world.witness.id("vault").await;
    assert!(targets.len() == 2 && targets.contains(&vaults_id), "{targets:?}");
    assert_eq!(world.plan(&[]).ends_with(0).wrote_nothing().verdicts(), verdicts([]));

    world.commit(FILE, &denying("account:CloseAccount"));
    let changed = world.apply(&[]).ends_with(0);
    assert_eq!((changed.count("UpdatePolicy"), changed.count("CreatePolicy")), (1, 0));
    assert_eq!(world.witness.policy(NAME).await.unwrap().1, denying("account:CloseAccount"));
    world.plan(&[]).ends_with(0).wrote_nothing();

    world.witness.detach_policy(&id, &vaults_id).await;
    let told = world.plan(&[]).wrote_nothing();
    assert!(told.out.contains("policies.deny-leaving.targets.vault"), "{}", told.out);

    world.commit(VAULT, &vault);
    world.commit(ORGANIZATION, &organization(&world, false));
    world.remove(FILE);
    let gone = world.apply(&[]).ends_with(0);
    assert_eq!((gone.count("DetachPolicy"), gone.count("DeletePolicy")), (1, 1));
    assert_eq!(world.witness.policy(NAME).await, None);
    world.plan(&[]).ends_with(0).wrote_nothing();
}
