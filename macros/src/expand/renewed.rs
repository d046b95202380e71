//! What the loops of several attributes for `retry_if` share: whether there has been a second attempt.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};

use crate::parse::Body;
use crate::tokens::has_ident;
use crate::types;

/// What [`shared`] knows the variable by.
const RENEWED: &str = "__agentcore_identity_renewed";

/// The variable that says whether a second attempt has been made, and the body.
///
/// Attributes above this one that do not know it have put their loops into the body; one variable counts for them all.
/// It is an atomic, to be shared even if `#[instrument]` has moved the inner loop into a future of its own.
pub(super) fn shared(body: &Body) -> (Ident, Body) {
    let mut shared = None;
    let tokens = without_declaration(body.tokens.clone(), &mut shared);
    let renewed = shared.unwrap_or_else(|| Ident::new(RENEWED, Span::mixed_site()));
    (renewed, Body { tokens, ..body.clone() })
}

/// Takes the first `let` of [`RENEWED`] out of `tokens`.
fn without_declaration(tokens: TokenStream, declared: &mut Option<Ident>) -> TokenStream {
    let mut rest = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match (&token, tokens.peek()) {
            (TokenTree::Ident(keyword), Some(TokenTree::Ident(name))) if keyword == "let" && name == RENEWED => {
                *declared = Some(name.clone());
                tokens.find(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';'));
                break;
            }
            (TokenTree::Group(group), _) if has_ident(&group.stream(), RENEWED) => {
                rest.extend([types::regroup(group, without_declaration(group.stream(), declared))]);
                break;
            }
            _ => rest.extend([token]),
        }
    }
    rest.extend(tokens);
    rest
}
