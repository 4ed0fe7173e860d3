//! The words with which AWS tells how something stands, and what each of them comes to.
//!
//! Guarantees: every word AWS documents is named here, once; one that nobody has named leads to less being done. The
//! words are texts, for this module knows no SDK; `tests/it/classes` holds them against the SDK's lists.

/// How a stack stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was deleted.
    Gone,
    /// An empty shell, left by a change set that was never executed: not a stack yet.
    Shell,
    /// An operation on it is under way.
    Moving,
    /// Whole, and it can be updated.
    Whole,
    /// The same, after what was sent last had failed.
    Restored,
    /// Its first creation was rolled back: it has to be deleted before it can be made again.
    Fallen,
    /// A person has to bring it back.
    Broken,
}

impl Standing {
    /// What a `StackStatus` means. A word nobody knows is an operation under way if it says so, and else something
    /// that a person has to look at.
    pub fn of(status: &str) -> Self {
        let unknown = if status.ends_with("_IN_PROGRESS") { Self::Moving } else { Self::Broken };
        Self::known(status).unwrap_or(unknown)
    }

    /// What a `StackStatus` that AWS documents means.
    pub fn known(status: &str) -> Option<Self> {
        Some(match status {
            "DELETE_COMPLETE" => Self::Gone,
            "REVIEW_IN_PROGRESS" => Self::Shell,
            "CREATE_IN_PROGRESS" | "ROLLBACK_IN_PROGRESS" | "DELETE_IN_PROGRESS" => Self::Moving,
            "UPDATE_IN_PROGRESS" | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" => Self::Moving,
            "UPDATE_ROLLBACK_IN_PROGRESS" | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" => Self::Moving,
            "IMPORT_IN_PROGRESS" | "IMPORT_ROLLBACK_IN_PROGRESS" => Self::Moving,
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => Self::Whole,
            "UPDATE_ROLLBACK_COMPLETE" | "IMPORT_ROLLBACK_COMPLETE" => Self::Restored,
            "ROLLBACK_COMPLETE" => Self::Fallen,
            "CREATE_FAILED" | "ROLLBACK_FAILED" | "DELETE_FAILED" | "UPDATE_FAILED" => Self::Broken,
            "UPDATE_ROLLBACK_FAILED" | "IMPORT_ROLLBACK_FAILED" => Self::Broken,
            _ => return None,
        })
    }
}

/// True for a `StackStatus` in which AWS detects drift.
pub fn is_drift_detectable(status: &str) -> bool {
    matches!(
        status,
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE" | "UPDATE_ROLLBACK_FAILED"
    )
}

/// What can be done with a change set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// CloudFormation still works it out.
    Working,
    /// It can be executed.
    Ready,
    /// It was executed: the stack tells the rest.
    Executed,
    /// CloudFormation refused it, or found nothing to change.
    Refused,
    /// The stack has moved on since it was made.
    OutOfDate,
    /// Somebody is deleting it.
    Leaving,
    /// It was deleted.
    Gone,
    /// A person has to look: it can be neither executed nor waited for.
    Broken,
}

impl Readiness {
    /// What `Status` and `ExecutionStatus` mean together. A word nobody knows is never executed.
    pub fn of(status: &str, execution: &str) -> Self {
        Self::known(status, execution).unwrap_or(Self::Broken)
    }

    /// What words that AWS documents mean. `ExecutionStatus` counts only once the change set is worked out.
    pub fn known(status: &str, execution: &str) -> Option<Self> {
        Some(match status {
            "CREATE_PENDING" | "CREATE_IN_PROGRESS" => Self::Working,
            "CREATE_COMPLETE" => return Self::worked_out(execution),
            "FAILED" => Self::Refused,
            "DELETE_PENDING" | "DELETE_IN_PROGRESS" => Self::Leaving,
            "DELETE_COMPLETE" => Self::Gone,
            "DELETE_FAILED" => Self::Broken,
            _ => return None,
        })
    }

    fn worked_out(execution: &str) -> Option<Self> {
        Some(match execution {
            "AVAILABLE" => Self::Ready,
            "EXECUTE_IN_PROGRESS" | "EXECUTE_COMPLETE" | "EXECUTE_FAILED" => Self::Executed,
            "OBSOLETE" => Self::OutOfDate,
            "UNAVAILABLE" => Self::Working,
            _ => return None,
        })
    }
}

/// What is known of the drift of a stack, or of one of its resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// Compared, and as the template says.
    None,
    /// Compared, and another.
    Found,
    /// Not compared: nothing may be said of it.
    Unseen,
}

impl Drift {
    /// What a `StackDriftStatus` or a `StackResourceDriftStatus` means. What nobody knows was not seen.
    pub fn of(status: &str) -> Self {
        Self::known(status).unwrap_or(Self::Unseen)
    }

    /// What a status that AWS documents means.
    pub fn known(status: &str) -> Option<Self> {
        Some(match status {
            "IN_SYNC" => Self::None,
            "DRIFTED" | "MODIFIED" | "DELETED" => Self::Found,
            "NOT_CHECKED" | "UNKNOWN" | "UNSUPPORTED" => Self::Unseen,
            _ => return None,
        })
    }
}

/// Whom the failure of a creation concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// This folder: its name, its e-mail. A commit has to change something.
    Folder,
    /// Every account: a quota, a payment, a validation of the company. Nothing is asked for until it is settled.
    Everybody,
    /// Nobody: AWS itself failed, and may be asked for the same again.
    Aws,
    /// Nobody: AWS is at another request for the same account.
    Twin,
}

impl Failure {
    /// What a `FailureReason` means. What nobody knows is this folder's, and never asked for again by itself.
    pub fn of(reason: &str) -> Self {
        Self::known(reason).unwrap_or(Self::Folder)
    }

    /// What a reason that AWS documents means.
    pub fn known(reason: &str) -> Option<Self> {
        Some(match reason {
            "EMAIL_ALREADY_EXISTS" | "INVALID_EMAIL" | "INVALID_ADDRESS" => Self::Folder,
            "GOVCLOUD_ACCOUNT_ALREADY_EXISTS" => Self::Folder,
            "ACCOUNT_LIMIT_EXCEEDED" => Self::Everybody,
            "MISSING_PAYMENT_INSTRUMENT" | "INVALID_PAYMENT_INSTRUMENT" => Self::Everybody,
            "MISSING_BUSINESS_VALIDATION" | "FAILED_BUSINESS_VALIDATION" => Self::Everybody,
            "PENDING_BUSINESS_VALIDATION" | "UNKNOWN_BUSINESS_VALIDATION" => Self::Everybody,
            "INVALID_IDENTITY_FOR_BUSINESS_VALIDATION" => Self::Everybody,
            // The model's spelling of the one before differs from the documents'.
            "IDENTITY_INVALID_BUSINESS_VALIDATION" => Self::Everybody,
            "UPDATE_EXISTING_RESOURCE_POLICY_WITH_TAGS_NOT_SUPPORTED" => Self::Everybody,
            "INTERNAL_FAILURE" => Self::Aws,
            "CONCURRENT_ACCOUNT_MODIFICATION" => Self::Twin,
            _ => return None,
        })
    }
}
