//! Starts Postgres' programs: as which user, with which environment, and tied to the life of the
//! thread that started them.
//!
//! The one file with `unsafe`: what has to happen between fork and exec has no safe interface.
//! Nothing there may allocate or take a lock.
#![allow(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::io::FdFlags;
use rustix::process::{Pid, Signal};

use crate::account::Account;
use crate::error::{Error, io_at};
use crate::installation::Installation;
use crate::place::Place;

pub(crate) const PORT: u16 = 5432;
pub(crate) const SUPERUSER: &str = "postgres";
pub(crate) const DATABASE: &str = "sidebar";
/// Above this the log is set aside at a start; one older one is kept.
const LOG_LIMIT_BYTES: u64 = 10 * 1024 * 1024;

/// What every setting is for stands beside it; `fsync`, `synchronous_commit` and
/// `full_page_writes` are named although they are defaults, so that no configuration file can
/// turn them off.
const SERVER_SETTINGS: &[(&str, &str)] = &[
    ("listen_addresses", ""),
    // Relative to the cluster's own folder, which only its user (and root) can enter: no path is
    // too long to listen on.
    ("unix_socket_directories", "."),
    ("unix_socket_permissions", "0700"),
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("shared_buffers", "128MB"),
    ("max_connections", "60"),
    // A first run's data folder is often on a laptop's last gigabytes.
    ("max_wal_size", "512MB"),
    // Compiling a query costs more than these queries do.
    ("jit", "off"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("logging_collector", "off"),
    ("log_checkpoints", "off"),
    // People's words must not reach a log: no statements, no row values.
    ("log_min_error_statement", "panic"),
    ("log_error_verbosity", "terse"),
];

/// Everything a program of Postgres needs to be started for one cluster.
#[derive(Debug)]
pub(crate) struct Launcher {
    pub(crate) installation: Installation,
    pub(crate) account: Account,
}

impl Launcher {
    /// A program of the installation, to work in `place`, ended by `on_our_death` if the thread
    /// that spawns it ends first. Spawn it from a thread that outlives it.
    pub(crate) fn program(&self, name: &str, place: &Place, on_our_death: Signal) -> Command {
        let mut command = Command::new(self.installation.program(name));
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LD_LIBRARY_PATH", self.installation.libraries())
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::null())
            // A Ctrl-C at the terminal is for the server, which then stops Postgres in order.
            .process_group(0);
        if let Account::Lent { uid, gid } = self.account {
            command.uid(uid).gid(gid);
        }
        before_exec(&mut command, place, on_our_death);
        command
    }

    /// The server itself, logging to `log`.
    pub(crate) fn server(&self, place: &Place, log: &Path) -> Result<Child, Error> {
        let log_file = open_log(log)?;
        let errors = log_file.try_clone().map_err(io_at("open", log))?;
        // Fast shutdown: roll back, checkpoint, end.
        let mut command = self.program("postgres", place, Signal::INT);
        command.arg("-D").arg(place.path_for_child());
        command.arg("-p").arg(PORT.to_string());
        for (name, value) in SERVER_SETTINGS {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        // Read back from the process table to tell our orphan from any other Postgres.
        let mut mark = std::ffi::OsString::from(MARK);
        mark.push(place.path());
        command.arg("-c").arg(mark);
        command.stdout(log_file).stderr(errors);
        command.spawn().map_err(io_at("start", &self.installation.program("postgres")))
    }
}

/// The setting that carries the cluster's folder in the server's command line.
pub(crate) const MARK: &str = "sidebar.cluster=";

fn before_exec(command: &mut Command, place: &Place, on_our_death: Signal) {
    let parent = Pid::from_raw(std::process::id().cast_signed());
    let inherited = place.descriptor().map(|descriptor| descriptor.as_raw_fd());
    let prepare = move || -> io::Result<()> {
        // After the change of user, which would clear it.
        rustix::process::set_parent_process_death_signal(Some(on_our_death))?;
        if rustix::process::getppid() != parent {
            return Err(io::Error::from(io::ErrorKind::Interrupted));
        }
        if let Some(descriptor) = inherited {
            // SAFETY: `Place` keeps the descriptor open in the parent until the spawn returns,
            // and the child is a copy of the parent.
            let descriptor = unsafe { std::os::fd::BorrowedFd::borrow_raw(descriptor) };
            rustix::io::fcntl_setfd(descriptor, FdFlags::empty())?;
        }
        Ok(())
    };
    // SAFETY: `prepare` makes three system calls and neither allocates nor locks.
    unsafe { command.pre_exec(prepare) };
}

fn open_log(log: &Path) -> Result<File, Error> {
    if std::fs::metadata(log).is_ok_and(|metadata| metadata.len() > LOG_LIMIT_BYTES) {
        std::fs::rename(log, log.with_extension("log.1")).map_err(io_at("set aside", log))?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(log).map_err(io_at("open", log))
}
