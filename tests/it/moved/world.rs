//! A company of one account that is as git says, a commit that asks for something else, and the plan for that.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use landfast::apply::{Brake, Freezes, Progress, Site, apply};
use landfast::daemon::Daemon;
use landfast::follow::{Accepted, News};
use landfast::model::{
    Base, Facts, Freeze, Observed, OrganizationFacts, OuPath, Outcome, Plan, PlannedStep, Scope, Slug,
    Source, Value, Window,
};
use landfast::observe::DriftLook;
use landfast::reconcile::{self, Task, sweep::Sweep};
use landfast::sandbox::aws::{Entry, KnownAccount, KnownPolicy, KnownStack};
use landfast::sandbox::stage::{Scenery, Stage};
use tempfile::TempDir;
use tokio::time::Instant;

use super::cases::Change;
use crate::saml::{METADATA, OTHER, signed_by};

pub(super) const HOME: &str = "eu-west-1";
/// How much faster than AWS time passes: what serves for five seconds there serves for 25 milliseconds.
const SPEED: f64 = 200.0;
const ACCOUNT: &str = "accounts/alpha/account.yaml";
const ORGANIZATION: &str = "organization/organization.yaml";
const TEMPLATE: &str = "accounts/alpha/topic.template.yaml";

/// What there is, and what Landfast would do about it.
pub(super) struct World {
    pub(super) stage: Stage,
    pub(super) id: String,
    pub(super) plan: Plan,
    observed: Observed,
    organization: OrganizationFacts,
    accepted: Accepted,
    daemon: Daemon,
    _folder: TempDir,
}

/// All that Landfast could have changed.
#[derive(Debug, PartialEq)]
pub(super) struct Truth {
    accounts: Vec<KnownAccount>,
    ous: BTreeMap<String, String>,
    policy: Option<Value>,
    alias: Option<String>,
    providers: BTreeMap<String, String>,
    stacks: Vec<KnownStack>,
    guardrails: (Vec<KnownPolicy>, BTreeMap<String, String>),
}

impl Truth {
    pub(super) fn of(world: &World) -> Self {
        let (aws, id) = (&world.stage.aws, &world.id);
        // What is deleted stays on AWS's list for a while.
        let is_there = |stack: &KnownStack| stack.status != "DELETE_COMPLETE";
        Self {
            accounts: aws.accounts(),
            ous: aws.ous(),
            policy: aws.password_policy(id),
            alias: aws.alias(id),
            providers: aws.saml_providers(id),
            stacks: aws.stacks(id).into_iter().filter(is_there).collect(),
            guardrails: (aws.policies(), aws.policy_types()),
        }
    }
}

fn organization(ous: &str) -> String {
    format!(
        "id: o-exampleorgid\nmanagementAccount: \"999988887777\"\nhomeRegion: eu-west-1\n\
         access: {{role: OrganizationAccountAccessRole, managementRole: LandfastManagement}}\n\
         accountDefaults: {{email: \"aws+${{{{ account.slug }}}}@example.com\"}}\nous: {ous}\n"
    )
}

/// The organization's file with the policy attached to these of its OUs.
fn guarded(at: &[&str]) -> String {
    let ou = |name: &str| format!("{name}: {{{}}}", if at.contains(&name) { "policies: [stay]" } else { "" });
    let ous = ["workloads", "special", "other"].map(ou).join(", ");
    organization(&format!("{{{ous}}}")) + "onLeave: remove\n"
}

pub(super) const GUARDRAIL: &str = "organization/policies/service-control-policy/stay.json";

