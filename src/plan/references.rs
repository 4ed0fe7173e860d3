//! References: the outputs of other stacks, and ids that no folder records yet, put where the parameters of an account's
//! stacks take them.
//!
//! Guarantees: a stack that waits for one is compared in everything else, and never written; what a change in
//! AWS that git did not ask for made of an output goes no further.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Draft;
use crate::model::template::Objection;
use crate::model::{
    Account, AccountFacts, AccountId, Base, Declared, Deferred, Desired, Finding, Item, Mode, Observed,
    OutputRef, Outputs, Part, Plan, Produced, Setting, SettingValue, SharedValue, Sight, Slug, Stack,
    StackKey, Standpoint, Value, Verdict, assume, verdict,
};

/// The parts of a stack's value that its outputs hang on.
const MAKES_OUTPUTS: [&str; 4] = ["state", "template", "parameters", "hidden"];

/// An account with every output and id filled in that is known.
pub(super) struct Effective<'a> {
    pub(super) account: Cow<'a, Account>,
    /// The stacks and settings that lack one.
    pub(super) waits: BTreeMap<Item, Wait>,
}

/// What a stack or a setting waits for.
#[derive(Clone, Debug, Default)]
pub(super) struct Wait {
    /// Why, by the JSON pointer of what lacks a value; an empty one where it is the whole.
    parts: BTreeMap<String, String>,
    /// True when waiting is not enough.
    pub(super) needs_person: bool,
}

/// What was filled in of a stack, by name.
struct Filled {
    parameters: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
}

/// Why an output or an id cannot be put in.
struct Lack {
    because: String,
    needs_person: bool,
}

/// True where a parameter waits: outputs may hang on it, and not on a tag.
fn waits(stack: &Stack, finding: &Finding) -> bool {
    stack.deferred.keys().any(|name| finding.unchecked.contains_key(&format!("/parameters/{name}")))
}

/// What is known of the outputs of an account's stacks once it was looked at and `plan` drawn.
pub fn produced(plan: &Plan, account: &Account, facts: &AccountFacts) -> BTreeMap<StackKey, Produced> {
    let known = facts.known.get(&account.slug);
    let of = |(key, declared): (&StackKey, &Declared<Stack>)| {
        let item = Item::Stack(key.clone());
        let finding = plan.findings.get(&item)?;
        let standpoint = match (finding.verdict, &finding.desired, &finding.observed) {
            (Verdict::Gap, ..) => Standpoint::Unread,
            (Verdict::Moving, ..) => Standpoint::Changing,
            (_, _, None) => Standpoint::Absent,
            (_, Some(wanted), Some(seen)) if !waits(&declared.value, finding) => {
                compared(wanted, finding.base.as_deref(), seen)
            }
            _ => Standpoint::Changing,
        };
        let before = known.and_then(|known| known.get(key));
        Some((key.clone(), now(standpoint, &declared.value, facts.outputs.get(key)).after(before)))
    };
    account.stacks.iter().filter_map(of).collect()
}

fn now(standpoint: Standpoint, stack: &Stack, outputs: Option<&Outputs>) -> Produced {
    let intent = if standpoint == Standpoint::Settled { stack.intent() } else { String::new() };
    Produced { standpoint, intent, outputs: outputs.cloned().unwrap_or_default() }
}

/// Fills in what is known. A stack may take outputs of another one in the same account, so that it is done again as
/// long as that makes more known.
pub(super) fn effective<'a>(
    desired: &'a Desired,
    account: &'a Account,
    base: &Base,
    observed: &Observed,
    facts: &AccountFacts,
) -> Effective<'a> {
    let is_open = |(_, stack): &(&StackKey, &Declared<Stack>)| stack.value.is_open();
    let mut left: Vec<&StackKey> = account.stacks.iter().filter(is_open).map(|(key, _)| key).collect();
    let mut making = Making { desired, base, observed, facts, account: Cow::Borrowed(account) };
    let mut waits = BTreeMap::new();
    while !left.is_empty() {
        let before = left.len();
        waits.clear();
        left.retain(|key| match making.fill(key) {
            Ok(()) => false,
            Err(wait) => {
                waits.insert(Item::Stack((*key).clone()), wait);
                true
            }
        });
        if left.len() == before {
            break;
        }
    }
    waits.extend(making.fill_settings());
    Effective { account: making.account, waits }
}

struct Making<'a, 'o> {
    desired: &'a Desired,
    base: &'o Base,
    observed: &'o Observed,
    facts: &'o AccountFacts,
    account: Cow<'a, Account>,
}

