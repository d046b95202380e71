//! `#[tracing::instrument]` above a credential attribute runs first, and records every parameter it finds.
//!
//! A credential of a type of ours is redacted there. As plain text it would be in the logs.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::{Pat, Type};

use crate::diagnostics::Diagnostics;
use crate::parse::Body;
use crate::types;
use crate::validate::Parameter;

/// The variable that the expansion of `#[instrument]` keeps its span in.
const SPAN_VARIABLE: &str = "__tracing_attr_span";

/// Reports a plain-text `parameter` that `#[instrument]` has put into a span's fields.
pub(crate) fn check(attribute: &str, body: &Body, parameter: &Parameter, diagnostics: &mut Diagnostics) {
    let Pat::Ident(pat) = &parameter.pat else {
        return;
    };
    let name = pat.ident.to_string();
    if is_plain_text(&parameter.ty) && mentions(&body.tokens, SPAN_VARIABLE) && records(&body.tokens, &name) {
        diagnostics.under(
            &pat.ident,
            format_args!(
                "`#[instrument]` records this credential in a span, as plain text: put `#[{attribute}]` above it, or \
                 write `#[instrument(skip({name}))]`"
            ),
        );
    }
}

fn is_plain_text(ty: &Type) -> bool {
    match types::bare(ty) {
        Type::Reference(reference) => is_plain_text(&reference.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "str" || last.ident == "String"),
        _ => false,
    }
}

/// Whether a `span!(…)` in `tokens` has a field made from the variable `name`.
fn records(tokens: &TokenStream, name: &str) -> bool {
    let mut before = [None, None];
    tokens.clone().into_iter().any(|token| {
        let found = match &token {
            TokenTree::Group(group) => {
                (is_span_macro(&before, group) && fields(group).any(|field| assigns_from(field, name)))
                    || records(&group.stream(), name)
            }
            _ => false,
        };
        before = [before[1].take(), Some(token)];
        found
    })
}

fn is_span_macro(before: &[Option<TokenTree>; 2], group: &Group) -> bool {
    group.delimiter() == Delimiter::Parenthesis
        && matches!(before, [Some(TokenTree::Ident(name)), Some(TokenTree::Punct(bang))]
            if name == "span" && bang.as_char() == '!')
}

fn fields(group: &Group) -> impl Iterator<Item = Vec<TokenTree>> {
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    let comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    tokens.split(comma).map(<[TokenTree]>::to_vec).collect::<Vec<_>>().into_iter()
}

fn assigns_from(field: Vec<TokenTree>, name: &str) -> bool {
    let value = field
        .into_iter()
        .skip_while(|token| !matches!(token, TokenTree::Punct(punct) if punct.as_char() == '='))
        .collect();
    mentions(&value, name)
}

fn mentions(tokens: &TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn a_field_from_the_parameter_is_found_wherever_it_is() {
        let body = quote! {
            { let __tracing_attr_span = ::tracing::span!(target: "t", LEVEL, "ask", prompt = prompt, api_key = debug(&api_key)); }
        };
        assert!(records(&body, "api_key"));
        assert!(!records(&body, "key"));
    }

    #[test]
    fn an_empty_field_of_that_name_is_not_the_parameter() {
        assert!(!records(&quote!(tracing::span!("ask", api_key = Empty, prompt = prompt)), "api_key"));
        assert!(!records(&quote!(other!("ask", api_key = api_key)), "api_key"));
    }
}
