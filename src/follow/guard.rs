//! Whether a commit may take the place of the one in force: what a person has to vouch for first.
//!
//! Guarantees: pure. A commit is compared with the one before it, not with AWS, so that the answer is the same
//! whenever it is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{
    Account, AccountId, Desired, Item, OnLeave, Policies, PolicyName, PolicyTarget, Scope, Slug, Stack,
    managed,
};
use crate::plan::Guards;

/// How many folders are named in a message.
const MAX_NAMED: usize = 5;

/// Why `after` may not follow on `before` without an operator's word, as a sentence; nothing when it may.
pub(super) fn objection(before: &Desired, after: &Desired, guards: &Guards) -> Option<String> {
    unguarded(before, after, guards)
        .or_else(|| vanished(before, after, guards))
        .or_else(|| touched(before, after, guards))
        .or_else(|| removed(before, after, guards))
}

/// Folders that went away, unless the same account has another folder now: that is a rename.
fn vanished(before: &Desired, after: &Desired, guards: &Guards) -> Option<String> {
    let kept: BTreeSet<&AccountId> =
        after.accounts.values().filter_map(|account| account.id.as_ref()).collect();
    let is_gone = |account: &&Arc<Account>| {
        !after.accounts.contains_key(&account.slug)
            && !account.id.as_ref().is_some_and(|id| kept.contains(id))
    };
    let gone: Vec<&Slug> = before.accounts.values().filter(is_gone).map(|account| &account.slug).collect();
    let limit = guards.vanished_folders;
    (gone.len() > limit).then(|| {
        format!(
            "{} of {} account folders went away ({}), and `vanished-folders` allows {limit} a commit",
            gone.len(),
            before.accounts.len(),
            some(&gone)
        )
    })
}

/// Folders that a guard names and that would lead to their accounts no more: a guard knows an account by its folder.
fn unguarded(before: &Desired, after: &Desired, guards: &Guards) -> Option<String> {
    let told = guards.named().filter_map(|(guard, name)| {
        let fate = fate(before, after, name)?;
        Some(format!("accounts/{name} {fate}, where `{guard}` does not reach"))
    });
    let told: Vec<String> = told.collect::<BTreeSet<_>>().into_iter().collect();
    (!told.is_empty()).then(|| some(&told))
}

/// What becomes of a folder that no longer leads to its account.
fn fate(before: &Desired, after: &Desired, name: &str) -> Option<String> {
    let (slug, was) = before.accounts.iter().find(|(slug, _)| slug.as_str() == name)?;
    let folder = after.accounts.get(slug);
    if folder.is_some_and(|now| was.id.is_none() || now.id == was.id) {
        return None;
    }
    let is_it = |now: &&Arc<Account>| now.id.is_some() && now.id == was.id;
    Some(match after.accounts.values().find(is_it) {
        Some(now) => format!("became accounts/{}", now.slug),
        None if folder.is_some() => "no longer says which account it is".to_owned(),
        None => "went away".to_owned(),
    })
}

/// Accounts for which the commit changes what is wanted, what their stacks take from others, or which policies hold.
fn touched(before: &Desired, after: &Desired, guards: &Guards) -> Option<String> {
    let limit = guards.accounts_per_commit?;
    let reached = after.reached_since(before);
    let differs = |slug: &Slug| match (before.accounts.get(slug), after.accounts.get(slug)) {
        (Some(one), Some(other)) if Arc::ptr_eq(one, other) => {
            before.organization.id != after.organization.id
        }
        _ => wanted(before, slug) != wanted(after, slug),
    };
    let policed = under_other_policies(before, after);
    let is_touched = |slug: &&Slug| reached.contains(slug) || policed.contains(slug) || differs(slug);
    let touched: Vec<&Slug> = after.accounts.keys().filter(is_touched).collect();
    (touched.len() > limit).then(|| {
        format!(
            "it changes {} accounts ({}), and `accounts-per-commit` allows {limit}",
            touched.len(),
            some(&touched)
        )
    })
}

