//! `cargo xtask test`: formatting, clippy for both targets, Rust tests, browser tests; each stage
//! named and timed, the first failure ends it. The two halves are never built in one cargo call:
//! their features would unite.
//!
//! Tests have real clocks, processes and browsers, which a busy machine can upset: what fails is run once
//! more, and both times are shown. Only what fails twice is a failure.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use clap::ValueEnum;
use embedded_postgres::Installation;

use crate::place::{Place, Profile};
use crate::{browser, postgres, say, server, setup, tool};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stage {
    Format,
    Clippy,
    Rust,
    Browser,
}

const ALL: [Stage; 4] = [Stage::Format, Stage::Clippy, Stage::Rust, Stage::Browser];

/// Packages that may share one call: no feature of one changes another for the worse.
const SERVER_SIDE: [&str; 15] = [
    "sidebar",
    "edge",
    "domain",
    "embeddings",
    "extract",
    "models",
    "pages",
    "sync",
    "embedded-postgres",
    "shared",
    "markdown",
    "upstream",
    "bench",
    "weather",
    "xtask",
];

const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

pub(crate) fn run(place: &Place, filters: &[String], only: &[Stage]) -> Result<()> {
    let stages = match (only.is_empty(), filters.is_empty()) {
        (false, _) => only.to_vec(),
        (true, true) => ALL.to_vec(),
        (true, false) => vec![Stage::Rust, Stage::Browser],
    };
    setup::for_building(place)?;
    for stage in &stages {
        match stage {
            Stage::Format => format(place)?,
            Stage::Clippy => clippy(place)?,
            Stage::Rust => rust(place, filters)?,
            Stage::Browser => browsers(place, filters)?,
        }
    }
    say::done("all tests passed");
    Ok(())
}

fn format(place: &Place) -> Result<()> {
    say::step("Formatting", || {
        tool::run(&mut tool::cargo(place, &["fmt", "--all", "--check"]))
            .context("not formatted: run `cargo fmt --all`")
    })
}

fn packages() -> impl Iterator<Item = &'static str> {
    SERVER_SIDE.into_iter().flat_map(|package| ["--package", package])
}

fn clippy(place: &Place) -> Result<()> {
    let strict = ["--", "-D", "warnings"];
    say::step("Clippy, the server side", || {
        let mut command = tool::cargo(place, &["clippy", "--all-targets"]);
        tool::run(command.args(packages()).args(strict))
    })?;
    let app = ["clippy", "--package", "app", "--no-default-features", "--features"];
    say::step("Clippy, the app as the server renders it", || {
        tool::run(tool::cargo(place, &app).args(["ssr", "--all-targets"]).args(strict))
    })?;
    say::step("Clippy, the app as the browser runs it", || {
        let browser = ["hydrate", "--target", "wasm32-unknown-unknown"];
        tool::run(tool::cargo(place, &app).args(browser).args(strict))
    })?;
    for module in ["replica", "typesetter"] {
        say::step(&format!("Clippy, the {module}"), || {
            let module = ["clippy", "--package", module, "--target", "wasm32-unknown-unknown"];
            tool::run(tool::cargo(place, &module).args(strict))
        })?;
    }
    say::step("Types of the editor", || {
        tool::run(Command::new(place.npm_program("tsc")).arg("-p").arg(place.root.join("app/editor")))
    })
}

fn rust(place: &Place, filters: &[String]) -> Result<()> {
    let installation = postgres::ensure()?;
    let sidebar = sidebar(place)?;
    // Not nextest: the tests of the server share one Postgres within their process.
    let mut command = tool::cargo(place, &["test", "--no-fail-fast"]);
    let command = with_environment(command.args(packages()), &installation)
        .env("SIDEBAR_TEST_BIN", &sidebar)
        .env("SIDEBAR_BIN", &sidebar);
    let command = with_filters(command, filters);
    say::step("Rust tests", || tool::run(command))
        .or_else(|_| say::step("Rust tests, once more", || tool::run(command)))?;
    let mut command = tool::cargo(place, &["test"]);
    say::step("Rust tests of the app", || {
        let app = ["--package", "app", "--no-default-features", "--features", "ssr"];
        tool::run(with_filters(command.args(app), filters))
    })?;
    // By itself: the server's Yrs may cross threads, that of the browser may not.
    let mut command = tool::cargo(place, &["test"]);
    say::step("Rust tests of the notes' replica", || {
        tool::run(with_filters(command.args(["--package", "replica"]), filters))
    })
}

