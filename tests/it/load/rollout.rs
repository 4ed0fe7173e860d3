//! Waves and freezes as they are written: who is in which, and every fault they can have.

use jiff::civil::date;
use landfast::load::{check, explain};
use landfast::model::{Desired, Window, shown};

use super::{ACCOUNT, File, ONE, TWO, faults, loaded, slug, small, tree};

const REPOSITORY: &str = "landfast.yaml";

fn wave(desired: &Desired, account: &str) -> String {
    desired.rollout.name(desired.rollout.place(&slug(account))).to_owned()
}

/// What a sound repository comes with when its `landfast.yaml` says this.
fn warned(text: &str) -> String {
    let mut files = small();
    files.insert(REPOSITORY.to_owned(), File::text(text));
    let checked = check(&tree(files), Some(date(2026, 11, 22)));
    assert!(checked.desired.is_some(), "{}", checked.diagnostics);
    checked.diagnostics.to_string()
}

#[test]
fn an_account_is_in_the_first_wave_that_reaches_it_and_after_the_last_where_none_does() {
    let text = "rollout:\n  waves:\n  - {name: canary, targets: {accounts: [two]}, soak: 30m}\n  \
                - {name: nonprod, targets: {ous: [/workloads/nonprod]}, tolerance: 10%}\n";
    let desired = loaded(&[(REPOSITORY, text)]);
    assert_eq!([wave(&desired, "two"), wave(&desired, "one")], ["canary", "(the others)"]);
    assert_eq!(desired.rollout.waves[0].soak, 30 * 60);
    assert_eq!([9, 10, 25].map(|total| desired.rollout.waves[1].tolerance.of(total)), [0, 1, 2]);
}

#[test]
fn a_freeze_lasts_to_the_end_of_its_last_day_in_its_own_zone_and_for_those_it_names() {
    let text = "freeze:\n\
                - {from: 2026-12-20, until: 2027-01-04, reason: year end, timeZone: Europe/Zurich}\n\
                - {days: [Fri, saturday], hours: \"16:00-24:00\", reason: the weekend, targets: {accounts: [two]}}\n";
    let desired = loaded(&[(REPOSITORY, text)]);
    let frozen = |account: Option<&str>, at: &str| {
        let account = account.map(slug);
        let now = at.parse::<jiff::Timestamp>().unwrap().as_second();
        desired.rollout.frozen(account.as_ref(), now).map(|frozen| frozen.to_string())
    };
    let year_end = "frozen until 2027-01-05 00:00 CET: year end (`freeze` in landfast.yaml:2)";
    assert_eq!(frozen(None, "2026-12-19T22:59:59Z"), None);
    assert_eq!(frozen(None, "2026-12-19T23:00:00Z").as_deref(), Some(year_end));
    assert_eq!(frozen(Some("one"), "2027-01-04T22:59:59Z").as_deref(), Some(year_end));
    assert_eq!(frozen(None, "2027-01-04T23:00:00Z"), None);
    let weekend = "frozen until 2026-12-05 00:00 UTC: the weekend (`freeze` in landfast.yaml:3)";
    assert_eq!(frozen(Some("two"), "2026-12-04T16:00:00Z").as_deref(), Some(weekend));
    assert_eq!(frozen(Some("one"), "2026-12-04T16:00:00Z"), None);
}

/// What the parsers would take and drop: an offset, a zone, a part of a second.
#[test]
fn a_time_of_a_freeze_that_would_be_read_as_another_one_is_refused_and_pointed_to_the_zone() {
    let told = |key: &str, text: &str| {
        let rest = if key == "hours" { "days: [fri]" } else { "from: 2026-12-19" };
        faults(&[(REPOSITORY, &format!("freeze:\n- {{{rest}, {key}: \"{text}\", reason: r}}\n"))])
    };
    for text in [
        "2026-12-20T18:00-05:00",
        "2026-12-20 18:00+01",
        "2026-12-20T18:00[Europe/Zurich]",
        "2026-12-20[Europe/Zurich]",
        "2026-12-20T18:00:00.5",
        "2026-12-20t18",
        "2026-12-20T18",
        "2026-12-20T24:00",
        "20261220",
        "2026-W51-7",
    ] {
        let told = told("until", text);
        assert!(told.contains(&format!("`{text}` is not a day")) && told.contains("`timeZone`"), "{told}");
    }
    for text in
        ["24:00-06:00", "18:00-05:00-08:00", "18:00-08:00[UTC]", "18-08", "18:00-8:00", "T18:00-08:00"]
    {
        let told = told("hours", text);
        assert!(
            told.contains(&format!("`{text}` are not hours of a day")) && told.contains("`timeZone`"),
            "{told}"
        );
    }
}