/// Accounts under a policy that the commit changes, attaches or detaches.
fn under_other_policies<'a>(before: &Desired, after: &'a Desired) -> BTreeSet<&'a Slug> {
    let (was, is) = (&before.organization.policies, &after.organization.policies);
    let content =
        |policies: &Policies, name: &PolicyName| policies.by_name.get(name).map(|it| it.value.to_value());
    // How far to go decides whether what was found there, or changed by hand, is written over.
    let far = |policies: &Policies, name: &PolicyName| (policies.mode, policies.adopt.contains(name));
    let differs = |key: &&(PolicyName, PolicyTarget)| {
        was.attachments.contains_key(*key) != is.attachments.contains_key(*key)
            || content(was, &key.0) != content(is, &key.0)
            || far(was, &key.0) != far(is, &key.0)
    };
    let targets = was.attachments.keys().chain(is.attachments.keys()).filter(differs);
    let targets: BTreeSet<&PolicyTarget> = targets.map(|(_, target)| target).collect();
    let holds = |target: &PolicyTarget, account: &Account| match target {
        PolicyTarget::Ou(path) => path.holds(&account.ou),
        PolicyTarget::Account(slug) => *slug == account.slug,
    };
    let accounts = after.accounts.iter();
    accounts.filter(|(_, it)| targets.iter().any(|target| holds(target, it))).map(|(slug, _)| slug).collect()
}

/// What would be removed: no longer declared and to be removed then, or newly declared absent. What is kept although no
/// commit declares it any more goes by that word too, so that it does not matter what the commit before declared.
fn removed(before: &Desired, after: &Desired, guards: &Guards) -> Option<String> {
    let limit = guards.removals_per_commit;
    let by_id: BTreeMap<&AccountId, &Arc<Account>> =
        before.accounts.values().filter_map(|account| Some((account.id.as_ref()?, account))).collect();
    // A folder that was renamed is the same account.
    let known = |now: &Account| {
        let renamed = now.id.as_ref().and_then(|id| by_id.get(id).copied());
        renamed.or_else(|| before.accounts.get(&now.slug)).map(AsRef::as_ref)
    };
    let lost = after.accounts.iter().map(|(slug, now)| (slug, lost(known(now), now)));
    let lost: Vec<(&Slug, usize)> = lost.filter(|(_, lost)| *lost > 0).collect();
    let policies = lost_policies(before, after);
    let count: usize = lost.iter().map(|(_, lost)| lost).sum::<usize>() + policies;
    let slugs: Vec<&Slug> = lost.iter().map(|(slug, _)| *slug).collect();
    let accounts = || format!("from {} accounts ({})", slugs.len(), some(&slugs));
    let organization = || format!("{policies} of the organization's policies and their attachments");
    let place = match (policies, slugs.as_slice()) {
        (0, _) => accounts(),
        (_, []) => format!("among them {}", organization()),
        _ => format!("{}, among them {}", accounts(), organization()),
    };
    (count > limit).then(|| {
        format!("it would have {count} things removed {place}, and `removals-per-commit` allows {limit}")
    })
}

/// Policies and attachments that leave and are to be removed then. An account without a folder keeps its own.
fn lost_policies(before: &Desired, after: &Desired) -> usize {
    let (was, is) = (&before.organization.policies, &after.organization.policies);
    if was.on_leave != OnLeave::Remove {
        return 0;
    }
    let stays = |(name, target): &&(PolicyName, PolicyTarget)| match target {
        _ if managed(name).is_some() => true,
        PolicyTarget::Account(slug) if !after.accounts.contains_key(slug) => true,
        PolicyTarget::Account(_) | PolicyTarget::Ou(_) => false,
    };
    let detached =
        was.attachments.keys().filter(|key| !is.attachments.contains_key(*key)).filter(|key| !stays(key));
    detached.count() + was.by_name.keys().filter(|name| !is.by_name.contains_key(*name)).count()
}

