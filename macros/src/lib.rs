//! The attributes of `agentcore-identity`, which re-exports them: depend on that crate, not on this one.
//!
//! An attribute takes over those like it below (`stack`). Together they are parsed (`parse`), checked (`validate`) and
//! expanded (`expand`), and every mistake found on the way is reported together with the others. What an expansion
//! calls is in the hidden module `__private` of `agentcore-identity`, where the work is done.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

mod borrow;
mod catalog;
mod diagnostics;
mod docs;
mod expand;
mod instrument;
mod limits;
mod literal;
mod parse;
mod source;
mod stack;
mod suggest;
#[cfg(test)]
mod tests;
mod tokens;
mod types;
mod validate;

use catalog::Spec;
use diagnostics::Diagnostics;
use parse::Item;

// A test that is documentation, because of those each may be of its own edition.
#[cfg(doctest)]
#[doc = include_str!("tests/edition_2021.md")]
struct Edition2021;

#[doc = include_str!("../doc/requires_api_key.md")]
#[proc_macro_attribute]
pub fn requires_api_key(arguments: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    attribute(catalog::API_KEY, arguments.into(), item.into()).into()
}

#[doc = include_str!("../doc/requires_access_token.md")]
#[proc_macro_attribute]
pub fn requires_access_token(
    arguments: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    attribute(catalog::ACCESS_TOKEN, arguments.into(), item.into()).into()
}

#[doc = include_str!("../doc/requires_iam_access_token.md")]
#[proc_macro_attribute]
pub fn requires_iam_access_token(
    arguments: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    attribute(catalog::IAM_ACCESS_TOKEN, arguments.into(), item.into()).into()
}

#[doc = include_str!("../doc/requires_workload_token.md")]
#[proc_macro_attribute]
pub fn requires_workload_token(
    arguments: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    attribute(catalog::WORKLOAD_TOKEN, arguments.into(), item.into()).into()
}

fn attribute(spec: &'static Spec, arguments: TokenStream, item: TokenStream) -> TokenStream {
    if stack::is_mention(&arguments, &item) {
        return TokenStream::new();
    }
    let mut diagnostics = Diagnostics::default();
    let mut function = match syn::parse2(item.clone()) {
        Ok(Item::Function(function)) => *function,
        Ok(Item::Other { keyword, kind }) => {
            let inside = match kind.as_str() {
                "impl" => ": put it on the methods inside",
                "trait" => ": put it on the methods that have a body",
                _ => "",
            };
            let name = spec.name;
            diagnostics.at(keyword, format_args!("`#[{name}]` goes on an `async fn`, not on `{kind}`{inside}"));
            return with_errors(item, diagnostics);
        }
        Err(error) => {
            diagnostics.push(error);
            return with_errors(item, diagnostics);
        }
    };
    let requirements = stack::requirements(spec, arguments, &mut function.attrs);
    let mentions = stack::mentions(&requirements);
    let credentials = validate::credentials(&requirements, &mut function, &mut diagnostics);
    match diagnostics.into_compile_errors() {
        None => expand::function(&credentials, function, &mentions),
        errors => {
            let function = expand::fallback(&credentials, &function, &mentions);
            quote!(#function #errors)
        }
    }
}

fn with_errors(item: impl ToTokens, diagnostics: Diagnostics) -> TokenStream {
    let errors = diagnostics.into_compile_errors();
    quote!(#item #errors)
}
