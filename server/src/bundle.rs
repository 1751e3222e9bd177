//! The payload attached to the executable: the site's assets, Postgres and the embedding model, packed together and
//! written behind the program's own bytes, so that one file is all there is to hand over. Unpacked
//! once into the data folder, whole or not at all. It never writes outside that folder.
//!
//! Layout, from the end: 16 bytes [`MAGIC`], 8 bytes length of the archive (little endian),
//! 32 bytes SHA-256 of the archive, the archive (`tar` in `zstd` with its checksum) with `site/`,
//! `postgres/` and `model/`. `cargo xtask build --bundle` writes it.

use std::fs::{self, File};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

const MAGIC: &[u8; 16] = b"sidebar payload1";
const TRAILER_LENGTH: u64 = 32 + 8 + 16;

/// The folders of an unpacked payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Holds `manifest.json` and `assets/`.
    pub site: PathBuf,
    /// Holds `bin/`, `lib/` and `share/`.
    pub postgres: PathBuf,
    /// Holds `model.safetensors` and `tokenizer.json`.
    pub model: PathBuf,
}

impl Bundle {
    fn at(folder: &Path) -> Self {
        Self { site: folder.join("site"), postgres: folder.join("postgres"), model: folder.join("model") }
    }
}

/// Unpacks the payload of this executable into the data folder, unless that was done before.
/// `None` when the executable carries none, as in development.
pub fn unpack(data: &Path) -> Result<Option<Bundle>> {
    let executable = own_executable()?;
    let mut file =
        File::open(&executable).with_context(|| format!("could not open {}", executable.display()))?;
    match read_trailer(&mut file)? {
        None => Ok(None),
        Some(trailer) => unpack_from(&mut file, &trailer, data).map(Some),
    }
}

