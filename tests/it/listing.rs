//! What is done while the list of accounts is still coming, page after page.

use std::collections::BTreeMap;
use std::time::Duration;

use landfast::observe::DriftLook;
use landfast::sandbox::aws::{Calls, Fault, Trouble, When};

use crate::calls::{CONCURRENCY, until_rest};
use crate::fleet::{Climate, Fleet, Product};

/// Three pages with the management account.
const ACCOUNTS: usize = 45;

#[tokio::test]
async fn tags_are_read_once_each_and_while_the_list_is_still_coming() {
    let climate =
        Climate { latency: Duration::from_millis(30), speed: 50.0, stack_operation: Duration::ZERO };
    let fleet = Fleet::of(ACCOUNTS, climate).await;
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

#[tokio::test]
async fn who_is_known_is_entered_while_the_rest_is_listed_and_nobody_else_before_the_list_is_whole() {
    // Of the three pages the third does not come.
    let climate = Climate { latency: Duration::ZERO, speed: 50.0, stack_operation: Duration::ZERO };
    let fleet = Fleet::of(ACCOUNTS, climate).await;
    let broken = |fleet: &Fleet| {
        fleet.aws.add_fault(Fault {
            operation: Calls::Of("ListAccounts".to_owned()),
            account: None,
            trouble: Trouble::Refuse(400, "AccessDeniedException".to_owned(), "not you".to_owned()),
            when: When::After(2),
        });
    };
    let entered = |fleet: &Fleet, mark| {
        let calls = fleet.calls_since(mark).into_iter().filter(|entry| entry.operation == "AssumeRole");
        calls
            .filter(|entry| entry.params["RoleArn"].to_string().contains("OrganizationAccountAccessRole"))
            .count()
    };
    let mut product = Product::start(&fleet.outside(CONCURRENCY)).await;
    broken(&fleet);
    let mark = fleet.mark();
    product.look(DriftLook::LastKnown).await;
    until_rest(&fleet).await;
    assert_eq!(entered(&fleet, mark), 0, "nobody was kept before");
    fleet.aws.clear_faults();
    product.pass().await;
    product.pass().await;
    drop(product);
    let product = Product::start(&fleet.outside(CONCURRENCY)).await;
    broken(&fleet);
    let mark = fleet.mark();
    product.look(DriftLook::LastKnown).await;
    until_rest(&fleet).await;
    let count = entered(&fleet, mark);
    assert!((38..=40).contains(&count), "{count} accounts stand on two pages");
    let looks = fleet.calls_since(mark).into_iter().filter(|entry| entry.operation == "DescribeStacks");
    assert_eq!(looks.count(), 0, "without the list nothing is known of them");
}
