//! Policies go to the first OU before they go anywhere else: what a plan does, and what it holds back and why.

use std::collections::BTreeSet;

use landfast::model::{
    Base, Desired, Facts, Observed, OrganizationFacts, OuFact, OuPath, Plan, PolicyFact, PolicyName,
    PolicyTarget, Scope, Sight, Source,
};
use landfast::plan::{Guards, Rules, plan};

use super::*;

const FILE: &str = "organization/policies/service-control-policy/deny-leaving.json";
const REPOSITORY: &str = "landfast.yaml";
const DENY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}]}"#;
const TO_PROD: &str = "attach policies.deny-leaving.targets./workloads/prod";
const TO_NONPROD: &str = "attach policies.deny-leaving.targets./workloads/nonprod";
const HOUR: i64 = 3600;

/// What is wanted with this said under `rollout.policies`, the policy being attached to these two OUs or one of them.
fn wanting(more: &str, attached: [bool; 2], content: &str) -> Desired {
    let at = |is_attached: bool| if is_attached { "{policies: [deny-leaving]}" } else { "{}" };
    let [nonprod, prod] = attached.map(at);
    let organization =
        ORGANIZATION.replace("prod: {}, nonprod: {}", &format!("prod: {prod}, nonprod: {nonprod}"));
    let repository = format!("rollout: {{policies: {{firstOu: /workloads/nonprod{more}}}}}\n");
    loaded(&[("organization/organization.yaml", &organization), (FILE, content), (REPOSITORY, &repository)])
}

/// A converged organization, but for what a test takes out of it.
struct Paper {
    desired: Desired,
    base: Base,
    items: BTreeMap<Item, Sight>,
    now: i64,
    guards: Guards,
    /// Whether the accounts are known by their ids.
    claims: bool,
    /// What AWS says of where the policy is attached; nothing where that is just what the items say.
    targets: Option<Result<BTreeSet<String>, String>>,
}

impl Paper {
    fn converged(desired: Desired) -> Self {
        let values = desired.items(&Scope::Organization).into_iter().map(|(item, it)| (item, it.value));
        let values: BTreeMap<_, _> = values.collect();
        let items =
            values.iter().map(|(item, value)| (item.clone(), Sight::present(value.clone()))).collect();
        let (base, guards) = (Base::of(values), Guards::default());
        Self { desired, base, items, now: 0, guards, claims: false, targets: None }
    }

    /// Nothing of these items is there, and nothing was ever agreed of them.
    fn without(mut self, items: &[&str]) -> Self {
        for item in items {
            let item: Item = item.parse().unwrap();
            self.base.items.remove(&item);
            self.items.insert(item, Sight::Absent);
        }
        self
    }

    fn plan(&self) -> Plan {
        let ous = self.desired.organization.ous.keys().cloned().chain([OuPath::root()]);
        let name = PolicyName::parse("deny-leaving").unwrap();
        let claimed = [(slug("two"), landfast::model::AccountId::parse("111122223333").unwrap())];
        let facts = OrganizationFacts {
            ous: ous.map(|path| (path.clone(), OuFact { id: path.to_string() })).collect(),
            policies: [(name, PolicyFact { id: "p-1".to_owned(), owned: Ok(()), targets: self.targets() })]
                .into(),
            claimed: claimed.into_iter().filter(|_| self.claims).collect(),
            ..OrganizationFacts::default()
        };
        let facts = Facts::Organization(facts);
        let observed = Observed { scope: Scope::Organization, items: self.items.clone(), facts, hold: None };
        let rules = Rules { now: self.now, guards: self.guards.clone(), ..crate::paper::rules() };
        plan(&Scope::Organization, &self.desired, &self.base, &observed, &rules)
    }

