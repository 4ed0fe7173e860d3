//! SAML metadata: what a document that describes an identity provider means.
//!
//! Guarantees: two documents have the same outline exactly when they say the same. White space between and around
//! what is said, the order and quoting of attributes, the prefixes of namespaces, comments and the line breaks of
//! certificates do not count; everything else does. Work and memory grow with the document's length and no faster.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use roxmltree::{Document, Node, ParsingOptions};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use x509_cert::Certificate as X509;
use x509_cert::der::{Decode, asn1::AnyRef};

use super::Value;

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// What IAM takes, in characters (`CreateSAMLProvider`).
const LENGTH: std::ops::RangeInclusive<usize> = 1_000..=10_000_000;
/// Elements within elements; metadata has about eight.
const MAX_DEPTH: usize = 64;
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

/// A certificate of an identity provider: whoever holds its key can sign in as anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256 of its bytes, in hexadecimal.
    pub fingerprint: String,
    /// Its subject, from when and until when it is valid; absent where it is not X.509 as we know it.
    pub details: Option<Details>,
}

/// What an X.509 certificate says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// The distinguished name, as RFC 4514 writes it.
    pub subject: String,
    /// Valid from, `2026-01-31`.
    pub from: String,
    /// Valid until, `2036-01-31`.
    pub until: String,
    /// Valid until, in seconds since 1970.
    pub expires: i64,
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

/// An outline in the making.
#[derive(Default)]
struct Outline {
    text: String,
    certificates: Vec<Certificate>,
}

impl Outline {
    fn element(&mut self, node: Node<'_, '_>, depth: usize) -> Result<(), SamlFault> {
        if depth > MAX_DEPTH {
            return Err(fault(node, format!("elements are nested more than {MAX_DEPTH} deep")));
        }
        let mut line = name(node.tag_name().namespace(), node.tag_name().name());
        for (name, value) in attributes(node) {
            line = format!("{line} {name}={}", quoted(&value));
        }
        let own_text = (!node.children().any(|child| child.is_element())).then(|| self.own_text(node));
        if let Some(text) = own_text.flatten() {
            line = format!("{line}: {text}");
            self.line(depth, &line);
            return Ok(());
        }
        self.line(depth, &line);
        for child in node.children() {
            if child.is_element() {
                self.element(child, depth + 1)?;
            } else if let Some(text) = said(child) {
                self.line(depth + 1, &quoted(&text));
            }
        }
        Ok(())
    }

    fn line(&mut self, depth: usize, line: &str) {
        self.text.extend(std::iter::repeat_n("  ", depth));
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// What an element without elements in it holds.
    fn own_text(&mut self, node: Node<'_, '_>) -> Option<String> {
        let text: String = node.children().filter_map(said).collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            return None;
        }
        let is_binary = node.tag_name().namespace() == Some(SIGNATURE);
        match is_binary.then(|| decoded(&text)).flatten() {
            Some(bytes) if is_certificate(node) => {
                let certificate = Certificate::of(&bytes);
                let shown = certificate.to_string();
                self.certificates.push(certificate);
                Some(shown)
            }
            // Signatures, keys and digests: nobody reads them.
            Some(bytes) if bytes.len() > 32 => Some(format!("sha256 {}", digest(&bytes))),
            _ => Some(quoted(&text)),
        }
    }
}

impl Certificate {
    fn of(bytes: &[u8]) -> Self {
        let details = X509::from_der(bytes).ok().map(|certificate| {
            let certificate = certificate.tbs_certificate();
            let validity = certificate.validity();
            let day = |time: x509_cert::time::Time| {
                let date = time.to_date_time();
                format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
            };
            Details {
                subject: certificate.subject().to_string(),
                from: day(validity.not_before),
                until: day(validity.not_after),
                expires: i64::try_from(validity.not_after.to_unix_duration().as_secs()).unwrap_or(i64::MAX),
            }
        });
        Self { fingerprint: digest(bytes), details }
    }
}

/// The fingerprint comes first: unlike the subject, nobody can choose it.
impl std::fmt::Display for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sha256 {}", self.fingerprint)?;
        match &self.details {
            Some(Details { subject, from, until, .. }) => {
                write!(f, ", {from} to {until}, {}", quoted(subject))
            }
            None => f.write_str(", not X.509 as we know it"),
        }
    }
}

/// The names of metadata bare, those of other namespaces behind a brace: no name has one of its own.
fn name(namespace: Option<&str>, local: &str) -> String {
    match namespace {
        Some(METADATA) => local.to_owned(),
        Some(SIGNATURE) => format!("ds:{local}"),
        Some(other) => format!("{{{other}}}{local}"),
        None => format!("{{}}{local}"),
    }
}

/// In the order of their names.
fn attributes(node: Node<'_, '_>) -> Vec<(String, String)> {
    let mut attributes: Vec<_> = node
        .attributes()
        .map(|attribute| match attribute.namespace() {
            Some(SCHEMA_INSTANCE) if attribute.name() == "type" => {
                ("xsi:type".to_owned(), expanded(node, attribute.value()))
            }
            Some(XML) => (format!("xml:{}", attribute.name()), attribute.value().to_owned()),
            Some(other) => (format!("{{{other}}}{}", attribute.name()), attribute.value().to_owned()),
            None => (attribute.name().to_owned(), attribute.value().to_owned()),
        })
        .collect();
    attributes.sort();
    attributes
}

/// The value of `xsi:type` is a name with a prefix, which means the namespace and nothing else.
fn expanded(node: Node<'_, '_>, value: &str) -> String {
    let (prefix, local) = value.trim().split_once(':').map_or((None, value.trim()), |(p, l)| (Some(p), l));
    match node.lookup_namespace_uri(prefix) {
        Some(namespace) => format!("{{{namespace}}}{local}"),
        None => value.trim().to_owned(),
    }
}

/// The words of a text, single spaces between them; nothing for white space alone.
fn said(node: Node<'_, '_>) -> Option<String> {
    let text = node.text().filter(|_| node.is_text())?;
    let words: Vec<_> = text.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// As JSON quotes it: so a text can end neither itself nor its line.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, config);
    let digits: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    engine.decode(digits).ok().filter(|bytes| !bytes.is_empty())
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests;
