//! The order in which a change reaches the accounts, and the times at which nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use super::desired::Source;
use super::id::{OuPath, Slug};

/// What `landfast.yaml` says of waves and freezes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rollout {
    /// The waves, the first one first. Accounts that none of them names come after the last.
    pub waves: Vec<Wave>,
    /// The wave of each account that has one, by its place in `waves`.
    pub of: BTreeMap<Slug, usize>,
    /// Where policies of the organization are tried before they are attached anywhere else.
    pub first_ou: Option<FirstOu>,
    /// When nothing is written.
    pub freezes: Vec<Freeze>,
}

/// Where policies are tried first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstOu {
    /// The OU, with everything below it.
    pub ou: OuPath,
    /// How long a policy is watched there, in seconds.
    pub soak: i64,
    /// True when an operator has to vouch for the commit after that.
    pub approval: bool,
    /// Where it is declared.
    pub source: Source,
}

/// Accounts that get a change together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    /// Its name.
    pub name: String,
    /// How many of its accounts may be in trouble without stopping the rollout.
    pub tolerance: Tolerance,
    /// How long it is watched once it is done, in seconds, before the next wave begins.
    pub soak: i64,
    /// True when an operator has to vouch for the commit before this wave begins.
    pub approval: bool,
    /// Where it is declared.
    pub source: Source,
}

/// How many accounts of a wave may be in trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerance {
    /// So many.
    Accounts(usize),
    /// So many of a hundred, rounded down.
    Percent(usize),
}

/// A time at which nothing is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freeze {
    /// When.
    pub window: Window,
    /// The zone its times are in.
    pub zone: TimeZone,
    /// Why: a person will ask.
    pub reason: String,
    /// The accounts it is for; without, it is for all of them and for the organization itself.
    pub accounts: Option<BTreeSet<Slug>>,
    /// Where it is declared.
    pub source: Source,
}

/// When a freeze holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Window {
    /// Once.
    Once {
        /// The first second of it, since 1970.
        from: i64,
        /// The first second after it.
        until: i64,
    },
    /// Every week.
    Weekly {
        /// The days on which it begins, Monday being 0.
        days: BTreeSet<i8>,
        /// When it begins on such a day.
        from: Time,
        /// When it ends, on the next day where that is not later than it begins.
        until: Time,
    },
}

/// What keeps a wave from beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Closed {
    /// The wave that does not begin.
    pub wave: String,
    /// What it waits for.
    pub cause: Cause,
    /// The same, as a whole sentence without a full stop.
    pub because: String,
}

/// What a wave waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Cause {
    /// A wave before it is not done.
    Working,
    /// The wave before it is watched until then, in seconds since 1970.
    Soaking {
        /// When it is over.
        until: i64,
    },
    /// A wave, by name, has more accounts in trouble than it tolerates.
    Stopped {
        /// That wave.
        at: String,
        /// The accounts, each with its trouble.
        accounts: BTreeMap<Slug, String>,
        /// How many may be.
        tolerated: usize,
    },
    /// An operator has to vouch for the commit.
    Approval,
}

impl Cause {
    /// True for the same cause, whatever its particulars: what waits need not be looked at again.
    pub fn is_like(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Working, Self::Working)) || self == other
    }

    /// True when a person has to do something.
    pub fn needs_person(&self) -> bool {
        match self {
            Self::Stopped { .. } | Self::Approval => true,
            Self::Working | Self::Soaking { .. } => false,
        }
    }
}

/// What a plan holds back for its wave, or until a freeze is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// The items. Each is among those that are held back, with the reason.
    pub items: BTreeSet<super::Item>,
    /// What keeps the wave from beginning, where that holds anything back.
    pub closed: Option<Closed>,
    /// When the first of it opens by itself, in seconds since 1970.
    pub again: Option<i64>,
}

/// The name of what comes after the last wave.
pub const OTHERS: &str = "(the others)";

