//! The child's side: into the jail, then read, then answer. It starts no runtime and opens nothing.

use crate::document::Document;
use crate::failure::{Failure, Measure};
use crate::in_process::in_process;
use crate::jail;
use crate::limits::{Limits, Progress};
use crate::wire::{Header, Line};
use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

/// A header holds a name and a few numbers.
const LONGEST_HEADER: u64 = 64 << 10;
/// A thousand short pages need not be a thousand lines.
const PACE: Duration = Duration::from_millis(100);

/// One file as it came from the parent.
pub struct Input {
    pub name: String,
    pub declared: Option<String>,
    pub bytes: Vec<u8>,
    pub limits: Limits,
}

/// What the executable's hidden subcommand calls, before any thread is started.
pub fn run_child() -> ExitCode {
    run_child_with(|input, progress| {
        in_process(&input.name, input.declared.as_deref(), input.bytes, &input.limits, progress)
    })
}

/// The same with another reader inside the jail.
pub fn run_child_with<R>(read: R) -> ExitCode
where
    R: FnOnce(Input, &mut dyn FnMut(Progress)) -> Result<Document, Failure> + Send + 'static,
{
    let closed = jail::close();
    // Parsers of nested formats recurse: they get a stack of their own size.
    let answer = header().and_then(|header| {
        let sandbox = closed.and(jail::seal(&header.limits));
        say(&Line::Sandbox(sandbox))?;
        let reader =
            thread::Builder::new().stack_size(jail::STACK_BYTES).spawn(move || answer(header, read))?;
        // A panic outside the reader's own net.
        reader.join().unwrap_or(Ok(Line::Failure(Failure::Crashed)))
    });
    match answer.and_then(|line| say(&line)) {
        Ok(()) => ExitCode::SUCCESS,
        // The parent is gone, or never was one.
        Err(_) => ExitCode::FAILURE,
    }
}

fn header() -> io::Result<Header> {
    // The process has one buffer for stdin: what is read ahead here is there for the next reader.
    let mut line = String::new();
    io::stdin().lock().take(LONGEST_HEADER).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

fn answer<R>(header: Header, read: R) -> io::Result<Line>
where
    R: FnOnce(Input, &mut dyn FnMut(Progress)) -> Result<Document, Failure>,
{
    let Header { name, declared, limits } = header;
    let mut bytes = Vec::new();
    io::stdin().lock().take(limits.file_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limits.file_bytes {
        return Ok(Line::Failure(Failure::TooLarge { what: Measure::File, limit: limits.file_bytes }));
    }
    let mut last = Instant::now();
    let mut lost = None;
    let mut progress = |progress: Progress| {
        if last.elapsed() >= PACE || progress.done == progress.of {
            last = Instant::now();
            lost = say(&Line::Progress(progress)).err().or(lost.take());
        }
    };
    let read = read(Input { name, declared, bytes, limits }, &mut progress);
    match lost {
        Some(error) => Err(error),
        None => Ok(read.map_or_else(Line::Failure, |document| Line::Document(Box::new(document)))),
    }
}

fn say(line: &Line) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&text)?;
    out.flush()
}