#[test]
fn a_freeze_may_begin_and_end_at_a_minute_or_a_second_of_its_own_zone() {
    let ends = |from: &str, until: &str| {
        let text =
            format!("freeze:\n- {{from: {from}, until: {until}, reason: r, timeZone: Europe/Zurich}}\n");
        match &loaded(&[(REPOSITORY, &text)]).rollout.freezes[0].window {
            Window::Once { from, until } => [*from, *until].map(|it| shown(it, &jiff::tz::TimeZone::UTC)),
            Window::Weekly { .. } => panic!("{text}"),
        }
    };
    let expected = ["2026-12-20 17:00 UTC", "2026-12-21 05:30 UTC"];
    assert_eq!(ends("2026-12-20T18:00", "2026-12-21T06:30"), expected);
    assert_eq!(ends("2026-12-20 18:00:00", "2026-12-21 06:30:59"), expected);
}

#[test]
fn explain_says_in_which_wave_an_account_is_and_where_that_is_said() {
    let mut files = small();
    let text = "rollout:\n  waves:\n  - {name: canary, targets: {accounts: [two]}}\n";
    files.insert(REPOSITORY.to_owned(), File::text(text));
    let waves = |account: &str| {
        let explanation = explain(&tree(files.clone()), &slug(account)).unwrap().unwrap();
        let paths = explanation.paths.into_iter().filter(|path| path.path == "wave");
        paths.map(|path| format!("{:?} {:?}", path.values, path.words[0].source)).collect::<Vec<_>>()
    };
    assert_eq!(waves("one"), [""; 0]);
    insta::assert_snapshot!(waves("two").concat(), @r#"[(None, Text("canary"))] Source { path: "landfast.yaml", line: 3 }"#);
}

#[test]
fn every_fault_of_a_rollout_is_shown_at_its_place() {
    let text = "rollout:
  waves:
  - {name: canary, targets: {accounts: [tow]}}
  - {name: canary, targets: {ous: [/workload/**]}}
  - {name: \"the others!\", targets: {ous: [/**]}, soak: 8d}
  - {name: late, targets: {}, tolerance: 101%, approval: maybe, soak: soon}
  - {targets: {ous: [/**]}, wait: 5m}
";
    insta::assert_snapshot!(faults(&[(REPOSITORY, text)]), @r#"
    error: there is no account folder `tow`
     --> landfast.yaml:3:41
      |
    3 |   - {name: canary, targets: {accounts: [tow]}}
      |                                         ^
      = hint: did you mean `two`?

    error: there is a wave `canary` already
     --> landfast.yaml:4:12
      |
    4 |   - {name: canary, targets: {ous: [/workload/**]}}
      |            ^
      = see: landfast.yaml:3:12: the first one
      = hint: give each wave a name of its own

    error: no OU matches `/workload/**`
     --> landfast.yaml:4:36
      |
    4 |   - {name: canary, targets: {ous: [/workload/**]}}
      |                                    ^
      = hint: known here: /security, /workloads, /workloads/nonprod, /workloads/prod

    error: `the others!` cannot be the name of a wave
     --> landfast.yaml:5:12
      |
    5 |   - {name: "the others!", targets: {ous: [/**]}, soak: 8d}
      |            ^
      = hint: 1 to 40 letters, digits and `-_.`

    error: `8d` is not a time to watch a wave for
     --> landfast.yaml:5:56
      |
    5 |   - {name: "the others!", targets: {ous: [/**]}, soak: 8d}
      |                                                        ^
      = hint: such as 30m, 4h or 1d, at most 7d

    error: targets that reach no account
     --> landfast.yaml:6:27
      |
    6 |   - {name: late, targets: {}, tolerance: 101%, approval: maybe, soak: soon}
      |                           ^
      = hint: name some with ous, tags or accounts; {ous: ["/**"]} is every account below the root

    error: `101%` is not a tolerance
     --> landfast.yaml:6:42
      |
    6 |   - {name: late, targets: {}, tolerance: 101%, approval: maybe, soak: soon}
      |                                          ^
      = hint: a number of accounts, such as 1, or a part of the wave, such as "10%"

    error: expected `true` or `false`, found `maybe`
     --> landfast.yaml:6:58
      |
    6 |   - {name: late, targets: {}, tolerance: 101%, approval: maybe, soak: soon}
      |                                                          ^

    error: `soon` is not a time to watch a wave for
     --> landfast.yaml:6:71
      |
    6 |   - {name: late, targets: {}, tolerance: 101%, approval: maybe, soak: soon}
      |                                                                       ^
      = hint: such as 30m, 4h or 1d, at most 7d

    error: the key `name` is missing
     --> landfast.yaml:7:5
      |
    7 |   - {targets: {ous: [/**]}, wait: 5m}
      |     ^
      = hint: it is named in all that waits for it

    error: unknown key `wait`
     --> landfast.yaml:7:29
      |
    7 |   - {targets: {ous: [/**]}, wait: 5m}
      |                             ^
      = hint: known here: name, targets, tolerance, soak, approval
    "#);
}

#[test]
fn every_fault_of_a_freeze_is_shown_at_its_place() {
    let text = "freeze:
- {from: 2026-12-20, until: 2027-01-04}
- {from: 2026-12-20, reason: year end}
- {from: 2027-01-04, until: 2026-12-20, reason: year end}
- {from: tomorrow, until: 2026-13-20, reason: year end}
- {days: [fry], hours: late, reason: the weekend}
- {days: [], reason: the weekend}
- {days: [fri], until: 2027-01-04, reason: both, timeZone: Europe/Zurick}
- {days: [fri], reason: the weekend, targets: {accounts: [tow]}}
";
    insta::assert_snapshot!(faults(&[(REPOSITORY, text)]), @r#"
    error: the key `reason` is missing
     --> landfast.yaml:2:3
      |
    2 | - {from: 2026-12-20, until: 2027-01-04}
      |   ^
      = hint: a person will ask for it

    error: a freeze without a beginning and an end
     --> landfast.yaml:3:3
      |
    3 | - {from: 2026-12-20, reason: year end}
      |   ^
      = hint: either `from` and `until`, or every week `days` and, where that is not all day, `hours`

    error: a freeze that ends before it begins
     --> landfast.yaml:4:29
      |
    4 | - {from: 2027-01-04, until: 2026-12-20, reason: year end}
      |                             ^

    error: `tomorrow` is not a day
     --> landfast.yaml:5:10
      |
    5 | - {from: tomorrow, until: 2026-13-20, reason: year end}
      |          ^
      = hint: such as 2026-12-20, or 2026-12-20T18:00, in the zone that `timeZone` names

    error: `2026-13-20` is not a day
     --> landfast.yaml:5:27
      |
    5 | - {from: tomorrow, until: 2026-13-20, reason: year end}
      |                           ^
      = hint: such as 2026-12-20, or 2026-12-20T18:00, in the zone that `timeZone` names

    error: `fry` is not a day of the week
     --> landfast.yaml:6:11
      |
    6 | - {days: [fry], hours: late, reason: the weekend}
      |           ^
      = hint: such as friday, or fri

    error: `late` are not hours of a day
     --> landfast.yaml:6:24
      |
    6 | - {days: [fry], hours: late, reason: the weekend}
      |                        ^
      = hint: such as "18:00-08:00", in the zone that `timeZone` names; `24:00` only ever ends a day, which begins at 00:00

    error: a freeze on no day
     --> landfast.yaml:7:10
      |
    7 | - {days: [], reason: the weekend}
      |          ^
      = hint: such as [fri, sat, sun]

    error: `Europe/Zurick` is not a time zone
     --> landfast.yaml:8:60
      |
    8 | - {days: [fri], until: 2027-01-04, reason: both, timeZone: Europe/Zurick}
      |                                                            ^
      = hint: such as Europe/Zurich or UTC

    error: there is no account folder `tow`
     --> landfast.yaml:9:59
      |
    9 | - {days: [fri], reason: the weekend, targets: {accounts: [tow]}}
      |                                                           ^
      = hint: did you mean `two`?
    "#);
}

#[test]
fn waves_and_freezes_for_nobody_and_freezes_that_are_over_are_said() {
    let text = "rollout:
  waves:
  - {name: canary, targets: {ous: [\"/workloads/**\"]}}
  - {name: rest, targets: {accounts: [one]}}
  - {name: shops, targets: {tags: {kind: shop}}}
freeze:
- {from: 2026-11-20, until: 2026-11-21, reason: black friday}
- {from: 2026-11-20, until: 2026-11-22, reason: to the end of today}
- {days: [fri], reason: the weekend, targets: {tags: {kind: shop}}}
";
    insta::assert_snapshot!(warned(text), @r"
    warning: no account is in the wave `rest`: earlier waves have them all
     --> landfast.yaml:4:12
      |
    4 |   - {name: rest, targets: {accounts: [one]}}
      |            ^
      = hint: mend its targets, or take it out

    warning: no account is in the wave `shops`
     --> landfast.yaml:5:12
      |
    5 |   - {name: shops, targets: {tags: {kind: shop}}}
      |            ^
      = hint: mend its targets, or take it out

    warning: the freeze is over: black friday
     --> landfast.yaml:7:3
      |
    7 | - {from: 2026-11-20, until: 2026-11-21, reason: black friday}
      |   ^
      = hint: today is 2026-11-22; take it out

    warning: the freeze is for no account: the weekend
     --> landfast.yaml:9:3
      |
    9 | - {days: [fri], reason: the weekend, targets: {tags: {kind: shop}}}
      |   ^
      = hint: mend its targets, or take it out
    ");
}

#[test]
fn an_exclusion_from_a_wave_or_a_freeze_that_has_ended_is_said() {
    let waves = "rollout:
  waves:
  - name: first
    targets: {ous: [/**], exclude: {one: \"OPS-1, until 2026-06-30\"}}
freeze:
- {days: [fri], reason: the weekend, targets: {ous: [/**], exclude: {two: \"OPS-2, until 2026-06-30\"}}}
";
    let told = |today: &str| {
        let mut files = small();
        files.insert("landfast.yaml".to_owned(), File::text(waves));
        let checked = check(&tree(files), Some(today.parse().unwrap()));
        (checked.diagnostics.to_string(), checked.desired.unwrap())
    };
    assert_eq!(told("2026-06-30").0, "", "its last day is part of it");
    let (seen, desired) = told("2026-07-01");
    for told in [
        "warning: the exclusion of `one` has ended: OPS-1, until 2026-06-30\n --> landfast.yaml:4:",
        "warning: the exclusion of `two` has ended: OPS-2, until 2026-06-30\n --> landfast.yaml:6:",
    ] {
        assert!(seen.contains(told), "{told}: {seen}");
    }
    // An issue tells it too, as it does of baselines.
    let lines = |account: &str| {
        let ending = &desired.accounts[&slug(account)].exclusions;
        ending.iter().map(|it| it.source.line).collect::<Vec<_>>()
    };
    assert_eq!((lines("one"), lines("two")), (vec![4], vec![6]));
}

#[test]
fn an_account_that_takes_an_output_of_one_in_a_later_wave_is_said() {
    let output = "${{ accounts['two'].stacks['network'].outputs.Id }}";
    let template = "Resources:\n  Topic: {Type: AWS::SNS::Topic}\nOutputs: {Id: {Value: !Ref Topic}}\n";
    let one = format!(
        "{ONE}stacks: {{network: {{template: network.template.yaml, parameters: {{Cidr: \"{output}\"}}}}}}\n"
    );
    let two = format!("{TWO}stacks: {{network: {{template: network.template.yaml}}}}\n");
    let told = |first: &str, one: &str, two: &str| {
        let waves = format!("rollout: {{waves: [{{name: first, targets: {{accounts: [{first}]}}}}]}}\n");
        let mut files = small();
        let texts = [
            (REPOSITORY, waves.as_str()),
            (ACCOUNT, one),
            ("accounts/two/account.yaml", two),
            ("accounts/two/network.template.yaml", template),
        ];
        files.extend(texts.map(|(path, text)| (path.to_owned(), File::text(text))));
        check(&tree(files), None).diagnostics.to_string()
    };
    let warned = |first: &str| told(first, &one, &two);
    assert_eq!(warned("two"), "");
    insta::assert_snapshot!(warned("one"), @r#"
    warning: it takes an output of the stack `network` in accounts/two, which comes after the last wave
     --> accounts/one/account.yaml:4:72
      |
    4 | stacks: {network: {template: network.template.yaml, parameters: {Cidr: "${{ accounts['two'].stacks['network'].outputs.Id }}"}}}
      |                                                                        ^
      = see: landfast.yaml:1:26: its own wave
      = hint: while `network` is new or changes, each waits for the other, and no wave goes on; put accounts/two into the wave `first` or an earlier one
    "#);
    // Whoever is only observed is neither written nor waited for.
    let observed = |text: &str| text.replace("stacks:", "mode: observe\nstacks:");
    assert_eq!(told("one", &observed(&one), &two), "");
    assert_eq!(told("one", &one, &observed(&two)), "");
}
