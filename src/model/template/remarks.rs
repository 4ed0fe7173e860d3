//! What CloudFormation will refuse in a template that can be read: names that stand for nothing, entries that are none,
//! and its quotas.
//!
//! Guarantees: only sections whose functions are evaluated are looked at.
//!
//! Assumes: nothing else works on the template before CloudFormation reads it, as names may come from there.

use std::collections::{BTreeMap, BTreeSet};

use super::documents::oversized;
use super::flag;
use super::form::malformed;
use crate::model::nearest;
use crate::yaml::{Entry, Kind, Node, Place};

/// One thing that CloudFormation will refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Line, counted from 1.
    pub line: u32,
    /// Column, counted from 1.
    pub column: u32,
    /// What kind of thing it is.
    pub about: About,
    /// What is wrong.
    pub message: String,
    /// What to do about it; may be empty.
    pub hint: String,
}

/// What a remark is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// What a resource or a parameter is made of.
    Form,
    /// A quota of CloudFormation.
    Limit,
    /// A name that stands for nothing.
    Reference,
}

/// How many entries CloudFormation takes in one section.
const QUOTAS: [(&str, &str, usize); 4] = [
    ("Parameters", "parameters", 200),
    ("Resources", "resources", 500),
    ("Outputs", "outputs", 200),
    ("Mappings", "mappings", 200),
];
/// Remarks of one template for which a likely name is looked for: there can be ten thousand.
const MAX_SUGGESTED: usize = 20;
/// Bytes of a template's description.
const MAX_DESCRIPTION: usize = 1_024;
const PSEUDO: [&str; 8] = [
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];
/// The attributes of a resource whose functions are evaluated.
const EVALUATED: [&str; 4] = ["Properties", "Metadata", "CreationPolicy", "UpdatePolicy"];

/// Everything there is to say of a template that is whole as it is.
pub(super) fn remarks(template: &Node) -> Vec<Remark> {
    let names = |section| entries(template, section).iter().map(|entry| entry.key.as_str()).collect();
    let mut survey = Survey {
        parameters: names("Parameters"),
        resources: names("Resources"),
        conditions: names("Conditions"),
        mappings: entries(template, "Mappings").iter().map(|it| (it.key.as_str(), &it.value)).collect(),
        in_conditions: false,
        found: Vec::new(),
    };
    survey.quotas(template);
    for (place, message, hint) in malformed(template) {
        survey.say(About::Form, place, message, hint);
    }
    survey.sections(template);
    survey.found
}

/// The names of a template, and what was found so far.
struct Survey<'n> {
    parameters: BTreeSet<&'n str>,
    resources: BTreeSet<&'n str>,
    conditions: BTreeSet<&'n str>,
    mappings: BTreeMap<&'n str, &'n Node>,
    /// Conditions are worked out before there are resources.
    in_conditions: bool,
    found: Vec<Remark>,
}

impl<'n> Survey<'n> {
    fn quotas(&mut self, template: &'n Node) {
        for (section, what, most) in QUOTAS {
            let all = entries(template, section);
            if let Some(extra) = all.get(most) {
                let message = format!("the template has {} {what}, and {most} are allowed", all.len());
                self.say(About::Limit, extra.place, message, "split the stack in two");
            }
        }
        if let Some(node) = get(template, "Description")
            && let Some(length) = text(node).map(str::len).filter(|length| *length > MAX_DESCRIPTION)
        {
            let message = format!("the description has {length} bytes, and {MAX_DESCRIPTION} are allowed");
            self.say(About::Limit, node.place, message, "say the rest in a comment");
        }
    }

    fn sections(&mut self, template: &'n Node) {
        self.in_conditions = true;
        for condition in entries(template, "Conditions") {
            self.walk(&condition.value);
        }
        self.in_conditions = false;
        for rule in entries(template, "Rules") {
            self.walk_at(&rule.value, &["RuleCondition"]);
            if let Some(Kind::List(assertions)) = get(&rule.value, "Assertions").map(|node| &node.kind) {
                assertions.iter().for_each(|assertion| self.walk_at(assertion, &["Assert"]));
            }
        }
        for resource in entries(template, "Resources") {
            self.resource(&resource.value);
        }
        for output in entries(template, "Outputs") {
            self.conditional(&output.value);
            self.walk_at(&output.value, &["Value", "Export"]);
        }
    }

    fn resource(&mut self, resource: &'n Node) {
        self.conditional(resource);
        match get(resource, "DependsOn") {
            Some(Node { kind: Kind::List(nodes), .. }) => {
                nodes.iter().for_each(|node| self.needs_resource(node));
            }
            Some(node) => self.needs_resource(node),
            None => {}
        }
        self.walk_at(resource, &EVALUATED);
        for (place, message) in oversized(resource) {
            self.say(About::Limit, place, message, "split it, or name fewer things one by one");
        }
    }

