//! Who waits for whom: references and needs as one graph across accounts.
//!
//! Guarantees: every output that is taken is one that some template declares, in one region; no stack waits for
//! itself, however long the way round.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::diagnostic::{Fault, Faults, Spot};
use super::fields::suggest;
use super::rule::Rule;
use super::templates::Templates;
use crate::model::{Account, OutputRef, Region, Slug, StackKey, StackName};

/// One stack waits for another.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) from: StackKey,
    pub(super) to: To,
    pub(super) spot: Spot,
}

/// What a stack waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// A stack of the same account, by `needs`.
    Stack(StackKey),
    /// An output, by an expression.
    Output(OutputRef),
}

/// Whom the stacks of each account wait for.
pub(super) type Linked<'a> = BTreeMap<&'a Slug, Arc<Vec<Link>>>;

/// Everything that is linked.
pub(super) struct Links<'a> {
    pub(super) accounts: &'a BTreeMap<Slug, Arc<Account>>,
    pub(super) by_account: &'a Linked<'a>,
    pub(super) templates: &'a Templates<'a>,
}

/// A stack somewhere.
type Node<'a> = (&'a Slug, &'a StackName, &'a Region);
type Edges<'a> = BTreeMap<Node<'a>, Vec<(Node<'a>, &'a Link)>>;
/// The links of a way round, each with the stack it starts from.
type Circle<'a> = Vec<(Node<'a>, &'a Link)>;

impl<'a> Links<'a> {
    /// Reports outputs that nobody has, and circles.
    pub(super) fn check(&self, faults: &mut Faults) {
        let mut read: BTreeSet<&Slug> = BTreeSet::new();
        for (&slug, links) in self.by_account {
            for link in links.iter() {
                if let To::Output(output) = &link.to {
                    self.check_output(slug, output, &link.spot, faults);
                    read.extend(Some(&output.account).filter(|account| *account != slug));
                }
            }
            self.check_circles(&[slug], faults);
        }
        // A way round that leaves an account comes back to it: so others take from each account on it.
        let between: Vec<_> = self.by_account.keys().copied().filter(|slug| read.contains(slug)).collect();
        if between.len() > 1 {
            self.check_circles(&between, faults);
        }
    }

    /// An account that could not be built is not there to be looked at; why has been reported.
    fn check_output(&self, slug: &Slug, output: &OutputRef, spot: &Spot, faults: &mut Faults) {
        let Some(account) = self.accounts.get(&output.account) else { return };
        let name = &output.stack;
        let place =
            if slug == &output.account { "this account".to_owned() } else { format!("`{}`", output.account) };
        let regions: Vec<_> =
            account.stacks.keys().filter(|key| key.name == *name).map(|key| &key.region).collect();
        let listed = || regions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let mut report = |message: String, hint: String| {
            faults.report_for(Rule::UnknownName, slug, spot, message, hint);
        };
        let region = match (&output.region, regions.as_slice()) {
            (_, []) => {
                let names: BTreeSet<_> = account.stacks.keys().map(|key| key.name.as_str()).collect();
                return report(
                    format!("{place} has no stack `{name}`"),
                    suggest(name.as_str(), names.into_iter()),
                );
            }
            (Some(region), _) if regions.contains(&region) => region,
            (Some(region), _) => {
                let message = format!("the stack `{name}` of {place} is not in {region}");
                return report(message, format!("it is in {}", listed()));
            }
            (None, [region]) => region,
            (None, [first, ..]) => {
                let message = format!("the stack `{name}` of {place} is in several regions: {}", listed());
                return report(
                    message,
                    format!("name one: stacks['{name}']['{first}'], or stacks['{name}'][region]"),
                );
            }
        };
        let key = StackKey { name: name.clone(), region: region.clone() };
        let template =
            account.stacks.get(&key).and_then(|stack| self.templates.of_text(&stack.value.template));
        if let Some(template) = template.filter(|template| !template.outputs.contains(&output.key)) {
            let message = format!("the template of `{name}` has no output `{}`", output.key);
            report(message, suggest(&output.key, template.outputs.iter().map(String::as_str)));
        }
    }

