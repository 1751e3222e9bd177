//! The embedded Postgres as a server lives with it: first start, restart, deaths of either side,
//! root. Real Postgres; its folder comes from `SIDEBAR_POSTGRES` or the per-user cache.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use embedded_postgres::{Attached, Cluster, Connection, Error, Installation, Settings, State};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection as _, Executor, Row};

/// For everything that a slow machine does in its own time: making a cluster, recovery, an end in order.
const PATIENCE: Duration = Duration::from_secs(180);

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        Self::under(&std::env::temp_dir(), name)
    }

    fn under(parent: &Path, name: &str) -> Self {
        let path = parent.join(format!("embedded-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn settings(&self) -> Settings {
        let installation = match std::env::var_os("SIDEBAR_POSTGRES") {
            Some(root) => Installation::at(root),
            None => Installation::cached(),
        };
        Settings::new(installation.unwrap(), self.0.clone())
    }

    async fn start(&self) -> Cluster {
        Cluster::start(self.settings()).await.unwrap()
    }

    fn postmaster(&self) -> i32 {
        let text = std::fs::read_to_string(self.0.join("postgres/postmaster.pid")).unwrap();
        text.lines().next().unwrap().parse().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("{} stays: {error}", self.0.display());
        }
    }
}

async fn connect(connection: &Connection) -> Result<PgConnection, sqlx::Error> {
    PgConnectOptions::new()
        .socket(&connection.socket_folder)
        .port(connection.port)
        .username(connection.user)
        .database(connection.database)
        .connect()
        .await
}

async fn value(connection: &mut PgConnection, sql: &'static str) -> String {
    connection.fetch_one(sql).await.unwrap().get(0)
}

async fn write_a_row(cluster: &Cluster) {
    let mut connection = connect(cluster.connection()).await.unwrap();
    connection.execute("CREATE TABLE kept (word text)").await.unwrap();
    connection.execute("INSERT INTO kept VALUES ('still here')").await.unwrap();
    connection.close().await.unwrap();
}

async fn read_the_row(cluster: &Cluster) -> String {
    value(&mut connect(cluster.connection()).await.unwrap(), "SELECT word FROM kept").await
}