    /// Looks at what a map has under these keys.
    fn walk_at(&mut self, node: &'n Node, keys: &[&str]) {
        for inside in keys.iter().filter_map(|key| get(node, key)) {
            self.walk(inside);
        }
    }

    fn conditional(&mut self, node: &'n Node) {
        if let Some(node) = get(node, "Condition") {
            self.condition(node);
        }
    }

    fn needs_resource(&mut self, node: &'n Node) {
        if let Some(name) = text(node) {
            self.resource_named(name, node.place, "`DependsOn` names");
        }
    }

    /// Looks at a node and everything in it.
    fn walk(&mut self, node: &'n Node) {
        match function_tag(node) {
            Some(name) => self.function(name, node.place, &node.kind),
            None => self.content(&node.kind),
        }
    }

    /// The same for what a node is apart from its tag: the argument of a function may be another one.
    fn content(&mut self, kind: &'n Kind) {
        match kind {
            Kind::Scalar { .. } => {}
            Kind::List(nodes) => nodes.iter().for_each(|node| self.walk(node)),
            Kind::Map(entries) => match entries.as_ref() {
                [Entry { key, value, .. }] if function_tag(value).is_none() && self.is_function(key) => {
                    self.function(key.trim_start_matches("Fn::"), value.place, &value.kind);
                }
                entries => entries.iter().for_each(|entry| self.walk(&entry.value)),
            },
        }
    }

    /// A map of one key is a function if the key is one; elsewhere `Condition` is a key like any other.
    fn is_function(&self, key: &str) -> bool {
        key == "Ref" || key.starts_with("Fn::") || (key == "Condition" && self.in_conditions)
    }

    fn function(&mut self, name: &str, place: Place, argument: &'n Kind) {
        match (name, argument) {
            ("Ref", Kind::Scalar { text, .. }) => self.reference(text, place, "`Ref` names"),
            ("Condition", Kind::Scalar { text, .. }) => self.condition_named(text, place),
            ("GetAtt", Kind::Scalar { text, .. }) => match text.split_once('.') {
                Some((resource, _)) => self.resource_named(resource, place, "`Fn::GetAtt` names"),
                None => self.without_attribute(text, place),
            },
            ("GetAtt", Kind::List(nodes)) => self.attribute(nodes),
            ("Sub", Kind::Scalar { text, .. }) => self.substitute(text, place, &[]),
            ("Sub", Kind::List(nodes)) => self.substitute_with(nodes),
            ("If", Kind::List(nodes)) => nodes.first().into_iter().for_each(|node| self.condition(node)),
            ("FindInMap", Kind::List(nodes)) => self.find_in_map(nodes),
            _ => {}
        }
        self.content(argument);
    }

    fn attribute(&mut self, nodes: &'n [Node]) {
        let Some((name, node)) = nodes.first().and_then(|node| Some((text(node)?, node))) else { return };
        if nodes.len() == 1 {
            return self.without_attribute(name, node.place);
        }
        let resource = name.split('.').next().unwrap_or(name);
        self.resource_named(resource, node.place, "`Fn::GetAtt` names");
    }

    fn without_attribute(&mut self, name: &str, place: Place) {
        let message = format!("`Fn::GetAtt` names `{name}` without an attribute");
        self.say(About::Reference, place, message, format!("such as `{name}.Arn`"));
    }

    fn find_in_map(&mut self, nodes: &'n [Node]) {
        nodes.first().into_iter().for_each(|node| self.mapping(node));
        // A fourth is what to take where there is no such key.
        let [mapping, first, second] = nodes else { return };
        let Some(name) = text(mapping) else { return };
        let entry = self.mappings.get(name).copied().and_then(|mapping| self.looked_up(name, mapping, first));
        if let Some(entry) = entry {
            self.looked_up(name, entry, second);
        }
    }

