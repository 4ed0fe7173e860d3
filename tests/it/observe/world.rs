//! A simulated organization, and Landfast connected to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use landfast::aws::{Cloud, Keys, Pace, Settings, Writer};
use landfast::model::{
    Access, Account, AccountFact, AccountId, Author, Base, CommitId, Desired, Email, Facts, Item, Mode,
    OWNER_TAG, Organization, OrganizationId, OuPath, Region, RoleName, SLUG_TAG, Slug, Source,
};
use landfast::observe::{
    AccountLook, DriftLook, OrganizationCache, Question, Witnesses, author, organization,
};
use landfast::sandbox::aws::{Config, Fault, Pace as Speed, SimulatedAws, Trouble, When};

const SPEED: f64 = 1000.0;

pub(super) struct World {
    pub(super) aws: SimulatedAws,
    pub(super) cloud: Cloud,
    pub(super) desired: Desired,
}

/// Items by their printed paths.
pub(super) fn items(paths: &[&str]) -> BTreeSet<Item> {
    paths.iter().map(|path| path.parse().unwrap()).collect()
}

/// An ordinary look.
pub(super) fn look(owner: &OrganizationId, now: i64) -> AccountLook {
    AccountLook { owner: owner.clone(), drift: DriftLook::LastKnown, deadline: Duration::from_mins(5), now }
}

impl World {
    pub(super) async fn start() -> Self {
        let aws =
            SimulatedAws::start(Config { pace: Speed::Running(SPEED), ..Config::default() }).await.unwrap();
        let keys = aws.credentials();
        let home = Region::parse("eu-west-1").unwrap();
        let settings = Settings {
            endpoint_url: Some(aws.endpoint().to_owned()),
            keys: Some(Keys::new(keys.access_key, keys.secret_key)),
            pace: Pace::times(SPEED),
            ..Settings::new(home.clone())
        };
        let cloud = Cloud::connect(settings).await;
        let role = RoleName::parse("OrganizationAccountAccessRole").unwrap();
        let organization = Organization {
            id: OrganizationId::parse("o-exampleorgid").unwrap(),
            management_account: AccountId::parse("999988887777").unwrap(),
            home_region: home,
            access: Access {
                role,
                read_role: None,
                management_role: None,
                stack_role: None,
                new_account_role: None,
                external_id: None,
            },
            policies: landfast::model::Policies::default(),
            ous: BTreeMap::new(),
            source: Source::default(),
        };
        cloud.verify(&organization).await.expect("the right organization");
        let desired = Desired {
            revision: revision(),
            organization,
            accounts: BTreeMap::new(),
            rollout: landfast::model::Rollout::default(),
        };
        Self { aws, cloud, desired }
    }

    /// Makes the OU at the end of the path, and those on the way; its id.
    pub(super) async fn ou(&self, names: &[&str]) -> String {
        let mut id = self.aws.root_id();
        for name in names {
            id = self.management().create_ou(&id, name).await.unwrap();
        }
        id
    }

    /// Makes an account and waits until its role can be assumed.
    pub(super) async fn account(&self, name: &str, is_tagged: bool) -> AccountId {
        let email = Email::parse(format!("aws+{name}@example.com")).unwrap();
        let ours = [(OWNER_TAG, self.desired.organization.id.as_str()), (SLUG_TAG, name)];
        let tags = ours.into_iter().filter(|_| is_tagged);
        let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let role = &self.desired.organization.access.role;
        self.management().create_account(name, &email, role, &tags).await.unwrap();
        let account = loop {
            if let Some(account) = self.aws.account_by_email(email.as_str()) {
                break account;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        tokio::time::sleep(Duration::from_millis(20)).await;
        AccountId::parse(account.id).unwrap()
    }

    pub(super) async fn move_to(&self, id: &AccountId, ou: &str) {
        self.management().move_account(id, &self.aws.root_id(), ou).await.unwrap();
    }

    /// Declares an account's folder.
    pub(super) fn declare(&mut self, slug: &str, id: Option<&AccountId>) {
        let slug = Slug::parse(slug).unwrap();
        let account = Account {
            slug: slug.clone(),
            id: id.cloned(),
            name: slug.to_string(),
            email: Email::parse(format!("aws+{slug}@example.com")).unwrap(),
            ou: OuPath::root(),
            tags: BTreeMap::new(),
            mode: Mode::Report,
            access: self.desired.organization.access.clone(),
            settings: BTreeMap::new(),
            stacks: BTreeMap::new(),
            adopt: BTreeSet::new(),
            modes: std::collections::BTreeMap::new(),
            remove_on_leave: std::collections::BTreeSet::new(),
            absent: std::collections::BTreeMap::new(),
            exclusions: Vec::new(),
            sources: BTreeMap::new(),
        };
        self.desired.accounts.insert(slug, Arc::new(account));
    }

    /// What the organization says of an account.
    pub(super) async fn fact(&self, id: &AccountId) -> AccountFact {
        let reader = self.cloud.management_reader(&self.desired.organization);
        let mut cache = OrganizationCache::new(Duration::ZERO);
        let observed =
            organization(&reader, &self.desired, &Base::default(), &BTreeSet::new(), &mut cache, &|_, _| ())
                .await;
        let Facts::Organization(facts) = observed.facts else { panic!("facts of an account") };
        facts.accounts[id].clone()
    }

    pub(super) fn writer(&self, id: &AccountId) -> Writer {
        self.cloud.writer(id, &self.desired.organization.access, &revision())
    }

    /// Refuses every call of one operation.
    pub(super) fn refuse(&self, operation: &str) {
        let words = ("AccessDeniedException".to_owned(), "You may not.".to_owned());
        let trouble = Trouble::Refuse(400, words.0, words.1);
        let fault = Fault::new(operation, When::Every, trouble);
        self.aws.add_fault(fault);
    }

    pub(super) fn count(&self, operation: &str) -> usize {
        self.aws.log().iter().filter(|entry| entry.operation == operation).count()
    }

    /// Asks for the author until it is known, for as long as CloudTrail may take.
    pub(super) async fn known<'a>(
        &self,
        witnesses: Witnesses<'_>,
        question: impl Fn(i64) -> Question<'a>,
    ) -> Author {
        let mut answer = Author::Pending;
        for _ in 0..40 {
            let now = self.aws.now().as_second() + 1;
            answer = author(witnesses, &question(now)).await.unwrap();
            if answer != Author::Pending {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        answer
    }

    fn management(&self) -> Writer {
        self.cloud.management_writer(&self.desired.organization, &revision())
    }
}

fn revision() -> CommitId {
    CommitId::parse("0123456789abcdef0123456789abcdef01234567").unwrap()
}