fn signal(pid: i32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

/// Kills Postgres, and waits until the cluster has said that it is away and that it is back.
async fn killed_and_restarted(cluster: &Cluster, postmaster: i32) {
    let mut states = cluster.states();
    let waited = async {
        states.wait_for(|state| *state == State::Running).await.unwrap();
        signal(postmaster, "-KILL");
        // Whoever looks late sees it running again already: that it changed is what was said.
        states.changed().await.unwrap();
        states.wait_for(|state| *state == State::Running).await.unwrap();
    };
    tokio::time::timeout(PATIENCE, waited).await.expect("it comes back");
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "{what} within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn is_running(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
}

#[tokio::test]
async fn a_start_from_nothing_gives_a_durable_database_with_vectors_and_no_tcp_port() {
    let folder = Folder::new("nothing");
    let cluster = folder.start().await;
    let mut connection = connect(cluster.connection()).await.unwrap();
    for (setting, expected) in [
        ("SHOW fsync", "on"),
        ("SHOW synchronous_commit", "on"),
        ("SHOW full_page_writes", "on"),
        ("SHOW listen_addresses", ""),
        ("SHOW data_checksums", "on"),
        ("SHOW server_encoding", "UTF8"),
        ("SHOW jit", "off"),
    ] {
        assert_eq!(value(&mut connection, setting).await, expected, "{setting}");
    }
    connection.execute("CREATE EXTENSION vector").await.unwrap();
    assert_eq!(value(&mut connection, "SELECT ('[1,2]'::vector + '[1,1]')::text").await, "[2,3]");
    cluster.stop().await;
}

#[tokio::test]
async fn a_stop_and_a_start_keep_the_data() {
    let folder = Folder::new("kept");
    let cluster = folder.start().await;
    write_a_row(&cluster).await;
    let pid = folder.postmaster();
    cluster.stop().await;
    assert!(!is_running(pid), "stop waits for the end");
    assert!(!folder.0.join("postgres/postmaster.pid").exists(), "it ended in order");
    let cluster = folder.start().await;
    assert_eq!(read_the_row(&cluster).await, "still here");
    cluster.stop().await;
}

#[tokio::test]
async fn a_postgres_that_dies_is_started_again_and_says_so() {
    let folder = Folder::new("dies");
    let cluster = folder.start().await;
    write_a_row(&cluster).await;
    let first = folder.postmaster();
    killed_and_restarted(&cluster, first).await;
    assert_ne!(folder.postmaster(), first);
    assert_eq!(read_the_row(&cluster).await, "still here");
    cluster.stop().await;
}

#[tokio::test]
async fn a_second_server_on_the_same_folder_is_refused_in_one_sentence() {
    let folder = Folder::new("second");
    let cluster = folder.start().await;
    let error = Cluster::start(folder.settings()).await.unwrap_err();
    assert!(matches!(error, Error::InUse { .. }), "{error:?}");
    let sentence = error.to_string();
    assert!(sentence.contains(&format!("(process {})", std::process::id())), "{sentence}");
    assert!(!sentence.contains('\n'));
    cluster.stop().await;
}

#[tokio::test]
async fn a_command_connects_to_the_running_server_and_starts_its_own_when_none_runs() {
    let folder = Folder::new("command");
    assert!(Cluster::connect_running(&folder.0).await.unwrap().is_none());
    let cluster = folder.start().await;
    write_a_row(&cluster).await;
    let Attached::Running(connection) = Cluster::attach(folder.settings()).await.unwrap() else {
        panic!("a second Postgres was started");
    };
    let mut session = connect(&connection).await.unwrap();
    assert_eq!(value(&mut session, "SELECT word FROM kept").await, "still here");
    session.close().await.unwrap();
    cluster.stop().await;
    assert!(Cluster::connect_running(&folder.0).await.unwrap().is_none());
    let Attached::Started(own) = Cluster::attach(folder.settings()).await.unwrap() else {
        panic!("nothing runs that could be attached to");
    };
    assert_eq!(read_the_row(&own).await, "still here");
    own.stop().await;
}

#[tokio::test]
async fn a_data_folder_with_a_very_long_path_works() {
    let long = Folder::under(&std::env::temp_dir(), &"long".repeat(40));
    let cluster = long.start().await;
    write_a_row(&cluster).await;
    assert_eq!(read_the_row(&cluster).await, "still here");
    cluster.stop().await;
}

#[tokio::test]
async fn what_is_not_a_database_is_left_alone() {
    let folder = Folder::new("not-ours");
    std::fs::create_dir(folder.0.join("postgres")).unwrap();
    std::fs::write(folder.0.join("postgres/thesis.txt"), "chapter one").unwrap();
    let error = Cluster::start(folder.settings()).await.unwrap_err();
    assert!(matches!(error, Error::NotACluster { .. }), "{error:?}");
    let text = std::fs::read_to_string(folder.0.join("postgres/thesis.txt")).unwrap();
    assert_eq!(text, "chapter one");
}

#[tokio::test]
async fn a_creation_that_was_interrupted_is_begun_again() {
    let folder = Folder::new("interrupted");
    std::fs::create_dir(folder.0.join("postgres.unfinished")).unwrap();
    std::fs::write(folder.0.join("postgres.unfinished/PG_VERSION"), "18").unwrap();
    let cluster = folder.start().await;
    write_a_row(&cluster).await;
    cluster.stop().await;
    assert!(!folder.0.join("postgres.unfinished").exists());
}

#[tokio::test]
async fn a_broken_setting_ends_the_start_with_postgres_own_reason() {
    let folder = Folder::new("broken");
    folder.start().await.stop().await;
    let conf = folder.0.join("postgres/postgresql.conf");
    std::fs::write(&conf, "work_mem = 'a lot'\n").unwrap();
    let error = Cluster::start(folder.settings()).await.unwrap_err();
    assert!(matches!(error, Error::NotStarted { .. }), "{error:?}");
    assert!(error.to_string().contains("FATAL"), "{error}");
}

/// Not a test of its own: the process that the tests below kill.
#[tokio::test]
#[ignore = "run by other tests as a process of its own"]
async fn server_to_be_killed() {
    let data = std::env::var_os("SERVER_TO_BE_KILLED").expect("set by the test that runs this");
    let folder = std::mem::ManuallyDrop::new(Folder(data.into()));
    let cluster = folder.start().await;
    write_a_row(&cluster).await;
    std::fs::write(folder.0.join("up"), "").unwrap();
    std::thread::sleep(2 * PATIENCE);
}

fn run_server_to_be_killed(folder: &Folder) -> std::process::Child {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "server_to_be_killed"])
        .env("SERVER_TO_BE_KILLED", &folder.0)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("the server to be killed is up", || folder.0.join("up").exists());
    child
}

