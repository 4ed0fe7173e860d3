//! Shapes that are not of Rust's: what may be null, a map with names of one kind, a number within bounds.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// A value, or `null` to leave the key to others.
pub struct OrNull<T>(PhantomData<T>);

/// A value, `null` to leave the key to others, or `absent` for what must not be there.
pub struct OrAbsent<T>(PhantomData<T>);

/// A map with free names of one kind.
pub struct Named<K, V>(PhantomData<(K, V)>);

/// One thing, or a list of them.
pub struct OneOrMany<T>(PhantomData<T>);

/// The plain thing, or a map that says more of it.
pub struct PlainOr<P, M>(PhantomData<(P, M)>);

/// A whole number within bounds.
pub struct Within<const LOW: u32, const HIGH: u32>;

/// All of them are written in place: a definition of their own would tell a reader nothing.
macro_rules! shape {
    ($name:ident<$($type:ident),*>, |$generator:ident| $schema:tt) => {
        impl<$($type: JsonSchema),*> JsonSchema for $name<$($type),*> {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn schema_id() -> Cow<'static, str> {
                let parts: Vec<_> = [$($type::schema_id()),*].into_iter().collect();
                format!("{}<{}>", stringify!($name), parts.join(", ")).into()
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

// `enum` and not `type`: what an optional field may be is told apart from it in `shaping`.
shape!(OrNull<T>, |generator| {"anyOf": [generator.subschema_for::<T>(), {"enum": [null]}]});
shape!(OrAbsent<T>, |generator| {"anyOf": [generator.subschema_for::<T>(), {"enum": [null, "absent"]}]});
shape!(Named<K, V>, |generator| {
    "type": "object",
    "propertyNames": generator.subschema_for::<K>(),
    "additionalProperties": generator.subschema_for::<V>(),
});
shape!(OneOrMany<T>, |generator| {
    "anyOf": [
        generator.subschema_for::<T>(),
        {"type": "array", "items": generator.subschema_for::<T>()},
    ],
});
shape!(PlainOr<P, M>, |generator| {
    "anyOf": [generator.subschema_for::<P>(), generator.subschema_for::<M>()],
});

impl<const LOW: u32, const HIGH: u32> JsonSchema for Within<LOW, HIGH> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("From{LOW}To{HIGH}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": LOW, "maximum": HIGH})
    }
}
