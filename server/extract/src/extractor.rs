//! The parent's side: starts the child, feeds it, bounds it in time and output, and says what its end
//! means. The child is killed whenever the future is dropped. How many run at once is the caller's matter.

use crate::document::Document;
use crate::failure::{Failure, Measure};
use crate::jail::Sandbox;
use crate::limits::{Limits, Progress};
use crate::wire::{Header, Line};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Once;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Enough of the child's last words to tell why it died.
const LAST_WORDS: u64 = 16 << 10;
/// Of the copy that a model is shown: most models look at no more.
const LEGIBLE_SIDE: u32 = 2048;
const BLOCK: usize = 64 << 10;

/// What to do where the kernel gives less than the whole jail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SandboxPolicy {
    /// Read no file.
    Require,
    /// Warn once and read.
    #[default]
    Allow,
}

#[derive(Debug, Clone)]
pub struct Extractor {
    program: PathBuf,
    arguments: Vec<String>,
    limits: Limits,
    policy: SandboxPolicy,
}

impl Extractor {
    /// `program` with these arguments must end up in [`crate::run_child`].
    pub fn new(program: PathBuf, args: Vec<String>, limits: Limits) -> Self {
        Self { program, arguments: args, limits, policy: SandboxPolicy::default() }
    }

    #[must_use]
    pub fn with_policy(mut self, policy: SandboxPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Has a copy made of each image that a model can read.
    #[must_use]
    pub fn with_legible_copies(mut self) -> Self {
        self.limits.legible_side = LEGIBLE_SIDE;
        self
    }

    pub async fn extract(
        &self,
        name: &str,
        declared: Option<&str>,
        bytes: impl AsyncRead + Unpin + Send,
        progress: impl FnMut(Progress) + Send,
    ) -> Result<Document, Failure> {
        let mut running = self.start()?;
        let header = Header {
            name: name.to_owned(),
            declared: declared.map(str::to_owned),
            limits: self.limits.clone(),
        };
        let talk = self.talk(&mut running, header, bytes, progress);
        let answer = match timeout(self.limits.wall_time, talk).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::TooSlow),
        };
        if running.child.try_wait().is_ok_and(|status| status.is_none()) {
            // Only so that none is left behind: it has answered, or is past its time.
            running.child.kill().await.map_err(Failure::unavailable)?;
        }
        answer
    }

    fn start(&self) -> Result<Running, Failure> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Failure::unavailable(format!("the reader did not start ({error})")))?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(Failure::unavailable("the reader has no pipes"));
        };
        let last_words = tokio::spawn(last_words(stderr));
        Ok(Running {
            child,
            stdin: Some(stdin),
            lines: Lines::new(stdout, self.limits.answer_bytes),
            last_words,
        })
    }

    async fn talk(
        &self,
        running: &mut Running,
        header: Header,
        bytes: impl AsyncRead + Unpin + Send,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<Document, Failure> {
        let mut stdin = running.stdin.take().ok_or_else(|| Failure::unavailable("the reader is busy"))?;
        let mut first = serde_json::to_vec(&header).map_err(Failure::unavailable)?;
        first.push(b'\n');
        // A child that is gone already is asked for its reason below.
        let _ = stdin.write_all(&first).await;
        match running.lines.next().await? {
            Some(Line::Sandbox(sandbox)) => self.judge(&sandbox)?,
            Some(_) => return Err(Failure::Crashed),
            None => return Err(running.reason().await),
        }
        let answer = {
            let answer = running.lines.answer(&mut progress);
            tokio::pin!(answer);
            let answered = tokio::select! {
                answered = &mut answer => Some(answered),
                fed = feed(stdin, bytes, self.limits.file_bytes) => { fed?; None }
            };
            match answered {
                Some(answered) => answered?,
                None => answer.await?,
            }
        };
        match answer {
            Some(document) => Ok(document),
            None => Err(running.reason().await),
        }
    }

    fn judge(&self, sandbox: &Sandbox) -> Result<(), Failure> {
        static WARNED: Once = Once::new();
        let Sandbox::Partial(reason) = sandbox else { return Ok(()) };
        match self.policy {
            SandboxPolicy::Require => {
                Err(Failure::unavailable(format!("the reader is not locked up safely ({reason})")))
            }
            SandboxPolicy::Allow => {
                WARNED
                    .call_once(|| tracing::warn!(%reason, "files are read with less than the full sandbox"));
                Ok(())
            }
        }
    }
}

