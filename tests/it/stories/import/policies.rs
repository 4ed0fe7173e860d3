//! Policies of an organization that was there before Landfast: written down, committed, planned.

use landfast::sandbox::aws::{Fault, Trouble, When};

use super::{PAYMENTS, Place};

const LEAVING: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Stay","Effect":"Deny","Action":"organizations:LeaveOrganization","Resource":"*"}]}"#;
const TAGS: &str = r#"{"tags":{"owner":{"tag_key":{"@@assign":"owner"},"n":1.50}}}"#;
const SCP: &str = "SERVICE_CONTROL_POLICY";

impl Place {
    /// Policies of two kinds that are enabled and one that is not, at the root, an OU and an account.
    async fn with_policies() -> Self {
        let place = Self::found().await;
        let (aws, root) = (&place.aws, place.aws.root_id());
        for kind in [SCP, "TAG_POLICY"] {
            aws.enable_policy_type(kind);
        }
        let (prod, payments) = (aws.ous()["/workloads/Prod (EU)"].clone(), place.id("Payments Production"));
        aws.add_policy(SCP, "deny-leaving", LEAVING, &[&root, &prod]);
        aws.add_policy(
            SCP,
            "quarantine",
            &LEAVING.replace("organizations:LeaveOrganization", "*"),
            &[&payments],
        );
        aws.add_policy("TAG_POLICY", "owners", TAGS, &[&place.id("Left Behind"), &root]);
        aws.add_policy("BACKUP_POLICY", "idle", r#"{"plans":{}}"#, &[]);
        place.now()
    }

    fn json(&self, path: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(path)).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_and_where_they_are_attached_are_written_down_and_plan_to_nothing() {
    let place = Place::with_policies().await;
    let (said, _) = place.import().await;
    let file = "organization/policies/service-control-policy/deny-leaving.json";
    assert_eq!(place.json(file), serde_json::from_str::<serde_json::Value>(LEAVING).unwrap());
    assert!(place.read(file).lines().count() > 8, "{}", place.read(file));
    let owners = place.read("organization/policies/tag-policy/owners.json");
    assert!(owners.contains("\"n\": 1.50"), "as it is spelled: {owners}");
    let written: Vec<_> = place.all().into_keys().filter(|path| path.contains("/policies/")).collect();
    assert_eq!(written.len(), 3, "{written:?}");

    let organization = place.read("organization/organization.yaml");
    let payments = place.read(PAYMENTS);
    assert!(payments.contains("policies: [quarantine]\n"), "{payments}");
    assert!(said.contains("policies.owners: it is attached to"), "an account without a folder: {said}");
    let (plan, status) = place.plan().await;
    assert_eq!(status, 0, "{plan}\n{organization}");
    assert!(plan.contains("creates 0, changes 0, drifted 0"), "{plan}");
    let rendered: serde_json::Value = yaml_serde::from_str(&organization).unwrap();
    assert_eq!(rendered["policies"], serde_json::json!(["deny-leaving", "owners"]), "{organization}");
    let prod = &rendered["ous"]["workloads"]["ous"]["Prod (EU)"]["policies"];
    assert_eq!(*prod, serde_json::json!(["deny-leaving"]), "{organization}");
    assert_eq!(place.writes(), [], "it only reads");
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_of_others_and_those_that_do_not_fit_or_could_not_be_read_are_said_and_not_written_down() {
    let place = Place::with_policies().await;
    let (aws, root) = (&place.aws, place.aws.root_id());
    aws.add_policy(SCP, "aws-guardrails-ab12", LEAVING, &[&root]);
    aws.add_policy(SCP, "no leaving", LEAVING, &[&root]);
    aws.add_policy("TAG_POLICY", "deny-leaving", TAGS, &[]);
    aws.add_policy("TAG_POLICY", "twice", r#"{"tags":{},"tags":{}}"#, &[]);
    aws.enable_policy_type("CHATBOT_POLICY");
    aws.add_policy("CHATBOT_POLICY", "chat", r#"{"chatbots":{}}"#, &[]);
    // Kinds are listed in the order of their names.
    let refused = Trouble::Refuse(400, "AccessDeniedException".to_owned(), "no".to_owned());
    aws.add_fault(Fault::new("ListPolicies", When::Next(1), refused));
    let (said, _) = place.import().await;
    for line in [
        "policies.aws-guardrails-ab12 (service-control-policy): AWS Control Tower",
        "policies.no leaving (service-control-policy): ",
        "policies.deny-leaving (tag-policy): a policy of another kind has the same name",
        "policies.twice (tag-policy): it does not load: the key `tags` is there twice",
        "policies (chatbot-policy): ",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    let all = place.all().into_iter();
    let all: Vec<_> = all.map(|(path, text)| (path, String::from_utf8(text).unwrap())).collect();
    for name in ["aws-guardrails", "no leaving", "twice", "chat"] {
        let is_named = |(path, text): &(String, String)| path.contains(name) || text.contains(name);
        assert!(!all.iter().any(is_named), "{name}\n{all:?}");
    }
    aws.clear_faults();
    assert_eq!(place.plan().await.1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_import_adds_policies_and_attachments_and_keeps_what_people_wrote() {
    let place = Place::with_policies().await;
    place.import().await;
    let before = place.all();
    let (said, _) = place.import().await;
    assert_eq!(place.all(), before, "{said}");

    let organization = place.read("organization/organization.yaml");
    let mine = organization.replace(
        "\npolicies: [deny-leaving, owners]\n",
        "\n# Ask pat.\npolicies: [deny-leaving, owners] # ours\n",
    );
    place.write("organization/organization.yaml", &mine);
    let file = "organization/policies/service-control-policy/deny-leaving.json";
    let own = format!("{}\n", LEAVING.replace("\"Stay\"", "\"Remain\""));
    place.write(file, &own);
    let aws = &place.aws;
    aws.add_policy(SCP, "regions", LEAVING, &[&aws.ous()["/security"], &place.id("Data"), &aws.root_id()]);
    let (said, status) = place.import().await;
    assert_eq!(place.read(file), own, "what is there is not written over");
    let after = place.read("organization/organization.yaml");
    assert!(after.contains("# Ask pat.\npolicies: [deny-leaving, owners] # ours\n"), "{after}");
    let rendered: serde_json::Value = yaml_serde::from_str(&after).unwrap();
    assert_eq!(rendered["ous"]["security"]["policies"], serde_json::json!(["regions"]), "{after}");
    assert!(place.read("accounts/data/account.yaml").contains("policies: [regions]\n"), "{said}");
    assert!(status == 2 && said.contains("to be added by hand"), "the root has a list already: {said}");
    let (plan, _) = place.plan().await;
    assert!(plan.contains("creates 0, changes 0, drifted 0, first seen 1"), "{plan}");
}