    /// Reports the ways round within these accounts; of several accounts only those that touch more than one.
    fn check_circles(&self, accounts: &[&'a Slug], faults: &mut Faults) {
        let edges = self.edges(accounts);
        for circle in circles(&edges) {
            let is_in_one = circle.iter().all(|((slug, ..), _)| *slug == circle[0].0.0);
            if accounts.len() == 1 || !is_in_one {
                report_circle(&circle, is_in_one, faults);
            }
        }
    }

    fn edges(&self, accounts: &[&'a Slug]) -> Edges<'a> {
        let mut edges = Edges::new();
        for slug in accounts {
            for link in self.by_account.get(*slug).into_iter().flat_map(|links| links.iter()) {
                let from = (*slug, &link.from.name, &link.from.region);
                if let Some(to) = self.node(slug, &link.to).filter(|(to, ..)| accounts.contains(to)) {
                    edges.entry(from).or_default().push((to, link));
                }
            }
        }
        edges
    }

    fn node(&self, slug: &'a Slug, to: &'a To) -> Option<Node<'a>> {
        match to {
            To::Stack(key) => Some((slug, &key.name, &key.region)),
            To::Output(output) => {
                let mut keys = self.accounts.get(&output.account)?.stacks.keys();
                let is_it = |key: &&StackKey| {
                    key.name == output.stack && output.region.as_ref().is_none_or(|it| *it == key.region)
                };
                keys.find(is_it).map(|key| (&output.account, &key.name, &key.region))
            }
        }
    }
}

/// A way round for every link that closes one.
fn circles<'a>(edges: &Edges<'a>) -> Vec<Circle<'a>> {
    let (mut found, mut done) = (Vec::new(), BTreeSet::new());
    for start in edges.keys().copied() {
        // Not by recursion: a repository may hold a chain of any length.
        let mut path: Vec<(Node<'a>, usize)> =
            if done.contains(&start) { Vec::new() } else { vec![(start, 0)] };
        let mut on_path = BTreeSet::from([start]);
        while let Some((node, next)) = path.last_mut() {
            let here = *node;
            let Some((to, _)) = edges.get(&here).and_then(|links| links.get(*next)) else {
                done.insert(here);
                on_path.remove(&here);
                path.pop();
                continue;
            };
            *next += 1;
            if on_path.contains(to) {
                let round = path.iter().skip_while(|(node, _)| node != to);
                found.push(round.map(|(node, next)| (*node, edges[node][*next - 1].1)).collect());
            } else if !done.contains(to) {
                on_path.insert(*to);
                path.push((*to, 0));
            }
        }
    }
    found
}

/// Accounts are named where there are several; so a baseline's own circle is said once for all it reaches.
fn report_circle(circle: &Circle<'_>, is_in_one: bool, faults: &mut Faults) {
    let name =
        |(slug, name, _): &Node<'_>| if is_in_one { name.to_string() } else { format!("{slug}/{name}") };
    let verb = |link: &Link| match link.to {
        To::Stack(_) => "needs",
        To::Output(_) => "reads",
    };
    let way: Vec<_> = circle.iter().map(|(node, link)| format!("{} {}", name(node), verb(link))).collect();
    let (first, link) = &circle[0];
    let message = format!("stacks wait for each other in a circle: {} {}", way.join(" "), name(first));
    let mut fault = Fault::new(Rule::Circle, &link.spot, message, "take one of these out");
    for (index, (node, link)) in circle.iter().enumerate().skip(1) {
        let to = &circle[(index + 1) % circle.len()].0;
        fault = fault.see(&link.spot, format!("{} {} {}", name(node), verb(link), name(to)));
    }
    if is_in_one { faults.add_for(first.0, fault) } else { faults.add(fault) }
}
