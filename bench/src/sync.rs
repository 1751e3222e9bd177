//! Notes under load: the same Yjs clients on sideBar, on y-websocket's server and on Hocuspocus, one
//! after the other in one run, each server started afresh for each load.
//!
//! sideBar stores everything in a Postgres that waits for the disk; the others store nothing unless
//! their name says so.

use crate::server::{Process, Sidebar, free_port};
use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

#[derive(Args)]
pub struct Arguments {
    /// Only these loads (may be repeated).
    #[arg(long, value_enum)]
    only: Vec<Load>,
    /// Only these servers (may be repeated).
    #[arg(long, value_enum)]
    server: Vec<Kind>,
    /// Keystrokes in the history of the note that is opened.
    #[arg(long, default_value_t = 260_000)]
    keystrokes: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    YWebsocket,
    /// y-websocket's server with its own LevelDB.
    YWebsocketLeveldb,
    Hocuspocus,
    Sidebar,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Load {
    /// 200 clients in 10 notes, 200 edits a second.
    Calm,
    /// 200 clients in 4 notes, 1,600 edits a second.
    Busy,
    /// 200 clients in 4 notes, 3,200 edits a second.
    Storm,
    /// 50 cursors in one note, 5 moves a second each.
    Cursors,
    /// 1,000 notes with one client each.
    Notes,
    /// A note that took very many keystrokes.
    History,
}

const KINDS: [Kind; 4] = [Kind::YWebsocket, Kind::YWebsocketLeveldb, Kind::Hocuspocus, Kind::Sidebar];
const LOADS: [Load; 6] = [Load::Calm, Load::Busy, Load::Storm, Load::Cursors, Load::Notes, Load::History];
const EMAIL: &str = "bench@example.org";

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::YWebsocket => "y-websocket",
            Self::YWebsocketLeveldb => "y-websocket, LevelDB",
            Self::Hocuspocus => "Hocuspocus",
            Self::Sidebar => "sideBar",
        }
    }

    fn dialect(self) -> &'static str {
        match self {
            Self::Hocuspocus => "hocuspocus",
            _ => "y-websocket",
        }
    }

    /// LevelDB stands beside the others where storing is what costs.
    fn takes(self, load: Load) -> bool {
        self != Self::YWebsocketLeveldb || load == Load::Storm
    }
}

impl Load {
    fn title(self) -> &'static str {
        match self {
            Self::Calm => "200 clients, 10 notes, 200 edits/s",
            Self::Busy => "200 clients, 4 notes, 1,600 edits/s",
            Self::Storm => "200 clients, 4 notes, 3,200 edits/s",
            Self::Cursors => "50 cursors in one note, 5 moves/s each",
            Self::Notes => "1,000 notes, one client each",
            Self::History => "a note with a long history",
        }
    }

    fn notes(self) -> usize {
        match self {
            Self::Calm => 10,
            Self::Busy | Self::Storm => 4,
            Self::Cursors | Self::History => 1,
            Self::Notes => 1000,
        }
    }

    /// What `load.mjs` is asked for. Of the clients of a note `live` ones type and integrate at once,
    /// the others write down what came when: two hundred that integrated would measure themselves.
    fn asked(self, kind: Kind, keystrokes: u32) -> Value {
        match self {
            Self::Calm => json!({"load": "edits", "clients": 20, "live": 20, "rate": 200, "seconds": 4}),
            Self::Busy => json!({"load": "edits", "clients": 50, "live": 2, "rate": 1600, "seconds": 4}),
            Self::Storm => json!({"load": "edits", "clients": 50, "live": 2, "rate": 3200, "seconds": 6}),
            Self::Cursors => json!({"load": "cursors", "clients": 50, "rate": 5, "seconds": 4}),
            Self::Notes => json!({"load": "notes"}),
            // One message a keystroke takes Hocuspocus minutes.
            Self::History => json!({
                "load": "history", "keystrokes": keystrokes, "times": 5,
                "together": if kind == Kind::Hocuspocus { 100 } else { 1 },
            }),
        }
    }
}

/// A server that runs, with what is measured about it.
enum Server {
    Peer { process: Process, folder: Option<PathBuf> },
    Ours { sidebar: Sidebar, key: String },
}

impl Server {
    async fn start(kind: Kind) -> Result<Self> {
        let port = free_port()?;
        let mut node = Command::new("node");
        node.current_dir("bench");
        let (said, folder) = match kind {
            Kind::Sidebar => return Self::ours().await,
            Kind::Hocuspocus => {
                node.arg("sync/hocuspocus.mjs").arg(port.to_string());
                ("listening", None)
            }
            Kind::YWebsocket | Kind::YWebsocketLeveldb => {
                node.arg("node_modules/@y/websocket-server/src/server.js");
                node.env("HOST", "127.0.0.1").env("PORT", port.to_string()).env_remove("YPERSISTENCE");
                let folder = std::env::temp_dir().join(format!("sidebar-bench-leveldb-{port}"));
                let folder = (kind == Kind::YWebsocketLeveldb).then_some(folder);
                if let Some(folder) = &folder {
                    node.env("YPERSISTENCE", folder);
                }
                ("running at", folder)
            }
        };
        let (mut process, _) = Process::that_says(&mut node, said)?;
        process.url = format!("ws://127.0.0.1:{port}/{{note}}");
        Ok(Self::Peer { process, folder })
    }

