//! What one load leaves for the next, so that what did not change is not worked out again.
//!
//! Guarantees: pure; a load that remembers comes to the same as one that does not. Whatever is kept is kept with
//! everything it was made from, and is used again only where all of that is the same. What a load did not ask for is
//! forgotten after it, unless the commit is bad: it is soon followed by one that mends it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::diagnostic::Faults;
use super::documents::Documents;
use super::held::Whereabouts;
use super::identity::{Identity, Properties};
use super::layer::Layer;
use super::links::Link;
use super::merge::Layers;
use super::producers::Producers;
use super::raw;
use super::reads::Reads;
use super::spread::spread;
use super::templates::{Loaded, Templates};
use super::tree::File;
use crate::model::saml::SamlMetadata;
use crate::model::{Account, Policy};

/// Everything that is remembered.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) repository: Pages<raw::Repository>,
    pub(super) organization: Pages<raw::Organization>,
    pub(super) baselines: Pages<raw::Baseline>,
    pub(super) accounts: Pages<raw::Account>,
    pub(super) templates: Pages<Loaded>,
    pub(super) documents: Pages<SamlMetadata>,
    pub(super) policies: Pages<Policy>,
    pub(super) identities: Kept<Origin, Found<Properties>>,
    pub(super) everybody: Settled<Vec<Same<Properties>>>,
    pub(super) surroundings: Settled<Surroundings>,
    pub(super) built: Kept<Inputs, Built>,
    /// True after a commit that did not load: what is known of the last one that did is kept.
    pub(super) was_bad: bool,
}

/// How much is kept of one kind while no commit loads: more than a commit can hold.
const MOST: usize = 50_000;

impl Memory {
    /// Begins another load. Forgets what was not asked for in the last one, unless that did not load.
    pub(super) fn turn(&mut self) {
        let all = !self.was_bad;
        self.repository.turn(all);
        self.organization.turn(all);
        self.baselines.turn(all);
        self.accounts.turn(all);
        self.templates.turn(all);
        self.documents.turn(all);
        self.policies.turn(all);
        self.identities.turn(all);
        self.everybody.turn(all);
        self.surroundings.turn(all);
        self.built.turn(all);
    }
}

/// Files by path, each with what was read in it.
pub(super) type Pages<T> = Kept<Option<Content>, Found<T>>;

/// What something came to, and the faults that were met.
#[derive(Debug)]
pub(super) struct Found<T> {
    value: Option<Arc<T>>,
    faults: Faults,
}

impl<T> Pages<T> {
    /// What `read` makes of a file, or made of the very same file before; its faults are reported each time.
    pub(super) fn read(
        &mut self,
        path: &str,
        file: Option<&File>,
        faults: &mut Faults,
        read: impl FnOnce(&mut Faults) -> Option<Arc<T>>,
    ) -> Option<Arc<T>> {
        self.find(path, file.cloned().map(Content), faults, read)
    }
}

impl<I: PartialEq, T> Kept<I, Found<T>> {
    /// What `make` comes to, or came to from the same things before; its faults are reported each time.
    pub(super) fn find(
        &mut self,
        name: &str,
        from: I,
        faults: &mut Faults,
        make: impl FnOnce(&mut Faults) -> Option<Arc<T>>,
    ) -> Option<Arc<T>> {
        self.get_or_make(name, from, || Found::of(make)).told(faults)
    }
}

impl<T> Found<T> {
    fn of(make: impl FnOnce(&mut Faults) -> Option<Arc<T>>) -> Self {
        let mut faults = Faults::default();
        Self { value: make(&mut faults), faults }
    }

    /// What was found, its faults reported once more.
    fn told(&self, faults: &mut Faults) -> Option<Arc<T>> {
        faults.absorb(&self.faults);
        self.value.clone()
    }
}

impl<I: PartialEq + Sync, T: Send + Sync> Kept<I, Found<T>> {
    /// The same for many at once, in order. `make` is given the number of each, and what there was under its name.
    pub(super) fn find_all(
        &mut self,
        asked: Vec<(&str, I)>,
        faults: &mut Faults,
        make: impl Fn(usize, Option<&Arc<T>>, &mut Faults) -> Option<Arc<T>> + Sync,
    ) -> Vec<Option<Arc<T>>> {
        let mut all = Vec::with_capacity(asked.len());
        let of = |nth, before: Option<&Found<T>>| {
            Found::of(|faults| make(nth, before.and_then(|it| it.value.as_ref()), faults))
        };
        self.get_or_make_all(asked, of, |found| all.push(found.told(faults)));
        all
    }
}

/// Things by name, each with what it was made from.
#[derive(Debug)]
pub(super) struct Kept<I, T> {
    /// In the order of their names.
    things: Vec<Thing<I, T>>,
    /// Made in this load, under names that were not known before it.
    new: BTreeMap<String, Thing<I, T>>,
    /// What was there under a name that something else was made for in this load.
    replaced: Vec<Thing<I, T>>,
    /// Where the next one that is asked for is, as long as each load asks in the same order.
    next: usize,
}

