//! The real program, as a child process.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

/// A program that was told to serve, and has announced itself. Dropping it kills it.
pub(crate) struct Program {
    child: Child,
    /// What it printed on standard output.
    pub(crate) announcement: String,
}

/// The program with nothing of this process's environment that it or an AWS SDK would read.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_agentcore-identity-local"));
    command.args(arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Program {
    pub(crate) fn serve(arguments: &[&str]) -> Self {
        Self::start(command(&[&["serve", "--port", "0"], arguments].concat()))
    }

    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut announcement = String::new();
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap());
        while !announcement.contains("# Ctrl-C stops it") {
            let is_up = lines.read_line(&mut announcement).unwrap() > 0;
            assert!(is_up, "the program ended: {}", error_text(&mut child.stderr));
        }
        Self { child, announcement }
    }

    /// `SIGKILL`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal by its name.
    pub(crate) fn send(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    }

    /// Waits until standard error has a line with this text, behind which nothing is written yet.
    pub(crate) fn says(&mut self, text: &str) {
        let mut error = String::new();
        let mut lines = BufReader::new(self.child.stderr.as_mut().unwrap());
        while !error.contains(text) {
            assert!(lines.read_line(&mut error).unwrap() > 0, "the program ended without {text:?}: {error}");
        }
    }

    /// Sends a signal by its name, and gives the exit status and standard error, as far as it was left to this process.
    pub(crate) fn signal(mut self, signal: &str) -> (ExitStatus, String) {
        self.send(signal);
        let error = error_text(&mut self.child.stderr);
        (self.child.wait().unwrap(), error)
    }
}

fn error_text(stderr: &mut Option<ChildStderr>) -> String {
    let mut error = String::new();
    if let Some(mut stderr) = stderr.take() {
        stderr.read_to_string(&mut error).unwrap();
    }
    error
}

impl Drop for Program {
    fn drop(&mut self) {
        // Already ended is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Exit code and standard error of a program that is not to start.
pub(crate) fn failure(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.stdout.is_empty(), "nothing may be announced: {error}");
    (output.status.code().unwrap(), error)
}
