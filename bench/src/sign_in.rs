//! Whether the time of a refusal tells if an account exists: wrong password and unknown account, in turn.

use crate::server::Sidebar;
use crate::statistics::Sample;
use anyhow::{Result, ensure};
use clap::Args;
use serde_json::json;
use std::io::Write;
use std::time::Instant;

#[derive(Args)]
pub struct Arguments {
    /// Tries of each kind.
    #[arg(long, default_value_t = 2000)]
    tries: usize,
}

const EMAIL: &str = "known@example.org";

pub async fn run(arguments: Arguments) -> Result<()> {
    let sidebar = Sidebar::start().await?;
    sidebar.shell(
        &["user", "create", "--email", EMAIL, "--role", "viewer", "--password-stdin"],
        "a password for the bench\n",
    )?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let url = format!("{}/api/v1/sessions", sidebar.process.url);
    let (mut known, mut unknown) = (Sample::default(), Sample::default());
    for _ in 0..arguments.tries {
        for (email, times) in [(EMAIL, &mut known), ("nobody@example.org", &mut unknown)] {
            let asked = Instant::now();
            let response = http
                .post(&url)
                .json(&json!({"email": email, "password": "not this one either"}))
                .send()
                .await?;
            ensure!(response.status() == 401, "{} instead of a refusal", response.status());
            response.bytes().await?;
            times.push(asked.elapsed().as_secs_f64() * 1e3);
        }
    }
    let difference = known.percentile(0.5) - unknown.percentile(0.5);
    writeln!(
        std::io::stdout(),
        "wrong password: median {:.2} ms; unknown account: median {:.2} ms; difference {difference:+.3} ms over {} tries each",
        known.percentile(0.5),
        unknown.percentile(0.5),
        arguments.tries,
    )?;
    Ok(())
}
