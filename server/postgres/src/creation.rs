//! Makes a new cluster with its one database. It is made beside its final place and moved there
//! when whole, so that an interrupted first start leaves nothing half-made.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustix::process::Signal;

use crate::error::{Error, io_at};
use crate::launch::{DATABASE, Launcher, SUPERUSER};
use crate::orphans;
use crate::place::Place;

/// The version every cluster here has, as in its `PG_VERSION`.
const MAJOR: &str = "18";

/// Makes the cluster at `cluster` unless it exists; refuses what is not ours to touch.
pub(crate) fn ensure(launcher: &Launcher, cluster: &Path) -> Result<(), Error> {
    match fs::read_to_string(cluster.join("PG_VERSION")) {
        Ok(found) if found.trim() == MAJOR => return Ok(()),
        Ok(found) => {
            return Err(Error::OtherVersion {
                cluster: cluster.to_owned(),
                found: found.trim().to_owned(),
                ours: MAJOR,
            });
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(io_at("read", &cluster.join("PG_VERSION"))(error)),
    }
    let occupied = fs::read_dir(cluster).is_ok_and(|mut entries| entries.next().is_some());
    if occupied {
        return Err(Error::NotACluster { cluster: cluster.to_owned() });
    }
    tracing::info!(cluster = %cluster.display(), "making a new database");
    let half = half_of(cluster);
    clear_half(&half)?;
    fill(launcher, &half)?;
    sync_everything(&half)?;
    fs::rename(&half, cluster).map_err(io_at("move into place", cluster))?;
    sync_parent(cluster)
}

fn half_of(cluster: &Path) -> PathBuf {
    cluster.with_extension("unfinished")
}

fn clear_half(half: &Path) -> Result<(), Error> {
    if half.exists() {
        orphans::end(half)?;
        fs::remove_dir_all(half).map_err(io_at("remove", half))?;
    }
    fs::create_dir(half).map_err(io_at("make the folder", half))?;
    fs::set_permissions(half, fs::Permissions::from_mode(0o700)).map_err(io_at("close", half))
}

fn fill(launcher: &Launcher, half: &Path) -> Result<(), Error> {
    launcher.account.give(half)?;
    let place = Place::new(half, launcher.account)?;
    let mut initdb = launcher.program("initdb", &place, Signal::KILL);
    initdb
        .arg("-D")
        .arg(place.path_for_child())
        .args(["--username", SUPERUSER])
        // Safe because the only way in is a socket in a folder closed to all but this user.
        .args(["--auth", "trust"])
        .args(["--encoding", "UTF8", "--locale", "C.UTF-8"])
        // Sorting that no upgrade of the system's C library can change under an index.
        .args(["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"])
        // One sync of everything at the end is many times faster than one for each file, and
        // nothing counts before the move into place.
        .args(["--no-sync", "--no-instructions"]);
    run(initdb, b"", half)?;

    let mut single = launcher.program("postgres", &place, Signal::KILL);
    single.args(["--single", "-F", "-j", "-D"]).arg(place.path_for_child()).arg("postgres");
    let statements =
        format!("CREATE DATABASE {DATABASE};\n\nSELECT 'made ' || datname FROM pg_database;\n\n");
    let output = run(single, statements.as_bytes(), half)?;
    // This mode ends with success whatever its statements did.
    let made = String::from_utf8_lossy(&output.stdout).contains(&format!("\"made {DATABASE}\""));
    if made { Ok(()) } else { Err(not_created(half, &output)) }
}

fn run(mut command: Command, input: &[u8], half: &Path) -> Result<Output, Error> {
    let program = PathBuf::from(command.get_program());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(io_at("start", &program))?;
    if let Some(mut pipe) = child.stdin.take() {
        // A program that has ended already says why in its output.
        match pipe.write_all(input) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                return Err(io_at("talk to", &program)(error));
            }
            _ => {}
        }
    }
    let output = child.wait_with_output().map_err(io_at("wait for", &program))?;
    if output.status.success() { Ok(output) } else { Err(not_created(half, &output)) }
}

fn not_created(half: &Path, output: &Output) -> Error {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let tail = lines[lines.len().saturating_sub(4)..].join("; ");
    Error::NotCreated {
        cluster: half.to_owned(),
        output: if tail.is_empty() { output.status.to_string() } else { tail },
    }
}

fn sync_everything(folder: &Path) -> Result<(), Error> {
    let open = fs::File::open(folder).map_err(io_at("open the folder", folder))?;
    rustix::fs::syncfs(&open).map_err(std::io::Error::from).map_err(io_at("sync", folder))
}

fn sync_parent(path: &Path) -> Result<(), Error> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    fs::File::open(parent).and_then(|folder| folder.sync_all()).map_err(io_at("sync", parent))
}
