//! What is done while the list of accounts is still coming, page after page.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use landfast::model::{Scope, Verdict};
use landfast::observe::DriftLook;
use landfast::report::ScopeReport;
use landfast::sandbox::aws::{Entry, Fault, Trouble, When};

use crate::calls::{CONCURRENCY, until_rest};
use crate::fleet::{Climate, Fleet, Product};

/// Three pages with the management account.
const ACCOUNTS: usize = 45;

#[tokio::test]
async fn tags_are_read_once_each_and_while_the_list_is_still_coming() {
    let fleet = Fleet::of(ACCOUNTS, FAR).await;
    let product = Product::start(&fleet.outside(CONCURRENCY)).await;
    let mark = fleet.mark();
    product.look(DriftLook::LastKnown).await;
    let mut calls = fleet.calls_since(mark);
    // Of the organization; inside an account it is asked again whether that is on hold.
    calls.truncate(calls.iter().position(|call| call.operation == "DescribeStacks").unwrap());
    let tags_of = |at: usize| {
        let id = calls[at].params["ResourceId"].as_str().filter(|id| !id.starts_with("r-"));
        id.filter(|_| calls[at].operation == "ListTagsForResource")
    };
    let mut read = BTreeMap::new();
    (0..calls.len()).filter_map(tags_of).for_each(|id| *read.entry(id).or_insert(0) += 1);
    assert_eq!(
        read.len(),
        ACCOUNTS,
        "every account but the management account, which only an id makes a folder's"
    );
    assert!(read.values().all(|times| *times == 1), "{read:?}");
    let last_page = calls.iter().rposition(|call| call.operation == "ListAccounts").unwrap();
    let before = (0..last_page).filter_map(tags_of).count();
    assert!(before > 0, "nothing was read before the last page was asked for");
}

/// How often each account was entered and described, and which of the two was done before the last page was asked for.
fn looks(calls: &[Entry]) -> (BTreeMap<String, usize>, BTreeSet<&str>) {
    let (mut looks, mut ahead) = (BTreeMap::new(), BTreeSet::new());
    let last_page = calls.iter().rposition(|call| call.operation == "ListAccounts").unwrap();
    for (at, call) in calls.iter().enumerate() {
        let operation = call.operation.as_str();
        let what = match operation {
            "AssumeRole" => call.params["RoleArn"].as_str().unwrap(),
            "DescribeStacks" => &call.account,
            _ => continue,
        };
        ahead.extend((at < last_page).then_some(operation));
        *looks.entry(format!("{operation} {what}")).or_default() += 1;
    }
    (looks, ahead)
}

/// A fleet that is as git says, and a process that has not looked at it yet.
async fn settled(climate: Climate) -> (Fleet, Product) {
    let fleet = Fleet::of(ACCOUNTS, climate).await;
    let mut product = Product::start(&fleet.outside(CONCURRENCY)).await;
    product.pass().await;
    product.pass().await;
    drop(product);
    let product = Product::start(&fleet.outside(CONCURRENCY)).await;
    (fleet, product)
}

const FAR: Climate =
    Climate { latency: Duration::from_millis(30), speed: 50.0, stack_operation: Duration::ZERO };
const NEAR: Climate = Climate { latency: Duration::ZERO, ..FAR };

fn is_quiet(report: &ScopeReport) -> bool {
    report.plan.findings.values().all(|finding| finding.verdict == Verdict::InSync)
}

#[tokio::test]
async fn a_look_describes_whom_it_knows_once_each_and_while_the_list_is_still_coming() {
    let (fleet, product) = settled(FAR).await;
    // Of three pages the last one is asked for when the first sessions of a cold look are just there.
    for (sessions, what) in [(ACCOUNTS, "AssumeRole"), (0, "DescribeStacks")] {
        let mark = fleet.mark();
        let reports = product.look(DriftLook::LastKnown).await;
        assert_eq!(reports.iter().filter(|report| is_quiet(report)).count(), ACCOUNTS + 1, "{what}");
        let calls = fleet.calls_since(mark);
        let (looks, ahead) = looks(&calls);
        assert_eq!(looks.len(), ACCOUNTS + sessions, "{what}: {looks:?}");
        assert!(looks.values().all(|times| *times == 1), "{what}: {looks:?}");
        assert!(ahead.contains(what), "{ahead:?} before the last page was asked for");
    }
}

