//! What AWS refuses and what becomes of a call nobody answered.
//!
//! Guarantees: errors are told apart by the code on the wire, for many are not modelled by the SDK; "absent" is
//! said of exact texts only; a write that was not answered is never taken for one that did not happen.

use std::error::Error as _;
use std::time::Duration;

use aws_sdk_sts::config::http::HttpResponse;
use aws_sdk_sts::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use super::codes;
use crate::model::{AccountId, Class, OrganizationId, RoleName};

/// What went wrong with a call.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// AWS said no. Its code and message tell why: permissions, quotas, names, or too many calls.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// No usable answer came: time ran out, the connection broke, or the answer was cut short. The call may or may
    /// not have taken effect; check the network and the AWS health page if it stays.
    #[error("{operation} in {place} was not answered: {message}")]
    Unanswered {
        /// The call.
        operation: &'static str,
        /// The account it was for.
        place: String,
        /// What is known.
        message: String,
    },
    /// The call was never sent: no credentials were found, or Landfast built it wrongly. Check the credential chain.
    #[error("{operation} in {place} was not sent: {message}")]
    NotSent {
        /// The call.
        operation: &'static str,
        /// The account it was for.
        place: String,
        /// What is known.
        message: String,
    },
    /// The answer lacks what it must hold, or its pages go round in a circle. Report it.
    #[error("the answer to {operation} in {place} makes no sense: {message}")]
    Malformed {
        /// The call.
        operation: &'static str,
        /// The account it was for.
        place: String,
        /// What is wrong with it.
        message: String,
    },
    /// The session is for another account than the one wanted. Check the role's name and the account's id.
    #[error("the role {role} of account {wanted} answered as {arn}, which is not that account")]
    WrongAccount {
        /// The account that was wanted.
        wanted: AccountId,
        /// The role that was assumed.
        role: RoleName,
        /// What the session says it is.
        arn: String,
    },
    /// The credentials belong to another organization or management account than the repository says. Check
    /// `organization/organization.yaml` and the credentials.
    #[error("these credentials are for {found}, but the repository is for {wanted}")]
    WrongOrganization {
        /// What the repository says.
        wanted: String,
        /// What AWS says.
        found: String,
    },
    /// AWS lets so many of these calls through and no more. Nothing to do: it is tried again by itself.
    #[error("{operation} is held back so as not to exceed what AWS allows; next in {} s", after.as_secs().max(1))]
    Paced {
        /// The call.
        operation: &'static str,
        /// When the next may go.
        after: Duration,
    },
}

/// An answer of AWS that says no.
#[derive(Debug, thiserror::Error)]
#[error("{operation} in {place}: {code}{}: {message}", reason.as_ref().map(|r| format!(" ({r})")).unwrap_or_default())]
pub struct Refusal {
    /// The call.
    pub operation: &'static str,
    /// The account it was for.
    pub place: String,
    /// The code on the wire, such as `AccessDenied`.
    pub code: String,
    /// AWS's words.
    pub message: String,
    /// The `Reason` that some codes of Organizations carry.
    pub reason: Option<String>,
    /// The HTTP status.
    pub status: u16,
}

impl Error {
    /// Takes an SDK error apart.
    pub(super) fn sdk<E>(operation: &'static str, place: &str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let place = place.to_owned();
        match &error {
            SdkError::ServiceError(service) => {
                let status = service.raw().status().as_u16();
                let code = service.err().code().map_or_else(|| format!("HTTP {status}"), str::to_owned);
                let message = service.err().message().unwrap_or("(no message)").to_owned();
                let reason = reason(service.raw());
                let refusal = Refusal { operation, place, code, message, reason, status };
                if refusal.known_class().is_none() {
                    tracing::warn!(%refusal, "AWS answered what Landfast has no class for; please report it");
                }
                Self::Refused(Box::new(refusal))
            }
            SdkError::ConstructionFailure(_) => Self::NotSent { operation, place, message: story(error) },
            SdkError::DispatchFailure(failure) if failure.is_other() && is_missing_credentials(&error) => {
                let message = "no AWS credentials were found or they cannot be read; set AWS_PROFILE, \
                               AWS_ACCESS_KEY_ID, or run where a role is attached";
                Self::NotSent { operation, place, message: message.to_owned() }
            }
            _ => Self::Unanswered { operation, place, message: story(error) },
        }
    }

