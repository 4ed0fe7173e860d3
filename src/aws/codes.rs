//! Every refusal that AWS is known to give, and what the loop does next about it.
//!
//! Guarantees: what is known is named, and covered by nothing else; where one code stands for many things, its reason
//! or its words decide. `tests/it/classes` holds the tables against the SDK's own lists.

use super::Refusal;
use crate::model::Class;

/// The class of a refusal, or nothing where nobody has classed its code or its reason yet.
pub(super) fn class(refusal: &Refusal) -> Option<Class> {
    let Refusal { operation, code, message, reason, status, .. } = refusal;
    match code.as_str() {
        // The burst of account requests is spent: ten seconds and more from now, not five.
        "TooManyRequestsException" if *operation == "CreateAccount" => Some(Class::Waiting),
        // AWS is in trouble, or wants fewer calls; the code beside it adds nothing.
        _ if *status >= 500 || *status == 429 => Some(Class::Transient),
        "ConstraintViolationException" => constraint(reason.as_deref()?),
        "InvalidInputException" => input(reason.as_deref()?),
        "ValidationError" => Some(validation(message)),
        code => by_code(code),
    }
}

fn by_code(code: &str) -> Option<Class> {
    passing(code).or_else(|| outdated(code)).or_else(|| lasting(code)).or_else(|| ours(code))
}

/// True for AWS's own failures: they say nothing of how far the call got. Not every service gives them a status of
/// 5xx.
pub(super) fn is_fault(code: &str) -> bool {
    matches!(
        code,
        "ServiceException"
            | "ServiceFailure"
            | "ServiceUnavailable"
            | "ServiceUnavailableException"
            | "InternalFailure"
            | "InternalError"
            | "InternalServerError"
            | "RequestTimeout"
            | "RequestTimeoutException"
    )
}

/// What passes by itself.
fn passing(code: &str) -> Option<Class> {
    Some(match code {
        "Throttling" | "ThrottlingException" | "ThrottledException" | "RequestThrottled" => Class::Transient,
        "RequestThrottledException" | "TooManyRequestsException" | "RequestLimitExceeded" => Class::Transient,
        "BandwidthLimitExceeded" | "SlowDown" | "PriorRequestNotComplete" => Class::Transient,
        fault if is_fault(fault) => Class::Transient,
        // The next session is a new one.
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => Class::Transient,
        "ConcurrentModificationException" | "ConcurrentModification" => Class::Transient,
        "ConflictException" | "EntityTemporarilyUnmodifiable" => Class::Transient,
        "PolicyChangesInProgressException" => Class::Transient,
        // The list is read again from its beginning.
        "InvalidNextTokenException" => Class::Transient,
        "FinalizingOrganizationException" => Class::Waiting,
        // What a new account, or a region that was just switched on, answers until it is set up.
        "OptInRequired" | "SubscriptionRequiredException" | "PendingVerification" => Class::Waiting,
        // It is being made, executed or deleted.
        "InvalidChangeSetStatus" => Class::Waiting,
        _ => return None,
    })
}

/// The world is not what the plan saw: the next pass looks again, and decides anew.
fn outdated(code: &str) -> Option<Class> {
    Some(match code {
        "AccountNotFoundException" | "ChildNotFoundException" | "ParentNotFoundException" => Class::Transient,
        "SourceParentNotFoundException" | "DestinationParentNotFoundException" => Class::Transient,
        "RootNotFoundException" => Class::Transient,
        "TargetNotFoundException" | "NoSuchEntity" | "ChangeSetNotFound" => Class::Transient,
        "DuplicateAccountException" | "DuplicateOrganizationalUnitException" => Class::Transient,
        "AlreadyExistsException" | "TokenAlreadyExistsException" => Class::Transient,
        "PolicyNotFoundException" | "DuplicatePolicyException" | "PolicyInUseException" => Class::Transient,
        "DuplicatePolicyAttachmentException" | "PolicyNotAttachedException" => Class::Transient,
        "PolicyTypeAlreadyEnabledException" | "PolicyTypeNotEnabledException" => Class::Transient,
        _ => return None,
    })
}

