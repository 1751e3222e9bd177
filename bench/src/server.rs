//! The processes that are measured: started with data of their own, ended with the benchmark.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A program that ends when this is dropped.
pub struct Process {
    child: Child,
    pub url: String,
}

impl Process {
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

impl Drop for Process {
    fn drop(&mut self) {
        // SIGTERM, so that an embedded Postgres is stopped in order.
        if let Ok(id) = i32::try_from(self.child.id())
            && let Some(pid) = rustix::process::Pid::from_raw(id)
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

fn program(variable: &str) -> Result<PathBuf> {
    std::env::var_os(variable)
        .map(PathBuf::from)
        .with_context(|| format!("{variable} is not set: run this by `cargo xtask bench`"))
}

/// The fake provider.
pub fn upstream() -> Result<Process> {
    let mut child = Command::new(program("SIDEBAR_UPSTREAM_BIN")?)
        .stdout(Stdio::piped())
        .spawn()
        .context("the upstream could not be started")?;
    let out = child.stdout.take().context("no output")?;
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line)?;
    let url =
        line.trim().strip_prefix("listening on ").context("the upstream did not say where it listens")?;
    Ok(Process { child, url: url.to_owned() })
}

/// A server on an empty data folder, which goes with it.
pub struct Sidebar {
    pub process: Process,
    pub data: PathBuf,
}

impl Sidebar {
    pub async fn start() -> Result<Self> {
        let data = std::env::temp_dir().join(format!("sidebar-bench-{}", std::process::id()));
        std::fs::create_dir_all(&data)?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let url = format!("http://127.0.0.1:{port}");
        let child = Command::new(program("SIDEBAR_BIN")?)
            .args(["serve", "--addr", &format!("127.0.0.1:{port}"), "--log", "warn"])
            .args(["--requests-per-minute", "1000000", "--sign-in-per-minute", "1000000"])
            .arg("--data")
            .arg(&data)
            .stdout(Stdio::null())
            .spawn()
            .context("the server could not be started")?;
        let sidebar = Self { process: Process { child, url }, data };
        let started = Instant::now();
        while reqwest::get(format!("{}/api/health", sidebar.process.url)).await.is_err() {
            if started.elapsed() > Duration::from_secs(60) {
                bail!("the server did not come up within a minute");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(sidebar)
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
        let data = self.data.clone();
        // After the process: fields are dropped later, so it is ended here first.
        if let Some(pid) = i32::try_from(self.process.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.process.child.wait();
        let _ = std::fs::remove_dir_all(data);
    }
}
