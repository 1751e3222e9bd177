//! Gets what is missing, each part only when it is missing, so that an interrupted set-up goes on
//! where it was. Nothing is left half-made.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::place::Place;
use crate::{postgres, say, tool, weights};

const WASM: &str = "wasm32-unknown-unknown";
const OLDEST_NODE: u32 = 20;

/// Everything that running needs.
pub(crate) fn all(place: &Place) -> Result<()> {
    for_building(place)?;
    postgres::ensure()?;
    Ok(())
}

/// Everything that building needs, and the model that every test and every start finds in the cache.
pub(crate) fn for_building(place: &Place) -> Result<()> {
    wasm_target(place)?;
    npm_packages(&place.root)?;
    weights::ensure()?;
    Ok(())
}

/// The sync servers that ours is measured beside.
pub(crate) fn for_comparing(place: &Place) -> Result<()> {
    npm_packages(&place.root.join("bench"))
}

fn wasm_target(place: &Place) -> Result<()> {
    let sysroot = tool::read(Command::new("rustc").args(["--print", "sysroot"]).current_dir(&place.root))?;
    let library = Path::new(sysroot.trim()).join("lib/rustlib").join(WASM).join("lib");
    if library.is_dir() {
        return Ok(());
    }
    say::step("Adding the wasm target", || {
        tool::run(Command::new("rustup").args(["target", "add", WASM]).current_dir(&place.root))
    })
}

fn npm_packages(folder: &Path) -> Result<()> {
    let lock = fs::read(folder.join("package-lock.json")).context("could not read package-lock.json")?;
    let wanted = hex(&Sha256::digest(&lock));
    let stamp = folder.join("node_modules/.installed");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    check_node()?;
    say::step("Installing the npm packages", || {
        let quiet = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
        tool::run(Command::new("npm").args(quiet).current_dir(folder))?;
        fs::write(&stamp, &wanted).context("could not note that the npm packages are installed")
    })
}

fn check_node() -> Result<()> {
    let version = tool::read(Command::new("node").arg("--version"))?;
    let major = version.trim().trim_start_matches('v').split('.').next();
    match major.and_then(|major| major.parse::<u32>().ok()) {
        Some(major) if major < OLDEST_NODE => {
            bail!("Node.js {major} is too old: install Node.js {OLDEST_NODE} or newer")
        }
        _ => Ok(()),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
