//! JSON Schemas of the files that people write, for editors to complete, explain and check them while they are written.
//!
//! Guarantees: the schemas are made from the types of this module, and the types have the keys that `load` knows, no more
//! and no fewer: `tests/it/schema.rs` asks both. What a schema cannot say (names that have to be there, expressions that
//! need a value) is left to `landfast validate`; a file that loads is never called wrong.

mod account;
mod baseline;
mod layer;
mod organization;
mod plain;
mod rollout;
mod shaping;
mod words;

pub use account::{Account, AccountAccess};
pub use baseline::{Baseline, Exclusion, ExclusionInFull, Targets};
pub use layer::{
    Everywhere, Narrowed, NarrowedInFull, Narrowing, PasswordPolicy, Repository, SamlProvider, Settings,
    Stack, ValueInFull,
};
pub use organization::{AccountDefaults, Organization, OrganizationAccess, OrganizationalUnit};
pub use plain::{Named, OneOrMany, OrAbsent, OrNull, PlainOr, Within};
pub use rollout::{Freeze, Rollout, Wave};
pub use words::*;

use clap::ValueEnum;
use schemars::generate::SchemaSettings;

/// A file that people write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WrittenFile {
    /// Said to every account before anybody else speaks
    #[value(name = "landfast.yaml", alias = "landfast")]
    Repository,
    /// The organization itself, its OUs and what accounts have in common
    #[value(name = "organization.yaml", alias = "organization")]
    Organization,
    /// What many accounts share
    #[value(name = "baseline.yaml", alias = "baseline")]
    Baseline,
    /// One account
    #[value(name = "account.yaml", alias = "account")]
    Account,
    /// The operator's own limits, outside of the repository
    #[value(name = "landfast.toml")]
    Operator,
}

impl WrittenFile {
    /// Every file.
    pub const ALL: [Self; 5] =
        [Self::Repository, Self::Organization, Self::Baseline, Self::Account, Self::Operator];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Repository => "landfast.yaml",
            Self::Organization => "organization.yaml",
            Self::Baseline => "baseline.yaml",
            Self::Account => "account.yaml",
            Self::Operator => "landfast.toml",
        }
    }

    /// Where its schema is kept in a repository, from its root: `.landfast/schemas/account.yaml.json`.
    pub fn path(self) -> String {
        format!(".landfast/schemas/{}.json", self.name())
    }

    /// Its schema (JSON Schema, draft 7, which editors know best) as text that ends with a line end.
    pub fn schema(self) -> String {
        let generator = SchemaSettings::draft07().with_transform(shaping::Shaping).into_generator();
        let mut schema = match self {
            Self::Repository => generator.into_root_schema_for::<Repository>(),
            Self::Organization => generator.into_root_schema_for::<Organization>(),
            Self::Baseline => generator.into_root_schema_for::<Baseline>(),
            Self::Account => generator.into_root_schema_for::<Account>(),
            Self::Operator => generator.into_root_schema_for::<crate::cli::Config>(),
        };
        if self == Self::Repository {
            // A file that says nothing yet is one.
            schema.insert("type".to_owned(), serde_json::json!(["object", "null"]));
        }
        format!("{:#}\n", schema.as_value())
    }
}
