//! What a person should know of who is reached: targets that reach nobody, and accounts that nobody reaches.
//!
//! Guarantees: warnings only, and only where every file that could say otherwise was read.

use super::diagnostic::Faults;
use super::identity::Identity;
use super::merge::Layers;
use super::raw::Baseline;
use super::rule::Rule;
use super::targets::Candidate;

/// Says which baselines and entries of baselines are for nobody. Looking ends at the first account that is reached:
/// there may be ten thousand.
pub(super) fn warn_of_no_reach(layers: &Layers, accounts: &[Identity<'_>], faults: &mut Faults) {
    for baseline in layers.iter() {
        let mut all = accounts.iter().map(Identity::candidate);
        if all.any(|account| baseline.targets.reach(&account)) {
            warn_of_entries(baseline, accounts, faults);
            continue;
        }
        let message = format!("the baseline `{}` reaches no account", baseline.name);
        let hint = "every condition in `targets` has to hold; the management account is only reached by name";
        faults.report(Rule::NoReach, &baseline.targets.spot, message, hint);
    }
}

fn warn_of_entries(baseline: &Baseline, accounts: &[Identity<'_>], faults: &mut Faults) {
    for (path, targets) in baseline.layer.narrowed() {
        let is_for = |account: &Candidate<'_>| targets.narrow_to(account) && baseline.targets.reach(account);
        if !accounts.iter().map(Identity::candidate).any(|account| is_for(&account)) {
            let message = format!("`{}` is for no account that the baseline reaches", path.join("."));
            let hint = "targets of an entry choose among the accounts of its baseline";
            faults.report(Rule::NoReach, &targets.spot, message, hint);
        }
    }
}

/// Says which accounts are reached by no baseline although nobody left them out by name. The management account is
/// meant to be alone; and where there are no baselines, nobody is missed.
pub(super) fn warn_of_unreached(layers: &Layers, accounts: &[Identity<'_>], faults: &mut Faults) {
    if layers.iter().next().is_none() {
        return;
    }
    for account in accounts.iter().filter(|account| !account.is_management) {
        let is_left_out =
            |baseline: &Baseline| baseline.targets.exclusions().contains_key(account.slug.as_str());
        let candidate = account.candidate();
        if !layers.iter().any(|baseline| baseline.targets.reach(&candidate) || is_left_out(baseline)) {
            let message = format!("no baseline reaches accounts/{}", account.slug);
            let hint = "if that is meant, let a baseline say so: `exclude`, with a reason";
            faults.report(Rule::Unreached, &account.file.ou.spot, message, hint);
        }
    }
}
