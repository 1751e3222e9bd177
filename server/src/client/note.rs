//! `sidebar note`: notes at the shell.

use super::stream::{Api, Refusal};
use crate::options::{NoteCommand, Server, or_file};
use anyhow::{Context, Result};
use shared::note::{CreateNote, Note, NoteSummary, TitledNote, UpdateNote};
use shared::page::Page;
use shared::search::{SearchAnswer, SearchHit};
use shared::{ErrorCode, NoteId};
use std::io::{Read, Write};
use std::process::ExitCode;
use url::form_urlencoded::byte_serialize;

const NO_SUCH_NOTE: u8 = 4;
const CHANGED_MEANWHILE: u8 = 5;
/// The longest page of a list.
const PAGE: u32 = 200;

pub async fn run(command: NoteCommand) -> Result<ExitCode> {
    match carry_out(command).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            let code = match error.downcast_ref::<Refusal>().map(|refusal| refusal.0.error_code) {
                Some(ErrorCode::NotFound) => NO_SUCH_NOTE,
                Some(ErrorCode::PreconditionFailed) => CHANGED_MEANWHILE,
                _ => return Err(error),
            };
            writeln!(std::io::stderr(), "sidebar: {error:#}")?;
            Ok(ExitCode::from(code))
        }
    }
}

async fn carry_out(command: NoteCommand) -> Result<()> {
    match command {
        NoteCommand::Get { note, json, server } => {
            let api = api(server)?;
            let note = open(&api, &note).await?;
            let text = if json { serde_json::to_string(&note)? + "\n" } else { note.content };
            print(&text)
        }
        NoteCommand::Put { note, if_seq, server } => {
            let (api, content) = (api(server)?, standard_input()?);
            let id = match find(&api, &note).await? {
                Some(id) => {
                    let change = UpdateNote { content: Some(content), ..UpdateNote::default() };
                    api.patch::<Note>(&format!("/notes/{id}"), &change, if_seq).await?.summary.id
                }
                None => {
                    let made = CreateNote { title: note, content: Some(content), ..CreateNote::default() };
                    api.post::<Note>("/notes", &made).await?.summary.id
                }
            };
            print(&format!("{id}\n"))
        }
        NoteCommand::Append { note, text, server } => {
            let api = api(server)?;
            let more = match text {
                Some(text) => text,
                None => standard_input()?,
            };
            let id = open(&api, &note).await?.summary.id;
            let change = UpdateNote { append: Some(more), ..UpdateNote::default() };
            api.patch::<Note>(&format!("/notes/{id}"), &change, None).await.map(drop)
        }
        NoteCommand::List { tag, words, limit, json, server } => {
            let filter = query(&[("tag", tag.as_deref()), ("q", words.as_deref())]);
            list(&api(server)?, &filter, limit, json).await
        }
        NoteCommand::Search { words, limit, json, server } => {
            let filter = query(&[("q", Some(&words))]);
            let found: SearchAnswer =
                api(server)?.get(&format!("/search?kinds=note&limit=100{filter}")).await?;
            for hit in found.items.into_iter().take(limit as usize) {
                let line = if json { serde_json::to_string(&hit)? } else { shown(&hit) };
                print(&format!("{line}\n"))?;
            }
            Ok(())
        }
    }
}

async fn list(api: &Api, filter: &str, limit: u32, json: bool) -> Result<()> {
    let mut left = limit;
    let mut cursor = None;
    while left > 0 {
        let from = query(&[("cursor", cursor.as_deref())]);
        let page: Page<NoteSummary> =
            api.get(&format!("/notes?limit={}{filter}{from}", left.min(PAGE))).await?;
        for note in &page.items {
            let line = if json {
                serde_json::to_string(note)?
            } else {
                format!("{}\t{}", note.id, note.display_title())
            };
            print(&format!("{line}\n"))?;
        }
        left = left.saturating_sub(u32::try_from(page.items.len()).unwrap_or(u32::MAX));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(())
}

/// The title, where it opens, and the passage on one line.
pub(super) fn shown(hit: &SearchHit) -> String {
    let passage: String = hit.passage.iter().map(|segment| segment.text.as_str()).collect();
    let passage: Vec<&str> = passage.split_whitespace().collect();
    format!("{}\t{}\t{}", hit.display_title(), hit.url, passage.join(" "))
}

fn api(server: Server) -> Result<Api> {
    Api::new(server.url, or_file("SIDEBAR_API_KEY", server.api_key)?)
}

/// The id that was given, or of the note of that title; none where there is none.
async fn find(api: &Api, note: &str) -> Result<Option<NoteId>> {
    if let Ok(id) = note.parse() {
        return Ok(Some(id));
    }
    let filter = query(&[("prefix", Some(note))]);
    let titles: Vec<TitledNote> =
        api.get(&format!("/notes/titles?{}", filter.trim_start_matches('&'))).await?;
    let exact = titles.iter().find(|known| known.title == note);
    let same = || titles.iter().find(|known| known.title.to_lowercase() == note.to_lowercase());
    Ok(exact.or_else(same).map(|known| known.id))
}

async fn open(api: &Api, note: &str) -> Result<Note> {
    match find(api, note).await? {
        Some(id) => api.get(&format!("/notes/{id}")).await,
        None => {
            let message = format!("There is no note titled ‘{note}’, or it is not shared with you.");
            Err(Refusal(shared::Problem::new(ErrorCode::NotFound, message)).into())
        }
    }
}

pub(super) fn query(fields: &[(&str, Option<&str>)]) -> String {
    let encoded = |value: &str| byte_serialize(value.as_bytes()).collect::<String>();
    fields
        .iter()
        .filter_map(|(name, value)| value.map(|value| format!("&{name}={}", encoded(value))))
        .collect()
}

fn standard_input() -> Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("standard input cannot be read as UTF-8")?;
    Ok(text)
}

pub(super) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("standard output is closed")
}
