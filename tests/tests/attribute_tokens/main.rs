//! The attributes for tokens, and several credential attributes on one function: what they send, and what comes of it.

mod forms;
mod options;
mod retry;
mod stacked;

fn assert_send<T: Send>(value: T) -> T {
    value
}
