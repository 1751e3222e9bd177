//! `upstream`: the fake model provider as a process, for browser tests and the benchmark.

use anyhow::Context;
use clap::Parser;
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;
use upstream::{Defaults, Pace};

/// A fake model provider that speaks the wires of OpenAI, Anthropic, Gemini and Ollama.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    addr: SocketAddr,
    /// Answer messages without directives with so many stamped tokens instead of an echo.
    #[arg(long)]
    n: Option<u64>,
    /// Milliseconds between those tokens.
    #[arg(long, default_value_t = 5.0)]
    every_ms: f64,
    /// Milliseconds before the first of them.
    #[arg(long, default_value_t = 20.0)]
    first_ms: f64,
}

// One thread: the benchmark leaves the other cores to what is measured.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let ms =
        |ms: f64| Duration::try_from_secs_f64(ms / 1000.0).context("a time in milliseconds is 0 or more");
    let pace = Pace { every: ms(arguments.every_ms)?, first: ms(arguments.first_ms)? };
    let defaults = Defaults { stamped: arguments.n.map(|count| (count, pace)) };
    let running = upstream::serve_with(arguments.addr, defaults)
        .await
        .with_context(|| format!("cannot listen on {}: choose another --addr", arguments.addr))?;
    writeln!(std::io::stdout(), "listening on http://{}", running.addr)?;
    running.forever().await;
    Ok(())
}
