//! Who each account is: the facts that are known before anything is merged, and that must not be shared.

use std::collections::BTreeMap;

use serde_json::json;

use super::diagnostic::{At, Fault, Faults, Spot};
use super::expression::Context;
use super::fields::suggest;
use super::raw::{Account, Organization};
use super::rule::Rule;
use super::tags;
use super::targets::Candidate;
use crate::model::{AccountId, Email, OuPath, Slug, Source, Value};

/// One account with its own properties evaluated.
pub(super) struct Identity<'a> {
    pub(super) file: &'a Account,
    pub(super) slug: &'a Slug,
    pub(super) id: Option<&'a AccountId>,
    pub(super) name: String,
    pub(super) email: Email,
    pub(super) ou: &'a OuPath,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) is_management: bool,
    email_spot: Spot,
    tag_spots: BTreeMap<String, Spot>,
}

impl<'a> Identity<'a> {
    /// Evaluates name, e-mail and tags. They see the account's slug, OU and id and the organization, and each what
    /// comes before it in this order; not `values`, because which values apply may hang on the tags.
    pub(super) fn new(file: &'a Account, organization: &Organization, faults: &mut Faults) -> Option<Self> {
        let id = file.id.as_ref().map(|id| &id.value);
        let known = organization.known.as_ref();
        let mut facts = json!({"slug": file.slug, "ou": file.ou.value});
        if let Some(id) = id {
            facts["id"] = json!(id);
        }
        let context = Context::default().with("organization", &organization_facts(organization));
        let name = evaluate(file, &file.name, &context.with("account", &facts), faults);
        facts["name"] = json!(name);
        let (email, email_spot) = email(file, organization, &context.with("account", &facts), faults)?;
        facts["email"] = json!(email);
        let mut declared = organization.defaults.tags.clone();
        declared.retain(|key, _| !file.without_tags.contains_key(key));
        declared.extend(file.tags.clone());
        let tags = tags::evaluate(&file.slug, &declared, &context.with("account", &facts), faults);
        let identity = Self {
            file,
            slug: &file.slug,
            id,
            name: name?,
            email,
            ou: &file.ou.value,
            tags,
            is_management: known.is_some_and(|known| id == Some(&known.management_account)),
            email_spot,
            tag_spots: declared.into_iter().map(|(key, at)| (key, at.spot)).collect(),
        };
        identity.check(organization, faults);
        Some(identity)
    }

    /// What targets look at.
    pub(super) fn candidate(&self) -> Candidate<'_> {
        let (slug, ou, tags, is_management) = (self.slug, self.ou, &self.tags, self.is_management);
        Candidate { slug, ou, tags, is_management }
    }

    /// What expressions see as `account` and `accounts['…']`; `id` only once it is recorded.
    pub(super) fn facts(&self) -> Value {
        let mut facts = json!({
            "slug": self.slug,
            "name": self.name,
            "email": self.email,
            "ou": self.ou,
            "tags": self.tags,
        });
        if let Some(id) = self.id {
            facts["id"] = json!(id);
        }
        facts
    }

    /// Where each property is declared.
    pub(super) fn sources(&self) -> BTreeMap<String, Source> {
        let own = [
            ("", &self.file.spot),
            ("name", &self.file.name.spot),
            ("email", &self.email_spot),
            ("ou", &self.file.ou.spot),
        ];
        let own = own.into_iter().map(|(key, spot)| (key.to_owned(), spot.source()));
        let id = self.file.id.iter().map(|id| ("id".to_owned(), id.spot.source()));
        let tags = self.tag_spots.iter().map(|(key, spot)| (format!("tags.{key}"), spot.source()));
        own.chain(id).chain(tags).collect()
    }

    fn check(&self, organization: &Organization, faults: &mut Faults) {
        self.check_required_tags(&organization.defaults.required_tags, faults);
        if !(1..=50).contains(&self.name.chars().count()) {
            let message = format!("the name has {} characters", self.name.chars().count());
            faults.report(
                Rule::AccountProperty,
                &self.file.name.spot,
                message,
                "Organizations takes 1 to 50",
            );
        }
        let ous_are_known = !faults.speaks_of(&organization.spot.path);
        if ous_are_known && !self.ou.is_root() && !organization.ous.contains_key(self.ou) {
            let hint = suggest(self.ou.as_str(), organization.ous.keys().map(OuPath::as_str));
            faults.report(
                Rule::UnknownName,
                &self.file.ou.spot,
                format!("there is no OU `{}`", self.ou),
                hint,
            );
        }
    }
}

