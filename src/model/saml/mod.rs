//! SAML metadata: what a document that describes an identity provider means.
//!
//! Guarantees: two documents have the same outline exactly when they say the same. White space between and around
//! what is said, the order and quoting of attributes, the prefixes of namespaces, comments and the line breaks of
//! certificates do not count; everything else does. Work and memory grow with the document's length and no faster.

mod certificate;
mod outline;

use roxmltree::{Document, Node, ParsingOptions};
use serde::Serialize;
use serde_json::json;
use x509_cert::der::{Decode, asn1::AnyRef};

use super::Value;
use certificate::{decoded, digest};
use outline::Outline;

pub use certificate::{Certificate, Details};

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";

/// What IAM takes, in characters (`CreateSAMLProvider`).
const LENGTH: std::ops::RangeInclusive<usize> = 1_000..=10_000_000;
/// Elements, texts and comments of one document: as many as the longest could sensibly hold.
const MAX_NODES: u32 = 1_000_000;

/// The metadata of one identity provider, read and found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SamlMetadata {
    /// The document as committed: this is what is sent.
    pub text: String,
    /// What it says, one element a line; see [`outline`].
    pub outline: String,
    /// Its certificates in the order of the document.
    pub certificates: Vec<Certificate>,
}

/// Why a document is not metadata that IAM takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SamlFault {
    /// What is wrong.
    pub message: String,
    /// Line, counted from 1.
    pub line: u32,
    /// Column, counted from 1.
    pub column: u32,
}

impl SamlMetadata {
    /// Reads the metadata of one identity provider, as strictly as IAM does.
    pub fn parse(text: &str) -> Result<Self, SamlFault> {
        let length = text.chars().count();
        if !LENGTH.contains(&length) {
            let (low, high) = (LENGTH.start(), LENGTH.end());
            return Err(at_start(format!("it has {length} characters, and IAM takes {low} to {high}")));
        }
        let document = document(text)?;
        check_kind(&document)?;
        let mut outline = Outline::default();
        outline.element(document.root_element(), 0)?;
        let Outline { text: outline, certificates } = outline;
        Ok(Self { text: text.to_owned(), outline, certificates })
    }

    /// The metadata as a comparable value: `{metadata}`, its outline.
    pub fn to_value(&self) -> Value {
        json!({"metadata": self.outline})
    }
}

/// Plans are shown to people: what the document says is of more use to them than the document.
impl Serialize for SamlMetadata {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.outline)
    }
}

/// What the document says, one element a line, indented. Attributes are in the order of their names, and of each
/// certificate it tells fingerprint, validity and subject. A document that cannot be read says its digest.
pub fn outline(text: &str) -> String {
    let read = || {
        let mut outline = Outline::default();
        outline.element(document(text)?.root_element(), 0)?;
        Ok(outline.text)
    };
    read().unwrap_or_else(|fault: SamlFault| {
        format!("(unreadable: {fault}; sha256 {})\n", digest(text.as_bytes()))
    })
}

fn document(text: &str) -> Result<Document<'_>, SamlFault> {
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| {
        let place = error.pos();
        SamlFault { message: format!("not well-formed XML: {error}"), line: place.row, column: place.col }
    })
}

fn check_kind(document: &Document<'_>) -> Result<(), SamlFault> {
    let root = document.root_element();
    if !root.has_tag_name((METADATA, "EntityDescriptor")) {
        let name = root.tag_name().name();
        return Err(fault(root, format!("its root is <{name}>, where SAML metadata has <EntityDescriptor>")));
    }
    if root.attribute("entityID").is_none_or(str::is_empty) {
        return Err(fault(root, "it has no entityID"));
    }
    let provider = root.children().find(|child| child.has_tag_name((METADATA, "IDPSSODescriptor")));
    let Some(provider) = provider else {
        return Err(fault(root, "it describes no identity provider: there is no <IDPSSODescriptor>"));
    };
    if !provider.descendants().any(is_certificate) {
        return Err(fault(provider, "its identity provider has no certificate to check signatures with"));
    }
    document.descendants().filter(|node| is_certificate(*node)).try_for_each(check_certificate)
}

fn is_certificate(node: Node<'_, '_>) -> bool {
    node.has_tag_name((SIGNATURE, "X509Certificate"))
}

/// Finds the certificates that were cut off when they were copied.
fn check_certificate(node: Node<'_, '_>) -> Result<(), SamlFault> {
    let bytes = node.text().and_then(decoded);
    match bytes.as_deref().map(AnyRef::from_der) {
        Some(Ok(_)) => Ok(()),
        Some(Err(_)) => Err(fault(node, "the certificate is damaged or cut off")),
        None => Err(fault(node, "the certificate is not base64")),
    }
}

fn at_start(message: String) -> SamlFault {
    SamlFault { message, line: 1, column: 1 }
}

fn fault(node: Node<'_, '_>, message: impl Into<String>) -> SamlFault {
    let place = node.document().text_pos_at(node.range().start);
    SamlFault { message: message.into(), line: place.row, column: place.col }
}

#[cfg(test)]
mod tests;