impl Making<'_, '_> {
    /// Fills in one stack.
    fn fill(&mut self, key: &StackKey) -> Result<(), Wait> {
        let Some(declared) = self.account.stacks.get(key) else { return Ok(()) };
        let (filled, wait) = self.filled(&declared.value);
        if let Some(Declared { value: stack, .. }) = self.account.to_mut().stacks.get_mut(key) {
            stack.deferred.retain(|name, _| !filled.parameters.contains_key(name));
            stack.deferred_tags.retain(|key, _| !filled.tags.contains_key(key));
            stack.parameters.extend(filled.parameters);
            stack.tags.extend(filled.tags);
        }
        if wait.parts.is_empty() { Ok(()) } else { Err(wait) }
    }

    /// Fills in settings, and tells which of them wait. They take ids only.
    fn fill_settings(&mut self) -> BTreeMap<Item, Wait> {
        let open = |(setting, declared): (&Setting, &Declared<SettingValue>)| match &declared.value {
            SettingValue::Later(deferred) => Some((setting.clone(), deferred.clone())),
            SettingValue::Plain(_) | SettingValue::Metadata(_) => None,
        };
        let open: Vec<_> = self.account.settings.iter().filter_map(open).collect();
        let mut waits = BTreeMap::new();
        for (setting, deferred) in open {
            match (
                self.value(&setting.to_string(), &deferred),
                self.account.to_mut().settings.get_mut(&setting),
            ) {
                (Ok(text), Some(declared)) => declared.value = SettingValue::Plain(text.into()),
                (Ok(_), None) => {}
                (Err(lack), _) => {
                    let mut wait = Wait::default();
                    wait.add(String::new(), lack);
                    waits.insert(Item::Setting(setting), wait);
                }
            }
        }
        waits
    }

    /// What is known of the outputs of a stack, which is this account's own or another's.
    fn produced(&self, slug: &Slug, key: &StackKey) -> Option<Cow<'_, Produced>> {
        let known = self.facts.known.get(slug).and_then(|known| known.get(key));
        let Some(own) = self.account.stacks.get(key).filter(|_| *slug == self.account.slug) else {
            return known.map(Cow::Borrowed);
        };
        let said = self.desired.accounts.get(slug)?.stacks.get(key)?;
        let item = Item::Stack(key.clone());
        let standpoint = match (self.observed.sight(&item), own.value.deferred.is_empty()) {
            (Sight::Absent, _) => Standpoint::Absent,
            (Sight::Gap(_), _) => Standpoint::Unread,
            (Sight::Moving(_), _) | (_, false) => Standpoint::Changing,
            (Sight::Present { value, unchecked }, true) => {
                let wanted = own.value.to_value(&self.desired.organization.id);
                let base = self.base.value(&item);
                compared(&wanted, base, &assume(&value, &unchecked, base.or(Some(&wanted))))
            }
        };
        Some(Cow::Owned(now(standpoint, &said.value, self.facts.outputs.get(key)).after(known)))
    }

    /// Every parameter and tag that hangs on what was not known at load, with its value or why it has none.
    fn filled(&self, stack: &Stack) -> (Filled, Wait) {
        let mut wait = Wait::default();
        let mut all = |kind: &str, deferred: &BTreeMap<String, Deferred>| {
            let mut filled = BTreeMap::new();
            for (name, deferred) in deferred {
                match self.value(name, deferred) {
                    Ok(value) => drop(filled.insert(name.clone(), value)),
                    Err(lack) => {
                        wait.add(format!("/{kind}/{}", name.replace('~', "~0").replace('/', "~1")), lack);
                    }
                }
            }
            filled
        };
        let filled = Filled {
            parameters: all("parameters", &stack.deferred),
            tags: all("tags", &stack.deferred_tags),
        };
        (filled, wait)
    }

    fn value(&self, name: &str, deferred: &Deferred) -> Result<String, Lack> {
        let mut value = String::new();
        for part in &deferred.parts {
            match part {
                Part::Text(text) => value.push_str(text),
                Part::AccountId(slug) => value.push_str(self.id(slug)?.as_str()),
                Part::Output(output) => {
                    let text = self.output(output)?;
                    if deferred.is_list && text.contains(',') {
                        let because = format!("{output} holds a comma, which a member of a list cannot");
                        return Err(Lack { because, needs_person: true });
                    }
                    value.push_str(&text);
                }
            }
        }
        let Some(Objection { constraint, wanted }) = deferred.takes.objection(&value) else {
            return Ok(value);
        };
        let because =
            format!("the template does not allow `{value}` for `{name}`, for its {constraint}: {wanted}");
        Err(Lack { because, needs_person: true })
    }

    fn id(&self, slug: &Slug) -> Result<&AccountId, Lack> {
        self.facts.ids.get(slug).ok_or_else(|| {
            let because =
                format!("it needs the id of accounts/{slug}, which is known once that account is there");
            Lack { because, needs_person: false }
        })
    }

    fn output(&self, output: &OutputRef) -> Result<String, Lack> {
        // Load has seen to it that there is one.
        let lack = |because| Lack { because, needs_person: false };
        let Some((key, stack)) = self.desired.producer(output) else {
            return Err(lack(format!("it needs {output}, which nobody declares")));
        };
        let output = &OutputRef { region: Some(key.region.clone()), ..output.clone() };
        let waits = |why: &str| lack(format!("it needs {output}, which {why}"));
        let Some(produced) = self.produced(&output.account, key) else {
            return Err(waits("was not looked at yet"));
        };
        let absent = || Lack {
            because: format!("{output} is not there: a condition of its template leaves it out"),
            needs_person: true,
        };
        match produced.usable(&stack.intent()) {
            Some(outputs) => outputs.get(&output.key).cloned().ok_or_else(absent),
            None => Err(waits(match produced.standpoint {
                Standpoint::Absent => "is not there yet",
                Standpoint::Unread => "could not be read",
                Standpoint::Settled | Standpoint::Drifted | Standpoint::Changing => {
                    "is to come of a stack that is not as git says yet"
                }
            })),
        }
    }
}

