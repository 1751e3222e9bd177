//! How much later tokens arrive through sideBar than straight from the provider.
//!
//! Each token carries the time at which the provider sent it, so one clock measures both ways. The
//! two are measured in turn at each level, on the same machine, in the same minute.

use crate::server::{Process, Sidebar, upstream};
use crate::statistics::Sample;
use anyhow::{Context, Result, ensure};
use clap::Args;
use futures::StreamExt;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[derive(Args)]
pub struct Arguments {
    /// Answers at the same time, separated by commas.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 32, 200])]
    concurrent: Vec<usize>,
    /// Leaves out the last level: 200 answers as fast as the provider can.
    #[arg(long)]
    no_flood: bool,
    /// Rounds at each level.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// A load of one level: so many answers, each of so many tokens at this pace.
#[derive(Clone, Copy)]
struct Load {
    concurrent: usize,
    tokens: u64,
    every: Duration,
    first: Duration,
}

impl Load {
    /// Up to 32: 200 tokens a second each; beyond: 50, as a reader would want.
    fn at(concurrent: usize) -> Self {
        let (tokens, every) = if concurrent > 32 { (300, 20) } else { (200, 5) };
        Self { concurrent, tokens, every: Duration::from_millis(every), first: Duration::from_millis(20) }
    }

    /// 200 answers from a provider that feeds 15,000 tokens a second: how many come through.
    fn flood() -> Self {
        Self {
            concurrent: 200,
            tokens: 750,
            every: Duration::from_millis(13),
            first: Duration::from_millis(20),
        }
    }

    fn message(self) -> String {
        format!("[[stamped {} {} {}]]", self.tokens, self.every.as_millis(), self.first.as_millis())
    }
}

#[derive(Default, Clone)]
struct Measured {
    first_token_ms: Sample,
    added_ms: Sample,
    /// The longest silence of each answer beyond what the provider's own pace made.
    gap_ms: Sample,
    tokens: u64,
    failures: u64,
    seconds: f64,
}

/// Where to ask, and how.
#[derive(Clone)]
enum Way {
    Straight { url: String },
    Through { url: String, key: String, conversations: Arc<Vec<String>> },
}

pub async fn run(arguments: Arguments) -> Result<()> {
    let provider = upstream()?;
    let sidebar = Sidebar::start().await?;
    let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(512).build()?;
    let most = arguments.concurrent.iter().copied().max().unwrap_or(1).max(Load::flood().concurrent);
    let through = prepare(&http, &sidebar, &provider, most).await?;
    let straight = Way::Straight { url: format!("{}/v1/chat/completions", provider.url) };
    say(&sidebar.promises())?;
    let (idle, _) = sidebar.process.memory()?;
    say(&format!("server process at rest: {:.0} MB resident\n", megabytes(idle)))?;
    say(&format!(
        "{:>10} {:>9} | {:>17} | {:>17} | {:>9} | {:>9} | {:>6}",
        "answers", "way", "first token ms", "added a token ms", "gap ms", "tokens/s", "failed"
    ))?;
    say(&format!(
        "{:>10} {:>9} | {:>8} {:>8} | {:>8} {:>8} | {:>9} |",
        "", "", "p50", "p99", "p50", "p99", "longest"
    ))?;
    let levels = arguments.concurrent.iter().copied().map(Load::at);
    let flood = (!arguments.no_flood).then(Load::flood);
    for load in levels.chain(flood) {
        let concurrent = load.concurrent;
        let (mut direct, mut ours) = (Measured::default(), Measured::default());
        for _ in 0..arguments.rounds {
            direct = merged(direct, round(&http, &straight, load).await);
            ours = merged(ours, round(&http, &through, load).await);
        }
        row(concurrent, "straight", &direct)?;
        row(concurrent, "sideBar", &ours)?;
        say(&format!(
            "{:>20} | first token {:+.1} ms at p50; resident {:.0} MB",
            "difference",
            ours.first_token_ms.percentile(0.5) - direct.first_token_ms.percentile(0.5),
            megabytes(sidebar.process.memory()?.0),
        ))?;
        ensure!(ours.failures == 0, "{} answers failed at {concurrent}", ours.failures);
    }
    let (_, highest) = sidebar.process.memory()?;
    say(&format!("\nserver process at its highest: {:.0} MB resident", megabytes(highest)))
}

/// An account, a key, the provider, and a conversation for each answer at a time.
async fn prepare(http: &reqwest::Client, sidebar: &Sidebar, provider: &Process, most: usize) -> Result<Way> {
    let email = "bench@example.org";
    sidebar.shell(
        &["user", "create", "--email", email, "--role", "admin", "--password-stdin"],
        "a password for the bench\n",
    )?;
    let key = sidebar.shell(&["key", "create", "--user", email, "--name", "bench"], "")?;
    let base = format!("{}/v1/", provider.url);
    let add = [
        "provider",
        "add",
        "--kind",
        "openai",
        "--name",
        "bench",
        "--base-url",
        &base,
        "--api-key-stdin",
        "--model",
        "stamped",
    ];
    sidebar.shell(&add, "a-key\n")?;
    // The running server hears of the provider by a notification.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let url = sidebar.process.url.clone();
    let mut conversations = Vec::new();
    for _ in 0..most {
        let made: Value = http
            .post(format!("{url}/api/v1/conversations"))
            .bearer_auth(&key)
            // With a title, so that no model is asked for one meanwhile.
            .json(&json!({"title": "bench", "model": "bench/stamped"}))
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        conversations.push(made["data"]["id"].as_str().context("no id")?.to_owned());
    }
    Ok(Way::Through { url, key, conversations: Arc::new(conversations) })
}

async fn round(http: &reqwest::Client, way: &Way, load: Load) -> Measured {
    let started = Instant::now();
    let answers =
        (0..load.concurrent).map(|place| tokio::spawn(answer(http.clone(), way.clone(), load, place)));
    let mut measured = Measured::default();
    for done in futures::future::join_all(answers).await {
        match done {
            Ok(Ok(one)) => measured = merged(measured, one),
            Ok(Err(_)) | Err(_) => measured.failures += 1,
        }
    }
    measured.seconds = started.elapsed().as_secs_f64();
    measured
}

fn merged(mut all: Measured, one: Measured) -> Measured {
    all.first_token_ms.extend(one.first_token_ms);
    all.added_ms.extend(one.added_ms);
    all.gap_ms.extend(one.gap_ms);
    all.tokens += one.tokens;
    all.failures += one.failures;
    all.seconds += one.seconds;
    all
}

async fn answer(http: reqwest::Client, way: Way, load: Load, place: usize) -> Result<Measured> {
    let request = match &way {
        Way::Straight { url } => http.post(url).json(&json!({
            "model": "stamped", "stream": true, "messages": [{"role": "user", "content": load.message()}],
        })),
        Way::Through { url, key, conversations } => {
            let id = conversations.get(place).context("too few conversations")?;
            http.post(format!("{url}/api/v1/conversations/{id}/messages"))
                .bearer_auth(key)
                .json(&json!({"content": load.message()}))
        }
    };
    let asked = Instant::now();
    let mut body = request.send().await?.error_for_status()?.bytes_stream();
    let mut measured = Measured::default();
    let (mut rest, mut next, mut last_arrival, mut gap) = (Vec::new(), 0, None::<Instant>, Duration::ZERO);
    while let Some(bytes) = body.next().await {
        let (now, wall) = (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH)?);
        rest.extend_from_slice(&bytes?);
        let (tokens, used) = stamps(&rest);
        for (seq, sent) in &tokens {
            ensure!(*seq == next, "token {seq} came where {next} was due");
            next += 1;
            measured.added_ms.push((wall.as_micros() as f64 - *sent as f64) / 1e3);
        }
        if !tokens.is_empty() {
            match last_arrival {
                None => measured.first_token_ms.push(now.duration_since(asked).as_secs_f64() * 1e3),
                Some(last) => gap = gap.max(now.duration_since(last).saturating_sub(load.every)),
            }
            last_arrival = Some(now);
        }
        rest.drain(..used);
    }
    ensure!(next == load.tokens, "{next} of {} tokens came", load.tokens);
    measured.tokens = next;
    measured.gap_ms.push(gap.as_secs_f64() * 1e3);
    Ok(measured)
}

