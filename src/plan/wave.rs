//! Waves and freezes: what of a plan has to wait, and on what.
//!
//! Guarantees: pure. Waves and freezes only ever take steps away, and each that is taken away says what it waits for.
//! How far a rollout is follows from what the passes of its accounts came to; an account that nobody has looked at
//! under the commit in force is not done. So the loss of it all makes a rollout slower, never faster.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use super::{Draft, Guards, Rules, account, go_on};
use crate::model::{
    AccountId, Cause, Class, Closed, Desired, Finding, Gate, Hold, Item, Mode, Outcome, Outcomes, Plan,
    PlannedStep, Rollout, Scope, Slug, Verdict, shown,
};

/// How many accounts are named in one sentence; the others are counted.
const MAX_NAMES: usize = 5;
/// How much of a trouble is quoted, in characters.
const MAX_TROUBLE: usize = 200;

/// Where an account stands in the rollout of the commit in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// All of it is as the commit declares, or left to people for good.
    Done,
    /// Something is still to do, or under way; why, where there is more to say.
    Busy(String),
    /// Somebody holds every write in it.
    Held(String),
    /// Something does not get done without a person.
    Troubled(String),
}

impl Standing {
    fn rank(&self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Busy(_) => 1,
            Self::Held(_) => 2,
            Self::Troubled(_) => 3,
        }
    }
}

/// What one pass over an account came to.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The account's id, where it is known.
    pub id: Option<&'a AccountId>,
    /// Its plan.
    pub plan: &'a Plan,
    /// What became of the steps.
    pub outcomes: &'a Outcomes,
    /// What holds every write in it.
    pub hold: Option<&'a Hold>,
    /// True when what cannot be read has been so for long.
    pub gaps_last: bool,
}

/// Where an account stands after a pass. What the operator's guards put off limits is no part of any rollout, and
/// neither is what is only observed: waiting for it would be waiting for good.
pub fn standing(desired: &Desired, slug: &Slug, seen: &Seen<'_>, rules: &Rules) -> Standing {
    let Some(account) = desired.accounts.get(slug) else { return Standing::Done };
    if account::off_limits(desired, account, seen.id, rules).is_some() {
        return Standing::Done;
    }
    let is_guarded = |item: &Item| match item {
        Item::Stack(key) => rules.guards.protects_stack(slug, key, &desired.revision).is_some(),
        _ => false,
    };
    let part = |(item, finding): (&Item, &Finding)| {
        finding.mode > Mode::Observe && !is_guarded(item) && finding.verdict != Verdict::Drift
    };
    let parts = seen.plan.findings.iter().filter(|it| part((it.0, it.1)));
    parts
        .map(|(item, finding)| of_item(item, finding, seen))
        .max_by_key(Standing::rank)
        .unwrap_or(Standing::Done)
}

fn of_item(item: &Item, finding: &Finding, seen: &Seen<'_>) -> Standing {
    let told = |words: &str| Standing::Troubled(brief(&format!("{item}: {words}")));
    match finding.verdict {
        Verdict::InSync | Verdict::Gone | Verdict::Drift => Standing::Done,
        Verdict::Moving => Standing::Busy(brief(&finding.because)),
        Verdict::Gap if seen.gaps_last => told(&format!("it cannot be read: {}", finding.because)),
        Verdict::Gap => Standing::Busy(brief(&format!("{item}: it cannot be read: {}", finding.because))),
        // Kept without being declared, unless something is done about it.
        Verdict::Undeclared => tried(item, seen).unwrap_or(Standing::Done),
        Verdict::Pending | Verdict::New => tried(item, seen).unwrap_or(Standing::Busy(String::new())),
        Verdict::Waiting => tried(item, seen)
            .unwrap_or_else(|| Standing::Busy(brief(&format!("{item}: {}", finding.because)))),
        Verdict::FirstSight => tried(item, seen)
            .unwrap_or_else(|| told("something else was found there, and `adopt` does not name it")),
        Verdict::Conflict => tried(item, seen)
            .unwrap_or_else(|| told("it was changed in git and in AWS, apart from each other")),
    }
}

