//! References: what the parameters of a stack take from the outputs of other stacks, and the ids of accounts that are
//! not recorded yet.
//!
//! Guarantees: plain data. What a value will be is settled at load but for the outputs and ids themselves, which are put
//! in whole: nothing is worked out of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::desired::{Desired, Stack};
use super::id::{Region, Slug, StackName};
use super::item::StackKey;
use super::setting::SettingValue;
use super::template::TemplateParameter;

/// One output of one stack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputRef {
    /// The account of the stack.
    pub account: Slug,
    /// The stack.
    pub stack: StackName,
    /// Its region; none where it is in one region only and nobody named that.
    pub region: Option<Region>,
    /// The output's key in the template.
    pub key: String,
}

/// A piece of a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// As it stands.
    Text(String),
    /// An output, whole.
    Output(OutputRef),
    /// The id of an account whose folder does not record it.
    AccountId(Slug),
}

/// A parameter, or another text, whose value hangs on what is known later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deferred {
    /// What the value is put together from.
    pub parts: Vec<Part>,
    /// True for members of a list: none of them may hold a comma.
    pub is_list: bool,
    /// What the template takes, to be asked once the value is known. It is part of the template, and not told again.
    #[serde(skip)]
    pub takes: Arc<TemplateParameter>,
}

/// The outputs of one stack by key.
pub type Outputs = BTreeMap<String, String>;

/// How far the outputs of a stack can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Standpoint {
    /// The stack is as git says, so that its outputs are too. What drifted of its resources does not count: outputs
    /// are worked out when a stack is written.
    Settled,
    /// Somebody changed the stack and git did not: what was agreed before still counts, as far as it is known.
    Drifted,
    /// It is still to become what git says.
    Changing,
    /// It is not there.
    Absent,
    /// It could not be read.
    Unread,
}

/// What is known of the outputs of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Produced {
    /// How far they can be relied on.
    pub standpoint: Standpoint,
    /// What git said of the stack when it was last settled: [`Stack::intent`]; empty where that was never seen.
    pub intent: String,
    /// Its outputs when it was last settled.
    pub outputs: Outputs,
}

/// What is known of the outputs of many accounts.
pub type Known = BTreeMap<Slug, BTreeMap<StackKey, Produced>>;

impl Deferred {
    /// Every output it takes.
    pub fn outputs(&self) -> impl Iterator<Item = &OutputRef> {
        self.parts.iter().filter_map(|part| match part {
            Part::Output(output) => Some(output),
            Part::Text(_) | Part::AccountId(_) => None,
        })
    }

    /// Every account whose id it takes.
    pub fn account_ids(&self) -> impl Iterator<Item = &Slug> {
        self.parts.iter().filter_map(|part| match part {
            Part::AccountId(slug) => Some(slug),
            Part::Text(_) | Part::Output(_) => None,
        })
    }
}

impl Part {
    /// The expression that stands for it in the account `own`; nothing for a plain text.
    pub fn expression(&self, own: Option<&Slug>) -> Option<String> {
        match self {
            Self::Text(_) => None,
            Self::Output(output) => Some(output.expression(own)),
            Self::AccountId(slug) if own == Some(slug) => Some("account.id".to_owned()),
            Self::AccountId(slug) => Some(format!("accounts['{slug}'].id")),
        }
    }
}

impl fmt::Display for Deferred {
    /// As a person would write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match (part, part.expression(None)) {
            (Part::Text(text), _) => f.write_str(text),
            (_, expression) => write!(f, "${{{{ {} }}}}", expression.unwrap_or_default()),
        })
    }
}

impl OutputRef {
    /// The expression that names it, in the account `own` without that account's name.
    pub fn expression(&self, own: Option<&Slug>) -> String {
        let Self { account, stack, region, key } = self;
        let account = if own == Some(account) { String::new() } else { format!("accounts['{account}'].") };
        let region = region.as_ref().map(|region| format!("['{region}']")).unwrap_or_default();
        format!("{account}stacks['{stack}']{region}.outputs.{key}")
    }
}

impl fmt::Display for OutputRef {
    /// `the output BucketName of the stack trail-bucket in log-archive (eu-west-1)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, stack, region, key } = self;
        write!(f, "the output {key} of the stack {stack} in {account}")?;
        region.as_ref().map_or(Ok(()), |region| write!(f, " ({region})"))
    }
}

