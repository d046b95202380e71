//! The program `agentcore-identity-local`: the local AgentCore Identity beside an agent in any language.

mod announce;
mod args;
mod setup;

use std::io;
use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command, Serve};
use setup::Failure;

fn main() -> ExitCode {
    let Cli { command: Command::Serve(serve) } = Cli::parse();
    match run(&serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.exit_code()
        }
    }
}

fn run(serve: &Serve) -> Result<(), Failure> {
    tracing_subscriber::fmt().with_writer(io::stderr).with_max_level(serve.log).with_target(false).init();
    let builder = setup::builder(serve)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::System)?;
    runtime.block_on(async {
        // Listened for before anything is announced, so that whoever reads the announcement can stop the program.
        let stop = stop_signal().map_err(Failure::System)?;
        let local = builder.start().await.map_err(Failure::Start)?;
        if serve.allow_remote {
            announce::warn_of_remote_callers();
        }
        announce::started(&local, serve).map_err(Failure::System)?;
        stop.await;
        local.shutdown().await;
        eprintln!("stopped");
        Ok(())
    })
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
