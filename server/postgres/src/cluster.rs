//! The cluster as the server and the commands at the shell see it: start, connection, state, stop.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::sync::{oneshot, watch};

use crate::error::{Error, io_at};
use crate::installation::Installation;
use crate::lock;
use crate::supervision::{self, Control};

/// How long each way of ending Postgres may take before the next, harder one.
const FAST: Duration = Duration::from_secs(20);
const IMMEDIATE: Duration = Duration::from_secs(5);

/// What to run, and where its data is.
#[derive(Debug, Clone)]
pub struct Settings {
    pub installation: Installation,
    /// The server's data folder. The cluster goes into its `postgres`, the log into its
    /// `postgres.log`, the lock into its `postgres.lock`.
    pub data: PathBuf,
}

impl Settings {
    pub fn new(installation: Installation, data: PathBuf) -> Self {
        Self { installation, data }
    }
}

/// How to reach the database. There is no password: only the cluster's user and root can enter
/// the folder of the socket.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The folder of the socket; short enough for a socket address whatever the data folder is.
    pub socket_folder: PathBuf,
    /// Part of the socket's name only; no TCP port is open.
    pub port: u16,
    /// The superuser. Give people's requests a role that owns nothing.
    pub user: &'static str,
    pub database: &'static str,
    /// Keeps the folder open that `socket_folder` may name by its descriptor.
    pub(crate) _open: Option<Arc<File>>,
}

/// What the embedded Postgres is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not yet ready for the first time.
    Starting,
    Running,
    /// It died, or could not start again yet; the next try comes by itself.
    Restarting,
    Stopped,
}

impl State {
    pub(crate) fn is_starting(self) -> bool {
        self == Self::Starting
    }
}

/// What a command at the shell got: the running server's database, or its own.
#[derive(Debug)]
pub enum Attached {
    Running(Connection),
    Started(Cluster),
}

/// A running, supervised Postgres. Dropping it asks Postgres to end; [`Cluster::stop`] also waits.
#[derive(Debug)]
pub struct Cluster {
    connection: Connection,
    control: Arc<Control>,
    states: watch::Receiver<State>,
}

impl Cluster {
    /// Starts the cluster of the data folder and waits until it accepts connections; makes it
    /// first when there is none, and takes over what a crashed server left.
    pub async fn start(settings: Settings) -> Result<Self, Error> {
        let control = Arc::new(Control::default());
        let (state_sender, states) = watch::channel(State::Starting);
        let (ready_sender, ready) = oneshot::channel();
        let (data, shared) = (settings.data.clone(), Arc::clone(&control));
        thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(move || supervision::supervise(settings, shared, state_sender, ready_sender))
            .map_err(io_at("start the thread for", &data))?;
        let connection = ready.await.map_err(|_| Error::ThreadLost)??;
        Ok(Self { connection, control, states })
    }

    /// The database of a server that runs on this data folder now; `None` when none does. Waits
    /// for one that is just starting or restarting.
    pub async fn connect_running(data: &Path) -> Result<Option<Connection>, Error> {
        const PATIENCE: Duration = Duration::from_secs(30);
        let Ok(data) = data.canonicalize() else {
            return Ok(None);
        };
        let cluster = supervision::cluster_folder(&data);
        let started = Instant::now();
        while lock::is_held(&data)? {
            if supervision::is_ready(&cluster, None) {
                return supervision::connection_to(&cluster).map(Some);
            }
            if started.elapsed() > PATIENCE {
                return Err(Error::InUse { data, pid: None });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(None)
    }

    /// Connects to the running server's database, or starts it for as long as the command runs.
    pub async fn attach(settings: Settings) -> Result<Attached, Error> {
        if let Some(connection) = Self::connect_running(&settings.data).await? {
            return Ok(Attached::Running(connection));
        }
        match Self::start(settings.clone()).await {
            Ok(cluster) => Ok(Attached::Started(cluster)),
            // Another started between the look and the try.
            Err(in_use @ Error::InUse { .. }) => {
                Self::connect_running(&settings.data).await?.map(Attached::Running).ok_or(in_use)
            }
            Err(error) => Err(error),
        }
    }

    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Follows what Postgres is doing.
    pub fn states(&self) -> watch::Receiver<State> {
        self.states.clone()
    }

    /// Ends Postgres in order (transactions rolled back, checkpoint written) and waits for it; a
    /// Postgres that hangs is ended by force and recovers at the next start.
    pub async fn stop(mut self) {
        for (signal, patience) in [(Signal::INT, FAST), (Signal::QUIT, IMMEDIATE)] {
            self.control.stop_with(signal);
            let stopped = self.states.wait_for(|state| *state == State::Stopped);
            if tokio::time::timeout(patience, stopped).await.is_ok() {
                return;
            }
        }
        self.control.stop_with(Signal::KILL);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if *self.states.borrow() != State::Stopped {
            self.control.stop_with(Signal::INT);
        }
    }
}
