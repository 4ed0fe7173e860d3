//! A repository of many accounts: a company of the size that a large one has, and not a row of empty files.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use landfast::git::bare;

/// The branch that is followed.
pub(crate) const BRANCH: &str = "main";
/// OUs below `/workloads`.
const UNITS: usize = 20;
/// Of the baselines, these first ones reach every account, and the first locks what it says.
const COMMON: usize = 4;

/// Where the remote is.
pub(crate) fn remote(folder: &Path) -> PathBuf {
    folder.join("remote.git")
}

/// The file of an account; `days` is what a commit changes.
pub(crate) fn account(nth: usize, days: usize) -> String {
    let unit = nth % UNITS;
    let mut text = format!(
        "id: \"{:012}\"\nname: Team {nth:05}\nou: /workloads/unit-{unit:02}\n\
         tags: {{env: {}, owner: team-{nth:05}, costCenter: \"{}\"}}\n\
         values:\n  VpcCidr: 10.{}.{}.0/24\n  LogDays: {days}\n",
        100_000_000_000_usize + nth,
        ["prod", "test", "dev"][nth % 3],
        1000 + nth % 70,
        nth / 250,
        nth % 250,
    );
    if nth.is_multiple_of(10) {
        text.push_str("settings:\n  passwordPolicy: {minimumLength: 20}\n");
    }
    if nth.is_multiple_of(5) {
        text.push_str(
            "stacks:\n  network:\n    template: network.template.yaml\n    parameters:\n      \
             Text: ${{ values.VpcCidr }}\n      Days: ${{ values.LogDays }}\n",
        );
    }
    text
}

/// The path of an account's file.
pub(crate) fn account_path(nth: usize) -> String {
    format!("accounts/team-{nth:05}/account.yaml")
}

/// The path of a baseline's file.
pub(crate) fn baseline_path(nth: usize) -> String {
    format!("baselines/base-{nth:02}/baseline.yaml")
}

/// The file of a baseline. One in ten of the others is for the accounts of two OUs, the rest for those with a tag
/// in one OU.
pub(crate) fn baseline(nth: usize, of: usize, days: usize) -> String {
    let env = ["prod", "test", "dev"][nth % 3];
    let targets = match nth {
        nth if nth < COMMON => "{ous: [\"/**\"]}".to_owned(),
        nth if nth % 10 == 0 => {
            format!("{{ous: [/workloads/unit-{:02}, /workloads/unit-{:02}]}}", nth % UNITS, (nth + 7) % UNITS)
        }
        nth => format!("{{ous: [\"/workloads/unit-{:02}\"], tags: {{env: {env}}}}}", nth % UNITS),
    };
    let mut text = format!(
        "targets: {targets}\nvalues:\n  Alert{nth}: security@example.com\n  Days{nth}: {days}\n\
         stacks:\n  base-{nth:02}:\n    template: base.template.yaml\n    regions: [home]\n    \
         tags: {{part: \"{nth}\"}}\n    parameters:\n      Text: ${{{{ values.Alert{nth} }}}}\n      \
         Days: ${{{{ values.Days{nth} }}}}\n"
    );
    if nth == 0 {
        text.push_str("locked: [stacks.base-00]\n");
        text.push_str(
            "settings:\n  passwordPolicy: {minimumLength: 14, requireSymbols: true, maxAgeDays: 90}\n",
        );
    }
    if nth == 1 && of > 1 {
        text.push_str("  central:\n    template: base.template.yaml\n    parameters:\n      ");
        text.push_str("Text: \"${{ accounts['team-00001'].email }}\"\n      Days: \"1\"\n");
    }
    text
}

/// A template of the usual length.
fn template(nth: usize) -> String {
    let mut text = format!(
        "AWSTemplateFormatVersion: 2010-09-09\nDescription: Part {nth}\nParameters:\n  Text: {{Type: String}}\n  \
         Days: {{Type: Number}}\nResources:\n"
    );
    for part in 0..6 {
        let _ = write!(
            text,
            "  Group{part}:\n    Type: AWS::Logs::LogGroup\n    Properties:\n      \
             LogGroupName: !Sub /company/${{AWS::AccountId}}/{nth}/{part}\n      RetentionInDays: !Ref Days\n      \
             Tags: [{{Key: text, Value: !Ref Text}}]\n"
        );
    }
    text
}

fn organization() -> String {
    let units: Vec<_> = (0..UNITS).map(|unit| format!("      unit-{unit:02}: {{}}\n")).collect();
    let units = units.concat();
    format!(
        "id: o-exampleorgid\nmanagementAccount: \"999988887777\"\nhomeRegion: eu-west-1\n\
         access: {{role: OrganizationAccountAccessRole, readRole: LandfastRead}}\n\
         accountDefaults:\n  email: \"aws+${{{{ account.slug }}}}@example.com\"\n  tags: {{company: acme}}\n  \
         requiredTags: [owner, costCenter]\nous:\n  workloads:\n    ous:\n{units}"
    )
}

/// Makes a remote with `accounts` folders and `baselines` baselines in one commit.
pub(crate) fn make(folder: &Path, accounts: usize, baselines: usize) {
    let work = folder.join("work");
    let write = |path: &str, text: String| {
        let path = work.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("organization/organization.yaml", organization());
    for nth in 0..baselines {
        write(&baseline_path(nth), baseline(nth, accounts, 30));
        write(&format!("baselines/base-{nth:02}/base.template.yaml"), template(nth));
    }
    for nth in 0..accounts {
        write(&account_path(nth), account(nth, 30));
        if nth % 5 == 0 {
            write(&format!("accounts/team-{nth:05}/network.template.yaml"), template(nth % 7));
        }
    }
    bare::create_bare_from_directory(&work, &remote(folder), BRANCH, "Begin", Timestamp::UNIX_EPOCH).unwrap();
}
