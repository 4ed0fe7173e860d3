//! What is under a lock, and who leaves it from one commit to the next: each layer lets an account go by its own word,
//! and no account goes by its own.

use landfast::load::check;

use super::*;
use crate::saml::METADATA;

/// What is said when one state of the small repository follows another.
fn departures(before: &[(&str, &str)], after: &[(&str, &str)]) -> String {
    let checked = |files: &[(&str, &str)]| {
        let mut all = small();
        all.extend(files.iter().map(|(path, text)| ((*path).to_owned(), File::text(text))));
        let checked = check(&tree(all), None);
        assert!(checked.desired.is_some(), "{}", checked.diagnostics);
        checked.held
    };
    checked(after).departures(&checked(before), &CommitId::parse("1".repeat(40)).unwrap()).to_string()
}

/// What is said when the account `one` is for something else all at once, among layers that stay as they are.
fn fled(layers: &[(&str, &str)]) -> String {
    let [prod, dev] = ["prod", "dev"].map(|env| format!("{ONE}tags: {{env: {env}}}\n"));
    let with = |own| layers.iter().copied().chain([(ACCOUNT, own)]).collect::<Vec<_>>();
    assert_eq!(departures(&with(&dev), &with(&prod)), "", "to be under more is nobody's loss");
    departures(&with(&prod), &with(&dev))
}

const FIRST: &str = "settings: {passwordPolicy: {minimumLength: 12}}\n";
const NARROWED: &str = "targets: {ous: [/**]}\nlocked: [settings.passwordPolicy]\n\
                        settings: {passwordPolicy: {minimumLength: 14, targets: {tags: {env: prod}}}}\n";

