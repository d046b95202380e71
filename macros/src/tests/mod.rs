//! Expansions, as tokens: what the themes share.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use crate::{attribute, catalog};

mod borrowing;
mod docs;
mod expansion;
mod mistakes;
mod retry;
mod stacked;
mod tokens;

fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    attribute(catalog::API_KEY, arguments, item)
}

fn expand_token(arguments: TokenStream, item: TokenStream) -> TokenStream {
    attribute(catalog::ACCESS_TOKEN, arguments, item)
}

fn expand_iam(arguments: TokenStream, item: TokenStream) -> TokenStream {
    attribute(catalog::IAM_ACCESS_TOKEN, arguments, item)
}

#[track_caller]
fn assert_expands(arguments: TokenStream, item: TokenStream, expected: &TokenStream) {
    assert_eq!(unspaced(&expand(arguments, item)), unspaced(expected));
}

/// The text of `tokens` without the spaces, which depend on how the tokens came together.
fn unspaced(tokens: &TokenStream) -> String {
    tokens.to_string().split_whitespace().collect()
}

/// The texts of the `compile_error!`s in `tokens`.
fn errors(tokens: TokenStream) -> Vec<String> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    tokens
        .windows(3)
        .filter_map(|window| match window {
            [TokenTree::Ident(name), TokenTree::Punct(_), TokenTree::Group(text)] if name == "compile_error" => {
                Some(syn::parse2::<syn::LitStr>(text.stream()).unwrap().value())
            }
            _ => None,
        })
        .collect()
}

#[track_caller]
fn assert_error(arguments: TokenStream, item: TokenStream, starts: &str) {
    assert_only_error(expand(arguments, item), starts);
}

#[track_caller]
fn assert_only_error(expanded: TokenStream, starts: &str) {
    let errors = errors(expanded);
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(errors[0].starts_with(starts), "{}", errors[0]);
}

fn ask() -> TokenStream {
    quote! {
        async fn ask(prompt: &str, api_key: ApiKey) -> Result<String, Error> { call(prompt, api_key); }
    }
}

fn documentation(credential: &str) -> TokenStream {
    quote! {
        #[doc = ""]
        #[doc = "# Credentials"]
        #[doc = ""]
        #[doc = #credential]
    }
}
