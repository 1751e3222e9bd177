//! The server as people and programs meet it: over HTTP, with a real Postgres and a provider that
//! speaks the real wires.

mod answers;
mod application;
mod faults;
mod isolation;
