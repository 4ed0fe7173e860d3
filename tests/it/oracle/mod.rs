//! What the commits of a story imply, and which writes nothing implies.
//!
//! Judges the request log of the simulated AWS against what the files say, knowing nothing of how Landfast plans:
//! every call that can change something has to be one that brings the account it was made in nearer to the revision
//! that the writing session bears in its name. Whether a call was carried out does not matter; sending it is enough.

mod policies;
mod removals;
mod stacks;
mod tamper;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use landfast::follow::{Follow, News};
use landfast::model::{Account, Desired, OWNER_TAG, SLUG_TAG, Setting};
use landfast::sandbox::aws::{Entry, KnownPolicy, SimulatedAws};
use serde_json::Value;

/// Password policies: the field of the files and the parameter of IAM.
const POLICY: [(&str, &str); 9] = [
    ("minimumLength", "MinimumPasswordLength"),
    ("maxAgeDays", "MaxPasswordAge"),
    ("reusePrevention", "PasswordReusePrevention"),
    ("requireSymbols", "RequireSymbols"),
    ("requireNumbers", "RequireNumbers"),
    ("requireUppercase", "RequireUppercaseCharacters"),
    ("requireLowercase", "RequireLowercaseCharacters"),
    ("allowUsersToChange", "AllowUsersToChangePassword"),
    ("hardExpiry", "HardExpiry"),
];

/// What is implied by the commits that were in force, in their order.
#[derive(Default)]
pub(crate) struct Implied {
    revisions: Vec<Arc<Desired>>,
}

impl Implied {
    /// Takes in the newest commit of a story, which its own follower reads.
    pub(crate) async fn accept(&mut self, follow: &mut Follow) {
        match follow.look().await.unwrap() {
            News::Accepted(accepted) => self.revisions.push(accepted.desired),
            other => panic!("the story's commit is not one to follow: {other:?}"),
        }
    }

    /// What the newest commit says.
    pub(crate) fn newest(&self) -> &Desired {
        self.revisions.last().expect("a commit was accepted")
    }

    /// Every write in `log`, which holds Landfast's own calls only, that nothing implies: call and reason.
    pub(crate) fn wrong_writes(&self, aws: &SimulatedAws, log: &[Entry]) -> Vec<String> {
        let judge = Judge::new(self, aws, log);
        let writes = log.iter().filter(|entry| entry.is_mutating);
        let wrong = writes.filter_map(|entry| Some((entry, judge.objection(entry)?)));
        let told = |(entry, why): (&Entry, String)| {
            format!("{} {} by {}: {why}\n  {}", entry.sequence, entry.operation, entry.caller, entry.params)
        };
        wrong.map(told).chain(judge.creations()).collect()
    }

    /// The revision whose short form a write session's name ends with; the newest for a caller without a session.
    fn revision(&self, caller: &str) -> Option<&Desired> {
        let Some((_, short)) = caller.rsplit_once("/landfast-") else { return Some(self.newest()) };
        let mut revisions = self.revisions.iter().map(Arc::as_ref);
        revisions.find(|desired| desired.revision.short() == short)
    }
}

/// One judgement over one log.
struct Judge<'a> {
    implied: &'a Implied,
    aws: &'a SimulatedAws,
    log: &'a [Entry],
    /// The e-mail of each account, in lower case.
    emails: BTreeMap<String, String>,
    /// OU paths by id, the root too.
    ous: BTreeMap<String, String>,
    /// Policies by id, those too that are gone.
    policies: BTreeMap<String, KnownPolicy>,
    /// How often each e-mail bears an account.
    born: BTreeMap<String, usize>,
}

impl<'a> Judge<'a> {
    fn new(implied: &'a Implied, aws: &'a SimulatedAws, log: &'a [Entry]) -> Self {
        let accounts = aws.accounts().into_iter();
        let emails: BTreeMap<_, _> =
            accounts.map(|account| (account.id, account.email.to_lowercase())).collect();
        let root = (aws.root_id(), String::new());
        let ous = aws.ous().into_iter().map(|(path, id)| (id, path)).chain([root]).collect();
        let mut born = BTreeMap::new();
        for email in emails.values() {
            *born.entry(email.clone()).or_default() += 1;
        }
        let policies = aws.policies().into_iter().chain(aws.former_policies());
        let policies = policies.map(|policy| (policy.id.clone(), policy)).collect();
        Self { implied, aws, log, emails, ous, policies, born }
    }