/// What stays as it is until a person or a commit changes it.
fn lasting(code: &str) -> Option<Class> {
    Some(match code {
        // Permissions: ours, or a service control policy.
        "AccessDenied" | "AccessDeniedException" | "AccessDeniedForDependencyException" => Class::Stalled,
        "UnauthorizedOperation" | "OperationNotPermittedException" | "AuthorizationError" => Class::Stalled,
        // Credentials. A new account answers some of these too, which `is_not_ready` tells.
        "AuthFailure" | "InvalidClientTokenId" | "UnrecognizedClientException" => Class::Stalled,
        "SignatureDoesNotMatch" | "IncompleteSignature" | "RequestTimeTooSkewed" => Class::Stalled,
        "MissingAuthenticationToken" | "MissingAuthenticationTokenException" => Class::Stalled,
        "PackedPolicyTooLarge" => Class::Stalled,
        // The wrong place to ask.
        "AWSOrganizationsNotInUseException" | "UnsupportedAPIEndpointException" => Class::Stalled,
        "RegionDisabledException" | "UnsupportedOperationException" => Class::Stalled,
        // Quotas. The SDK takes CloudFormation's for a throttle; asking again does not make room.
        "LimitExceededException" | "LimitExceeded" => Class::Stalled,
        // What the files ask for.
        "InsufficientCapabilitiesException" | "MalformedPolicyDocument" | "InvalidInput" => Class::Stalled,
        "MalformedPolicyDocumentException" => Class::Stalled,
        "PolicyTypeNotAvailableForOrganizationException" => Class::Stalled,
        "EntityAlreadyExists" | "UnmodifiableEntity" | "PolicyNotAttachable" => Class::Stalled,
        _ => return None,
    })
}

/// What Landfast should not have sent.
fn ours(code: &str) -> Option<Class> {
    Some(match code {
        "SerializationException" | "MalformedQueryString" | "InvalidAction" | "MissingAction" => Class::Bug,
        "UnknownOperationException" | "MissingParameter" | "InvalidParameterCombination" => Class::Bug,
        "InvalidParameter" => Class::Bug,
        "InvalidEventCategoryException" | "InvalidLookupAttributesException" => Class::Bug,
        "InvalidMaxResultsException" | "InvalidTimeRangeException" => Class::Bug,
        _ => return None,
    })
}

/// CloudFormation has one code for everything; its words tell.
fn validation(message: &str) -> Class {
    let is_moving = message.contains("_IN_PROGRESS state")
        || (message.contains(" while in status ") && message.contains("_IN_PROGRESS"));
    if is_moving || message.starts_with("Drift detection is already in progress") {
        return Class::Waiting;
    }
    let is_outdated = says_absent(message)
        || message.contains(" already exists and cannot be created again ")
        || message.ends_with(" state and can not be updated.");
    if is_outdated { Class::Transient } else { Class::Stalled }
}

/// The two sentences that mean that a stack is not there, whole and with a name in them that can be one.
pub(super) fn says_absent(message: &str) -> bool {
    let by_id = message.strip_prefix("Stack with id ").and_then(|rest| rest.strip_suffix(" does not exist"));
    let by_name = message.strip_prefix("Stack [").and_then(|rest| rest.strip_suffix("] does not exist"));
    by_id.or(by_name).is_some_and(|name| !name.is_empty() && !name.contains(' '))
}

/// The limits of Organizations.
fn constraint(reason: &str) -> Option<Class> {
    Some(match reason {
        // So many at once: the next may go when one of them is done.
        "ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED" | "CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED" => Class::Waiting,
        "ACCOUNT_CREATION_NOT_COMPLETE" => Class::Waiting,
        // Somebody else's doing, which ends within minutes.
        "TRANSFER_RESPONSIBILITY_SOURCE_DELETION_IN_PROGRESS" => Class::Waiting,
        "TRANSFER_RESPONSIBILITY_TARGET_DELETION_IN_PROGRESS" => Class::Waiting,
        // Quotas, which a person has AWS raise or makes room under.
        "ACCOUNT_NUMBER_LIMIT_EXCEEDED" | "CLOSE_ACCOUNT_QUOTA_EXCEEDED" => Class::Stalled,
        "OU_DEPTH_LIMIT_EXCEEDED" | "OU_NUMBER_LIMIT_EXCEEDED" | "MAX_TAG_LIMIT_EXCEEDED" => Class::Stalled,
        "POLICY_CONTENT_LIMIT_EXCEEDED" | "POLICY_NUMBER_LIMIT_EXCEEDED" => Class::Stalled,
        "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED" => Class::Stalled,
        "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED" => Class::Stalled,
        "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED" => Class::Stalled,
        "ALL_FEATURES_MIGRATION_ORGANIZATION_SIZE_LIMIT_EXCEEDED" => Class::Stalled,
        // By the day, and for invitations, which Landfast does not send.
        "HANDSHAKE_RATE_LIMIT_EXCEEDED" => Class::Stalled,
        // What the files ask for against a tag policy.
        "TAG_POLICY_VIOLATION" => Class::Stalled,
        reason => return standing_in_the_way(reason),
    })
}

