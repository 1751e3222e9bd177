//! Measures what the jail costs: a PDF read in process and through the child, a few times in turn.
//!
//! `cargo run --release -p extract --example pages_per_second -- file.pdf`

use extract::{Document, Extractor, Failure, Limits, in_process, run_child};
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const ROUNDS: u32 = 5;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let argument = std::env::args().nth(1).ok_or("which file?")?;
    if argument == "extract" {
        return Ok(run_child());
    }
    let bytes = std::fs::read(&argument)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let extractor = Extractor::new(std::env::current_exe()?, vec!["extract".into()], Limits::default());
    let (mut bare, mut jailed) = (Duration::MAX, Duration::MAX);
    let mut pages = 0;
    for _ in 0..ROUNDS {
        let (took, document) =
            timed(|| in_process(&argument, None, bytes.clone(), &Limits::default(), |_| {}))?;
        bare = bare.min(took);
        pages = document.sections.len();
        let (took, document) =
            timed(|| runtime.block_on(extractor.extract(&argument, None, &bytes[..], |_| {})))?;
        jailed = jailed.min(took);
        if document.sections.len() != pages {
            return Err("the child read other pages".into());
        }
    }
    let rate = |took: Duration| pages as f64 / took.as_secs_f64();
    writeln!(
        std::io::stdout(),
        "{pages} pages: {:.0} a second in process, {:.0} through the child ({:.1}%)",
        rate(bare),
        rate(jailed),
        100.0 * rate(jailed) / rate(bare)
    )?;
    Ok(ExitCode::SUCCESS)
}

fn timed(read: impl FnOnce() -> Result<Document, Failure>) -> Result<(Duration, Document), Failure> {
    let began = Instant::now();
    let document = read()?;
    Ok((began.elapsed(), document))
}