#[tokio::test]
async fn whose_description_fails_is_a_gap_in_that_look_alone_and_nobody_else_is() {
    let (fleet, product) = settled(NEAR).await;
    product.look(DriftLook::LastKnown).await;
    let account = fleet.aws.account_by_email("aws+team-0007@example.com").unwrap();
    fleet.aws.add_fault(Fault {
        operation: "DescribeStacks".into(),
        account: Some(account.id),
        trouble: Trouble::Refuse(403, "AccessDenied".to_owned(), "not you".to_owned()),
        when: When::Next(1),
    });
    let troubled = |reports: &[ScopeReport]| -> Vec<String> {
        reports.iter().filter(|report| !is_quiet(report)).map(|report| report.scope.to_string()).collect()
    };
    let reports = product.look(DriftLook::LastKnown).await;
    assert_eq!(troubled(&reports), ["accounts/team-0007"]);
    assert_eq!(unread(&reports), 1);
    assert_eq!(troubled(&product.look(DriftLook::LastKnown).await), [""; 0]);
}

#[tokio::test]
async fn who_may_write_or_has_drift_detected_describes_after_the_list_is_whole() {
    let (fleet, mut product) = settled(FAR).await;
    product.pass().await;
    for detects in [false, true] {
        let mark = fleet.mark();
        if detects {
            product.look(DriftLook::Detect).await;
        } else {
            product.pass().await;
        }
        let calls = fleet.calls_since(mark);
        let (looks, ahead) = looks(&calls);
        assert_eq!((looks.len(), ahead), (ACCOUNTS, BTreeSet::new()), "{looks:?}");
    }
}

#[tokio::test]
async fn who_lets_nobody_in_is_asked_once_in_a_look() {
    let (fleet, product) = settled(NEAR).await;
    fleet.aws.add_fault(Fault {
        operation: "AssumeRole".into(),
        account: None,
        trouble: Trouble::Refuse(403, "AccessDenied".to_owned(), "not you".to_owned()),
        when: When::Every,
    });
    let mark = fleet.mark();
    let reports = product.look(DriftLook::LastKnown).await;
    let calls = fleet.calls_since(mark);
    let (looks, _) = looks(&calls);
    assert_eq!((looks.len(), looks.values().sum::<usize>()), (ACCOUNTS, ACCOUNTS), "{looks:?}");
    assert_eq!(unread(&reports), ACCOUNTS);
}

/// Accounts of which nothing is known.
fn unread(reports: &[ScopeReport]) -> usize {
    let of_account = reports.iter().filter(|report| report.scope != Scope::Organization);
    let is_unread = |report: &&ScopeReport| {
        let mut findings = report.plan.findings.values();
        findings.len() > 0 && findings.all(|finding| finding.verdict == Verdict::Gap)
    };
    of_account.filter(is_unread).count()
}

#[tokio::test]
async fn who_is_known_is_looked_at_while_the_rest_is_listed_and_nobody_else_before_the_list_is_whole() {
    // Of the three pages the third does not come.
    let broken = |fleet: &Fleet| {
        fleet.aws.add_fault(Fault {
            operation: "ListAccounts".into(),
            account: None,
            trouble: Trouble::Refuse(400, "AccessDeniedException".to_owned(), "not you".to_owned()),
            when: When::After(2),
        });
    };
    let fleet = Fleet::of(ACCOUNTS, NEAR).await;
    let product = Product::start(&fleet.outside(CONCURRENCY)).await;
    broken(&fleet);
    let mark = fleet.mark();
    product.look(DriftLook::LastKnown).await;
    until_rest(&fleet).await;
    assert_eq!(looks(&fleet.calls_since(mark)).0, BTreeMap::new(), "nobody was kept before");
    drop(product);

    // Who may write enters them, and describes nobody.
    let (fleet, mut product) = settled(NEAR).await;
    broken(&fleet);
    let mark = fleet.mark();
    product.pass().await;
    until_rest(&fleet).await;
    let calls = fleet.calls_since(mark);
    let count = |operation: &str| calls.iter().filter(|entry| entry.operation == operation).count();
    let entered = count("AssumeRole");
    assert!((38..=40).contains(&entered), "{entered} accounts stand on two pages");
    assert_eq!(count("DescribeStacks"), 0, "without the list nothing is known of them");
    drop(product);

    let (fleet, product) = settled(FAR).await;
    product.look(DriftLook::LastKnown).await;
    broken(&fleet);
    let mark = fleet.mark();
    let reports = product.look(DriftLook::LastKnown).await;
    until_rest(&fleet).await;
    let looks = fleet.calls_since(mark).into_iter().filter(|entry| entry.operation == "DescribeStacks");
    let count = looks.count();
    assert!((1..=40).contains(&count), "{count} were looked at, and 40 stand on two pages");
    assert_eq!(unread(&reports), ACCOUNTS, "without the list nothing is known of anybody");
}