/// Finds ` <seq>@<unix microseconds>|` in what has arrived; gives the tokens and how much was used.
fn stamps(text: &[u8]) -> (Vec<(u64, u128)>, usize) {
    let (mut tokens, mut used) = (Vec::new(), 0);
    for (end, _) in text.iter().enumerate().filter(|(_, byte)| **byte == b'|') {
        let piece = &text[used..end];
        used = end + 1;
        let Some(at) = piece.iter().rposition(|byte| *byte == b'@') else { continue };
        let digits = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
        let start = piece[..at].iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |place| place + 1);
        let seq = digits(&piece[start..at]).and_then(|text| text.parse().ok());
        let sent = digits(&piece[at + 1..]).and_then(|text| text.parse().ok());
        if let (Some(seq), Some(sent)) = (seq, sent) {
            tokens.push((seq, sent));
        }
    }
    (tokens, used)
}

fn row(concurrent: usize, way: &str, measured: &Measured) -> Result<()> {
    say(&format!(
        "{concurrent:>10} {way:>9} | {:>8.1} {:>8.1} | {:>8.1} {:>8.1} | {:>9.0} | {:>9.0} | {:>6}",
        measured.first_token_ms.percentile(0.5),
        measured.first_token_ms.percentile(0.99),
        measured.added_ms.percentile(0.5),
        measured.added_ms.percentile(0.99),
        measured.gap_ms.max(),
        measured.tokens as f64 / measured.seconds,
        measured.failures,
    ))
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").context("standard output is closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_found_wherever_the_text_was_cut() {
        let text = br#"data: {"text":" 12@1700000000000000| 13@1700000000000005|"}"#;
        let (tokens, used) = stamps(text);
        assert_eq!(tokens, [(12, 1_700_000_000_000_000), (13, 1_700_000_000_000_005)]);
        assert_eq!(&text[used..], br#""}"#);
        assert_eq!(stamps(b" 14@17000").1, 0);
    }
}