/// What came of the steps for an item, or of holding it back; nothing where nothing was to be done about it.
fn tried(item: &Item, seen: &Seen<'_>) -> Option<Standing> {
    let Seen { plan, outcomes, hold, .. } = seen;
    let is_gated = plan.gate.as_ref().is_some_and(|gate| gate.items.contains(item));
    let steps = plan.steps.iter().filter(|step| step.item == *item);
    let steps = steps.map(|step| match outcomes.get(&step.id) {
        Some(Outcome::Done) => Standing::Done,
        Some(Outcome::Failed { class: Class::Stalled | Class::Bug, message }) => {
            Standing::Troubled(brief(&format!("{item}: {message}")))
        }
        Some(Outcome::Failed { message, .. }) => Standing::Busy(brief(&format!("{item}: {message}"))),
        Some(Outcome::Waiting { .. } | Outcome::Stale(_) | Outcome::Skipped { .. }) | None => {
            Standing::Busy(String::new())
        }
    });
    let blocked = plan.blocked.iter().filter(|blocked| blocked.item == *item);
    let blocked = blocked.map(|blocked| match hold {
        _ if blocked.needs_person => Standing::Troubled(brief(&format!("{item}: {}", blocked.because))),
        Some(hold) if !is_gated => Standing::Held(brief(&hold.to_string())),
        _ => Standing::Busy(brief(&blocked.because)),
    });
    steps.chain(blocked).max_by_key(Standing::rank)
}

fn brief(words: &str) -> String {
    if words.chars().count() <= MAX_TROUBLE {
        return words.to_owned();
    }
    words.chars().take(MAX_TROUBLE).chain(['…']).collect()
}

/// How far the rollout of one commit is.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Accounts that were looked at under this commit.
    standings: BTreeMap<Slug, Standing>,
    /// When what is agreed in an account last changed, in seconds since 1970.
    agreed: BTreeMap<Slug, i64>,
    tallies: Vec<Tally>,
}

/// One wave in numbers and names.
#[derive(Clone, Debug, Default)]
struct Tally {
    total: usize,
    /// Accounts that are not done, for whatever reason.
    left: BTreeSet<Slug>,
    busy: BTreeMap<Slug, String>,
    held: BTreeMap<Slug, String>,
    troubled: BTreeMap<Slug, String>,
    /// When the last account that is done was changed.
    changed: i64,
}

impl Progress {
    /// What the record knows of when accounts were last changed; what passes saw themselves counts more.
    pub fn recall(&mut self, agreed: BTreeMap<Slug, i64>) {
        for (slug, time) in agreed {
            self.agreed.entry(slug).or_insert(time);
        }
    }

    /// Begins with a commit. Accounts for which it says nothing new, and whose stacks take nothing of a stack for which it
    /// does, stay where they stand.
    pub fn begin(&mut self, before: Option<&Desired>, now: &Desired) {
        // What changes for the organization may change every account.
        let before = before.filter(|before| before.organization.says_the_same_to_accounts(&now.organization));
        let reached = before.map(|before| now.reached_since(before)).unwrap_or_default();
        let is_same = |slug: &Slug| {
            before.is_some_and(|before| before.accounts.get(slug) == now.accounts.get(slug))
                && !reached.contains(slug)
        };
        self.standings.retain(|slug, _| now.accounts.contains_key(slug) && is_same(slug));
        self.tallies = vec![Tally::default(); now.rollout.waves.len() + 1];
        for slug in now.accounts.keys() {
            let standing = self.standings.get(slug).cloned();
            let agreed = self.agreed.get(slug).copied();
            self.tally(&now.rollout, slug, |tally| {
                tally.total += 1;
                tally.left.insert(slug.clone());
                if let Some(standing) = standing {
                    tally.place(slug, standing, agreed);
                }
            });
        }
    }

    /// There are no waves at present: nobody takes note of where accounts stand.
    pub fn forget(&mut self) {
        self.standings.clear();
        self.tallies.clear();
    }

