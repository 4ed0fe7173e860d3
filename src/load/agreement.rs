//! Whether the layers of an account agree, where no order decides between them.

use std::fmt::Write as _;

use super::diagnostic::{Fault, Faults};
use super::merge::{Layers, Rank, Speaker, may_be_secret};
use super::rule::Rule;
use super::words::{Spoken, Word, Words, is_hidden};

/// The words of one account's layers, held against each other.
pub(super) struct Agreement<'w, 'a> {
    pub(super) layers: &'w Layers,
    pub(super) words: &'w Words<'a>,
    pub(super) speakers: &'w [Speaker<'a>],
}

impl<'a> Agreement<'_, 'a> {
    /// Reports each pair of words that cannot both stand although no order decides between them.
    pub(super) fn check(&self, faults: &mut Faults) {
        for same in self.words.by_path() {
            let (path, first) = &same[0];
            // A quick way out for what only one layer says.
            if same.iter().chain(self.words.above(path)).any(|(_, rival)| rival.by != first.by) {
                for spoken in same {
                    self.check_word(spoken, faults);
                }
            }
        }
    }

    fn check_word(&self, (path, word): &Spoken<'a>, faults: &mut Faults) {
        if self.is_overruled(path, word) {
            return;
        }
        for (other, rival) in self.words.rivals(path) {
            // Said once for the entry, not again for each thing in it.
            let is_entry = |(_, it): &Spoken<'_>| it.by == word.by && !self.is_overruled(other, it);
            let is_told = other != path && self.words.at(other).iter().any(is_entry);
            if !(self.are_ordered(rival, word) || is_told)
                && (other, &rival.said) != (path, &word.said)
                && is_hidden(path, word, other, rival)
                && !self.is_settled(path, rival)
            {
                let (first, second) = if word.by < rival.by { (word, rival) } else { (rival, word) };
                self.report(path, first, second, faults);
            }
        }
    }

    fn are_ordered(&self, one: &Word<'_>, other: &Word<'_>) -> bool {
        one.by == other.by || self.is_after(one, other) || self.is_after(other, one)
    }

    fn is_after(&self, later: &Word<'_>, earlier: &Word<'_>) -> bool {
        self.layers.comes_after(self.speakers[later.by].rank, self.speakers[earlier.by].rank)
    }

    fn is_overruled(&self, path: &'a [String], word: &Word<'_>) -> bool {
        let mut others = self.words.rivals(path).chain(self.words.inside(path));
        others.any(|(other, rival)| self.is_after(rival, word) && is_hidden(path, word, other, rival))
    }

    /// An entry that was spoken of again does not make good what was denied in it.
    fn is_settled(&self, path: &'a [String], rival: &Word<'_>) -> bool {
        let settles = |(at, it): &Spoken<'_>| *at == path || !it.is_marker();
        self.words.rivals(path).any(|spoken| self.is_after(&spoken.1, rival) && settles(spoken))
    }

    fn report(&self, path: &[String], word: &Word<'_>, rival: &Word<'_>, faults: &mut Faults) {
        let (Rank::Baseline(first), Rank::Baseline(second)) =
            (self.speakers[word.by].rank, self.speakers[rival.by].rank)
        else {
            return;
        };
        let mut message = format!("the baselines `{first}` and `{second}` disagree on {}", path.join("."));
        if may_be_secret(path) {
            faults.keep_secret(word.spot());
            faults.keep_secret(rival.spot());
        } else {
            _ = write!(message, ": {} and {}", word.said, rival.said);
        }
        let hint = format!("let one come after the other: `after: [{first}]` in `{second}`");
        let fault = Fault::new(Rule::Disagreement, rival.spot(), message, hint);
        faults.add(fault.see(word.spot(), format!("`{first}` says otherwise here")));
    }
}
