//! One account with everything that was said to it: what `explain` and `render` are made of.

use super::diagnostic::{At, Spot};
use super::expression::Context;
use super::identity::Identity;
use super::links::Link;
use super::merge::{Layers, Merged, Speaker};
use super::producers::Producers;
use super::raw::Organization;
use super::templates::Templates;
use super::words::{Said, Words};
use crate::model::{Account, Region, Value};

/// An account and how it came about.
pub(super) struct Whole<'a> {
    pub(super) account: Account,
    /// Whom its stacks wait for.
    pub(super) links: Vec<Link>,
    pub(super) producers: Producers,
    pub(super) who: &'a Identity<'a>,
    pub(super) organization: &'a Organization,
    pub(super) layers: &'a Layers,
    pub(super) speakers: Vec<Speaker<'a>>,
    pub(super) words: Words<'a>,
    pub(super) merged: Merged<'a>,
    /// What expressions see, without `region`.
    pub(super) context: Context,
    pub(super) templates: &'a Templates<'a>,
}

impl Whole<'_> {
    /// A leaf's value with its expressions worked out, once for each region where that matters.
    pub(super) fn values_of(&self, path: &[String], leaf: &At<Value>) -> Vec<(Option<Region>, Value)> {
        let regions: Vec<_> = match path {
            [head, name, ..] if head == "stacks" => self.regions(name),
            _ => Vec::new(),
        };
        let at = |region: Option<Region>| {
            let context = self.context.at(self.who.slug, path, region.as_ref());
            // What does not work was reported, and then there is no whole account.
            (region, context.value(&leaf.value).unwrap_or_else(|_| leaf.value.clone()))
        };
        let all: Vec<_> = regions.into_iter().map(|region| at(Some(region))).collect();
        match all.first() {
            Some((_, first)) if all.iter().all(|(_, value)| value == first) => vec![(None, first.clone())],
            Some(_) => all,
            None => vec![at(None)],
        }
    }

    /// Where a stack is.
    pub(super) fn regions(&self, stack: &str) -> Vec<Region> {
        let keys = self.account.stacks.keys().filter(|key| key.name.as_str() == stack);
        keys.map(|key| key.region.clone()).collect()
    }

    /// True for what is not to be printed: a `NoEcho` parameter, and the values that go into one.
    pub(super) fn is_secret(&self, path: &[String]) -> bool {
        match path {
            [head, stack, key, name] if head == "stacks" && key == "parameters" => self.hides(stack, name),
            [head, name, ..] if head == "values" => {
                let stacks = self.words.iter().filter(|(path, _)| path[0] == "stacks");
                stacks.filter(|(path, _)| self.is_hidden_parameter(path)).any(|(_, word)| match word.said {
                    Said::Value(leaf) => reads(&leaf.value.to_string(), name),
                    Said::Denied(_) => false,
                })
            }
            _ => false,
        }
    }

    fn is_hidden_parameter(&self, path: &[String]) -> bool {
        matches!(path, [_, stack, key, name] if key == "parameters" && self.hides(stack, name))
    }

    /// A parameter of a template that is not there any more may have been one.
    fn hides(&self, stack: &str, name: &str) -> bool {
        let template = self.merged.get(&["stacks", stack, "template"]).and_then(|leaf| leaf.value.as_str());
        let template = template.and_then(|path| self.templates.get(path));
        let parameter = template.and_then(|template| template.parameters.get(name));
        parameter.is_none_or(|parameter| parameter.no_echo)
    }

    /// The lock that holds a path, and where it is.
    pub(super) fn lock(&self, path: &[String]) -> Option<&Spot> {
        let locks = self.speakers.iter().flat_map(|speaker| &speaker.layer.locked);
        locks.filter(|lock| path.starts_with(&lock.value)).map(|lock| &lock.spot).next()
    }
}

/// True when an expression may read the value: its name is in it, or else no name can be made out.
fn reads(text: &str, name: &str) -> bool {
    text.contains("${{") && text.contains("values") && (text.contains(name) || !text.contains("values."))
}
