//! The outline: a document as its elements one a line, so that what differs in meaning differs in text.

use roxmltree::Node;

use super::certificate::{Certificate, decoded, digest};
use super::{METADATA, SIGNATURE, SamlFault, Value, fault, is_certificate};

pub(super) const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// Elements within elements; metadata has about eight.
const MAX_DEPTH: usize = 64;

/// An outline in the making.
#[derive(Default)]
pub(super) struct Outline {
    pub(super) text: String,
    pub(super) certificates: Vec<Certificate>,
}

impl Outline {
    pub(super) fn element(&mut self, node: Node<'_, '_>, depth: usize) -> Result<(), SamlFault> {
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
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
