//! What a person sees while a task works: each step by name with its time, the end in one line.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Result;

/// Does a step that may take a while, with its name before and its time after.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("· {name}");
    let started = Instant::now();
    let outcome = work();
    if outcome.is_ok() {
        eprintln!("  {name}: done in {}", seconds(started.elapsed()));
    }
    outcome
}

/// The result of a whole task.
pub(crate) fn done(line: &str) {
    eprintln!("✓ {line}");
}

/// Something a person wants to know on the way.
pub(crate) fn note(line: &str) {
    eprintln!("  {line}");
}

/// What a program that called us may want to read.
pub(crate) fn result(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

/// One sentence; the causes follow on the same line.
pub(crate) fn failure(error: &anyhow::Error) {
    eprintln!("✗ {error:#}");
}

pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
