//! Locks: what one layer locks, only that layer and those before it decide.
//!
//! Guarantees: for an account that a lock holds in, whatever any other layer says, what is locked comes to what it
//! would come to without that layer, or to something stronger; it is not silenced by a lower mode, nor looked for
//! under another role. Other layers may repeat what is locked, and raise a field of the password policy.
//!
//! "Other" are all layers but the holder of the lock, those it comes `after`, and `landfast.yaml`: a baseline that has
//! no order to the holder is treated as if it came later.

use std::collections::BTreeSet;

use serde_json::json;

use super::account::declared_mode;
use super::diagnostic::{At, Fault, Faults, Spot};
use super::expression::Context;
use super::fields::suggest;
use super::layer::{Path, is_about};
use super::merge::{Layers, Merged, Rank, Speaker, effective, may_be_secret};
use super::pieces::may_read;
use super::raw;
use super::rule::Rule;
use super::targets::Candidate;
use super::words::{Said, Spoken, Word, Words};
use crate::model::{Mode, Region, Slug, Value};

/// Reports locks on what neither their layer nor one before it says: a typing error would lock nothing, silently.
pub(super) fn check_paths(layers: &Layers, faults: &mut Faults) {
    let repository = layers.repository();
    let all = layers.iter().map(|it| (&it.layer, Rank::Baseline(&it.name)));
    let all: Vec<_> = std::iter::once((&repository.layer, Rank::Repository)).chain(all).collect();
    for (layer, rank) in &all {
        let heard = all.iter().filter(|(_, other)| other == rank || layers.comes_after(*rank, *other));
        let heard: Vec<_> =
            heard.flat_map(|(layer, _)| layer.leaves.keys().chain(layer.denied.keys())).collect();
        let is_heard = |path: &Path| {
            matches!(path[0].as_str(), "mode" | "access") || heard.iter().any(|said| said.starts_with(path))
        };
        for lock in layer.locked.iter().filter(|lock| !is_heard(&lock.value)) {
            let message = format!("there is no `{}` to lock", lock.value.join("."));
            let near: BTreeSet<_> =
                heard.iter().filter(|path| path.len() == 2).map(|path| path.join(".")).collect();
            let hint = suggest(&lock.value.join("."), near.iter().map(String::as_str));
            faults.report(Rule::UnknownName, &lock.spot, message, hint);
        }
    }
}

/// One account as its locks see it.
pub(super) struct Locks<'a> {
    pub(super) slug: &'a Slug,
    pub(super) candidate: &'a Candidate<'a>,
    pub(super) file: &'a raw::Account,
    pub(super) organization: &'a raw::Organization,
    pub(super) layers: &'a Layers,
    pub(super) speakers: &'a [Speaker<'a>],
    pub(super) words: &'a Words<'a>,
    pub(super) merged: &'a Merged<'a>,
    /// What expressions see, `values` as every layer has them.
    pub(super) context: &'a Context,
    /// The same without `values`: what the values themselves see.
    pub(super) bare: &'a Context,
    pub(super) values: &'a Value,
}

/// What was decided without the layers that a lock keeps out.
struct Frozen<'a> {
    holder: usize,
    words: Words<'a>,
    merged: Merged<'a>,
}