pub(super) fn guardrail(action: &str) -> String {
    let statement = format!(r#"{{"Effect": "Deny", "Action": "organizations:{action}", "Resource": "*"}}"#);
    format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#)
}

/// The policy of the organization before the commit, and where it is attached.
fn guarded_before(change: Change) -> Vec<(&'static str, String)> {
    let file = || (GUARDRAIL, guardrail("LeaveOrganization"));
    match change {
        Change::OtherGuardrail | Change::GuardrailHereToo => {
            vec![(ORGANIZATION, guarded(&["special"])), file()]
        }
        Change::GuardrailNotHere => vec![(ORGANIZATION, guarded(&["special", "other"])), file()],
        Change::NoGuardrail => vec![(ORGANIZATION, guarded(&[])), file()],
        _ => Vec::new(),
    }
}

const OUS: &str = "{workloads: {}, special: {}, other: {}}";

/// The account's file: where it is, its tag, and what is in it.
fn account(id: &str, ou: &str, tags: &str, inside: &str) -> String {
    format!("id: \"{id}\"\nname: Company alpha\nou: {ou}\ntags: {tags}\nonLeave: remove\n{inside}")
}

/// Settings and a stack that are in place before the change.
fn inside(policy: &str, alias: &str, provider: &str, stack: &str) -> String {
    format!("settings: {{{policy}{alias}{provider}}}\nstacks: {{{stack}}}\n")
}

const POLICY: &str = "passwordPolicy: {minimumLength: 14}, ";
const ALIAS: &str = "accountAlias: acme-alpha, ";
const PROVIDER: &str = "samlProviders: {ADFS: {metadata: adfs.xml}}";
const STACK: &str = "topic: {template: topic.template.yaml}";

pub(super) fn template(name: &str) -> String {
    format!("Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Properties: {{TopicName: {name}}}\n")
}

/// What is declared before the commit; what is new in it is missing yet.
fn before(change: Change, id: &str) -> String {
    let policy = if change == Change::NewPolicy { "" } else { POLICY };
    let alias = if change == Change::NewAlias { "" } else { ALIAS };
    let provider = if change == Change::NewProvider { "" } else { PROVIDER };
    let is_later = matches!(change, Change::NewStack | Change::FailedStack);
    let stack = if is_later { "" } else { STACK };
    account(id, "/", "{owner: alpha}", &inside(policy, alias, provider, stack))
}

/// The files that the commit changes.
fn commit(change: Change, id: &str) -> Vec<(&'static str, String)> {
    let of = |ou: &str, tags: &str, inside: String| vec![(ACCOUNT, account(id, ou, tags, &inside))];
    let same = |inside: String| of("/", "{owner: alpha}", inside);
    let all = || inside(POLICY, ALIAS, PROVIDER, STACK);
    match change {
        Change::NewOu => {
            vec![(ORGANIZATION, organization("{workloads: {}, special: {}, other: {}, new: {}}"))]
        }
        Change::NewOuInOu => {
            vec![(ORGANIZATION, organization("{workloads: {}, special: {ous: {new: {}}}, other: {}}"))]
        }
        Change::NewAccount => {
            vec![("accounts/beta/account.yaml", "name: Company beta\nou: /\n".to_owned())]
        }
        Change::NewGuardrail => {
            vec![(ORGANIZATION, guarded(&["special"])), (GUARDRAIL, guardrail("LeaveOrganization"))]
        }
        Change::OtherGuardrail => vec![(GUARDRAIL, guardrail("CloseAccount"))],
        Change::GuardrailHereToo => vec![(ORGANIZATION, guarded(&["special", "other"]))],
        Change::GuardrailNotHere => vec![(ORGANIZATION, guarded(&["special"]))],
        Change::NoGuardrail => Vec::new(),
        Change::OtherOu => of("/special", "{owner: alpha}", all()),
        Change::OtherTag => of("/", "{owner: beta}", all()),
        Change::NewTag => of("/", "{owner: alpha, team: red}", all()),
        Change::OtherPolicy => same(all().replace("14", "16")),
        Change::OtherAlias => same(all().replace("acme-alpha", "acme-omega")),
        Change::OtherProvider => vec![("accounts/alpha/adfs.xml", signed_by(OTHER))],
        Change::OtherStack => vec![(TEMPLATE, template("two"))],
        Change::NewPolicy
        | Change::NewAlias
        | Change::NewProvider
        | Change::NewStack
        | Change::FailedStack => same(all()),
        Change::NoPolicy => same(inside("", ALIAS, PROVIDER, STACK)),
        Change::NoAlias => same(inside(POLICY, "", PROVIDER, STACK)),
        Change::NoProvider => same(inside(POLICY, ALIAS, "", STACK)),
        Change::NoStack => same(inside(POLICY, ALIAS, PROVIDER, "")),
    }
}

impl World {
    /// Brings the account to where the commit finds it, then plans for the commit.
    pub(super) async fn of(change: Change) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repository = folder.path().join("repository");
        write(&repository.join(ORGANIZATION), &organization(OUS));
        let stage = Stage::set(folder.path(), &repository, Scenery::fast(SPEED)).await.unwrap();
        let id = stage.aws.add_account("Company alpha", "aws+alpha@example.com");
        let first = [
            (ACCOUNT, before(change, &id)),
            (TEMPLATE, template("one")),
            ("accounts/alpha/adfs.xml", METADATA.to_owned()),
        ];
        put(&stage, &first);
        put(&stage, &guarded_before(change));
        let mut daemon = stage.daemon(Progress::default(), None).await.unwrap();
        let mut accepted = newest(&mut daemon).await;
        let mut bases = settled(&daemon, &accepted, BTreeMap::new()).await;
        put(&stage, &commit(change, &id));
        if change == Change::NoGuardrail {
            stage.commit(&[(GUARDRAIL.to_owned(), None)].into(), "Without it").unwrap();
        }
        accepted = newest(&mut daemon).await;
        if change == Change::FailedStack {
            stage.aws.fail_resource(&id, HOME, "Topic", "the quota for topics is used up");
            bases = passed(&daemon, &accepted, bases).await;
            // What has failed is not tried again as it is.
            put(&stage, &[(TEMPLATE, template("two"))]);
            accepted = newest(&mut daemon).await;
        }
        let organization = look(&daemon, &accepted, &bases, &Scope::Organization, None).await;
        let Facts::Organization(facts) = organization.0.facts.clone() else { panic!("the organization") };
        let alpha = Scope::Account(Slug::parse("alpha").unwrap());
        let is_outside = !organization.1.is_empty();
        let (observed, plan) = if is_outside {
            organization
        } else {
            look(&daemon, &accepted, &bases, &alpha, Some(&facts)).await
        };
        Self { stage, id, plan, observed, organization: facts, accepted, daemon, _folder: folder }
    }

    /// A freeze of the account begins now, whatever was planned.
    pub(super) fn freeze(&mut self) {
        let now = self.daemon.world.clock.now().as_second();
        let freeze = Freeze {
            window: Window::Once { from: now, until: now + 3600 },
            zone: jiff::tz::TimeZone::UTC,
            reason: "the shop is full".to_owned(),
            accounts: Some([Slug::parse("alpha").unwrap()].into()),
            source: Source::default(),
        };
        Arc::make_mut(&mut self.accepted.desired).rollout.freezes.push(freeze);
    }

    /// Takes this one step, of a pass that began to look so long ago, and tells what was called for it.
    pub(super) async fn apply(&mut self, step: &PlannedStep, age: Duration) -> (Outcome, Vec<Entry>) {
        let desired = &self.accepted.desired;
        let access = &desired.organization.access;
        let writers = &self.daemon.hands.as_ref().unwrap().writers;
        let (account, (reader, writer)) = match &self.observed.facts {
            Facts::Organization(_) => (None, writers.management(&desired.organization, &desired.revision)),
            Facts::Account(facts) => {
                let id = facts.id.clone().unwrap();
                let sides = writers.account(&id, access, &desired.revision);
                (Some(id), sides)
            }
        };
        let root = self.organization.ous[&OuPath::root()].id.clone();
        let management = self.daemon.world.readers.management(&desired.organization);
        let mark = self.stage.aws.log().last().map_or(0, |entry| entry.sequence);
        let began = Instant::now() - age;
        let brake = Brake::new(management, account, root, Arc::default(), began);
        let site = Site {
            reader,
            writer,
            brake: &brake,
            freezes: Freezes { rollout: &desired.rollout, clock: self.daemon.world.clock },
            began,
            facts: &self.observed.facts,
            role: access.role.clone(),
            progress: Progress::default(),
            patience: Duration::from_mins(10),
        };
        let alone = PlannedStep { needs: [].into(), ..step.clone() };
        let plan = Plan { steps: vec![alone], ..self.plan.clone() };
        let outcomes = apply(&plan, &site).await;
        let calls = self.stage.aws.log().into_iter().filter(|entry| entry.sequence > mark).collect();
        (outcomes[&step.id].clone(), calls)
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn put(stage: &Stage, files: &[(&str, String)]) {
    let bytes = |text: &String| Some(text.clone().into_bytes());
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), bytes(text))).collect();
    stage.commit(&files, "Change").unwrap();
}

