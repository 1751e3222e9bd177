//! Measures the model on this machine: `cargo run --release -p embeddings --example figures`,
//! with text files to be cut into passages as arguments. It says what it found on standard error, and
//! asserts nothing.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use embeddings::{Embedder, EmbeddingError, MiniLm, Purpose, Shape, passages};

const SENTENCE: &str =
    "The harbour was quiet that morning, and the boats lay still beside the old stone wall. ";
const QUERY: &str = "where did the boats lie in the morning";

#[tokio::main]
async fn main() -> Result<(), EmbeddingError> {
    let folder = embeddings::weights_folder()?;
    let mut text = SENTENCE.repeat(10);
    for threads in [1, 2] {
        let threads = NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN);
        let began = Instant::now();
        let model = MiniLm::load(&folder, threads)?;
        eprintln!("{threads} thread(s): loaded in {:?}, {}", began.elapsed(), memory());
        while model.count_tokens(&text) > 198 {
            text.truncate(text.trim_end().rfind(' ').unwrap_or(0));
        }
        let many = vec![text.clone(); 120];
        let (began, cpu) = (Instant::now(), cpu_seconds());
        model.embed(many, Purpose::Passage).await?;
        let (wall, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
        let (rate, of_core) = (120.0 / wall, 120.0 / cpu);
        eprintln!(
            "  passages of 200 tokens: {rate:.1} per second, {of_core:.1} per second of a core, {}",
            memory()
        );
        let mut waits = Vec::new();
        for _ in 0..100 {
            let began = Instant::now();
            model.embed(vec![QUERY.to_owned()], Purpose::Query).await?;
            waits.push(began.elapsed());
        }
        eprintln!("  query of {} tokens: {}", model.count_tokens(QUERY) + 2, spread(waits));
        eprintln!("  the same while passages are embedded: {}", spread(busy(&model, &text).await?));
        for file in std::env::args().skip(1) {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            let began = Instant::now();
            let found = passages(&text, Shape::Markdown, &|text| model.count_tokens(text), 200);
            eprintln!("  {file}: {} bytes into {} passages: {:?}", text.len(), found.len(), began.elapsed());
        }
    }
    Ok(())
}

async fn busy(model: &MiniLm, text: &str) -> Result<Vec<Duration>, EmbeddingError> {
    let passages = model.embed(vec![text.to_owned(); 300], Purpose::Passage);
    let queries = async {
        let mut waits = Vec::new();
        for _ in 0..30 {
            tokio::time::sleep(Duration::from_millis(37)).await;
            let began = Instant::now();
            model.embed(vec![QUERY.to_owned()], Purpose::Query).await?;
            waits.push(began.elapsed());
        }
        Ok::<_, EmbeddingError>(waits)
    };
    tokio::pin!(passages);
    tokio::select! {
        done = &mut passages => done.map(|_| Vec::new()),
        waits = queries => waits,
    }
}

fn spread(mut waits: Vec<Duration>) -> String {
    waits.sort();
    let at = |share: usize| waits.get(waits.len() * share / 100).copied().unwrap_or_default();
    format!("p50 {:?}, p95 {:?} of {}", at(50), at(95), waits.len())
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name| {
        status
            .lines()
            .find_map(|line: &str| line.strip_prefix(name))
            .unwrap_or(": unknown")
            .trim_start_matches(':')
            .trim()
    };
    format!("{} in memory, {} at most", of("VmRSS"), of("VmHWM"))
}

/// What this process has calculated, whatever else the machine does. The kernel counts in hundredths.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}