impl Rollout {
    /// True when changes go wave by wave.
    pub fn has_waves(&self) -> bool {
        !self.waves.is_empty()
    }

    /// The place of an account's wave; that of the last one and one more for accounts in none.
    pub fn place(&self, slug: &Slug) -> usize {
        self.of.get(slug).copied().unwrap_or(self.waves.len())
    }

    /// The name of the wave at a place.
    pub fn name(&self, place: usize) -> &str {
        self.waves.get(place).map_or(OTHERS, |wave| &wave.name)
    }

    /// The longest time that any wave is watched, in seconds.
    pub fn longest_soak(&self) -> i64 {
        self.waves.iter().map(|wave| wave.soak).max().unwrap_or(0)
    }

    /// The freeze that holds an account, or the organization itself, at `now` (seconds since 1970).
    pub fn frozen(&self, slug: Option<&Slug>, now: i64) -> Option<Frozen<'_>> {
        let ours: Vec<&Freeze> = self.freezes.iter().filter(|freeze| freeze.is_for(slug)).collect();
        let first = ours.iter().find_map(|freeze| Some((*freeze, freeze.end(now)?)));
        let (freeze, mut until) = first?;
        // What ends in another freeze, or in the next day of the same one, has not ended.
        for _ in 0..MAX_CHAIN {
            let Some(later) = ours.iter().filter_map(|freeze| freeze.end(until)).max() else { break };
            until = later;
        }
        Some(Frozen { freeze, until })
    }
}

/// How many freezes that meet are followed to their end; the end of the last is looked at when it comes.
const MAX_CHAIN: usize = 64;

/// A freeze that holds now.
#[derive(Clone, Copy, Debug)]
pub struct Frozen<'a> {
    /// Which.
    pub freeze: &'a Freeze,
    /// When writing may begin, in seconds since 1970.
    pub until: i64,
}

impl fmt::Display for Frozen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = shown(self.until, &self.freeze.zone);
        write!(f, "frozen until {until}: {}", self.freeze.reason)?;
        write!(f, " (`freeze` in {}:{})", self.freeze.source.path, self.freeze.source.line)
    }
}