impl<'a> Locks<'a> {
    /// Reports every word that would get past a lock, and gives the locks that hold. `regions` are those of a stack,
    /// by its name.
    pub(super) fn check(
        &self,
        regions: &dyn Fn(&str) -> Vec<Region>,
        faults: &mut Faults,
    ) -> Vec<&'a At<Path>> {
        let mut all = Vec::new();
        for (holder, speaker) in self.speakers.iter().enumerate() {
            if speaker.layer.locked.is_empty() {
                continue;
            }
            let frozen = self.frozen(holder);
            let holding: Vec<_> =
                speaker.layer.locked.iter().filter(|lock| frozen.says(&lock.value)).collect();
            for lock in &holding {
                self.check_words(lock, &frozen, faults);
                self.check_expressions(lock, &frozen, regions, faults);
            }
            self.check_silence(&holding, &frozen, faults);
            if let Some(lock) = holding.iter().find(|lock| is_on_items(lock) || lock.value[0] == "access") {
                self.check_access(lock, &frozen, faults);
            }
            all.extend(holding);
        }
        all
    }

    fn frozen(&self, holder: usize) -> Frozen<'a> {
        let speakers = self.speakers.iter().enumerate().filter(|(by, _)| self.may_speak(holder, *by));
        let words = Words::of(speakers.map(|(by, speaker)| (by, speaker.layer)), self.candidate);
        Frozen { holder, merged: effective(&words), words }
    }

    fn may_speak(&self, holder: usize, by: usize) -> bool {
        by == holder || self.layers.comes_after(self.speakers[holder].rank, self.speakers[by].rank)
    }

    /// The words of those whom the lock keeps out: at its path, below it and above it.
    fn intruders<'s>(
        &'s self,
        path: &'s [String],
        frozen: &'s Frozen<'a>,
    ) -> impl Iterator<Item = &'s Spoken<'a>> {
        let above = (1..path.len()).flat_map(move |end| self.words.at(&path[..end]));
        let all = self.words.under(path).iter().chain(above);
        all.filter(move |(_, word)| !self.may_speak(frozen.holder, word.by))
    }

    fn check_words(&self, lock: &At<Path>, frozen: &Frozen<'_>, faults: &mut Faults) {
        // How far to go is looked at by itself: it has a weaker and a stronger side.
        for (path, word) in self.intruders(&lock.value, frozen).filter(|(path, _)| !is_entry_mode(path)) {
            let Some(offence) = offence(path, word, frozen) else { continue };
            if may_be_secret(path) {
                faults.keep_secret(word.spot());
            }
            let message = format!("`{}` is locked{offence}", path.join("."));
            let fault = self.fault(lock, frozen, word.spot(), message);
            let decided = frozen.merged.get(path).filter(|leaf| leaf.spot != *word.spot());
            faults.add_for(
                self.slug,
                match decided {
                    Some(leaf) => fault.see(&leaf.spot, "what it is locked to"),
                    None => fault,
                },
            );
        }
    }

    fn fault(&self, lock: &At<Path>, frozen: &Frozen<'_>, spot: &Spot, message: String) -> Fault {
        let holder = self.speakers[frozen.holder].rank;
        let hint = format!("take it out; only {holder} can change it, or leave an account out");
        Fault::new(Rule::Locked, spot, message, hint).see(&lock.spot, "locked here")
    }

    /// What a locked expression reads is locked with it, as far as those before the lock have said it.
    fn check_expressions(
        &self,
        lock: &At<Path>,
        frozen: &Frozen<'_>,
        regions: &dyn Fn(&str) -> Vec<Region>,
        faults: &mut Faults,
    ) {
        let all_values = ["values".to_owned()];
        let intruders: Vec<_> = self.intruders(&all_values, frozen).collect();
        if intruders.is_empty() || lock.value[0] == "values" {
            return;
        }
        // Nearly every expression names a value, and nearly always one that nobody else has said.
        let is_theirs =
            |name: &str| intruders.iter().any(|(path, _)| path.get(1).is_none_or(|it| it == name));
        let leaves = self.merged.under(&lock.value).iter();
        let mut leaves = leaves.filter(|(_, leaf)| may_read(&leaf.value, &is_theirs)).peekable();
        if leaves.peek().is_none() {
            return;
        }
        let (strict, held) = self.without_intruders(frozen);
        for (path, leaf) in leaves {
            let regions = if path[0] == "stacks" { regions(&path[1]) } else { Vec::new() };
            let at = |context: &Context| -> Vec<_> {
                let seen = |region| context.at(self.slug, path, region).value(&leaf.value).ok();
                if regions.is_empty() {
                    vec![seen(None)]
                } else {
                    regions.iter().map(|region| seen(Some(region))).collect()
                }
            };
            let (now, strict, held) = (at(self.context), at(&strict), at(&held));
            let differs = |(now, strict): (&Option<Value>, &Option<Value>)| strict.is_some() && strict != now;
            if now != held || now.iter().zip(&strict).any(differs) {
                let text = leaf.value.to_string();
                let is_read = |(path, _): &&&Spoken<'_>| path.get(1).is_some_and(|name| text.contains(name));
                let (path_said, word) = intruders.iter().find(is_read).unwrap_or(&intruders[0]);
                faults.keep_secret(word.spot());
                let message =
                    format!("`{}` decides `{}`, which is locked", path_said.join("."), path.join("."));
                let fault = self.fault(lock, frozen, word.spot(), message);
                faults.add_for(self.slug, fault.see(&leaf.spot, "read here"));
            }
        }
    }

    /// What expressions would see: nothing but what was said before the lock; and that over everything else.
    fn without_intruders(&self, frozen: &Frozen<'_>) -> (Context, Context) {
        // Faults in them were met when all layers were put together.
        let values = super::account::values(self.slug, &frozen.merged, self.bare, &mut Faults::default());
        let mut held = self.values.clone();
        for (name, value) in values.as_object().into_iter().flatten() {
            held[name.as_str()] = value.clone();
        }
        (self.context.with_values(&values), self.context.with_values(&held))
    }

    /// A lower mode would leave what is locked as somebody made it by hand, or say nothing of it.
    fn check_silence(&self, holding: &[&At<Path>], frozen: &Frozen<'_>, faults: &mut Faults) {
        let general = ["mode".to_owned()];
        let heads = ["settings", "stacks"].map(|head| [head.to_owned()]);
        let of_one = heads.iter().flat_map(|head| self.intruders(head, frozen));
        let of_one = of_one.filter(|(path, _)| is_entry_mode(path));
        for (path, word) in self.intruders(&general, frozen).chain(of_one) {
            let entry = &path[..path.len() - 1];
            let silenced = holding.iter().find(|lock| match entry {
                [] => is_on_items(lock) && !frozen.has_own_mode(&lock.value),
                _ if lock.value == general => true,
                _ => entry.starts_with(&lock.value) || lock.value.starts_with(entry),
            });
            let mode = mode_said(word);
            if let Some(lock) = silenced.filter(|_| mode < frozen.mode_at(path)) {
                let (what, why) = match lock.value.as_slice() {
                    lock if *lock == general => (entry.join("."), "whose mode is locked"),
                    lock => (lock.join("."), "which is locked"),
                };
                let mode = json!(mode);
                let mode = mode.as_str().unwrap_or_default();
                let message = format!("the mode `{mode}` would silence `{what}`, {why}");
                faults.add_for(self.slug, self.fault(lock, frozen, word.spot(), message));
            }
        }
    }

    /// Under another role the account would be looked at, and changed, with other rights than the lock counts on. The
    /// management account has to name its own: AWS makes none there.
    fn check_access(&self, lock: &At<Path>, frozen: &Frozen<'_>, faults: &mut Faults) {
        let Some(spot) = self.file.access_spot.as_ref().filter(|_| !self.candidate.is_management) else {
            return;
        };
        let common = super::account::access(&self.organization.access, &raw::Access::default());
        if super::account::access(&self.organization.access, &self.file.access) != common {
            let message = format!("`access` would re-home `{}`, which is locked", lock.value.join("."));
            faults.add_for(self.slug, self.fault(lock, frozen, spot, message));
        }
    }
}

