//! SAML providers: what IAM knows of identity providers that speak SAML.

use std::collections::BTreeMap;

use base64::Engine as _;
use jiff::{SignedDuration, Timestamp};
use roxmltree::{Document, Node};
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::state::State;
use super::super::wire::{Answer, Params as _, Refusal, iso};
use super::tags::{self, read_tags, tag_list};
use super::{already_exists, no_such_entity};

/// IAM's quota for an account.
const QUOTA: usize = 100;
const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";

#[derive(Clone, Debug)]
pub(crate) struct SamlProvider {
    pub(crate) document: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) created: Timestamp,
}

impl SamlProvider {
    /// The metadata's own word, or else a hundred years.
    fn valid_until(&self) -> Timestamp {
        let said = Document::parse(&self.document).ok().and_then(|document| {
            document.root_element().attribute("validUntil").and_then(|said| said.parse().ok())
        });
        let century = SignedDuration::from_hours(36_525 * 24);
        said.unwrap_or_else(|| self.created.checked_add(century).unwrap_or(Timestamp::MAX))
    }
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    let name = call.params.required("Name")?.to_owned();
    let is_name = (1..=128).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if !is_name {
        return Err(Refusal::validation(format!(
            "1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: Member must satisfy \
             regular expression pattern: [\\w._-]+"
        )));
    }
    let document = metadata(call)?;
    let created = state.now();
    let providers = &mut state.member(call.account()).iam.saml_providers;
    if providers.contains_key(&name) {
        return Err(already_exists(format!("SAMLProvider {} already exists.", arn(call, &name))));
    }
    if providers.len() >= QUOTA {
        return Err(Refusal::new(
            409,
            "LimitExceeded",
            "Cannot exceed quota for SAMLProvidersPerAccount: 100",
        ));
    }
    let tags = read_tags(call.params.entries("Tags"));
    let mut answer = json!({"SAMLProviderArn": arn(call, &name)});
    if !tags.is_empty() {
        answer["Tags"] = tag_list(&tags);
    }
    providers.insert(name, SamlProvider { document, tags, created });
    Ok(answer)
}

pub(crate) fn update(state: &mut State, call: &Call) -> Answer {
    let document = metadata(call)?;
    find(state, call)?.document = document;
    Ok(json!({"SAMLProviderArn": call.params.required("SAMLProviderArn")?}))
}

pub(crate) fn get(state: &mut State, call: &Call) -> Answer {
    let provider = find(state, call)?;
    Ok(json!({
        "SAMLMetadataDocument": provider.document, "CreateDate": iso(provider.created),
        "ValidUntil": iso(provider.valid_until()), "Tags": tag_list(&provider.tags),
    }))
}

/// All at once: IAM does not page this list.
pub(crate) fn list(state: &mut State, call: &Call) -> Value {
    let providers = state.member(call.account()).iam.saml_providers.iter();
    let shown: Vec<_> = providers
        .map(|(name, provider)| {
            json!({"Arn": arn(call, name), "CreateDate": iso(provider.created),
                "ValidUntil": iso(provider.valid_until())})
        })
        .collect();
    json!({"SAMLProviderList": shown})
}

pub(crate) fn delete(state: &mut State, call: &Call) -> Answer {
    find(state, call)?;
    let name = name(call)?;
    state.member(call.account()).iam.saml_providers.remove(&name);
    Ok(Value::Null)
}

pub(crate) fn tag(state: &mut State, call: &Call) -> Answer {
    Ok(tags::add(&mut find(state, call)?.tags, call))
}

pub(crate) fn untag(state: &mut State, call: &Call) -> Answer {
    Ok(tags::remove(&mut find(state, call)?.tags, call))
}

pub(crate) fn list_tags(state: &mut State, call: &Call) -> Answer {
    Ok(tags::listed(&find(state, call)?.tags))
}

fn arn(call: &Call, name: &str) -> String {
    format!("arn:aws:iam::{}:saml-provider/{name}", call.account())
}

fn name(call: &Call) -> Result<String, Refusal> {
    let asked = call.params.required("SAMLProviderArn")?;
    let prefix = arn(call, "");
    let name = asked.strip_prefix(&prefix).ok_or_else(|| {
        Refusal::bad("InvalidInput", format!("Invalid ARN: {asked} is not a SAML provider of this account"))
    })?;
    Ok(name.to_owned())
}

fn find<'a>(state: &'a mut State, call: &Call) -> Result<&'a mut SamlProvider, Refusal> {
    let name = name(call)?;
    let provider = state.member(call.account()).iam.saml_providers.get_mut(&name);
    provider.ok_or_else(|| no_such_entity(format!("Manifest not found for arn {}", arn(call, &name))))
}

/// The document of a request, if IAM would take it.
fn metadata(call: &Call) -> Result<String, Refusal> {
    let text = call.params.required("SAMLMetadataDocument")?;
    let length = text.chars().count();
    if !(1_000..=10_000_000).contains(&length) {
        let bound =
            if length < 1_000 { "greater than or equal to 1000" } else { "less than or equal to 10000000" };
        return Err(Refusal::validation(format!(
            "1 validation error detected: Value at 'sAMLMetadataDocument' failed to satisfy constraint: Member must \
             have length {bound}"
        )));
    }
    if describes_provider(text) {
        return Ok(text.to_owned());
    }
    Err(Refusal::bad("InvalidInput", "Could not parse metadata"))
}

/// An entity with an identity provider that signs with a certificate.
fn describes_provider(text: &str) -> bool {
    let Ok(document) = Document::parse(text) else { return false };
    let root = document.root_element();
    let provider = root.descendants().find(|node| node.has_tag_name((METADATA, "IDPSSODescriptor")));
    let certificates: Vec<_> = provider
        .iter()
        .flat_map(Node::descendants)
        .filter(|node| node.tag_name().name() == "X509Certificate")
        .map(|node| is_base64(node.text().unwrap_or_default()))
        .collect();
    root.has_tag_name((METADATA, "EntityDescriptor"))
        && root.has_attribute("entityID")
        && certificates.first() == Some(&true)
        && certificates.iter().all(|is_good| *is_good)
}

fn is_base64(text: &str) -> bool {
    let digits: String = text.split_ascii_whitespace().collect();
    // A certificate is an ASN.1 sequence.
    base64::engine::general_purpose::STANDARD.decode(digits).is_ok_and(|bytes| bytes.first() == Some(&0x30))
}
