//! The thread that owns the Postgres process: starts it, waits for it, starts it again with
//! backoff when it dies, ends it when told. One thread for its whole life, because the kernel ties
//! "end when your parent does" to the thread that started the process.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tokio::sync::{oneshot, watch};

use crate::account::Account;
use crate::cluster::{Connection, Settings, State};
use crate::error::{Error, io_at};
use crate::launch::{DATABASE, Launcher, PORT, SUPERUSER};
use crate::lock::Lock;
use crate::place::{Place, ShortPath};
use crate::{creation, orphans};

const FIRST_BACKOFF: Duration = Duration::from_millis(200);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);
/// A run as long as this was a good one: the next death starts from the first backoff again.
const GOOD_RUN: Duration = Duration::from_secs(60);
/// Replaying half a gigabyte of log on a slow disk stays well below this.
const RECOVERY_LIMIT: Duration = Duration::from_secs(600);

/// What the owner of the cluster and its thread share.
#[derive(Debug, Default)]
pub(crate) struct Control {
    wish: Mutex<Wish>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Wish {
    stop: bool,
    /// Set from the spawn until just before the process is reaped, so that a signal can never
    /// reach another process that was given the same number.
    pid: Option<Pid>,
}

impl Control {
    fn wish(&self) -> MutexGuard<'_, Wish> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for the end, by `signal` if Postgres is running.
    pub(crate) fn stop_with(&self, signal: Signal) {
        let mut wish = self.wish();
        wish.stop = true;
        if let Some(pid) = wish.pid
            && let Err(error) = kill_process(pid, signal)
        {
            tracing::warn!(%error, "could not signal Postgres");
        }
        self.changed.notify_all();
    }

    fn stopping(&self) -> bool {
        self.wish().stop
    }

    /// Sleeps, unless told to stop meanwhile.
    fn sleep(&self, duration: Duration) {
        drop(self.changed.wait_timeout_while(self.wish(), duration, |wish| !wish.stop));
    }
}

/// Everything that one cluster is run with. The lock goes last: it is let go when all is over.
struct Run {
    launcher: Launcher,
    cluster: PathBuf,
    log: PathBuf,
    _lock: Lock,
}

/// The thread's body. `ready` hears once: the connection, or why there is none.
pub(crate) fn supervise(
    settings: Settings,
    control: Arc<Control>,
    states: watch::Sender<State>,
    ready: oneshot::Sender<Result<Connection, Error>>,
) {
    let mut ready = Some(ready);
    let mut tell = |result| ready.take().is_none_or(|ready| ready.send(result).is_ok());
    match prepare(&settings).and_then(|run| {
        let connection = connection_to(&run.cluster)?;
        Ok((run, connection))
    }) {
        Err(error) => _ = tell(Err(error)),
        Ok((run, connection)) => {
            let mut backoff = FIRST_BACKOFF;
            while !control.stopping() {
                let started = Instant::now();
                let outcome = run.once(&control, || {
                    // Nobody waits any more: the start was given up.
                    if !tell(Ok(connection.clone())) {
                        control.stop_with(Signal::INT);
                    }
                    states.send_replace(State::Running);
                });
                if control.stopping() {
                    break;
                }
                if states.borrow().is_starting() {
                    tell(Err(outcome.err().unwrap_or_else(|| run.not_started())));
                    break;
                }
                states.send_replace(State::Restarting);
                if started.elapsed() > GOOD_RUN {
                    backoff = FIRST_BACKOFF;
                }
                report(outcome, backoff);
                control.sleep(backoff);
                backoff = (backoff * 2).min(LONGEST_BACKOFF);
            }
        }
    }
    states.send_replace(State::Stopped);
}

fn report(outcome: Result<(), Error>, backoff: Duration) {
    match outcome {
        Ok(()) => tracing::error!(?backoff, "Postgres died; starting it again"),
        Err(error) => tracing::error!(%error, ?backoff, "Postgres is not back yet; trying again"),
    }
}

fn prepare(settings: &Settings) -> Result<Run, Error> {
    let data = &settings.data;
    fs::create_dir_all(data).map_err(io_at("make the folder", data))?;
    let data = &data.canonicalize().map_err(io_at("find", data))?;
    let lock = Lock::take(data)?;
    let cluster = cluster_folder(data);
    let account = Account::choose(&cluster)?;
    account.let_through(data)?;
    let installation = settings.installation.clone().within_reach(account)?;
    let launcher = Launcher { installation, account };
    creation::ensure(&launcher, &cluster)?;
    Ok(Run { launcher, cluster, log: data.join("postgres.log"), _lock: lock })
}

pub(crate) fn cluster_folder(data: &Path) -> PathBuf {
    data.join("postgres")
}

pub(crate) fn connection_to(cluster: &Path) -> Result<Connection, Error> {
    let short = ShortPath::to(cluster, &format!(".s.PGSQL.{PORT}"))?;
    Ok(Connection {
        socket_folder: short.path,
        port: PORT,
        user: SUPERUSER,
        database: DATABASE,
        _open: short.keep,
    })
}

impl Run {
    /// One life of the process, from clearing what the last one left to reaping it.
    fn once(&self, control: &Control, when_ready: impl FnOnce()) -> Result<(), Error> {
        orphans::clear(&self.cluster)?;
        let place = Place::new(&self.cluster, self.launcher.account)?;
        let pid = {
            // Held over the spawn, so that a stop cannot fall between spawn and note.
            let mut wish = control.wish();
            if wish.stop {
                return Ok(());
            }
            let child = self.launcher.server(&place, &self.log)?;
            let pid = Pid::from_child(&child);
            wish.pid = Some(pid);
            pid
        };
        let outcome = self.wait_until_ready(pid).map(|()| when_ready());
        if outcome.is_err() {
            control.signal_running(Signal::KILL);
        }
        wait_for_end(pid, WaitIdOptions::empty());
        control.wish().pid = None;
        reap(pid);
        outcome
    }