#[tokio::test]
async fn a_killed_server_takes_its_postgres_with_it() {
    let folder = Folder::new("killed");
    let mut server = run_server_to_be_killed(&folder);
    let postmaster = folder.postmaster();
    server.kill().unwrap();
    server.wait().unwrap();
    until("Postgres ends with its server", || !is_running(postmaster));
    let cluster = folder.start().await;
    assert_eq!(read_the_row(&cluster).await, "still here");
    cluster.stop().await;
}

#[tokio::test]
async fn an_orphan_and_its_stale_lock_are_taken_over() {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::process::CommandExt;
    let folder = Folder::new("orphan");
    let cluster = folder.start().await;
    write_a_row(&cluster).await;
    cluster.stop().await;
    let place = folder.0.join("postgres");
    let owner = std::fs::metadata(&place).unwrap();
    let root = folder.settings().installation.root;
    let mut orphan = Command::new(root.join("bin/postgres"))
        .env("LD_LIBRARY_PATH", root.join("lib"))
        .args(["-k", ".", "-c", "listen_addresses=", "-D"])
        .arg(&place)
        .uid(owner.uid())
        .gid(owner.gid())
        .current_dir("/")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("the orphan works", || place.join(".s.PGSQL.5432").exists());
    let cluster = folder.start().await;
    assert!(orphan.try_wait().unwrap().is_some(), "the orphan has ended");
    assert_eq!(read_the_row(&cluster).await, "still here");
    cluster.stop().await;
}

#[tokio::test]
async fn a_stale_lock_file_that_names_a_strangers_process_stops_nothing() {
    let folder = Folder::new("stale");
    let cluster = folder.start().await;
    write_a_row(&cluster).await;
    cluster.stop().await;
    let mut stranger = Command::new("sleep").arg("600").spawn().unwrap();
    std::fs::write(
        folder.0.join("postgres/postmaster.pid"),
        format!("{}\n/elsewhere\n1\n5432\n\n\n0 0\nready\n", stranger.id()),
    )
    .unwrap();
    let cluster = folder.start().await;
    assert_eq!(read_the_row(&cluster).await, "still here");
    cluster.stop().await;
    assert!(stranger.try_wait().unwrap().is_none(), "the stranger lives on");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn as_root_the_database_runs_as_another_user_even_under_a_closed_folder() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let folder = Folder::new("root");
    if std::fs::metadata(&folder.0).unwrap().uid() != 0 {
        eprintln!("not root: nothing to see here");
        return;
    }
    std::fs::set_permissions(&folder.0, std::fs::Permissions::from_mode(0o700)).unwrap();
    let inner = Folder::under(&folder.0, "inner");
    let cluster = inner.start().await;
    write_a_row(&cluster).await;
    let process = std::fs::metadata(format!("/proc/{}", inner.postmaster())).unwrap();
    assert_ne!(process.uid(), 0, "Postgres is not root");
    let status = std::fs::read_to_string(format!("/proc/{}/status", inner.postmaster())).unwrap();
    assert!(status.contains("CapEff:\t0000000000000000"), "nor has any capability:\n{status}");
    let mode = std::fs::metadata(&folder.0).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "the closed folder stays closed");
    killed_and_restarted(&cluster, inner.postmaster()).await;
    assert_eq!(read_the_row(&cluster).await, "still here");
    cluster.stop().await;
}
