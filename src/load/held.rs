//! Whether an account leaves a lock from one commit to the next.
//!
//! An account's OU and tags are its own word, and targets look at them; so a single commit cannot tell an account that
//! fled from one that was never meant. Two commits can. What is locked is made of words: those at the lock's path and
//! below it that the lock's layer says, and those before it. An account leaves one of them only by the word of the
//! layer that says it, which is to take it out, to aim it at others, or to leave the account out by name. One whose
//! folder goes and comes back is held to where it stood before.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::Diagnostics;
use super::diagnostic::{At, Fault, Faults, Spot};
use super::identity::Properties;
use super::layer::{Layer, Path};
use super::lock::{is_about_mode_of, is_stronger};
use super::merge::{Layers, Rank};
use super::raw;
use super::rule::Rule;
use super::targets::{Candidate, Targets};
use super::tree::Tree;
use super::words::{Said, Words};
use crate::model::{AccountId, CommitId, Slug};
use crate::yaml::{self, Kind};

/// Every layer of a commit, and where its accounts stand.
#[derive(Clone)]
pub struct Held {
    layers: Arc<Layers>,
    accounts: BTreeMap<Slug, Arc<Whereabouts>>,
}

/// Accounts that one commit has and another has not, by all that they can be known by.
#[derive(Clone, Debug, Default)]
pub struct Newcomers {
    ids: BTreeMap<AccountId, Slug>,
    /// Those that have no id on record: known by their folders, as AWS keeps them in a tag.
    nameless: BTreeSet<Slug>,
    /// Whose folders are new. One that had no id on record then is known by its folder, or by its e-mail.
    folders: BTreeSet<Slug>,
    emails: BTreeMap<String, Slug>,
}

/// One account: who it is, and what targets see of it.
pub(super) struct Whereabouts {
    pub(super) file: Arc<raw::Account>,
    pub(super) properties: Arc<Properties>,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("accounts", &self.accounts).finish_non_exhaustive()
    }
}

impl fmt::Debug for Whereabouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Candidate { slug, ou, tags, .. } = self.candidate();
        f.debug_tuple("Whereabouts").field(slug).field(&self.id()).field(ou).field(tags).finish()
    }
}

impl Held {
    /// The layers; which accounts there are is still to be said.
    pub(super) fn new(layers: &Arc<Layers>) -> Self {
        Self { layers: Arc::clone(layers), accounts: BTreeMap::new() }
    }

    /// Notes the accounts.
    pub(super) fn note(&mut self, accounts: Vec<(Slug, Arc<Whereabouts>)>) {
        self.accounts = accounts.into_iter().collect();
    }

    /// Says which accounts left a lock since `before` without its word. An account whose folder went away has not
    /// left: nothing is changed in it any more.
    pub fn departures(&self, before: &Self, revision: &CommitId) -> Diagnostics {
        self.departures_in(before, &Tree { revision: revision.clone(), files: BTreeMap::new() })
    }

    /// The same with the lines of these files, which are the ones that were loaded.
    pub fn departures_in(&self, before: &Self, tree: &Tree) -> Diagnostics {
        let mut faults = Faults::default();
        let (by_id, locks) = (OnceCell::new(), OnceCell::new());
        for (slug, was) in &before.accounts {
            let here = self.accounts.get(slug);
            // Unchanged memory is where it was, among the layers that were there.
            if here.is_some_and(|now| Arc::ptr_eq(now, was)) {
                continue;
            }
            let now = match was.id() {
                Some(id) => by_id.get_or_init(|| self.by_id()).get(id).copied().or(here),
                None => self.without_id(was, here),
            };
            let Some(now) = now.filter(|now| !was.stands_as(now)) else { continue };
            let locks = locks.get_or_init(|| Lock::all(&before.layers, &self.layers));
            locks.iter().filter_map(|lock| lock.departure(was, now)).for_each(|fault| faults.add(fault));
        }
        faults.into_diagnostics(tree)
    }