    /// Why nothing implies this write, if so.
    fn objection(&self, entry: &Entry) -> Option<String> {
        let Some(desired) = self.implied.revision(&entry.caller) else {
            return Some("its session bears no revision that was in force".to_owned());
        };
        let is_implied = match entry.operation.as_str() {
            "CreateOrganizationalUnit" => self.is_ou(desired, entry),
            "CreateAccount" => is_creation(desired, entry),
            "MoveAccount" => self.is_move(desired, entry),
            "TagResource" => self.is_tag(desired, entry),
            "UpdateAccountPasswordPolicy" => self.is_policy(desired, entry),
            "CreateAccountAlias" => self.is_alias(desired, entry),
            "CreateChangeSet" => stacks::is_implied(desired, self.owner(desired, &entry.account), entry),
            "ExecuteChangeSet" | "DeleteChangeSet" => self.is_of_ours(desired, entry),
            "DeleteAccountPasswordPolicy" => self.is_password_policy_removal(desired, entry),
            "DeleteAccountAlias" => self.is_alias_removal(desired, entry),
            "DeleteSAMLProvider" => self.is_provider_removal(desired, entry),
            "DeleteStack" => self.is_stack_removal(desired, entry),
            "EnablePolicyType" => self.is_enabling(desired, entry),
            "CreatePolicy" => Self::is_new_policy(desired, entry),
            "UpdatePolicy" => self.is_policy_change(desired, entry),
            "AttachPolicy" => self.is_attachment(desired, entry),
            "DetachPolicy" => self.is_detachment(desired, entry),
            "DeletePolicy" => self.is_deletion(desired, entry),
            // Nothing that a commit says closes an account, or switches anything off.
            _ => false,
        };
        (!is_implied).then(|| format!("not implied by {}", desired.revision.short()))
    }

