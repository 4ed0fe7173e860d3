//! The stacks of one account: merged leaves become what is sent, region by region.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::diagnostic::{At, Faults};
use super::expression::{Context, ExpressionFault, Given};
use super::fields::suggest;
use super::later;
use super::links::{Link, To};
use super::merge::Merged;
use super::pieces::{has_expression, may_hold_expression};
use super::rule::Rule;
use super::tags;
use super::templates::{Loaded, Templates};
use crate::model::template::{Objection, TemplateParameter};
use crate::model::{
    Declared, Deferred, Item, OutputRef, Part, Region, Setting, Slug, Stack, StackKey, StackName, Value,
};

/// What the stacks of an account are made from.
pub(super) struct Stacks<'a> {
    pub(super) slug: &'a Slug,
    pub(super) merged: &'a Merged<'a>,
    pub(super) templates: &'a Templates<'a>,
    /// Region groups, `home` and `all` included.
    pub(super) regions: &'a BTreeMap<String, Vec<Region>>,
    /// What expressions see, without `region`.
    pub(super) context: &'a Context,
}

/// One stack entry after merging.
struct Entry<'a> {
    name: StackName,
    /// All that is said of it.
    leaves: &'a [(&'a [String], &'a At<Value>)],
    /// The place of the nearest layer that speaks of the stack.
    marker: &'a At<Value>,
    regions: BTreeSet<Region>,
}

impl<'a> Entry<'a> {
    fn leaf(&self, key: &str) -> Option<&'a At<Value>> {
        let is_it = |(path, _): &&(&[String], _)| path.len() == 3 && path[2] == key;
        self.leaves.iter().find(is_it).map(|(_, leaf)| *leaf)
    }

    /// The entries of a map of the stack, such as `parameters`.
    fn children(&self, key: &str) -> impl Iterator<Item = (&'a String, &'a At<Value>)> {
        let inside = self.leaves.iter().filter(move |(path, _)| path.len() == 4 && path[2] == key);
        inside.map(|(path, leaf)| (&path[3], *leaf))
    }
}

impl<'a> Stacks<'a> {
    /// Every stack of the account, each need resolved.
    pub(super) fn build(&self, faults: &mut Faults) -> (BTreeMap<StackKey, Declared<Stack>>, Vec<Link>) {
        let entries = self.entries(faults);
        let needs = self.needs(&entries, faults);
        let (mut stacks, mut links) = (BTreeMap::new(), Vec::new());
        for entry in entries.values() {
            let settings = self.needed_settings(entry, faults);
            for region in &entry.regions {
                let Some(mut stack) = self.stack(entry, region, faults) else { continue };
                stack.needs = needed(&needs[entry.name.as_str()], region, &entries);
                let key = StackKey { name: entry.name.clone(), region: region.clone() };
                links.extend(Self::links(entry, &key, &stack));
                stack.needs.extend(self.own_producers(&stack, &entries));
                stack.needs.extend(settings.iter().cloned());
                stacks.insert(key, Declared { value: stack, source: entry.marker.spot.source() });
            }
        }
        (stacks, links)
    }

    /// The stacks of this account whose outputs a stack takes: they are needed as if it said so.
    fn own_producers(&self, stack: &Stack, entries: &BTreeMap<String, Entry<'_>>) -> Vec<Item> {
        let own = stack.reads().filter(|output| output.account == *self.slug);
        let key = |output: &OutputRef| {
            let entry = entries.get(output.stack.as_str())?;
            let region = output.region.as_ref().or(entry.regions.first())?.clone();
            Some(Item::Stack(StackKey { name: entry.name.clone(), region }))
        };
        own.filter_map(key).collect()
    }

    /// Whom a stack waits for, each with the place that says so.
    fn links(entry: &Entry<'_>, from: &StackKey, stack: &Stack) -> Vec<Link> {
        let link = |to, leaf: &At<Value>| Link { from: from.clone(), to, spot: leaf.spot.clone() };
        let needs = stack.needs.iter().zip(entry.leaf("needs").into_iter().cycle());
        let needs = needs.filter_map(|(item, leaf)| match item {
            Item::Stack(key) => Some(link(To::Stack(key.clone()), leaf)),
            _ => None,
        });
        let reads =
            entry.children("parameters").filter_map(|(name, leaf)| Some((stack.deferred.get(name)?, leaf)));
        let reads = reads.flat_map(|(it, leaf)| it.outputs().map(move |output| (output.clone(), leaf)));
        needs.chain(reads.map(|(output, leaf)| link(To::Output(output), leaf))).collect()
    }

