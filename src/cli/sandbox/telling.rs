//! What the sandbox shows: chapters, bars while accounts are created and stacks roll out, issues, how to play.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::apply::{Event, News};
use crate::daemon::Notice;
use crate::model::{AccountProperty, Item, Outcome, Scope, Verdict};
use crate::report::{self, ScopeReport};
use crate::sandbox::github::Issue;
use crate::sandbox::stage::Stage;

/// How long one look for news lasts.
const LISTEN: Duration = Duration::from_millis(200);

/// The teller: hears of everything and shows what matters.
pub(super) struct Telling {
    notices: UnboundedReceiver<Notice>,
    steps: UnboundedReceiver<Event>,
    reports: BTreeMap<Scope, ScopeReport>,
    declared: BTreeSet<Scope>,
    screen: Screen,
    trouble: Option<String>,
}

/// Two bars, on a terminal; elsewhere nothing, for every step is a line there anyway.
struct Screen {
    bars: MultiProgress,
    accounts: ProgressBar,
    stacks: ProgressBar,
    is_terminal: bool,
}

impl Telling {
    pub(super) fn new(notices: UnboundedReceiver<Notice>, steps: UnboundedReceiver<Event>) -> Self {
        let (reports, declared) = (BTreeMap::new(), BTreeSet::new());
        Self { notices, steps, reports, declared, screen: Screen::new(), trouble: None }
    }

    /// Takes in what has happened, for a moment.
    pub(super) async fn listen(&mut self) {
        let until = tokio::time::Instant::now() + LISTEN;
        loop {
            tokio::select! {
                Some(notice) = self.notices.recv() => self.hear(notice),
                Some(step) = self.steps.recv() => self.step(&step),
                () = tokio::time::sleep_until(until) => return,
            }
        }
    }

    /// Goes on telling what happens, until somebody stops it.
    pub(super) async fn keep_talking(&mut self) {
        loop {
            self.listen().await;
        }
    }

    fn hear(&mut self, notice: Notice) {
        match notice {
            Notice::Accepted(accepted) => {
                self.declared = accepted.desired.scopes().into_iter().collect();
                self.reports.clear();
                self.say(&format!("Commit {} is in force.", accepted.desired.revision.short()));
            }
            Notice::Refused(why) => self.say(&format!("A commit is not followed:\n{why}")),
            Notice::Passed(report) => {
                self.reports.insert(report.scope.clone(), *report);
                self.screen.show(&self.reports);
            }
            Notice::Published => {}
        }
    }

    fn step(&mut self, event: &Event) {
        let News::Ended(outcome) = &event.news else { return };
        let what = format!("{}: {}", event.scope, event.step);
        match outcome {
            Outcome::Done => self.say(&format!("  + {what}")),
            Outcome::Failed { message, .. } => {
                self.trouble = Some(format!("{what}: {message}"));
                self.say(&format!("  ! {what}: {message}"));
            }
            Outcome::Waiting { .. } | Outcome::Stale(_) | Outcome::Skipped { .. } => {}
        }
    }

    /// True when every scope was looked at and has nothing left to do that time alone would bring.
    pub(super) fn is_settled(&self) -> bool {
        let is_quiet = |report: &ScopeReport| {
            let is_done = |verdict| matches!(verdict, Verdict::InSync | Verdict::Gone | Verdict::FirstSight);
            let for_a_person: BTreeSet<_> = report
                .plan
                .blocked
                .iter()
                .filter(|blocked| blocked.needs_person)
                .map(|blocked| &blocked.item)
                .collect();
            let findings = &report.plan.findings;
            report.plan.is_empty()
                && findings.iter().all(|(item, found)| is_done(found.verdict) || for_a_person.contains(item))
        };
        !self.declared.is_empty()
            && self.declared.iter().all(|scope| self.reports.get(scope).is_some_and(is_quiet))
    }

    /// What went wrong last, for the reason that ends the story.
    pub(super) fn last_trouble(&self) -> String {
        self.trouble.as_ref().map(|trouble| format!("; last trouble: {trouble}")).unwrap_or_default()
    }

    /// Takes the bars away.
    pub(super) fn clear(&mut self) {
        self.screen.accounts.finish_and_clear();
        self.screen.stacks.finish_and_clear();
    }

