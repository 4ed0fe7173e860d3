//! The tree: the root, organizational units, what is under what.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::state::State;
use super::super::wire::{Answer, Params as _, Refusal};
use super::{Organization, invalid, paged, required, tags};

#[derive(Clone, Debug)]
pub(crate) struct Ou {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) parent: String,
}

impl Organization {
    fn shown_ou(&self, ou: &Ou) -> Value {
        json!({"Id": ou.id, "Name": ou.name, "Arn": self.arn("ou", &ou.id), "Path": self.path(&ou.id)})
    }

    /// `o-…/r-…/ou-…/` down to `id`, with a slash at its end.
    pub(crate) fn path(&self, id: &str) -> String {
        match self.ous.get(id) {
            Some(ou) => format!("{}{id}/", self.path(&ou.parent)),
            None => format!("{}/{}/", self.id, self.root),
        }
    }

    /// The names from the root down: `/workloads/prod`.
    pub(crate) fn name_path(&self, id: &str) -> String {
        match self.ous.get(id) {
            Some(ou) => format!("{}/{}", self.name_path(&ou.parent).trim_end_matches('/'), ou.name),
            None => "/".to_owned(),
        }
    }

    fn is_parent(&self, id: &str) -> bool {
        id == self.root || self.ous.contains_key(id)
    }

    fn depth(&self, id: &str) -> usize {
        self.ous.get(id).map_or(0, |ou| 1 + self.depth(&ou.parent))
    }
}

pub(crate) fn list_roots(state: &mut State, call: &Call) -> Answer {
    paged(state, call, "Roots", vec![state.organization.shown_root()])
}

pub(crate) fn parent<'a>(state: &State, call: &'a Call) -> Result<&'a str, Refusal> {
    let id = required(call, "ParentId")?;
    if state.organization.is_parent(id) { Ok(id) } else { Err(no_parent()) }
}

fn no_parent() -> Refusal {
    Refusal::bad("ParentNotFoundException", "You specified parent that doesn't exist.")
}

pub(crate) fn list_ous(state: &mut State, call: &Call) -> Answer {
    let parent = parent(state, call)?;
    let ous = state.organization.ous.values().filter(|ou| ou.parent == parent);
    let shown = ous.map(|ou| state.organization.shown_ou(ou)).collect();
    paged(state, call, "OrganizationalUnits", shown)
}

pub(crate) fn create_ou(state: &mut State, call: &Call) -> Answer {
    let parent = parent(state, call)?.to_owned();
    let name = ou_name(state, call, &parent)?;
    if state.organization.depth(&parent) >= 5 {
        return Err(Refusal::bad(
            "ConstraintViolationException",
            "You have reached the maximum depth of the tree.",
        )
        .with_reason("OU_DEPTH_LIMIT_EXCEEDED"));
    }
    let tags = tags::read(call.params.entries("Tags"))?;
    let fresh = state.fresh();
    let id = format!("ou-{}-{}", &state.organization.root[2..], &fresh[..8]);
    let ou = Ou { id: id.clone(), name, parent };
    state.organization.ous.insert(id.clone(), ou.clone());
    state.organization.policies.welcome(&id);
    state.organization.tags.insert(id, tags);
    Ok(json!({"OrganizationalUnit": state.organization.shown_ou(&ou)}))
}

fn ou_name(state: &State, call: &Call, parent: &str) -> Result<String, Refusal> {
    let name = required(call, "Name")?;
    if !(1..=128).contains(&name.chars().count()) {
        return Err(invalid("MAX_LENGTH_EXCEEDED", "You specified a name that is too long."));
    }
    if state.organization.ous.values().any(|ou| ou.parent == parent && ou.name == name) {
        return Err(Refusal::bad(
            "DuplicateOrganizationalUnitException",
            "An OU with the same name already exists.",
        ));
    }
    Ok(name.to_owned())
}

fn find_ou<'a>(state: &'a State, call: &Call) -> Result<&'a Ou, Refusal> {
    let id = required(call, "OrganizationalUnitId")?;
    state.organization.ous.get(id).ok_or_else(|| {
        Refusal::bad(
            "OrganizationalUnitNotFoundException",
            "You specified an organizational unit that doesn't exist.",
        )
    })
}

pub(crate) fn describe_ou(state: &mut State, call: &Call) -> Answer {
    Ok(json!({"OrganizationalUnit": state.organization.shown_ou(find_ou(state, call)?)}))
}

pub(crate) fn rename_ou(state: &mut State, call: &Call) -> Answer {
    let mut ou = find_ou(state, call)?.clone();
    ou.name = ou_name(state, call, &ou.parent)?;
    let shown = state.organization.shown_ou(&ou);
    state.organization.ous.insert(ou.id.clone(), ou);
    Ok(json!({"OrganizationalUnit": shown}))
}

pub(crate) fn delete_ou(state: &mut State, call: &Call) -> Answer {
    let id = find_ou(state, call)?.id.clone();
    let has_children = state.organization.ous.values().any(|ou| ou.parent == id)
        || state.organization.accounts.values().any(|account| account.parent == id);
    if has_children {
        return Err(Refusal::bad("OrganizationalUnitNotEmptyException", "The OU is not empty."));
    }
    state.organization.ous.remove(&id);
    state.organization.tags.remove(&id);
    state.organization.policies.forget(&id);
    Ok(json!({}))
}

pub(crate) fn list_parents(state: &mut State, call: &Call) -> Answer {
    let id = required(call, "ChildId")?;
    let organization = &state.organization;
    let ou = organization.ous.get(id).map(|ou| &ou.parent);
    let parent = ou.or_else(|| organization.accounts.get(id).map(|account| &account.parent));
    let parent = parent
        .ok_or_else(|| Refusal::bad("ChildNotFoundException", "You specified a child that doesn't exist."))?;
    let kind = if *parent == organization.root { "ROOT" } else { "ORGANIZATIONAL_UNIT" };
    Ok(json!({"Parents": [{"Id": parent, "Type": kind}]}))
}

pub(crate) fn list_children(state: &mut State, call: &Call) -> Answer {
    let parent = parent(state, call)?;
    let organization = &state.organization;
    let kind = required(call, "ChildType")?;
    let ids: Vec<&String> = if kind == "ACCOUNT" {
        organization.accounts.values().filter(|a| a.parent == parent).map(|a| &a.id).collect()
    } else {
        organization.ous.values().filter(|ou| ou.parent == parent).map(|ou| &ou.id).collect()
    };
    let shown = ids.into_iter().map(|id| json!({"Id": id, "Type": kind})).collect();
    paged(state, call, "Children", shown)
}
