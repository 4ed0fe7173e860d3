//! Load, the first of the five verbs: a tree at one commit becomes what should be, or every reason why not.
