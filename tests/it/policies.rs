//! Plans of policies, drawn from values written by hand: what is done, in which order, and what is never done.

use std::collections::{BTreeMap, BTreeSet};

use landfast::model::{
    AccountProperty, Base, Declared, Desired, Facts, Item, Mode, Observed, OnLeave, OrganizationFacts,
    OuFact, OuPath, Outcomes, Plan, Policy, PolicyFact, PolicyName, PolicyTarget, PolicyType, Scope, Sight,
    Source, Step, Tie, Verdict,
};
use landfast::plan::{Guards, Rules, plan};
use landfast::report::{self, ScopeReport};
use serde_json::{Value, json};

use crate::paper::{account_id, desired, payments, rules, slug};

const DENY: &str = "policies.deny";
const ON_OU: &str = "policies.deny.targets./workloads";
const KIND: &str = "policyTypes.service-control-policy";

/// A world in which everything is as declared, to change a part of.
struct Scene {
    desired: Desired,
    base: Base,
    seen: BTreeMap<Item, Sight>,
    facts: OrganizationFacts,
    guards: Guards,
}

fn item(text: &str) -> Item {
    text.parse().unwrap()
}

fn name(text: &str) -> PolicyName {
    PolicyName::parse(text).unwrap()
}

fn kind(folder: &str) -> PolicyType {
    PolicyType::try_from(folder.to_owned()).unwrap()
}

fn policy(effect: &str) -> Policy {
    let content = json!({"Statement": [{"Effect": effect}]});
    Policy { kind: kind("service-control-policy"), text: content.to_string(), content }
}

fn there(effect: &str) -> Value {
    let mut value = policy(effect).to_value();
    value["id"] = json!("p-1");
    value
}

impl Scene {
    /// Nothing declared, and nothing there.
    fn empty() -> Self {
        let ou = |id: &str| OuFact { id: id.to_owned() };
        let facts = OrganizationFacts {
            ous: BTreeMap::from([
                (OuPath::root(), ou("r-1")),
                (OuPath::parse("/workloads").unwrap(), ou("ou-1")),
            ]),
            claimed: BTreeMap::from([(slug("payments"), account_id("111122223333"))]),
            ..OrganizationFacts::default()
        };
        let guards = Guards { approved: BTreeSet::new(), ..Guards::default() };
        let seen = BTreeMap::from([(item("ous./workloads"), Sight::present(json!({})))]);
        Self { desired: desired(), base: Base::default(), seen, facts, guards }
    }

    /// A policy that is attached, agreed on, and as declared.
    fn agreed() -> Self {
        let mut scene = Self::empty();
        scene.declare("deny", policy("Deny"));
        scene.attach("deny", "/workloads");
        for (at, value) in [(KIND, json!("ENABLED")), (DENY, there("Deny")), (ON_OU, json!(true))] {
            scene.agree(at, value);
        }
        scene.facts.policies.insert(
            name("deny"),
            PolicyFact { id: "p-1".to_owned(), owned: Ok(()), targets: Ok(BTreeSet::new()) },
        );
        scene
    }

    fn declare(&mut self, of: &str, policy: Policy) {
        let declared = Declared { value: policy, source: Source::default() };
        self.desired.organization.policies.by_name.insert(name(of), declared);
    }

    fn attach(&mut self, of: &str, target: &str) {
        let target = PolicyTarget::try_from(target.to_owned()).unwrap();
        self.desired.organization.policies.attachments.insert((name(of), target), Source::default());
    }

    fn agree(&mut self, at: &str, value: Value) {
        self.seen.insert(item(at), Sight::present(value.clone()));
        self.base.items.insert(item(at), value.into());
    }

    /// Everything of policies goes from git, and is to be removed.
    fn leave(&mut self) {
        let policies = &mut self.desired.organization.policies;
        policies.by_name.clear();
        policies.attachments.clear();
        let tie = Tie { on_leave: OnLeave::Remove, ..Tie::default() };
        let ours = self.base.items.keys().filter(|item| item.is_of_policies());
        self.base.ties = ours.map(|item| (item.clone(), tie.clone())).collect();
    }

    fn plan(&self) -> Plan {
        let scope = Scope::Organization;
        let declared = self.desired.items(&scope).into_keys();
        let mut items: BTreeMap<Item, Sight> = declared.map(|item| (item, Sight::Absent)).collect();
        items.extend(self.seen.clone());
        let facts = Facts::Organization(self.facts.clone());
        let observed = Observed { scope: scope.clone(), items, facts, hold: None };
        let rules = Rules { guards: self.guards.clone(), ..rules() };
        plan(&scope, &self.desired, &self.base, &observed, &rules)
    }
}

