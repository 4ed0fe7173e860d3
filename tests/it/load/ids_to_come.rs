//! Ids of accounts that are not there yet: where they are waited for, and where they cannot be.

use landfast::model::Account;

use super::references::{Again, CONSUMER, borrowed, refused, rendered_again, repository};
use super::*;

#[test]
fn an_id_that_is_not_recorded_yet_is_waited_for_in_parameters_also_by_way_of_values() {
    let said = |parameters: &str, values: &str| {
        let mut files = repository("[home]", parameters);
        files.iter_mut().filter(|(path, _)| *path == ACCOUNT).for_each(|(_, text)| text.push_str(values));
        let desired = loaded(&borrowed(&files));
        let stack = desired.accounts[&slug("one")].stacks[&key("taker[eu-west-1]")].value.clone();
        let taken: Vec<_> = desired.ids_taken(&slug("one")).into_iter().map(ToString::to_string).collect();
        (stack.deferred["In"].to_string(), taken.join(" "))
    };
    let two = "${{ accounts['two'].id }}";
    let taken = |text: &str| (text.to_owned(), "two".to_owned());
    assert_eq!(said(&format!("In: \"{two}\""), ""), taken(two));
    assert_eq!(
        said(&format!("In: \"arn:aws:iam::{two}:root\""), ""),
        taken(&format!("arn:aws:iam::{two}:root"))
    );
    let values = format!("values: {{Archive: {{root: \"r-{two}\"}}, Other: x, All: [a, \"{two}\"]}}\n");
    assert_eq!(
        said("In: \"${{ values.Archive.root }}/${{ values.Other | upper }}\"", &values),
        taken(&format!("r-{two}/X"))
    );
    assert_eq!(said("In: \"${{ values.All[1] }}\"", &values), taken(two));
    let own = said("In: \"${{ account.id }}\"", "");
    assert_eq!(own, ("${{ accounts['one'].id }}".to_owned(), "one".to_owned()));
}

#[test]
fn an_id_on_record_is_a_text_like_any_other() {
    let mut files = repository("[home]", "In: \"${{ accounts['two'].id[:4] }}\"");
    files[0].1.insert_str(0, "id: \"111122223333\"\n");
    let desired = loaded(&borrowed(&files));
    let stack = &desired.accounts[&slug("one")].stacks[&key("taker[eu-west-1]")].value;
    assert_eq!((stack.parameters["In"].as_str(), stack.deferred.len()), ("1111", 0));
}

#[test]
fn an_alias_and_the_tags_of_a_stack_wait_for_an_id_too() {
    let stacks = "stacks: {taker: {template: taker.template.yaml, parameters: {In: x}, \
                  tags: {of: \"${{ accounts['two'].id }}\", by: me}}}\n";
    let more = format!("{ONE}settings: {{accountAlias: \"acme-${{{{ account.id }}}}\"}}\n{stacks}");
    let desired = loaded(&[(ACCOUNT, &more), ("accounts/one/taker.template.yaml", CONSUMER)]);
    let account = &desired.accounts[&slug("one")];
    let alias = account.settings[&Setting::AccountAlias].value.to_value();
    assert_eq!(alias, json!("acme-${{ accounts['one'].id }}"));
    let stack = &account.stacks[&key("taker[eu-west-1]")].value;
    assert_eq!(stack.tags.keys().collect::<Vec<_>>(), ["by"]);
    assert_eq!(stack.deferred_tags["of"].to_string(), "${{ accounts['two'].id }}");
    let taken: Vec<_> = desired.ids_taken(&slug("one")).into_iter().map(Slug::as_str).collect();
    assert_eq!(taken, ["one", "two"]);
}

#[test]
fn nothing_is_worked_out_of_an_id_to_come_and_what_cannot_wait_is_not_given_one() {
    insta::assert_snapshot!(refused("[home]", "In: \"${{ accounts['two'].id[:4] }}\""), @r#"
    error: the expression `accounts['two'].id[:4]` would look into the id of an account (`:`), which is not known yet
     --> accounts/one/account.yaml:8:11
      |
    8 |       In: "${{ accounts['two'].id[:4] }}"
      |           ^
      = hint: put it in whole: alone, in a text, joined with `~`, or in a list; a template can take it apart with Fn::Select and Fn::Split
    "#);
    insta::assert_snapshot!(refused("[home]", "In: x\n      Secret: \"${{ accounts['two'].id }}\""), @r"
    error: `Secret` is NoEcho, and the id of an account is no secret
     --> accounts/one/account.yaml:9:15
      = hint: take `NoEcho` out of the template, or wait until the id is recorded
    ");
    insta::assert_snapshot!(one("settings: {accountAlias: \"${{ account.id }}\"}\n"), @r#"
    error: `${{ accounts['one'].id }}` cannot be an account alias
     --> accounts/one/account.yaml:4:26
      |
    4 | settings: {accountAlias: "${{ account.id }}"}
      |                          ^
      = hint: 3 to 63 lower-case letters, digits and single hyphens inside, and not 12 digits
    "#);
    insta::assert_snapshot!(one("tags: {of: \"${{ account.id }}\"}\n"), @r#"
    error: `account.id` has no value here
     --> accounts/one/account.yaml:4:12
      |
    4 | tags: {of: "${{ account.id }}"}
      |            ^
      = hint: an account's id is known once it was created and recorded; its stacks, values and alias can wait for it, its name, e-mail and tags cannot
    "#);
}

#[test]
fn an_account_that_takes_an_id_to_come_is_rendered_with_it() {
    let mut files = small();
    let one = format!(
        "{ONE}values: {{Id: \"${{{{ accounts['two'].id }}}}\"}}\nsettings: {{accountAlias: \"a-${{{{ account.id }}}}\"}}\nstacks:\n  taker:\n    template: taker.template.yaml\n    \
         regions: [home, edge]\n    parameters: {{In: \"${{{{ region }}}}-${{{{ values.Id }}}}-${{{{ account.id }}}}\"}}\n"
    );
    files.insert("accounts/one/taker.template.yaml".to_owned(), File::text(CONSUMER));
    files.insert(ACCOUNT.to_owned(), File::text(one));
    let Again { before, yaml, after, .. } = rendered_again(files);
    insta::assert_snapshot!(yaml, @r#"
    name: One
    email: one@example.com
    ou: /workloads/prod
    access:
      role: OrganizationAccountAccessRole
    mode: report
    values:
      Id: "${{ accounts['two'].id }}"
    settings:
      accountAlias: "a-${{ account.id }}"
    stacks:
      taker:
        parameters:
          In: "${{ {'eu-west-1': \"eu-west-1-\" ~ accounts['two'].id ~ \"-\" ~ account.id, 'us-east-1': \"us-east-1-\" ~ accounts['two'].id ~ \"-\" ~ account.id}[region] }}"
        regions: [eu-west-1, us-east-1]
        template: taker.template.yaml
    "#);
    let wanted = |account: &Account| {
        let stacks: Vec<_> = account.stacks.values().map(|stack| stack.value.clone()).collect();
        (account.settings[&Setting::AccountAlias].value.clone(), stacks)
    };
    assert_eq!(wanted(&after), wanted(&before));
}
