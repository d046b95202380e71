//! `#[tracing::instrument]` above a credential attribute runs first, and records every parameter it finds.
//!
//! A credential's own type or a `SecretString` is redacted there. Of any other type, be it an alias, it would be in the logs.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::{Pat, Type};

use crate::catalog::Spec;
use crate::diagnostics::Diagnostics;
use crate::parse::Body;
use crate::types;
use crate::validate::Parameter;

/// The variable that the expansion of `#[instrument]` keeps its span in.
const SPAN_VARIABLE: &str = "__tracing_attr_span";

/// Reports a `parameter` that may be plain text and that `#[instrument]` has put into a span's fields.
pub(crate) fn check(spec: &Spec, body: &Body, parameter: &Parameter, diagnostics: &mut Diagnostics) {
    let Pat::Ident(pat) = &parameter.pat else {
        return;
    };
    let name = pat.ident.to_string();
    if !is_redacted(&parameter.ty) && mentions(&body.tokens, SPAN_VARIABLE) && records(&body.tokens, &name) {
        diagnostics.under(
            &pat.ident,
            format_args!(
                "`#[instrument]` records this credential in a span, where only `{}` and `SecretString` are sure to be \
                 redacted: put `#[{}]` above it, or write `#[instrument(skip({name}))]`",
                spec.credential, spec.name
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

/// Whether a `span!(…)` in `tokens` has a field made from the variable `name`.
fn records(tokens: &TokenStream, name: &str) -> bool {
    let mut before = [None, None];
    tokens.clone().into_iter().any(|token| {
        let found = match &token {
            TokenTree::Group(group) => {
                (is_span_macro(&before, group) && fields(group).any(|field| takes_from(field, name)))
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

/// Whether `field` is `field = …name…`, or `?name` or `%name`.
fn takes_from(field: Vec<TokenTree>, name: &str) -> bool {
    let is = |token: &TokenTree, chars: &[char]| matches!(token, TokenTree::Punct(p) if chars.contains(&p.as_char()));
    let value = if field.first().is_some_and(|first| is(first, &['?', '%'])) {
        field.into_iter().collect()
    } else {
        field.into_iter().skip_while(|token| !is(token, &['='])).collect()
    };
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
        assert!(records(&quote!(tracing::span!("ask", %api_key)), "api_key"));
        assert!(records(&quote!(tracing::span!("ask", prompt, ?api_key)), "api_key"));
    }

    #[test]
    fn an_empty_field_of_that_name_is_not_the_parameter() {
        assert!(!records(&quote!(tracing::span!("ask", api_key = Empty, prompt = prompt)), "api_key"));
        assert!(!records(&quote!(other!("ask", api_key = api_key)), "api_key"));
    }
}