/// Keeps the first of what the child complains about, and takes the rest, so that it never waits.
async fn last_words(mut stderr: ChildStderr) -> Vec<u8> {
    let mut words = Vec::new();
    let kept = (&mut stderr).take(LAST_WORDS).read_to_end(&mut words).await;
    if kept.is_ok() {
        // A pipe that breaks here has no more to say either.
        let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    }
    words
}

/// Gives the child the file. That it stops listening is no failure here: its answer says why.
async fn feed(mut stdin: ChildStdin, mut bytes: impl AsyncRead + Unpin, limit: u64) -> Result<(), Failure> {
    let mut block = vec![0; BLOCK];
    let mut total = 0;
    loop {
        let read = bytes.read(&mut block).await.map_err(Failure::unavailable)?;
        if read == 0 {
            return Ok(());
        }
        total += read as u64;
        if total > limit {
            return Err(Failure::TooLarge { what: Measure::File, limit });
        }
        if stdin.write_all(&block[..read]).await.is_err() {
            return Ok(());
        }
    }
}

struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines,
    last_words: JoinHandle<Vec<u8>>,
}

impl Running {
    /// Why the child ended without an answer.
    async fn reason(&mut self) -> Failure {
        // Without last words its signal still tells.
        let words = (&mut self.last_words).await.unwrap_or_default();
        match self.child.wait().await {
            Ok(status) => meaning(status, &String::from_utf8_lossy(&words)),
            Err(error) => Failure::unavailable(error),
        }
    }
}

fn meaning(status: ExitStatus, words: &str) -> Failure {
    if words.contains("memory allocation of") || words.contains("failed to allocate") {
        return Failure::OutOfMemory;
    }
    if words.contains("has overflowed its stack") {
        return Failure::damaged("its parts are nested too deeply");
    }
    const PROCESSOR_TIME_IS_OVER: i32 = 24;
    const KILLED: i32 = 9;
    match status.signal() {
        Some(PROCESSOR_TIME_IS_OVER) => Failure::TooSlow,
        // Not by this parent, which stops listening first: by the kernel, when the machine is out
        // of memory.
        Some(KILLED) => Failure::OutOfMemory,
        _ => Failure::Crashed,
    }
}

struct Lines {
    stdout: BufReader<ChildStdout>,
    left: u64,
    limit: u64,
}

impl Lines {
    fn new(stdout: ChildStdout, limit: u64) -> Self {
        Self { stdout: BufReader::with_capacity(BLOCK, stdout), left: limit, limit }
    }

    /// None where the child ended before it answered.
    async fn answer(
        &mut self,
        progress: &mut (impl FnMut(Progress) + Send),
    ) -> Result<Option<Document>, Failure> {
        loop {
            match self.next().await? {
                Some(Line::Progress(step)) => progress(step),
                Some(Line::Document(document)) => return Ok(Some(*document)),
                Some(Line::Failure(failure)) => return Err(failure),
                Some(Line::Sandbox(_)) => return Err(Failure::Crashed),
                None => return Ok(None),
            }
        }
    }

    /// None when the child has said everything; a line without its end is not an answer.
    async fn next(&mut self) -> Result<Option<Line>, Failure> {
        let mut line = Vec::new();
        let read = (&mut self.stdout).take(self.left + 1).read_until(b'\n', &mut line).await;
        let read = read.map_err(Failure::unavailable)? as u64;
        if read > self.left {
            return Err(Failure::TooLarge { what: Measure::Answer, limit: self.limit });
        }
        self.left -= read;
        if line.last() != Some(&b'\n') {
            return Ok(None);
        }
        serde_json::from_slice(&line).map(Some).map_err(|_| Failure::Crashed)
    }
}