    /// What stands under a key that is spelled out, in a mapping or in an entry of one.
    fn looked_up(&mut self, mapping: &str, within: &'n Node, key: &Node) -> Option<&'n Node> {
        let Kind::Map(entries) = &within.kind else { return None };
        let name = text(key).filter(|name| is_plain(name))?;
        let found = get(within, name);
        if found.is_none() {
            let hint = self.near(name, entries.iter().map(|entry| entry.key.as_str()));
            let message = format!("there is no key `{name}` there in the mapping `{mapping}`");
            self.say(About::Reference, key.place, message, hint);
        }
        found
    }

    fn substitute_with(&mut self, nodes: &'n [Node]) {
        let [template, variables, ..] = nodes else { return };
        if let (Some(template_text), Kind::Map(own)) = (text(template), &variables.kind) {
            self.substitute(template_text, template.place, own);
        }
    }

    /// `${Name}` and `${Resource.Attribute}`; `${!Name}` is a text.
    fn substitute(&mut self, template: &str, place: Place, own: &[Entry]) {
        for piece in template.split("${").skip(1) {
            let Some((name, _)) = piece.split_once('}') else { continue };
            let name = name.trim();
            if name.starts_with('!') || own.iter().any(|entry| entry.key == name) {
                continue;
            }
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.:".contains(&b)) {
                let message = format!("`${{{name}}}` in `Fn::Sub` is no name");
                let hint = "a `$` that is not meant for CloudFormation is written `${!…}`";
                self.say(About::Reference, place, message, hint);
                continue;
            }
            match name.split_once('.') {
                Some((resource, _)) => self.resource_named(resource, place, "`Fn::Sub` names"),
                None => self.reference(name, place, "`Fn::Sub` names"),
            }
        }
    }

    fn reference(&mut self, name: &str, place: Place, who: &str) {
        let is_pseudo = PSEUDO.contains(&name);
        if is_pseudo
            || self.parameters.contains(name)
            || (!self.in_conditions && self.resources.contains(name))
        {
            return;
        }
        if self.in_conditions && self.resources.contains(name) {
            self.resource_in_condition(name, place, who);
            return;
        }
        let resources = self.resources.iter().filter(|_| !self.in_conditions);
        let known = self.parameters.iter().chain(resources).chain(PSEUDO.iter()).copied();
        let hint = self.near(name, known);
        self.say(About::Reference, place, format!("{who} `{name}`, which is not in the template"), hint);
    }

    fn resource_in_condition(&mut self, name: &str, place: Place, who: &str) {
        let message = format!("{who} the resource `{name}` in a condition");
        self.say(About::Reference, place, message, "conditions see parameters only");
    }

    fn resource_named(&mut self, name: &str, place: Place, who: &str) {
        if self.in_conditions && self.resources.contains(name) {
            self.resource_in_condition(name, place, who);
        } else if !self.resources.contains(name) {
            let hint = self.near(name, self.resources.iter().copied());
            self.say(
                About::Reference,
                place,
                format!("{who} `{name}`, which is no resource of the template"),
                hint,
            );
        }
    }

    fn condition(&mut self, node: &'n Node) {
        if let Some(name) = text(node) {
            self.condition_named(name, node.place);
        }
    }

    fn condition_named(&mut self, name: &str, place: Place) {
        if !self.conditions.contains(name) {
            let hint = self.near(name, self.conditions.iter().copied());
            self.say(
                About::Reference,
                place,
                format!("there is no condition `{name}` in the template"),
                hint,
            );
        }
    }

    fn mapping(&mut self, node: &'n Node) {
        let Some(name) = text(node) else { return };
        if !self.mappings.contains_key(name) {
            let hint = self.near(name, self.mappings.keys().copied());
            self.say(
                About::Reference,
                node.place,
                format!("there is no mapping `{name}` in the template"),
                hint,
            );
        }
    }

    /// What may have been meant.
    fn near<'a>(&self, wrong: &str, right: impl Iterator<Item = &'a str>) -> String {
        let best = if self.found.len() < MAX_SUGGESTED { nearest(wrong, right) } else { None };
        best.map(|best| format!("did you mean `{best}`?")).unwrap_or_default()
    }

    fn say(&mut self, about: About, place: Place, message: String, hint: impl Into<String>) {
        let Place { line, column } = place;
        self.found.push(Remark { line, column, about, message, hint: hint.into() });
    }
}

/// The name of a function behind its `!`; tags of YAML's own, such as `!!str`, are none.
pub(super) fn function_tag(node: &Node) -> Option<&str> {
    let name = node.tag.as_deref()?.strip_prefix('!')?;
    name.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(name)
}

/// A name as everybody reads it: YAML 1.1, which CloudFormation reads, makes flags and numbers of other texts.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && flag(name).is_none()
        && !name.eq_ignore_ascii_case("null")
}

pub(super) fn entries<'n>(node: &'n Node, key: &str) -> &'n [Entry] {
    match get(node, key).map(|node| &node.kind) {
        Some(Kind::Map(entries)) => entries,
        _ => &[],
    }
}

pub(super) fn get<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let Kind::Map(entries) = &node.kind else { return None };
    entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
}

/// A scalar that is not the argument of a function.
pub(super) fn text(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Scalar { text, .. } if function_tag(node).is_none() => Some(text),
        _ => None,
    }
}