/// How much goes, of an account that the commit before knew or did not know.
fn lost(before: Option<&Account>, now: &Account) -> usize {
    let declares = |account: &Account, item: &Item| match item {
        Item::Setting(setting) => account.settings.contains_key(setting),
        Item::Stack(key) => account.stacks.contains_key(key),
        Item::Ou(_) | Item::Account(..) | Item::PolicyType(_) | Item::Policy(_) | Item::Attachment(..) => {
            false
        }
    };
    // In an account that is still to be created there is nothing.
    if before.is_none() && now.id.is_none() {
        return 0;
    }
    let left = before.into_iter().flat_map(|before| &before.remove_on_leave);
    let left = left.filter(|item| !declares(now, item));
    let is_new = |item: &&Item| before.is_none_or(|before| !before.absent.contains_key(*item));
    let unwanted = now.absent.keys().filter(is_new);
    left.chain(unwanted).collect::<BTreeSet<_>>().len()
}

/// What an account is wanted to be, without the places that say so: layout and comments count no more than they do in
/// [`Desired::items`].
fn wanted(desired: &Desired, slug: &Slug) -> Option<impl PartialEq + use<>> {
    // What is in the items is left out here, and so is what changes nothing in AWS.
    let Account {
        slug: _,
        id,
        name,
        email,
        ou,
        tags,
        mode,
        modes,
        access,
        settings: _,
        stacks,
        adopt,
        remove_on_leave,
        absent: _,
        exclusions: _,
        sources: _,
    } = desired.accounts.get(slug)?.as_ref().clone();
    let items = desired.items(&Scope::Account(slug.clone())).into_iter();
    let items: Vec<_> = items.map(|(item, declared)| (item, declared.value)).collect();
    // No value shows these, and yet they decide what becomes of a stack.
    let how = |stack: Stack| (stack.capabilities, stack.needs);
    let stacks: Vec<_> = stacks.into_values().map(|stack| how(stack.value)).collect();
    Some(((id, name, email, ou, tags), (mode, modes, adopt, remove_on_leave), access, (items, stacks)))
}

