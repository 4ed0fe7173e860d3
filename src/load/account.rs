//! All accounts: who is who first, then each one with everything that reaches it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use serde::Deserialize as _;
use serde_json::json;

use super::adopt;
use super::agreement::Agreement;
use super::diagnostic::{At, Faults};
use super::documents::Documents;
use super::exclusion::Exclusion;
use super::expression::Context;
use super::fields::Reader;
use super::held::{Held, Whereabouts};
use super::identity::{self, Identity, Properties, check_unique, organization_facts};
use super::leaving::{self, Named};
use super::links::{Linked, Links};
use super::lock::{self, Locks};
use super::memory::{Beside, Built, Facts, Inputs, Memory, Same, Surroundings};
use super::merge::{Layers, Merged, Rank, Speaker, effective};
use super::producers::{self, Producers};
use super::raw;
use super::reach;
use super::rule::Rule;
use super::settings::Settings;
use super::spread::spread;
use super::stacks::Stacks;
use super::targets::Targets;
use super::templates::Templates;
use super::tree::Tree;
use super::whole::Whole;
use super::words::Words;
use crate::model::{
    self, Access, Account, Declared, Desired, Item, Mode, OuPath, RoleName, Rollout, Setting, SettingValue,
    Slug, Stack, StackKey, Value,
};

/// Everything needed to build each account.
pub(super) struct Accounts<'a> {
    organization: &'a Arc<raw::Organization>,
    layers: Arc<Layers>,
    templates: Templates<'a>,
    documents: Documents<'a>,
    identities: Vec<Identity<'a>>,
    /// `organization` and `accounts` for expressions.
    context: Context,
    /// What each account is built from, beside its own.
    surroundings: Same<Surroundings>,
    everybody: Same<Vec<Same<Properties>>>,
    /// Facts of some accounts are missing because their files could not be read.
    incomplete: bool,
}

