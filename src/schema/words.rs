//! Single words of the files: ids, names, paths. Each has the form that `model::id` and `load` ask for.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// Defines a word by its schema; what is said of it here is what an editor shows.
macro_rules! word {
    ($(#[doc = $doc:literal] $name:ident $schema:tt;)*) => {
        $(
            #[doc = $doc]
            pub struct $name;

            impl JsonSchema for $name {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    let mut schema = json_schema!($schema);
                    schema.insert("description".to_owned(), $doc.trim().into());
                    schema
                }
            }
        )*
    };
}

word! {
    /// A text, with or without quotes; it is kept to the letter.
    Text {"type": ["string", "number", "boolean"]};
    /// Any data; texts in it may hold expressions: `${{ … }}`.
    Anything {};
    /// The 12 digits of an AWS account, in quotes: without them, leading zeros get lost.
    AccountId {"type": "string", "pattern": "^[0-9]{12}$"};
    /// The id of the organization: `aws organizations describe-organization` shows it.
    OrganizationId {"type": "string", "pattern": "^o-[a-z0-9]{10,32}$"};
    /// The name of an account's folder.
    Slug {"type": ["string", "number"], "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"};
    /// The name of a baseline's folder.
    BaselineName {"type": ["string", "number"], "minLength": 1};
    /// The name people see in the console, 1 to 50 characters; it may hold expressions: `${{ … }}`.
    AccountName {
        "type": ["string", "number", "boolean"],
        "anyOf": [{"pattern": "\\$\\{\\{"}, {"minLength": 1, "maxLength": 50}],
    };
    /// An e-mail address of 6 to 64 characters that no other AWS account has; it may hold expressions: `${{ … }}`.
    Email {
        "type": "string",
        "anyOf": [
            {"pattern": "\\$\\{\\{"},
            {"pattern": "^[!-?A-~]+@[!-?A-~]+$", "minLength": 6, "maxLength": 64},
        ],
    };
    /// A place in the OU tree: `/` for the root, `/workloads/prod`.
    OuPath {"type": "string", "pattern": "^(/|(/[^/]{1,128}){1,5})$"};
    /// The name of an OU.
    OuName {"type": "string", "pattern": "^[^/]{1,128}$"};
    /// A pattern of OU paths: `*` is one level, `**` everything below, so `/**` is every OU but not the root.
    OuPattern {"type": "string", "pattern": "^/"};
    /// A region code, such as `eu-west-1`.
    Region {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]*)+-[a-z0-9]*[0-9]$", "minLength": 9};
    /// A region code, or the name of a group of regions; `home` and `all` exist by themselves.
    RegionOrGroup {"type": ["string", "number", "boolean"]};
    /// The name of a group of regions; `home` is always the home region.
    RegionGroup {"type": "string", "not": {"enum": ["home"]}};
    /// The name of an IAM role.
    RoleName {"type": ["string", "number", "boolean"], "pattern": "^[A-Za-z0-9+=,.@_-]{1,64}$"};
    /// The name of a stack.
    StackName {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9-]{0,127}$"};
    /// The name of a SAML provider.
    SamlProviderName {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"};
    /// The key of a tag; `aws:` and `landfast:` are not for people.
    TagKey {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^(?![Aa][Ww][Ss]:|[Ll][Aa][Nn][Dd][Ff][Aa][Ss][Tt]:)"};
    /// The key of a tag that accounts are chosen by.
    ChosenTag {"type": "string"};
    /// The name of a value.
    ValueName {"type": "string"};
    /// The name of a parameter of the template.
    ParameterName {"type": "string"};
    /// A file in the folder of this one, by a plain path without `..`.
    FilePath {"type": "string", "pattern": "^(?!\\.{1,2}(/|$))[^/\\\\]+(/(?!\\.{1,2}(/|$))[^/\\\\]+)*$"};
    /// How far Landfast goes when something is no longer as declared: record only, open an issue, or put it back.
    Mode {"enum": ["observe", "report", "enforce"]};
    /// Whether Landfast removes what it made there, once its own limits allow that, or keeps it and says so.
    OnLeave {"enum": ["keep", "remove"]};
    /// What CloudFormation wants to be granted in so many words.
    Capability {"enum": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]};
    /// A stack of the same account by its name, or a setting such as `settings.samlProviders.ADFS`.
    Need {"type": ["string", "number", "boolean"], "minLength": 1};
    /// What may be overwritten although it was found there: `settings.passwordPolicy`, `stacks.network`, `ou`, `tags.env`.
    AdoptPath {"type": "string", "pattern": "^(name|email|ou|(tags|settings|stacks)\\..+)$"};
    /// The name of a policy: what its file below `organization/policies` is called, or AWS's own `FullAWSAccess`.
    PolicyName {"type": ["string", "number", "boolean"], "pattern": "^[A-Za-z0-9_-]{1,128}$"};
    /// A policy that may be overwritten although it was found there: `policies.deny-leaving`.
    AdoptPolicy {"type": "string", "pattern": "^policies\\.[A-Za-z0-9_-]{1,128}$"};
    /// A path that no later layer may change: `settings.passwordPolicy`, `stacks.audit-trail`, `values.AlertEmail`, `mode`, `access`.
    LockPath {"type": "string", "pattern": "^(mode|access|(values|settings|stacks)(\\.[^.]+)+)$"};
    /// A stack of an account as `<folder>/<stack>`; `*` stands for any folder or any stack.
    StackPattern {"type": "string", "pattern": "^([^*/]+|\\*)/([^*/]+|\\*)$"};
    /// The full id of a commit.
    CommitId {"type": "string", "pattern": "^[0-9a-f]{40}$"};
    /// The name of a wave.
    WaveName {"type": ["string", "number", "boolean"], "pattern": "^[A-Za-z0-9_.-]{1,40}$"};
    /// A number of accounts, or a share of them: `2`, `10%`.
    Tolerance {
        "anyOf": [
            {"type": "integer", "minimum": 0},
            {"type": "string", "pattern": "^([0-9]+|0*(100|[1-9]?[0-9])\\s*%)$"},
        ],
    };
    /// A time such as 90s, 30m, 2h or 1d.
    Span {"type": "string", "minLength": 2};
    /// A day of the week, such as friday or fri.
    DayOfWeek {"type": "string", "pattern": "^[A-Za-z]{2,9}$"};
    /// Hours of a day, such as 18:00-08:00; `24:00` is the midnight at its end.
    Hours {
        "type": "string",
        "pattern": "^ *([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])? *- *(24:00|([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?) *$",
    };
    /// The name of a time zone, such as Europe/Zurich.
    TimeZone {"type": "string", "minLength": 1};
    /// A day, or a minute of one: `2026-12-20`, `2026-12-20T18:00`. Which zone that is in says `timeZone`.
    Moment {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?)?$"};
    /// A day, such as 2027-01-01.
    Day {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}"};
    /// Why an account is left out, perhaps with a last day: `OPS-1231, until 2027-01-01`.
    Reason {"type": ["string", "number", "boolean"], "pattern": "[^ ]"};
}