    /// The OUs that the policy is attached to, whose ids are their paths here.
    fn targets(&self) -> Result<BTreeSet<String>, String> {
        let attached = self.items.iter().filter_map(|(item, sight)| match (item, sight) {
            (Item::Attachment(_, PolicyTarget::Ou(path)), Sight::Present { .. }) => Some(path.to_string()),
            _ => None,
        });
        self.targets.clone().unwrap_or_else(|| Ok(attached.collect()))
    }

    /// A pass that comes so much later, in which every step is done.
    fn pass(&mut self, later: i64) -> Plan {
        self.now += later;
        let plan = self.plan();
        self.base.ties = plan.ties.clone();
        for step in &plan.steps {
            let value = plan.findings[&step.item].desired.clone().unwrap();
            self.items.insert(step.item.clone(), Sight::present((*value).clone()));
            self.base.items.insert(step.item.clone(), value);
        }
        plan
    }
}

fn steps(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.id.0.as_str()).collect()
}

fn held(plan: &Plan) -> Vec<(String, bool)> {
    plan.blocked.iter().map(|it| (format!("{}: {}", it.item, it.because), it.needs_person)).collect()
}

const BOTH: [&str; 2] =
    ["policies.deny-leaving.targets./workloads/prod", "policies.deny-leaving.targets./workloads/nonprod"];