impl Bundle {
    /// Removes what other versions unpacked beside this one. Called when this one serves: until then
    /// the one before may have to be started again.
    pub fn remove_others(&self) -> Result<()> {
        let Some(own) = self.site.parent() else { return Ok(()) };
        let Some(bundles) = own.parent() else { return Ok(()) };
        for entry in fs::read_dir(bundles)? {
            let path = entry?.path();
            if path != own && path.is_dir() {
                fs::remove_dir_all(&path).with_context(|| format!("could not remove {}", path.display()))?;
            }
        }
        Ok(())
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Trailer {
    start: u64,
    length: u64,
    hash: String,
}

/// The running program's file. Linux tells it by `/proc`, which a bare chroot may lack; the name
/// it was called by is the second best.
pub fn own_executable() -> Result<PathBuf> {
    if let Ok(path) = std::env::current_exe() {
        return Ok(path);
    }
    let name = std::env::args_os().next().context("the program was started without a name")?;
    let called = PathBuf::from(&name);
    if called.components().count() > 1 {
        return Ok(called);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(&name))
        .find(|candidate| candidate.is_file())
        .context("could not find the program's own file; start it with its full path")
}

fn read_trailer(file: &mut File) -> Result<Option<Trailer>> {
    let size = file.seek(SeekFrom::End(0))?;
    let Some(trailer_start) = size.checked_sub(TRAILER_LENGTH) else {
        return Ok(None);
    };
    file.seek(SeekFrom::Start(trailer_start))?;
    let mut trailer = [0_u8; TRAILER_LENGTH as usize];
    file.read_exact(&mut trailer)?;
    let (hash, rest) = trailer.split_at(32);
    let (length, magic) = rest.split_at(8);
    if magic != MAGIC {
        return Ok(None);
    }
    let length = u64::from_le_bytes(length.try_into()?);
    let start =
        trailer_start.checked_sub(length).context("the program's file is cut short; copy it again")?;
    Ok(Some(Trailer { start, length, hash: hex(hash) }))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unpack_from(file: &mut File, trailer: &Trailer, data: &Path) -> Result<Bundle> {
    let bundles = data.join("bundle");
    let name = trailer.hash.get(..16).unwrap_or(&trailer.hash);
    let folder = bundles.join(name);
    if folder.is_dir() {
        return Ok(Bundle::at(&folder));
    }
    let half = bundles.join(format!("{name}.half-{}", std::process::id()));
    fs::create_dir_all(&half).with_context(|| format!("could not make the folder {}", half.display()))?;
    let outcome = unpack_archive(file, trailer, &half);
    if let Err(error) = outcome {
        // Most likely a full disk: give back what was taken.
        fs::remove_dir_all(&half).with_context(|| format!("could not remove {}", half.display()))?;
        return Err(error).with_context(|| {
            format!(
                "could not unpack the program's files into {}; check the free space there",
                bundles.display()
            )
        });
    }
    match fs::rename(&half, &folder) {
        Ok(()) => {}
        // A second process unpacked the same payload first.
        Err(_) if folder.is_dir() => fs::remove_dir_all(&half)?,
        Err(error) => {
            return Err(error).with_context(|| format!("could not move into place {}", folder.display()));
        }
    }
    Ok(Bundle::at(&folder))
}

fn unpack_archive(file: &mut File, trailer: &Trailer, into: &Path) -> Result<()> {
    file.seek(SeekFrom::Start(trailer.start))?;
    let packed = BufReader::new(file.take(trailer.length));
    let mut archive = tar::Archive::new(zstd::Decoder::with_buffer(packed)?);
    archive.set_preserve_permissions(true);
    archive.set_preserve_mtime(false);
    // `unpack` refuses entries that would leave the folder.
    archive.unpack(into)?;
    let bundle = Bundle::at(into);
    for part in [&bundle.site, &bundle.postgres, &bundle.model] {
        if !part.is_dir() {
            bail!("the program's file carries no {}; build it again", part.display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("bundle-{name}-{}", std::process::id()));
        // What a process of this number left that did not come to its end.
        fs::remove_dir_all(&path).ok();
        fs::create_dir_all(&path).unwrap();
        path
    }

    fn archive(paths: &[&str]) -> Vec<u8> {
        let mut tar = tar::Builder::new(zstd::Encoder::new(Vec::new(), 1).unwrap());
        for path in paths {
            let mut header = tar::Header::new_gnu();
            header.set_size(5);
            header.set_mode(0o755);
            tar.append_data(&mut header, path, b"bytes".as_slice()).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    fn executable(folder: &Path, payload: &[u8], length: u64) -> File {
        let path = folder.join("program");
        let mut file = File::create_new(&path).unwrap();
        file.write_all(b"the program itself").unwrap();
        file.write_all(payload).unwrap();
        file.write_all(&[7; 32]).unwrap();
        file.write_all(&length.to_le_bytes()).unwrap();
        file.write_all(MAGIC).unwrap();
        File::open(&path).unwrap()
    }

    #[test]
    fn a_payload_is_unpacked_once_and_whole() {
        let folder = folder("once");
        let payload = archive(&["site/manifest.json", "postgres/bin/postgres", "model/tokenizer.json"]);
        let mut file = executable(&folder, &payload, payload.len() as u64);
        let trailer = read_trailer(&mut file).unwrap().unwrap();
        let bundle = unpack_from(&mut file, &trailer, &folder).unwrap();
        assert_eq!(fs::read(bundle.site.join("manifest.json")).unwrap(), b"bytes");
        assert!(bundle.model.join("tokenizer.json").is_file());
        let program = bundle.postgres.join("bin/postgres");
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&program).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o755);

        fs::write(&program, "touched").unwrap();
        assert_eq!(unpack_from(&mut file, &trailer, &folder).unwrap(), bundle);
        assert_eq!(fs::read(&program).unwrap(), b"touched", "not unpacked again");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn other_versions_are_removed_and_nothing_else() {
        let folder = folder("others");
        let payload = archive(&["site/manifest.json", "postgres/bin/postgres", "model/tokenizer.json"]);
        let mut file = executable(&folder, &payload, payload.len() as u64);
        let trailer = read_trailer(&mut file).unwrap().unwrap();
        let bundle = unpack_from(&mut file, &trailer, &folder).unwrap();
        for old in ["0123456789abcdef/site", "fedcba9876543210.half-7"] {
            fs::create_dir_all(folder.join("bundle").join(old)).unwrap();
        }
        fs::create_dir(folder.join("postgres")).unwrap();
        bundle.remove_others().unwrap();
        assert_eq!(fs::read_dir(folder.join("bundle")).unwrap().count(), 1);
        assert!(bundle.site.is_dir() && folder.join("postgres").is_dir());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_broken_payload_leaves_nothing_half_unpacked() {
        let folder = folder("broken");
        let mut payload = archive(&["site/manifest.json", "postgres/bin/postgres", "model/tokenizer.json"]);
        let middle = payload.len() / 2;
        payload.truncate(middle);
        let mut file = executable(&folder, &payload, middle as u64);
        let trailer = read_trailer(&mut file).unwrap().unwrap();
        unpack_from(&mut file, &trailer, &folder).unwrap_err();
        assert_eq!(fs::read_dir(folder.join("bundle")).unwrap().count(), 0);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn an_executable_without_a_payload_has_none() {
        let folder = folder("none");
        let path = folder.join("program");
        fs::write(&path, vec![0; 4096]).unwrap();
        assert_eq!(read_trailer(&mut File::open(&path).unwrap()).unwrap(), None);
        fs::write(&path, "tiny").unwrap();
        assert_eq!(read_trailer(&mut File::open(&path).unwrap()).unwrap(), None);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_length_beyond_the_file_is_an_error_that_says_what_to_do() {
        let folder = folder("short");
        let mut file = executable(&folder, b"", u64::MAX);
        let error = read_trailer(&mut file).unwrap_err().to_string();
        assert!(error.contains("copy it again"), "{error}");
        fs::remove_dir_all(&folder).unwrap();
    }
}
