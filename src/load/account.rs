//! All accounts: who is who first, then each one with everything that reaches it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use super::adopt;
use super::diagnostic::Faults;
use super::documents::Documents;
use super::expression::Context;
use super::fields::Reader;
use super::identity::{Identity, check_unique, organization_facts};
use super::layer::Layer;
use super::merge::{Layers, Merged};
use super::raw;
use super::settings::Settings;
use super::stacks::Stacks;
use super::templates::Templates;
use super::tree::Tree;
use crate::model::{Access, Account, Mode, OuPath, RoleName, Slug, Value};

/// Everything needed to build each account.
pub(super) struct Accounts<'a> {
    organization: &'a raw::Organization,
    layers: Layers,
    templates: Templates<'a>,
    documents: Documents<'a>,
    identities: Vec<Identity<'a>>,
    /// `organization` and `accounts` for expressions.
    context: Context,
    /// Facts of some accounts are missing because their files could not be read.
    incomplete: bool,
}

impl<'a> Accounts<'a> {
    /// Finds out who is who and checks what spans several files.
    pub(super) fn new(
        tree: &'a Tree,
        organization: &'a raw::Organization,
        baselines: Vec<raw::Baseline>,
        files: &'a [raw::Account],
        incomplete: bool,
        faults: &mut Faults,
    ) -> Self {
        let identities: Vec<_> =
            files.iter().filter_map(|file| Identity::new(file, organization, faults)).collect();
        check_unique(&identities, faults);
        let layers = Layers::new(baselines, faults);
        if !incomplete && !faults.speaks_of(&organization.spot.path) {
            check_targets(&layers, files, organization, faults);
        }
        let all = layers.iter().map(|baseline| &baseline.layer).chain(files.iter().map(|file| &file.layer));
        let templates = Templates::read(tree, all.clone(), faults);
        let documents = Documents::read(tree, all, faults);
        let facts: BTreeMap<_, _> =
            identities.iter().map(|identity| (identity.slug.as_str(), identity.facts())).collect();
        let context = Context::default()
            .with("organization", &organization_facts(organization))
            .with("accounts", &facts);
        let incomplete = incomplete || identities.len() < files.len();
        Self { organization, layers, templates, documents, identities, context, incomplete }
    }

    /// Every account. What cannot be right because a file it hangs on is wrong is left out, not reported twice.
    pub(super) fn build(&self, mode: Mode, faults: &mut Faults) -> BTreeMap<Slug, Account> {
        let broken = faults.paths();
        if broken.contains(&*self.organization.spot.path) || self.lacks_a_baseline(&broken) {
            return BTreeMap::new();
        }
        let sound = |identity: &&Identity<'_>| {
            let baselines = self.layers.reaching(&identity.candidate());
            let baselines = baselines.into_iter().map(|baseline| (&baseline.spot, &baseline.layer));
            let mut files = baselines.chain([(&identity.file.spot, &identity.file.layer)]);
            files.all(|(spot, layer)| {
                !(broken.contains(&*spot.path) || self.incomplete && layer.speaks_of_accounts())
            })
        };
        let sound: Vec<_> = self.identities.iter().filter(sound).collect();
        sound.into_iter().map(|who| (who.slug.clone(), self.account(who, mode, faults))).collect()
    }

    /// True when a baseline could not be read: nobody knows which accounts it would reach.
    fn lacks_a_baseline(&self, broken: &BTreeSet<Arc<str>>) -> bool {
        let read: BTreeSet<_> = self.layers.iter().map(|baseline| &baseline.spot.path).collect();
        let is_baseline = |path: &str| path.starts_with("baselines/") && path.ends_with("/baseline.yaml");
        broken.iter().any(|path| is_baseline(path) && !read.contains(path))
    }

    fn account(&self, who: &Identity<'_>, mode: Mode, faults: &mut Faults) -> Account {
        let candidate = who.candidate();
        let merged = self.layers.merge(&candidate, &who.file.layer, faults);
        let context = self.context.with("account", &who.facts());
        let context = context.with("values", &values(who.slug, &merged, &context, faults));
        let stacks = Stacks {
            slug: who.slug,
            merged: &merged,
            templates: &self.templates,
            regions: &self.organization.regions,
            context: &context,
        };
        let stacks = stacks.build(faults);
        let settings =
            Settings { slug: who.slug, merged: &merged, documents: &self.documents, context: &context };
        let reaching = self.layers.reaching(&candidate);
        let layers: Vec<&Layer> =
            reaching.iter().map(|baseline| &baseline.layer).chain([&who.file.layer]).collect();
        Account {
            slug: who.slug.clone(),
            id: who.id.cloned(),
            name: who.name.clone(),
            email: who.email.clone(),
            ou: who.ou.clone(),
            tags: who.tags.clone(),
            mode: declared_mode(&merged).unwrap_or(mode),
            access: access(&self.organization.access, &who.file.access),
            settings: settings.build(faults),
            adopt: layers.iter().flat_map(|layer| adopt::items(who.slug, layer, &stacks, faults)).collect(),
            stacks,
            sources: who.sources(),
        }
    }
}

/// The roles of an account: its own word, then the organization's, then the role AWS makes in new accounts.
pub(super) fn access(organization: &raw::Access, own: &raw::Access) -> Access {
    let raw::Access { role, read_role, management_role, external_id } = own.clone();
    Access {
        role: role.or_else(|| organization.role.clone()).unwrap_or_else(default_role),
        read_role: read_role.or_else(|| organization.read_role.clone()),
        management_role: management_role.or_else(|| organization.management_role.clone()),
        external_id: external_id.or_else(|| organization.external_id.clone()),
    }
}

fn default_role() -> RoleName {
    RoleName::parse("OrganizationAccountAccessRole").expect("the constant is a role name")
}

fn declared_mode(merged: &Merged) -> Option<Mode> {
    let leaf = merged.get(["mode".to_owned()].as_slice())?;
    serde_json::from_value(leaf.value.clone()).ok()
}

/// The merged values as one map, evaluated. Values see accounts and the organization, not each other.
fn values(slug: &Slug, merged: &Merged, context: &Context, faults: &mut Faults) -> Value {
    let mut values = json!({});
    for (path, leaf) in merged.iter().filter(|(path, _)| path[0] == "values") {
        match context.value(&leaf.value) {
            Ok(value) => put(&mut values, &path[1..], value),
            Err(fault) => faults.report_for(slug, &leaf.spot, fault.message, fault.hint),
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
    files: &[raw::Account],
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
}