async fn newest(daemon: &mut Daemon) -> Accepted {
    let News::Accepted(accepted) = daemon.follow.look().await.unwrap() else { panic!("it does not load") };
    accepted
}

type Bases = BTreeMap<Scope, Arc<Base>>;

/// Passes over everything until nothing is left to do.
async fn settled(daemon: &Daemon, accepted: &Accepted, bases: Bases) -> Bases {
    let mut sweep = Sweep::new(&daemon.world, accepted, bases, 4);
    for _ in 0..10 {
        sweep.pass(daemon.hands.as_ref()).await;
        if sweep.reports().all(|report| report.plan.is_empty() && report.plan.blocked.is_empty()) {
            return agreed(&sweep);
        }
        // AWS takes its time over some things.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never settles: {:?}", sweep.reports().collect::<Vec<_>>());
}

/// One pass over everything.
async fn passed(daemon: &Daemon, accepted: &Accepted, bases: Bases) -> Bases {
    let mut sweep = Sweep::new(&daemon.world, accepted, bases, 4);
    sweep.pass(daemon.hands.as_ref()).await;
    agreed(&sweep)
}

fn agreed(sweep: &Sweep<'_>) -> Bases {
    let records = sweep.edition().records.into_iter();
    records.map(|record| (record.scope.clone(), Arc::clone(&record.base))).collect()
}

async fn look(
    daemon: &Daemon,
    accepted: &Accepted,
    bases: &Bases,
    scope: &Scope,
    organization: Option<&OrganizationFacts>,
) -> (Observed, Plan) {
    let none = Arc::default();
    let base = bases.get(scope).unwrap_or(&none);
    let task = Task { scope, accepted, base, organization, drift: DriftLook::LastKnown, ahead: None };
    reconcile::look(&daemon.world, &task).await
}