    /// An answer that lacks `what`.
    pub(super) fn lacks(operation: &'static str, place: &str, what: &str) -> Self {
        Self::Malformed { operation, place: place.to_owned(), message: format!("it has no {what}") }
    }

    /// The code on the wire, where AWS answered.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => Some(&refusal.code),
            _ => None,
        }
    }

    /// The `Reason` that AWS gave beside the code.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => refusal.reason.as_deref(),
            _ => None,
        }
    }

    /// True when a write may have taken effect all the same: look before sending it again.
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Unanswered { .. } | Self::Malformed { .. } => true,
            Self::Refused(refusal) => {
                refusal.status >= 500 || codes::is_fault(&refusal.code) || self.is_expired()
            }
            _ => false,
        }
    }

    /// True when permissions are missing.
    pub fn is_access_denied(&self) -> bool {
        matches!(
            self.code(),
            Some("AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "AuthFailure")
        )
    }

    /// True when the thing asked for is certainly not there.
    pub fn is_absent(&self) -> bool {
        let Self::Refused(refusal) = self else { return false };
        match refusal.code.as_str() {
            "NoSuchEntity" | "ChangeSetNotFound" => true,
            "ValidationError" => codes::says_absent(&refusal.message),
            _ => false,
        }
    }

    /// True for what CloudFormation answers in place of an empty list of importers.
    pub(super) fn is_not_imported(&self) -> bool {
        let Self::Refused(refusal) = self else { return false };
        refusal.code == "ValidationError" && refusal.message.ends_with(" is not imported by any stack.")
    }

    /// True for what a fresh account answers until its services are up.
    pub fn is_not_ready(&self) -> bool {
        matches!(
            self.code(),
            Some(
                "OptInRequired"
                    | "SubscriptionRequiredException"
                    | "PendingVerification"
                    | "InvalidClientTokenId"
            )
        )
    }

    /// True when the session was too old.
    pub fn is_expired(&self) -> bool {
        matches!(self.code(), Some("ExpiredToken" | "ExpiredTokenException" | "RequestExpired"))
    }

    /// What the loop does next about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Unanswered { .. } | Self::Malformed { .. } => Class::Transient,
            Self::NotSent { .. } | Self::WrongAccount { .. } | Self::WrongOrganization { .. } => {
                Class::Stalled
            }
            Self::Paced { .. } => Class::Waiting,
            Self::Refused(refusal) => refusal.class(),
        }
    }
}

impl Refusal {
    /// The class of what is known; nothing for a code, or a reason beside it, that nobody has classed yet.
    pub fn known_class(&self) -> Option<Class> {
        codes::class(self)
    }

    /// What nobody has classed is left to a person: asked again, it might do harm.
    fn class(&self) -> Class {
        self.known_class().unwrap_or(Class::Stalled)
    }
}

/// The `Reason` of an awsJson error, which the SDK gives by operation only.
fn reason(answer: &HttpResponse) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(answer.body().bytes()?).ok()?;
    Some(body.get("Reason")?.as_str()?.to_owned())
}

/// Credentials are looked up as part of the call; without them nothing was sent.
fn is_missing_credentials<E: std::error::Error + 'static>(error: &SdkError<E, HttpResponse>) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        // The SDK has no public type for this; its credential errors say so in their names.
        if cause.to_string().contains("credential") {
            return true;
        }
        source = cause.source();
    }
    false
}

fn story<E: std::error::Error + 'static>(error: SdkError<E, HttpResponse>) -> String {
    DisplayErrorContext(error).to_string().lines().next().unwrap_or_default().to_owned()
}

/// What the repository says about who we should be, against what AWS says.
pub(super) fn wrong_organization(
    organization: &OrganizationId,
    management: &AccountId,
    found: &str,
) -> Error {
    let wanted = format!("organization {organization} with management account {management}");
    Error::WrongOrganization { wanted, found: found.to_owned() }
}
