//! The files as they are written, each read on its own: what one file alone can have wrong is found here.

use std::collections::BTreeMap;

use super::diagnostic::{At, Spot};
use super::fields::{Fields, Reader, suggest};
use super::layer::{Kin, Layer};
use super::policies::{self, ByOu};
use super::rollout::Declared;
use super::rule::Rule;
use super::targets::Targets;
use crate::model::{AccountId, Mode, OnLeave, OrganizationId, OuPath, PolicyName, Region, RoleName, Slug};
use crate::yaml::{Kind, Node};

/// `organization/organization.yaml`.
#[derive(Debug)]
pub(super) struct Organization {
    pub(super) spot: Spot,
    /// What nothing can be built without; absent when the file does not say it rightly.
    pub(super) known: Option<Known>,
    /// Named groups, `home` and `all` included.
    pub(super) regions: BTreeMap<String, Vec<Region>>,
    pub(super) access: Access,
    pub(super) defaults: AccountDefaults,
    pub(super) ous: BTreeMap<OuPath, Spot>,
    pub(super) policies: ByOu,
    /// What may be overwritten although it was found there.
    pub(super) adopt: Vec<At<String>>,
    /// What becomes of policies and attachments that are no longer declared.
    pub(super) on_leave: OnLeave,
}

/// The facts of the organization itself.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) id: OrganizationId,
    pub(super) management_account: AccountId,
    pub(super) home_region: Region,
}

/// What an account has when it does not say otherwise.
#[derive(Debug, Default)]
pub(super) struct AccountDefaults {
    pub(super) email: Option<At<String>>,
    pub(super) tags: BTreeMap<String, At<String>>,
    /// Tags that every account has to have.
    pub(super) required_tags: Vec<At<String>>,
}

/// Roles; what an account leaves out is the organization's.
#[derive(Clone, Debug, Default)]
pub(super) struct Access {
    pub(super) role: Option<At<RoleName>>,
    pub(super) read_role: Option<At<RoleName>>,
    pub(super) management_role: Option<At<RoleName>>,
    pub(super) stack_role: Option<At<RoleName>>,
    pub(super) new_account_role: Option<At<RoleName>>,
    pub(super) external_id: Option<At<String>>,
}

/// `landfast.yaml`: what is said to every account before anybody else speaks.
#[derive(Debug)]
pub(super) struct Repository {
    pub(super) spot: Spot,
    pub(super) layer: Layer,
    /// In which order changes reach the accounts, and when none does.
    pub(super) rollout: Declared,
    /// False when the file is there and could not be read at all.
    pub(super) is_read: bool,
}

/// `accounts/<slug>/account.yaml`.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) spot: Spot,
    pub(super) slug: Slug,
    pub(super) id: Option<At<AccountId>>,
    pub(super) name: At<String>,
    pub(super) email: Option<At<String>>,
    pub(super) ou: At<OuPath>,
    pub(super) tags: BTreeMap<String, At<String>>,
    /// Default tags that this account does without.
    pub(super) without_tags: BTreeMap<String, Spot>,
    /// What is attached to the account itself.
    pub(super) policies: Vec<At<PolicyName>>,
    pub(super) access: Access,
    /// Where it says so, if it does.
    pub(super) access_spot: Option<Spot>,
    pub(super) layer: Layer,
}

/// `baselines/<name>/baseline.yaml`.
#[derive(Debug)]
pub(super) struct Baseline {
    pub(super) spot: Spot,
    pub(super) name: String,
    pub(super) targets: Targets,
    pub(super) after: Vec<At<String>>,
    pub(super) layer: Layer,
}

pub(super) fn repository(reader: &mut Reader<'_>, node: &Node) -> Option<Repository> {
    let spot = Spot::file(&reader.path);
    if node.is_null() {
        let (layer, rollout) = (Layer::default(), Declared::default());
        return Some(Repository { spot, layer, rollout, is_read: true });
    }
    let mut fields = reader.fields(node)?;
    let layer = Layer::read(reader, &mut fields, Kin::Repository);
    let rollout = Declared::read(reader, &mut fields);
    fields.close(reader);
    Some(Repository { spot, layer, rollout, is_read: true })
}

pub(super) fn mode(reader: &mut Reader<'_>, node: &Node) -> Option<Mode> {
    let text = reader.text(node)?;
    match text.value.as_str() {
        "observe" => Some(Mode::Observe),
        "report" => Some(Mode::Report),
        "enforce" => Some(Mode::Enforce),
        other => {
            let hint = suggest(other, ["observe", "report", "enforce"].into_iter());
            reader.fault(Rule::UnknownName, node.place, format!("`{other}` is not a mode"), hint);
            None
        }
    }
}

