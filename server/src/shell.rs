//! What the owner of a server does at its shell, also while it runs.

use crate::data::Folder;
use crate::options::{KeyCommand, ProviderCommand, UserCommand};
use anyhow::{Context, Result};
use shared::account::{CreateApiKey, CreateUser};
use shared::provider::CreateProvider;
use std::io::{Read, Write};
use std::process::ExitCode;

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