#[test]
fn a_policy_is_attached_elsewhere_once_it_was_watched_in_the_first_ou() {
    let mut paper = Paper::converged(wanting(", soak: 1h", [true, true], DENY)).without(&BOTH);
    let first = paper.pass(1000);
    assert_eq!(steps(&first), [TO_NONPROD]);
    insta::assert_snapshot!(held(&first)[0].0, @r#"
    policies.deny-leaving.targets./workloads/prod: policies.deny-leaving has to be in place in /workloads/nonprod first
    "#);
    assert_eq!(first.gate.unwrap().again, None);
    // It is watched from the moment at which it is seen to be there.
    let second = paper.pass(60);
    insta::assert_snapshot!(held(&second)[0].0, @r#"
    policies.deny-leaving.targets./workloads/prod: policies.deny-leaving is tried in /workloads/nonprod first, and watched there until 1970-01-01 01:17 UTC
    "#);
    assert_eq!((steps(&second), second.gate.as_ref().unwrap().again), (vec![], Some(1060 + HOUR)));
    assert_eq!(steps(&paper.pass(HOUR - 1)), Vec::<&str>::new());
    assert_eq!(steps(&paper.pass(1)), [TO_PROD]);
    let end = paper.pass(1);
    assert_eq!((steps(&end), held(&end), &end.gate), (vec![], vec![], &None));
}

#[test]
fn with_the_record_lost_a_policy_is_watched_anew() {
    let mut paper = Paper::converged(wanting(", soak: 1h", [true, true], DENY)).without(&BOTH[..1]);
    paper.pass(1000);
    let kept = paper.base.ties.clone();
    paper.base.ties.clear();
    assert_eq!(paper.pass(HOUR).gate.unwrap().again, Some(1000 + 2 * HOUR));
    paper.base.ties = kept;
    assert_eq!(steps(&paper.pass(0)), [TO_PROD]);
}

#[test]
fn an_account_that_is_yet_to_be_moved_into_the_first_ou_is_not_in_it() {
    let mut desired = wanting("", [false, false], DENY);
    let name = PolicyName::parse("deny-leaving").unwrap();
    let target = "two".to_owned().try_into().unwrap();
    desired.organization.policies.attachments.insert((name, target), Source::default());
    let mut paper = Paper::converged(desired).without(&["policies.deny-leaving.targets.two"]);
    paper.claims = true;
    assert_eq!(steps(&paper.plan()), ["attach policies.deny-leaving.targets.two"]);
    let place: Item = "accounts.two.ou".parse().unwrap();
    paper.items.insert(place, Sight::present(json!("/workloads/prod")));
    let plan = paper.plan();
    assert!(!steps(&plan).contains(&"attach policies.deny-leaving.targets.two"), "{:?}", plan.steps);
}

#[test]
fn what_changes_while_it_is_tried_is_watched_anew() {
    let mut paper = Paper::converged(wanting(", soak: 1h", [true, true], DENY)).without(&BOTH[..1]);
    paper.pass(1000);
    let other = DENY.replace("LeaveOrganization", "CloseAccount");
    paper.desired = wanting(", soak: 1h", [true, true], &other);
    let update = paper.pass(HOUR - 10);
    assert_eq!(steps(&update), ["update policies.deny-leaving"], "it is nowhere but in the first OU");
    assert_eq!(steps(&paper.pass(10)), Vec::<&str>::new());
    assert_eq!(steps(&paper.pass(HOUR)), [TO_PROD]);
}

#[test]
fn what_was_changed_without_being_recorded_is_watched_anew() {
    let mut paper = Paper::converged(wanting(", soak: 1h", [true, true], DENY)).without(&BOTH[..1]);
    paper.pass(1000);
    // A commit changed the policy, AWS has it, and nobody came to write that down.
    paper.desired = wanting(", soak: 1h", [true, true], &DENY.replace("LeaveOrganization", "CloseAccount"));
    let policy: Item = "policies.deny-leaving".parse().unwrap();
    let changed = paper.desired.items(&Scope::Organization)[&policy].value.clone();
    paper.items.insert(policy.clone(), Sight::present(changed.clone()));
    assert_eq!(paper.pass(HOUR).gate.unwrap().again, Some(1000 + 2 * HOUR));
    paper.base.items.insert(policy, changed.into());
    assert_eq!(steps(&paper.pass(HOUR)), [TO_PROD]);
}

#[test]
fn a_change_that_would_reach_everybody_at_once_waits_for_an_operator() {
    let mut paper = Paper::converged(wanting("", [true, true], DENY));
    paper.desired = wanting("", [true, true], &DENY.replace("LeaveOrganization", "CloseAccount"));
    let plan = paper.plan();
    assert_eq!((steps(&plan), held(&plan)[0].1), (vec![], true));
    insta::assert_snapshot!(held(&plan)[0].0, @r#"
    policies.deny-leaving: AWS would change it everywhere at once, on /workloads/prod too, and policies are tried in /workloads/nonprod first: give the new text a name of its own and attach that, or after a look at what it would do, start Landfast with --approve 0000000000000000000000000000000000000000
    "#);
    paper.guards.approved.insert(paper.desired.revision.clone());
    assert_eq!(steps(&paper.plan()), ["update policies.deny-leaving"]);
}

/// A new text of a policy that git attaches in the first OU only; what AWS says of its targets is left to the test.
fn new_text(targets: Result<BTreeSet<String>, String>) -> Plan {
    let mut paper = Paper::converged(wanting("", [true, false], DENY));
    paper.desired = wanting("", [true, false], &DENY.replace("LeaveOrganization", "CloseAccount"));
    paper.targets = Some(targets);
    paper.plan()
}

#[test]
fn while_nobody_knows_where_a_policy_is_attached_its_text_is_not_changed() {
    let plan = new_text(Err("Rate exceeded".to_owned()));
    assert_eq!(steps(&plan), Vec::<&str>::new());
    insta::assert_snapshot!(held(&plan)[0].0, @"policies.deny-leaving: where policies.deny-leaving is attached could not be read: Rate exceeded");
}

#[test]
fn what_others_attached_beyond_the_first_ou_keeps_the_text_as_it_is_too() {
    let at = |ids: &[&str]| Ok(ids.iter().map(|id| (*id).to_owned()).collect());
    assert_eq!(steps(&new_text(at(&["/workloads/nonprod"]))), ["update policies.deny-leaving"]);
    for (id, told) in
        [("/", "on / too"), ("/workloads/prod", "on /workloads/prod too"), ("999", "account 999 too")]
    {
        let plan = new_text(at(&["/workloads/nonprod", id]));
        assert_eq!(steps(&plan), Vec::<&str>::new());
        assert!(held(&plan)[0].0.contains(told), "{:?}", held(&plan));
    }
}

#[test]
fn a_policy_that_is_not_attached_in_the_first_ou_is_attached_nowhere_else() {
    let mut paper = Paper::converged(wanting("", [false, true], DENY)).without(&BOTH[..1]);
    let plan = paper.plan();
    assert_eq!((steps(&plan), held(&plan)[0].1), (vec![], true));
    insta::assert_snapshot!(held(&plan)[0].0, @r#"
    policies.deny-leaving.targets./workloads/prod: policies are tried in /workloads/nonprod first (`firstOu` in landfast.yaml:1), and nothing attaches policies.deny-leaving there: attach it there too, or after a look at what it would do, start Landfast with --approve 0000000000000000000000000000000000000000
    "#);
    paper.guards.approved.insert(paper.desired.revision.clone());
    assert_eq!(steps(&paper.plan()), [TO_PROD]);
}

#[test]
fn with_approval_asked_for_an_operator_ends_the_trial_and_does_not_shorten_it() {
    let desired = wanting(", soak: 1h, approval: true", [true, true], DENY);
    let mut paper = Paper::converged(desired).without(&BOTH[..1]);
    paper.guards.approved.insert(paper.desired.revision.clone());
    assert_eq!(steps(&paper.pass(1000)), Vec::<&str>::new());
    paper.guards.approved.clear();
    let plan = paper.pass(HOUR);
    assert_eq!((steps(&plan), held(&plan)[0].1), (vec![], true));
    insta::assert_snapshot!(held(&plan)[0].0, @r#"
    policies.deny-leaving.targets./workloads/prod: policies.deny-leaving was tried in /workloads/nonprod, and waits for an operator: after a look at what it would do, start Landfast with --approve 0000000000000000000000000000000000000000
    "#);
    paper.guards.approved.insert(paper.desired.revision.clone());
    assert_eq!(steps(&paper.pass(1)), [TO_PROD]);
}

#[test]
fn what_somebody_detached_is_put_back_without_a_trial() {
    let mut paper = Paper::converged(wanting(", soak: 1h", [true, true], DENY));
    paper.desired.organization.policies.mode = Mode::Enforce;
    let item: Item = BOTH[0].parse().unwrap();
    paper.items.insert(item.clone(), Sight::Absent);
    let plan = paper.plan();
    assert_eq!(plan.findings[&item].verdict, landfast::model::Verdict::Drift);
    assert_eq!((steps(&plan), held(&plan), &plan.gate), (vec![TO_PROD], vec![], &None));
}

#[test]
fn a_first_ou_that_is_not_there_or_is_everything_is_refused() {
    insta::assert_snapshot!(faults(&[(REPOSITORY, "rollout: {policies: {firstOu: /workload/nonprod}}\n")]), @r#"
    error: there is no OU `/workload/nonprod`
     --> landfast.yaml:1:31
      |
    1 | rollout: {policies: {firstOu: /workload/nonprod}}
      |                               ^
      = hint: did you mean `/workloads/nonprod`?
    "#);
    insta::assert_snapshot!(faults(&[(REPOSITORY, "rollout: {policies: {firstOu: /, soak: 9d}}\n")]), @r#"
    error: the root is everything there is, so nothing comes after it
     --> landfast.yaml:1:31
      |
    1 | rollout: {policies: {firstOu: /, soak: 9d}}
      |                               ^
      = hint: an OU that is not missed when a policy is wrong, such as /sandbox

    error: `9d` is not a time to watch a wave for
     --> landfast.yaml:1:40
      |
    1 | rollout: {policies: {firstOu: /, soak: 9d}}
      |                                        ^
      = hint: such as 30m, 4h or 1d, at most 7d
    "#);
    assert!(faults(&[(REPOSITORY, "rollout: {}\n")]).contains("waves"));
}