    /// The folder an account is for. An e-mail is unique in all of AWS, so it says which.
    fn owner<'d>(&self, desired: &'d Desired, id: &str) -> Option<&'d Account> {
        let email = self.emails.get(id)?;
        let of = |account: &&Arc<Account>| account.email.as_str().to_lowercase() == *email;
        desired.accounts.values().find(of).map(AsRef::as_ref)
    }

    fn is_ou(&self, desired: &Desired, entry: &Entry) -> bool {
        let parent = text(&entry.params, "ParentId").and_then(|id| self.ous.get(id));
        let path = parent.zip(text(&entry.params, "Name")).map(|(parent, name)| format!("{parent}/{name}"));
        path.is_some_and(|path| desired.organization.ous.keys().any(|ou| ou.to_string() == path))
    }

    fn is_move(&self, desired: &Desired, entry: &Entry) -> bool {
        let account = text(&entry.params, "AccountId").and_then(|id| self.owner(desired, id));
        let to = text(&entry.params, "DestinationParentId").and_then(|id| self.ous.get(id));
        account.zip(to).is_some_and(|(account, to)| account.ou.to_string() == *to)
    }

    fn is_tag(&self, desired: &Desired, entry: &Entry) -> bool {
        let account = text(&entry.params, "ResourceId").and_then(|id| self.owner(desired, id));
        account.is_some_and(|account| {
            let tags = account_tags(desired, account);
            pairs(&entry.params, "Tags", "Key", "Value")
                .iter()
                .all(|(key, value)| tags.get(key) == Some(value))
        })
    }

    fn is_alias(&self, desired: &Desired, entry: &Entry) -> bool {
        let account = self.owner(desired, &entry.account);
        let alias = account.and_then(|account| account.settings.get(&Setting::AccountAlias));
        alias.is_some_and(|alias| entry.params.get("AccountAlias") == Some(&alias.value.to_value()))
    }

    /// What is declared, and of the rest only what was there before.
    fn is_policy(&self, desired: &Desired, entry: &Entry) -> bool {
        let account = self.owner(desired, &entry.account);
        let policy = account.and_then(|account| account.settings.get(&Setting::PasswordPolicy));
        let before = self.log.iter().rfind(|other| {
            let is_same = other.operation == entry.operation && other.account == entry.account;
            is_same && other.acted && other.sequence < entry.sequence
        });
        let policy = policy.map(|declared| declared.value.to_value());
        policy.is_some_and(|policy| {
            POLICY.iter().all(|(field, parameter)| {
                let sent = plain(entry.params.get(*parameter));
                match policy.get(*field) {
                    Some(declared) => sent == plain(Some(declared)),
                    None => sent == "false" || sent == plain(before.and_then(|e| e.params.get(*parameter))),
                }
            })
        })
    }

    /// A change set is executed or deleted by its ARN; it has to be one that this revision implied when it was made.
    fn is_of_ours(&self, desired: &Desired, entry: &Entry) -> bool {
        let name = text(&entry.params, "ChangeSetName").and_then(|arn| arn.split('/').nth(1));
        let made = self.log.iter().filter(|other| {
            let is_there = other.account == entry.account && other.region == entry.region;
            other.operation == "CreateChangeSet" && is_there && other.sequence < entry.sequence
        });
        let account = self.owner(desired, &entry.account);
        made.filter(|made| text(&made.params, "ChangeSetName") == name)
            .any(|made| entry.operation == "DeleteChangeSet" || stacks::is_implied(desired, account, made))
    }

    /// Folders with more than one account, and accounts that were asked for more than once.
    fn creations(&self) -> Vec<String> {
        let carried_out = self.log.iter().filter(|entry| entry.operation == "CreateAccount" && entry.acted);
        let mut asked: BTreeMap<String, usize> = BTreeMap::new();
        for entry in carried_out {
            let email = text(&entry.params, "Email").unwrap_or_default().to_lowercase();
            *asked.entry(email).or_default() += 1;
        }
        let twice = self.born.iter().chain(&asked).filter(|(_, times)| **times > 1);
        twice.map(|(email, times)| format!("{email} was asked for or made {times} times")).collect()
    }
}

fn is_creation(desired: &Desired, entry: &Entry) -> bool {
    let email = text(&entry.params, "Email").unwrap_or_default();
    let account = desired.accounts.values().find(|account| account.email.as_str() == email);
    account.is_some_and(|account| {
        let tags = pairs(&entry.params, "Tags", "Key", "Value");
        let mut allowed = account_tags(desired, account);
        text(&entry.params, "AccountName") == Some(account.name.as_str())
            && text(&entry.params, "RoleName") == Some(account.access.role.as_str())
            && [OWNER_TAG, SLUG_TAG].iter().all(|key| tags.contains_key(*key))
            && tags.into_iter().all(|(key, value)| allowed.remove(&key) == Some(value))
    })
}

/// The declared tags and the two that prove whose it is.
fn account_tags(desired: &Desired, account: &Account) -> BTreeMap<String, String> {
    let ours = [(OWNER_TAG, desired.organization.id.to_string()), (SLUG_TAG, account.slug.to_string())];
    let ours = ours.map(|(key, value)| (key.to_owned(), value));
    account.tags.clone().into_iter().chain(ours).collect()
}

fn text<'e>(params: &'e Value, name: &str) -> Option<&'e str> {
    params.get(name)?.as_str()
}

/// A number, a switch or a text as the query protocol spells it; what is missing is a switch that is off.
fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "false".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// A list of keys and values as a map.
fn pairs(params: &Value, list: &str, key: &str, value: &str) -> BTreeMap<String, String> {
    let entries = params.get(list).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let pair = |entry: &Value| Some((text(entry, key)?.to_owned(), text(entry, value)?.to_owned()));
    entries.iter().filter_map(pair).collect()
}

/// A list of texts as a set.
fn names(params: &Value, list: &str) -> BTreeSet<String> {
    let entries = params.get(list).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    entries.iter().filter_map(|entry| entry.as_str().map(str::to_owned)).collect()
}
