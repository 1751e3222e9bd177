//! Ends Postgres processes that an earlier server left behind in a cluster, and clears the lock
//! file they leave. Only called while holding the data folder's own lock: whatever still works in
//! the cluster then belongs to a server that is gone.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{Error, io_at};
use crate::launch::MARK;

/// How an orphan is ended: politely (a fast shutdown with its checkpoint), at once, by force.
const STEPS: [(Signal, Duration); 3] = [
    (Signal::INT, Duration::from_secs(15)),
    (Signal::QUIT, Duration::from_secs(5)),
    (Signal::KILL, Duration::from_secs(5)),
];

/// Ends every Postgres process that works in `cluster`.
pub(crate) fn end(cluster: &Path) -> Result<(), Error> {
    for (signal, patience) in STEPS {
        let left = occupants(cluster);
        if left.is_empty() {
            return Ok(());
        }
        tracing::warn!(processes = left.len(), ?signal, "ending Postgres processes of an earlier run");
        let postmaster = left.iter().copied().find(|pid| marked(*pid, cluster));
        for pid in postmaster.map_or(left, |pid| vec![pid]) {
            // One that has ended meanwhile is what we want.
            if let Err(error) = kill_process(pid, signal) {
                tracing::debug!(%error, "a process was gone before its signal");
            }
        }
        if wait_until_empty(cluster, patience) {
            return Ok(());
        }
    }
    match occupants(cluster).first() {
        None => Ok(()),
        Some(pid) => Err(Error::OrphanStays { cluster: cluster.to_owned(), pid: pid.as_raw_nonzero().get() }),
    }
}

/// Ends orphans and removes the lock file of a postmaster that is gone: its process id may by now
/// be another process's, and Postgres would refuse to start.
pub(crate) fn clear(cluster: &Path) -> Result<(), Error> {
    end(cluster)?;
    let stale = cluster.join("postmaster.pid");
    match fs::remove_file(&stale) {
        Ok(()) => {
            tracing::warn!("the last Postgres here did not end in order; it recovers from its log");
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_at("remove", &stale)(error)),
    }
}

fn wait_until_empty(cluster: &Path, patience: Duration) -> bool {
    let started = Instant::now();
    loop {
        if occupants(cluster).is_empty() {
            return true;
        }
        if started.elapsed() > patience {
            return false;
        }
        thread::sleep(Duration::from_millis(30));
    }
}

/// The Postgres processes whose working folder is the cluster, or whose command line names it
/// (inside a container even root may not see another user's working folder).
fn occupants(cluster: &Path) -> Vec<Pid> {
    let (Ok(entries), Ok(folder)) = (fs::read_dir("/proc"), fs::metadata(cluster)) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(Pid::from_raw)
        .filter(|pid| is_postgres(*pid) && (works_in(*pid, &folder) || marked(*pid, cluster)))
        .collect()
}

fn of(pid: Pid, what: &str) -> std::path::PathBuf {
    Path::new("/proc").join(pid.as_raw_nonzero().to_string()).join(what)
}

fn is_postgres(pid: Pid) -> bool {
    // A zombie holds nothing: it waits for its parent only.
    let alive = fs::read_to_string(of(pid, "stat"))
        .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| !rest.starts_with(" Z")));
    alive && fs::read_to_string(of(pid, "comm")).is_ok_and(|name| name.trim() == "postgres")
}

fn works_in(pid: Pid, folder: &fs::Metadata) -> bool {
    fs::metadata(of(pid, "cwd")).is_ok_and(|cwd| cwd.dev() == folder.dev() && cwd.ino() == folder.ino())
}

fn marked(pid: Pid, cluster: &Path) -> bool {
    let mut mark = MARK.as_bytes().to_vec();
    mark.extend_from_slice(cluster.as_os_str().as_bytes());
    fs::read(of(pid, "cmdline"))
        .is_ok_and(|line| line.split(|byte| *byte == 0).any(|argument| argument == mark))
}
