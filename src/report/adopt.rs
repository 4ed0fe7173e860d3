//! What `adopt` can name, spelled as the account's file takes it.

use crate::model::{AccountProperty, Item};

/// The item as a path within its account's file, or why adopting it would change nothing.
pub(super) fn adopt_path(item: &Item) -> Result<String, &'static str> {
    match item {
        Item::Account(_, AccountProperty::Name) => {
            Err("Landfast does not change the name of an account: change the file, or the account with AWS")
        }
        Item::Account(_, AccountProperty::Email) => {
            Err("Landfast does not change the e-mail of an account: change the file, or the account with AWS")
        }
        Item::Account(_, AccountProperty::Exists) => {
            Err("Landfast does not bring an account back: reopen it with AWS, or remove the folder")
        }
        Item::Ou(_) => Err("an OU is used as it is found"),
        Item::Account(_, AccountProperty::Ou) => Ok("ou".to_owned()),
        Item::Account(_, AccountProperty::Tag(key)) => Ok(format!("tags.{key}")),
        Item::PolicyType(_) => Err("a kind of policy is enabled or not"),
        Item::Attachment(..) => Err("a policy is attached or not"),
        Item::Policy(_) | Item::Setting(_) | Item::Stack(_) => Ok(item.to_string()),
    }
}
