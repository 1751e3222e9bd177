//! `sidebar search`: everything that one may see, at the shell.

use super::note::{print, query, shown};
use super::stream::Api;
use crate::options::{SearchCommand, or_file};
use anyhow::Result;
use shared::search::SearchAnswer;
use std::process::ExitCode;

const NOTHING_FOUND: u8 = 4;

pub async fn run(command: SearchCommand) -> Result<ExitCode> {
    let SearchCommand { words, kinds, json, limit, server } = command;
    let api = Api::new(server.url, or_file("SIDEBAR_API_KEY", server.api_key)?)?;
    let kinds = (!kinds.is_empty()).then(|| kinds.join(","));
    let asked = query(&[("q", Some(&words)), ("kinds", kinds.as_deref())]);
    let SearchAnswer { items: hits, .. } = api.get(&format!("/search?limit={limit}{asked}")).await?;
    for hit in &hits {
        let line = if json { serde_json::to_string(hit)? } else { shown(hit) };
        print(&format!("{line}\n"))?;
    }
    Ok(if hits.is_empty() { ExitCode::from(NOTHING_FOUND) } else { ExitCode::SUCCESS })
}
