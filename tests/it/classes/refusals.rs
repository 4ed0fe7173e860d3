//! Codes: those the SDK models for the calls we make, and those it does not model.

use std::collections::BTreeSet;

use landfast::model::Class;

use super::sdk::{self, Call, calls, codes};
use super::{judged, refusal, table};

#[test]
fn every_call_of_ours_is_found_by_its_method_and_by_its_name() {
    let found: BTreeSet<String> = calls().into_iter().map(|call| call.operation).collect();
    assert_eq!(found, sdk::named());
    assert!(found.len() > 20, "{found:?}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_modelled_error_of_every_call_has_a_class() {
    let lines = calls().into_iter().flat_map(|call| {
        let codes = codes(&call);
        codes.into_iter().map(move |code| line(&call, &code))
    });
    insta::assert_snapshot!(table(lines), @r#"
    cloudformation CreateChangeSet AlreadyExistsException: transient
    cloudformation CreateChangeSet InsufficientCapabilitiesException: stalled
    cloudformation CreateChangeSet LimitExceededException: stalled
    cloudformation DeleteChangeSet InvalidChangeSetStatus: waiting
    cloudformation DeleteStack TokenAlreadyExistsException: transient
    cloudformation DescribeChangeSet ChangeSetNotFound: transient (absent)
    cloudformation ExecuteChangeSet ChangeSetNotFound: transient (absent)
    cloudformation ExecuteChangeSet InsufficientCapabilitiesException: stalled
    cloudformation ExecuteChangeSet InvalidChangeSetStatus: waiting
    cloudformation ExecuteChangeSet TokenAlreadyExistsException: transient
    cloudformation GetTemplate ChangeSetNotFound: transient (absent)
    cloudtrail LookupEvents InvalidEventCategoryException: bug
    cloudtrail LookupEvents InvalidLookupAttributesException: bug
    cloudtrail LookupEvents InvalidMaxResultsException: bug
    cloudtrail LookupEvents InvalidNextTokenException: transient
    cloudtrail LookupEvents InvalidTimeRangeException: bug
    cloudtrail LookupEvents OperationNotPermittedException: stalled
    cloudtrail LookupEvents UnsupportedOperationException: stalled
    iam AttachRolePolicy InvalidInput: stalled
    iam AttachRolePolicy LimitExceeded: stalled
    iam AttachRolePolicy NoSuchEntity: transient (absent)
    iam AttachRolePolicy PolicyNotAttachable: stalled
    iam AttachRolePolicy ServiceFailure: transient (looked before sent again)
    iam AttachRolePolicy UnmodifiableEntity: stalled
    iam CreateAccountAlias ConcurrentModification: transient
    iam CreateAccountAlias EntityAlreadyExists: stalled
    iam CreateAccountAlias LimitExceeded: stalled
    iam CreateAccountAlias ServiceFailure: transient (looked before sent again)
    iam CreateRole ConcurrentModification: transient
    iam CreateRole EntityAlreadyExists: stalled
    iam CreateRole InvalidInput: stalled
    iam CreateRole LimitExceeded: stalled
    iam CreateRole MalformedPolicyDocument: stalled
    iam CreateRole ServiceFailure: transient (looked before sent again)
    iam CreateSAMLProvider ConcurrentModification: transient
    iam CreateSAMLProvider EntityAlreadyExists: stalled
    iam CreateSAMLProvider InvalidInput: stalled
    iam CreateSAMLProvider LimitExceeded: stalled
    iam CreateSAMLProvider ServiceFailure: transient (looked before sent again)
    iam DeleteAccountAlias ConcurrentModification: transient
    iam DeleteAccountAlias LimitExceeded: stalled
    iam DeleteAccountAlias NoSuchEntity: transient (absent)
    iam DeleteAccountAlias ServiceFailure: transient (looked before sent again)
    iam DeleteAccountPasswordPolicy LimitExceeded: stalled
    iam DeleteAccountPasswordPolicy NoSuchEntity: transient (absent)
    iam DeleteAccountPasswordPolicy ServiceFailure: transient (looked before sent again)
    iam DeleteSAMLProvider InvalidInput: stalled
    iam DeleteSAMLProvider LimitExceeded: stalled
    iam DeleteSAMLProvider NoSuchEntity: transient (absent)
    iam DeleteSAMLProvider ServiceFailure: transient (looked before sent again)
    iam DetachRolePolicy InvalidInput: stalled
    iam DetachRolePolicy LimitExceeded: stalled
    iam DetachRolePolicy NoSuchEntity: transient (absent)
    iam DetachRolePolicy ServiceFailure: transient (looked before sent again)
    iam DetachRolePolicy UnmodifiableEntity: stalled
    iam GetAccountPasswordPolicy NoSuchEntity: transient (absent)
    iam GetAccountPasswordPolicy ServiceFailure: transient (looked before sent again)
    iam GetSAMLProvider InvalidInput: stalled
    iam GetSAMLProvider NoSuchEntity: transient (absent)
    iam GetSAMLProvider ServiceFailure: transient (looked before sent again)
    iam ListAccountAliases ServiceFailure: transient (looked before sent again)
    iam ListSAMLProviders ServiceFailure: transient (looked before sent again)
    iam UpdateAccountPasswordPolicy LimitExceeded: stalled
    iam UpdateAccountPasswordPolicy MalformedPolicyDocument: stalled
    iam UpdateAccountPasswordPolicy NoSuchEntity: transient (absent)
    iam UpdateAccountPasswordPolicy ServiceFailure: transient (looked before sent again)
    iam UpdateSAMLProvider ConcurrentModification: transient
    iam UpdateSAMLProvider InvalidInput: stalled
    iam UpdateSAMLProvider LimitExceeded: stalled
    iam UpdateSAMLProvider NoSuchEntity: transient (absent)
    iam UpdateSAMLProvider ServiceFailure: transient (looked before sent again)
    organizations AttachPolicy AccessDeniedException: stalled (denied)
    organizations AttachPolicy AWSOrganizationsNotInUseException: stalled
    organizations AttachPolicy ConcurrentModificationException: transient
    organizations AttachPolicy ConstraintViolationException: by its reason
    organizations AttachPolicy DuplicatePolicyAttachmentException: transient
    organizations AttachPolicy InvalidInputException: by its reason
    organizations AttachPolicy PolicyChangesInProgressException: transient
    organizations AttachPolicy PolicyNotFoundException: transient
    organizations AttachPolicy PolicyTypeNotEnabledException: transient
    organizations AttachPolicy ServiceException: transient (looked before sent again)
    organizations AttachPolicy TargetNotFoundException: transient
    organizations AttachPolicy TooManyRequestsException: transient
    organizations AttachPolicy UnsupportedAPIEndpointException: stalled
    organizations CreateAccount AccessDeniedException: stalled (denied)
    organizations CreateAccount AWSOrganizationsNotInUseException: stalled
    organizations CreateAccount ConcurrentModificationException: transient
    organizations CreateAccount ConstraintViolationException: by its reason
    organizations CreateAccount FinalizingOrganizationException: waiting
    organizations CreateAccount InvalidInputException: by its reason
    organizations CreateAccount ServiceException: transient (looked before sent again)
    organizations CreateAccount TooManyRequestsException: waiting
    organizations CreateAccount UnsupportedAPIEndpointException: stalled
    organizations CreateOrganizationalUnit AccessDeniedException: stalled (denied)
    organizations CreateOrganizationalUnit AWSOrganizationsNotInUseException: stalled
    organizations CreateOrganizationalUnit ConcurrentModificationException: transient
    organizations CreateOrganizationalUnit ConstraintViolationException: by its reason
    organizations CreateOrganizationalUnit DuplicateOrganizationalUnitException: transient
    organizations CreateOrganizationalUnit InvalidInputException: by its reason
    organizations CreateOrganizationalUnit ParentNotFoundException: transient
    organizations CreateOrganizationalUnit ServiceException: transient (looked before sent again)
    organizations CreateOrganizationalUnit TooManyRequestsException: transient
    organizations CreatePolicy AccessDeniedException: stalled (denied)
    organizations CreatePolicy AWSOrganizationsNotInUseException: stalled
    organizations CreatePolicy ConcurrentModificationException: transient
    organizations CreatePolicy ConstraintViolationException: by its reason
    organizations CreatePolicy DuplicatePolicyException: transient
    organizations CreatePolicy InvalidInputException: by its reason
    organizations CreatePolicy MalformedPolicyDocumentException: stalled
    organizations CreatePolicy PolicyTypeNotAvailableForOrganizationException: stalled
    organizations CreatePolicy ServiceException: transient (looked before sent again)
    organizations CreatePolicy TooManyRequestsException: transient
    organizations CreatePolicy UnsupportedAPIEndpointException: stalled
    organizations DeletePolicy AccessDeniedException: stalled (denied)
    organizations DeletePolicy AWSOrganizationsNotInUseException: stalled
    organizations DeletePolicy ConcurrentModificationException: transient
    organizations DeletePolicy InvalidInputException: by its reason
    organizations DeletePolicy PolicyInUseException: transient
    organizations DeletePolicy PolicyNotFoundException: transient
    organizations DeletePolicy ServiceException: transient (looked before sent again)
    organizations DeletePolicy TooManyRequestsException: transient
    organizations DeletePolicy UnsupportedAPIEndpointException: stalled
    organizations DescribeOrganization AccessDeniedException: stalled (denied)
    organizations DescribeOrganization AWSOrganizationsNotInUseException: stalled
    organizations DescribeOrganization ConcurrentModificationException: transient
    organizations DescribeOrganization ServiceException: transient (looked before sent again)
    organizations DescribeOrganization TooManyRequestsException: transient
    organizations DescribePolicy AccessDeniedException: stalled (denied)
    organizations DescribePolicy AWSOrganizationsNotInUseException: stalled
    organizations DescribePolicy InvalidInputException: by its reason
    organizations DescribePolicy PolicyNotFoundException: transient
    organizations DescribePolicy ServiceException: transient (looked before sent again)
    organizations DescribePolicy TooManyRequestsException: transient
    organizations DescribePolicy UnsupportedAPIEndpointException: stalled
    organizations DetachPolicy AccessDeniedException: stalled (denied)
    organizations DetachPolicy AWSOrganizationsNotInUseException: stalled
    organizations DetachPolicy ConcurrentModificationException: transient
    organizations DetachPolicy ConstraintViolationException: by its reason
    organizations DetachPolicy InvalidInputException: by its reason
    organizations DetachPolicy PolicyChangesInProgressException: transient
    organizations DetachPolicy PolicyNotAttachedException: transient
    organizations DetachPolicy PolicyNotFoundException: transient
    organizations DetachPolicy ServiceException: transient (looked before sent again)
    organizations DetachPolicy TargetNotFoundException: transient
    organizations DetachPolicy TooManyRequestsException: transient
    organizations DetachPolicy UnsupportedAPIEndpointException: stalled
    organizations EnablePolicyType AccessDeniedException: stalled (denied)
    organizations EnablePolicyType AWSOrganizationsNotInUseException: stalled
    organizations EnablePolicyType ConcurrentModificationException: transient
    organizations EnablePolicyType ConstraintViolationException: by its reason
    organizations EnablePolicyType InvalidInputException: by its reason
    organizations EnablePolicyType PolicyChangesInProgressException: transient
    organizations EnablePolicyType PolicyTypeAlreadyEnabledException: transient
    organizations EnablePolicyType PolicyTypeNotAvailableForOrganizationException: stalled
    organizations EnablePolicyType RootNotFoundException: transient
    organizations EnablePolicyType ServiceException: transient (looked before sent again)
    organizations EnablePolicyType TooManyRequestsException: transient
    organizations EnablePolicyType UnsupportedAPIEndpointException: stalled
    organizations ListAccounts AccessDeniedException: stalled (denied)
    organizations ListAccounts AWSOrganizationsNotInUseException: stalled
    organizations ListAccounts InvalidInputException: by its reason
    organizations ListAccounts ServiceException: transient (looked before sent again)
    organizations ListAccounts TooManyRequestsException: transient
    organizations ListCreateAccountStatus AccessDeniedException: stalled (denied)
    organizations ListCreateAccountStatus AWSOrganizationsNotInUseException: stalled
    organizations ListCreateAccountStatus InvalidInputException: by its reason
    organizations ListCreateAccountStatus ServiceException: transient (looked before sent again)
    organizations ListCreateAccountStatus TooManyRequestsException: transient
    organizations ListCreateAccountStatus UnsupportedAPIEndpointException: stalled
    organizations ListOrganizationalUnitsForParent AccessDeniedException: stalled (denied)
    organizations ListOrganizationalUnitsForParent AWSOrganizationsNotInUseException: stalled
    organizations ListOrganizationalUnitsForParent InvalidInputException: by its reason
    organizations ListOrganizationalUnitsForParent ParentNotFoundException: transient
    organizations ListOrganizationalUnitsForParent ServiceException: transient (looked before sent again)
    organizations ListOrganizationalUnitsForParent TooManyRequestsException: transient
    organizations ListParents AccessDeniedException: stalled (denied)
    organizations ListParents AWSOrganizationsNotInUseException: stalled
    organizations ListParents ChildNotFoundException: transient
    organizations ListParents InvalidInputException: by its reason
    organizations ListParents ServiceException: transient (looked before sent again)
    organizations ListParents TooManyRequestsException: transient
    organizations ListPolicies AccessDeniedException: stalled (denied)
    organizations ListPolicies AWSOrganizationsNotInUseException: stalled
    organizations ListPolicies InvalidInputException: by its reason
    organizations ListPolicies ServiceException: transient (looked before sent again)
    organizations ListPolicies TooManyRequestsException: transient
    organizations ListPolicies UnsupportedAPIEndpointException: stalled
    organizations ListRoots AccessDeniedException: stalled (denied)
    organizations ListRoots AWSOrganizationsNotInUseException: stalled
    organizations ListRoots InvalidInputException: by its reason
    organizations ListRoots ServiceException: transient (looked before sent again)
    organizations ListRoots TooManyRequestsException: transient
    organizations ListTagsForResource AccessDeniedException: stalled (denied)
    organizations ListTagsForResource AWSOrganizationsNotInUseException: stalled
    organizations ListTagsForResource InvalidInputException: by its reason
    organizations ListTagsForResource ServiceException: transient (looked before sent again)
    organizations ListTagsForResource TargetNotFoundException: transient
    organizations ListTagsForResource TooManyRequestsException: transient
    organizations ListTargetsForPolicy AccessDeniedException: stalled (denied)
    organizations ListTargetsForPolicy AWSOrganizationsNotInUseException: stalled
    organizations ListTargetsForPolicy InvalidInputException: by its reason
    organizations ListTargetsForPolicy PolicyNotFoundException: transient
    organizations ListTargetsForPolicy ServiceException: transient (looked before sent again)
    organizations ListTargetsForPolicy TooManyRequestsException: transient
    organizations ListTargetsForPolicy UnsupportedAPIEndpointException: stalled
    organizations MoveAccount AccessDeniedException: stalled (denied)
    organizations MoveAccount AccountNotFoundException: transient
    organizations MoveAccount AWSOrganizationsNotInUseException: stalled
    organizations MoveAccount ConcurrentModificationException: transient
    organizations MoveAccount DestinationParentNotFoundException: transient
    organizations MoveAccount DuplicateAccountException: transient
    organizations MoveAccount InvalidInputException: by its reason
    organizations MoveAccount ServiceException: transient (looked before sent again)
    organizations MoveAccount SourceParentNotFoundException: transient
    organizations MoveAccount TooManyRequestsException: transient
    organizations TagResource AccessDeniedException: stalled (denied)
    organizations TagResource AWSOrganizationsNotInUseException: stalled
    organizations TagResource ConcurrentModificationException: transient
    organizations TagResource ConstraintViolationException: by its reason
    organizations TagResource InvalidInputException: by its reason
    organizations TagResource ServiceException: transient (looked before sent again)
    organizations TagResource TargetNotFoundException: transient
    organizations TagResource TooManyRequestsException: transient
    organizations UpdatePolicy AccessDeniedException: stalled (denied)
    organizations UpdatePolicy AWSOrganizationsNotInUseException: stalled
    organizations UpdatePolicy ConcurrentModificationException: transient
    organizations UpdatePolicy ConstraintViolationException: by its reason
    organizations UpdatePolicy DuplicatePolicyException: transient
    organizations UpdatePolicy InvalidInputException: by its reason
    organizations UpdatePolicy MalformedPolicyDocumentException: stalled
    organizations UpdatePolicy PolicyChangesInProgressException: transient
    organizations UpdatePolicy PolicyNotFoundException: transient
    organizations UpdatePolicy ServiceException: transient (looked before sent again)
    organizations UpdatePolicy TooManyRequestsException: transient
    organizations UpdatePolicy UnsupportedAPIEndpointException: stalled
    sns ListSubscriptions AuthorizationError: stalled
    sns ListSubscriptions InternalError: transient (looked before sent again)
    sns ListSubscriptions InvalidParameter: bug
    sts AssumeRole ExpiredTokenException: transient (session renewed, looked before sent again)
    sts AssumeRole MalformedPolicyDocument: stalled
    sts AssumeRole PackedPolicyTooLarge: stalled
    sts AssumeRole RegionDisabledException: stalled
    "#);
}

/// Two codes stand for many things, which their reasons tell apart: they have tables of their own.
fn line(call: &Call, code: &str) -> String {
    let Call { service, operation } = call;
    let has_reason = ["ConstraintViolationException", "InvalidInputException"].contains(&code);
    let named: &'static str = operation.clone().leak();
    let class =
        if has_reason { "by its reason".to_owned() } else { judged(&refusal(named, code, None, "no", 400)) };
    format!("{service} {operation} {code}: {class}")
}

#[test]
fn every_code_that_is_not_modelled_has_a_class() {
    let codes = [
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "AuthFailure",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "RequestTimeTooSkewed",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "OptInRequired",
        "SubscriptionRequiredException",
        "PendingVerification",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "SlowDown",
        "PriorRequestNotComplete",
        "RequestTimeout",
        "RequestTimeoutException",
        "InternalFailure",
        "InternalError",
        "InternalServerError",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "ConflictException",
        "EntityTemporarilyUnmodifiable",
        "SerializationException",
        "MalformedQueryString",
        "InvalidAction",
        "MissingAction",
        "UnknownOperationException",
        "MissingParameter",
        "InvalidParameterCombination",
    ];
    let line = |code: &str| format!("{code}: {}", judged(&refusal("DescribeStacks", code, None, "no", 400)));
    insta::assert_snapshot!(table(codes.map(line)), @r"
    AccessDenied: stalled (denied)
    AccessDeniedException: stalled (denied)
    UnauthorizedOperation: stalled (denied)
    AuthFailure: stalled (denied)
    InvalidClientTokenId: stalled (waited for in a new account)
    UnrecognizedClientException: stalled
    SignatureDoesNotMatch: stalled
    IncompleteSignature: stalled
    RequestTimeTooSkewed: stalled
    MissingAuthenticationToken: stalled
    MissingAuthenticationTokenException: stalled
    ExpiredToken: transient (session renewed, looked before sent again)
    ExpiredTokenException: transient (session renewed, looked before sent again)
    RequestExpired: transient (session renewed, looked before sent again)
    OptInRequired: waiting (waited for in a new account)
    SubscriptionRequiredException: waiting (waited for in a new account)
    PendingVerification: waiting (waited for in a new account)
    Throttling: transient
    ThrottlingException: transient
    ThrottledException: transient
    RequestThrottled: transient
    RequestThrottledException: transient
    TooManyRequestsException: transient
    RequestLimitExceeded: transient
    BandwidthLimitExceeded: transient
    SlowDown: transient
    PriorRequestNotComplete: transient
    RequestTimeout: transient (looked before sent again)
    RequestTimeoutException: transient (looked before sent again)
    InternalFailure: transient (looked before sent again)
    InternalError: transient (looked before sent again)
    InternalServerError: transient (looked before sent again)
    ServiceUnavailable: transient (looked before sent again)
    ServiceUnavailableException: transient (looked before sent again)
    ConflictException: transient
    EntityTemporarilyUnmodifiable: transient
    SerializationException: bug
    MalformedQueryString: bug
    InvalidAction: bug
    MissingAction: bug
    UnknownOperationException: bug
    MissingParameter: bug
    InvalidParameterCombination: bug
    ");
}

/// CloudFormation says most things under one code. The sentences are AWS's own.
#[test]
fn the_words_of_a_validation_error_tell_what_it_is() {
    let sentences = [
        "Stack with id network does not exist",
        "Stack [network] does not exist",
        "Stack [network] already exists and cannot be created again with the changeSet [landfast-1].",
        "Stack:arn:aws:cloudformation:x is in ROLLBACK_COMPLETE state and can not be updated.",
        "Stack:arn:aws:cloudformation:x is in UPDATE_ROLLBACK_FAILED state and can not be updated.",
        "Stack:arn:aws:cloudformation:x is in UPDATE_IN_PROGRESS state and can not be updated.",
        "Stack:arn:aws:cloudformation:x is in UPDATE_COMPLETE_CLEANUP_IN_PROGRESS state and can not be updated.",
        "Stack [arn:aws:cloudformation:x] cannot be deleted while in status UPDATE_IN_PROGRESS",
        "Drift detection is already in progress for stack network",
        "Template format error: YAML not well-formed. (line 1, column 2)",
        "Parameters: [Cidr] must have values",
        "1 validation error detected: Value '…' at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200",
        "Role arn:aws:iam::111122223333:role/x is invalid or cannot be assumed",
        "Stack [network] cannot be deleted while TerminationProtection is enabled",
        "Export vpc cannot be deleted as it is in use by other",
    ];
    let line = |words: &str| {
        format!("{words}: {}", judged(&refusal("CreateChangeSet", "ValidationError", None, words, 400)))
    };
    insta::assert_snapshot!(table(sentences.map(line)), @r"
    Stack with id network does not exist: transient (absent)
    Stack [network] does not exist: transient (absent)
    Stack [network] already exists and cannot be created again with the changeSet [landfast-1].: transient
    Stack:arn:aws:cloudformation:x is in ROLLBACK_COMPLETE state and can not be updated.: transient
    Stack:arn:aws:cloudformation:x is in UPDATE_ROLLBACK_FAILED state and can not be updated.: transient
    Stack:arn:aws:cloudformation:x is in UPDATE_IN_PROGRESS state and can not be updated.: waiting
    Stack:arn:aws:cloudformation:x is in UPDATE_COMPLETE_CLEANUP_IN_PROGRESS state and can not be updated.: waiting
    Stack [arn:aws:cloudformation:x] cannot be deleted while in status UPDATE_IN_PROGRESS: waiting
    Drift detection is already in progress for stack network: waiting
    Template format error: YAML not well-formed. (line 1, column 2): stalled
    Parameters: [Cidr] must have values: stalled
    1 validation error detected: Value '…' at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200: stalled
    Role arn:aws:iam::111122223333:role/x is invalid or cannot be assumed: stalled
    Stack [network] cannot be deleted while TerminationProtection is enabled: stalled
    Export vpc cannot be deleted as it is in use by other: stalled
    ");
}

#[test]
fn an_answer_of_5xx_or_429_passes_whatever_its_code() {
    for status in [500, 502, 503, 504, 429] {
        for code in ["AccessDenied", "SomethingNew", "HTTP 503"] {
            let error = refusal("DescribeStacks", code, None, "no", status);
            assert_eq!(error.class(), Class::Transient, "{status} {code}");
            assert_eq!(error.outcome_unknown(), status >= 500, "{status} {code}");
        }
    }
}

/// Asked again, it might do harm: nobody knows what it means.
#[test]
fn an_unknown_code_or_reason_is_left_to_a_person() {
    for (code, reason) in [
        ("SomethingNew", None),
        ("HTTP 403", None),
        ("ConstraintViolationException", Some("SOMETHING_NEW")),
        ("ConstraintViolationException", None),
        ("InvalidInputException", Some("SOMETHING_NEW")),
        ("InvalidInputException", None),
    ] {
        let error = refusal("CreateAccount", code, reason, "no", 400);
        assert_eq!(error.class(), Class::Stalled, "{code} {reason:?}");
        let landfast::aws::Error::Refused(refusal) = &error else { panic!("{error}") };
        assert_eq!(refusal.known_class(), None, "{code} {reason:?}");
    }
}

/// Three in a burst, then one in ten seconds: five seconds later the answer would be the same.
#[test]
fn too_many_account_requests_wait_and_too_many_of_anything_else_are_tried_again() {
    let class = |operation| refusal(operation, "TooManyRequestsException", None, "no", 400).class();
    assert_eq!(class("CreateAccount"), Class::Waiting);
    assert_eq!(class("ListAccounts"), Class::Transient);
}