    /// Says a line, above the bars.
    #[expect(clippy::print_stdout, reason = "the story is what this command is asked for")]
    pub(super) fn say(&self, line: &str) {
        self.screen.bars.suspend(|| println!("{line}"));
    }

    pub(super) fn chapter(&self, title: &str) {
        self.say(&format!("\n== {title}\n"));
    }

    pub(super) fn opening(&self, stage: &Stage) {
        self.say(&format!(
            "A simulated AWS organization and a simulated GitHub run in this process, twenty times as fast as\n\
             the real ones. The daemon is the one that runs in production; only its endpoints differ.\n\n\
             \x20 AWS     {}\n\x20 GitHub  {}\n\x20 git     {}",
            stage.aws.endpoint(),
            stage.github.issues_page(),
            stage.remote.display()
        ));
    }

    pub(super) fn issue(&self, stage: &Stage, issue: &Issue, opened: Duration, named: Duration) {
        let page = stage.github.issues_page();
        self.say(&format!(
            "\nIssue #{} was open {:.1} s after alice began and named her after {:.1} s: {page}/{}\n",
            issue.number,
            opened.as_secs_f64(),
            named.as_secs_f64(),
            issue.number,
        ));
        let text = report::plain(&issue.title, &issue.body);
        self.say(&text.lines().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n"));
    }

    pub(super) fn how_to_play(&self, stage: &Stage) {
        self.chapter("Now it is your turn (Ctrl-C ends it)");
        let keys = stage.aws.credentials();
        let (endpoint, page, remote) =
            (stage.aws.endpoint(), stage.github.issues_page(), stage.remote.display());
        let (access, secret) = (keys.access_key, keys.secret_key);
        let account = stage.aws.account_by_email("aws+payments-dev@example.com").map(|account| account.id);
        let account = account.unwrap_or_default();
        self.say(&format!(
            "The AWS CLI and every SDK work against it:\n\n\
             \x20 export AWS_ENDPOINT_URL={endpoint}\n\
             \x20 export AWS_ACCESS_KEY_ID={access}\n\
             \x20 export AWS_SECRET_ACCESS_KEY={secret}\n\
             \x20 export AWS_REGION=eu-west-1\n\n\
             \x20 aws organizations list-accounts\n\
             \x20 aws sts assume-role --role-session-name me \\\n\
             \x20     --role-arn arn:aws:iam::{account}:role/OrganizationAccountAccessRole\n\n\
             With the session's keys look at payments-dev (`aws cloudformation describe-stacks`), change something\n\
             (`aws iam delete-account-password-policy`), and watch it come back as an issue:\n\n\
             \x20 {page}\n\n\
             Change the accounts by a commit: clone the remote, edit a file, push to main, and watch it arrive:\n\n\
             \x20 git clone {remote} my-accounts\n"
        ));
    }
}

impl Screen {
    fn new() -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let bars = MultiProgress::new();
        let bar = |name: &'static str| {
            let bar = bars.add(ProgressBar::new(0).with_prefix(name));
            if let Ok(style) = ProgressStyle::with_template("  {prefix:9} [{bar:40}] {pos}/{len}  {elapsed}")
            {
                bar.set_style(style.progress_chars("=> "));
            }
            bar
        };
        let (accounts, stacks) = (bar("accounts"), bar("stacks"));
        Self { bars, accounts, stacks, is_terminal }
    }

    /// Shows how many accounts and stacks are as they should be.
    fn show(&self, reports: &BTreeMap<Scope, ScopeReport>) {
        if !self.is_terminal {
            return;
        }
        let count = |is_kind: fn(&Item) -> bool| {
            let found = reports.values().flat_map(|report| &report.plan.findings);
            found.filter(|(item, _)| is_kind(item)).fold((0, 0), |(done, all), (_, finding)| {
                (done + u64::from(finding.verdict == Verdict::InSync), all + 1)
            })
        };
        let accounts = count(|item| matches!(item, Item::Account(_, AccountProperty::Exists)));
        let stacks = count(|item| matches!(item, Item::Stack(_)));
        for (bar, (done, all)) in [(&self.accounts, accounts), (&self.stacks, stacks)] {
            if !bar.is_finished() {
                bar.set_length(all);
                bar.set_position(done);
            }
        }
    }
}
