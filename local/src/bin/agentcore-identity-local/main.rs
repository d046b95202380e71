//! The program `agentcore-identity-local`: the local AgentCore Identity beside an agent in any language.

mod announce;
mod args;
mod setup;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command, Serve};
use setup::Failure;

fn main() -> ExitCode {
    let Cli { command: Command::Serve(serve) } = Cli::parse();
    match run(&serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&format!("error: {failure}"));
            failure.exit_code()
        }
    }
}

fn run(serve: &Serve) -> Result<(), Failure> {
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(serve.log)
        .with_target(false)
        // It would report on standard error that standard error is closed, and panic in the middle of a call.
        .log_internal_errors(false)
        .init();
    let builder = setup::builder(serve)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::system("start its threads"))?;
    runtime.block_on(async {
        // Listened for before anything is announced, so that whoever reads the announcement can stop the program.
        let stop = stop_signal().map_err(Failure::system("listen for signals"))?;
        let local = builder.start().await.map_err(Failure::Start)?;
        if serve.allow_remote {
            tell(announce::REMOTE_CALLERS);
        }
        announce::started(&local, serve).map_err(Failure::system("write to standard output"))?;
        stop.await;
        local.shutdown().await;
        tell("stopped");
        Ok(())
    })
}

/// A line on standard error, where somebody may no longer read: that is no reason to stop serving.
fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// A future that ends with Ctrl-C or a request to terminate.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "Ctrl-C cannot be listened for");
        }
    })
}
