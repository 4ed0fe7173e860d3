//! Reasons: what Organizations says beside a code, and why it did not make an account.

use aws_sdk_organizations::types::{
    ConstraintViolationExceptionReason, CreateAccountFailureReason, InvalidInputExceptionReason,
};
use landfast::model::status::Failure;

use super::{judged, refusal, table};

#[test]
fn every_limit_of_organizations_has_a_class() {
    let code = "ConstraintViolationException";
    let line = |reason: &&str| {
        format!("{reason}: {}", judged(&refusal("CreateAccount", code, Some(reason), "no", 400)))
    };
    insta::assert_snapshot!(table(ConstraintViolationExceptionReason::values().iter().map(line)), @r"
    ACCOUNT_CANNOT_LEAVE_ORGANIZATION: stalled
    ACCOUNT_CANNOT_LEAVE_WITHOUT_EULA: stalled
    ACCOUNT_CANNOT_LEAVE_WITHOUT_PHONE_VERIFICATION: stalled
    ACCOUNT_CREATION_NOT_COMPLETE: waiting
    ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED: waiting
    ACCOUNT_NOT_ACTIVE_FOR_TRANSFER_RESPONSIBILITY: stalled
    ACCOUNT_NUMBER_LIMIT_EXCEEDED: stalled
    ACTIVE_RESPONSIBILITY_TRANSFER_PROCESS: stalled
    ALL_FEATURES_MIGRATION_ORGANIZATION_SIZE_LIMIT_EXCEEDED: stalled
    CANNOT_CLOSE_MANAGEMENT_ACCOUNT: stalled
    CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR: stalled
    CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR: stalled
    CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG: stalled
    CLOSE_ACCOUNT_QUOTA_EXCEEDED: stalled
    CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED: waiting
    CREATE_ORGANIZATION_IN_BILLING_MODE_UNSUPPORTED_REGION: stalled
    DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE: stalled
    EMAIL_VERIFICATION_CODE_EXPIRED: stalled
    HANDSHAKE_RATE_LIMIT_EXCEEDED: stalled
    INVALID_PAYMENT_INSTRUMENT: stalled
    MASTER_ACCOUNT_ADDRESS_DOES_NOT_MATCH_MARKETPLACE: stalled
    MASTER_ACCOUNT_MISSING_BUSINESS_LICENSE: stalled
    MASTER_ACCOUNT_MISSING_CONTACT_INFO: stalled
    MASTER_ACCOUNT_NOT_GOVCLOUD_ENABLED: stalled
    MASTER_ACCOUNT_PAYMENT_INSTRUMENT_REQUIRED: stalled
    MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED: stalled
    MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED: stalled
    MAX_TAG_LIMIT_EXCEEDED: stalled
    MEMBER_ACCOUNT_PAYMENT_INSTRUMENT_REQUIRED: stalled
    MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED: stalled
    ORGANIZATION_NOT_IN_ALL_FEATURES_MODE: stalled
    OU_DEPTH_LIMIT_EXCEEDED: stalled
    OU_NUMBER_LIMIT_EXCEEDED: stalled
    POLICY_CONTENT_LIMIT_EXCEEDED: stalled
    POLICY_NUMBER_LIMIT_EXCEEDED: stalled
    POLICY_TYPE_ENABLED_FOR_THIS_SERVICE: stalled
    RESPONSIBILITY_TRANSFER_MAX_INBOUND_QUOTA_VIOLATION: stalled
    RESPONSIBILITY_TRANSFER_MAX_LEVEL_VIOLATION: stalled
    RESPONSIBILITY_TRANSFER_MAX_OUTBOUND_QUOTA_VIOLATION: stalled
    RESPONSIBILITY_TRANSFER_MAX_TRANSFERS_QUOTA_VIOLATION: stalled
    SERVICE_ACCESS_NOT_ENABLED: stalled
    TAG_POLICY_VIOLATION: stalled
    TRANSFER_RESPONSIBILITY_SOURCE_DELETION_IN_PROGRESS: waiting
    TRANSFER_RESPONSIBILITY_TARGET_DELETION_IN_PROGRESS: waiting
    TRANSFER_RESPONSIBILITY_UPDATE_NOT_ALLOWED: stalled
    UNMET_BILLING_PREREQUISITE: stalled
    UNSUPPORTED_PRICING: stalled
    WAIT_PERIOD_ACTIVE: stalled
    ");
}

#[test]
fn everything_organizations_may_dislike_about_a_request_has_a_class() {
    let code = "InvalidInputException";
    let line = |reason: &&str| {
        format!("{reason}: {}", judged(&refusal("CreateAccount", code, Some(reason), "no", 400)))
    };
    insta::assert_snapshot!(table(InvalidInputExceptionReason::values().iter().map(line)), @r"
    CALLER_REQUIRED_FIELD_MISSING: bug
    DUPLICATE_TAG_KEY: stalled
    END_DATE_NOT_END_OF_MONTH: bug
    END_DATE_TOO_EARLY: bug
    END_DATE_TOO_LATE: bug
    IMMUTABLE_POLICY: stalled
    INPUT_REQUIRED: bug
    INVALID_EMAIL_ADDRESS_TARGET: stalled
    INVALID_END_DATE: bug
    INVALID_ENUM: bug
    INVALID_ENUM_POLICY_TYPE: bug
    INVALID_FULL_NAME_TARGET: stalled
    INVALID_LIST_MEMBER: stalled
    INVALID_NEXT_TOKEN: transient
    INVALID_PARTY_TYPE_TARGET: bug
    INVALID_PATTERN: stalled
    INVALID_PATTERN_TARGET_ID: stalled
    INVALID_PRINCIPAL: stalled
    INVALID_RESOURCE_POLICY_JSON: stalled
    INVALID_ROLE_NAME: stalled
    INVALID_START_DATE: bug
    INVALID_SYNTAX_ORGANIZATION_ARN: bug
    INVALID_SYNTAX_POLICY_ID: bug
    INVALID_SYSTEM_TAGS_PARAMETER: stalled
    MAX_LENGTH_EXCEEDED: stalled
    MAX_LIMIT_EXCEEDED_FILTER: bug
    MAX_VALUE_EXCEEDED: stalled
    MIN_LENGTH_EXCEEDED: stalled
    MIN_VALUE_EXCEEDED: stalled
    MOVING_ACCOUNT_BETWEEN_DIFFERENT_ROOTS: bug
    NON_DETACHABLE_POLICY: stalled
    START_DATE_NOT_BEGINNING_OF_DAY: bug
    START_DATE_NOT_BEGINNING_OF_MONTH: bug
    START_DATE_TOO_EARLY: bug
    START_DATE_TOO_LATE: bug
    TARGET_NOT_SUPPORTED: stalled
    UNRECOGNIZED_SERVICE_PRINCIPAL: stalled
    UNSUPPORTED_ACTION_IN_RESOURCE_POLICY: stalled
    UNSUPPORTED_ACTION_IN_RESPONSIBILITY_TRANSFER: bug
    UNSUPPORTED_POLICY_TYPE_IN_RESOURCE_POLICY: stalled
    UNSUPPORTED_RESOURCE_IN_RESOURCE_POLICY: stalled
    ");
}

#[test]
fn every_reason_for_not_making_an_account_is_known() {
    let unknown: Vec<_> = CreateAccountFailureReason::values()
        .iter()
        .filter(|reason| Failure::known(reason).is_none())
        .collect();
    assert_eq!(unknown, Vec::<&&str>::new());
}