    async fn ours() -> Result<Self> {
        let sidebar = Sidebar::start().await?;
        sidebar.shell(
            &["user", "create", "--email", EMAIL, "--role", "admin", "--password-stdin"],
            "a password for the bench\n",
        )?;
        let key = sidebar.shell(&["key", "create", "--user", EMAIL, "--name", "bench"], "")?;
        Ok(Self::Ours { sidebar, key })
    }

    fn process(&self) -> &Process {
        match self {
            Self::Peer { process, .. } => process,
            Self::Ours { sidebar, .. } => &sidebar.process,
        }
    }

    /// The names of so many notes that exist.
    async fn notes(&self, count: usize) -> Result<Vec<String>> {
        let Self::Ours { sidebar, key } = self else {
            return Ok((0..count).map(|place| format!("note-{place}")).collect());
        };
        let http = reqwest::Client::builder().no_proxy().build()?;
        let mut notes = Vec::with_capacity(count);
        for place in 0..count {
            let made: Value = http
                .post(format!("{}/api/v1/notes", sidebar.process.url))
                .bearer_auth(key)
                .json(&json!({"title": format!("Note {place}")}))
                .send()
                .await?
                .error_for_status()?
                .json()
                .await?;
            notes.push(made["data"]["id"].as_str().context("the note has no id")?.to_owned());
        }
        Ok(notes)
    }

    fn address(&self) -> String {
        match self {
            Self::Peer { process, .. } => process.url.clone(),
            Self::Ours { sidebar, key } => {
                let host = sidebar.process.url.replace("http://", "ws://");
                format!("{host}/api/v1/sync/{{note}}?token={key}")
            }
        }
    }

