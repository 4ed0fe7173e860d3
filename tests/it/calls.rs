//! What a fleet costs in calls: two sizes of it, so that what each account and each stack costs is told exactly.
//!
//! Polls of stacks under way are left out of the exact counts: how many there are depends on how long AWS takes.

use std::collections::BTreeMap;
use std::time::Duration;

use landfast::model::Outcome;
use landfast::observe::DriftLook;
use landfast::sandbox::aws::Entry;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::fleet::{Climate, Fleet, Product, daemon, slug};

const SMALL: usize = 8;
const LARGE: usize = 16;
pub(crate) const CONCURRENCY: usize = 32;
/// How long no call must have come for a daemon to be at rest.
const REST: Duration = Duration::from_millis(1500);

type Counts = BTreeMap<String, usize>;

/// A fleet that was rolled out, and what the rollout and the look that confirmed it cost.
struct Lived {
    fleet: Fleet,
    product: Product,
    rollout: Vec<Entry>,
    confirm: Vec<Entry>,
}

async fn lived(n: usize) -> Lived {
    let climate = Climate { latency: Duration::ZERO, speed: 50.0, stack_operation: Duration::ZERO };
    let fleet = Fleet::of(n, climate).await;
    let mut product = Product::start(&fleet.outside(CONCURRENCY)).await;
    let mark = fleet.mark();
    product.pass().await;
    let rollout = fleet.calls_since(mark);
    assert_eq!(fleet.whole_stacks(), 2 * n, "every stack stands");
    let mark = fleet.mark();
    product.pass().await;
    let confirm = fleet.calls_since(mark);
    Lived { fleet, product, rollout, confirm }
}

