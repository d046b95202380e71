//! OAuth2 access tokens, from the annotated function over the AWS SDK's client to the local service, its pages and
//! back.

mod binding;
mod consent;
mod faults;
mod iam;
mod next_hop;
mod one_call;
mod renewal;
mod security;
mod stacked;
