//! One file to hand over: the executable with the site, Postgres and the embedding model packed behind its own
//! bytes.
//! The layout is described, and read back, in the server's `bundle.rs`.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::place::{Place, Profile, fresh_folder};
use crate::{postgres, say, tool, weights};

const MAGIC: &[u8; 16] = b"sidebar payload1";
const ZSTD_LEVEL: i32 = 19;
const LARGEST: u64 = 150 * 1000 * 1000;

/// Writes the bundle beside the executable, in `bundle/`.
pub(crate) fn write(place: &Place, executable: &Path) -> Result<PathBuf> {
    let installation = postgres::ensure()?;
    let folder = executable.with_file_name("bundle");
    fresh_folder(&folder)?;
    let target = folder.join("sidebar");
    let model = folder.join("model");
    say::step("Halving the weights of the embedding model", || halve(place, &model))?;
    say::step("Packing assets, Postgres and the embedding model", || {
        let payload = pack(&[
            ("site", &place.site(Profile::Release)),
            ("postgres", &installation.root),
            ("model", &model),
        ])?;
        fs::copy(executable, &target)
            .with_context(|| format!("could not copy the executable to {}", target.display()))?;
        append(&target, &payload)
    })?;
    fs::remove_dir_all(&model)?;
    let size = fs::metadata(&target)?.len();
    if size > LARGEST {
        bail!("the bundle has {size} bytes, more than the {LARGEST} it may have: look what has grown");
    }
    say::note(&format!("{:.1} MB", size as f64 / 1e6));
    Ok(target)
}

/// The weights in 16 bits: half the size, and vectors that differ less than a search can tell.
fn halve(place: &Place, into: &Path) -> Result<()> {
    let arguments = ["run", "--quiet", "--release", "--package", "embeddings", "--example", "halve", "--"];
    tool::run(tool::cargo(place, &arguments).arg(weights::ensure()?).arg(into))
}

fn pack(folders: &[(&str, &Path)]) -> Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
    encoder.include_checksum(true)?;
    let mut archive = tar::Builder::new(encoder);
    // Times and owners of this machine are left out: the same inputs give the same bytes.
    archive.mode(tar::HeaderMode::Deterministic);
    for (name, folder) in folders {
        append_sorted(&mut archive, Path::new(name), folder)?;
    }
    Ok(archive.into_inner()?.finish()?)
}

fn append_sorted(archive: &mut tar::Builder<impl Write>, name: &Path, folder: &Path) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("{} is missing", folder.display()))?;
    let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    archive.append_dir(name, folder)?;
    for entry in entries {
        let inside = name.join(entry.file_name());
        if entry.path().is_dir() {
            append_sorted(archive, &inside, &entry.path())?;
        } else {
            archive.append_path_with_name(entry.path(), inside)?;
        }
    }
    Ok(())
}

fn append(target: &Path, payload: &[u8]) -> Result<()> {
    let mut file = BufWriter::new(File::options().append(true).open(target)?);
    file.write_all(payload)?;
    file.write_all(&Sha256::digest(payload))?;
    file.write_all(&(payload.len() as u64).to_le_bytes())?;
    file.write_all(MAGIC)?;
    file.flush().context("could not write the bundle; check the free space")
}
