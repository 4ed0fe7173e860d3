//! `CloudFormation` of one account and region.

use super::call::Call;
use super::state::State;
use super::wire::Answer;

#[derive(Debug, Default)]
pub(crate) struct Stacks {}

#[derive(Clone, Debug)]
pub(crate) struct Due;

pub(crate) fn carry_out(_state: &mut State, _due: Due) {}

pub(crate) fn handle(_state: &mut State, call: &Call) -> Answer {
    Err(call.unknown_operation())
}