/// A time as people of a zone read it: `2027-01-05 00:00 CET`.
pub fn shown(second: i64, zone: &TimeZone) -> String {
    let time = Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
    time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

impl Freeze {
    fn is_for(&self, slug: Option<&Slug>) -> bool {
        self.accounts.as_ref().is_none_or(|accounts| slug.is_some_and(|slug| accounts.contains(slug)))
    }

    /// When it ends, if it holds at `now`; both in seconds since 1970.
    pub fn end(&self, now: i64) -> Option<i64> {
        match &self.window {
            Window::Once { from, until } => (*from <= now && now < *until).then_some(*until),
            Window::Weekly { days, from, until } => {
                let today = Timestamp::from_second(now).ok()?.to_zoned(self.zone.clone()).date();
                let yesterday = today.yesterday().ok();
                let begun = [yesterday, Some(today)].into_iter().flatten();
                let begun = begun.filter(|day| days.contains(&day.weekday().to_monday_zero_offset()));
                let spans = begun.filter_map(|day| self.span(day, *from, *until));
                spans.filter(|(from, until)| *from <= now && now < *until).map(|(_, until)| until).max()
            }
        }
    }

    /// The seconds between which it holds when it begins on `day`.
    fn span(&self, day: Date, from: Time, until: Time) -> Option<(i64, i64)> {
        let last = if until > from { day } else { day.tomorrow().ok()? };
        let second = |day: Date, time: Time| -> Option<i64> {
            let zoned: Zoned = day.to_datetime(time).to_zoned(self.zone.clone()).ok()?;
            Some(zoned.timestamp().as_second())
        };
        Some((second(day, from)?, second(last, until)?))
    }
}

impl Tolerance {
    /// How many of `total` accounts may be in trouble.
    pub fn of(self, total: usize) -> usize {
        match self {
            Self::Accounts(count) => count,
            Self::Percent(percent) => total * percent / 100,
        }
    }
}

/// The day of a weekday's English name, or its first three letters.
pub fn weekday(name: &str) -> Option<Weekday> {
    let days = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let is_meant = |full: &str| name == full || name == &full[..3];
    days.into_iter().find(|(full, _)| is_meant(full)).map(|(_, day)| day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    fn zurich() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    fn freeze(window: Window) -> Freeze {
        let reason = "the shop is full".to_owned();
        Freeze { window, zone: zurich(), reason, accounts: None, source: Source::default() }
    }

    fn weekly(days: &[&str], from: &str, until: &str) -> Freeze {
        let days = days.iter().map(|day| weekday(day).unwrap().to_monday_zero_offset()).collect();
        freeze(Window::Weekly { days, from: from.parse().unwrap(), until: until.parse().unwrap() })
    }

    fn until(freezes: Vec<Freeze>, now: &str) -> Option<String> {
        let rollout = Rollout { freezes, ..Rollout::default() };
        rollout.frozen(None, at(now)).map(|frozen| shown(frozen.until, &frozen.freeze.zone))
    }

    #[test]
    fn a_freeze_holds_from_its_first_second_to_the_last_before_its_end() {
        let once = || {
            let (from, until) = (at("2026-12-20T00:00:00Z"), at("2027-01-05T00:00:00Z"));
            vec![freeze(Window::Once { from, until })]
        };
        assert_eq!(until(once(), "2026-12-19T23:59:59Z"), None);
        assert_eq!(until(once(), "2026-12-20T00:00:00Z").unwrap(), "2027-01-05 01:00 CET");
        assert!(until(once(), "2027-01-04T23:59:59Z").is_some());
        assert_eq!(until(once(), "2027-01-05T00:00:00Z"), None);
    }

    #[test]
    fn a_week_end_is_one_freeze_although_it_is_written_as_days_and_follows_the_zone() {
        let week_end = || vec![weekly(&["fri", "saturday", "sun"], "00:00", "00:00")];
        // In summer the day begins two hours before UTC's.
        assert_eq!(until(week_end(), "2026-07-02T21:59:59Z"), None);
        assert_eq!(until(week_end(), "2026-07-02T22:00:00Z").unwrap(), "2026-07-06 00:00 CEST");
        assert_eq!(until(week_end(), "2026-07-05T21:59:59Z").unwrap(), "2026-07-06 00:00 CEST");
        assert_eq!(until(week_end(), "2026-07-05T22:00:00Z"), None);
        assert_eq!(until(week_end(), "2026-01-01T23:00:00Z").unwrap(), "2026-01-05 00:00 CET");
    }

    #[test]
    fn hours_that_pass_midnight_belong_to_the_day_on_which_they_begin() {
        let nights = || vec![weekly(&["mon"], "18:00", "08:00")];
        assert_eq!(until(nights(), "2026-01-05T16:59:59Z"), None);
        assert_eq!(until(nights(), "2026-01-05T17:00:00Z").unwrap(), "2026-01-06 08:00 CET");
        assert_eq!(until(nights(), "2026-01-06T06:59:59Z").unwrap(), "2026-01-06 08:00 CET");
        assert_eq!(until(nights(), "2026-01-06T17:00:00Z"), None);
    }

    #[test]
    fn a_freeze_of_some_accounts_holds_nobody_else_and_not_the_organization() {
        let slug = |text| Slug::parse(text).unwrap();
        let mut some = weekly(&["mon"], "00:00", "00:00");
        some.accounts = Some([slug("shop")].into());
        let rollout = Rollout { freezes: vec![some], ..Rollout::default() };
        let now = at("2026-01-05T12:00:00Z");
        assert!(rollout.frozen(Some(&slug("shop")), now).is_some());
        assert!(rollout.frozen(Some(&slug("lab")), now).is_none() && rollout.frozen(None, now).is_none());
    }
}
