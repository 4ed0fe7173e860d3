//! Documents that settings name, read once however many accounts they are for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::diagnostic::{At, Faults, Spot};
use super::files::{self, Limit};
use super::layer::Layer;
use super::memory::{Pages, Same};
use super::rule::Rule;
use super::templates::report_missing;
use super::tree::Tree;
use crate::model::saml::{SamlFault, SamlMetadata};
use crate::model::{SettingKind, Value};
use crate::yaml::Place;

/// What IAM takes in characters, in bytes.
const METADATA: Limit = Limit { bytes: 10_000_000, hint: "IAM takes no longer one" };

/// SAML metadata by path from the root of the repository.
#[derive(Default)]
pub(super) struct Documents<'t> {
    by_path: BTreeMap<String, Option<Arc<SamlMetadata>>>,
    /// Accounts often hold copies of one document: each text is read once.
    by_text: BTreeMap<&'t str, Result<Arc<SamlMetadata>, SamlFault>>,
}

impl<'t> Documents<'t> {
    /// Reads whatever the layers name.
    pub(super) fn read<'a>(
        tree: &'t Tree,
        layers: impl Iterator<Item = &'a Layer>,
        pages: &mut Pages<SamlMetadata>,
        faults: &mut Faults,
    ) -> Self {
        let mut documents = Self::default();
        for leaf in layers.flat_map(named) {
            documents.add(tree, leaf, pages, faults);
        }
        documents
    }

    /// The documents that a layer names, in the order of its settings.
    pub(super) fn of(&self, layer: &Layer) -> Vec<Option<Same<SamlMetadata>>> {
        let found = |leaf: &At<Value>| self.by_path.get(leaf.value.as_str()?)?.as_ref().map(Same::of);
        named(layer).map(found).collect()
    }

    /// The metadata at a path; nothing when it could not be read, which has been reported.
    pub(super) fn metadata(&self, path: &str) -> Option<Arc<SamlMetadata>> {
        self.by_path.get(path)?.clone()
    }

    fn add(
        &mut self,
        tree: &'t Tree,
        leaf: &At<Value>,
        pages: &mut Pages<SamlMetadata>,
        faults: &mut Faults,
    ) {
        let path = leaf.value.as_str().unwrap_or_default();
        if !tree.files.contains_key(path) {
            report_missing(tree, path, "metadata", &[".xml"], &leaf.spot, faults);
        } else if !self.by_path.contains_key(path) {
            let file = tree.files.get(path);
            let metadata = pages.read(path, file, faults, |faults| self.parse(tree, path, faults));
            self.by_path.insert(path.to_owned(), metadata);
        }
    }

    fn parse(&mut self, tree: &'t Tree, path: &str, faults: &mut Faults) -> Option<Arc<SamlMetadata>> {
        let text = files::text(tree, path, &METADATA, faults)?;
        match self.by_text.entry(text).or_insert_with(|| SamlMetadata::parse(text).map(Arc::new)) {
            Ok(metadata) => Some(metadata.clone()),
            Err(fault) => {
                let place = Place { line: fault.line, column: fault.column };
                let spot = Spot { path: path.into(), place };
                let hint = "take the file as the identity provider hands it out";
                faults.report(Rule::Setting, &spot, fault.message.clone(), hint);
                None
            }
        }
    }
}

fn named(layer: &Layer) -> impl Iterator<Item = &At<Value>> {
    let all = layer.beside("settings", 4, "metadata");
    all.filter(|(path, _)| path[1] == SettingKind::SamlProvider.key()).map(|(_, leaf)| leaf)
}