/// What the organization or its contract lacks: a person has to see to it.
fn standing_in_the_way(reason: &str) -> Option<Class> {
    let known = [
        "ACCOUNT_CANNOT_LEAVE_ORGANIZATION",
        "ACCOUNT_CANNOT_LEAVE_WITHOUT_EULA",
        "ACCOUNT_CANNOT_LEAVE_WITHOUT_PHONE_VERIFICATION",
        "ACCOUNT_NOT_ACTIVE_FOR_TRANSFER_RESPONSIBILITY",
        "ACTIVE_RESPONSIBILITY_TRANSFER_PROCESS",
        "CANNOT_CLOSE_MANAGEMENT_ACCOUNT",
        "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR",
        "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR",
        "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
        "CREATE_ORGANIZATION_IN_BILLING_MODE_UNSUPPORTED_REGION",
        "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE",
        "EMAIL_VERIFICATION_CODE_EXPIRED",
        "INVALID_PAYMENT_INSTRUMENT",
        "MASTER_ACCOUNT_ADDRESS_DOES_NOT_MATCH_MARKETPLACE",
        "MASTER_ACCOUNT_MISSING_BUSINESS_LICENSE",
        "MASTER_ACCOUNT_MISSING_CONTACT_INFO",
        "MASTER_ACCOUNT_NOT_GOVCLOUD_ENABLED",
        "MASTER_ACCOUNT_PAYMENT_INSTRUMENT_REQUIRED",
        "MEMBER_ACCOUNT_PAYMENT_INSTRUMENT_REQUIRED",
        "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE",
        "POLICY_TYPE_ENABLED_FOR_THIS_SERVICE",
        "RESPONSIBILITY_TRANSFER_MAX_INBOUND_QUOTA_VIOLATION",
        "RESPONSIBILITY_TRANSFER_MAX_LEVEL_VIOLATION",
        "RESPONSIBILITY_TRANSFER_MAX_OUTBOUND_QUOTA_VIOLATION",
        "RESPONSIBILITY_TRANSFER_MAX_TRANSFERS_QUOTA_VIOLATION",
        "SERVICE_ACCESS_NOT_ENABLED",
        "TRANSFER_RESPONSIBILITY_UPDATE_NOT_ALLOWED",
        "UNMET_BILLING_PREREQUISITE",
        "UNSUPPORTED_PRICING",
        "WAIT_PERIOD_ACTIVE",
    ];
    known.contains(&reason).then_some(Class::Stalled)
}

/// What Organizations dislikes about a request.
fn input(reason: &str) -> Option<Class> {
    Some(match reason {
        // The list is read again from its beginning.
        "INVALID_NEXT_TOKEN" => Class::Transient,
        // Values that come from the files: names, e-mails, tags, roles.
        "INVALID_PATTERN" | "INVALID_PATTERN_TARGET_ID" | "INVALID_LIST_MEMBER" => Class::Stalled,
        "MAX_LENGTH_EXCEEDED" | "MIN_LENGTH_EXCEEDED" => Class::Stalled,
        "MAX_VALUE_EXCEEDED" | "MIN_VALUE_EXCEEDED" => Class::Stalled,
        "INVALID_EMAIL_ADDRESS_TARGET" | "INVALID_FULL_NAME_TARGET" | "INVALID_ROLE_NAME" => Class::Stalled,
        "DUPLICATE_TAG_KEY" | "INVALID_SYSTEM_TAGS_PARAMETER" | "TARGET_NOT_SUPPORTED" => Class::Stalled,
        "IMMUTABLE_POLICY" | "NON_DETACHABLE_POLICY" | "INVALID_RESOURCE_POLICY_JSON" => Class::Stalled,
        "UNSUPPORTED_ACTION_IN_RESOURCE_POLICY" | "UNSUPPORTED_POLICY_TYPE_IN_RESOURCE_POLICY" => {
            Class::Stalled
        }
        "UNSUPPORTED_RESOURCE_IN_RESOURCE_POLICY" | "INVALID_PRINCIPAL" => Class::Stalled,
        "UNRECOGNIZED_SERVICE_PRINCIPAL" => Class::Stalled,
        // Requests that were put together wrongly, or of kinds that Landfast never sends.
        "CALLER_REQUIRED_FIELD_MISSING" | "INPUT_REQUIRED" | "INVALID_ENUM" => Class::Bug,
        "INVALID_ENUM_POLICY_TYPE" | "INVALID_PARTY_TYPE_TARGET" | "MAX_LIMIT_EXCEEDED_FILTER" => Class::Bug,
        "INVALID_SYNTAX_ORGANIZATION_ARN" | "INVALID_SYNTAX_POLICY_ID" => Class::Bug,
        "MOVING_ACCOUNT_BETWEEN_DIFFERENT_ROOTS" => Class::Bug,
        "END_DATE_NOT_END_OF_MONTH" | "END_DATE_TOO_EARLY" | "END_DATE_TOO_LATE" => Class::Bug,
        "INVALID_END_DATE" | "INVALID_START_DATE" => Class::Bug,
        "START_DATE_NOT_BEGINNING_OF_DAY" | "START_DATE_NOT_BEGINNING_OF_MONTH" => Class::Bug,
        "START_DATE_TOO_EARLY" | "START_DATE_TOO_LATE" => Class::Bug,
        "UNSUPPORTED_ACTION_IN_RESPONSIBILITY_TRANSFER" => Class::Bug,
        _ => return None,
    })
}
