//! `cargo xtask bench`: builds for release and hands over to the `bench` program.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::place::{Place, Profile};
use crate::{postgres, server, setup};

pub(crate) fn run(place: &Place, arguments: &[String]) -> Result<ExitCode> {
    setup::for_building(place)?;
    if arguments.first().is_some_and(|what| what == "sync") {
        setup::for_comparing(place)?;
    }
    let installation = postgres::ensure()?;
    let sidebar = server::build_both(place, Profile::Release)?;
    let upstream = server::build(place, Profile::Release, "upstream")?;
    let bench = server::build(place, Profile::Release, "bench")?;
    let status = Command::new(&bench)
        .args(arguments)
        .current_dir(&place.root)
        .env("SIDEBAR_BIN", sidebar)
        .env("SIDEBAR_UPSTREAM_BIN", upstream)
        .env("SIDEBAR_POSTGRES", &installation.root)
        .status()
        .with_context(|| format!("could not start {}", bench.display()))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
