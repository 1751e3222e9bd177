//! What the owner of a server does at its shell, also while it runs.

use crate::data::Folder;
use crate::options::{CheckCommand, KeyCommand, ProviderCommand, ReindexCommand, UserCommand};
use crate::reading;
use anyhow::{Context, Result};
use domain::{Finding, Mend, Reindexed};
use shared::account::{CreateApiKey, CreateUser};
use shared::provider::CreateProvider;
use std::io::{Read, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How often it is told how far something is.
const TELLING: Duration = Duration::from_secs(1);

pub async fn user(command: UserCommand) -> Result<ExitCode> {
    let UserCommand::Create { data, email, display_name, role, password_stdin: _ } = command;
    let request = CreateUser { email, display_name, role, password: line_from_stdin("the password")? };
    let database = Folder::open(&data)?.attach_database().await?;
    let made = database.command(async |domain| domain.create_user_at_shell(request).await).await?;
    print(&format!("{} can sign in as {}.", made.email, made.role.as_str()))
}

pub async fn key(command: KeyCommand) -> Result<ExitCode> {
    let KeyCommand::Create { data, user, name, expires_in_days } = command;
    let database = Folder::open(&data)?.attach_database().await?;
    let made = database
        .command(async |domain| {
            let caller = domain.user_by_email(&user).await?;
            domain.create_api_key(&caller, CreateApiKey { name, expires_in_days }).await
        })
        .await?;
    print(&made.key)
}

pub async fn provider(command: ProviderCommand) -> Result<ExitCode> {
    let ProviderCommand::Add { data, kind, name, base_url, api_key_stdin, models } = command;
    let api_key = if api_key_stdin { Some(line_from_stdin("the key")?) } else { None };
    let request = CreateProvider { kind, name, base_url, models, api_key };
    let database = Folder::open(&data)?.attach_database().await?;
    let made = database.command(async |domain| domain.create_provider_at_shell(request).await).await?;
    print(&format!("{} is ready; it offers: {}", made.name, made.models.join(", ")))
}

pub fn openapi() -> Result<ExitCode> {
    let text = edge::openapi().to_pretty_json().context("the description could not be written")?;
    print(&text)
}

/// Something is not as it should be, and was not mended.
const NOT_WELL: u8 = 3;

pub async fn check(command: CheckCommand) -> Result<ExitCode> {
    let database = Folder::open(&command.data)?.attach_database().await?;
    let mend = if command.fix { Mend::WhatCanBe } else { Mend::Nothing };
    let findings = database.command(async |domain| domain.check(mend).await).await?;
    for Finding { kind, what, mended } in &findings {
        let state = if *mended { "mended" } else { "not well" };
        print(&format!("{state}\t{kind}\t{what}"))?;
    }
    let open = findings.iter().filter(|finding| !finding.mended).count();
    match (findings.len(), open) {
        (0, _) => print("All is well."),
        (_, 0) => print("All is well again."),
        (_, open) if command.fix => {
            print(&format!("{open} could not be mended."))?;
            Ok(ExitCode::from(NOT_WELL))
        }
        (_, open) => {
            print(&format!("{open} not well. `sidebar check --fix` mends what can be."))?;
            Ok(ExitCode::from(NOT_WELL))
        }
    }
}

pub async fn reindex(command: ReindexCommand) -> Result<ExitCode> {
    let ReindexCommand { data, reading: options, user } = command;
    let mut database = Folder::open(&data)?.attach_database().await?;
    database.settings.reading_models = reading::models(&options)?;
    let mut told = Instant::now();
    let tell = |Reindexed { done, of, changed }| {
        if told.elapsed() >= TELLING || done == of {
            told = Instant::now();
            // Whoever closed standard error does not want to hear of it.
            let _ = writeln!(std::io::stderr(), "{done} of {of}, {changed} changed");
        }
    };
    let Reindexed { done, changed, .. } =
        database.command(async |domain| domain.reindex_at_shell(user.as_deref(), tell).await).await?;
    print(&format!(
        "{done} files, notes, conversations, pages and memories were read; {changed} had changed."
    ))
}

/// The first line of standard input.
fn line_from_stdin(what: &str) -> Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).with_context(|| format!("{what} cannot be read"))?;
    let line = text.lines().next().unwrap_or_default().to_owned();
    anyhow::ensure!(!line.is_empty(), "{what} was to come on standard input, which is empty");
    Ok(line)
}

fn print(text: &str) -> Result<ExitCode> {
    writeln!(std::io::stdout(), "{text}").context("standard output is closed")?;
    Ok(ExitCode::SUCCESS)
}