    /// Takes in where an account stands at `now`, and whether what is agreed there has just changed.
    pub fn note(&mut self, rollout: &Rollout, slug: &Slug, standing: Standing, is_changed: bool, now: i64) {
        let agreed = self.agreed.entry(slug.clone()).or_insert(now);
        if is_changed {
            *agreed = now;
        }
        let agreed = *agreed;
        self.standings.insert(slug.clone(), standing.clone());
        self.tally(rollout, slug, |tally| tally.place(slug, standing, Some(agreed)));
    }

    /// What is agreed in an account changed at `now`, under whichever commit.
    pub fn touched(&mut self, slug: &Slug, now: i64) {
        self.agreed.insert(slug.clone(), now);
    }

    /// Why an account's wave does not begin, if so.
    pub fn closed(&self, desired: &Desired, slug: &Slug, guards: &Guards, now: i64) -> Option<Closed> {
        let place = desired.rollout.place(slug);
        let closed = self.closed_wave(desired, place, guards, now)?;
        // Whoever stopped its own wave may go on as soon as it can: nothing else ends the stop.
        let is_own = matches!(&closed.cause, Cause::Stopped { at, .. } if at == desired.rollout.name(place));
        let is_cause = self.tallies.get(place).is_some_and(|tally| tally.troubled.contains_key(slug));
        (!(is_own && is_cause)).then_some(closed)
    }

    /// Why the wave at each place does not begin, if so.
    pub fn closed_waves(&self, desired: &Desired, guards: &Guards, now: i64) -> Vec<Option<Closed>> {
        (0..self.tallies.len()).map(|place| self.closed_wave(desired, place, guards, now)).collect()
    }

    fn closed_wave(&self, desired: &Desired, place: usize, guards: &Guards, now: i64) -> Option<Closed> {
        let rollout = &desired.rollout;
        let closed = |(cause, because)| Closed { wave: rollout.name(place).to_owned(), cause, because };
        let before = (0..place).find_map(|earlier| self.obstacle(rollout, earlier, now));
        let own =
            || self.obstacle(rollout, place, now).filter(|(cause, _)| matches!(cause, Cause::Stopped { .. }));
        let approval = || {
            let wave = rollout.waves.get(place).filter(|wave| wave.approval)?;
            (!guards.is_approved(&desired.revision)).then(|| {
                let because =
                    format!("wave `{}` waits for an operator: {}", wave.name, go_on(&desired.revision));
                (Cause::Approval, because)
            })
        };
        before.or_else(own).or_else(approval).map(closed)
    }

    /// What in the wave at `place` keeps the next one from beginning.
    fn obstacle(&self, rollout: &Rollout, place: usize, now: i64) -> Option<(Cause, String)> {
        let (wave, tally) = (rollout.waves.get(place)?, self.tallies.get(place)?);
        let tolerated = wave.tolerance.of(tally.total);
        if tally.troubled.len() > tolerated {
            return Some(tally.stopped(&wave.name, tolerated));
        }
        let excused = tally.troubled.len() + tally.held.len();
        if tally.left.len() > excused || excused > tolerated {
            return Some((Cause::Working, tally.working(&wave.name)));
        }
        let until = tally.changed + wave.soak;
        (tally.total > 0 && until > now).then(|| {
            let [done, until_words] = [tally.changed, until].map(|time| shown(time, &TimeZone::UTC));
            let because = format!(
                "waits until {until_words}: wave `{}` was done at {done} and is watched until then",
                wave.name
            );
            (Cause::Soaking { until }, because)
        })
    }

    fn tally(&mut self, rollout: &Rollout, slug: &Slug, change: impl FnOnce(&mut Tally)) {
        if let Some(tally) = self.tallies.get_mut(rollout.place(slug)) {
            change(tally);
        }
    }
}

impl Tally {
    fn place(&mut self, slug: &Slug, standing: Standing, agreed: Option<i64>) {
        self.busy.remove(slug);
        self.held.remove(slug);
        self.troubled.remove(slug);
        match standing {
            Standing::Done => {
                self.left.remove(slug);
                self.changed = self.changed.max(agreed.unwrap_or(0));
                return;
            }
            Standing::Busy(because) if because.is_empty() => {}
            Standing::Busy(because) => drop(self.busy.insert(slug.clone(), because)),
            Standing::Held(because) => drop(self.held.insert(slug.clone(), because)),
            Standing::Troubled(because) => drop(self.troubled.insert(slug.clone(), because)),
        }
        self.left.insert(slug.clone());
    }

