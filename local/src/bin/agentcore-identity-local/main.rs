//! The program `agentcore-identity-local`: the local AgentCore Identity beside an agent in any language.

mod announce;
mod args;
mod setup;
mod signals;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command, Serve};
use setup::Failure;
use signals::StopSignals;

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
        let mut stop = StopSignals::listen().map_err(Failure::system("listen for signals"))?;
        let local = builder.start().await.map_err(Failure::Start)?;
        if serve.allow_remote && !serve.host.to_canonical().is_loopback() {
            tell(announce::REMOTE_CALLERS);
        }
        announce::started(&local, serve).map_err(Failure::system("write to standard output"))?;
        stop.next().await;
        tell("stopping; Ctrl-C again cuts off the calls that are under way");
        tokio::select! {
            () = local.shutdown() => tell("stopped"),
            () = stop.next() => tell("stopped at once"),
        }
        Ok(())
    })
}

/// A line on standard error, where somebody may no longer read: that is no reason to stop serving.
fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