#[derive(Debug)]
struct Thing<I, T> {
    name: String,
    from: I,
    made: T,
    /// True when this load asked for it.
    is_live: bool,
}

/// What is kept under a name, and where.
enum Known {
    Nothing,
    /// It was made from something else.
    Other(usize),
    /// It was made from the same.
    Same(usize),
}

impl Known {
    fn place(&self) -> Option<usize> {
        match self {
            Self::Nothing => None,
            Self::Other(at) | Self::Same(at) => Some(*at),
        }
    }
}

impl<I, T> Default for Kept<I, T> {
    fn default() -> Self {
        Self { things: Vec::new(), new: BTreeMap::new(), replaced: Vec::new(), next: 0 }
    }
}

impl<I: PartialEq, T> Kept<I, T> {
    /// What is kept under `name` if it was made from the same, or else what `make` makes of it now.
    pub(super) fn get_or_make(&mut self, name: &str, from: I, make: impl FnOnce() -> T) -> &T {
        let Some(at) = self.find_place(name) else { return self.get_or_add(name, from, make) };
        self.next = at + 1;
        let thing = &mut self.things[at];
        if thing.from != from {
            let other = Thing { name: thing.name.clone(), from, made: make(), is_live: false };
            self.replaced.push(std::mem::replace(thing, other));
        }
        thing.is_live = true;
        &thing.made
    }

    fn get_or_add(&mut self, name: &str, from: I, make: impl FnOnce() -> T) -> &T {
        let known = self.new.remove(name).filter(|thing| thing.from == from);
        let add = || Thing { name: name.to_owned(), from, made: make(), is_live: true };
        let thing = known.unwrap_or_else(add);
        &self.new.entry(name.to_owned()).insert_entry(thing).into_mut().made
    }

    fn find_place(&self, name: &str) -> Option<usize> {
        if self.things.get(self.next).is_some_and(|next| next.name == name) {
            return Some(self.next);
        }
        self.place(name)
    }

    /// What is kept under these names or else made, on all cores where that is much; `take` is given each in order.
    /// `make` is given the number of each, and what was there under its name. No name is asked for twice.
    pub(super) fn get_or_make_all(
        &mut self,
        asked: Vec<(&str, I)>,
        make: impl Fn(usize, Option<&T>) -> T + Sync,
        mut take: impl FnMut(&T),
    ) where
        I: Sync,
        T: Send + Sync,
    {
        let known = self.known(&asked);
        let others = known.iter().enumerate().filter(|(_, known)| !matches!(known, Known::Same(_)));
        let fresh = spread(&others.collect::<Vec<_>>(), |(nth, known)| {
            make(*nth, known.place().map(|at| &self.things[at].made))
        });
        let mut fresh = fresh.into_iter();
        for (nth, ((name, from), known)) in asked.into_iter().zip(known).enumerate() {
            let Known::Same(at) = known else {
                let ready = fresh.next();
                take(self.get_or_make(name, from, || ready.unwrap_or_else(|| make(nth, None))));
                continue;
            };
            self.things[at].is_live = true;
            take(&self.things[at].made);
        }
    }

    /// What there is under each name.
    fn known(&self, asked: &[(&str, I)]) -> Vec<Known> {
        let mut next = self.next;
        let known = |(name, from): &(&str, I)| {
            let is_next = self.things.get(next).is_some_and(|thing| thing.name == *name);
            let Some(at) = (if is_next { Some(next) } else { self.place(name) }) else {
                return Known::Nothing;
            };
            next = at + 1;
            if self.things[at].from == *from { Known::Same(at) } else { Known::Other(at) }
        };
        asked.iter().map(known).collect()
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.things.binary_search_by(|thing| thing.name.as_str().cmp(name)).ok()
    }

    fn turn(&mut self, forget: bool) {
        let replaced = std::mem::take(&mut self.replaced);
        if forget || self.things.len() > MOST {
            self.things.retain(|thing| thing.is_live);
        } else {
            // Backwards: what was there at first is the last to be put back.
            for before in replaced.into_iter().rev() {
                if let Some(at) = self.place(&before.name) {
                    self.things[at] = before;
                }
            }
        }
        if !self.new.is_empty() {
            self.things.extend(std::mem::take(&mut self.new).into_values());
            self.things.sort_by(|one, other| one.name.cmp(&other.name));
        }
        self.things.iter_mut().for_each(|thing| thing.is_live = false);
        self.next = 0;
    }
}

/// A file, the same where its bytes are the same: a directory is read into new memory each time.
#[derive(Clone, Debug)]
pub(super) struct Content(pub(super) File);

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (File::Blob(one), File::Blob(other)) => Arc::ptr_eq(one, other) || one == other,
            (one, other) => one == other,
        }
    }
}

