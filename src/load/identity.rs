//! Who each account is: the facts that are known before anything is merged, and that must not be shared.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectExt as _};
use serde_json::json;

use super::diagnostic::{At, Fault, Faults, Spot};
use super::expression::{Context, Fact, fact};
use super::fields::suggest;
use super::memory::{Found, Kept, Origin, Same};
use super::raw::{Account, Organization};
use super::rule::Rule;
use super::tags;
use super::targets::Candidate;
use crate::model::{AccountId, Email, OuPath, Slug, Source, Value};

/// One account with its own properties evaluated.
pub(super) struct Identity<'a> {
    pub(super) file: &'a Arc<Account>,
    pub(super) slug: &'a Slug,
    pub(super) id: Option<&'a AccountId>,
    pub(super) ou: &'a OuPath,
    pub(super) properties: Arc<Properties>,
}

/// What is evaluated of an account's own properties.
#[derive(Debug, PartialEq)]
pub(super) struct Properties {
    slug: Slug,
    pub(super) name: String,
    pub(super) email: Email,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) is_management: bool,
    /// What expressions see as `account` and `accounts['…']`; `id` only once it is recorded.
    pub(super) facts: Fact,
    /// AWS compares e-mails without regard to case.
    pub(super) plain_email: String,
    email_spot: Spot,
    tag_spots: BTreeMap<String, Spot>,
}

impl Deref for Identity<'_> {
    type Target = Properties;
    fn deref(&self) -> &Properties {
        &self.properties
    }
}

impl<'a> Identity<'a> {
    /// Finds out who each account is, unless that is known from the same files.
    pub(super) fn all(
        files: &'a [Arc<Account>],
        organization: &Arc<Organization>,
        is_sound: bool,
        known: &mut Kept<Origin, Found<Properties>>,
        faults: &mut Faults,
    ) -> Vec<Self> {
        let origin = |file| Origin { file: Same::of(file), organization: Same::of(organization), is_sound };
        let asked = files.iter().map(|file| (file.slug.as_str(), origin(file))).collect();
        let all = known.find_all(asked, faults, |nth, before, faults| {
            let now = Properties::evaluate(&files[nth], organization, is_sound, faults)?;
            // The same memory where it comes to the same: then nobody who reads it has to be made again.
            Some(before.filter(|before| ***before == now).map_or_else(|| Arc::new(now), Arc::clone))
        });
        let known = files.iter().zip(all).filter_map(|(file, properties)| Some((file, properties?)));
        known.map(|(file, properties)| Self::new(file, properties)).collect()
    }

    fn new(file: &'a Arc<Account>, properties: Arc<Properties>) -> Self {
        let id = file.id.as_ref().map(|id| &id.value);
        Self { file, slug: &file.slug, id, ou: &file.ou.value, properties }
    }

    /// What targets look at.
    pub(super) fn candidate(&self) -> Candidate<'_> {
        let (slug, ou, tags, is_management) = (self.slug, self.ou, &self.tags, self.is_management);
        Candidate { slug, ou, tags, is_management }
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
}

impl Properties {
    /// Evaluates name, e-mail and tags. They see the account's slug, OU and id and the organization, and each what
    /// comes before it in this order; not `values`, because which values apply may hang on the tags.
    fn evaluate(
        file: &Account,
        organization: &Organization,
        is_sound: bool,
        faults: &mut Faults,
    ) -> Option<Self> {
        let id = file.id.as_ref().map(|id| &id.value);
        let known = organization.known.as_ref();
        let mut facts = json!({"slug": file.slug, "ou": file.ou.value});
        if let Some(id) = id {
            facts["id"] = json!(id);
        }
        let context = Context::default().with("organization", &organization_facts(organization));
        let name = evaluate(file, &file.name, &context.with("account", &facts), faults);
        facts["name"] = json!(name);
        let (email, email_spot) =
            email(file, organization, is_sound, &context.with("account", &facts), faults)?;
        facts["email"] = json!(email);
        let mut declared = organization.defaults.tags.clone();
        declared.retain(|key, _| !file.without_tags.contains_key(key));
        declared.extend(file.tags.clone());
        let tags = tags::evaluate(&file.slug, &declared, &context.with("account", &facts), faults);
        facts["tags"] = json!(tags);
        let properties = Self {
            slug: file.slug.clone(),
            name: name?,
            plain_email: email.as_str().to_ascii_lowercase(),
            email,
            tags,
            is_management: known.is_some_and(|known| id == Some(&known.management_account)),
            facts: fact(&facts),
            email_spot,
            tag_spots: declared.into_iter().map(|(key, at)| (key, at.spot)).collect(),
        };
        properties.check(file, organization, is_sound, faults);
        Some(properties)
    }

    fn check(&self, file: &Account, organization: &Organization, is_sound: bool, faults: &mut Faults) {
        self.check_required_tags(file, &organization.defaults.required_tags, faults);
        if !(1..=50).contains(&self.name.chars().count()) {
            let message = format!("the name has {} characters", self.name.chars().count());
            faults.report(Rule::AccountProperty, &file.name.spot, message, "Organizations takes 1 to 50");
        }
        let ou = &file.ou.value;
        if is_sound && !ou.is_root() && !organization.ous.contains_key(ou) {
            let hint = suggest(ou.as_str(), organization.ous.keys().map(OuPath::as_str));
            faults.report(Rule::UnknownName, &file.ou.spot, format!("there is no OU `{ou}`"), hint);
        }
    }

