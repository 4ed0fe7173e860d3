//! What becomes of the base after a pass: it moves to where git and AWS agree, and nowhere else.

use crate::model::{Base, Finding, Item, Outcome, Outcomes, Plan, SharedValue, Verdict, overlay};

/// The base after `plan` was carried out with `outcomes`. What was blocked, failed or only partly done keeps its
/// old base.
pub fn next_base(plan: &Plan, outcomes: &Outcomes, base: &Base) -> Base {
    let mut next = base.clone();
    for (item, finding) in &plan.findings {
        let is_applied = is_applied(plan, outcomes, item);
        if finding.verdict == Verdict::Gone || is_applied && finding.desired.is_none() {
            next.items.remove(item);
        } else if finding.verdict == Verdict::InSync || is_applied {
            agree(&mut next, item, finding);
        }
    }
    let known = |item: &Item| plan.ties.get(item).or_else(|| base.ties.get(item));
    next.ties = next.items.keys().filter_map(|item| Some((item.clone(), known(item)?.clone()))).collect();
    next
}

fn agree(base: &mut Base, item: &Item, finding: &Finding) {
    if let Some(desired) = &finding.desired {
        let agreed = overlay(desired, finding.observed.as_deref());
        let known = base.items.get(item).into_iter().chain(&finding.observed).chain([desired]);
        let agreed = SharedValue::like(agreed, known);
        base.items.insert(item.clone(), agreed);
    }
}

/// True when there were steps for `item` and every one of them is done.
fn is_applied(plan: &Plan, outcomes: &Outcomes, item: &Item) -> bool {
    let mut steps = plan.steps.iter().filter(|step| step.item == *item).peekable();
    steps.peek().is_some() && steps.all(|step| outcomes.get(&step.id) == Some(&Outcome::Done))
}
