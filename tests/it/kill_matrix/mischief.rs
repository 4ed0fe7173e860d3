//! What the matrix is there to find, done by hand: each has to be noticed, or nothing that it finds right means anything.

use std::collections::BTreeMap;
use std::time::Duration;

use landfast::git::bare;

use super::truth::{Truth, difference};
use super::world::{World, admin, email, inside};

impl World {
    /// Does one wrong after the other to a world at rest with this truth.
    pub(super) async fn every_mischief_is_seen(&self, truth: &Truth) {
        self.counts().unwrap();
        let mut known = 0;
        let mut noticed = |what: &str| {
            let found = difference(truth, &self.truth()).len();
            assert!(found > known, "nobody noticed {what}");
            known = found;
        };
        let team = |n: u32| self.stage.aws.account_by_email(&email(&format!("team{n:02}"))).unwrap().id;
        let organizations = aws_sdk_organizations::Client::new(&admin(&self.stage.aws).await);

        let twin = organizations.create_account().account_name("Company team01").email(email("team01-again"));
        twin.send().await.unwrap();
        self.stage.aws.advance(Duration::from_mins(2));
        noticed("an account that nobody declared");
        self.counts().unwrap_err();

        let (from, to) = (self.stage.aws.ous()["/workloads"].clone(), self.stage.aws.root_id());
        let away = organizations.move_account().account_id(team(2)).source_parent_id(from);
        away.destination_parent_id(to).send().await.unwrap();
        noticed("an account in the wrong place");

        let stacks = aws_sdk_cloudformation::Client::new(&inside(&self.stage.aws, &team(3)).await);
        let template = "Resources: {Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: other}}}";
        stacks.create_stack().stack_name("logs-again").template_body(template).send().await.unwrap();
        noticed("a second stack");

        let issues = self.stage.github.issues();
        let open = issues.iter().find(|issue| issue.is_open).unwrap();
        self.stage.github.open_by("landfast[bot]", &open.title, &open.body);
        noticed("a second issue");
        self.stage.github.close_by_human(open.number);
        noticed("a lost issue");
        let head = "landfast/record-team01";
        self.stage.github.open_pull_from_fork("landfast[bot]", Some("acme/aws-accounts"), head, "main");
        noticed("a second pull request");

        let path = "base/accounts/team04.yaml".to_owned();
        let changes = BTreeMap::from([(path, Some(b"{}\n".to_vec()))]);
        let now = jiff::Timestamp::now();
        bare::commit_file_changes(&self.stage.remote, "landfast/observed", &changes, "forged", now).unwrap();
        noticed("a base that was lost");
        let branch = "landfast/record-team05";
        bare::delete_branch(&self.stage.remote, branch).unwrap();
        noticed("a proposal that was lost");
    }
}
