//! What files mean when nothing is wrong with them.

use super::*;

const NETWORK: &str =
    "stacks:\n  network:\n    template: network.template.yaml\n    parameters: {Cidr: 10.0.0.0/16}\n";

#[test]
fn defaults_of_the_template_are_filled_in_and_secrets_are_hidden() {
    let desired = loaded(&[("accounts/one/account.yaml", &format!("{ONE}{NETWORK}"))]);
    let stack = &desired.accounts[&slug("one")].stacks[&key("network[eu-west-1]")];
    let parameters = &stack.value.parameters;
    assert_eq!(
        parameters.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>(),
        ["Cidr=10.0.0.0/16", "Secret=none", "Size=small"]
    );
    assert_eq!(stack.value.hidden.iter().collect::<Vec<_>>(), ["Secret"]);
    assert_eq!((stack.source.path.as_str(), stack.source.line), ("accounts/one/account.yaml", 5));
}

#[test]
fn numbers_and_yaml_flags_given_as_parameters_keep_their_spelling() {
    for spelling in ["012345678901", "no", "1.10", "8080"] {
        let text = format!("{ONE}{}", NETWORK.replace("10.0.0.0/16", spelling));
        let desired = loaded(&[("accounts/one/account.yaml", &text)]);
        let stack = &desired.accounts[&slug("one")].stacks[&key("network[eu-west-1]")].value;
        assert_eq!(stack.parameters["Cidr"], spelling);
    }
}

#[test]
fn expressions_see_values_facts_and_the_region() {
    let account = format!(
        "{ONE}tags: {{env: prod}}\nvalues:\n  Net: {{Cidrs: [10.0.0.0/16, 10.1.0.0/16]}}\nstacks:\n  network:\n    \
         template: network.template.yaml\n    regions: [all]\n    parameters:\n      \
         Cidr: ${{{{ values.Net.Cidrs | join(',') }}}}\n    tags:\n      \
         where: ${{{{ account.slug }}}}/${{{{ region }}}}/${{{{ accounts['two'].name }}}}/${{{{ account.tags.env }}}}\n"
    );
    let desired = loaded(&[("accounts/one/account.yaml", &account)]);
    let account = &desired.accounts[&slug("one")];
    assert_eq!(stacks(&desired, "one"), ["network[eu-west-1]", "network[us-east-1]"]);
    let stack = &account.stacks[&key("network[us-east-1]")].value;
    assert_eq!(stack.parameters["Cidr"], "10.0.0.0/16,10.1.0.0/16");
    assert_eq!(stack.tags["where"], "one/us-east-1/Two/prod");
}

