//! The processes that are measured: started with data of their own, ended with the benchmark.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const START: Duration = Duration::from_secs(60);

/// A program that ends when this is dropped.
pub struct Process {
    child: Child,
    pub url: String,
    /// Kept open, so that it can go on writing.
    _said: Option<BufReader<std::process::ChildStdout>>,
}

impl Process {
    /// Starts a program and waits for a line with these words; gives the line.
    pub fn that_says(command: &mut Command, words: &str) -> Result<(Self, String)> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut said = BufReader::new(child.stdout.take().context("no output")?);
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            anyhow::ensure!(said.read_line(&mut line)? > 0, "the program ended before it said `{words}`");
        }
        Ok((Self { child, url: String::new(), _said: Some(said) }, line))
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory now and at its highest, in bytes.
    pub fn memory(&self) -> Result<(u64, u64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let field = |name: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
        };
        Ok((field("VmRSS:").context("no VmRSS")?, field("VmHWM:").context("no VmHWM")?))
    }
}

impl Process {
    /// By SIGTERM, so that an embedded Postgres is stopped in order.
    fn end(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

fn program(variable: &str) -> Result<PathBuf> {
    std::env::var_os(variable)
        .map(PathBuf::from)
        .with_context(|| format!("{variable} is not set: run this by `cargo xtask bench`"))
}

/// The fake provider.
pub fn upstream() -> Result<Process> {
    let said = "listening on ";
    let mut command = Command::new(program("SIDEBAR_UPSTREAM_BIN")?);
    let (mut process, line) = Process::that_says(&mut command, said)?;
    let url = line.trim().strip_prefix(said).context("the upstream did not say where it listens")?;
    process.url = url.to_owned();
    Ok(process)
}

/// A server on an empty data folder, which goes with it.
pub struct Sidebar {
    pub process: Process,
    pub data: PathBuf,
    /// The option that says what searches by meaning.
    search: &'static [&'static str],
}

impl Sidebar {
    pub async fn start() -> Result<Self> {
        Self::start_with(&["--embeddings", "none"]).await
    }

    /// With the model that ships, so that things are found by meaning as well.
    pub async fn start_with_meaning() -> Result<Self> {
        Self::start_with(&["--embeddings", "local"]).await
    }

    async fn start_with(search: &'static [&'static str]) -> Result<Self> {
        let data = std::env::temp_dir().join(format!("sidebar-bench-{}", std::process::id()));
        std::fs::create_dir_all(&data)?;
        let process = serve(&data, search)?;
        let mut sidebar = Self { process, data, search };
        sidebar.wait().await?;
        Ok(sidebar)
    }

    /// Stops in order and starts again on the same data.
    pub async fn restart(&mut self) -> Result<()> {
        self.process.end();
        self.process = serve(&self.data, self.search)?;
        self.wait().await
    }

    async fn wait(&mut self) -> Result<()> {
        let started = Instant::now();
        while reqwest::get(format!("{}/api/health", self.process.url)).await.is_err() {
            if let Some(status) = self.process.child.try_wait()? {
                bail!("the server ended while it started, with {status}");
            }
            if started.elapsed() > START {
                bail!("the server did not come up within {START:?}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// The database's first process.
    pub fn database(&self) -> Result<u32> {
        let text = std::fs::read_to_string(self.data.join("postgres/postmaster.pid"))?;
        text.lines().next().context("no process")?.trim().parse().context("no number")
    }

    /// What the database promises while it is measured.
    pub fn promises(&self) -> String {
        let settings =
            std::fs::read_to_string(self.data.join("postgres/postgresql.conf")).unwrap_or_default();
        let of = |name: &str| {
            let set = settings
                .lines()
                .rev()
                .find_map(|line| line.trim().strip_prefix(name)?.trim().strip_prefix('='));
            set.map_or("on (default)".to_owned(), |value| {
                value.split('#').next().unwrap_or_default().trim().to_owned()
            })
        };
        format!("Postgres: fsync = {}, synchronous_commit = {}", of("fsync"), of("synchronous_commit"))
    }

    /// A command at the server's shell; gives what it printed.
    pub fn shell(&self, arguments: &[&str], input: &str) -> Result<String> {
        let mut child = Command::new(program("SIDEBAR_BIN")?)
            .args(arguments)
            .arg("--data")
            .arg(&self.data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        child.stdin.take().context("no input")?.write_all(input.as_bytes())?;
        let output = child.wait_with_output()?;
        anyhow::ensure!(output.status.success(), "sidebar {} failed", arguments.join(" "));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }
}

impl Drop for Sidebar {
    fn drop(&mut self) {
        // Before the folder goes that it writes to.
        self.process.end();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

fn serve(data: &std::path::Path, search: &[&str]) -> Result<Process> {
    let port = free_port()?;
    let child = Command::new(program("SIDEBAR_BIN")?)
        .args(["serve", "--addr", &format!("127.0.0.1:{port}"), "--log", "warn"])
        .args(search)
        .args(["--requests-per-minute", "1000000", "--sign-in-per-minute", "1000000"])
        .arg("--data")
        .arg(data)
        .stdout(Stdio::null())
        .spawn()
        .context("the server could not be started")?;
    Ok(Process { child, url: format!("http://127.0.0.1:{port}"), _said: None })
}

pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