    fn working(&self, wave: &str) -> String {
        let done = self.total - self.left.len();
        let reasons = [&self.busy, &self.held, &self.troubled];
        let excuse = |slug: &Slug| match reasons.iter().find_map(|reasons| reasons.get(slug)) {
            Some(because) => format!("{slug} ({because})"),
            None => slug.to_string(),
        };
        let left = named(self.left.iter().map(excuse));
        format!("waits for wave `{wave}`: {done} of {} accounts done, still to do: {left}", self.total)
    }

    fn stopped(&self, wave: &str, tolerated: usize) -> (Cause, String) {
        let accounts = self.troubled.clone();
        let named = named(accounts.iter().map(|(slug, because)| format!("{slug} ({because})")));
        let because = format!(
            "the rollout is stopped: wave `{wave}` tolerates {tolerated} in trouble and has {}: {named}",
            accounts.len()
        );
        (Cause::Stopped { at: wave.to_owned(), accounts, tolerated }, because)
    }
}

fn named(names: impl Iterator<Item = String>) -> String {
    let names: Vec<_> = names.collect();
    let rest = names.len().saturating_sub(MAX_NAMES);
    let more = (rest > 0).then(|| format!("and {rest} more"));
    names.into_iter().take(MAX_NAMES).chain(more).collect::<Vec<_>>().join(", ")
}

/// Takes away every step whose time has not come. What puts back drift brings nothing new and waits for no wave; a
/// freeze holds it all the same.
pub(super) fn gate(
    draft: &mut Draft,
    scope: &Scope,
    desired: &Desired,
    findings: &BTreeMap<Item, Finding>,
    rules: &Rules,
) -> Option<Gate> {
    let rollout = &desired.rollout;
    let mut held: BTreeMap<Item, String> = BTreeMap::new();
    let mut again: Vec<i64> = Vec::new();
    for item in draft.steps.iter().map(|step| &step.item) {
        if let Some(frozen) = rollout.frozen(item.whose(scope), rules.now) {
            held.insert(item.clone(), frozen.to_string());
            again.push(frozen.until);
        }
    }
    let is_new = |item: &Item| findings.get(item).is_none_or(|it| it.verdict != Verdict::Drift);
    let news = draft.steps.iter().map(|step| &step.item);
    let news: Vec<_> = news.filter(|item| is_new(item) && !held.contains_key(*item)).cloned().collect();
    let closed = rules.closed.as_ref().filter(|_| !news.is_empty());
    if let Some(closed) = closed {
        held.extend(news.into_iter().map(|item| (item, closed.because.clone())));
        again.extend(match closed.cause {
            Cause::Soaking { until } => Some(until),
            Cause::Working | Cause::Stopped { .. } | Cause::Approval => None,
        });
    }
    if held.is_empty() {
        return None;
    }
    draft.take_away(&mut held, Draft::wait);
    Some(Gate { items: held.into_keys().collect(), closed: closed.cloned(), again: again.into_iter().min() })
}

impl Draft {
    /// Takes away the steps of these items and those that come after them, and says why.
    pub(super) fn take_away(
        &mut self,
        held: &mut BTreeMap<Item, String>,
        say: impl Fn(&mut Self, &Item, String),
    ) {
        while let Some((item, because)) = self.steps.iter().find_map(|step| self.after_any(step, held)) {
            held.insert(item, because);
        }
        self.steps.retain(|step| !held.contains_key(&step.item));
        for (item, because) in &*held {
            say(self, item, because.clone());
        }
    }

    /// A step that is to come after one that is taken away, by its item, and why it waits too.
    fn after_any(&self, step: &PlannedStep, held: &BTreeMap<Item, String>) -> Option<(Item, String)> {
        if held.contains_key(&step.item) {
            return None;
        }
        let mut needed = self.steps.iter().filter(|other| step.needs.contains(&other.id));
        let (need, because) = needed.find_map(|other| held.get_key_value(&other.item))?;
        Some((step.item.clone(), format!("it needs {need}, which has to wait: {because}")))
    }
}
