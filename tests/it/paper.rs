//! Desired states and observations written down by hand, for tests of the pure stages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use landfast::model::{
    Access, Account, AccountFacts, AccountId, Base, CommitId, Declared, Desired, Email, Facts, Item, Mode,
    Observed, Organization, OrganizationId, OuPath, Policies, Region, RoleName, Rollout, Scope, Setting,
    Sight, Slug, Source, Value,
};
use landfast::plan::{Guards, Rules};

/// The alias of one account: the simplest item there is.
pub(crate) const ALIAS: Item = Item::Setting(Setting::AccountAlias);

pub(crate) fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

pub(crate) fn account_id(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

pub(crate) fn scope() -> Scope {
    Scope::Account(slug("payments"))
}

pub(crate) fn access() -> Access {
    Access {
        role: RoleName::parse("OrganizationAccountAccessRole").unwrap(),
        read_role: None,
        stack_role: None,
        new_account_role: None,
        management_role: None,
        external_id: None,
    }
}

/// A company of one account, `payments`, without settings.
pub(crate) fn desired() -> Desired {
    let account = Account {
        slug: slug("payments"),
        id: Some(account_id("111122223333")),
        name: "Payments".to_owned(),
        email: Email::parse("aws+payments@example.com").unwrap(),
        ou: OuPath::parse("/workloads").unwrap(),
        tags: BTreeMap::new(),
        mode: Mode::Report,
        access: access(),
        settings: BTreeMap::new(),
        stacks: BTreeMap::new(),
        adopt: BTreeSet::new(),
        modes: BTreeMap::new(),
        remove_on_leave: BTreeSet::new(),
        absent: BTreeMap::new(),
        exclusions: Vec::new(),
        sources: BTreeMap::new(),
    };
    Desired {
        revision: CommitId::parse("a".repeat(40)).unwrap(),
        organization: Organization {
            id: OrganizationId::parse("o-exampleorgid").unwrap(),
            management_account: account_id("999988887777"),
            home_region: Region::parse("eu-west-1").unwrap(),
            access: access(),
            policies: Policies::default(),
            ous: BTreeMap::from([(OuPath::parse("/workloads").unwrap(), Source::default())]),
            source: Source::default(),
        },
        accounts: BTreeMap::from([(slug("payments"), Arc::new(account))]),
        rollout: Rollout::default(),
    }
}

/// Its one account, to say something else of it.
pub(crate) fn payments(desired: &mut Desired) -> &mut Account {
    Arc::make_mut(desired.accounts.get_mut(&slug("payments")).unwrap())
}

/// The same company, with `alias` as the account's alias, if any.
pub(crate) fn wanting(alias: Option<&Value>) -> Desired {
    let mut desired = desired();
    let account = payments(&mut desired);
    if let Some(alias) = alias {
        let declared = Declared { value: alias.clone().into(), source: Source::default() };
        account.settings.insert(Setting::AccountAlias, declared);
    }
    desired
}

pub(crate) fn adopting(mut desired: Desired) -> Desired {
    payments(&mut desired).adopt.insert(ALIAS);
    desired
}

pub(crate) fn in_mode(mut desired: Desired, mode: Mode) -> Desired {
    payments(&mut desired).mode = mode;
    desired
}

pub(crate) fn based_on(value: Option<&Value>) -> Base {
    Base::of(value.map(|value| (ALIAS, value.clone())).into_iter().collect())
}

pub(crate) fn seeing(sight: Sight) -> Observed {
    Observed {
        scope: scope(),
        items: BTreeMap::from([(ALIAS, sight)]),
        facts: Facts::Account(AccountFacts {
            id: Some(account_id("111122223333")),
            ..AccountFacts::default()
        }),
        hold: None,
    }
}

pub(crate) fn sight(value: Option<&Value>) -> Sight {
    value.map_or(Sight::Absent, |value| Sight::present(value.clone()))
}

pub(crate) fn rules() -> Rules {
    Rules {
        ceiling: Mode::Enforce,
        allow_management: false,
        max_creations: 3,
        guards: Guards::lifted(),
        committed: 0,
        now: 0,
        fights: BTreeSet::new(),
        closed: None,
    }
}
