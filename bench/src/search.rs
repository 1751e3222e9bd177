//! The one search: how fast it answers at a given size, and how well, by labelled questions. It asks the product's
//! own function as the role of a person, under row-level security, beside what pgvector does without it.

mod documents;
mod load;
mod quality;
mod speed;
mod synthetic;

use crate::server::Sidebar;
use anyhow::{Context, Result};
use clap::Args;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use std::io::Write;

#[derive(Args)]
pub struct Arguments {
    /// Passages of the measurement of speed; 1000000 takes its time. 0 leaves speed out.
    #[arg(long, default_value_t = 100_000)]
    passages: usize,
    /// Questions asked of each size of owner.
    #[arg(long, default_value_t = 100)]
    questions: usize,
    /// Leaves out the table in which one owner has everything.
    #[arg(long)]
    many_owners_only: bool,
    /// Leaves quality out.
    #[arg(long)]
    speed_only: bool,
    /// Tries every fusion on the half of the questions that may be looked at, and nothing else.
    #[arg(long)]
    tune: bool,
    /// Times that each is asked; the best quarter counts as what the machine can do.
    #[arg(long, default_value_t = 4)]
    rounds: usize,
}

pub async fn run(arguments: Arguments) -> Result<()> {
    if arguments.tune {
        return quality::run(true).await.map(drop);
    }
    let mut reached = true;
    if !arguments.speed_only {
        reached &= quality::run(false).await?;
    }
    if arguments.passages > 0 {
        reached &= speed::run(&arguments).await?;
    }
    anyhow::ensure!(reached, "a goal was missed");
    Ok(())
}

/// The server's own database, as the owner of the tables: it fills them, and takes on other roles to ask.
async fn database(sidebar: &Sidebar) -> Result<PgPool> {
    let options = PgConnectOptions::new_without_pgpass()
        .socket(sidebar.data.join("postgres"))
        .port(5432)
        .username("postgres")
        .database("sidebar");
    PgPoolOptions::new().max_connections(1).connect_with(options).await.context("the database is not there")
}

fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").context("standard output is closed")
}
