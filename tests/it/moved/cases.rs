//! What a commit asks for, and what somebody does before it is done.

/// What the commit changes, so that a step follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    NewOu,
    NewOuInOu,
    NewAccount,
    OtherOu,
    OtherTag,
    NewTag,
    /// A policy of the organization, its content, where it is attached, and that it goes.
    NewGuardrail,
    OtherGuardrail,
    GuardrailHereToo,
    GuardrailNotHere,
    NoGuardrail,
    OtherPolicy,
    NewPolicy,
    NoPolicy,
    OtherAlias,
    NewAlias,
    NoAlias,
    OtherProvider,
    NewProvider,
    NoProvider,
    OtherStack,
    NewStack,
    NoStack,
    /// The first creation of the stack failed.
    FailedStack,
}

/// What becomes of the world that the plan saw.
#[expect(clippy::enum_variant_names, reason = "each is a sentence")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    SomebodyMadeTheOu,
    SomebodyDeletedTheParent,
    SomebodyMadeAnAccountOfTheEmail,
    SomebodyAskedForAnAccountOfTheName,
    SomebodyMovedTheAccount,
    SomebodyHoldsTheAccount,
    SomebodyChangedTheTag,
    SomebodyTookTheTagAway,
    SomebodyEnabledTheKind,
    SomebodyMadeTheGuardrail,
    SomebodyChangedTheGuardrail,
    SomebodyDeletedTheGuardrail,
    SomebodyAttachedTheGuardrail,
    SomebodyDetachedTheGuardrail,
    SomebodyChangedThePolicy,
    SomebodyRemovedThePolicy,
    SomebodyChangedTheAlias,
    SomebodyRemovedTheAlias,
    SomebodyChangedTheProvider,
    SomebodyRemovedTheProvider,
    SomebodyMadeTheProvider,
    SomebodyUpdatedTheStack,
    SomebodyDeletedTheStack,
    SomebodyMadeTheStack,
    SomebodyMadeTheStackAnew,
    SomebodyProtectedTheStack,
}

/// One way in which the world moves away under a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) change: Change,
    pub(super) gone: Gone,
    /// AWS itself compares and refuses, in one go: better than any look.
    pub(super) is_refused: bool,
    /// The step stops although the pass looked a moment before.
    pub(super) is_at_once_too: bool,
    /// Somebody did what the step was to do, so that nothing is left of it.
    pub(super) is_as_wanted: bool,
}

impl Case {
    pub(super) fn of(change: Change, gone: Gone) -> Self {
        Self { change, gone, is_refused: false, is_at_once_too: false, is_as_wanted: false }
    }

    pub(super) fn refused(self) -> Self {
        Self { is_refused: true, ..self }
    }

    pub(super) fn at_once_too(self) -> Self {
        Self { is_at_once_too: true, ..self }
    }

    /// AWS says that it is so already.
    pub(super) fn as_wanted(self) -> Self {
        Self { is_as_wanted: true, ..self }.refused()
    }

    /// True for the first of these cases with its change.
    pub(super) fn is_first_of(self, cases: &[Self]) -> bool {
        cases.iter().find(|case| case.change == self.change).is_some_and(|first| first.gone == self.gone)
    }
}