/// The steps of policies with what they need, and what is held back of them and by whom.
fn told(plan: &Plan) -> String {
    let steps = plan.steps.iter().filter(|step| step.item.is_of_policies()).map(|step| {
        let needs: Vec<_> = step.needs.iter().map(ToString::to_string).collect();
        if needs.is_empty() { step.id.to_string() } else { format!("{} after {}", step.id, needs.join(", ")) }
    });
    let blocked = plan.blocked.iter().filter(|it| it.item.is_of_policies()).map(|it| {
        format!("{} {}: {}", it.item, if it.needs_person { "blocked" } else { "waits" }, it.because)
    });
    steps.chain(blocked).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_policy_is_made_after_nothing_and_attached_after_all_that_it_needs() {
    let mut scene = Scene::empty();
    scene.declare("deny", policy("Deny"));
    scene.attach("deny", "/workloads");
    scene.attach("deny", "payments");
    scene.attach("FullAWSAccess", "/");
    insta::assert_snapshot!(told(&scene.plan()), @r"
    enable policyTypes.service-control-policy
    create policies.deny
    attach policies.FullAWSAccess.targets./ after enable policyTypes.service-control-policy
    attach policies.deny.targets./workloads after create policies.deny, enable policyTypes.service-control-policy
    attach policies.deny.targets.payments after create policies.deny, enable policyTypes.service-control-policy
    ");
    scene.seen.insert(item("ous./workloads"), Sight::Absent);
    scene.facts.ous.remove(&OuPath::parse("/workloads").unwrap());
    scene.facts.claimed.clear();
    let told = told(&scene.plan());
    assert!(
        told.contains("attach policies.deny.targets./workloads after create ous./workloads, create"),
        "{told}"
    );
    assert!(told.contains("targets.payments waits: the account does not exist yet"), "{told}");
}

#[test]
fn what_is_agreed_and_as_declared_asks_for_nothing() {
    let plan = Scene::agreed().plan();
    assert_eq!(told(&plan), "");
    assert_eq!(plan.findings[&item(DENY)].verdict, Verdict::InSync);
}

#[test]
fn a_change_is_written_to_the_policy_on_record_and_to_no_other() {
    let mut scene = Scene::agreed();
    scene.declare("deny", policy("Allow"));
    let plan = scene.plan();
    assert_eq!(told(&plan), "update policies.deny");
    let update = plan.steps.iter().find(|step| step.item == item(DENY)).unwrap();
    let Step::UpdatePolicy { id, before, after, .. } = &update.step else { panic!("{update:?}") };
    assert_eq!((id.as_str(), before, after), ("p-1", &policy("Deny").content, &policy("Allow")));

    let why = "it does not bear our tag".to_owned();
    scene.facts.policies.insert(
        name("deny"),
        PolicyFact { id: "p-2".to_owned(), owned: Err(why), targets: Ok(BTreeSet::new()) },
    );
    assert_eq!(told(&scene.plan()), "policies.deny blocked: it does not bear our tag");
    scene.desired.organization.policies.adopt.insert(name("deny"));
    assert_eq!(told(&scene.plan()), "update policies.deny");
}

#[test]
fn a_policy_that_another_tool_puts_back_is_not_written_even_where_it_is_adopted() {
    let of = |called: &str| {
        let mut scene = Scene::empty();
        scene.declare(called, policy("Allow"));
        scene.seen.insert(item(KIND), Sight::present(json!("ENABLED")));
        scene.seen.insert(item(&format!("policies.{called}")), Sight::present(there("Deny")));
        let fact = PolicyFact {
            id: "p-1".to_owned(),
            owned: Err("it does not bear our tag".to_owned()),
            targets: Ok(BTreeSet::new()),
        };
        scene.facts.policies.insert(name(called), fact);
        scene.desired.organization.policies.adopt.insert(name(called));
        told(&scene.plan())
    };
    let told = of("aws-guardrails-XyZ");
    assert!(told.contains("blocked: the policy belongs to AWS Control Tower"), "{told}");
    assert_eq!(of("guardrails"), "update policies.guardrails");
}

#[test]
fn a_policy_never_becomes_one_of_another_kind() {
    let mut scene = Scene::agreed();
    let other = Policy { kind: kind("tag-policy"), ..policy("Deny") };
    scene.declare("deny", other);
    let told = told(&scene.plan());
    assert!(told.contains("policies.deny blocked: the policy is a service-control-policy"), "{told}");
    assert!(!told.contains("update ") && !told.contains("create "), "{told}");
}

#[test]
fn what_others_made_of_a_policy_is_put_back_in_enforce_only_and_attached_nowhere_else_meanwhile() {
    let mut scene = Scene::agreed();
    scene.seen.insert(item(DENY), Sight::present(there("Allow")));
    scene.attach("deny", "/");
    assert_eq!(
        told(&scene.plan()),
        "policies.deny.targets./ waits: policies.deny has to be as declared first"
    );
    scene.desired.organization.policies.mode = Mode::Enforce;
    assert_eq!(
        told(&scene.plan()),
        "update policies.deny\nattach policies.deny.targets./ after update policies.deny"
    );
    scene.desired.organization.policies.mode = Mode::Observe;
    assert_eq!(told(&scene.plan()), "");
}

#[test]
fn a_kind_of_policy_that_nothing_needs_any_more_is_not_switched_off_and_not_told_of() {
    let mut scene = Scene::agreed();
    scene.leave();
    assert_eq!(scene.plan().findings[&item(KIND)].verdict, Verdict::Gone);
}

#[test]
fn what_leaves_is_kept_unless_it_was_to_be_removed_and_goes_before_what_it_hangs_on() {
    let mut scene = Scene::agreed();
    scene.leave();
    insta::assert_snapshot!(told(&scene.plan()), @r"
    detach policies.deny.targets./workloads
    delete policies.deny after detach policies.deny.targets./workloads
    ");
    scene.base.ties.clear();
    assert_eq!(told(&scene.plan()), "");
    assert_eq!(scene.plan().findings[&item(DENY)].verdict, Verdict::Undeclared);
}

#[test]
fn nothing_is_detached_before_what_is_declared_in_its_place_is_attached() {
    let mut scene = Scene::agreed();
    scene.leave();
    scene.declare("next", policy("Allow"));
    scene.attach("next", "/workloads");
    let there = told(&scene.plan());
    assert!(
        there.contains(
            "detach policies.deny.targets./workloads after attach policies.next.targets./workloads"
        ),
        "{there}"
    );
    scene.seen.insert(item(KIND), Sight::Absent);
    scene.base.items.remove(&item(KIND));
    scene.desired.organization.policies.mode = Mode::Observe;
    assert_eq!(told(&scene.plan()), "");

    let mut drifted = Scene::agreed();
    drifted.leave();
    drifted.declare("next", policy("Allow"));
    drifted.attach("next", "/workloads");
    drifted.base.items.insert(item("policies.next.targets./workloads"), json!(true).into());
    let told = told(&drifted.plan());
    assert!(
        told.contains("policies.deny.targets./workloads waits: policies.next.targets./workloads has to be"),
        "{told}"
    );
    assert!(!told.contains("detach") && !told.contains("delete"), "{told}");
}

#[test]
fn while_anything_of_the_policies_cannot_be_read_nothing_of_them_goes() {
    let mut scene = Scene::agreed();
    scene.leave();
    scene.declare("next", policy("Allow"));
    scene.seen.insert(item("policies.next"), Sight::Gap("denied".to_owned()));
    let told = told(&scene.plan());
    assert!(!told.contains("detach") && !told.contains("delete"), "{told}");
    assert!(told.contains("nothing is removed here while policies.next cannot be read"), "{told}");
}

#[test]
fn a_policy_that_was_changed_or_is_not_proved_ours_is_not_deleted() {
    let mut scene = Scene::agreed();
    scene.leave();
    scene.seen.insert(item(DENY), Sight::present(there("Allow")));
    assert!(
        told(&scene.plan()).contains("policies.deny blocked: it was changed since"),
        "{}",
        told(&scene.plan())
    );
    let mut scene = Scene::agreed();
    scene.leave();
    let fact =
        PolicyFact { id: "p-2".to_owned(), owned: Err("not ours".to_owned()), targets: Ok(BTreeSet::new()) };
    scene.facts.policies.insert(name("deny"), fact);
    assert_eq!(
        told(&scene.plan()),
        "policies.deny.targets./workloads blocked: not ours\npolicies.deny blocked: not ours"
    );
}

#[test]
fn more_removals_than_the_operator_allows_wait_for_a_word_bound_to_the_commit() {
    let mut scene = Scene::agreed();
    scene.leave();
    scene.guards.removals_per_commit = 1;
    let held = told(&scene.plan());
    assert!(
        held.contains("2 policies and attachments are to be removed, and `removals-per-commit` allows 1"),
        "{held}"
    );
    assert!(!held.contains("detach ") && !held.contains("delete "), "{held}");
    scene.guards.approved.insert(scene.desired.revision.clone());
    assert!(told(&scene.plan()).contains("detach "));
}

#[test]
fn awss_own_policies_are_never_detached() {
    let mut scene = Scene::empty();
    scene.attach("FullAWSAccess", "/workloads");
    scene.agree(KIND, json!("ENABLED"));
    scene.agree("policies.FullAWSAccess.targets./workloads", json!(true));
    let ties = scene.plan().ties;
    assert_eq!(ties[&item("policies.FullAWSAccess.targets./workloads")].on_leave, OnLeave::Keep);
    scene.desired.organization.policies.on_leave = OnLeave::Remove;
    let ties = scene.plan().ties;
    assert_eq!(ties[&item("policies.FullAWSAccess.targets./workloads")].on_leave, OnLeave::Keep);
    scene.leave();
    let told = told(&scene.plan());
    assert!(told.contains("AWS attaches it itself") && !told.contains("detach policies"), "{told}");
}

#[test]
fn an_account_without_a_folder_keeps_what_is_attached_to_it() {
    let mut scene = Scene::agreed();
    scene.attach("deny", "payments");
    scene.agree("policies.deny.targets.payments", json!(true));
    scene.agree("accounts.payments", json!({"state": "ACTIVE", "id": "111122223333"}));
    scene.leave();
    assert!(told(&scene.plan()).contains("detach policies.deny.targets.payments"));
    scene.desired.accounts.clear();
    let told = told(&scene.plan());
    assert!(!told.contains("detach policies.deny.targets.payments"), "{told}");
    assert!(told.contains("policies.deny waits: policies.deny.targets.payments is still there"), "{told}");
}

fn report(scene: &Scene) -> ScopeReport {
    ScopeReport {
        scope: Scope::Organization,
        account_id: None,
        account_name: String::new(),
        gaps_last: false,
        plan: scene.plan(),
        outcomes: Outcomes::new(),
        authors: BTreeMap::new(),
        hold: None,
    }
}

/// The lines of a plan that are about policies.
fn read(scene: &Scene) -> String {
    let text = report::text(&[report(scene)]);
    let lines =
        text.lines().filter(|line| !line.contains("accounts.payments") && !line.contains("payments  "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_plan_of_policies_reads_well() {
    let mut scene = Scene::agreed();
    scene.declare("deny", policy("Allow"));
    scene.declare("new", policy("Deny"));
    scene.attach("new", "/");
    scene.desired.accounts.clear();
    insta::assert_snapshot!(read(&scene), @r#"
    creates 2, changes 1, drifted 0, in sync 3
    in 1 scope at commit aaaaaaaaaa

    organization: creates 2, changes 1
      ~ change service control policy deny  :0
             content: |
                 "Statement": [
                   {
          -          "Effect": "Deny"
          +          "Effect": "Allow"
                   }
                 ]
      + create service control policy new  :0
      + attach policy new to the root  :0
    "#);
}

#[test]
fn a_policy_that_somebody_opened_is_told_line_by_line_and_where_to_go_on() {
    let mut scene = Scene::agreed();
    scene.desired.accounts.clear();
    scene.seen.insert(item(DENY), Sight::present(there("Allow")));
    scene.seen.insert(item(ON_OU), Sight::Absent);
    let wanted = report::wanted(&[report(&scene)], &report::Situation::default());
    let issue = wanted.issues.values().find(|issue| issue.title.contains("[drift]")).unwrap();
    let body: Vec<_> = issue.body.lines().skip(1).collect();
    insta::assert_snapshot!(format!("{}\n{}", issue.title, body.join("\n")), @r#"
    [drift] HIGH · policy deny changed in the organization (+1 more) · author pending
    **What it means.** The policy `deny` was changed; the policy `deny` no longer holds for `OU /workloads`. Mode here is report: nothing was or will be changed. This issue stays open until git and AWS agree again, and then closes by itself.

    | account | item | severity | declared in | live since |
    |---|---|---|---|---|
    | the organization | `policies.deny` | HIGH | `:0` | not known |
    | the organization | `policies.deny.targets./workloads` | HIGH | `:0` | not known |

    `policies.deny`

    ```diff
       content: |
           "Statement": [
             {
    -          "Effect": "Deny"
    +          "Effect": "Allow"
             }
           ]
    ```

    `policies.deny.targets./workloads`

    ```diff
    -  attached
    ```

    **Who.** author pending (CloudTrail can take 15 minutes; this is filled in here)

    **Choose.**

    - keep, where it is gone → remove it from the files named above, by a pull request; after the merge nothing is written
    - keep, otherwise → change the files named above to what AWS shows, by a pull request; after the merge nothing is written
    - undo → put it back in AWS by hand, or set `mode: enforce` in `landfast.yaml` and Landfast does, unless its own `--mode` forbids it
    - wait → close this issue; it stays closed until what is reported changes

    **Checked.** 4 of 4 items of the organization in full.
    "#);
}

#[test]
fn a_plan_for_one_account_is_not_about_policies() {
    let mut scene = Scene::empty();
    scene.declare("deny", policy("Deny"));
    scene.attach("deny", "payments");
    payments(&mut scene.desired).id = None;
    let only = scene.plan().only(&slug("payments"));
    assert_eq!(told(&only), "");
    assert!(only.findings.contains_key(&Item::Account(slug("payments"), AccountProperty::Exists)));
}
