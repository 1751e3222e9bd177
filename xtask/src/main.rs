//! `cargo xtask`: sets up, builds, runs, tests and measures the whole product. It has no network
//! code of its own: what must be fetched is fetched by rustup, pip, npm and cargo, pinned.
//!
//! Every failure ends in one sentence that says what to do, never in a stack trace.

mod bench;
mod browser;
mod bundle;
mod place;
mod postgres;
mod precompressed;
mod prune;
mod run;
mod say;
mod scripts;
mod server;
mod setup;
mod split;
mod test;
mod tool;
mod watch;
mod weights;
mod wheel;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand};

use crate::place::{Place, Profile};

/// Everything this repository can do, by one command.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Get what is missing: the wasm target, Postgres, the embedding model, the npm packages
    Setup,
    /// Build both halves; leaves the executable `sidebar` and its site
    Build(BuildOptions),
    /// Set up, build, start the server and say where to go
    Run(RunOptions),
    /// Formatting, clippy for both targets, Rust tests, browser tests
    Test(TestOptions),
    /// Build for release and measure: `bench chat`, `bench pages`, `bench sync`, `bench search`, `bench soak`
    Bench {
        /// Given on to the `bench` program
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

#[derive(Args)]
struct BuildOptions {
    /// As users get it: small, optimised, precompressed
    #[arg(long)]
    release: bool,
    /// One file that carries the assets, Postgres and the embedding model (with --release)
    #[arg(long, requires = "release")]
    bundle: bool,
    /// Only what the browser loads
    #[arg(long, conflicts_with = "bundle")]
    site: bool,
}

#[derive(Args)]
struct RunOptions {
    /// As users get it: small, optimised, precompressed
    #[arg(long)]
    release: bool,
    /// The port to listen on at 127.0.0.1
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Where the data goes [default: .sidebar in the repository]
    #[arg(long)]
    data: Option<PathBuf>,
    /// Build again and restart when a source changes
    #[arg(long)]
    watch: bool,
}

#[derive(Args)]
struct TestOptions {
    /// Only tests whose names contain one of these; skips formatting and clippy
    filters: Vec<String>,
    /// Only this stage (may be repeated)
    #[arg(long, value_enum)]
    only: Vec<test::Stage>,
}

fn main() -> ExitCode {
    match perform(Cli::parse().task) {
        Ok(code) => code,
        Err(error) => {
            say::failure(&error);
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<ExitCode> {
    if !cfg!(target_os = "linux") {
        bail!("sideBar is built and run on Linux for now; use a Linux machine, a container or WSL 2");
    }
    let place = Place::find()?;
    match task {
        Task::Setup => {
            setup::all(&place)?;
            say::done("everything is set up; `cargo xtask run` starts the server");
        }
        Task::Build(options) => {
            let profile = Profile::of(options.release);
            setup::for_building(&place)?;
            if options.site {
                browser::build(&place, profile)?;
                say::done(&format!("built {}", place.site(profile).display()));
                return Ok(ExitCode::SUCCESS);
            }
            let executable = server::build_both(&place, profile)?;
            say::done(&format!("built {}", executable.display()));
            if options.bundle {
                let bundle = bundle::write(&place, &executable)?;
                say::done(&format!("one file to hand over: {}", bundle.display()));
            }
        }
        Task::Run(options) => {
            return run::run(&place, &options);
        }
        Task::Test(options) => test::run(&place, &options.filters, &options.only)?,
        Task::Bench { arguments } => return bench::run(&place, &arguments),
    }
    Ok(ExitCode::SUCCESS)
}
