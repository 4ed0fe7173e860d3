//! Steps of policies: made, changed, attached, detached and deleted, one at a time.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::organization::{Ous, held};
use crate::aws::{Error, Reader, Writer};
use crate::model::{AccountId, OuPath, Outcome, Policy, PolicyName, PolicyTarget, PolicyType, Value};

/// When something that another change of policies keeps back is looked at again.
const LATER: Duration = Duration::from_secs(15);

/// The policies of one plan: the ids of those it makes, and where OUs are.
pub(super) struct Policies<'a> {
    pub(super) reader: &'a Reader,
    pub(super) writer: &'a Writer,
    pub(super) ous: &'a Ous,
    pub(super) made: &'a Made,
}

/// Ids of the policies that a plan has made so far.
#[derive(Default)]
pub(super) struct Made(Mutex<BTreeMap<PolicyName, String>>);

impl Made {
    fn note(&self, name: &PolicyName, id: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), id);
    }

    fn id(&self, name: &PolicyName) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

impl Policies<'_> {
    pub(super) async fn enable(&self, kind: PolicyType) -> Result<Outcome, Error> {
        let Some(root) = self.ous.id(&OuPath::root()) else {
            return Ok(Outcome::Stale("the root of the organization is not known".to_owned()));
        };
        match self.writer.enable_policy_type(&root, kind).await {
            Ok(true) => Ok(Outcome::Done),
            Ok(false) => Ok(Outcome::Waiting { because: "AWS is enabling it".to_owned(), after: LATER }),
            Err(error) => told(Err(error)),
        }
    }

    /// Makes a policy, once. That one of this name is there by now AWS finds out: names are unique.
    pub(super) async fn create(
        &self,
        name: &PolicyName,
        after: &Policy,
        declared_in: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<Outcome, Error> {
        match self.writer.create_policy(after.kind, name.as_str(), declared_in, &after.text, tags).await {
            Ok(id) => {
                self.made.note(name, id);
                Ok(Outcome::Done)
            }
            Err(error) if error.code() == Some("DuplicatePolicyException") => {
                Ok(Outcome::Stale(format!("a policy {name} is there by now")))
            }
            Err(error) if error.outcome_unknown() => Ok(Outcome::Waiting {
                because: format!(
                    "it is not known whether the request arrived; looking before asking again: {error}"
                ),
                after: LATER,
            }),
            Err(error) => told(Err(error)),
        }
    }

    /// Replaces the content, if it still is what the plan saw.
    pub(super) async fn update(
        &self,
        name: &PolicyName,
        id: &str,
        before: &Value,
        after: &Policy,
    ) -> Result<Outcome, Error> {
        if let Some(stale) = self.moved(name, id, after.kind, before).await? {
            return Ok(stale);
        }
        told(self.writer.update_policy(id, &after.text).await)
    }

    pub(super) async fn attach(
        &self,
        name: &PolicyName,
        id: Option<&str>,
        target: &PolicyTarget,
        account: Option<&AccountId>,
    ) -> Result<Outcome, Error> {
        let Some(id) = id.map(str::to_owned).or_else(|| self.made.id(name)) else {
            return Ok(Outcome::Stale(format!("the policy {name} is not there")));
        };
        match self.place(target, account).await? {
            Ok(place) => told(self.writer.attach_policy(&id, &place).await),
            Err(outcome) => Ok(outcome),
        }
    }

    pub(super) async fn detach(
        &self,
        id: &str,
        target: &PolicyTarget,
        account: Option<&AccountId>,
    ) -> Result<Outcome, Error> {
        match self.place(target, account).await? {
            Ok(place) => told(self.writer.detach_policy(id, &place).await),
            Err(outcome) => Ok(outcome),
        }
    }

    /// Deletes a policy that is as the plan saw it and attached to nothing.
    pub(super) async fn delete(
        &self,
        name: &PolicyName,
        id: &str,
        kind: PolicyType,
        before: &Value,
    ) -> Result<Outcome, Error> {
        if let Some(stale) = self.moved(name, id, kind, before).await? {
            return Ok(stale);
        }
        match self.writer.delete_policy(id).await {
            Err(error) if error.code() == Some("PolicyInUseException") => Ok(Outcome::Waiting {
                because: format!("the policy {name} is attached to something that git does not declare"),
                after: super::HELD,
            }),
            answer => told(answer),
        }
    }

    /// Why the policy is no longer what the plan saw, if so.
    async fn moved(
        &self,
        name: &PolicyName,
        id: &str,
        kind: PolicyType,
        before: &Value,
    ) -> Result<Option<Outcome>, Error> {
        let now = match self.reader.policy_content(id).await {
            Ok(content) => kind.read(&content),
            Err(error) if error.code() == Some("PolicyNotFoundException") => {
                return Ok(Some(Outcome::Stale(format!("the policy {name} is gone by now"))));
            }
            Err(error) => return Err(error),
        };
        let is_same = now == *before;
        Ok((!is_same).then(|| Outcome::Stale(format!("the policy {name} was changed meanwhile"))))
    }

    /// The id of a target, or why nothing is written there now. The brake of an account is read at this moment.
    async fn place(
        &self,
        target: &PolicyTarget,
        account: Option<&AccountId>,
    ) -> Result<Result<String, Outcome>, Error> {
        let id = match (target, account) {
            (PolicyTarget::Ou(path), _) => self.ous.id(path),
            (PolicyTarget::Account(_), Some(account)) => {
                if let Some(held) = held(account, &self.reader.tags_of(account.as_str()).await?) {
                    return Ok(Err(held));
                }
                Some(account.to_string())
            }
            (PolicyTarget::Account(_), None) => None,
        };
        Ok(id.ok_or_else(|| Outcome::Stale(format!("{target} is not there"))))
    }
}

/// What became of a call; a refusal that a person has to see to says how.
fn told(answer: Result<(), Error>) -> Result<Outcome, Error> {
    let Err(error) = answer else { return Ok(Outcome::Done) };
    match advice(error.reason().or(error.code()).unwrap_or_default()) {
        Some(advice) => Ok(Outcome::Failed { class: error.class(), message: format!("{error}; {advice}") }),
        None => Err(error),
    }
}

/// What to do about what AWS refuses of policies, by reason or code.
fn advice(why: &str) -> Option<&'static str> {
    Some(match why {
        "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED" => {
            "detach another policy of this kind there, or bring two together in one file"
        }
        "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED" => {
            "one policy of this kind has to stay attached there: attach another first"
        }
        "POLICY_CONTENT_LIMIT_EXCEEDED" => "make the policy shorter, or part it in two",
        "POLICY_NUMBER_LIMIT_EXCEEDED" => "delete policies that nobody needs, or have AWS raise the quota",
        "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE" => "enable all features of the organization",
        "MalformedPolicyDocumentException" => "correct the file: AWS's words say what it does not take",
        "PolicyTypeNotAvailableForOrganizationException" => {
            "enable all features of the organization, and trusted access where this kind of policy asks for it"
        }
        _ => return None,
    })
}
