//! How a repository begins: the options of `init` and `import`.

use std::path::PathBuf;

use clap::Args;

use crate::model::{AccountId, OrganizationId, Region, RoleName};

/// `landfast init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The folder; made if it is not there
    #[arg(value_name = "DIR", default_value = ".")]
    pub directory: PathBuf,
    /// The home region first, then others that are in use
    #[arg(long = "region", value_name = "REGION", value_parser = parse_region, env = "AWS_REGION", hide_env_values = true)]
    pub regions: Vec<Region>,
    /// The organization's id
    #[arg(long, value_name = "O-…", value_parser = parse_organization)]
    pub organization_id: Option<OrganizationId>,
    /// The id of its management account
    #[arg(long, value_name = "12 DIGITS", value_parser = parse_account)]
    pub management_account: Option<AccountId>,
    /// The name of its management account
    #[arg(long)]
    pub management_name: Option<String>,
    /// The e-mail of its management account
    #[arg(long)]
    pub management_email: Option<String>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the command's help")]
    pub roles: Roles,
}

/// `landfast import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The folder to write to; made if it is not there
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub into: PathBuf,
    /// A region to look for stacks in, beside those of organization.yaml; the first is the home region of a new one
    #[arg(long = "region", value_name = "REGION", value_parser = parse_region, env = "AWS_REGION", hide_env_values = true)]
    pub regions: Vec<Region>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the command's help")]
    pub roles: Roles,
    /// How many accounts to read at once
    #[arg(long, default_value_t = 32, value_name = "N")]
    pub concurrency: usize,
}

/// Roles to enter accounts by, for an organization.yaml that is not there yet.
#[derive(Debug, Clone, Args)]
pub struct Roles {
    /// The role in each account that writes; confined to reading where there is no --read-role
    #[arg(long, value_parser = parse_role, value_name = "NAME")]
    pub role: Option<RoleName>,
    /// The role in each account that reads
    #[arg(long, value_parser = parse_role, value_name = "NAME")]
    pub read_role: Option<RoleName>,
    /// The role in the management account, where the credentials belong to another one
    #[arg(long, value_parser = parse_role, value_name = "NAME")]
    pub management_role: Option<RoleName>,
    /// The external id that the roles ask for
    #[arg(long, value_name = "TEXT")]
    pub external_id: Option<String>,
}

fn parse_region(text: &str) -> Result<Region, String> {
    Region::parse(text).map_err(|invalid| invalid.to_string())
}

fn parse_organization(text: &str) -> Result<OrganizationId, String> {
    OrganizationId::parse(text).map_err(|invalid| invalid.to_string())
}

fn parse_account(text: &str) -> Result<AccountId, String> {
    AccountId::parse(text).map_err(|invalid| invalid.to_string())
}

fn parse_role(text: &str) -> Result<RoleName, String> {
    RoleName::parse(text).map_err(|invalid| invalid.to_string())
}
