//! As many random plans around notes as wanted, by the same program that tests run with a few.

use anyhow::{Context, Result, ensure};
use clap::Args;
use std::process::Command;

#[derive(Args)]
pub struct Arguments {
    /// How many plans.
    #[arg(long, default_value_t = 200)]
    plans: u32,
    /// The seed of the first; the next ones count on from it.
    #[arg(long, default_value_t = 1)]
    seed: u32,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let status = Command::new("node")
        .arg("end2end/sync/soak.mjs")
        .args(["--plans", &arguments.plans.to_string(), "--seed", &arguments.seed.to_string()])
        .status()
        .context("node could not be started")?;
    ensure!(status.success(), "some plans failed; what they say above tells how to replay each alone");
    Ok(())
}
