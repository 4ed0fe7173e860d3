//! The templates that stacks name, each read once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::diagnostic::{At, Faults, Spot};
use super::files::{self, Limit};
use super::layer::Layer;
use super::memory::{Pages, Same};
use super::rule::Rule;
use super::tree::{File, Tree};
use crate::model::Value;
use crate::model::template::{About, Remark, Template, TemplateFault, TemplateParameter, TemplateText};
use crate::yaml::Place;

/// What CloudFormation takes in a request's body (`TemplateBody`).
const TEMPLATE: Limit =
    Limit { bytes: 51_200, hint: "split the stack in two; larger templates come with a later version" };

/// A template that could be read.
#[derive(Debug)]
pub(super) struct Loaded {
    /// The committed text.
    pub(super) text: TemplateText,
    pub(super) parameters: BTreeMap<String, TemplateParameter>,
    /// The keys of its outputs.
    pub(super) outputs: BTreeSet<String>,
    /// The capability CloudFormation will ask for, if any.
    pub(super) capability: Option<&'static str>,
    /// What CloudFormation will refuse in it.
    remarks: Vec<Remark>,
}

/// Templates by path from the root of the repository.
#[derive(Default)]
pub(super) struct Templates<'t> {
    paths: BTreeMap<String, Option<Arc<Loaded>>>,
    /// Accounts often hold copies of one template: each text is read once.
    texts: BTreeMap<&'t str, Result<Arc<Loaded>, TemplateFault>>,
    /// By the memory of their text, which every stack made from them shares.
    memories: BTreeMap<usize, Arc<Loaded>>,
}

impl<'t> Templates<'t> {
    /// Reads whatever the layers name.
    pub(super) fn read<'a>(
        tree: &'t Tree,
        layers: impl Iterator<Item = &'a Layer>,
        pages: &mut Pages<Loaded>,
        faults: &mut Faults,
    ) -> Self {
        let mut templates = Self::default();
        for leaf in layers.flat_map(named) {
            templates.add(tree, leaf, pages, faults);
        }
        templates
    }

    /// The templates that a layer names, in the order of its stacks.
    pub(super) fn of(&self, layer: &Layer) -> Vec<Option<Same<Loaded>>> {
        let found = |leaf: &At<Value>| self.paths.get(leaf.value.as_str()?)?.as_ref().map(Same::of);
        named(layer).map(found).collect()
    }

    /// The template at a path; nothing when it could not be read, which has been reported.
    pub(super) fn get(&self, path: &str) -> Option<&Loaded> {
        self.paths.get(path)?.as_deref()
    }

    /// The template that a stack's text was taken from.
    pub(super) fn of_text(&self, text: &TemplateText) -> Option<&Loaded> {
        self.memories.get(&text.address()).map(Arc::as_ref)
    }

    fn add(&mut self, tree: &'t Tree, leaf: &At<Value>, pages: &mut Pages<Loaded>, faults: &mut Faults) {
        let path = leaf.value.as_str().unwrap_or_default();
        if !tree.files.contains_key(path) {
            report_missing(tree, path, "template", &[".template."], &leaf.spot, faults);
        } else if !self.paths.contains_key(path) {
            let file = tree.files.get(path);
            let template = pages.read(path, file, faults, |faults| self.parse(tree, path, faults));
            self.memories.extend(template.iter().map(|it| (it.text.address(), Arc::clone(it))));
            self.paths.insert(path.to_owned(), template);
        }
    }

    fn parse(&mut self, tree: &'t Tree, path: &str, faults: &mut Faults) -> Option<Arc<Loaded>> {
        let text = files::text(tree, path, &TEMPLATE, faults)?;
        match self.texts.entry(text).or_insert_with(|| read(text).map(Arc::new)) {
            Ok(template) => {
                report_remarks(path, &template.remarks, faults);
                Some(template.clone())
            }
            Err(fault) => {
                let place = Place { line: fault.line, column: fault.column };
                let spot = Spot { path: path.into(), place };
                faults.report(Rule::Template, &spot, fault.message.clone(), "cfn-lint explains templates");
                None
            }
        }
    }
}

fn named(layer: &Layer) -> impl Iterator<Item = &At<Value>> {
    layer.beside("stacks", 3, "template").map(|(_, leaf)| leaf)
}

fn read(text: &str) -> Result<Loaded, TemplateFault> {
    let (template, remarks) = Template::survey(text)?;
    let (parameters, outputs, capability) =
        (template.parameters(), template.outputs(), capability(&template));
    Ok(Loaded { text: text.into(), parameters, outputs, capability, remarks })
}

/// Reports them in the file itself: it is at fault whoever uses it.
fn report_remarks(path: &str, remarks: &[Remark], faults: &mut Faults) {
    for Remark { line, column, about, message, hint } in remarks {
        let rule = match about {
            About::Form => Rule::Template,
            About::Limit => Rule::TemplateLimit,
            About::Reference => Rule::TemplateReference,
        };
        let spot = Spot { path: path.into(), place: Place { line: *line, column: *column } };
        faults.report(rule, &spot, message, hint);
    }
}

/// IAM resources need `CAPABILITY_IAM`, those with names of their own `CAPABILITY_NAMED_IAM`.
pub fn capability(template: &Template) -> Option<&'static str> {
    let iam = template.body()["Resources"].as_object().into_iter().flatten().filter_map(|(_, resource)| {
        let name = match resource["Type"].as_str()? {
            "AWS::IAM::Role" => "RoleName",
            "AWS::IAM::ManagedPolicy" => "ManagedPolicyName",
            "AWS::IAM::User" => "UserName",
            "AWS::IAM::Group" => "GroupName",
            "AWS::IAM::InstanceProfile" => "InstanceProfileName",
            "AWS::IAM::Policy" | "AWS::IAM::AccessKey" | "AWS::IAM::UserToGroupAddition" => {
                return Some(false);
            }
            _ => return None,
        };
        Some(resource["Properties"].get(name).is_some())
    });
    iam.max().map(|named| if named { "CAPABILITY_NAMED_IAM" } else { "CAPABILITY_IAM" })
}

/// Says that the file at `path` is not there, and which file beside it may have been meant.
pub(super) fn report_missing(
    tree: &Tree,
    path: &str,
    what: &str,
    endings: &[&str],
    spot: &Spot,
    faults: &mut Faults,
) {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let beside = tree.files.iter().filter(|(_, file)| matches!(file, File::Blob(_)));
    let beside = beside.filter_map(|(path, _)| path.strip_prefix(folder)?.strip_prefix('/'));
    let hint =
        faults.suggest(spot, name, beside.filter(|name| endings.iter().any(|ending| name.contains(ending))));
    faults.report(Rule::MissingFile, spot, format!("there is no {what} {path}"), hint);
}