/// Calls by operation. The root's tags are asked once for all passes that are under way together, so they are apart.
fn counts(fleet: &Fleet, calls: &[Entry]) -> Counts {
    let root = fleet.aws.root_id();
    let mut counts = Counts::new();
    for entry in calls {
        let is_root = entry.params["ResourceId"] == root.as_str();
        let name = if is_root { "the root's tags".to_owned() } else { entry.operation.clone() };
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// What one account more costs, by operation; what does not grow with the accounts is not in it.
fn each(small: &Counts, large: &Counts) -> Counts {
    let grown = |(name, count): (&String, &usize)| {
        let more = count - small.get(name).copied().unwrap_or_default().min(*count);
        assert_eq!(more % (LARGE - SMALL), 0, "{name} grows unevenly: {small:?} {large:?}");
        (more > 0).then(|| (name.clone(), more / (LARGE - SMALL)))
    };
    large.iter().filter(|(name, _)| *name != "the root's tags").filter_map(grown).collect()
}

fn expected(counts: &[(&str, usize)]) -> Counts {
    counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn without_polls(mut counts: Counts) -> Counts {
    counts.remove("DescribeStacks");
    counts
}

fn writes(calls: &[Entry]) -> usize {
    calls.iter().filter(|entry| entry.is_mutating).count()
}

#[tokio::test]
async fn a_sweep_is_a_session_and_one_description_an_account_and_without_the_session_when_warm() {
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for n in [SMALL, LARGE] {
        let Lived { fleet, product, confirm, .. } = lived(n).await;
        drop(product);
        let product = Product::start(&fleet.outside(CONCURRENCY)).await;
        for sweeps in [&mut cold, &mut warm] {
            let mark = fleet.mark();
            product.look(DriftLook::LastKnown).await;
            let calls = fleet.calls_since(mark);
            assert_eq!(writes(&calls) + writes(&confirm), 0, "a converged organization is not written to");
            sweeps.push(counts(&fleet, &calls));
        }
    }
    assert_eq!(each(&cold[0], &cold[1]), expected(&[("AssumeRole", 1), ("DescribeStacks", 1)]));
    assert_eq!(each(&warm[0], &warm[1]), expected(&[("DescribeStacks", 1)]));
    assert_eq!(warm[1], warm_sweep());
}

#[tokio::test]
async fn drift_is_one_detection_a_stack_and_its_polls_are_one_description_for_all() {
    let mut sweeps = Vec::new();
    for n in [SMALL, LARGE] {
        let Lived { fleet, product, .. } = lived(n).await;
        let mark = fleet.mark();
        let reports = product.look(DriftLook::Detect).await;
        let is_checked = |finding: &landfast::model::Finding| finding.unchecked.is_empty();
        assert!(reports.iter().flat_map(|report| report.plan.findings.values()).all(is_checked));
        sweeps.push(counts(&fleet, &fleet.calls_since(mark)));
    }
    let each = each(&sweeps[0], &sweeps[1]);
    assert_eq!(each, expected(&[("DescribeStacks", 2), ("DetectStackDrift", 2)]));
}

#[tokio::test]
async fn a_rollout_is_three_calls_a_stack_and_one_proof_each_afterwards() {
    let (small, large) = (lived(SMALL).await, lived(LARGE).await);
    let of = |lived: &Lived, calls: &[Entry]| counts(&lived.fleet, calls);
    let rollout =
        each(&without_polls(of(&small, &small.rollout)), &without_polls(of(&large, &large.rollout)));
    // A session that reads and one that writes; the account's tags at first contact, and whether it is on hold.
    let expected_rollout = [
        ("AssumeRole", 2),
        ("CreateChangeSet", 2),
        ("DescribeChangeSet", 2),
        ("ExecuteChangeSet", 2),
        ("ListTagsForResource", 2),
    ];
    assert_eq!(rollout, expected(&expected_rollout));
    let confirm = each(&of(&small, &small.confirm), &of(&large, &large.confirm));
    assert_eq!(confirm, expected(&[("DescribeStacks", 1), ("GetTemplate", 2)]));
}

#[tokio::test]
async fn a_parameter_is_three_calls_a_stack_a_session_and_a_look_at_the_brake() {
    let mut changes = Vec::new();
    for n in [SMALL, LARGE] {
        let Lived { fleet, mut product, .. } = lived(n).await;
        fleet.change_parameter(60);
        product.pull().await;
        let mark = fleet.mark();
        product.pass().await;
        assert_eq!(fleet.stacks_with(60), n);
        let calls = fleet.calls_since(mark);
        let looks = calls.iter().filter(|entry| entry.operation == "DescribeStacks").count();
        assert!((2 * n..=5 * n).contains(&looks), "{looks} descriptions of {n} accounts");
        changes.push(without_polls(counts(&fleet, &calls)));
    }
    let expected_change = [
        ("AssumeRole", 1),
        ("CreateChangeSet", 1),
        ("DescribeChangeSet", 1),
        ("ExecuteChangeSet", 1),
        ("ListTagsForResource", 1),
    ];
    assert_eq!(each(&changes[0], &changes[1]), expected(&expected_change));
}

#[tokio::test]
async fn one_new_account_costs_the_others_nothing() {
    let mut costs = Vec::new();
    for n in [SMALL, LARGE] {
        let Lived { fleet, product, .. } = lived(n).await;
        drop(product);
        let (daemon, _cache) = daemon(&fleet.outside(CONCURRENCY)).await;
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(daemon.run(async { drop(stopped.await) }));
        until_rest(&fleet).await;
        let mark = fleet.mark();
        fleet.declare(&slug(0));
        until(&fleet, 2 * (n + 1)).await;
        until_rest(&fleet).await;
        let calls = fleet.calls_since(mark);
        stop.send(()).unwrap();
        running.await.unwrap().unwrap();
        let new = fleet.aws.account_by_email("aws+team-0000@example.com").unwrap();
        let elsewhere = |entry: &&Entry| entry.account != new.id && entry.service == "cloudformation";
        assert_eq!(calls.iter().filter(elsewhere).count(), 0, "no other account is looked at");
        let count = |operation: &str| calls.iter().filter(|entry| entry.operation == operation).count();
        assert_eq!((count("CreateAccount"), count("MoveAccount")), (1, 1));
        let sets = ["CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet"].map(count);
        assert_eq!((sets, count("UpdateAccountPasswordPolicy")), ([2; 3], 1));
        let polls = ["DescribeStacks", "AssumeRole", "GetAccountPasswordPolicy"];
        let is_looking = |entry: &&Entry| {
            entry.service == "organizations" && !entry.is_mutating
                || polls.contains(&entry.operation.as_str())
        };
        costs.push(calls.len() - calls.iter().filter(is_looking).count());
    }
    assert_eq!(costs[0], costs[1]);
}

/// Time passes fifty times as fast as AWS's: a second here is far longer than a look serves.
#[tokio::test]
async fn a_stack_that_moved_since_it_was_looked_at_is_not_written() {
    let Lived { fleet, mut product, .. } = lived(1).await;
    fleet.change_parameter(60);
    product.pull().await;
    let planned = product.plan(&slug(1)).await;
    let mut other = Product::start(&fleet.outside(CONCURRENCY)).await;
    other.pass().await;
    assert_eq!(fleet.stacks_with(60), 1, "another Landfast was faster");
    let mark = fleet.mark();
    let outcomes = product.apply(&planned, Duration::from_secs(1)).await;
    assert!(outcomes.values().all(|outcome| matches!(outcome, Outcome::Stale(_))), "{outcomes:?}");
    let calls = fleet.calls_since(mark);
    assert_eq!((calls.len(), calls[0].operation.as_str()), (1, "DescribeStacks"));
}

/// Proofs of an account that are on record for the next process.
#[tokio::test]
async fn a_template_is_read_again_where_its_proof_was_tampered_with_or_the_stack_moved() {
    let Lived { fleet, mut product, .. } = lived(2).await;
    let reads =
        |mark| fleet.calls_since(mark).iter().filter(|entry| entry.operation == "GetTemplate").count();
    let cold = async || {
        let product = Product::start(&fleet.outside(CONCURRENCY)).await;
        let mark = fleet.mark();
        product.look(DriftLook::LastKnown).await;
        reads(mark)
    };
    assert_eq!(cold().await, 0);
    fleet.change_parameter(60);
    product.pull().await;
    product.pass().await;
    assert_eq!(cold().await, 2, "one stack of each account has moved");
    product.pass().await;
    assert_eq!(cold().await, 0);
    fleet.forge(&format!("proof/accounts/{}.yaml", slug(1)), |text| text.replace("UPDATE_", "CREATE_"));
    assert_eq!(cold().await, 1, "what we did not sign is not believed");
}

/// Two waves, a freeze that is over, and in every account a stack that takes an output of the first one's.
fn gated(fleet: &Fleet, rollout: &str) {
    let takes = "${{ accounts['team-0001'].stacks['role'].outputs.Name }}";
    let baseline = format!(
        "targets: {{ous: [\"/\", \"/**\"]}}\nstacks:\n  \
         logs: {{template: logs.template.yaml, parameters: {{Days: \"60\", Name: \"{takes}\"}}}}\n  \
         role: {{template: role.template.yaml, capabilities: [CAPABILITY_NAMED_IAM]}}\n"
    );
    let logs = "Parameters: {Days: {Type: Number}, Name: {Type: String, MinLength: 1}}\nResources:\n  Group:\n    \
                Type: AWS::Logs::LogGroup\n    Properties: {LogGroupName: app, RetentionInDays: !Ref Days}\n  \
                Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Name}}\n";
    fleet.commit("baselines/base/logs.template.yaml", logs.to_owned());
    fleet.commit("baselines/base/baseline.yaml", baseline);
    fleet.commit("landfast.yaml", rollout.to_owned());
}

const WAVES: &str = "rollout:\n  waves:\n  - {name: first, targets: {accounts: [team-0001]}}\n  \
    - {name: rest, targets: {ous: [\"/\", \"/**\"]}}\n\
    freeze: [{from: 2020-01-01, until: 2020-01-02, reason: long ago}]\n";

/// What a converged organization costs, whatever stands in its `landfast.yaml`.
fn warm_sweep() -> Counts {
    expected(&[
        ("DescribeStacks", LARGE),
        ("ListAccounts", 1),
        ("ListCreateAccountStatus", 1),
        ("ListOrganizationalUnitsForParent", 2),
        ("ListRoots", 1),
        ("the root's tags", 1),
    ])
}

/// What a process that has just started asks, and what it asks when it looks again.
async fn asked(fleet: &Fleet) -> [Counts; 2] {
    let product = Product::start(&fleet.outside(CONCURRENCY)).await;
    let mut sweeps = [Counts::new(), Counts::new()];
    for sweep in &mut sweeps {
        let mark = fleet.mark();
        let reports = product.look(DriftLook::LastKnown).await;
        assert!(reports.iter().all(|report| report.plan.is_empty() && report.plan.blocked.is_empty()));
        *sweep = counts(fleet, &fleet.calls_since(mark));
    }
    sweeps
}

#[tokio::test]
async fn waves_freezes_and_references_cost_a_converged_organization_no_call() {
    let Lived { fleet, mut product, .. } = lived(LARGE).await;
    let without = asked(&fleet).await;
    fleet.commit("baselines/base/role.template.yaml", role_with_output());
    gated(&fleet, WAVES);
    product.pull().await;
    for _ in 0..4 {
        product.pass().await;
    }
    assert_eq!(fleet.stacks_with(60), LARGE, "all of them were given the output");
    assert_eq!(asked(&fleet).await, without);
    assert_eq!(without[1], warm_sweep());
}

/// The account to look at first is the one whose pass opens the gate for the others.
#[tokio::test]
async fn what_waits_costs_a_look_and_no_call_more() {
    let frozen = "freeze: [{from: 2020-01-01, until: 2999-01-01, reason: the shop is full}]\n";
    let asked = "rollout:\n  waves:\n  - {name: all, targets: {ous: [\"/\", \"/**\"]}, approval: true}\n";
    for rollout in [frozen, asked] {
        let Lived { fleet, mut product, .. } = lived(LARGE).await;
        fleet.commit("landfast.yaml", rollout.to_owned());
        fleet.change_parameter(60);
        product.pull().await;
        // The first pass of a process meets each account's tags once.
        product.pass().await;
        let mark = fleet.mark();
        let reports = product.pass().await;
        assert_eq!(counts(&fleet, &fleet.calls_since(mark)), warm_sweep(), "{rollout}");
        let held = reports.iter().filter(|report| report.plan.gate.is_some()).count();
        assert_eq!((held, fleet.stacks_with(60)), (LARGE, 0), "{rollout}");
        drop(product);
        rests(&fleet).await;
    }
}

/// The output that all of them wait for is one that nobody makes: the first account is only observed.
#[tokio::test]
async fn who_waits_for_an_output_is_not_looked_at_until_it_is_there() {
    let Lived { fleet, mut product, .. } = lived(LARGE).await;
    let first = fleet.aws.account_by_email("aws+team-0001@example.com").unwrap();
    let observed = format!("id: \"{}\"\nname: Company team-0001\nou: /\nmode: observe\n", first.id);
    fleet.commit("accounts/team-0001/account.yaml", observed);
    fleet.commit("baselines/base/role.template.yaml", role_with_output());
    gated(&fleet, "mode: report\n");
    product.pull().await;
    for _ in 0..2 {
        product.pass().await;
    }
    let mark = fleet.mark();
    let reports = product.pass().await;
    assert_eq!(counts(&fleet, &fleet.calls_since(mark)), warm_sweep());
    let waiting = reports.iter().filter(|report| !report.plan.waiting.is_empty()).count();
    assert_eq!((waiting, fleet.stacks_with(60)), (LARGE, 0));
    drop(product);
    rests(&fleet).await;
}

fn role_with_output() -> String {
    let role = "{Type: AWS::IAM::Role, Properties: {RoleName: NetOps, ManagedPolicyArns: [], \
                AssumeRolePolicyDocument: {Version: \"2012-10-17\", Statement: [{Effect: Allow, \
                Principal: {Service: ec2.amazonaws.com}, Action: \"sts:AssumeRole\"}]}}}";
    format!("Resources:\n  Role: {role}\nOutputs:\n  Name: {{Value: !Ref Role}}\n")
}

/// A daemon comes to rest, and then asks AWS nothing for more than a minute of AWS's time.
async fn rests(fleet: &Fleet) {
    let (daemon, _cache) = daemon(&fleet.outside(CONCURRENCY)).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(daemon.run(async { drop(stopped.await) }));
    let began = fleet.mark();
    while fleet.mark() < began + LARGE as u64 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    until_rest(fleet).await;
    let mark = fleet.mark();
    tokio::time::sleep(REST).await;
    assert_eq!(fleet.calls_since(mark), []);
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}

async fn until(fleet: &Fleet, stacks: usize) {
    let began = Instant::now();
    while fleet.whole_stacks() < stacks {
        assert!(began.elapsed() < Duration::from_mins(1), "{} stacks", fleet.whole_stacks());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) async fn until_rest(fleet: &Fleet) {
    let (mut last, mut since) = (fleet.mark(), Instant::now());
    while since.elapsed() < REST {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mark = fleet.mark();
        if mark != last {
            (last, since) = (mark, Instant::now());
        }
    }
}
