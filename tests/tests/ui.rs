//! What compiles, what does not, and what the compiler then says.
//!
//! The texts in `ui/fail/*.stderr` are those of the toolchain that `rust-toolchain.toml` pins. After a change of it, or
//! of a message, write them anew with `TRYBUILD=overwrite cargo test -p agentcore-identity-tests --test ui` and read
//! every line of the difference.

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.compile_fail("ui/fail/*.rs");
}