#[test]
fn a_need_means_the_same_region_or_else_all_of_its_regions() {
    let stack = |regions: &str, needs: &str| {
        format!(
            "{{template: network.template.yaml, regions: [{regions}], needs: [{needs}], parameters: {{Cidr: x}}}}"
        )
    };
    let account = format!(
        "{ONE}stacks:\n  base: {}\n  same: {}\n  other: {}\n",
        stack("all", ""),
        stack("home", "base"),
        stack("eu-north-1", "base")
    );
    let desired = loaded(&[("accounts/one/account.yaml", &account)]);
    let needs = |text: &str| {
        let needs = &desired.accounts[&slug("one")].stacks[&key(text)].value.needs;
        needs.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(needs("same[eu-west-1]"), ["stacks.base[eu-west-1]"]);
    assert_eq!(needs("other[eu-north-1]"), ["stacks.base[eu-west-1]", "stacks.base[us-east-1]"]);
}

#[test]
fn a_later_baseline_overrules_an_earlier_one_and_lists_are_replaced() {
    let desired = loaded(&[
        (
            "baselines/a/baseline.yaml",
            "targets: {ous: [/**]}\nafter: [b]\nvalues: {X: 2, M: {p: 1}, L: [3]}\n",
        ),
        (
            "baselines/b/baseline.yaml",
            "targets: {ous: [/**]}\nvalues: {X: 1, M: {p: 0, q: 9}, L: [1, 2]}\nmode: enforce\n",
        ),
        (
            "accounts/one/account.yaml",
            &format!(
                "{ONE}settings:\n  accountAlias: x-${{{{ values.X }}}}-${{{{ values.M.p }}}}-${{{{ values.M.q }}}}-${{{{ values.L | join('') }}}}\n"
            ),
        ),
    ]);
    let account = &desired.accounts[&slug("one")];
    assert_eq!(account.settings[&Setting::AccountAlias].value.to_value(), json!("x-2-1-9-3"));
    assert_eq!(account.mode, Mode::Enforce);
}

#[test]
fn adopt_names_items_and_a_stack_without_a_region_means_all_of_them() {
    let account = format!(
        "{ONE}adopt: [settings.passwordPolicy, ou, tags.env, name, stacks.network]\n{NETWORK}    regions: [all]\n"
    );
    let desired = loaded(&[("accounts/one/account.yaml", &account)]);
    let adopted = desired.accounts[&slug("one")].adopt.iter().map(ToString::to_string);
    assert_eq!(
        adopted.collect::<Vec<_>>(),
        [
            "accounts.one.name",
            "accounts.one.ou",
            "accounts.one.tags.env",
            "settings.passwordPolicy",
            "stacks.network[eu-west-1]",
            "stacks.network[us-east-1]"
        ]
    );
}

#[test]
fn the_nearest_mode_wins() {
    let desired = loaded(&[
        ("landfast.yaml", "mode: observe\n"),
        ("accounts/one/account.yaml", &format!("{ONE}mode: enforce\n")),
    ]);
    assert_eq!(desired.accounts[&slug("one")].mode, Mode::Enforce);
    assert_eq!(desired.accounts[&slug("two")].mode, Mode::Observe);
}

#[test]
fn the_management_account_is_reached_by_its_name_only() {
    let management = "id: \"999988887777\"\nname: Management\nemail: management@example.com\nou: /security\n";
    let alias = |targets: &str| {
        let baseline =
            format!("targets: {targets}\nsettings: {{accountAlias: \"acme-${{{{ account.slug }}}}\"}}\n");
        let desired =
            loaded(&[("accounts/boss/account.yaml", management), ("baselines/a/baseline.yaml", &baseline)]);
        let with = desired.accounts.values().filter(|account| !account.settings.is_empty());
        with.map(|account| account.slug.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(alias("{ous: [/**]}"), ["one", "two"]);
    assert_eq!(alias("{accounts: [boss, one]}"), ["boss", "one"]);
    assert_eq!(alias("{ous: [/**], exclude: {two: OPS-1}}"), ["one"]);
}

#[test]
fn what_an_account_leaves_out_is_the_organizations() {
    let organization = format!(
        "{ORGANIZATION}access: {{role: Writer, readRole: Reader, stackRole: Maker, newAccountRole: First, externalId: acme}}\n\
         accountDefaults: {{email: \"aws+${{{{ account.slug }}}}@example.com\", tags: {{company: acme, env: none}}}}\n"
    );
    let desired = loaded(&[
        ("organization/organization.yaml", &organization),
        (ACCOUNT, "name: One\nou: /security\ntags: {env: prod}\naccess: {role: Own, stackRole: OwnMaker}\n"),
    ]);
    let account = &desired.accounts[&slug("one")];
    assert_eq!(account.email.as_str(), "aws+one@example.com");
    assert_eq!((account.tags["company"].as_str(), account.tags["env"].as_str()), ("acme", "prod"));
    assert_eq!(account.access.role.as_str(), "Own");
    assert_eq!(account.access.read_role.as_ref().map(ToString::to_string), Some("Reader".to_owned()));
    assert_eq!(account.access.external_id.as_deref(), Some("acme"));
    let stack_role =
        |slug_: &str| desired.accounts[&slug(slug_)].access.stack_role.clone().unwrap().to_string();
    assert_eq!((stack_role("one").as_str(), stack_role("two").as_str()), ("OwnMaker", "Maker"));
    let first = desired.organization.access.new_account_role.as_ref().map(ToString::to_string);
    assert_eq!(first.as_deref(), Some("First"));
    let at = |property: &str| format!("{}:{}", account.source(property).path, account.source(property).line);
    assert_eq!(at("email"), "organization/organization.yaml:7");
    assert_eq!(at("tags.env"), "accounts/one/account.yaml:3");
    assert_eq!(at("ou"), "accounts/one/account.yaml:2");
}

#[test]
fn a_stack_of_a_baseline_takes_the_accounts_own_parameters() {
    let desired = loaded(&[
        ("baselines/a/net.template.yaml", TEMPLATE),
        (
            "baselines/a/baseline.yaml",
            "targets: {ous: [/**]}\nstacks:\n  net:\n    template: net.template.yaml\n    targets: {ous: [/workloads/*]}\n    \
             parameters: {Cidr: a, Size: large}\n",
        ),
        (ACCOUNT, &format!("{ONE}stacks:\n  net:\n    parameters: {{Cidr: b}}\n")),
    ]);
    let stack = |account: &str| &desired.accounts[&slug(account)].stacks[&key("net[eu-west-1]")];
    assert_eq!(stack("one").value.parameters["Cidr"], "b");
    assert_eq!(stack("one").value.parameters["Size"], "large");
    assert_eq!(stack("two").value.parameters["Cidr"], "a");
    assert_eq!(stack("one").source.path, ACCOUNT);
    assert_eq!(stack("two").source.path, "baselines/a/baseline.yaml");
}
