//! Which calls a fault strikes, for both simulations alike.
//!
//! *Guarantees*: whether a call is struck depends on the seed, the fault, what is called, and how often that was
//! called before, and on nothing else. So the same seed deals the same fate to every call of every account, however
//! the calls of different accounts interleave.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

/// Which of the calls that a fault concerns it strikes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// Each call.
    Every,
    /// The nth call from now on, counted from 1.
    Nth(u32),
    /// The next n calls.
    Next(u32),
    /// All but the next n calls.
    After(u32),
    /// Each call with this probability, between 0 and 1.
    Chance(f64),
}

/// What one fault has seen so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    salt: String,
    seen: u32,
    /// By what was called.
    of: BTreeMap<String, u32>,
}

impl Tally {
    /// A fault's own tally; faults that share a seed draw apart if their names do.
    pub(crate) fn new(seed: u64, name: &str) -> Self {
        Self { salt: format!("{seed}/{name}"), ..Self::default() }
    }

    /// Counts a call that the fault concerns and tells whether it strikes. `call` is what is called: calls that may
    /// come in either order differ in it.
    pub(crate) fn strikes(&mut self, when: When, call: &str) -> bool {
        self.seen = self.seen.saturating_add(1);
        match when {
            When::Every => true,
            When::Nth(n) => self.seen == n,
            When::Next(n) => self.seen <= n,
            When::After(n) => self.seen > n,
            When::Chance(chance) => self.draw(call) < chance,
        }
    }

    fn draw(&mut self, call: &str) -> f64 {
        let nth = self.of.entry(call.to_owned()).or_default();
        *nth = nth.saturating_add(1);
        draw(&format!("{}/{call}/{nth}", self.salt))
    }
}

/// A number between 0 and 1 that depends on nothing but `text`, on any machine and for ever.
pub(crate) fn draw(text: &str) -> f64 {
    let mut first = [0; 4];
    first.copy_from_slice(&Sha256::digest(text)[..4]);
    f64::from(u32::from_be_bytes(first)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(seed: u64, name: &str, calls: &[&str]) -> Vec<bool> {
        let mut tally = Tally::new(seed, name);
        calls.iter().map(|call| tally.strikes(When::Chance(0.5), call)).collect()
    }

    #[test]
    fn counted_faults_strike_the_calls_they_count() {
        let strikes = |when| {
            let mut tally = Tally::default();
            (1..=4).map(|_| tally.strikes(when, "x")).collect::<Vec<_>>()
        };
        assert_eq!(strikes(When::Every), [true; 4]);
        assert_eq!(strikes(When::Nth(2)), [false, true, false, false]);
        assert_eq!(strikes(When::Next(2)), [true, true, false, false]);
        assert_eq!(strikes(When::After(2)), [false, false, true, true]);
    }

    #[test]
    fn the_same_seed_strikes_the_same_calls_and_another_seed_others() {
        let calls = ["a"; 64];
        assert_eq!(fates(1, "0", &calls), fates(1, "0", &calls));
        assert_ne!(fates(1, "0", &calls), fates(2, "0", &calls));
        assert_ne!(fates(1, "0", &calls), fates(1, "1", &calls));
    }

    #[test]
    fn what_becomes_of_one_call_does_not_depend_on_when_others_come() {
        let of = |calls: &[&str]| -> Vec<bool> {
            let fates = fates(7, "0", calls).into_iter();
            calls.iter().zip(fates).filter(|(call, _)| **call == "a").map(|(_, fate)| fate).collect()
        };
        assert_eq!(of(&["a", "b", "a", "b", "a", "a"]), of(&["b", "b", "b", "a", "a", "a", "a"]));
    }

    #[test]
    fn a_chance_comes_true_about_as_often_as_it_says() {
        let mut tally = Tally::new(3, "0");
        let struck = (0..10_000).filter(|_| tally.strikes(When::Chance(0.1), "x")).count();
        assert!((900..1100).contains(&struck), "{struck}");
        assert!(!Tally::new(3, "0").strikes(When::Chance(0.0), "x"));
    }
}