    fn entries(&self, faults: &mut Faults) -> BTreeMap<String, Entry<'a>> {
        let stacks = self.merged.under(&["stacks"]);
        let entry = |leaves: &'a [(&'a [String], &'a At<Value>)]| {
            // What stands at its own path comes before what is in it.
            let (path, marker) = leaves.first().filter(|(path, _)| path.len() == 2)?;
            let name = StackName::parse(path[1].as_str()).ok()?;
            let mut entry = Entry { name, leaves, marker, regions: BTreeSet::new() };
            entry.regions = self.regions_of(&entry, faults);
            Some((path[1].clone(), entry))
        };
        stacks.chunk_by(|(one, _), (other, _)| one.get(1) == other.get(1)).filter_map(entry).collect()
    }

    /// Region codes and names of groups; the home region where nothing is said.
    fn regions_of(&self, entry: &Entry<'_>, faults: &mut Faults) -> BTreeSet<Region> {
        let Some(leaf) = entry.leaf("regions") else {
            return self.regions["home"].iter().cloned().collect();
        };
        let mut regions = BTreeSet::new();
        for name in texts(&leaf.value) {
            match (self.regions.get(name), Region::parse(name)) {
                (Some(group), _) => regions.extend(group.iter().cloned()),
                (None, Ok(region)) => _ = regions.insert(region),
                (None, Err(_)) => {
                    let hint = suggest(name, self.regions.keys().map(String::as_str));
                    let message = format!("`{name}` is neither a region code nor a group of regions");
                    faults.report(Rule::UnknownName, &leaf.spot, message, hint);
                }
            }
        }
        regions
    }

    fn stack(&self, entry: &Entry<'_>, region: &Region, faults: &mut Faults) -> Option<Stack> {
        let name = entry.name.as_str();
        let Some(path) = entry.leaf("template") else {
            let message = format!("the stack `{name}` has no template");
            faults.report_for(
                Rule::StackTemplate,
                self.slug,
                &entry.marker.spot,
                message,
                "name one: `template: name.template.yaml`",
            );
            return None;
        };
        let template = self.templates.get(path.value.as_str().unwrap_or_default())?;
        let (parameters, deferred) = self.parameters(entry, template, region, faults);
        let (tags, deferred_tags) = self.tags(entry, region, faults);
        let capabilities = entry.leaf("capabilities").into_iter().flat_map(|leaf| texts(&leaf.value));
        let stack = Stack {
            template: template.text.clone(),
            parameters,
            deferred,
            tags,
            deferred_tags,
            capabilities: capabilities.map(str::to_owned).collect(),
            needs: BTreeSet::new(),
            hidden: hidden(template),
            sealed: BTreeMap::new(),
        };
        check_capabilities(entry, template, &stack, faults);
        Some(stack)
    }

    fn parameters(
        &self,
        entry: &Entry<'_>,
        template: &Loaded,
        region: &Region,
        faults: &mut Faults,
    ) -> (BTreeMap<String, String>, BTreeMap<String, Deferred>) {
        let (mut parameters, mut deferred) = (BTreeMap::new(), BTreeMap::new());
        let path = ["stacks", entry.name.as_str(), "parameters"].map(str::to_owned);
        let seen = LazyCell::new(|| self.context.at(self.slug, &path, Some(region)));
        for (name, leaf) in entry.children("parameters") {
            if may_be_secret(template, name) {
                faults.keep_secret(&leaf.spot);
            }
            let Some(declared) = template.parameters.get(name) else {
                let hint = faults.suggest(&leaf.spot, name, template.parameters.keys().map(String::as_str));
                faults.report(
                    Rule::Parameter,
                    &leaf.spot,
                    format!("the template has no parameter `{name}`"),
                    hint,
                );
                continue;
            };
            // What is seen is worked out where an expression sees it; most values are none.
            let context = if may_hold_expression(&leaf.value) { &*seen } else { self.context };
            let given = context.parameter(&leaf.value);
            match fitted(name, declared, given) {
                Ok(Fitted::Known(value)) => _ = parameters.insert(name.clone(), value),
                Ok(Fitted::Later(value)) => _ = deferred.insert(name.clone(), value),
                Err((message, hint)) => {
                    faults.report_for(Rule::Parameter, self.slug, &leaf.spot, message, hint);
                }
            }
        }
        self.fill_defaults(entry, template, &mut parameters, faults);
        (parameters, deferred)
    }

    fn fill_defaults(
        &self,
        entry: &Entry<'_>,
        template: &Loaded,
        parameters: &mut BTreeMap<String, String>,
        faults: &mut Faults,
    ) {
        for (name, declared) in &template.parameters {
            let given = entry.children("parameters").any(|(given, _)| given == name);
            match &declared.default {
                _ if given => {}
                Some(default) => {
                    if let Some(objection) = declared.objection(default) {
                        let (message, hint) = refusal(name, declared, default, objection);
                        let message = format!("{message}, and that is its default");
                        faults.report_for(Rule::Parameter, self.slug, &entry.marker.spot, message, hint);
                    }
                    parameters.insert(name.clone(), default.clone());
                }
                None => {
                    let message = format!("the stack `{}` gives its template no `{name}`", entry.name);
                    let hint = "the parameter has no default; name it under `parameters`";
                    faults.report_for(Rule::Parameter, self.slug, &entry.marker.spot, message, hint);
                }
            }
        }
    }

    /// The tags that are known, and those that are known later.
    fn tags(
        &self,
        entry: &Entry<'_>,
        region: &Region,
        faults: &mut Faults,
    ) -> (BTreeMap<String, String>, BTreeMap<String, Deferred>) {
        let declared = entry.children("tags").map(|(key, leaf)| {
            (
                key.clone(),
                At { value: leaf.value.as_str().unwrap_or_default().to_owned(), spot: leaf.spot.clone() },
            )
        });
        let declared: BTreeMap<_, _> = declared.collect();
        if declared.is_empty() {
            return (BTreeMap::new(), BTreeMap::new());
        }
        let path = ["stacks", entry.name.as_str(), "tags"].map(str::to_owned);
        let is_plain = !declared.values().any(|tag| has_expression(&tag.value));
        let context = if is_plain { self.context } else { &self.context.at(self.slug, &path, Some(region)) };
        let (mut tags, mut deferred) = (BTreeMap::new(), BTreeMap::new());
        for (key, value) in tags::evaluate(self.slug, &declared, context, faults) {
            match later::known_or_later(value) {
                Ok(value) => _ = tags.insert(key, value),
                Err(value) => _ = deferred.insert(key, value),
            }
        }
        (tags, deferred)
    }

    /// What each stack needs by name, checked for strangers.
    fn needs(
        &self,
        entries: &BTreeMap<String, Entry<'_>>,
        faults: &mut Faults,
    ) -> BTreeMap<String, BTreeSet<String>> {
        let mut needs = BTreeMap::new();
        for (name, entry) in entries {
            let leaf = entry.leaf("needs");
            let named = leaf.into_iter().flat_map(|leaf| texts(&leaf.value));
            let named: BTreeSet<_> =
                named.filter(|need| setting(need).is_none()).map(str::to_owned).collect();
            for (stranger, leaf) in named.iter().filter(|need| !entries.contains_key(*need)).zip(leaf) {
                let message =
                    format!("the stack `{name}` needs `{stranger}`, which this account does not have");
                let others = entries.keys().filter(|other| *other != name).map(String::as_str);
                faults.report_for(
                    Rule::UnknownName,
                    self.slug,
                    &leaf.spot,
                    message,
                    suggest(stranger, others),
                );
            }
            needs.insert(name.clone(), named);
        }
        needs
    }

    /// The settings a stack needs, each of them declared for the account.
    fn needed_settings(&self, entry: &Entry<'_>, faults: &mut Faults) -> BTreeSet<Item> {
        let Some(leaf) = entry.leaf("needs") else { return BTreeSet::new() };
        let mut needed = BTreeSet::new();
        for path in texts(&leaf.value).filter_map(setting) {
            if let Some(setting) = path.parse().ok().filter(|setting| self.declares(setting)) {
                needed.insert(Item::Setting(setting));
                continue;
            }
            let message = format!(
                "the stack `{}` needs the setting `{path}`, which this account does not have",
                entry.name
            );
            let hint = "declare it, or take the need out";
            faults.report_for(Rule::UnknownName, self.slug, &leaf.spot, message, hint);
        }
        needed
    }

    fn declares(&self, setting: &Setting) -> bool {
        let rest = setting.to_string();
        let path: Vec<_> = ["settings"].into_iter().chain(rest.splitn(2, '.')).collect();
        self.merged.contains(&path)
    }
}

