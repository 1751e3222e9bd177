//! `sidebar`, the one executable. Its subcommands are its roles: the server, what its owner does at
//! the shell beside it, and the clients, which speak only the public API.

mod bundle;
mod client;
mod data;
mod meaning;
mod options;
mod reading;
mod serve;
mod shell;
mod telemetry;

use clap::Parser;
use options::{Command, Options};
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = Options::parse();
    if matches!(options.command, Command::Extract) {
        // Before anything is open or running that the jail would have to take away.
        return extract::run_child();
    }
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        report("the TLS provider could not be installed");
        return ExitCode::FAILURE;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            report(&format!("the runtime could not be started: {error}"));
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(async {
        let done = match options.command {
            Command::Serve(serve) => serve::run(*serve).await.map(|()| ExitCode::SUCCESS),
            Command::User(command) => shell::user(command).await,
            Command::Key(command) => shell::key(command).await,
            Command::Provider(command) => shell::provider(command).await,
            Command::Openapi => shell::openapi(),
            Command::Chat(chat) => client::chat::run(chat).await,
            Command::Note(command) => client::note::run(command).await,
            Command::Search(search) => client::search::run(search).await,
            Command::Check(check) => shell::check(check).await,
            Command::Reindex(reindex) => shell::reindex(reindex).await,
            Command::Extract => Ok(extract::run_child()),
        };
        done.unwrap_or_else(|error| {
            report(&format!("{error:#}"));
            ExitCode::FAILURE
        })
    })
}

/// One line on stderr: what is wrong and what to do. Never a stack trace.
#[allow(clippy::print_stderr)]
fn report(message: &str) {
    eprintln!("sidebar: {message}");
}
