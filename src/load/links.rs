//! Who waits for whom: references and needs as one graph across accounts.
//!
//! Guarantees: every output that is taken is one that some template declares, in one region; no stack waits for
//! itself, however long the way round.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::diagnostic::{Fault, Faults, Spot};
use super::fields::suggest;
use super::rule::Rule;
use super::templates::Templates;
use crate::model::{Account, OutputRef, Region, Slug, StackKey, StackName};

/// Places of one circle that are shown.
const MAX_PLACES: usize = 20;

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
/// Where a link leads, and the link.
type Step<'a> = (Node<'a>, &'a Link);
type Edges<'a> = BTreeMap<Node<'a>, Vec<Step<'a>>>;
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

    /// Reports a way round for each knot within these accounts; of several accounts only those that touch more than one.
    fn check_circles(&self, accounts: &[&'a Slug], faults: &mut Faults) {
        let edges = self.edges(accounts);
        for knot in knots(&edges) {
            let leaves = |(from, link): &(Node<'a>, Step<'a>)| accounts.len() == 1 || from.0 != link.0.0;
            if let Some(first) = inside(&edges, &knot).find(leaves) {
                let circle = circle(&edges, &knot, first);
                let is_in_one = circle.iter().all(|((slug, ..), _)| *slug == first.0.0);
                report_circle(&circle, is_in_one, faults);
            }
        }
    }

    /// The links between stacks of these accounts, which are in order.
    fn edges(&self, accounts: &[&'a Slug]) -> Edges<'a> {
        let mut edges = Edges::new();
        for slug in accounts {
            for link in self.by_account.get(*slug).into_iter().flat_map(|links| links.iter()) {
                let from = (*slug, &link.from.name, &link.from.region);
                if let Some(to) =
                    self.node(slug, &link.to).filter(|(to, ..)| accounts.binary_search(to).is_ok())
                {
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

/// The links between stacks of one knot.
fn inside<'a>(edges: &Edges<'a>, knot: &BTreeSet<Node<'a>>) -> impl Iterator<Item = (Node<'a>, Step<'a>)> {
    let from = knot.iter().filter_map(|node| Some((*node, edges.get(node)?)));
    let steps = from.flat_map(|(node, steps)| steps.iter().map(move |step| (node, *step)));
    steps.filter(|(_, (to, _))| knot.contains(to))
}

/// The shortest way round that begins with this link of a knot.
fn circle<'a>(
    edges: &Edges<'a>,
    knot: &BTreeSet<Node<'a>>,
    (start, (to, link)): (Node<'a>, Step<'a>),
) -> Circle<'a> {
    let mut came: BTreeMap<Node<'a>, (Node<'a>, &'a Link)> = BTreeMap::from([(to, (start, link))]);
    let mut queue = VecDeque::from([to]);
    while let Some(here) = queue.pop_front().filter(|here| *here != start) {
        for (next, link) in edges.get(&here).into_iter().flatten().filter(|(next, _)| knot.contains(next)) {
            came.entry(*next).or_insert_with(|| {
                queue.push_back(*next);
                (here, *link)
            });
        }
    }
    let mut back = Vec::new();
    let mut at = start;
    while let Some(step) = came.get(&at).copied() {
        back.push(step);
        at = step.0;
        if at == start {
            break;
        }
    }
    back.reverse();
    back
}

/// Stacks that all wait for each other, each set once: what has a way round, however many ways there are. There may be
/// far more ways than links, so they are not looked for one by one.
fn knots<'a>(edges: &Edges<'a>) -> Vec<BTreeSet<Node<'a>>> {
    let mut against: BTreeMap<Node<'a>, Vec<Node<'a>>> = BTreeMap::new();
    for (from, steps) in edges {
        for (to, _) in steps {
            against.entry(*to).or_default().push(*from);
        }
    }
    let (mut done, mut knots) = (BTreeSet::new(), Vec::new());
    for last in finished(edges).into_iter().rev().filter(|node| edges.contains_key(node)) {
        let knot = unseen(&against, last, &mut done);
        let is_round = |(to, _): &Step<'a>| *to == last;
        if knot.len() > 1 || !knot.is_empty() && edges[&last].iter().any(is_round) {
            knots.push(knot);
        }
    }
    knots
}

/// Every stack, each after all that can be reached from it and is not on the way to it.
fn finished<'a>(edges: &Edges<'a>) -> Vec<Node<'a>> {
    let (mut seen, mut finished) = (BTreeSet::new(), Vec::new());
    for start in edges.keys().copied() {
        // Not by recursion: a repository may hold a chain of any length.
        let mut path = if seen.insert(start) { vec![(start, 0)] } else { Vec::new() };
        while let Some((here, next)) = path.last_mut() {
            let Some((to, _)) = edges.get(here).and_then(|steps| steps.get(*next)) else {
                finished.push(*here);
                path.pop();
                continue;
            };
            *next += 1;
            if seen.insert(*to) {
                path.push((*to, 0));
            }
        }
    }
    finished
}

/// What can be reached from a stack and was not met before.
fn unseen<'a>(
    edges: &BTreeMap<Node<'a>, Vec<Node<'a>>>,
    start: Node<'a>,
    seen: &mut BTreeSet<Node<'a>>,
) -> BTreeSet<Node<'a>> {
    let mut found = BTreeSet::new();
    let mut open = Vec::from_iter(seen.insert(start).then_some(start));
    while let Some(here) = open.pop() {
        found.insert(here);
        open.extend(edges.get(&here).into_iter().flatten().copied().filter(|next| seen.insert(*next)));
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
    let shown = circle.iter().take(MAX_PLACES);
    let way: Vec<_> = shown.map(|(node, link)| format!("{} {}", name(node), verb(link))).collect();
    let left = match circle.len().saturating_sub(MAX_PLACES) {
        0 => String::new(),
        more => format!(" … {more} more that lead back to"),
    };
    let Some((first, link)) = circle.first() else { return };
    let message = format!("stacks wait for each other in a circle: {}{left} {}", way.join(" "), name(first));
    let mut fault = Fault::new(Rule::Circle, &link.spot, message, "take one of these out");
    for (index, (node, link)) in circle.iter().enumerate().take(MAX_PLACES).skip(1) {
        let to = &circle[(index + 1) % circle.len()].0;
        fault = fault.see(&link.spot, format!("{} {} {}", name(node), verb(link), name(to)));
    }
    if is_in_one { faults.add_for(first.0, fault) } else { faults.add(fault) }
}