/// What follows `settings.` in a need.
fn setting(need: &str) -> Option<&str> {
    need.strip_prefix("settings.")
}

fn check_capabilities(entry: &Entry<'_>, template: &Loaded, stack: &Stack, faults: &mut Faults) {
    let Some(asked) = template.capability else { return };
    if stack.capabilities.contains(asked) || stack.capabilities.contains("CAPABILITY_NAMED_IAM") {
        return;
    }
    let message = format!("the template of `{}` makes IAM resources, which has to be granted", entry.name);
    faults.report(
        Rule::Capability,
        &entry.marker.spot,
        message,
        format!("add `capabilities: [{asked}]` to the stack"),
    );
}

/// The needed stacks in the same region; where one is not in this region, all of its regions.
fn needed(
    names: &BTreeSet<String>,
    region: &Region,
    entries: &BTreeMap<String, Entry<'_>>,
) -> BTreeSet<Item> {
    let key = |name: &StackName, region: &Region| {
        Item::Stack(StackKey { name: name.clone(), region: region.clone() })
    };
    let keys = |entry: &Entry<'_>| -> BTreeSet<Item> {
        if entry.regions.contains(region) {
            return [key(&entry.name, region)].into();
        }
        entry.regions.iter().map(|other| key(&entry.name, other)).collect()
    };
    names.iter().filter_map(|name| entries.get(name)).flat_map(keys).collect()
}

