//! Removals: only what must not be there, or what the last commit that declared it wanted to go with it.

use landfast::model::{Account, Desired, Item, SamlProviderName, Scope, Setting, StackKey, StackName};
use landfast::sandbox::aws::Entry;

use super::{Judge, text};

impl Judge<'_> {
    pub(super) fn is_password_policy_removal(&self, desired: &Desired, entry: &Entry) -> bool {
        self.is_removal(desired, entry, &Item::Setting(Setting::PasswordPolicy))
    }

    /// The alias that goes is the one that was declared last, or any where none may be.
    pub(super) fn is_alias_removal(&self, desired: &Desired, entry: &Entry) -> bool {
        let item = Item::Setting(Setting::AccountAlias);
        let Some(account) = self.owner(desired, &entry.account) else { return false };
        let is_declared = self.before(desired).rev().find_map(|earlier| {
            let settings = &earlier.accounts.get(&account.slug)?.settings;
            let alias = settings.get(&Setting::AccountAlias)?;
            Some(entry.params.get("AccountAlias") == Some(&alias.value.to_value()))
        });
        let is_any = account.absent.contains_key(&item);
        self.is_removal(desired, entry, &item) && (is_any || is_declared == Some(true))
    }

    pub(super) fn is_provider_removal(&self, desired: &Desired, entry: &Entry) -> bool {
        let head = format!("arn:aws:iam::{}:saml-provider/", entry.account);
        let name = text(&entry.params, "SAMLProviderArn").and_then(|arn| arn.strip_prefix(&head));
        let name = name.and_then(|name| SamlProviderName::parse(name).ok());
        name.is_some_and(|name| self.is_removal(desired, entry, &Item::Setting(Setting::SamlProvider(name))))
    }

    /// A stack goes by its ARN.
    pub(super) fn is_stack_removal(&self, desired: &Desired, entry: &Entry) -> bool {
        let stacks = self.aws.stacks(&entry.account).into_iter();
        let mut it = stacks.filter(|it| Some(it.id.as_str()) == text(&entry.params, "StackName"));
        it.next().is_some_and(|stack| {
            let region = landfast::model::Region::parse(&stack.region).ok();
            let key = StackName::parse(&stack.name).ok().zip(region);
            let item = key.map(|(name, region)| Item::Stack(StackKey { name, region }));
            stack.region == entry.region && item.is_some_and(|item| self.is_removal(desired, entry, &item))
        })
    }

    fn is_removal(&self, desired: &Desired, entry: &Entry, item: &Item) -> bool {
        self.owner(desired, &entry.account).is_some_and(|account| self.goes(desired, account, item))
    }

    fn goes(&self, desired: &Desired, account: &Account, item: &Item) -> bool {
        let scope = Scope::Account(account.slug.clone());
        let removes = |earlier: &Desired, item: &Item| {
            earlier.accounts.get(&account.slug).is_some_and(|account| account.remove_on_leave.contains(item))
        };
        account.absent.contains_key(item) || self.leaves(desired, &scope, item, removes)
    }

    /// True when `desired` no longer declares the item, and the last commit before that did wanted it to go.
    pub(super) fn leaves(
        &self,
        desired: &Desired,
        scope: &Scope,
        item: &Item,
        removes: impl Fn(&Desired, &Item) -> bool,
    ) -> bool {
        let declares = |desired: &Desired| desired.items(scope).contains_key(item);
        let last = self.before(desired).rev().find(|earlier| declares(earlier));
        !declares(desired) && last.is_some_and(|last| removes(last, item))
    }

    /// The commits that were in force before.
    fn before(&self, desired: &Desired) -> impl DoubleEndedIterator<Item = &Desired> {
        let revisions = &self.implied.revisions;
        let at = revisions.iter().position(|it| it.revision == desired.revision).unwrap_or_default();
        revisions[..at].iter().map(AsRef::as_ref)
    }
}