impl<'a> Accounts<'a> {
    /// Finds out who is who and checks what spans several files.
    #[expect(
        clippy::too_many_arguments,
        reason = "one for each kind of file, and the two that every stage takes"
    )]
    pub(super) fn new(
        tree: &'a Tree,
        organization: &'a Arc<raw::Organization>,
        repository: Arc<raw::Repository>,
        baselines: Vec<Arc<raw::Baseline>>,
        files: &'a [Arc<raw::Account>],
        incomplete: bool,
        memory: &mut Memory,
        faults: &mut Faults,
    ) -> Self {
        // A fault in its file is one of its own: nothing is said that might only follow from it.
        let is_sound = !faults.speaks_of(&organization.spot.path);
        let identities = Identity::all(files, organization, is_sound, &mut memory.identities, faults);
        check_unique(&identities, faults);
        let layers = Arc::new(Layers::new(repository, baselines, faults));
        lock::check_paths(&layers, faults);
        if !incomplete && !faults.speaks_of(&organization.spot.path) {
            check_targets(&layers, files, organization, faults);
        }
        let all = layers.iter().map(|baseline| &baseline.layer).chain(files.iter().map(|file| &file.layer));
        let templates = Templates::read(tree, all.clone(), &mut memory.templates, faults);
        let documents = Documents::read(tree, all, &mut memory.documents, faults);
        let incomplete = incomplete || identities.len() < files.len();
        let all = identities.iter().map(|who| Same::of(&who.properties)).collect();
        let everybody = memory.everybody.settle(all);
        let context = Context::default()
            .with("organization", &organization_facts(organization))
            .with_fact("accounts", identity::accounts(&everybody));
        let around =
            Surroundings::new(organization, &layers, &templates, &documents, &everybody, &identities);
        let surroundings = memory.surroundings.settle(around);
        Self {
            organization,
            layers,
            templates,
            documents,
            identities,
            context,
            surroundings,
            everybody,
            incomplete,
        }
    }

    /// Says which exclusions have ended.
    pub(super) fn warn_of_the_past(&self, today: Date, faults: &mut Faults) {
        for (slug, exclusion) in self.targets().flat_map(Targets::exclusions) {
            if exclusion.has_ended(today) {
                exclusion.warn(slug, faults);
            }
        }
        self.layers.repository().rollout.warn_of_the_past(today, faults);
    }

    /// Says who waits for whom although the waves are in another order.
    pub(super) fn warn_of_backward_references(
        &self,
        desired: &Desired,
        links: &Linked<'_>,
        faults: &mut Faults,
    ) {
        self.layers.repository().rollout.warn_of_backward_references(desired, links, faults);
    }

    /// Which account is in which wave, and who is frozen when.
    pub(super) fn rollout(&self, faults: &mut Faults) -> Rollout {
        let declared = &self.layers.repository().rollout;
        let candidates: Vec<_> = self.identities.iter().map(Identity::candidate).collect();
        if !self.incomplete && faults.is_sound() {
            declared.warn_of_the_idle(&candidates, faults);
        }
        declared.build(&candidates)
    }

    /// Everything that can leave an account out: baselines, their entries, waves and freezes.
    fn targets(&self) -> impl Iterator<Item = &Targets> {
        let of_baselines = self.layers.iter().flat_map(|it| it.layer.narrowing().chain([&it.targets]));
        of_baselines.chain(self.layers.repository().rollout.targets())
    }

    /// Exclusions of an account that have a last day.
    fn exclusions(&self, who: &Identity<'_>) -> Vec<model::Exclusion> {
        let own = self.targets().filter_map(|targets| targets.exclusions().get(who.slug.as_str()));
        own.filter_map(Exclusion::ending).collect()
    }

    /// Says who is reached by nothing, and what reaches nobody, as far as every file that counts was read.
    pub(super) fn warn_of_reach(&self, faults: &mut Faults) {
        let broken = faults.paths();
        if broken.contains(&*self.organization.spot.path) || self.lacks_a_baseline(&broken) {
            return;
        }
        reach::warn_of_unreached(&self.layers, &self.identities, faults);
        if !self.incomplete {
            reach::warn_of_no_reach(&self.layers, &self.identities, faults);
        }
    }

    /// Every account and whom its stacks wait for. What cannot be right because a file it hangs on is wrong is left out,
    /// not reported twice.
    pub(super) fn build(
        &self,
        memory: &mut Memory,
        faults: &mut Faults,
    ) -> (BTreeMap<Slug, Arc<Account>>, Linked<'_>, Held) {
        let mut held = Held::new(&self.layers);
        let broken = faults.paths();
        if broken.contains(&*self.organization.spot.path) || self.lacks_a_baseline(&broken) {
            return (BTreeMap::new(), BTreeMap::new(), held);
        }
        let sound = |identity: &&Identity<'_>| {
            if broken.is_empty() && !self.incomplete {
                return true;
            }
            let speakers = self.speakers(identity);
            // A fault within landfast.yaml is one of its own; only without all of its values others would follow.
            let is_whole = |rank| rank == Rank::Repository && self.layers.repository().is_read;
            speakers.iter().all(|Speaker { layer, spot, rank }| {
                is_whole(*rank)
                    || !(broken.contains(&*spot.path) || self.incomplete && layer.speaks_of_accounts())
            })
        };
        let sound: Vec<_> = self.identities.iter().filter(sound).collect();
        // Maps are made of lists that are in order already: that is a tenth of the work of filling them one by one.
        let (mut accounts, mut links, mut whereabouts) = (Vec::new(), Vec::new(), Vec::new());
        let mut takers = producers::ByAccount::new();
        let asked = spread(&sound, |who| (who.slug.as_str(), self.inputs(who)));
        let mut all = sound.iter();
        memory.built.get_or_make_all(
            asked,
            |nth, _| self.built(sound[nth]),
            |built| {
                let Some(who) = all.next() else { return };
                faults.absorb(&built.faults);
                whereabouts.push((who.slug.clone(), Arc::clone(&built.whereabouts)));
                accounts.push((who.slug.clone(), Arc::clone(&built.account)));
                if !built.links.is_empty() {
                    links.push((who.slug, Arc::clone(&built.links)));
                }
                if !built.producers.is_empty() {
                    takers.insert(who.slug, Arc::clone(&built.producers));
                }
            },
        );
        held.note(whereabouts);
        let (accounts, links) = (accounts.into_iter().collect(), links.into_iter().collect());
        Links { accounts: &accounts, by_account: &links, templates: &self.templates }.check(faults);
        producers::warn(&takers, &accounts, faults);
        (accounts, links, held)
    }

    /// Everything an account is built from: see [`Accounts::whole`].
    fn inputs(&self, who: &Identity<'_>) -> Inputs {
        let layer = &who.file.layer;
        Inputs {
            surroundings: self.surroundings.clone(),
            file: Same::of(who.file),
            properties: Same::of(&who.properties),
            beside: Beside::of(layer, &self.templates, &self.documents),
            facts: Facts::read(&layer.reads, &self.everybody, &self.identities),
        }
    }

    fn built(&self, who: &Identity<'_>) -> Built {
        let mut faults = Faults::default();
        let whole = self.whole(who, &mut faults);
        let whereabouts = Whereabouts { file: Arc::clone(who.file), properties: Arc::clone(&who.properties) };
        let (account, links) = (Arc::new(whole.account), Arc::new(whole.links));
        let producers = Arc::new(whole.producers);
        Built { account, links, producers, whereabouts: Arc::new(whereabouts), faults }
    }

    /// True when a baseline could not be read: nobody knows which accounts it would reach.
    fn lacks_a_baseline(&self, broken: &BTreeSet<Arc<str>>) -> bool {
        let read: BTreeSet<_> = self.layers.iter().map(|baseline| &baseline.spot.path).collect();
        let is_baseline = |path: &str| path.starts_with("baselines/") && path.ends_with("/baseline.yaml");
        broken.iter().any(|path| is_baseline(path) && !read.contains(path))
    }

    fn speakers<'s>(&'s self, who: &Identity<'s>) -> Vec<Speaker<'s>> {
        self.layers.speakers(&who.candidate(), &who.file.layer, &who.file.spot)
    }

    /// An account with how it came about.
    pub(super) fn whole_of(&self, slug: &Slug) -> Option<Whole<'_>> {
        let who = self.identities.iter().find(|who| who.slug == slug)?;
        // Called where everything is sound: there is nothing new to report.
        Some(self.whole(who, &mut Faults::default()))
    }

    /// Hangs on nothing but [`Accounts::inputs`]: what it takes in besides has to be added there.
    fn whole<'s>(&'s self, who: &'s Identity<'s>, faults: &mut Faults) -> Whole<'s> {
        let candidate = who.candidate();
        let speakers = self.speakers(who);
        let words = Words::of(speakers.iter().map(|speaker| speaker.layer).enumerate(), &candidate);
        Agreement { layers: &self.layers, words: &words, speakers: &speakers }.check(faults);
        let merged = effective(&words);
        let bare = self.context.with("account", &who.facts);
        let values = values(who.slug, &merged, &bare, faults);
        let context = bare.with_values(&values);
        let stacks = Stacks {
            slug: who.slug,
            merged: &merged,
            templates: &self.templates,
            regions: &self.organization.regions,
            context: &context,
        };
        let (stacks, links) = stacks.build(faults);
        let settings =
            Settings { slug: who.slug, merged: &merged, documents: &self.documents, context: &context };
        let locks = Locks {
            slug: who.slug,
            candidate: &candidate,
            file: who.file,
            organization: self.organization,
            layers: &self.layers,
            speakers: &speakers,
            words: &words,
            merged: &merged,
            context: &context,
            bare: &bare,
            values: &values,
        };
        let regions = |name: &str| {
            let keys = stacks.keys().filter(|key| key.name.as_str() == name);
            keys.map(|key| key.region.clone()).collect::<Vec<_>>()
        };
        let holding = locks.check(&regions, faults);
        let producers = Producers::new(&holding, &merged, &stacks);
        let layers = speakers.iter().map(|speaker| speaker.layer);
        let settings = settings.build(faults);
        let absent = leaving::absent(&words, &self.organization.regions["all"]);
        let account = Account {
            slug: who.slug.clone(),
            id: who.id.cloned(),
            name: who.name.clone(),
            email: who.email.clone(),
            ou: who.ou.clone(),
            tags: who.tags.clone(),
            mode: declared_mode(&merged),
            modes: modes(&merged, &settings, &stacks),
            access: access(&self.organization.access, &who.file.access),
            adopt: layers.flat_map(|layer| adopt::items(who.slug, layer, &stacks, &absent, faults)).collect(),
            remove_on_leave: leaving::remove_on_leave(&merged, &settings, &stacks),
            absent,
            exclusions: self.exclusions(who),
            settings,
            stacks,
            sources: who.sources(),
        };
        let (organization, layers, templates) = (self.organization, &*self.layers, &self.templates);
        Whole {
            account,
            links,
            producers,
            who,
            organization,
            layers,
            speakers,
            words,
            merged,
            context,
            templates,
        }
    }
}