pub(super) fn on_leave(reader: &mut Reader<'_>, node: &Node) -> Option<OnLeave> {
    let text = reader.text(node)?;
    match text.value.as_str() {
        "keep" => Some(OnLeave::Keep),
        "remove" => Some(OnLeave::Remove),
        other => {
            let message = format!("`{other}` is nothing that can become of it");
            reader.fault(
                Rule::UnknownName,
                node.place,
                message,
                suggest(other, ["keep", "remove"].into_iter()),
            );
            None
        }
    }
}

pub(super) fn organization(reader: &mut Reader<'_>, node: &Node) -> Option<Organization> {
    let mut fields = reader.fields(node)?;
    let id = fields.required("id", reader, "`aws organizations describe-organization` shows it");
    let id = id.and_then(|node| reader.parse(node, OrganizationId::parse));
    let management = fields.required("managementAccount", reader, "its 12 digits in quotes");
    let management = management.and_then(|node| account_id(reader, node));
    let home = fields.required("homeRegion", reader, "the region of what exists once per account");
    let home = home.and_then(|node| reader.parse(node, Region::parse));
    let groups = fields.optional("regions").map(|node| region_groups(reader, node)).unwrap_or_default();
    let access = fields.optional("access").map(|node| access(reader, node, true)).unwrap_or_default();
    let defaults = fields.optional("accountDefaults").and_then(|node| account_defaults(reader, node));
    let (mut ous, mut policies) = (BTreeMap::new(), ByOu::new());
    if let Some(node) = fields.optional("policies") {
        policies.insert(OuPath::root(), policies::names(reader, node));
    }
    if let Some(node) = fields.optional("ous") {
        nested_ous(reader, node, &OuPath::root(), &mut ous, &mut policies);
    }
    let adopt = fields.optional("adopt").map(|node| reader.texts(node)).unwrap_or_default();
    let leaving = fields.optional("onLeave").and_then(|node| on_leave(reader, node)).unwrap_or_default();
    fields.close(reader);
    let known = known(id, management, home);
    Some(Organization {
        spot: Spot::file(&reader.path),
        regions: known
            .as_ref()
            .map(|known| with_fixed_groups(groups, &known.home_region))
            .unwrap_or_default(),
        known,
        access,
        defaults: defaults.unwrap_or_default(),
        ous,
        policies,
        adopt,
        on_leave: leaving,
    })
}

fn known(
    id: Option<At<OrganizationId>>,
    management: Option<At<AccountId>>,
    home: Option<At<Region>>,
) -> Option<Known> {
    Some(Known { id: id?.value, management_account: management?.value, home_region: home?.value })
}

impl Organization {
    /// Stands for a file that cannot be read, which has been reported.
    pub(super) fn unreadable(spot: Spot) -> Self {
        Self {
            spot,
            known: None,
            regions: BTreeMap::new(),
            access: Access::default(),
            defaults: AccountDefaults::default(),
            ous: BTreeMap::new(),
            policies: ByOu::new(),
            adopt: Vec::new(),
            on_leave: OnLeave::default(),
        }
    }
}

fn account_defaults(reader: &mut Reader<'_>, node: &Node) -> Option<AccountDefaults> {
    let mut fields = reader.fields(node)?;
    let email = fields.optional("email").and_then(|node| reader.text(node));
    let tags = fields.optional("tags").map(|node| reader.text_map(node)).unwrap_or_default();
    let required_tags = fields.optional("requiredTags").map(|node| reader.texts(node)).unwrap_or_default();
    fields.close(reader);
    Some(AccountDefaults { email, tags, required_tags })
}

fn region_groups(reader: &mut Reader<'_>, node: &Node) -> BTreeMap<String, Vec<Region>> {
    reader.map(node, |reader, entry| {
        if entry.key == "home" || Region::parse(entry.key.as_str()).is_ok() {
            let message = format!("a group of regions cannot be called `{}`", entry.key);
            reader.fault(
                Rule::RegionGroup,
                entry.place,
                message,
                "`home` is always the home region; choose another name",
            );
        }
        let regions = reader.list(&entry.value, |reader, node| reader.parse(node, Region::parse));
        Some(regions.into_iter().map(|region| region.value).collect())
    })
}

/// `home` and `all` always exist; `all` is every region that is named anywhere unless it is declared.
fn with_fixed_groups(
    mut groups: BTreeMap<String, Vec<Region>>,
    home: &Region,
) -> BTreeMap<String, Vec<Region>> {
    let mut all: Vec<_> = groups.values().flatten().cloned().chain([home.clone()]).collect();
    all.sort();
    all.dedup();
    groups.entry("all".to_owned()).or_insert(all);
    groups.insert("home".to_owned(), vec![home.clone()]);
    groups
}