impl Produced {
    /// The same with what was last settled, where it is not settled now.
    #[must_use]
    pub fn after(self, before: Option<&Self>) -> Self {
        let standpoint = self.standpoint;
        match before {
            _ if standpoint == Standpoint::Settled => self,
            Some(before) => Self { standpoint, ..before.clone() },
            None => Self { standpoint, intent: String::new(), outputs: Outputs::new() },
        }
    }

    /// The outputs that another stack may be given, of a stack of which git says `intent`.
    pub fn usable(&self, intent: &str) -> Option<&Outputs> {
        let is_usable = matches!(self.standpoint, Standpoint::Settled | Standpoint::Drifted);
        (is_usable && self.intent == intent).then_some(&self.outputs)
    }
}

impl Stack {
    /// What its outputs hang on, as a digest: its template and its parameters as git says them.
    pub fn intent(&self) -> String {
        let Self { template, parameters, deferred, .. } = self;
        let said = serde_json::json!([parameters, deferred]).to_string();
        let digest = Sha256::new().chain_update(said).chain_update(template.as_str()).finalize();
        hex::encode(&digest[..12])
    }

    /// Every output its parameters take.
    pub fn reads(&self) -> impl Iterator<Item = &OutputRef> {
        self.deferred.values().flat_map(Deferred::outputs)
    }
}

impl Desired {
    /// The stack that has an output; nothing where it is not declared, or in several regions and none is named.
    pub fn producer(&self, output: &OutputRef) -> Option<(&StackKey, &Stack)> {
        let stacks = &self.accounts.get(&output.account)?.stacks;
        let is_it = |key: &StackKey| {
            key.name == output.stack && output.region.as_ref().is_none_or(|region| *region == key.region)
        };
        let mut found = stacks.iter().filter(|(key, _)| is_it(key));
        let (key, stack) = found.next()?;
        found.next().is_none().then_some((key, &stack.value))
    }

    /// The accounts whose outputs the stacks of an account take, without itself.
    pub fn producers(&self, slug: &Slug) -> BTreeSet<&Slug> {
        let stacks = self.accounts.get(slug).into_iter().flat_map(|account| account.stacks.values());
        let reads = stacks.flat_map(|stack| stack.value.reads());
        reads.map(|output| &output.account).filter(|account| *account != slug).collect()
    }

    /// The accounts with a stack that takes outputs of stacks of which `before` says something else, however long the
    /// way: what they are given may change although nothing is said of them.
    pub fn reached_since(&self, before: &Self) -> BTreeSet<&Slug> {
        let mut reached: BTreeSet<(&Slug, &StackKey)> = BTreeSet::new();
        loop {
            let is_moved = |output: &OutputRef| {
                let Some((key, stack)) = self.producer(output) else { return false };
                let said = before.accounts.get(&output.account).and_then(|account| account.stacks.get(key));
                reached.contains(&(&output.account, key))
                    || said.is_none_or(|said| said.value.intent() != stack.intent())
            };
            let mut takers: BTreeSet<(&Slug, &StackKey)> = BTreeSet::new();
            for (slug, account) in &self.accounts {
                let taking = account.stacks.iter().filter(|(_, stack)| stack.value.reads().any(is_moved));
                takers.extend(taking.map(|(key, _)| (slug, key)));
            }
            if takers.len() == reached.len() {
                return reached.into_iter().map(|(slug, _)| slug).collect();
            }
            reached = takers;
        }
    }

    /// The accounts whose unrecorded ids the stacks and settings of an account take.
    pub fn ids_taken(&self, slug: &Slug) -> BTreeSet<&Slug> {
        let account = self.accounts.get(slug).into_iter();
        let of_stacks = account.clone().flat_map(|account| account.stacks.values());
        let of_stacks = of_stacks
            .flat_map(|stack| stack.value.deferred.values().chain(stack.value.deferred_tags.values()));
        let of_settings = account.flat_map(|account| account.settings.values());
        let of_settings = of_settings.filter_map(|setting| match &setting.value {
            SettingValue::Later(deferred) => Some(deferred),
            SettingValue::Plain(_) | SettingValue::Metadata(_) => None,
        });
        of_stacks.chain(of_settings).flat_map(Deferred::account_ids).collect()
    }

    /// Whom each account provides with outputs: the accounts to look at again when one of them changes.
    pub fn consumers(&self) -> BTreeMap<Slug, BTreeSet<Slug>> {
        let mut consumers: BTreeMap<Slug, BTreeSet<Slug>> = BTreeMap::new();
        for slug in self.accounts.keys() {
            for producer in self.producers(slug) {
                consumers.entry(producer.clone()).or_default().insert(slug.clone());
            }
        }
        consumers
    }
}