/// True for a `NoEcho` parameter, and for a name the template does not know: it may be one of them, misspelt.
fn may_be_secret(template: &Loaded, name: &str) -> bool {
    let any = || template.parameters.values().any(|parameter| parameter.no_echo);
    template.parameters.get(name).map_or_else(any, |parameter| parameter.no_echo)
}

/// What a parameter is given.
enum Fitted {
    Known(String),
    /// It hangs on what is known later.
    Later(Deferred),
}

/// A value as the template takes it; message and hint where it does not. A `NoEcho` value is in neither.
fn fitted(
    name: &str,
    declared: &TemplateParameter,
    given: Result<Given, ExpressionFault>,
) -> Result<Fitted, (String, String)> {
    let is_list = matches!(given, Ok(Given::List(_)));
    let value = match given {
        Ok(Given::Text(text)) => text,
        Ok(Given::List(members)) => joined(name, declared, &members)?,
        Err(fault) => return Err(unworkable(name, declared, fault)),
    };
    if later::is_open(&value) {
        let parts = later::parts(&value);
        let takes = Arc::new(declared.clone());
        return if declared.no_echo {
            Err(no_secret(name, &parts))
        } else {
            Ok(Fitted::Later(Deferred { parts, is_list, takes }))
        };
    }
    match declared.objection(&value) {
        Some(objection) => Err(refusal(name, declared, &value, objection)),
        None => Ok(Fitted::Known(value)),
    }
}

/// Message and hint for a `NoEcho` parameter that would be given what everybody may see.
fn no_secret(name: &str, parts: &[Part]) -> (String, String) {
    if parts.iter().any(|part| matches!(part, Part::Output(_))) {
        let hint = "whoever may describe a stack sees its outputs; a template can take a secret by \
                    {{resolve:secretsmanager:…}}";
        return (format!("`{name}` is NoEcho, and an output of a stack is no secret"), hint.to_owned());
    }
    let message = format!("`{name}` is NoEcho, and the id of an account is no secret");
    (message, "take `NoEcho` out of the template, or wait until the id is recorded".to_owned())
}

/// A list as CloudFormation writes it.
fn joined(name: &str, declared: &TemplateParameter, members: &[String]) -> Result<String, (String, String)> {
    let TemplateParameter { kind, no_echo, .. } = declared;
    if kind != "CommaDelimitedList" && !kind.starts_with("List<") {
        let hint = "make it a text, with `| join('…')` for instance, or the parameter a CommaDelimitedList";
        return Err((format!("a list does not fit `{name}`, which is a {kind}"), hint.to_owned()));
    }
    match members.iter().find(|member| member.contains(',')) {
        Some(_) if *no_echo => Err((format!("a member of the list `{name}` holds a comma"), String::new())),
        Some(member) => {
            let hint = "CloudFormation would take it for several members";
            let member = later::readable(member);
            Err((format!("`{member}`, a member of the list `{name}`, holds a comma"), hint.to_owned()))
        }
        None => Ok(members.join(",")),
    }
}

/// Message and hint for a value the template does not take; a `NoEcho` value is in neither.
fn refusal(name: &str, declared: &TemplateParameter, value: &str, objection: Objection) -> (String, String) {
    if declared.no_echo {
        let message = format!("the template does not allow this value for `{name}`");
        let says = if objection.constraint.ends_with('s') { "say" } else { "says" };
        let hint = format!("its {} {says} what it takes; NoEcho values are not shown", objection.constraint);
        return (message, hint);
    }
    (format!("the template does not allow `{value}` for `{name}`"), objection.wanted)
}

/// Message and hint for an expression that has no value: the fault quotes it, and it may spell a secret out.
fn unworkable(name: &str, declared: &TemplateParameter, fault: ExpressionFault) -> (String, String) {
    if declared.no_echo {
        let message = format!("an expression in `{name}` does not work; NoEcho values are not shown");
        return (message, fault.hint);
    }
    (fault.message, fault.hint)
}

fn hidden(template: &Loaded) -> BTreeSet<String> {
    let hidden = template.parameters.iter().filter(|(_, parameter)| parameter.no_echo);
    hidden.map(|(name, _)| name.clone()).collect()
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}