impl Frozen<'_> {
    /// A lock holds where something was said that it can hold. Mode and access always have a value.
    fn says(&self, path: &[String]) -> bool {
        matches!(path[0].as_str(), "mode" | "access") || !self.words.under(path).is_empty()
    }

    /// The mode that the leaf at `path` gives, or else the account's.
    fn mode_at(&self, path: &[String]) -> Mode {
        let own = self.merged.get(path).and_then(|leaf| serde_json::from_value(leaf.value.clone()).ok());
        own.unwrap_or_else(|| declared_mode(&self.merged))
    }

    /// True where the entry that `path` is in, or is, has a mode of its own.
    fn has_own_mode(&self, path: &[String]) -> bool {
        let entries = (1..=path.len()).map(|end| [&path[..end], &["mode".to_owned()]].concat());
        entries.filter(|path| is_entry_mode(path)).any(|path| self.merged.contains(&path))
    }
}

/// The mode that a word gives; what is withdrawn counts as the least that could come of it.
fn mode_said(word: &Word<'_>) -> Mode {
    match word.said {
        Said::Value(leaf) => serde_json::from_value(leaf.value.clone()).unwrap_or_default(),
        Said::Denied(_) => Mode::default(),
    }
}

fn is_on_items(lock: &At<Path>) -> bool {
    matches!(lock.value[0].as_str(), "settings" | "stacks")
}

/// True for the mode of one entry.
fn is_entry_mode(path: &[String]) -> bool {
    is_about(path) && path.last().is_some_and(|last| last == "mode")
}

/// True for the mode that a lock keeps from being lowered, although it is said above the lock's path: the account's,
/// and that of the entry in which something is locked.
pub(super) fn is_about_mode_of(path: &[String], lock: &[String]) -> bool {
    match path {
        [mode] => mode == "mode" && matches!(lock[0].as_str(), "settings" | "stacks"),
        [entry @ .., _] => is_entry_mode(path) && lock.starts_with(entry),
        [] => false,
    }
}

/// What is wrong with a word that a lock keeps out; nothing when it only repeats, or strengthens.
fn offence(path: &[String], word: &Word<'_>, frozen: &Frozen<'_>) -> Option<String> {
    let decided = frozen.merged.get(path);
    let leaf = match word.said {
        Said::Denied(_) if frozen.words.at(path).last().is_some_and(|(_, last)| last.said == word.said) => {
            return None;
        }
        Said::Denied(_) => return Some(" and cannot be dropped".to_owned()),
        Said::Value(leaf) => leaf,
    };
    match decided {
        Some(decided) if decided.value == leaf.value || is_stronger(path, &leaf.value, &decided.value) => {
            None
        }
        Some(decided) if is_ordered(path) => {
            Some(format!(", and {} is weaker than {}", leaf.value, decided.value))
        }
        Some(_) => Some(" and cannot be changed".to_owned()),
        // To speak of an entry says nothing; what is said in it is looked at by itself.
        None if word.is_marker() => None,
        None => Some(" and cannot be added to".to_owned()),
    }
}

/// The field of a locked password policy, if it is one.
fn policy_field(path: &[String]) -> Option<&str> {
    match path {
        [head, setting, field] if head == "settings" && setting == "passwordPolicy" && !is_about(path) => {
            Some(field)
        }
        _ => None,
    }
}

/// True for what has a weaker and a stronger side.
fn is_ordered(path: &[String]) -> bool {
    policy_field(path).is_some_and(|field| field != "allowUsersToChange")
}

/// True when `new` asks for more than `old`, where that has a meaning.
pub(super) fn is_stronger(path: &[String], new: &Value, old: &Value) -> bool {
    match policy_field(path) {
        Some("minimumLength" | "reusePrevention") => new.as_u64() > old.as_u64(),
        Some("maxAgeDays") => new.as_u64() < old.as_u64(),
        Some("allowUsersToChange") | None => false,
        Some(_) => new == &Value::Bool(true),
    }
}
