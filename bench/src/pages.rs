//! What a page costs: time of the server, bytes over the wire, time until it can be used.

use crate::server::Sidebar;
use crate::statistics::Sample;
use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};
use std::io::Write;
use std::process::Command;
use std::time::Instant;

#[derive(Args)]
pub struct Arguments {
    /// Requests a page for the time of the server.
    #[arg(long, default_value_t = 300)]
    requests: usize,
}

const EMAIL: &str = "bench@example.org";
const PASSWORD: &str = "a password for the bench";

pub async fn run(arguments: Arguments) -> Result<()> {
    let sidebar = Sidebar::start().await?;
    sidebar.shell(
        &["user", "create", "--email", EMAIL, "--role", "admin", "--password-stdin"],
        &format!("{PASSWORD}\n"),
    )?;
    let url = &sidebar.process.url;
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
    let signed_in = http
        .post(format!("{url}/api/v1/sessions"))
        .json(&json!({"email": EMAIL, "password": PASSWORD}))
        .send()
        .await?
        .error_for_status()?;
    let cookie =
        signed_in.headers()["set-cookie"].to_str()?.split(';').next().context("no cookie")?.to_owned();
    let body: Value = signed_in.json().await?;
    let csrf = body["data"]["csrf_token"].as_str().context("no token")?.to_owned();
    let conversation = conversation(&http, url, &cookie, &csrf).await?;
    let pages = [
        ("sign-in", "/sign-in".to_owned(), ""),
        ("conversation", format!("/c/{conversation}"), cookie.as_str()),
    ];
    say(&format!("{:>14} | {:>9} {:>9} | {:>12}", "page", "p50 ms", "p99 ms", "HTML (br)"))?;
    for (name, path, cookie) in &pages {
        let mut times = Sample::default();
        let mut bytes = 0;
        for _ in 0..arguments.requests {
            let asked = Instant::now();
            let request =
                http.get(format!("{url}{path}")).header("cookie", *cookie).header("accept-encoding", "br");
            let page = request.send().await?.error_for_status()?.bytes().await?;
            times.push(asked.elapsed().as_secs_f64() * 1e3);
            bytes = page.len();
        }
        anyhow::ensure!(times.len() == arguments.requests);
        say(&format!(
            "{name:>14} | {:>9.1} {:>9.1} | {bytes:>12}",
            times.percentile(0.5),
            times.percentile(0.99)
        ))?;
    }
    let browser = Command::new("node")
        .arg("bench/pages.mjs")
        .args([url.as_str(), &cookie, &pages[0].1, &pages[1].1])
        .status()
        .context("node could not be started")?;
    anyhow::ensure!(browser.success(), "the measurement in Chromium failed");
    Ok(())
}

/// A conversation with a few messages, answered by the built-in responder.
async fn conversation(http: &reqwest::Client, url: &str, cookie: &str, csrf: &str) -> Result<String> {
    let post = |path: String, body: Value| {
        http.post(format!("{url}/api/v1{path}"))
            .header("cookie", cookie)
            .header("x-csrf-token", csrf)
            .json(&body)
            .send()
    };
    let made: Value =
        post("/conversations".into(), json!({"title": "Pages"})).await?.error_for_status()?.json().await?;
    let id = made["data"]["id"].as_str().context("no id")?.to_owned();
    for n in 0..10 {
        let content = format!(
            "Message {n} of a conversation with **some** text, a list:\n\n- one\n- two\n\n`and code`."
        );
        post(format!("/conversations/{id}/messages"), json!({"content": content}))
            .await?
            .error_for_status()?
            .text()
            .await?;
    }
    Ok(id)
}

fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").context("standard output is closed")
}
