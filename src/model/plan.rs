//! A plan: findings, the steps that follow from them, and what holds the rest back. Data only.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::Value;
use super::desired::{Mode, Source, Stack};
use super::id::{AccountId, CommitId, Email, OuPath, PolicyName, RoleName, SamlProviderName, Slug};
use super::item::{Item, Scope, StackKey};
use super::observed::StackFact;
use super::policy::{Policy, PolicyTarget, PolicyType};
use super::rollout::Gate;
use super::saml::SamlMetadata;
use super::shared::SharedValue;
use super::tie::Ties;
use super::verdict::Verdict;

/// What was found of one item.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The verdict.
    pub verdict: Verdict,
    /// How far to go for this item.
    pub mode: Mode,
    /// What git says, if it says anything.
    pub desired: Option<SharedValue>,
    /// What was last agreed.
    pub base: Option<SharedValue>,
    /// What AWS showed, with its unchecked parts as they are believed to be; `None` when it is absent or could not
    /// be read.
    pub observed: Option<SharedValue>,
    /// Parts that are not checked, with the reason, by JSON pointer.
    pub unchecked: BTreeMap<String, String>,
    /// Why, in words, where the verdict alone does not say it: the gap's reason, the motion.
    pub because: String,
    /// Where the desired value is declared.
    pub source: Option<Source>,
}

/// Names a step within its plan: the item it is for and what it does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct StepId(pub String);

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One write, complete: apply makes no choices. `before` is what must still be true.
#[expect(clippy::large_enum_variant, reason = "plans hold tens of steps; boxes would only clutter them")]
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "do")]
pub enum Step {
    /// Creates an OU; before: nothing of that name under the parent.
    CreateOu {
        /// The new OU.
        path: OuPath,
    },
    /// Asks for an account; before: no account and no request of that e-mail or name.
    CreateAccount {
        /// Its folder.
        slug: Slug,
        /// Its name.
        name: String,
        /// Its e-mail, never varied.
        email: Email,
        /// Its tags, the owner and slug tags included.
        tags: BTreeMap<String, String>,
    },
    /// Moves an account.
    MoveAccount {
        /// Its folder.
        slug: Slug,
        /// Its id.
        id: AccountId,
        /// Where it is.
        before: OuPath,
        /// Where it goes.
        after: OuPath,
    },
    /// Sets one tag of an account.
    TagAccount {
        /// Its folder.
        slug: Slug,
        /// Its id.
        id: AccountId,
        /// The tag.
        key: String,
        /// Its value now, if it is there.
        before: Option<String>,
        /// Its value afterwards.
        after: String,
    },
    /// Lets policies of a kind be attached; before: they cannot be.
    EnablePolicyType {
        /// The kind.
        kind: PolicyType,
    },
    /// Makes a policy; before: none of that name and kind.
    CreatePolicy {
        /// Its name.
        name: PolicyName,
        /// What it is to be.
        after: Policy,
        /// The file, which is said in its description.
        declared_in: String,
        /// Its tags: the owner tag.
        tags: BTreeMap<String, String>,
    },
    /// Replaces the content of a policy.
    UpdatePolicy {
        /// Its name.
        name: PolicyName,
        /// Its id.
        id: String,
        /// Its content now, in canonical form.
        before: Value,
        /// What it is to be.
        after: Policy,
    },
    /// Attaches a policy; before: it is not attached there.
    AttachPolicy {
        /// Its name.
        name: PolicyName,
        /// Its id; absent where this plan makes it.
        id: Option<String>,
        /// What it is attached to.
        target: PolicyTarget,
        /// The account's id, where the target is one.
        account: Option<AccountId>,
    },
    /// Detaches a policy; before: it is attached there.
    DetachPolicy {
        /// Its name.
        name: PolicyName,
        /// Its id.
        id: String,
        /// What it is attached to.
        target: PolicyTarget,
        /// The account's id, where the target is one.
        account: Option<AccountId>,
    },
    /// Deletes a policy that is attached to nothing any more.
    DeletePolicy {
        /// Its name.
        name: PolicyName,
        /// Its id.
        id: String,
        /// Its kind.
        kind: PolicyType,
        /// Its content now, in canonical form.
        before: Value,
    },
    /// Replaces the whole password policy by the merged one.
    PutPasswordPolicy {
        /// The whole policy now, if there is one.
        before: Option<Value>,
        /// The whole policy afterwards.
        after: Value,
    },
    /// Sets the account's alias.
    PutAccountAlias {
        /// The alias now.
        before: Option<String>,
        /// The alias afterwards.
        after: String,
    },
    /// Creates a SAML provider, or replaces the whole metadata of one.
    PutSamlProvider {
        /// Its name.
        name: SamlProviderName,
        /// The outline of its metadata now, if it is there.
        before: Option<String>,
        /// Its metadata afterwards.
        after: SamlMetadata,
    },
    /// Creates or updates a stack through a change set.
    DeployStack {
        /// The stack.
        key: StackKey,
        /// The stack now; absent when it is made anew (an empty shell counts as absent).
        before: Option<StackFact>,
        /// What it becomes.
        #[serde(serialize_with = "without_hidden_parameters")]
        after: Stack,
        /// Tags to send, the owner tag included.
        tags: BTreeMap<String, String>,
        /// The service role that CloudFormation works as; absent where it works with the writing role's rights.
        #[serde(skip_serializing_if = "Option::is_none")]
        role: Option<RoleName>,
        /// The deterministic name of the change set; it carries the digest of what is sent.
        change_set: String,
        /// Puts drifted resources back too (a `REVERT_DRIFT` change set).
        revert: bool,
        /// Stops when the change set turns out to delete or replace a resource that holds data.
        keeps_data: bool,
    },
    /// Removes the whole password policy, so that AWS's default holds.
    RemovePasswordPolicy {
        /// The whole policy now.
        before: Value,
    },
    /// Takes the account's alias away.
    RemoveAccountAlias {
        /// The alias now.
        before: String,
    },
    /// Removes a SAML provider.
    RemoveSamlProvider {
        /// Its name.
        name: SamlProviderName,
        /// The outline of its metadata now.
        before: String,
    },
    /// Deletes a stack with everything in it that its template does not retain.
    RemoveStack {
        /// The stack.
        key: StackKey,
        /// The stack now.
        before: StackFact,
    },
    /// Deletes a stack of ours whose very first creation failed, so that it can be made again.
    DeleteFailedStack {
        /// The stack.
        key: StackKey,
        /// The stack now.
        before: StackFact,
    },
}

