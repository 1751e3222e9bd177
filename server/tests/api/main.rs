//! The server as people and programs meet it: over HTTP, with a real Postgres and a provider that
//! speaks the real wires.

mod accounts;
mod answers;
mod application;
mod bad_input;
mod faults;
mod gate;
mod isolation;
mod pages;
mod socket;