    fn wait_until_ready(&self, pid: Pid) -> Result<(), Error> {
        let started = Instant::now();
        while !is_ready(&self.cluster, Some(pid)) {
            if wait_for_end(pid, WaitIdOptions::NOHANG) || started.elapsed() > RECOVERY_LIMIT {
                return Err(self.not_started());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn not_started(&self) -> Error {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let telling = |line: &&str| line.contains("FATAL") || line.contains("PANIC");
        let line = text.lines().rev().find(telling).or_else(|| text.lines().next_back());
        Error::NotStarted { log: self.log.clone(), tail: line.unwrap_or("it said nothing").to_owned() }
    }
}

impl Control {
    fn signal_running(&self, signal: Signal) {
        if let Some(pid) = self.wish().pid
            && let Err(error) = kill_process(pid, signal)
        {
            tracing::warn!(%error, "could not signal Postgres");
        }
    }
}

/// Whether the process has ended. It is left to be reaped.
fn wait_for_end(pid: Pid, how: WaitIdOptions) -> bool {
    loop {
        match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | how) {
            Ok(status) => return status.is_some(),
            Err(rustix::io::Errno::INTR) => {}
            // Reaped by someone else, so it has ended.
            Err(_) => return true,
        }
    }
}

fn reap(pid: Pid) {
    match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED) {
        Ok(status) => tracing::debug!(?status, "Postgres ended"),
        Err(error) => tracing::debug!(%error, "Postgres was reaped elsewhere"),
    }
}

/// Whether the server of `cluster` accepts connections, by what it writes into its lock file; with
/// `pid`, whether that very process does.
pub(crate) fn is_ready(cluster: &Path, pid: Option<Pid>) -> bool {
    let Ok(text) = fs::read_to_string(cluster.join("postmaster.pid")) else {
        return false;
    };
    // Line 1 is the process id, line 8 the state; both are documented in Postgres' sources
    // (pidfile.h) for tools like this.
    let mut lines = text.lines();
    let first = lines.next().and_then(|line| line.trim().parse().ok()).and_then(Pid::from_raw);
    let ready = lines.nth(6).is_some_and(|line| line.trim() == "ready");
    ready && first.is_some() && pid.is_none_or(|pid| first == Some(pid))
}