    fn put(&self, kind: Kind, notes: &[String], asked: &Value) -> Result<Value> {
        let mut asked = asked.clone();
        asked["dialect"] = kind.dialect().into();
        asked["url"] = self.address().into();
        asked["notes"] = notes.into();
        asked["pid"] = self.process().id().into();
        if let Self::Ours { sidebar, .. } = self {
            asked["database"] = sidebar.database()?.into();
        }
        let output = Command::new("node").arg("bench/sync/load.mjs").arg(asked.to_string()).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let reason = said.lines().find(|line| line.contains("Error")).unwrap_or("it did not say why");
            bail!("{}", reason.trim());
        }
        serde_json::from_slice(&output.stdout).context("the load gave no JSON")
    }

    /// Ours opens the note once more after a restart, from the database.
    async fn open_cold(&mut self, kind: Kind, notes: &[String], measured: &mut Value) -> Result<()> {
        let Self::Ours { sidebar, .. } = self else { return Ok(()) };
        sidebar.restart().await?;
        let promises = sidebar.promises();
        let asked = json!({"load": "opening", "length": measured["length"], "times": 3});
        let cold = self.put(kind, notes, &asked)?;
        let wrong = measured["wrong"].as_u64().unwrap_or(1) + cold["wrong"].as_u64().unwrap_or(1);
        measured["wrong"] = wrong.into();
        measured["cold_ms"] = cold["first_ms"].clone();
        say(&format!(
            "{:>22} | typed in {:.0} s; first opening after a restart: {:.0} ms; {promises}",
            "",
            measured["seconds"].as_f64().unwrap_or(f64::NAN),
            cold["first_ms"].as_f64().unwrap_or(f64::NAN),
        ))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Self::Peer { folder: Some(folder), .. } = self {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// One line of the table.
struct Row {
    load: Load,
    kind: Kind,
    idle_mb: f64,
    measured: Value,
}

impl Row {
    fn number(&self, path: &str) -> Option<f64> {
        self.measured.pointer(path).and_then(Value::as_f64)
    }

    fn growth_mb(&self) -> Option<f64> {
        Some(self.number("/highest_mb")? - self.idle_mb)
    }

    fn print(&self) -> Result<()> {
        let shown = |path: &str, digits: usize| {
            self.number(path).map_or_else(String::new, |number| format!("{number:.digits$}"))
        };
        say(&format!(
            "{:>22} | {:>7} {:>7} | {:>7} {:>7} | {:>8} | {:>5} {:>5} | {:>5.0} {:>6.1} | {:>5} {:>4} | {:>6}",
            self.kind.name(),
            shown("/live_ms/p50", 1),
            shown("/live_ms/p99", 1),
            shown("/wire_ms/p50", 1),
            shown("/wire_ms/p99", 1),
            shown("/frames_per_second", 0),
            shown("/server_percent", 0),
            shown("/database_percent", 0),
            self.idle_mb,
            self.growth_mb().unwrap_or(f64::NAN),
            shown("/wrong", 0),
            shown("/disconnected", 0),
            shown("/driver_percent", 0),
        ))
    }
}

pub async fn run(arguments: Arguments) -> Result<()> {
    let began = Instant::now();
    let loads = LOADS.into_iter().filter(|load| arguments.only.is_empty() || arguments.only.contains(load));
    let kinds: Vec<_> = KINDS
        .into_iter()
        .filter(|kind| arguments.server.is_empty() || arguments.server.contains(kind))
        .collect();
    let mut rows = Vec::new();
    for load in loads {
        heading(load)?;
        for kind in kinds.iter().copied().filter(|kind| kind.takes(load)) {
            match measure(load, kind, arguments.keystrokes).await {
                Ok(row) => {
                    row.print()?;
                    rows.push(row);
                }
                Err(cause) => say(&format!("{:>22} | failed: {cause:#}", kind.name()))?,
            }
        }
    }
    let reached = goals(&rows)?;
    say(&format!("\n{:.0} s in all", began.elapsed().as_secs_f64()))?;
    let wrong = rows.iter().find(|row| row.kind == Kind::Sidebar && row.number("/wrong") != Some(0.0));
    ensure!(wrong.is_none(), "what sideBar's clients had at the end differs");
    ensure!(reached, "a goal was missed");
    Ok(())
}

fn heading(load: Load) -> Result<()> {
    say(&format!("\n{}", load.title()))?;
    say(&format!(
        "{:>22} | {:>15} | {:>15} | {:>8} | {:>11} | {:>12} | {:>10} | {:>6}",
        "", "integrated ms", "on the wire ms", "frames/s", "CPU %", "memory MB", "", "driver"
    ))?;
    say(&format!(
        "{:>22} | {:>7} {:>7} | {:>7} {:>7} | {:>8} | {:>5} {:>5} | {:>5} {:>6} | {:>5} {:>4} | {:>6}",
        "", "p50", "p99", "p50", "p99", "", "own", "db", "idle", "growth", "wrong", "gone", "CPU %"
    ))
}

async fn measure(load: Load, kind: Kind, keystrokes: u32) -> Result<Row> {
    let mut server = Server::start(kind).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let idle_mb = server.process().memory()?.0 as f64 / 1e6;
    let notes = server.notes(load.notes()).await?;
    let mut measured = server.put(kind, &notes, &load.asked(kind, keystrokes))?;
    if load == Load::History {
        server.open_cold(kind, &notes, &mut measured).await?;
    }
    Ok(Row { load, kind, idle_mb, measured })
}

/// What is to be reached, and whether it was. A goal whose rows were not measured is left out.
fn goals(rows: &[Row]) -> Result<bool> {
    let of = |load, kind| rows.iter().find(|row| row.load == load && row.kind == kind);
    let mut goals = Vec::new();
    let storm = (of(Load::Storm, Kind::Sidebar), of(Load::Storm, Kind::Hocuspocus));
    if let (Some(ours), Some(theirs)) = storm {
        let p99 = |row: &Row| row.number("/live_ms/p99");
        goals.push(("storm: p99 below Hocuspocus', ms", p99(ours), p99(theirs)));
        let half = theirs.growth_mb().map(|growth| growth / 2.0);
        goals.push(("storm: half of Hocuspocus' growth, MB", ours.growth_mb(), half));
    }
    if let Some(ours) = of(Load::Cursors, Kind::Sidebar) {
        goals.push(("cursors: frames/s", ours.number("/frames_per_second"), Some(1000.0)));
    }
    if let Some(ours) = of(Load::Notes, Kind::Sidebar) {
        goals.push(("1,000 notes: MB beyond idle", ours.growth_mb(), Some(50.0)));
    }
    if let Some(ours) = of(Load::History, Kind::Sidebar) {
        goals.push(("long history: opening, ms", ours.number("/wire_ms/p50"), Some(300.0)));
        goals.push(("long history: first opening after a restart, ms", ours.number("/cold_ms"), Some(300.0)));
    }
    say("")?;
    let mut all = true;
    for (goal, reached, most) in goals {
        let met = reached.zip(most).is_some_and(|(reached, most)| reached <= most);
        all &= met;
        say(&format!(
            "{:>6} {goal}: {:.1} of at most {:.1}",
            if met { "met" } else { "MISSED" },
            reached.unwrap_or(f64::NAN),
            most.unwrap_or(f64::NAN)
        ))?;
    }
    Ok(all)
}

fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").context("standard output is closed")
}
