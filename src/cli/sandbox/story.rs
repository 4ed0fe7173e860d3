//! The story: the organization comes up from its folders, alice changes two things, and both come back as issues.
//!
//! Every chapter ends when the simulated AWS or GitHub itself shows that it came true, never when the daemon says so.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::telling::Telling;
use crate::aws::{Cloud, Visitor};
use crate::cli::setup::Failure;
use crate::model::{AccountId, RoleName};
use crate::sandbox::github::Issue;
use crate::sandbox::stage::Stage;

/// How long a chapter may take before it counts as gone wrong.
const PATIENCE: Duration = Duration::from_mins(3);
/// Where the company's alerts go.
const MAILBOX: &str = "security@example.com";
/// Whose policy alice weakens, and whose role she widens.
const WEAKENED: &str = "aws+payments-dev@example.com";
const WIDENED: &str = "aws+payments-prod@example.com";
const WIDENED_ROLE: &str = "AWS-NetOps";
const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// The story and who tells it.
pub(super) struct Story<'a> {
    pub(super) stage: &'a Stage,
    pub(super) telling: &'a mut Telling,
}

impl Story<'_> {
    /// Tells it from the beginning to the end.
    pub(super) async fn tell(&mut self) -> Result<(), Failure> {
        self.telling.opening(self.stage);
        self.accounts_come_up().await?;
        self.somebody_clicks().await?;
        let began = Instant::now();
        self.alice().await?;
        self.issue_about("payments-dev", "password policy", began).await?;
        self.issue_about("payments-prod", WIDENED_ROLE, began).await?;
        self.telling
            .say("\nNothing was put back: the mode is `report`. With `mode: enforce` it would have been.");
        Ok(())
    }

    async fn accounts_come_up(&mut self) -> Result<(), Failure> {
        self.telling.chapter("The organization comes up from its folders");
        let began = Instant::now();
        loop {
            self.telling.listen().await;
            if self.telling.is_settled() {
                break;
            }
            late(began, "the accounts and stacks to come up", &self.telling.last_trouble())?;
        }
        let (accounts, stacks) = (self.stage.aws.accounts().len(), self.stacks());
        self.telling.clear();
        self.telling.say(&format!(
            "\n{accounts} accounts and {stacks} stacks are as the folders say, after {:.0} s.",
            began.elapsed().as_secs_f64()
        ));
        Ok(())
    }

    /// The topic's mailbox hears nothing before somebody has confirmed.
    async fn somebody_clicks(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        let is_waiting = |issue: &Issue| issue.is_open && issue.body.contains("waiting for confirmation");
        let waits = |stage: &Stage| stage.github.issues().into_iter().find(is_waiting);
        let issue = loop {
            self.telling.listen().await;
            if let Some(issue) = waits(self.stage) {
                break issue;
            }
            late(began, "an issue about the mailbox", &self.telling.last_trouble())?;
        };
        self.telling.say(&format!(
            "\n{MAILBOX} has not confirmed that it wants the alerts: issue #{}.",
            issue.number
        ));
        self.stage.aws.confirm_subscriptions(MAILBOX);
        while waits(self.stage).is_some() {
            self.telling.listen().await;
            late(began, "that issue to close", &self.telling.last_trouble())?;
        }
        self.telling.say("Somebody clicks on the link that AWS has sent there, and the issue closes.");
        Ok(())
    }

    fn stacks(&self) -> usize {
        let accounts = self.stage.aws.accounts();
        accounts.iter().map(|account| self.stage.aws.stacks(&account.id).len()).sum()
    }

    /// Somebody with a role of her own, through AWS's ordinary API.
    async fn alice(&mut self) -> Result<(), Failure> {
        self.telling.chapter("alice changes two things by hand");
        let cloud = self.stage.cloud().await?;
        let dev = self.enter(&cloud, WEAKENED).await?;
        dev.put_password_policy(&json!({"minimumLength": 8, "allowUsersToChange": true})).await?;
        self.telling.say("In payments-dev she lets passwords be 8 characters long, without symbols.");
        let prod = self.enter(&cloud, WIDENED).await?;
        prod.attach_role_policy(WIDENED_ROLE, ADMINISTRATOR).await?;
        self.telling.say("In payments-prod she attaches AdministratorAccess to the role AWS-NetOps.\n");
        Ok(())
    }

    /// Opens a session for alice: an administrator has made the role `BreakGlass`, and she assumes it.
    async fn enter(&self, cloud: &Cloud, email: &str) -> Result<Visitor, Failure> {
        let account = self.account(email)?;
        let role = |name: &str| RoleName::parse(name).map_err(|invalid| Failure::Story(invalid.to_string()));
        let made_by_aws = role("OrganizationAccountAccessRole")?;
        let admin = Visitor::assume(cloud, &account, &made_by_aws, "platform-admin", None).await?;
        let break_glass = role("BreakGlass")?;
        admin.create_role(&break_glass, &self.stage.management()?).await?;
        admin.attach_role_policy(break_glass.as_str(), ADMINISTRATOR).await?;
        Ok(Visitor::assume(cloud, &account, &break_glass, "alice", None).await?)
    }

    fn account(&self, email: &str) -> Result<AccountId, Failure> {
        let account = self.stage.aws.account_by_email(email);
        let account = account.ok_or_else(|| Failure::Story(format!("there is no account of {email}")))?;
        AccountId::parse(account.id).map_err(|invalid| Failure::Story(invalid.to_string()))
    }

    /// Waits until GitHub shows an open issue about it that names alice.
    async fn issue_about(&mut self, account: &str, what: &str, began: Instant) -> Result<(), Failure> {
        let mut opened = None;
        loop {
            self.telling.listen().await;
            let found = self.issue(account, what);
            if found.is_some() && opened.is_none() {
                opened = Some(began.elapsed());
            }
            if let Some(issue) = found.filter(|issue| issue.body.contains("/alice")) {
                self.telling.issue(self.stage, &issue, opened.unwrap_or_default(), began.elapsed());
                return Ok(());
            }
            late(
                began,
                &format!("an issue about {what} in {account} that names alice"),
                &self.telling.last_trouble(),
            )?;
        }
    }

    fn issue(&self, account: &str, what: &str) -> Option<Issue> {
        let is_about =
            |issue: &Issue| issue.is_open && issue.title.contains(account) && issue.title.contains(what);
        self.stage.github.issues().into_iter().find(is_about)
    }
}

fn late(began: Instant, what: &str, trouble: &str) -> Result<(), Failure> {
    if began.elapsed() < PATIENCE {
        return Ok(());
    }
    Err(Failure::Story(format!("waited {} s for {what}{trouble}", PATIENCE.as_secs())))
}