/// How far the outputs of a stack can be relied on that should be `wanted` and was seen to be `seen`.
fn compared(wanted: &Value, base: Option<&Value>, seen: &Value) -> Standpoint {
    let is_same =
        |left: &Value, right: &Value| MAKES_OUTPUTS.iter().all(|key| left.get(key) == right.get(key));
    if is_same(wanted, seen) {
        Standpoint::Settled
    } else if base.is_some_and(|base| is_same(wanted, base)) {
        Standpoint::Drifted
    } else {
        Standpoint::Changing
    }
}

impl Effective<'_> {
    /// What an item waits for, if it does.
    pub(super) fn wait(&self, item: &Item) -> Option<&Wait> {
        self.waits.get(item)
    }
}

impl Wait {
    fn add(&mut self, pointer: String, lack: Lack) {
        self.parts.insert(pointer, lack.because);
        self.needs_person |= lack.needs_person;
    }

    /// Every reason once.
    pub(super) fn because(&self) -> String {
        let mut reasons: Vec<&str> = self.parts.values().map(String::as_str).collect();
        reasons.sort_unstable();
        reasons.dedup();
        reasons.join("; ")
    }

    /// The finding of what waits: what it waits for is taken to be as it was agreed, and is not checked.
    pub(super) fn finding(
        &self,
        declared: &Declared<Value>,
        base: Option<SharedValue>,
        sight: Sight,
        mode: Mode,
    ) -> Finding {
        let desired = self.assumed(&declared.value, base.as_deref(), &sight);
        let mut unchecked = BTreeMap::new();
        let mut observed = None;
        let sight = match sight {
            Sight::Present { value, unchecked: mut parts } => {
                parts.extend(self.parts.clone());
                unchecked.clone_from(&parts);
                observed = Some(assume(&value, &parts, base.as_deref().or(Some(&desired))));
                Sight::Present { value, unchecked: parts }
            }
            other => other,
        };
        let verdict = match verdict(Some(&desired), base.as_deref(), &sight) {
            Verdict::InSync => Verdict::Waiting,
            other => other,
        };
        let because = match sight {
            Sight::Moving(because) | Sight::Gap(because) => because,
            Sight::Absent | Sight::Present { .. } if verdict == Verdict::Waiting => self.because(),
            Sight::Absent | Sight::Present { .. } => String::new(),
        };
        let source = Some(declared.source.clone());
        let observed = observed.map(|value| SharedValue::like(value, &base));
        let desired = Some(SharedValue::like(desired, base.iter().chain(&observed)));
        Finding { verdict, mode, desired, base, observed, unchecked, because, source }
    }

    /// What is wanted as far as it is known, with what is not as it was agreed; of a whole that waits and of which nothing
    /// was agreed, as it is.
    fn assumed(&self, declared: &Value, base: Option<&Value>, sight: &Sight) -> Value {
        if !self.parts.contains_key("") {
            return assume(declared, &self.parts, base);
        }
        let seen = match sight {
            Sight::Present { value, .. } => Some(value),
            Sight::Absent | Sight::Moving(_) | Sight::Gap(_) => None,
        };
        base.or(seen).unwrap_or(declared).clone()
    }

    /// Holds it back.
    pub(super) fn hold(&self, draft: &mut Draft, item: &Item) {
        if self.needs_person { draft.refuse(item, self.because()) } else { draft.wait(item, self.because()) }
    }
}