    fn check_required_tags(&self, file: &Account, required: &[At<String>], faults: &mut Faults) {
        // A tag whose expression does not work has been reported, and is there.
        for key in required.iter().filter(|key| !self.tag_spots.contains_key(&key.value)) {
            let spot = file.without_tags.get(&key.value).unwrap_or(&file.spot);
            let message = format!("the tag `{}` is missing", key.value);
            let hint = format!("give the account one: `tags: {{{}: …}}`", key.value);
            let fault = Fault::new(Rule::RequiredTag, spot, message, hint);
            faults.add(fault.see(&key.spot, "every account has to have it"));
        }
    }
}

/// `accounts` as expressions see it. Nothing is copied into it: there may be ten thousand, and one of them is new.
#[derive(Debug)]
struct Everybody(Same<Vec<Same<Properties>>>);

/// What expressions see as `accounts`; `everybody` is in the order of the slugs.
pub(super) fn accounts(everybody: &Same<Vec<Same<Properties>>>) -> Fact {
    Fact::from_object(Everybody(everybody.clone()))
}

impl Object for Everybody {
    fn get_value(self: &Arc<Self>, key: &Fact) -> Option<Fact> {
        let (slug, all) = (key.as_str()?, &self.0.0);
        let at = all.binary_search_by(|who| who.0.slug.as_str().cmp(slug)).ok()?;
        Some(all[at].0.facts.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.mapped_enumerator(|this| Box::new(this.0.0.iter().map(|who| Fact::from(who.0.slug.as_str()))))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.0.0.len())
    }
}

/// Reports every id, e-mail and name that two folders share. Two accounts that are there may have one name, as AWS lets
/// them; but requests for an account are known by its name.
pub(super) fn check_unique(identities: &[Identity<'_>], faults: &mut Faults) {
    let ids = identities
        .iter()
        .filter_map(|who| who.file.id.as_ref().map(|id| (id.value.as_str(), who.slug, &id.spot)));
    let emails = identities.iter().map(|who| (who.plain_email.as_str(), who.slug, &who.email_spot));
    let to_be_made: BTreeSet<&str> =
        identities.iter().filter(|who| who.id.is_none()).map(|who| who.name.as_str()).collect();
    let names = identities.iter().filter(|who| to_be_made.contains(who.name.as_str()));
    let names = names.map(|who| (who.name.as_str(), who.slug, &who.file.name.spot));
    check_each_once("id", ids.collect(), faults);
    check_each_once("e-mail", emails.collect(), faults);
    check_each_once("name", names.collect(), faults);
}

fn check_each_once(what: &str, mut texts: Vec<(&str, &Slug, &Spot)>, faults: &mut Faults) {
    texts.sort_unstable_by_key(|(text, slug, _)| (*text, *slug));
    for same in texts.chunk_by(|(one, ..), (other, ..)| one == other) {
        let Some(((text, first, place), others)) = same.split_first() else { continue };
        for (_, slug, spot) in others {
            let message = format!("the {what} `{text}` belongs to accounts/{first} already");
            let hint = format!("no two accounts can have the same {what}");
            let fault = Fault::new(Rule::SharedIdentity, spot, message, hint);
            faults.add_for(slug, fault.see(place, "the first one"));
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
    is_sound: bool,
    context: &Context,
    faults: &mut Faults,
) -> Option<(Email, Spot)> {
    let Some(declared) = file.email.as_ref().or(organization.defaults.email.as_ref()) else {
        if is_sound {
            let hint = "or give all accounts one: accountDefaults.email in organization/organization.yaml";
            faults.report(Rule::MissingKey, &file.spot, "the key `email` is missing", hint);
        }
        return None;
    };
    let text = evaluate(file, declared, context, faults)?;
    match Email::parse(text) {
        Ok(email) => {
            // An account that exists keeps the address that it was once given.
            if let Some(message) = refused(&email).filter(|_| file.id.is_none()) {
                let hint = "AWS refuses it when the account is to be created";
                faults.report_for(Rule::AccountProperty, &file.slug, &declared.spot, message, hint);
            }
            Some((email, declared.spot.clone()))
        }
        Err(invalid) => {
            faults.report_for(Rule::Identifier, &file.slug, &declared.spot, invalid.to_string(), "");
            None
        }
    }
}

/// What Organizations says of addresses beyond their form (`CreateAccount`, `Email`).
fn refused(email: &Email) -> Option<String> {
    let (local, domain) = email.as_str().split_once('@')?;
    if let Some(c) = local.chars().find(|c| "\"'()<>[]:;,\\|%&".contains(*c)) {
        return Some(format!("the e-mail `{email}` holds `{c}`, which AWS does not take"));
    }
    if local.starts_with('.') {
        return Some(format!("the e-mail `{email}` begins with a dot"));
    }
    let strange = |c: &char| !(c.is_ascii_alphanumeric() || ".-".contains(*c));
    if let Some(c) = domain.chars().find(strange) {
        return Some(format!("the domain of `{email}` holds `{c}`, which AWS does not take"));
    }
    let is_edged = domain.starts_with('-') || domain.ends_with('-');
    is_edged.then(|| format!("the domain of `{email}` begins or ends with a hyphen"))
}