/// The roles of an account: its own word, then the organization's, then the role AWS makes in new accounts.
pub(super) fn access(organization: &raw::Access, own: &raw::Access) -> Access {
    let raw::Access { role, read_role, management_role, stack_role, new_account_role, external_id } = own;
    Access {
        role: nearer([role, &organization.role]).unwrap_or_else(default_role),
        read_role: nearer([read_role, &organization.read_role]),
        management_role: nearer([management_role, &organization.management_role]),
        stack_role: nearer([stack_role, &organization.stack_role]),
        new_account_role: nearer([new_account_role, &organization.new_account_role]),
        external_id: nearer([external_id, &organization.external_id]),
    }
}

/// The first one's word, where it has one.
fn nearer<T: Clone>(said: [&Option<At<T>>; 2]) -> Option<T> {
    said.into_iter().flatten().next().map(|said| said.value.clone())
}

fn default_role() -> RoleName {
    RoleName::parse("OrganizationAccountAccessRole").expect("the constant is a role name")
}

pub(super) fn declared_mode(merged: &Merged<'_>) -> Mode {
    merged.get(&["mode"]).and_then(|leaf| Mode::deserialize(&leaf.value).ok()).unwrap_or_default()
}

/// The modes of single items.
fn modes(
    merged: &Merged<'_>,
    settings: &BTreeMap<Setting, Declared<SettingValue>>,
    stacks: &BTreeMap<StackKey, Declared<Stack>>,
) -> BTreeMap<Item, Mode> {
    let of = |(leaf, it): (Option<&At<Value>>, Named<'_>)| {
        Some((it.item(), Mode::deserialize(&leaf?.value).ok()?))
    };
    leaving::entries(merged, "mode", settings, stacks).filter_map(of).collect()
}