    /// Who is here that was not in `before`, where anything is locked. Whose id is recorded in a folder that was there is
    /// new by that id only, so that it is not held to what that folder once was.
    pub fn newcomers(&self, before: &Self) -> Newcomers {
        let mut newcomers = Newcomers::default();
        if Voice::all(&self.layers).iter().all(|voice| voice.layer.locked.is_empty()) {
            return newcomers;
        }
        let known: BTreeSet<&AccountId> = before.accounts.values().filter_map(|it| it.id()).collect();
        for (slug, it) in &self.accounts {
            let is_there = before.accounts.contains_key(slug);
            match it.id() {
                Some(id) if known.contains(id) => continue,
                Some(id) => drop(newcomers.ids.insert(id.clone(), slug.clone())),
                None if is_there => continue,
                None => drop(newcomers.nameless.insert(slug.clone())),
            }
            if !is_there {
                newcomers.folders.insert(slug.clone());
                newcomers.emails.insert(it.properties.plain_email.clone(), slug.clone());
            }
        }
        newcomers
    }

    /// Says which newcomers were under a lock in an earlier state and are not now, without its word. Who was there is no
    /// newcomer any more.
    pub fn returns(&self, earlier: &Self, newcomers: &mut Newcomers, revision: &CommitId) -> Diagnostics {
        let mut faults = Faults::default();
        let locks = Lock::all(&earlier.layers, &self.layers);
        for was in earlier.accounts.values() {
            let Some(slug) = newcomers.is_one(was) else { continue };
            newcomers.forget(&slug);
            if let Some(now) = self.accounts.get(&slug).filter(|now| !was.stands_as(now)) {
                locks.iter().filter_map(|lock| lock.departure(was, now)).for_each(|fault| faults.add(fault));
            }
        }
        faults.into_diagnostics(&Tree { revision: revision.clone(), files: BTreeMap::new() })
    }

    /// A folder that was renamed is known by its recorded id.
    fn by_id(&self) -> BTreeMap<&AccountId, &Arc<Whereabouts>> {
        self.accounts.values().filter_map(|it| Some((it.id()?, it))).collect()
    }

    /// Before its id is recorded an account is known by its e-mail, which no two have, and else by its name.
    fn without_id<'a>(
        &'a self,
        was: &Whereabouts,
        here: Option<&'a Arc<Whereabouts>>,
    ) -> Option<&'a Arc<Whereabouts>> {
        let all = || here.into_iter().chain(self.accounts.values());
        let by_email = || all().find(|now| now.properties.plain_email == was.properties.plain_email);
        let by_name = || all().find(|now| now.properties.name == was.properties.name);
        by_email().or_else(by_name).or(here)
    }
}

/// The id that the file of an account records, whatever else is in it.
pub fn recorded_id(text: &str) -> Option<AccountId> {
    let Kind::Map(entries) = yaml::parse(text).0?.kind else { return None };
    match &entries.iter().find(|entry| entry.key == "id")?.value.kind {
        Kind::Scalar { text, .. } => AccountId::parse(text.as_str()).ok(),
        Kind::List(_) | Kind::Map(_) => None,
    }
}

impl Newcomers {
    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.folders.is_empty()
    }

    /// True when an account that was in this folder, with this id on record or none, may be one of them.
    pub fn may_be(&self, folder: &str, id: Option<&AccountId>) -> bool {
        match id {
            Some(id) => self.ids.contains_key(id) || self.nameless.iter().any(|slug| slug.as_str() == folder),
            None => true,
        }
    }

    /// Which of them an account was.
    fn is_one(&self, was: &Whereabouts) -> Option<Slug> {
        let (folder, email) = (&was.file.slug, &was.properties.plain_email);
        match was.id() {
            Some(id) => self.ids.get(id).or_else(|| self.nameless.get(folder)).cloned(),
            None => self.emails.get(email).or_else(|| self.folders.get(folder)).cloned(),
        }
    }

    fn forget(&mut self, slug: &Slug) {
        self.ids.retain(|_, it| it != slug);
        self.emails.retain(|_, it| it != slug);
        self.folders.remove(slug);
        self.nameless.remove(slug);
    }
}

impl Whereabouts {
    fn id(&self) -> Option<&AccountId> {
        self.file.id.as_ref().map(|id| &id.value)
    }

