//! Moto: Organizations, settings, stacks by change sets. It takes a used e-mail, makes an account at once, lets anybody
//! assume any role, and knows no drift of resources.

mod company;
mod recorder;
mod witness;
mod world;

mod baseline;
mod claims;
mod creation;
mod drift;
mod federation;
mod limits;
mod memory;
mod policies;