/// The merged values as one map, evaluated. Values see accounts and the organization, not each other.
pub(super) fn values(slug: &Slug, merged: &Merged<'_>, context: &Context, faults: &mut Faults) -> Value {
    let mut values = json!({});
    for (path, leaf) in merged.under(&["values"]) {
        match context.for_value(&leaf.value, slug, path, None).value(&leaf.value) {
            Ok(value) => put(&mut values, &path[1..], value),
            Err(fault) => faults.report_for(Rule::Expression, slug, &leaf.spot, fault.message, fault.hint),
        }
    }
    values
}

fn put(values: &mut Value, path: &[String], value: Value) {
    match path {
        [] => *values = value,
        [key, rest @ ..] => put(&mut values[key.as_str()], rest, value),
    }
}

fn check_targets(
    layers: &Layers,
    files: &[Arc<raw::Account>],
    organization: &raw::Organization,
    faults: &mut Faults,
) {
    let slugs: Vec<_> = files.iter().map(|file| file.slug.as_str()).collect();
    let ous: Vec<&OuPath> = organization.ous.keys().collect();
    for baseline in layers.iter() {
        let mut reader = Reader { path: baseline.spot.path.clone(), faults: &mut *faults };
        for targets in baseline.layer.narrowing().chain([&baseline.targets]) {
            targets.check(&mut reader, &slugs, &ous);
        }
    }
    let repository = layers.repository();
    repository.rollout.check_first_ou(&ous.iter().map(|ou| ou.as_str()).collect(), faults);
    let mut reader = Reader { path: repository.spot.path.clone(), faults };
    for targets in repository.rollout.targets() {
        targets.check(&mut reader, &slugs, &ous);
    }
}