#[test]
fn an_entry_that_is_narrowed_is_not_left_though_an_earlier_layer_speaks_too() {
    let layers = [("landfast.yaml", FIRST), ("baselines/a/baseline.yaml", NARROWED)];
    insta::assert_snapshot!(fled(&layers), @"
    error: accounts/one would leave `settings.passwordPolicy.minimumLength` of the baseline `a`, which the lock of `settings.passwordPolicy` keeps
     --> accounts/one/account.yaml:3:5
      = see: baselines/a/baseline.yaml:3:44: said here
      = see: baselines/a/baseline.yaml:2:10: locked here
      = hint: put its ou and tags back, or leave it out by name there, with a reason
    ");
}

#[test]
fn one_of_several_under_a_lock_is_not_left() {
    let narrowed = "targets: {ous: [/**]}\nlocked: [settings.samlProviders]\nsettings:\n  samlProviders:\n    \
                    Everybody: {metadata: x.xml}\n    Admins: {metadata: x.xml, targets: {tags: {env: prod}}}\n";
    let seen = fled(&[("baselines/a/baseline.yaml", narrowed), ("baselines/a/x.xml", METADATA)]);
    let told = "accounts/one would leave `settings.samlProviders.Admins` of the baseline `a`, which the lock of \
                `settings.samlProviders` keeps";
    assert!(seen.contains(told), "{seen}");
}

const PROD: &str =
    "targets: {ous: [/**], tags: {env: prod}}\nsettings: {passwordPolicy: {minimumLength: 16}}\n";
const LOCK: &str = "targets: {ous: [/**]}\nafter: [prod]\nlocked: [settings.passwordPolicy]\n";

#[test]
fn what_a_layer_before_the_lock_raised_is_not_left() {
    let layers = [("baselines/prod/baseline.yaml", PROD), ("baselines/a/baseline.yaml", LOCK)];
    let seen = fled(&layers);
    assert!(
        seen.contains("accounts/one would leave `settings.passwordPolicy` of the baseline `prod`"),
        "{seen}"
    );
    let everywhere = PROD.replace(", tags: {env: prod}}", "}");
    let enforced = "targets: {ous: [/**], tags: {env: prod}}\nmode: enforce\n";
    let after = LOCK.replace("[prod]", "[prod, strict]");
    let layers = [
        ("baselines/prod/baseline.yaml", everywhere.as_str()),
        ("baselines/strict/baseline.yaml", enforced),
        ("baselines/a/baseline.yaml", &after),
    ];
    let seen = fled(&layers);
    assert!(
        seen.contains("accounts/one would leave `mode` of the baseline `strict`"),
        "what is locked would be silenced: {seen}"
    );
}

#[test]
fn what_somebody_overruled_or_asks_for_all_the_same_is_no_loss() {
    let overruled = format!("{LOCK}settings: {{passwordPolicy: {{minimumLength: 14}}}}\n");
    let repeated =
        "targets: {ous: [/**], tags: {env: dev}}\nsettings: {passwordPolicy: {minimumLength: 20}}\n";
    let after = LOCK.replace("[prod]", "[prod, dev]");
    assert_eq!(
        fled(&[("baselines/prod/baseline.yaml", PROD), ("baselines/a/baseline.yaml", &overruled)]),
        "",
        "it is 14 either way"
    );
    let raised = [
        ("baselines/prod/baseline.yaml", PROD),
        ("baselines/dev/baseline.yaml", repeated),
        ("baselines/a/baseline.yaml", &after),
    ];
    let [prod, dev] = ["prod", "dev"].map(|env| format!("{ONE}tags: {{env: {env}}}\n"));
    let with = |own| raised.iter().copied().chain([(ACCOUNT, own)]).collect::<Vec<_>>();
    assert_eq!(departures(&with(&prod), &with(&dev)), "", "20 is more than 16");
    assert!(departures(&with(&dev), &with(&prod)).contains("would leave"), "16 is less than 20");
}

#[test]
fn each_layer_lets_an_account_go_from_what_it_says() {
    let [prod, dev] = ["prod", "dev"].map(|env| format!("{ONE}tags: {{env: {env}}}\n"));
    let before = [
        ("landfast.yaml", FIRST),
        ("baselines/prod/baseline.yaml", PROD),
        ("baselines/a/baseline.yaml", LOCK),
        (ACCOUNT, prod.as_str()),
    ];
    for (from, to) in [
        ("tags: {env: prod}}", "tags: {env: prod}, exclude: {one: OPS-9}}"),
        ("{env: prod}", "{env: stage}"),
        ("settings: {passwordPolicy: {minimumLength: 16}}\n", ""),
    ] {
        let changed = PROD.replace(from, to);
        let after = [before[0], ("baselines/prod/baseline.yaml", &changed), before[2], (ACCOUNT, &dev)];
        assert_eq!(departures(&before, &after), "", "{to}");
    }
    let unlocked = LOCK.replace("locked: [settings.passwordPolicy]\n", "");
    let after = [before[0], before[1], ("baselines/a/baseline.yaml", &unlocked), (ACCOUNT, &dev)];
    assert_eq!(departures(&before, &after), "", "there is no lock any more");
    let unordered = LOCK.replace("after: [prod]\n", "");
    let after = [before[0], before[1], ("baselines/a/baseline.yaml", &unordered), (ACCOUNT, &dev)];
    assert_eq!(departures(&before, &after), "", "the lock does not stand for it any more");
    let after = [&before[..3], &[("baselines/new/baseline.yaml", NEW), (ACCOUNT, dev.as_str())]].concat();
    let seen = departures(&before, &after);
    assert!(
        !seen.contains("`new`") && seen.matches("error: ").count() == 1,
        "what is new held nobody: {seen}"
    );
}

const NEW: &str = "targets: {ous: [/**], tags: {env: prod}}\nlocked: [values.X]\nvalues: {X: 1}\n";

/// Before the id is recorded: in one commit the folder gets its id, another name, and other tags.
#[test]
fn a_folder_that_is_renamed_while_its_id_is_recorded_takes_its_locks_along() {
    let layers = [("landfast.yaml", FIRST), ("baselines/a/baseline.yaml", NARROWED)];
    let with = |accounts: &[(&'static str, &str)]| {
        let mut files = small();
        files.retain(|path, _| !path.starts_with("accounts/one/"));
        let all = layers.iter().chain(accounts);
        files.extend(all.map(|(path, text)| ((*path).to_owned(), File::text(text))));
        let checked = check(&tree(files), None);
        assert!(checked.desired.is_some(), "{}", checked.diagnostics);
        checked.held
    };
    let before = with(&[(ACCOUNT, &format!("{ONE}tags: {{env: prod}}\n"))]);
    let renamed = |text: &str, more: &[(&'static str, &str)]| {
        let new = format!("id: \"111122223333\"\n{text}");
        let all = [("accounts/new/account.yaml", new.as_str())].into_iter().chain(more.iter().copied());
        let after = with(&all.collect::<Vec<_>>());
        after.departures(&before, &CommitId::parse("1".repeat(40)).unwrap()).to_string()
    };
    let told = "accounts/new would leave `settings.passwordPolicy.minimumLength` of the baseline `a`";
    assert_eq!(renamed(&format!("{ONE}tags: {{env: prod}}\n"), &[]), "");
    for text in [ONE.to_owned(), ONE.replace("one@", "other@"), ONE.replace("One", "Other")] {
        let seen = renamed(&format!("{text}tags: {{env: dev}}\n"), &[]);
        assert!(seen.contains(told), "{text}: {seen}");
    }
    // Somebody else in the old folder does not hide who left it.
    let decoy = format!("{}tags: {{env: prod}}\n", ONE.replace("One", "Decoy").replace("one@", "decoy@"));
    let seen = renamed(&format!("{ONE}tags: {{env: dev}}\n"), &[(ACCOUNT, &decoy)]);
    assert!(seen.contains(told), "{seen}");
    let other = ONE.replace("One", "Other").replace("one@", "other@");
    assert_eq!(renamed(&format!("{other}tags: {{env: dev}}\n"), &[]), "", "this is another account");
}
