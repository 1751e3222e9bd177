//! `cargo xtask bench`: what sideBar adds, measured beside the same thing without it, in one run.
//! Traffic stays on this machine and ends by itself.

mod chat;
mod ingest;
mod pages;
mod search;
mod server;
mod sign_in;
mod soak;
mod statistics;
mod sync;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Streaming: straight to the provider and through sideBar.
    Chat(chat::Arguments),
    /// Reading files: the libraries alone, the reader, and the reader shut in; and the vectors of passages.
    Ingest(ingest::Arguments),
    /// Reads one file from standard input, shut in: what the product's executable does.
    #[command(hide = true)]
    Extract,
    /// Pages: time of the server, bytes, and time until they can be used in Chromium.
    Pages(pages::Arguments),
    /// The one search: speed at 100,000 or more passages, and quality by labelled questions.
    Search(search::Arguments),
    /// Sign-in: whether the time of a refusal tells if an account exists.
    SignIn(sign_in::Arguments),
    /// Notes written by many at once: beside y-websocket's server and Hocuspocus.
    Sync(sync::Arguments),
    /// Seeded random plans of people, networks and crashes around notes: everything must agree.
    Soak(soak::Arguments),
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    // Before there is a thread: the jail is taken on by one.
    if let What::Extract = arguments.what {
        return Ok(extract::run_child());
    }
    // Another may have been installed by a library; any will do for loopback.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        match arguments.what {
            What::Chat(arguments) => chat::run(arguments).await,
            What::Ingest(arguments) => ingest::run(arguments).await,
            What::Extract => Ok(()),
            What::Pages(arguments) => pages::run(arguments).await,
            What::Search(arguments) => Box::pin(search::run(arguments)).await,
            What::SignIn(arguments) => sign_in::run(arguments).await,
            What::Sync(arguments) => sync::run(arguments).await,
            What::Soak(arguments) => soak::run(&arguments),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
