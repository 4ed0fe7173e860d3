//! Outputs that stacks of other accounts take: filled in when they appear, followed when they change, and never made
//! up when they cannot be read.

use std::fmt::Write as _;
use std::time::Duration;

use landfast::apply::Progress;
use landfast::follow::News;
use landfast::git::bare;
use landfast::observe::DriftLook;
use landfast::plan::Guards;
use landfast::reconcile::sweep;
use landfast::report;
use landfast::sandbox::aws::{Fault, Trouble, When};
use landfast::sandbox::stage::{BRANCH, Scenery};

use super::files::{account, baseline, company, path};
use super::{HOME, Play};

const SOURCE: &str = "accounts/logs/source.template.yaml";
const TAKER: &str = "accounts/alpha/taker.template.yaml";
const TAKES: &str = "${{ accounts['logs'].stacks['source'].outputs.Arn }}";

fn source(topic: &str) -> String {
    format!(
        "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Properties: {{TopicName: {topic}}}\n\
         Outputs:\n  Arn: {{Value: !Ref Topic}}\n"
    )
}

fn taker() -> String {
    "Parameters:\n  Topic: {Type: String}\n\
     Resources:\n  Note:\n    Type: AWS::SSM::Parameter\n    Properties: {Type: String, Value: !Ref Topic}\n\
     Outputs:\n  Topic: {Value: !GetAtt Note.Value}\n"
        .to_owned()
}

fn logs(more: &str) -> String {
    account("logs", &format!("{more}stacks: {{source: {{template: source.template.yaml}}}}\n"))
}

/// `taker` takes the topic of `logs`, and `next` what `taker` makes of it.
fn alpha(more: &str) -> String {
    account(
        "alpha",
        &format!(
            "stacks:\n  taker: {{template: taker.template.yaml, parameters: {{Topic: \"{TAKES}\"}}{more}}}\n  \
             next: {{template: taker.template.yaml, parameters: {{Topic: \"${{{{ stacks['taker'].outputs.Topic }}}}\"}}}}\n"
        ),
    )
}

fn files() -> Vec<(String, String)> {
    let mut files = company(&[]);
    files.extend([
        (path("logs"), logs("")),
        (path("alpha"), alpha("")),
        (SOURCE.to_owned(), source("one")),
        (TAKER.to_owned(), taker()),
    ]);
    files
}

impl Play {
    fn topic(&self) -> Option<String> {
        self.stack("logs", "source")?.outputs.get("Arn").cloned()
    }

    /// True when both stacks of `alpha` were given the topic that `logs` has.
    fn has_taken(&self) -> bool {
        let given = |name: &str| self.stack("alpha", name)?.parameters.get("Topic").cloned();
        self.topic()
            .is_some_and(|topic| given("taker").as_ref() == Some(&topic) && given("next") == Some(topic))
            && ["taker", "next"].iter().all(|name| self.has_stack("alpha", name))
    }

    async fn taken(&self) {
        self.until("the topic is taken", Self::has_taken).await;
        self.settled(&["alpha", "logs"]).await;
    }

    /// The change sets that were made for one stack, by their place in the request log.
    fn change_sets(&self, stack: &str) -> Vec<u64> {
        let is_it = |entry: &landfast::sandbox::aws::Entry| {
            let name = entry.params["StackName"].as_str().unwrap_or_default();
            name == stack || name.contains(&format!(":stack/{stack}/"))
        };
        self.calls("CreateChangeSet")
            .iter()
            .filter(|entry| is_it(entry))
            .map(|entry| entry.sequence)
            .collect()
    }

