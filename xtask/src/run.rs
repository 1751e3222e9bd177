//! `cargo xtask run`: set up, build, start the server, say where to go, stop it in order.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use embedded_postgres::Installation;
use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};

use crate::RunOptions;
use crate::place::{Place, Profile};
use crate::watch::Sources;
use crate::{postgres, say, server, setup};

/// A first start makes a database.
const START_LIMIT: Duration = Duration::from_secs(120);
/// The server drains connections and stops Postgres meanwhile.
const STOP_LIMIT: Duration = Duration::from_secs(45);
const LOOK: Duration = Duration::from_millis(50);

pub(crate) fn run(place: &Place, options: &RunOptions) -> Result<ExitCode> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    ensure_free(address)?;
    let profile = Profile::of(options.release);
    setup::for_building(place)?;
    let installation = postgres::ensure()?;
    let mut sources = Sources::of(place);
    let executable = server::build_both(place, profile)?;
    let data = match &options.data {
        Some(folder) => std::path::absolute(folder).context("--data is not a path")?,
        None => place.root.join(".sidebar"),
    };
    let start = Start { executable, data, address, installation };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let interrupted = runtime.block_on(async { Interrupted::listen() })?;
    let stop = || interrupted.came(&runtime);
    let mut server = Some(start.server(&stop)?);
    start.announce()?;
    loop {
        if stop() {
            say::note("stopping the server");
            return server.map_or(Ok(ExitCode::SUCCESS), |server| server.stop().map(exit_code));
        }
        if let Some(status) = server.as_mut().map(Server::ended).transpose()?.flatten() {
            if !options.watch {
                bail!("the server ended ({status}); what it says above tells why");
            }
            say::note(&format!("the server ended ({status}); the next change starts it again"));
            server = None;
        }
        if options.watch && sources.changed(place) {
            server = rebuild(place, profile, &start, server, &stop);
        }
        thread::sleep(LOOK);
    }
}

fn exit_code(status: ExitStatus) -> ExitCode {
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Builds again and restarts; what does not build leaves the server as it is, what does not start
/// waits for the next change.
fn rebuild(
    place: &Place,
    profile: Profile,
    start: &Start,
    server: Option<Server>,
    stop: &dyn Fn() -> bool,
) -> Option<Server> {
    let started = Instant::now();
    if let Err(error) = server::build_both(place, profile) {
        say::failure(&error);
        say::note("the last good build keeps running");
        return server;
    }
    match server.map_or(Ok(()), |server| server.stop().map(drop)).and_then(|()| start.server(stop)) {
        Ok(server) => {
            say::done(&format!("running again after {}", say::seconds(started.elapsed())));
            Some(server)
        }
        Err(error) => {
            say::failure(&error);
            None
        }
    }
}

fn ensure_free(address: SocketAddr) -> Result<()> {
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            bail!("port {} is taken: choose another with --port, or stop what listens there", address.port())
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            bail!("port {} is for root only: choose one above 1023 with --port", address.port())
        }
        Err(error) => Err(error).with_context(|| format!("could not listen on {address}")),
    }
}

/// Ctrl-C and the polite kill, kept rather than died of.
struct Interrupted {
    sender: tokio::sync::watch::Receiver<bool>,
}

impl Interrupted {
    /// Called inside the runtime, which then only has to be driven to hear.
    fn listen() -> Result<Self> {
        let (told, sender) = tokio::sync::watch::channel(false);
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            told.send_replace(true);
        });
        Ok(Self { sender })
    }

    fn came(&self, runtime: &tokio::runtime::Runtime) -> bool {
        runtime.block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
        *self.sender.borrow()
    }
}

/// What to start, and how.
struct Start {
    executable: PathBuf,
    data: PathBuf,
    address: SocketAddr,
    installation: Installation,
}

impl Start {
    /// Starts the server and waits until it is well, or until `stop` says that nobody waits.
    fn server(&self, stop: &dyn Fn() -> bool) -> Result<Server> {
        let child = Command::new(&self.executable)
            .args(["serve", "--addr", &self.address.to_string(), "--data"])
            .arg(&self.data)
            .env("SIDEBAR_POSTGRES", &self.installation.root)
            // A Ctrl-C reaches the server once, through us.
            .process_group(0)
            .spawn()
            .with_context(|| format!("could not start {}", self.executable.display()))?;
        let mut server = Server { child };
        let started = Instant::now();
        while !is_healthy(self.address) {
            if let Some(status) = server.ended()? {
                bail!("the server did not start ({status}); what it says above tells why");
            }
            if stop() {
                server.stop()?;
                bail!("stopped before the server was ready");
            }
            if started.elapsed() > START_LIMIT {
                server.stop()?;
                bail!("the server did not answer within {} s", START_LIMIT.as_secs());
            }
            thread::sleep(LOOK);
        }
        Ok(server)
    }

    fn announce(&self) -> Result<()> {
        let address = format!("http://{}", self.address);
        say::done(&format!("sideBar runs; its data is in {}", self.data.display()));
        say::result(&format!("Open {address} in a browser. Ctrl-C stops it."))
    }
}

/// Whether the server answers its health check with success.
fn is_healthy(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(stream, "GET /api/health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    ask().is_ok_and(|answer| answer == "HTTP/1.1 200")
}

struct Server {
    child: Child,
}

impl Server {
    fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context("could not look after the server")
    }

    fn ask_to_stop(&self) -> rustix::io::Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)
    }

    /// Asks it to end and waits; ends it by force when it does not.
    fn stop(mut self) -> Result<ExitStatus> {
        if let Some(status) = self.ended()? {
            return Ok(status);
        }
        self.ask_to_stop().map_err(|error| anyhow!("could not tell the server to stop: {error}"))?;
        let started = Instant::now();
        while started.elapsed() < STOP_LIMIT {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            thread::sleep(LOOK);
        }
        say::note("the server does not stop; ending it by force");
        self.child.kill()?;
        self.child.wait().context("could not wait for the server")
    }
}

impl Drop for Server {
    /// No way out of this task leaves a server behind.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait()
            && let Err(error) = self.ask_to_stop()
        {
            say::note(&format!("could not tell the server to stop: {error}"));
        }
    }
}