/// A plan is shown to people and written to logs: hidden parameters do not go along.
fn without_hidden_parameters<S: serde::Serializer>(stack: &Stack, serializer: S) -> Result<S::Ok, S::Error> {
    let mut shown = stack.clone();
    shown.parameters.retain(|name, _| !stack.hidden.contains(name));
    shown.serialize(serializer)
}

/// Work that is wanted but held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Blocked {
    /// The item.
    pub item: Item,
    /// Why, as a whole sentence without a full stop.
    pub because: String,
    /// True when a person has to do something; false when waiting is enough.
    pub needs_person: bool,
}

/// What one pass would do, completely.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// What it is for.
    pub scope: Scope,
    /// The commit it comes from.
    pub revision: CommitId,
    /// Every item with its verdict.
    pub findings: BTreeMap<Item, Finding>,
    /// The steps in the order in which they are taken.
    pub steps: Vec<PlannedStep>,
    /// What is held back.
    pub blocked: Vec<Blocked>,
    /// Items that wait for an output of another stack, whether anything of them is held back or not.
    pub waiting: BTreeSet<Item>,
    /// Accounts of the organization that no folder claims; nothing is done about them.
    pub unclaimed: Vec<Unclaimed>,
    /// Why `unclaimed` may lack some: not every account could be read.
    pub unclaimed_gap: Option<String>,
    /// What will not stay good, whatever it is now.
    pub warnings: Vec<Warning>,
    /// How git holds each item, or held it last: what base is to remember.
    pub ties: Ties,
    /// What of `blocked` waits for its wave, or for a freeze to end.
    pub gate: Option<Gate>,
}

/// Something about an item that a person should know in time. It holds nothing back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The item.
    pub item: Item,
    /// What, as a whole sentence without a full stop.
    pub because: String,
}

/// An account that no folder claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unclaimed {
    /// Its id.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// Its e-mail.
    pub email: String,
    /// Where it is.
    pub ou: OuPath,
}

/// A step with what it is for and what must have been done before it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlannedStep {
    /// Its name in this plan.
    pub id: StepId,
    /// The item whose value it makes.
    pub item: Item,
    /// Steps of this plan that must be done first.
    pub needs: BTreeSet<StepId>,
    /// The write.
    pub step: Step,
}

impl Plan {
    /// True when there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The part of the plan that is about one account, and the OUs it may need.
    #[must_use]
    pub fn only(mut self, slug: &Slug) -> Self {
        let is_meant = |item: &Item| match item {
            Item::Account(other, _) => other == slug,
            item => !item.is_of_policies(),
        };
        self.findings.retain(|item, _| is_meant(item));
        self.steps.retain(|step| is_meant(&step.item));
        self.blocked.retain(|blocked| is_meant(&blocked.item));
        self.waiting.retain(is_meant);
        self.warnings.retain(|warning| is_meant(&warning.item));
        self
    }
}
