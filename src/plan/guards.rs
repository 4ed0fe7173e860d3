//! Guards: what the daemon's own configuration keeps back, whatever the repository says.
//!
//! Guarantees: pure. A guard only ever takes steps away, and each says which it is, why, and how to go on.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{CommitId, Slug, StackKey};

/// The operator's limits. Never read from the repository they guard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Guards {
    /// How many accounts one commit may ask for.
    pub new_accounts_per_commit: usize,
    /// How many accounts may be asked for within 24 hours, by anybody.
    pub new_accounts_per_day: usize,
    /// How many accounts one commit may change; no limit where it is not set.
    pub accounts_per_commit: Option<usize>,
    /// How many account folders may go away in one commit.
    pub vanished_folders: usize,
    /// How many things one commit may have removed, in all accounts together.
    pub removals_per_commit: usize,
    /// How many things may be waiting for removal in one account; none is removed while there are more.
    pub removals_per_account: usize,
    /// Accounts in which nothing is written, by folder.
    #[schemars(with = "BTreeSet<crate::schema::Slug>")]
    pub protected_accounts: BTreeSet<Slug>,
    /// Stacks that are not written: `<folder>/<stack>`, where `*` stands for any folder or any stack.
    #[schemars(with = "BTreeSet<crate::schema::StackPattern>")]
    pub protected_stacks: BTreeSet<ProtectedStack>,
    /// Commits an operator vouches for: none of these guards stops them. Each is the full id, so that nothing else
    /// can take its place.
    #[schemars(with = "BTreeSet<crate::schema::CommitId>")]
    pub approved: BTreeSet<CommitId>,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            new_accounts_per_commit: 5,
            new_accounts_per_day: 10,
            accounts_per_commit: None,
            vanished_folders: 2,
            removals_per_commit: 10,
            removals_per_account: 3,
            protected_accounts: BTreeSet::new(),
            protected_stacks: BTreeSet::new(),
            approved: BTreeSet::new(),
        }
    }
}

impl Guards {
    /// No limit on how much at once: for where nothing can be lost.
    pub fn lifted() -> Self {
        Self {
            new_accounts_per_commit: usize::MAX,
            new_accounts_per_day: usize::MAX,
            vanished_folders: usize::MAX,
            removals_per_commit: usize::MAX,
            removals_per_account: usize::MAX,
            ..Self::default()
        }
    }

    /// True when an operator vouched for this commit.
    pub fn is_approved(&self, commit: &CommitId) -> bool {
        self.approved.contains(commit)
    }

    /// Why nothing is removed in an account from which `count` things are to go, if so.
    pub(super) fn limits_removals(&self, count: usize, commit: &CommitId) -> Option<String> {
        let limit = ("removals-per-account", self.removals_per_account);
        self.limits(count, "things are to be removed here", limit, commit)
    }

    /// Why no policy is detached or deleted while `count` detachments and deletions are to be made, if so.
    pub(super) fn limits_policies(&self, count: usize, commit: &CommitId) -> Option<String> {
        let limit = ("removals-per-commit", self.removals_per_commit);
        self.limits(count, "policies and attachments are to be removed", limit, commit)
    }

    fn limits(
        &self,
        count: usize,
        what: &str,
        (name, limit): (&str, usize),
        commit: &CommitId,
    ) -> Option<String> {
        (count > limit && !self.is_approved(commit))
            .then(|| format!("{count} {what}, and `{name}` allows {limit}: {}", go_on(commit)))
    }

    /// Why nothing is written in an account, if so.
    pub(super) fn protects_account(&self, slug: &Slug, commit: &CommitId) -> Option<String> {
        (self.protected_accounts.contains(slug) && !self.is_approved(commit))
            .then(|| format!("accounts/{slug} is under `protected-accounts`: {}", go_on(commit)))
    }

    /// The folders that a guard names, each with the guard. `*` stands for every folder and names none.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let accounts = self.protected_accounts.iter().map(|slug| ("protected-accounts", slug.as_str()));
        let stacks = self.protected_stacks.iter().filter(|guard| guard.account != "*");
        accounts.chain(stacks.map(|guard| ("protected-stacks", guard.account.as_str())))
    }

    /// Why a stack is not written, if so.
    pub(super) fn protects_stack(&self, slug: &Slug, key: &StackKey, commit: &CommitId) -> Option<String> {
        let guard = self.protected_stacks.iter().find(|guard| guard.covers(slug, key))?;
        (!self.is_approved(commit)).then(|| format!("`protected-stacks` names {guard}: {}", go_on(commit)))
    }
}

/// How an operator lets a commit pass all the same.
pub fn go_on(commit: &CommitId) -> String {
    format!("after a look at what it would do, start Landfast with --approve {commit}")
}

/// `<folder>/<stack>`; either may be `*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProtectedStack {
    account: String,
    stack: String,
}

impl ProtectedStack {
    fn covers(&self, slug: &Slug, key: &StackKey) -> bool {
        let fits = |pattern: &str, name: &str| pattern == "*" || pattern == name;
        fits(&self.account, slug.as_str()) && fits(&self.stack, key.name.as_str())
    }
}

impl TryFrom<String> for ProtectedStack {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let expected =
            || format!("`{text}` is not `<folder>/<stack>`, such as `log-archive/trail` or `*/trail`");
        let (account, stack) = text.split_once('/').ok_or_else(expected)?;
        let fits = |part: &str| part == "*" || (!part.is_empty() && !part.contains(['*', '/']));
        if !fits(account) || !fits(stack) {
            return Err(expected());
        }
        Ok(Self { account: account.to_owned(), stack: stack.to_owned() })
    }
}

impl From<ProtectedStack> for String {
    fn from(guard: ProtectedStack) -> Self {
        guard.to_string()
    }
}

impl std::fmt::Display for ProtectedStack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.account, self.stack)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operators_word_for_one_commit_lifts_what_is_protected_for_that_commit_alone() {
        let [one, other] = ["1", "2"].map(|digit| CommitId::parse(digit.repeat(40)).unwrap());
        let slug = Slug::parse("shop").unwrap();
        let guards = Guards {
            protected_accounts: [slug.clone()].into(),
            approved: [one.clone()].into(),
            ..Guards::lifted()
        };
        assert_eq!(guards.protects_account(&slug, &one), None);
        assert!(guards.protects_account(&slug, &other).unwrap().contains("`protected-accounts`"));
        assert_eq!(guards.protects_account(&Slug::parse("lab").unwrap(), &other), None);
    }
}
