//! Every route in one process, and the command line: serve, check, quickstart, import, openapi.

mod commands;
mod compose;
mod reload;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Registers trading strategies, backtests them and executes them.
#[derive(Parser)]
#[command(name = "server", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve every route (the default).
    Serve,
    /// Look at strategy files without storing them: mistakes, parameters, warm-up, size.
    Check(commands::check::Options),
    /// Make bars, backtest a strategy on them, and write the report.
    Quickstart(commands::quickstart::Options),
    /// Read files of bars into the store.
    Import(commands::import::Options),
    /// Print the OpenAPI document.
    Openapi,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(CommandLine::parse().command.unwrap_or(Command::Serve)).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Check(options) => return commands::check::run(&options),
        Command::Serve => commands::serve::run().await,
        Command::Quickstart(options) => commands::quickstart::run(options).await,
        Command::Import(options) => commands::import::run(options).await,
        Command::Openapi => commands::openapi::run(),
    }
    .map(|()| ExitCode::SUCCESS)
}
