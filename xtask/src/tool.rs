//! Calls of other programs: a missing one and a failing one each become one sentence.

use std::io;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};

/// What to do when a program is not there.
fn remedy(program: &str) -> &'static str {
    match program {
        "rustup" => "install Rust with rustup",
        "python3" => "install Python 3 with pip (Debian: apt install python3 python3-pip)",
        "npm" | "node" => "install Node.js 20 or newer with npm (Debian: apt install nodejs npm)",
        _ => "install it and try again",
    }
}

/// Runs it with its output going where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = name_of(command);
    let status = command.status().map_err(|error| explain(&name, error))?;
    if !status.success() {
        bail!("`{name}` failed; what it says above tells why");
    }
    Ok(())
}

/// Runs it silently and gives its standard output; when it fails, its last words are the reason.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let name = name_of(command);
    let output = command.stdin(Stdio::null()).output().map_err(|error| explain(&name, error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        bail!("`{name}` failed: {}", last.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{name}` gave something that is no text"))
}

/// Whether the program can be started at all.
pub(crate) fn exists(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

pub(crate) fn explain(name: &str, error: io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::NotFound {
        anyhow!("`{name}` was not found: {}", remedy(name))
    } else {
        anyhow!("`{name}` could not be started: {error}")
    }
}

fn name_of(command: &Command) -> String {
    std::path::Path::new(command.get_program())
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Cargo, in the repository, without what our own start put into its environment.
pub(crate) fn cargo(place: &crate::place::Place, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(&place.root).args(arguments);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        // Build scripts that watch them would run again for nothing.
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_one_sentence_with_a_remedy() {
        let error = explain("npm", io::ErrorKind::NotFound.into()).to_string();
        assert_eq!(
            error,
            "`npm` was not found: install Node.js 20 or newer with npm (Debian: apt install nodejs npm)"
        );
    }

    #[test]
    fn a_failing_program_is_reported_by_its_last_words() {
        let error = read(Command::new("sh").args(["-c", "echo one >&2; echo two >&2; exit 3"])).unwrap_err();
        assert_eq!(error.to_string(), "`sh` failed: two");
    }
}