impl Identity<'_> {
    fn check_required_tags(&self, required: &[At<String>], faults: &mut Faults) {
        // A tag whose expression does not work has been reported, and is there.
        for key in required.iter().filter(|key| !self.tag_spots.contains_key(&key.value)) {
            let spot = self.file.without_tags.get(&key.value).unwrap_or(&self.file.spot);
            let message = format!("the tag `{}` is missing", key.value);
            let hint = format!("give the account one: `tags: {{{}: …}}`", key.value);
            let fault = Fault::new(Rule::RequiredTag, spot, message, hint);
            faults.add(fault.see(&key.spot, "every account has to have it"));
        }
    }
}

/// Reports every id, e-mail and name that two folders share. Two accounts that are there may have one name, as AWS lets
/// them; but requests for an account are known by its name.
pub(super) fn check_unique(identities: &[Identity<'_>], faults: &mut Faults) {
    let mut seen: BTreeMap<(&str, String), (&Slug, &Spot)> = BTreeMap::new();
    for identity in identities {
        let id = identity.id.map(|id| ("id", id.to_string(), &identity.file.id));
        let id = id.and_then(|(what, text, at)| Some((what, text, &at.as_ref()?.spot)));
        // AWS compares e-mails without regard to case.
        let email = ("e-mail", identity.email.as_str().to_ascii_lowercase(), &identity.email_spot);
        let name = ("name", identity.name.clone(), &identity.file.name.spot);
        let is_there = |slug: &Slug| identities.iter().any(|it| it.slug == slug && it.id.is_some());
        for (what, text, spot) in id.into_iter().chain([email, name]) {
            if let Some((first, place)) = seen.get(&(what, text.clone())) {
                if what == "name" && identity.id.is_some() && is_there(first) {
                    continue;
                }
                let message = format!("the {what} `{text}` belongs to accounts/{first} already");
                let hint = format!("no two accounts can have the same {what}");
                let fault = Fault::new(Rule::SharedIdentity, spot, message, hint);
                faults.add_for(identity.slug, fault.see(place, "the first one"));
            } else {
                seen.insert((what, text), (identity.slug, spot));
            }
        }
    }
}

/// What expressions see as `organization`.
pub(super) fn organization_facts(organization: &Organization) -> Value {
    organization.known.as_ref().map_or_else(
        || json!({}),
        |known| {
            json!({
                "id": known.id,
                "managementAccount": known.management_account,
                "homeRegion": known.home_region,
            })
        },
    )
}

fn evaluate(file: &Account, text: &At<String>, context: &Context, faults: &mut Faults) -> Option<String> {
    match context.text(&text.value) {
        Ok(text) => Some(text),
        Err(fault) => {
            faults.report_for(Rule::Expression, &file.slug, &text.spot, fault.message, fault.hint);
            None
        }
    }
}

fn email(
    file: &Account,
    organization: &Organization,
    context: &Context,
    faults: &mut Faults,
) -> Option<(Email, Spot)> {
    let Some(declared) = file.email.as_ref().or(organization.defaults.email.as_ref()) else {
        if !faults.speaks_of(&organization.spot.path) {
            let hint = "or give all accounts one: accountDefaults.email in organization/organization.yaml";
            faults.report(Rule::MissingKey, &file.spot, "the key `email` is missing", hint);
        }
        return None;
    };
    let text = evaluate(file, declared, context, faults)?;
    match Email::parse(text) {
        Ok(email) => Some((email, declared.spot.clone())),
        Err(invalid) => {
            faults.report_for(Rule::Identifier, &file.slug, &declared.spot, invalid.to_string(), "");
            None
        }
    }
}
