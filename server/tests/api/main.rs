//! The server as people and programs meet it: over HTTP, with a real Postgres and a provider that
//! speaks the real wires.

mod accounts;
mod answers;
mod application;
mod bad_input;
mod bucket;
mod collections;
mod comments;
mod context;
mod faults;
mod files;
mod finding;
mod gate;
mod invites;
mod isolation;
mod killed;
mod meaning;
mod memories;
mod notes;
mod notes_files;
mod notes_links;
mod notes_shell;
mod pages;
mod pictures_and_speech;
mod proposals;
mod saved_pages;
mod shapes;
mod sharing;
mod socket;
mod storage;
mod telemetry;
mod upkeep;
mod versions;
