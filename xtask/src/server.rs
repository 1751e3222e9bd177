//! Builds the server half: the executable `sidebar`, beside its site.

use std::path::PathBuf;

use anyhow::{Result, anyhow};

use crate::place::{Place, Profile};
use crate::{browser, say, tool};

/// Builds one of our programs.
pub(crate) fn build(place: &Place, profile: Profile, package: &str) -> Result<PathBuf> {
    let mut command = tool::cargo(place, &["build", "--package", package]);
    if profile == Profile::Release {
        command.arg("--release");
    }
    say::step(&format!("Compiling `{package}`"), || tool::run(&mut command))?;
    Ok(place.executable(profile, package))
}

/// Builds both halves; gives the executable. While developing, the two are compiled at the same
/// time: their target folders are apart, and each compiles long stretches on one core.
pub(crate) fn build_both(place: &Place, profile: Profile) -> Result<PathBuf> {
    std::thread::scope(|scope| {
        let site = scope.spawn(|| browser::build(place, profile));
        let executable = build(place, profile, "sidebar");
        site.join().map_err(|_| anyhow!("the build of the browser half broke off; run it again"))??;
        executable
    })
}