    /// What `landfast plan` prints, with the memory of nobody.
    async fn plan(&self) -> String {
        let daemon = self.stage.daemon(Progress::default(), None).await.unwrap();
        let bases = daemon.publisher.bases().await;
        let mut follow = daemon.follow;
        let News::Accepted(accepted) = follow.look().await.unwrap() else { panic!("no commit") };
        let plan =
            report::text(&sweep::look(&daemon.world, &accepted, &bases, DriftLook::LastKnown, 8).await);
        plan.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

#[tokio::test]
async fn an_output_of_another_account_is_filled_in_on_the_first_rollout() {
    let play = Play::begin(&files()).await;
    play.taken().await;
    let made = ["source", "taker", "next"].map(|stack| play.change_sets(stack));
    assert!(made.iter().all(|made| made.len() == 1), "each is written once, with its value: {made:?}");
    assert!(made[0] < made[1] && made[1] < made[2], "{made:?}");
    play.end().await;
}

/// `taker` of `alpha` is given the id of `logs`, and its own.
fn of_ids(more: &str) -> String {
    let topic = "${{ accounts['logs'].id }}-${{ values.Own }}";
    account(
        "alpha",
        &format!(
            "values: {{Own: \"${{{{ account.id }}}}\"}}\nsettings: {{accountAlias: \"acme-${{{{ values.Own }}}}\"}}\n\
             stacks:\n  taker:\n    template: taker.template.yaml\n    parameters: {{Topic: \"{topic}\"}}\n    \
             tags: {{logs: \"${{{{ accounts['logs'].id }}}}\"}}\n{more}"
        ),
    )
}

#[tokio::test]
async fn an_id_is_taken_once_its_account_is_there_and_recording_it_writes_nothing() {
    let mut files = company(&[]);
    files.extend([(path("alpha"), of_ids("")), (TAKER.to_owned(), taker())]);
    files.push((path("logs"), account("logs", "")));
    let play = Play::begin(&files).await;
    play.until("the stack is there", |play| play.has_stack("alpha", "taker")).await;
    play.settled(&["alpha", "logs"]).await;
    let given = |play: &Play| play.stack("alpha", "taker").unwrap().parameters["Topic"].clone();
    let (alpha, logs) = (play.id("alpha"), play.id("logs"));
    assert_eq!(given(&play), format!("{logs}-{alpha}"));
    assert_eq!(play.stack("alpha", "taker").unwrap().tags["logs"], logs);
    assert_eq!(play.stage.aws.alias(&alpha), Some(format!("acme-{alpha}")));
    assert_eq!(play.change_sets("taker").len(), 1);

    play.until("both ids are proposed", |play| play.stage.github.pulls().len() == 2).await;
    let writes = play.writes().len();
    for slug in ["logs", "alpha"] {
        let (head, now) = (format!("landfast/record-{slug}"), play.stage.aws.now());
        bare::merge(&play.stage.remote, BRANCH, &head, "Record an id", now).unwrap();
        play.rest().await;
    }
    assert_eq!(play.writes().len(), writes, "what is recorded is what was taken");
    play.end().await;
}

#[tokio::test]
async fn while_an_account_is_not_there_only_what_takes_its_id_waits_and_the_reason_is_said() {
    let play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    play.stage.aws.add_fault(Fault::new("CreateAccount", When::Every, Trouble::ErrorBefore(500)));
    let plain = "  plain: {template: source.template.yaml}\n";
    play.commit(
        "Take an id",
        &[
            (&path("logs"), Some(account("logs", ""))),
            (&path("alpha"), Some(of_ids(plain))),
            ("accounts/alpha/source.template.yaml", Some(source("other"))),
            (TAKER, Some(taker())),
        ],
    );
    play.until("the plain stack is there", |play| play.has_stack("alpha", "plain")).await;
    play.looks(4).await;
    assert!(play.change_sets("taker").is_empty());
    let planned = play.plan().await;
    let because = "it needs the id of accounts/logs, which is known once that account is there";
    assert!(planned.contains(because), "{planned}");
    assert!(play.open_issue("attention", "accounts/alpha").is_none(), "nobody has to do anything there");

    play.stage.aws.clear_faults();
    play.until("the stack is there", |play| play.has_stack("alpha", "taker")).await;
    play.settled(&["alpha", "logs"]).await;
    let accounts = play.stage.aws.accounts();
    assert_eq!(accounts.iter().filter(|account| account.name == "Company logs").count(), 1);
    play.until("it is over", |play| play.open_issues().is_empty()).await;
    play.end().await;
}

#[tokio::test]
async fn a_tag_that_waits_holds_back_nobody_who_takes_from_its_stack() {
    let with = |logs: &str, note: &str| {
        let stacks = format!(
            "stacks:\n  source: {{template: source.template.yaml, tags: {{team: a{logs}}}}}\n  taker:\n    \
             template: taker.template.yaml\n    parameters: {{Topic: \"${{{{ stacks['source'].outputs.Arn }}}}\"}}\n    \
             tags: {{note: {note}}}\n"
        );
        account("alpha", &stacks)
    };
    let mut files = company(&[]);
    files.extend([(path("alpha"), with("", "first")), (TAKER.to_owned(), taker())]);
    files.push(("accounts/alpha/source.template.yaml".to_owned(), source("one")));
    let play = Play::begin(&files).await;
    play.until("the stack is there", |play| play.has_stack("alpha", "taker")).await;
    play.rest().await;
    play.stage.aws.add_fault(Fault::new("CreateAccount", When::Every, Trouble::ErrorBefore(500)));
    let tagged = with(", logs: \"${{ accounts['logs'].id }}\"", "second");
    play.commit("Tag both", &[(&path("logs"), Some(account("logs", ""))), (&path("alpha"), Some(tagged))]);
    let note = |play: &Play| play.stack("alpha", "taker").unwrap().tags["note"].clone();
    play.until("who takes from it is changed", |play| note(play) == "second").await;
    play.looks(4).await;
    assert_eq!(play.change_sets("source").len(), 1, "its tag waits");
    play.stage.aws.clear_faults();
    let is_tagged = |play: &Play| play.stack("alpha", "source").unwrap().tags.contains_key("logs");
    play.until("the tag is there", is_tagged).await;
    play.settled(&["alpha", "logs"]).await;
    assert_eq!(play.stack("alpha", "source").unwrap().tags["logs"], play.id("logs"));
    play.until("it is over", |play| play.open_issues().is_empty()).await;
    play.end().await;
}

#[tokio::test]
async fn while_the_output_is_not_there_only_what_takes_it_waits_and_the_reason_is_said() {
    let play = Play::begin(&company(&["alpha", "logs"])).await;
    play.settled(&["alpha", "logs"]).await;
    play.stage.aws.fail_resource(&play.id("logs"), HOME, "Topic", "the quota for topics is used up");
    let plain = format!("{}  plain: {{template: source.template.yaml}}\n", alpha(""));
    play.commit(
        "Share the topic",
        &[
            (&path("logs"), Some(logs(""))),
            (&path("alpha"), Some(plain)),
            (SOURCE, Some(source("one"))),
            ("accounts/alpha/source.template.yaml", Some(source("other"))),
            (TAKER, Some(taker())),
        ],
    );
    play.until("the plain stack is there", |play| play.has_stack("alpha", "plain")).await;
    play.until("the failure is told", |play| play.open_issue("attention", "accounts/logs").is_some()).await;
    play.rest().await;
    assert_eq!((play.change_sets("taker"), play.change_sets("next")), (vec![], vec![]));
    let planned = play.plan().await;
    let because = "it needs the output Arn of the stack source in logs (eu-west-1), which is not there yet";
    assert!(planned.contains(because), "{planned}");
    assert!(play.open_issue("attention", "accounts/alpha").is_none(), "nobody has to do anything there");

    play.commit("Another topic", &[(SOURCE, Some(source("two")))]);
    play.taken().await;
    play.until("it is over", |play| play.open_issues().is_empty()).await;
    play.end().await;
}

#[tokio::test]
async fn an_output_that_changes_is_taken_once_the_change_is_done_without_a_commit_of_who_takes_it() {
    let play = Play::begin(&files()).await;
    play.taken().await;
    let before = play.topic();
    let done = play.change_sets("taker").len();
    play.commit("Another topic", &[(SOURCE, Some(source("two")))]);
    play.until("the topic is another", |play| play.topic().is_some() && play.topic() != before).await;
    play.taken().await;
    let (changed, taken) = (play.change_sets("source"), play.change_sets("taker"));
    assert!(taken.len() == done + 1 && changed.last() < taken.last(), "{changed:?} {taken:?}");
    assert_eq!(play.open_issues(), []);
    play.end().await;
}

#[tokio::test]
async fn a_commit_that_changes_both_ends_writes_the_taker_once() {
    let play = Play::begin(&files()).await;
    play.taken().await;
    let before = (play.topic(), play.change_sets("taker").len());
    let tagged = alpha(", tags: {note: both}");
    play.commit("Both", &[(SOURCE, Some(source("two"))), (&path("alpha"), Some(tagged))]);
    play.until("the topic is another", |play| play.topic().is_some() && play.topic() != before.0).await;
    play.taken().await;
    assert_eq!(play.change_sets("taker").len(), before.1 + 1);
    assert_eq!(play.stack("alpha", "taker").unwrap().tags["note"], "both");
    play.end().await;
}

#[tokio::test]
async fn an_output_that_cannot_be_read_changes_nothing_and_hides_nothing() {
    let mut play = Play::begin(&files()).await;
    play.taken().await;
    play.stop().await;
    let before = play.change_sets("taker").len() + play.change_sets("next").len();
    let denied =
        Fault::new("DescribeStacks", When::Every, Trouble::ErrorBefore(500)).within(&play.id("logs"));
    play.stage.aws.add_fault(denied);
    play.commit(
        "A tag",
        &[
            (&path("alpha"), Some(alpha(", tags: {note: later}"))),
            (super::files::BASELINE, Some(baseline(15))),
        ],
    );
    play.start();
    play.until("what does not wait is applied", |play| play.password_length("alpha") == Some(15)).await;
    play.looks(6).await;
    assert_eq!(play.change_sets("taker").len() + play.change_sets("next").len(), before, "{}", play.scene());
    assert!(play.open_issue("drift", "accounts/alpha").is_none(), "{}", play.scene());
    let planned = play.plan().await;
    let because = "it needs the output Arn of the stack source in logs (eu-west-1), which could not be read";
    assert!(planned.contains(because), "{planned}");

    play.alice_widens_role("alpha").await;
    play.until("drift elsewhere is told", |play| play.open_issue("drift", "accounts/alpha").is_some()).await;
    play.stage.aws.clear_faults();
    play.until("the tag is there", |play| play.stack("alpha", "taker").unwrap().tags.contains_key("note"))
        .await;
    play.rest().await;
    assert!(play.has_taken());
    play.end().await;
}

#[tokio::test]
async fn what_somebody_makes_of_an_output_by_hand_goes_no_further() {
    let mut play = Play::begin(&files()).await;
    play.taken().await;
    let before = play.change_sets("taker").len() + play.change_sets("next").len();
    let taken = play.stack("alpha", "taker").unwrap().parameters;
    let cloudformation = aws_sdk_cloudformation::Client::new(&play.session("logs", "alice").await);
    let by_hand = cloudformation.update_stack().stack_name("source").template_body(source("alices"));
    by_hand.send().await.unwrap();
    play.until("the topic is hers", |play| play.topic().is_some_and(|topic| topic.ends_with("alices"))).await;
    play.until("it is told", |play| play.open_issue("drift", "accounts/logs").is_some()).await;
    play.rest().await;
    play.stop().await;
    play.start();
    play.rest().await;
    assert_eq!(play.change_sets("taker").len() + play.change_sets("next").len(), before, "{}", play.scene());
    assert_eq!(play.stack("alpha", "taker").unwrap().parameters, taken);

    play.commit("Take it over", &[(SOURCE, Some(source("alices")))]);
    play.taken().await;
    play.until("it is over", |play| play.open_issues().is_empty()).await;
    play.end().await;
}

#[tokio::test]
async fn a_restart_where_all_is_in_line_looks_once_and_writes_nothing() {
    // Half a minute, for which those who take are held up, must be long enough for a busy machine.
    let mut scenery = Scenery::fast(30.0);
    scenery.rhythm.poll = Duration::from_millis(100);
    scenery.rhythm.resync = Duration::from_hours(1);
    scenery.rhythm.detect_drift_every = Duration::from_hours(1);
    let mut play = Play::set(scenery, &files()).await;
    play.start();
    play.until("the topic is taken", Play::has_taken).await;
    play.until("the roles are there", |play| ["alpha", "logs"].iter().all(|slug| play.is_kept(slug))).await;
    let quiet = async |play: &Play| {
        let mut before = (0, 0);
        while before != (play.log().len(), play.stage.github.writes().len()) {
            before = (play.log().len(), play.stage.github.writes().len());
            tokio::time::sleep(super::REST).await;
        }
    };
    quiet(&play).await;
    play.stop().await;
    let looks = |play: &Play, slug: &str| {
        let id = play.id(slug);
        play.calls("DescribeStacks").iter().filter(|entry| entry.account == id).count()
    };
    let before = (looks(&play, "alpha"), looks(&play, "logs"), play.writes().len());
    play.start();
    play.until("both were looked at", |play| {
        looks(play, "alpha") > before.0 && looks(play, "logs") > before.1
    })
    .await;
    quiet(&play).await;
    assert_eq!(
        (looks(&play, "alpha"), looks(&play, "logs"), play.writes().len()),
        (before.0 + 1, before.1 + 1, before.2)
    );
    super::rest::nothing_is_left_to_do(&play).await;
    play.stop().await;
}

#[tokio::test]
async fn a_commit_counts_every_account_that_takes_what_it_changes() {
    let mut play = Play::begin(&files()).await;
    play.taken().await;
    play.stop().await;
    play.stage.guard(Guards { accounts_per_commit: Some(1), ..Guards::default() });
    play.start();
    let commit = play.commit("Another topic", &[(SOURCE, Some(source("two")))]);
    play.until("it is told", |play| play.open_issue("halted", "").is_some()).await;
    let body = play.open_issue("halted", "").unwrap().body;
    assert!(body.contains("changes 2 accounts (alpha, logs)"), "{body}");
    let approved = [commit].into();
    play.stop().await;
    play.stage.guard(Guards { accounts_per_commit: Some(1), approved, ..Guards::default() });
    play.start();
    play.until("it is followed", |play| play.topic().is_some_and(|topic| topic.ends_with("two"))).await;
    play.taken().await;
    play.end().await;
}

#[tokio::test]
async fn a_circle_across_accounts_is_refused_with_its_path() {
    let play = Play::begin(&files()).await;
    play.taken().await;
    let writes = play.writes().len();
    let back = "stacks: {source: {template: taker.template.yaml, parameters: \
                {Topic: \"${{ accounts['alpha'].stacks['taker'].outputs.Topic }}\"}}}\n";
    let takes = taker().replace("  Topic: {Value: !GetAtt Note.Value}", "  Arn: {Value: !GetAtt Note.Value}");
    play.commit(
        "Round and round",
        &[(&path("logs"), Some(account("logs", back))), ("accounts/logs/taker.template.yaml", Some(takes))],
    );
    play.until("it is told", |play| play.open_issue("rejected", "").is_some()).await;
    let body = play.open_issue("rejected", "").unwrap().body;
    assert!(body.contains("alpha/taker reads logs/source reads alpha/taker"), "{body}");
    assert!(body.contains("accounts/logs/account.yaml:4"), "{body}");
    play.rest().await;
    assert_eq!(play.writes().len(), writes);
    play.commit("Back", &[(&path("logs"), Some(logs(""))), ("accounts/logs/taker.template.yaml", None)]);
    play.until("it is over", |play| play.open_issues().is_empty()).await;
    play.end().await;
}

/// A template with one parameter of which it asks `asked`.
fn asking(asked: &str) -> String {
    format!(
        "Parameters:\n  Days: {{{asked}}}\nResources:\n  Topic:\n    Type: AWS::SNS::Topic\n    \
         Properties: {{DisplayName: !Ref Days}}\nOutputs:\n  Days: {{Value: !Ref Days}}\n"
    )
}

#[tokio::test]
async fn a_value_that_the_template_does_not_take_is_told_with_the_reason_and_never_sent() {
    let cases = [
        ("few", "Type: Number, MinValue: 10", "MinValue: at least 10"),
        ("many", "Type: Number, MaxValue: 5", "MaxValue: at most 5"),
        ("short", "Type: String, MinLength: 2", "MinLength: at least 2 characters, and it has 1"),
        ("long", "Type: String, MaxLength: 0", "MaxLength: at most 0 characters, and it has 1"),
        ("plain", "Type: String, AllowedPattern: \"[a-z]+\"", "AllowedPattern: the whole value has to match"),
        ("listed", "Type: String, AllowedValues: [one, two]", "AllowedValues: allowed: one, two"),
        ("fits", "Type: Number, MinValue: 1, MaxValue: 9", ""),
    ];
    let mut more =
        "stacks:\n  source: {template: source.template.yaml, parameters: {Days: \"7\"}}\n".to_owned();
    let mut files = company(&[]);
    files.push(("accounts/alpha/source.template.yaml".to_owned(), asking("Type: String")));
    for (name, asked, _) in cases {
        let parameters = "{Days: \"${{ stacks['source'].outputs.Days }}\"}";
        let _ = writeln!(more, "  {name}: {{template: {name}.template.yaml, parameters: {parameters}}}");
        files.push((format!("accounts/alpha/{name}.template.yaml"), asking(asked)));
    }
    files.push((path("alpha"), account("alpha", &more)));
    let play = Play::begin(&files).await;
    play.until("what fits is there", |play| play.has_stack("alpha", "fits")).await;
    let is_told = |play: &Play| play.open_issue("attention", "accounts/alpha").is_some();
    play.until("the others are told", is_told).await;
    play.rest().await;
    let body = play.open_issue("attention", "accounts/alpha").unwrap().body;
    for (name, _, because) in cases {
        assert!(body.contains(because), "{name}: {because}\n{body}");
        assert_eq!(play.change_sets(name).len(), usize::from(name == "fits"), "{name}");
    }
    play.end().await;
}