fn some(all: &[impl ToString]) -> String {
    let mut names: Vec<String> = all.iter().take(MAX_NAMED).map(ToString::to_string).collect();
    if all.len() > MAX_NAMED {
        names.push(format!("and {} more", all.len() - MAX_NAMED));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{File, Tree, load};
    use crate::model::CommitId;

    const ORGANIZATION: &str = "id: o-exampleorgid\nmanagementAccount: \"999988887777\"\nhomeRegion: eu-west-1\n\
                                ous: {one: {ous: {deep: {}}}, two: {}}\n";
    const POLICY: &str = "organization/policies/service-control-policy/stay.json";
    const TEMPLATE: &str =
        "Resources: {Topic: {Type: AWS::SNS::Topic}}\nOutputs: {Arn: {Value: !Ref Topic}}\n";
    const TAKER: &str = "Parameters: {Arn: {Type: String}}\nResources: {Topic: {Type: AWS::SNS::Topic}}\n";

    const A: &str = "accounts/a/account.yaml";
    const D: &str = "accounts/d/account.yaml";

    type Files = Vec<(&'static str, String)>;

    /// Four accounts: `a` and `b` in /one, `c` in /one/deep, `d` in /two.
    fn company() -> Files {
        let account = |id: &str, ou: &str| {
            format!("id: \"11112222333{id}\"\nname: N{id}\nemail: n{id}@example.com\nou: {ou}\n")
        };
        vec![
            ("organization/organization.yaml", ORGANIZATION.to_owned()),
            ("accounts/a/account.yaml", account("1", "/one")),
            ("accounts/b/account.yaml", account("2", "/one")),
            ("accounts/c/account.yaml", account("3", "/one/deep")),
            ("accounts/d/account.yaml", account("4", "/two")),
            ("accounts/a/topic.template.yaml", TEMPLATE.to_owned()),
            ("accounts/b/taker.template.yaml", TAKER.to_owned()),
        ]
    }

    fn changed(changes: &[(&'static str, &str)]) -> Desired {
        let mut files = company();
        for (path, text) in changes {
            match files.iter_mut().find(|(known, _)| known == path) {
                Some((_, known)) => *known = known.clone() + text,
                None => files.push((path, (*text).to_owned())),
            }
        }
        loaded(files)
    }

    fn loaded(files: Files) -> Desired {
        let files = files.into_iter().map(|(path, text)| (path.to_owned(), File::text(&text))).collect();
        let revision = CommitId::parse("0".repeat(40)).unwrap();
        load(&Tree { revision, files }).unwrap_or_else(|faults| panic!("{faults}"))
    }

    fn without(gone: &[&str]) -> Desired {
        let mut files = company();
        files.retain(|(path, _)| !gone.iter().any(|slug| path.starts_with(&format!("accounts/{slug}/"))));
        loaded(files)
    }

    /// What is objected to when these numbers are allowed.
    fn at_most(folders: usize, accounts: Option<usize>, removals: usize) -> Guards {
        Guards {
            vanished_folders: folders,
            accounts_per_commit: accounts,
            removals_per_commit: removals,
            ..Guards::lifted()
        }
    }

    #[test]
    fn as_many_folders_may_go_as_are_allowed_and_a_renamed_one_is_not_gone() {
        let (all, guards) = (company, at_most(1, None, 99));
        let before = loaded(all());
        assert_eq!(objection(&before, &without(&["d"]), &guards), None);
        let told = objection(&before, &without(&["c", "d"]), &guards).unwrap();
        assert_eq!(told, "2 of 4 account folders went away (c, d), and `vanished-folders` allows 1 a commit");
        let mut renamed = all();
        for (path, to) in [
            ("accounts/c/account.yaml", "accounts/x/account.yaml"),
            ("accounts/d/account.yaml", "accounts/y/account.yaml"),
        ] {
            renamed.iter_mut().find(|(known, _)| *known == path).unwrap().0 = to;
        }
        assert_eq!(objection(&before, &loaded(renamed), &guards), None, "the ids are all there");
    }

    /// What a commit that makes these changes is told that may change so many accounts.
    fn touched_beyond(allowed: usize, changes: &[(&'static str, &str)]) -> Option<String> {
        objection(&changed(&[]), &changed(changes), &at_most(9, Some(allowed), 99))
    }

    #[test]
    fn accounts_are_counted_whose_wants_change_and_those_that_take_from_them() {
        let stack = ("accounts/a/account.yaml", "stacks: {topic: {template: topic.template.yaml}}\n");
        let taker = "stacks: {taker: {template: taker.template.yaml, parameters: {Arn: \"${{ accounts['a'].stacks['topic'].outputs.Arn }}\"}}}\n";
        let before = changed(&[stack, ("accounts/b/account.yaml", taker)]);
        let tagged = ("accounts/a/topic.template.yaml", "Description: other\n");
        let after = changed(&[stack, ("accounts/b/account.yaml", taker), tagged]);
        let told = |allowed| objection(&before, &after, &at_most(9, Some(allowed), 99));
        assert_eq!(told(2), None);
        assert_eq!(told(1).unwrap(), "it changes 2 accounts (a, b), and `accounts-per-commit` allows 1");
        assert!(touched_beyond(0, &[("accounts/d/account.yaml", "mode: enforce\n")]).is_some());
    }

    #[test]
    fn the_mode_of_one_entry_counts_as_a_change_of_its_account() {
        let alias = ("accounts/d/account.yaml", "settings: {accountAlias: {value: acme-d}}\n");
        let enforced =
            ("accounts/d/account.yaml", "settings: {accountAlias: {value: acme-d, mode: enforce}}\n");
        assert!(objection(&changed(&[alias]), &changed(&[enforced]), &at_most(9, Some(0), 99)).is_some());
        assert_eq!(objection(&changed(&[alias]), &changed(&[alias]), &at_most(9, Some(0), 99)), None);
    }

    #[test]
    fn a_policy_touches_every_account_under_what_it_is_attached_to() {
        let file = |action: &str| {
            format!(
                r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Deny", "Action": "{action}", "Resource": "*"}}]}}"#
            )
        };
        let organization = |policies: &str| {
            let mut files = company();
            files[0].1 = ORGANIZATION.replace("one: {ous", &format!("one: {{policies: [{policies}], ous"));
            files
        };
        let with = |mut files: Files, text: String| {
            files.push((POLICY, text));
            loaded(files)
        };
        let plain = loaded(company());
        let guarded = with(organization("stay"), file("s3:*"));
        let told = |before: &Desired, after: &Desired| objection(before, after, &at_most(9, Some(2), 99));
        assert!(told(&plain, &guarded).unwrap().starts_with("it changes 3 accounts (a, b, c)"));
        assert!(told(&guarded, &plain).is_some(), "what is detached matters as much");
        assert!(told(&guarded, &with(organization("stay"), file("ec2:*"))).is_some());
        assert_eq!(told(&guarded, &guarded.clone()), None);
        for far in ["adopt: [policies.stay]\n", "onLeave: remove\n"] {
            let mut other = organization("stay");
            other[0].1 += far;
            let is_touched = told(&guarded, &with(other, file("s3:*"))).is_some();
            assert_eq!(is_touched, far.starts_with("adopt"), "{far}");
        }
        let mut wider = organization("stay");
        wider[0].1 = wider[0].1.replace("two: {}", "two: {policies: [stay]}");
        let wider = with(wider, file("s3:*"));
        let nobody = at_most(9, Some(0), 99);
        assert!(objection(&guarded, &wider, &nobody).unwrap().starts_with("it changes 1 accounts (d)"));
        assert_eq!(told(&plain, &with(company(), file("s3:*"))), None, "it is attached to nothing");
    }

    #[test]
    fn as_much_may_be_removed_as_is_allowed_whether_it_leaves_or_must_not_be_there() {
        let settings = (
            "accounts/d/account.yaml",
            "onLeave: remove\nsettings: {accountAlias: acme-d, passwordPolicy: {minimumLength: 9}}\n",
        );
        let before = changed(&[settings]);
        let absent =
            ("accounts/d/account.yaml", "settings: {accountAlias: absent, passwordPolicy: absent}\n");
        for after in [changed(&[]), changed(&[absent])] {
            let told = |allowed| objection(&before, &after, &at_most(9, None, allowed));
            assert_eq!(told(2), None);
            assert!(told(1).unwrap().starts_with("it would have 2 things removed from 1 accounts (d)"));
        }
        let kept = changed(&[("accounts/d/account.yaml", "settings: {accountAlias: acme-d}\n")]);
        let gone = changed(&[("accounts/d/account.yaml", "settings: {accountAlias: absent}\n")]);
        assert!(objection(&kept, &gone, &at_most(9, None, 0)).is_some(), "what is kept when it leaves, too");
        assert_eq!(objection(&kept, &changed(&[]), &at_most(9, None, 0)), None);
    }

    fn protecting(accounts: &[&str], stacks: &[&str]) -> Guards {
        Guards {
            protected_accounts: accounts.iter().map(|name| Slug::parse(*name).unwrap()).collect(),
            protected_stacks: stacks.iter().map(|name| (*name).to_owned().try_into().unwrap()).collect(),
            ..Guards::lifted()
        }
    }

    /// The company with the folder `from` under the name `to`.
    fn renamed(from: &'static str, to: &'static str) -> Files {
        let mut files = company();
        files.iter_mut().find(|(path, _)| *path == from).unwrap().0 = to;
        files
    }

    #[test]
    fn a_folder_that_a_guard_names_cannot_be_renamed_or_taken_away_from_under_it() {
        let (before, after) = (loaded(company()), loaded(renamed(D, "accounts/x/account.yaml")));
        let told = |guards: &Guards| objection(&before, &after, guards);
        assert_eq!(
            told(&protecting(&["d"], &[])).unwrap(),
            "accounts/d became accounts/x, where `protected-accounts` does not reach"
        );
        assert_eq!(
            told(&protecting(&[], &["d/trail", "*/role"])).unwrap(),
            "accounts/d became accounts/x, where `protected-stacks` does not reach"
        );
        for others in [protecting(&["a", "e"], &["b/trail"]), protecting(&[], &["*/trail"])] {
            assert_eq!(told(&others), None);
        }
        let gone = objection(&before, &without(&["d"]), &protecting(&["d"], &[])).unwrap();
        assert_eq!(gone, "accounts/d went away, where `protected-accounts` does not reach");
    }

    #[test]
    fn another_account_in_a_folder_that_a_guard_names_is_seen_too() {
        let before = loaded(company());
        let mut swapped = renamed(D, "accounts/x/account.yaml");
        swapped.push((D, "name: Other\nemail: other@example.com\nou: /two\n".to_owned()));
        let told = objection(&before, &loaded(swapped), &protecting(&["d"], &[])).unwrap();
        assert_eq!(told, "accounts/d became accounts/x, where `protected-accounts` does not reach");
        let mut nameless = company();
        let file = nameless.iter_mut().find(|(path, _)| *path == D).unwrap();
        file.1 = file.1.replace("id: \"111122223334\"\n", "");
        let (recorded, nameless) = (before, loaded(nameless));
        let guards = protecting(&["d"], &[]);
        assert!(
            objection(&recorded, &nameless, &guards).unwrap().contains("no longer says which account it is")
        );
        assert_eq!(objection(&nameless, &recorded, &guards), None, "an id is recorded once it is known");
    }

    #[test]
    fn what_must_not_be_there_counts_although_the_commit_before_no_longer_declared_it() {
        let declared = (D, "settings: {accountAlias: acme-d}\n");
        let absent = (D, "settings: {accountAlias: absent}\nstacks: {topic: absent}\n");
        let (kept, gone) = (changed(&[]), changed(&[absent]));
        let none = at_most(9, None, 0);
        assert_eq!(objection(&changed(&[declared]), &kept, &none), None, "it is kept");
        let told = objection(&kept, &gone, &none).unwrap();
        assert!(told.starts_with("it would have 2 things removed from 1 accounts (d)"), "{told}");
        assert_eq!(objection(&gone, &gone.clone(), &none), None, "it was said before");
        let mut elsewhere = company();
        elsewhere.retain(|(path, _)| *path != D);
        elsewhere.push(("accounts/x/account.yaml", company_file(D) + absent.1));
        let elsewhere = loaded(elsewhere);
        assert!(objection(&kept, &elsewhere, &none).is_some(), "under another folder too");
        assert!(objection(&without(&["d"]), &gone, &none).is_some(), "in an account that is taken in");
        let unmade = "name: New\nemail: new@example.com\nou: /two\n".to_owned() + absent.1;
        let mut made = company();
        made.push(("accounts/new/account.yaml", unmade));
        assert_eq!(objection(&kept, &loaded(made), &none), None, "nothing is in what is still to be created");
    }

    fn company_file(path: &str) -> String {
        company().into_iter().find(|(known, _)| *known == path).unwrap().1
    }

    #[test]
    fn what_a_commit_lets_be_overwritten_or_removed_counts_as_a_change_of_its_account() {
        let settings = "settings: {accountAlias: acme-d}\n";
        let stack = "stacks: {topic: {template: topic.template.yaml}}\n";
        let before = changed(&[(D, settings), (A, stack)]);
        let told = |d: &str, a: &str| {
            let after =
                changed(&[(D, &format!("{settings}{d}")), (A, &stack.replace("}}", &format!("{a}}}}}")))]);
            objection(&before, &after, &at_most(9, Some(0), 99))
        };
        assert_eq!(told("# a remark\n", ""), None);
        for more in ["adopt: [settings.accountAlias]\n", "adopt: [ou]\n", "onLeave: remove\n"] {
            assert!(told(more, "").unwrap().starts_with("it changes 1 accounts (d)"), "{more}");
        }
        let granted = ", capabilities: [CAPABILITY_NAMED_IAM]";
        assert!(told("", granted).unwrap().starts_with("it changes 1 accounts (a)"));
    }
}
