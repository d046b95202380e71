//! `#[tracing::instrument]` above a credential attribute runs first, and records every parameter it finds.
//!
//! A credential's own type or a `SecretString` is redacted there. Any other type, be it an alias, would be in the logs.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::{Pat, Type};

use crate::catalog::Spec;
use crate::diagnostics::Diagnostics;
use crate::parse::Body;
use crate::tokens;
use crate::types;
use crate::validate::Parameter;

/// The variable that the expansion of `#[instrument]` keeps its span in.
const SPAN_VARIABLE: &str = "__tracing_attr_span";

/// Reports a `parameter` that may be plain text and that `#[instrument]` has put into a span's fields.
pub(crate) fn check(spec: &Spec, body: &Body, parameter: &Parameter, diagnostics: &mut Diagnostics) {
    let Pat::Ident(pat) = &parameter.pat else {
        return;
    };
    let name = &pat.ident;
    if is_redacted(&parameter.ty) || !tokens::has_ident(&body.tokens, SPAN_VARIABLE) {
        return;
    }
    let Some(field) = recorded(&body.tokens, name) else {
        return;
    };
    let credential = spec.credential;
    if matches!(field.first(), Some(TokenTree::Ident(first)) if first == name) {
        diagnostics.under(
            name,
            format_args!(
                "`#[instrument]` records this credential in a span, where only `{credential}` and `SecretString` are \
                 sure to be redacted: put `#[{}]` above it, or write `#[instrument(skip({name}))]`",
                spec.name
            ),
        );
    } else {
        diagnostics.under(
            name,
            format_args!(
                "`#[instrument]` records in a span what `fields(…)` makes from this credential: take it out of \
                 `fields(…)`, or record what is no secret from the body, with `Span::current().record(…)`"
            ),
        );
    }
}

fn is_redacted(ty: &Type) -> bool {
    match types::bare(ty) {
        Type::Reference(reference) => is_redacted(&reference.elem),
        ty => types::redacted_credential(ty),
    }
}

/// The field of a `span!(…)` in `tokens` that is made from the variable `name`.
fn recorded(tokens: &TokenStream, name: &Ident) -> Option<Vec<TokenTree>> {
    let mut before = [None, None];
    tokens.clone().into_iter().find_map(|token| {
        let found = match &token {
            TokenTree::Group(group) => is_span_macro(&before, group)
                .then(|| fields(group).find(|field| takes_from(field, name)))
                .flatten()
                .or_else(|| recorded(&group.stream(), name)),
            _ => None,
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

/// Whether `field` is `field = …name…`, or `?name` or `%name`.
fn takes_from(field: &[TokenTree], name: &Ident) -> bool {
    let is = |token: &TokenTree, chars: &[char]| matches!(token, TokenTree::Punct(p) if chars.contains(&p.as_char()));
    let is_short = field.first().is_some_and(|first| is(first, &['?', '%']));
    let value = field.iter().skip_while(|token| !is_short && !is(token, &['='])).cloned();
    tokens::has_variable(value.collect(), name)
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;
    use quote::quote;

    use super::*;

    fn records(tokens: &TokenStream, name: &str) -> bool {
        recorded(tokens, &Ident::new(name, Span::call_site())).is_some()
    }

    #[test]
    fn a_field_from_the_parameter_is_found_wherever_it_is() {
        let body = quote! {
            { let __tracing_attr_span = ::tracing::span!(target: "t", LEVEL, "ask", prompt = prompt, api_key = debug(&api_key)); }
        };
        assert!(records(&body, "api_key"));
        assert!(!records(&body, "key"));
        for span in [
            quote!(tracing::span!("ask", %api_key)),
            quote!(tracing::span!("ask", prompt, ?api_key)),
            quote!(tracing::span!("ask", auth = format!("Bearer {api_key}"))),
            quote!(tracing::span!("ask", auth = format!("Bearer {api_key:?}"))),
        ] {
            assert!(records(&span, "api_key"), "{span}");
        }
    }

    #[test]
    fn an_empty_field_of_that_name_is_not_the_parameter() {
        for span in [
            quote!(tracing::span!("ask", api_key = Empty, prompt = prompt)),
            quote!(other!("ask", api_key = api_key)),
            quote!(tracing::span!("ask", what = "the api_key", whose = settings.api_key)),
        ] {
            assert!(!records(&span, "api_key"), "{span}");
        }
    }
}