/// The executable that tests start, beside its site. It is built together with the Rust tests: by itself it would
/// ask for other features of what both need, and all of that would be compiled twice.
fn sidebar(place: &Place) -> Result<PathBuf> {
    std::thread::scope(|scope| {
        let site = scope.spawn(|| browser::build(place, Profile::Dev));
        let mut command = tool::cargo(place, &["test", "--no-run"]);
        let tests = say::step("Compiling the Rust tests", || tool::run(command.args(packages())));
        site.join().map_err(|_| anyhow!("the build of the browser half broke off; run it again"))??;
        tests
    })?;
    Ok(place.executable(Profile::Dev, "sidebar"))
}

/// `cargo test` hands the filters to the test programs.
fn with_filters<'a>(command: &'a mut Command, filters: &[String]) -> &'a mut Command {
    if !filters.is_empty() {
        command.arg("--");
    }
    command.args(filters)
}

fn with_environment<'a>(command: &'a mut Command, installation: &Installation) -> &'a mut Command {
    command.env("SIDEBAR_POSTGRES", &installation.root)
}

fn browsers(place: &Place, filters: &[String]) -> Result<()> {
    let tests = browser_tests(place)?;
    if tests.is_empty() {
        bail!("there are no browser tests in end2end");
    }
    let chromium = chromium()?;
    let installation = postgres::ensure()?;
    let sidebar = sidebar(place)?;
    let upstream = server::build(place, Profile::Dev, "upstream")?;
    let failures = place.work(Profile::Dev).join("failed-browser-tests");
    let play = |tests: &[PathBuf]| {
        let mut command = Command::new("node");
        command.current_dir(&place.root).arg("--test");
        command.args(["--test-reporter=spec", "--test-reporter-destination=stdout"]);
        command.arg("--test-reporter=./end2end/failures.mjs");
        command.arg(format!("--test-reporter-destination={}", failures.display()));
        command.args(filters.iter().map(|filter| format!("--test-name-pattern={filter}")));
        let command = with_environment(command.args(tests), &installation)
            .env("SIDEBAR_BIN", &sidebar)
            .env("SIDEBAR_UPSTREAM_BIN", &upstream)
            .env("CHROMIUM", &chromium);
        tool::run(command)
    };
    let Err(failure) = say::step("Browser tests", || play(&tests)) else { return Ok(()) };
    let failed: Vec<PathBuf> =
        fs::read_to_string(&failures).unwrap_or_default().lines().map(PathBuf::from).collect();
    if failed.is_empty() {
        return Err(failure);
    }
    say::step("Browser tests that failed, once more", || play(&failed))
}

fn browser_tests(place: &Place) -> Result<Vec<PathBuf>> {
    let mut tests = Vec::new();
    for folder in ["end2end", "end2end/editor", "end2end/sync"] {
        for entry in fs::read_dir(place.root.join(folder))? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(".test.mjs") {
                tests.push(path);
            }
        }
    }
    tests.sort();
    Ok(tests)
}

/// The browser of the tests, installed when we may.
fn chromium() -> Result<PathBuf> {
    if let Some(found) = on_path() {
        return Ok(found);
    }
    let root = rustix::process::geteuid().is_root();
    if !root || !tool::exists("apt-get") {
        bail!("the browser tests need Chromium: apt install chromium");
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        tool::run(command.args(arguments))
    };
    say::step("Installing Chromium", || {
        // A new machine has no lists of packages yet, or old ones.
        apt(&["update"])
            .and_then(|()| apt(&["install", "--yes", "--no-install-recommends", "chromium"]))
            .context("could not install Chromium: the lines above say why")
    })?;
    on_path().context("apt installed no Chromium: install it by hand")
}

fn on_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|folder| CHROMIUM.map(|name| folder.join(name)))
        .find(|candidate| candidate.is_file())
}
