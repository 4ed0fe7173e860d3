//! The rules that a repository is held to, each with a name that stays the same for ever.
//!
//! Guarantees: every [`Diagnostic`](super::Diagnostic) is of exactly one rule; the rule alone says how grave it is.

use serde::{Serialize, Serializer};

/// How grave it is to break a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A person should know; the commit is applied all the same.
    Warning,
    /// Nothing of the commit is applied.
    Error,
}

impl Severity {
    /// `error` or `warning`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One list, so that no rule can lack a name, a summary or its place in [`Rule::ALL`].
macro_rules! rules {
    ($($rule:ident, $severity:ident, $name:literal, $summary:literal;)*) => {
        /// What a diagnostic is about. Printed as its name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule {
            $(#[doc = $summary] $rule,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$rule,)*];

            /// Its name, in words with hyphens. Names are never changed and never used again.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)*
                }
            }

            /// What it asks, in one sentence without a full stop.
            pub fn summary(self) -> &'static str {
                match self {
                    $(Self::$rule => $summary,)*
                }
            }

            /// How grave it is to break it.
            pub fn severity(self) -> Severity {
                match self {
                    $(Self::$rule => Severity::$severity,)*
                }
            }
        }
    };
}

rules! {
    Absent, Error, "absent", "`absent` stands only where Landfast can see to it that a thing is not there";
    AccountProperty, Error, "account-property", "names and e-mails of accounts are what Organizations takes";
    Adopt, Error, "adopt", "`adopt` names items";
    Capability, Error, "capability", "a stack grants the capabilities that its template needs";
    Circle, Error, "circle", "nothing comes after itself or needs itself";
    Disagreement, Error, "disagreement", "baselines that say different things have an order";
    Encoding, Error, "encoding", "files are text in UTF-8";
    Exclusion, Error, "exclusion", "an exclusion has a reason, and a day where it has an end";
    ExpiredExclusion, Warning, "expired-exclusion", "an exclusion is renewed or removed before it ends";
    Expression, Error, "expression", "an expression has a value";
    FileEnding, Error, "file-ending", "files that Landfast looks for end in `.yaml`, not in `.yml`";
    FileKind, Error, "file-kind", "the repository holds plain files, no links and no submodules";
    FileName, Error, "file-name", "names of files are such that every system can keep them";
    FileSize, Error, "file-size", "files keep within their size";
    Freeze, Error, "freeze", "a freeze has a reason, a beginning and an end";
    Identifier, Error, "identifier", "names and ids have the form that AWS gives them";
    IdleWave, Warning, "idle-wave", "waves and freezes are for some account";
    Locked, Error, "locked", "what a layer locks, no later layer weakens, drops, silences, re-homes or leaves";
    MissingFile, Error, "missing-file", "files that are named, or that a folder needs, are there";
    MissingKey, Error, "missing-key", "keys that are needed are there";
    NoReach, Warning, "no-reach", "the targets of a baseline, or of an entry in one, reach an account";
    Parameter, Error, "parameter", "stacks give their templates the parameters these take";
    PastFreeze, Warning, "past-freeze", "a freeze that is over is taken out";
    RegionGroup, Error, "region-group", "`home` is always the home region";
    RequiredTag, Error, "required-tag", "accounts have the tags that `accountDefaults.requiredTags` names";
    Policy, Error, "policy", "a policy of the organization is one JSON object in a file of its own";
    PolicyIdle, Warning, "policy-idle", "policies are attached to something";
    PolicyLength, Warning, "policy-length", "policies are as short as any organization may have them";
    PolicySize, Error, "policy-size", "policies keep within Organizations' quotas";
    Rollout, Error, "rollout", "waves have names of their own, and tolerances and times that can be read";
    Setting, Error, "setting", "settings are what AWS takes";
    Shape, Error, "shape", "values have the shape that their key asks for";
    SharedIdentity, Error, "shared-identity", "no two accounts share an id, a name or an e-mail";
    StackTemplate, Error, "stack-template", "a stack names its template";
    StrayFile, Error, "stray-file", "files lie in a folder of their own";
    Tag, Error, "tag", "tags are what AWS takes";
    Targets, Error, "targets", "targets can reach an account";
    Template, Error, "template", "templates are CloudFormation";
    TemplateLimit, Error, "template-limit", "templates keep within CloudFormation's quotas";
    TemplatePath, Error, "template-path", "templates lie in the folder of the file that names them";
    TemplateReference, Error, "template-reference", "what a template refers to is in it";
    Unreached, Warning, "unreached", "where there are baselines, each account is reached by one or left out by name";
    UnknownKey, Error, "unknown-key", "keys are known";
    UnknownName, Error, "unknown-name", "what is named is there";
    UnlockedProducer, Warning, "unlocked-producer", "what a locked stack takes is an output of a locked stack";
    UnquotedId, Error, "unquoted-id", "account ids are in quotes";
    WaveOrder, Warning, "wave-order", "accounts take no outputs of accounts in later waves";
    Yaml, Error, "yaml", "files are YAML without duplicate keys";
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unlike_each_other_and_made_of_small_letters_and_hyphens() {
        let names: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        assert_eq!(names.len(), Rule::ALL.len());
        assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
    }
}
