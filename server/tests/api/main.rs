//! The server as people and programs meet it: over HTTP, with a real Postgres and a provider that
//! speaks the real wires.

mod accounts;
mod answers;
mod application;
mod bad_input;
mod comments;
mod faults;
mod files;
mod gate;
mod invites;
mod isolation;
mod meaning;
mod notes;
mod notes_files;
mod notes_links;
mod notes_shell;
mod pages;
mod proposals;
mod sharing;
mod socket;
mod versions;