    fn candidate(&self) -> Candidate<'_> {
        let (file, properties) = (&self.file, &self.properties);
        Candidate {
            slug: &file.slug,
            ou: &file.ou.value,
            tags: &properties.tags,
            is_management: properties.is_management,
        }
    }

    /// True when targets see the same of both.
    fn stands_as(&self, other: &Self) -> bool {
        let (one, other) = (self.candidate(), other.candidate());
        (one.slug, one.ou, one.tags, one.is_management)
            == (other.slug, other.ou, other.tags, other.is_management)
    }
}

/// One layer that speaks to accounts.
#[derive(Clone, Copy)]
struct Voice<'a> {
    spot: &'a Spot,
    layer: &'a Layer,
    /// `landfast.yaml` has none: it speaks to everybody.
    targets: Option<&'a Targets>,
    rank: Rank<'a>,
}

impl<'a> Voice<'a> {
    fn all(layers: &'a Layers) -> Vec<Self> {
        let first = layers.repository();
        let first = Self { spot: &first.spot, layer: &first.layer, targets: None, rank: Rank::Repository };
        let baseline = |it: &'a raw::Baseline| Self {
            spot: &it.spot,
            layer: &it.layer,
            targets: Some(&it.targets),
            rank: Rank::Baseline(&it.name),
        };
        std::iter::once(first).chain(layers.iter().map(baseline)).collect()
    }

    fn is_for(&self, account: &Candidate<'_>) -> bool {
        self.targets.is_none_or(|targets| targets.reach(account))
    }

    /// True when what it says at `path` is said to the account.
    fn reaches(&self, path: &[String], account: &Candidate<'_>) -> bool {
        self.is_for(account) && self.layer.is_for(path, account)
    }

    /// Everything that decides whom it says `path` to; with no path, whom it speaks to at all.
    fn targets_of(&self, path: &[String]) -> impl Iterator<Item = &'a Targets> {
        self.layer.narrowing_of(path).chain(self.targets)
    }

    /// What that asks for, as text.
    fn aim(&self, path: &[String]) -> String {
        self.targets_of(path).map(Targets::aim).collect::<Vec<_>>().join(" and ")
    }

    fn leaves_out(&self, path: &[String], slugs: [&Slug; 2]) -> bool {
        let mut all = self.targets_of(path);
        all.any(|targets| slugs.iter().any(|slug| targets.exclusions().contains_key(slug.as_str())))
    }

    /// What it says, and where.
    fn said(&self) -> impl Iterator<Item = (&'a Path, &'a Spot)> + use<'a> {
        let values = self.layer.leaves.iter().map(|(path, leaf)| (path, &leaf.spot));
        values.chain(self.layer.denied.iter().map(|(path, denial)| (path, &denial.spot)))
    }

    fn says(&self, path: &Path) -> bool {
        self.layer.leaves.contains_key(path) || self.layer.denied.contains_key(path)
    }
}

/// A lock that is in both commits.
struct Lock<'a> {
    at: &'a At<Path>,
    /// Its layer, then and now.
    old: Voice<'a>,
    new: Voice<'a>,
    /// That layer and those before it, now.
    voices: Vec<Voice<'a>>,
    kept: Vec<Kept<'a>>,
}

/// What is under a lock: a word that was said then and is said now.
struct Kept<'a> {
    path: &'a Path,
    spot: &'a Spot,
    old: Voice<'a>,
    new: Voice<'a>,
}

impl<'a> Lock<'a> {
    fn all(before: &'a Layers, now: &'a Layers) -> Vec<Self> {
        let old: BTreeMap<_, _> = Voice::all(before).into_iter().map(|it| (&*it.spot.path, it)).collect();
        let voices = Voice::all(now);
        let mut locks = Vec::new();
        for new in &voices {
            let Some(was) = old.get(&*new.spot.path) else { continue };
            let is_old = |at: &&At<Path>| was.layer.locked.iter().any(|old| old.value == at.value);
            for at in new.layer.locked.iter().filter(is_old) {
                let is_heard = |it: &&Voice<'_>| it.rank == new.rank || now.comes_after(new.rank, it.rank);
                let voices: Vec<_> = voices.iter().filter(is_heard).copied().collect();
                let kept = voices.iter().filter_map(|new| Some((*old.get(&*new.spot.path)?, *new)));
                let kept = kept.flat_map(|(old, new)| Kept::of(&at.value, old, new)).collect();
                locks.push(Self { at, old: *was, new: *new, voices, kept });
            }
        }
        locks
    }