fn nested_ous(
    reader: &mut Reader<'_>,
    node: &Node,
    parent: &OuPath,
    found: &mut BTreeMap<OuPath, Spot>,
    policies: &mut ByOu,
) {
    for entry in reader.entries(node).unwrap_or_default() {
        let spot = reader.spot(entry.place);
        let Ok(path) = parent.child(&entry.key) else {
            let message = match entry.key.as_str() {
                "" => format!("an OU below `{parent}` has no name"),
                name => format!("`{name}` cannot be an OU below `{parent}`"),
            };
            let hint = "names have 1 to 128 characters without `/`; OUs nest five deep";
            reader.faults.report(Rule::Identifier, &spot, message, hint);
            continue;
        };
        found.insert(path.clone(), spot);
        let Some(mut fields) = reader.fields(&entry.value) else { continue };
        if let Some(node) = fields.optional("policies") {
            policies.insert(path.clone(), policies::names(reader, node));
        }
        if let Some(node) = fields.optional("ous") {
            nested_ous(reader, node, &path, found, policies);
        }
        fields.close(reader);
    }
}

fn access(reader: &mut Reader<'_>, node: &Node, of_organization: bool) -> Access {
    let Some(mut fields) = reader.fields(node) else { return Access::default() };
    let role = |fields: &mut Fields<'_>, reader: &mut Reader<'_>, key| {
        fields.optional(key).and_then(|node| reader.parse(node, RoleName::parse))
    };
    let access = Access {
        role: role(&mut fields, reader, "role"),
        read_role: role(&mut fields, reader, "readRole"),
        management_role: if of_organization { role(&mut fields, reader, "managementRole") } else { None },
        stack_role: role(&mut fields, reader, "stackRole"),
        new_account_role: if of_organization { role(&mut fields, reader, "newAccountRole") } else { None },
        external_id: fields.optional("externalId").and_then(|node| reader.text(node)),
    };
    fields.close(reader);
    access
}

/// An id has to be in quotes: without them most YAML tools read a number and drop leading zeros.
pub(super) fn account_id(reader: &mut Reader<'_>, node: &Node) -> Option<At<AccountId>> {
    if let Kind::Scalar { text, plain: true } = &node.kind
        && AccountId::parse(text.as_str()).is_ok()
    {
        let message = format!("the account id {text} is not in quotes");
        reader.fault(
            Rule::UnquotedId,
            node.place,
            message,
            format!("write \"{text}\": without quotes, leading zeros get lost"),
        );
        return None;
    }
    reader.parse(node, AccountId::parse)
}

pub(super) fn account(reader: &mut Reader<'_>, node: &Node, slug: &Slug) -> Option<Account> {
    let mut fields = reader.fields(node)?;
    let id = fields.optional("id").and_then(|node| account_id(reader, node));
    let name = fields.required("name", reader, "the name people see in the console");
    let name = name.and_then(|node| reader.text(node));
    let email = fields.optional("email").and_then(|node| reader.text(node));
    let ou = fields.required("ou", reader, "the OU it belongs in, such as /workloads/prod; `/` is the root");
    let ou = ou.and_then(|node| reader.parse(node, OuPath::parse));
    let (tags, without_tags) = fields.optional("tags").map(|node| own_tags(reader, node)).unwrap_or_default();
    let policies = fields.optional("policies").map(|node| policies::names(reader, node)).unwrap_or_default();
    let entry = fields.entry("access");
    let access_spot = entry.map(|entry| reader.spot(entry.place));
    let access = entry.map(|entry| access(reader, &entry.value, false)).unwrap_or_default();
    let layer = Layer::read(reader, &mut fields, Kin::Account);
    fields.close(reader);
    let spot = Spot::file(&reader.path);
    let (slug, name, ou) = (slug.clone(), name?, ou?);
    Some(Account {
        spot,
        slug,
        id,
        name,
        email,
        ou,
        tags,
        without_tags,
        policies,
        access,
        access_spot,
        layer,
    })
}

/// The tags an account gives itself, and those of the defaults that it withdraws with `null`.
fn own_tags(reader: &mut Reader<'_>, node: &Node) -> (BTreeMap<String, At<String>>, BTreeMap<String, Spot>) {
    let (mut tags, mut without) = (BTreeMap::new(), BTreeMap::new());
    for entry in reader.entries(node).unwrap_or_default() {
        if entry.value.is_written_null() {
            without.insert(entry.key.clone(), reader.spot(entry.place));
        } else if let Some(text) = reader.text(&entry.value) {
            tags.insert(entry.key.clone(), text);
        }
    }
    (tags, without)
}

pub(super) fn baseline(reader: &mut Reader<'_>, node: &Node, name: &str) -> Option<Baseline> {
    let mut fields = reader.fields(node)?;
    let targets = fields.required("targets", reader, "which accounts it is for, such as {ous: [\"/**\"]}");
    let targets = targets.and_then(|node| Targets::read(reader, node));
    let after = fields.optional("after").map(|node| reader.texts(node)).unwrap_or_default();
    let layer = Layer::read(reader, &mut fields, Kin::Baseline);
    fields.close(reader);
    let spot = Spot::file(&reader.path);
    Some(Baseline { spot, name: name.to_owned(), targets: targets?, after, layer })
}