/// Something shared that is the same only where it is the same memory.
#[derive(Debug)]
pub(super) struct Same<T>(pub(super) Arc<T>);

impl<T> Same<T> {
    pub(super) fn of(value: &Arc<T>) -> Self {
        Self(Arc::clone(value))
    }
}

impl<T> Clone for Same<T> {
    fn clone(&self) -> Self {
        Self::of(&self.0)
    }
}

impl<T> PartialEq for Same<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// One thing that becomes the same memory wherever it is equal.
#[derive(Debug)]
pub(super) struct Settled<T> {
    before: Option<Same<T>>,
    now: Option<Same<T>>,
}

impl<T> Default for Settled<T> {
    fn default() -> Self {
        Self { before: None, now: None }
    }
}

impl<T: PartialEq> Settled<T> {
    /// What was there if it is equal, or else the new value.
    pub(super) fn settle(&mut self, value: T) -> Same<T> {
        let before = self.before.clone().filter(|before| *before.0 == value);
        self.now.insert(before.unwrap_or_else(|| Same(Arc::new(value)))).clone()
    }

    fn turn(&mut self, forget: bool) {
        let now = self.now.take();
        if forget || self.before.is_none() {
            self.before = now;
        }
    }
}

/// What an account's own properties are made from.
#[derive(Debug, PartialEq)]
pub(super) struct Origin {
    pub(super) file: Same<raw::Account>,
    pub(super) organization: Same<raw::Organization>,
    /// False where the organization's file has a fault: then nothing is said that might follow from it.
    pub(super) is_sound: bool,
}

/// What all accounts are built from alike.
#[derive(Debug, PartialEq)]
pub(super) struct Surroundings {
    pub(super) organization: Same<raw::Organization>,
    pub(super) repository: Same<raw::Repository>,
    pub(super) baselines: Vec<Same<raw::Baseline>>,
    pub(super) beside: Vec<Beside>,
    pub(super) facts: Facts,
}

impl Surroundings {
    pub(super) fn new(
        organization: &Arc<raw::Organization>,
        layers: &Layers,
        templates: &Templates<'_>,
        documents: &Documents<'_>,
        everybody: &Same<Vec<Same<Properties>>>,
        identities: &[Identity<'_>],
    ) -> Self {
        let (repository, baselines) = layers.shared();
        let all = layers.iter().map(|baseline| &baseline.layer).chain([&layers.repository().layer]);
        let reads = all.clone().fold(Reads::default(), |reads, layer| reads.and(layer.reads.clone()));
        Self {
            organization: Same::of(organization),
            repository,
            baselines,
            beside: all.map(|layer| Beside::of(layer, templates, documents)).collect(),
            facts: Facts::read(&reads, everybody, identities),
        }
    }
}

/// What one account is built from.
#[derive(Debug, PartialEq)]
pub(super) struct Inputs {
    pub(super) surroundings: Same<Surroundings>,
    pub(super) file: Same<raw::Account>,
    pub(super) properties: Same<Properties>,
    pub(super) beside: Beside,
    pub(super) facts: Facts,
}

/// The files that a layer names.
#[derive(Debug, PartialEq)]
pub(super) struct Beside {
    pub(super) templates: Vec<Option<Same<Loaded>>>,
    pub(super) documents: Vec<Option<Same<SamlMetadata>>>,
}

impl Beside {
    pub(super) fn of(layer: &Layer, templates: &Templates<'_>, documents: &Documents<'_>) -> Self {
        Self { templates: templates.of(layer), documents: documents.of(layer) }
    }
}

/// The facts of other accounts that expressions look at.
#[derive(Debug, PartialEq)]
pub(super) enum Facts {
    /// Of these, in the order of their names; nothing for one that is not there.
    Of(Vec<Option<Same<Properties>>>),
    /// Perhaps of everybody.
    All(Same<Vec<Same<Properties>>>),
}

impl Facts {
    /// What is looked at; `identities` are in the order of their names.
    pub(super) fn read(
        reads: &Reads,
        everybody: &Same<Vec<Same<Properties>>>,
        identities: &[Identity<'_>],
    ) -> Self {
        let of = |slug: &String| {
            let at = identities.binary_search_by(|who| who.slug.as_str().cmp(slug)).ok()?;
            Some(Same::of(&identities[at].properties))
        };
        match reads {
            Reads::Everybody => Self::All(everybody.clone()),
            Reads::Of(slugs) => Self::Of(slugs.iter().map(of).collect()),
        }
    }
}

/// An account with all that was found out on the way.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) account: Arc<Account>,
    pub(super) links: Arc<Vec<Link>>,
    pub(super) producers: Arc<Producers>,
    pub(super) whereabouts: Arc<Whereabouts>,
    pub(super) faults: Faults,
}