    /// What is wrong where the account `was` has become `now`.
    fn departure(&self, was: &Whereabouts, now: &Whereabouts) -> Option<Fault> {
        let (from, to) = (was.candidate(), now.candidate());
        let slugs = [from.slug, to.slug];
        if !self.held(&from) || self.new.leaves_out(&self.at.value, slugs) {
            return None;
        }
        let left = if self.new.is_for(&to) {
            let (before, after) = (self.words(&from), self.words(&to));
            let is_left = |it: &&Kept<'_>| it.is_left(&from, &to) && is_lost(it.path, &before, &after);
            Some(self.kept.iter().find(is_left)?)
        } else if self.old.aim(&[]) == self.new.aim(&[]) {
            None
        } else {
            return None;
        };
        Some(self.fault(left, now))
    }

    /// A lock holds where something was said that it can hold. Mode and access always have a value.
    fn held(&self, account: &Candidate<'_>) -> bool {
        let is_held = |it: &Kept<'_>| it.old.reaches(it.path, account);
        self.old.is_for(account)
            && (matches!(self.at.value[0].as_str(), "mode" | "access") || self.kept.iter().any(is_held))
    }

    /// What its side says now to an account that stands like this.
    fn words(&self, account: &Candidate<'_>) -> Words<'a> {
        let voices = self.voices.iter().enumerate().filter(|(_, voice)| voice.is_for(account));
        Words::of(voices.map(|(by, voice)| (by, voice.layer)), account)
    }

    fn fault(&self, left: Option<&Kept<'_>>, now: &Whereabouts) -> Fault {
        let (slug, lock) = (&now.file.slug, self.at.value.join("."));
        let message = match left.filter(|it| (it.path, it.new.rank) != (&self.at.value, self.new.rank)) {
            None => format!("accounts/{slug} would leave the lock of `{lock}`"),
            Some(it) => {
                let (path, who) = (it.path.join("."), it.new.rank);
                format!("accounts/{slug} would leave `{path}` of {who}, which the lock of `{lock}` keeps")
            }
        };
        let hint = "put its ou and tags back, or leave it out by name there, with a reason";
        let fault = Fault::new(Rule::Locked, &now.file.ou.spot, message, hint);
        let fault = left.into_iter().fold(fault, |fault, it| fault.see(it.spot, "said here"));
        fault.see(&self.at.spot, "locked here")
    }
}

impl<'a> Kept<'a> {
    /// What a layer said then and says now at the lock's path and below it, and how far to go there.
    fn of(lock: &Path, old: Voice<'a>, new: Voice<'a>) -> impl Iterator<Item = Self> + use<'a> {
        let lock = lock.clone();
        let is_under = move |path: &Path| path.starts_with(&lock) || is_about_mode_of(path, &lock);
        let said = new.said().filter(move |(path, _)| is_under(path) && old.says(path));
        said.map(move |(path, spot)| Self { path, spot, old, new })
    }

    /// True when the account heard it, and hears it no more by its own doing.
    fn is_left(&self, from: &Candidate<'_>, to: &Candidate<'_>) -> bool {
        self.old.reaches(self.path, from)
            && !self.new.reaches(self.path, to)
            && self.old.aim(self.path) == self.new.aim(self.path)
            && !self.new.leaves_out(self.path, [from.slug, to.slug])
    }
}

/// True where what decides at a path is another now, and asks for less. What somebody overruled is no loss.
fn is_lost(path: &Path, before: &Words<'_>, after: &Words<'_>) -> bool {
    let Some(before) = before.decides(path) else { return false };
    let Some(after) = after.decides(path) else { return true };
    match (before.said, after.said) {
        (one, other) if one == other => false,
        (Said::Value(old), Said::Value(new)) => !is_stronger(path, &new.value, &old.value),
        (Said::Denied(_), _) | (_, Said::Denied(_)) => true,
    }
}
