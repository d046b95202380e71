//! Requests that are put together before they are sent: one call of a method for each option.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Expr;

use super::failed;
use super::operand::{Hold, Operand, is_place, reference, text};
use crate::catalog::Kind;
use crate::literal::{elements, literal_text, ungrouped};
use crate::validate::{Credential, Setting, Value};

/// The request for `credential` with all that does not have to be said anew for each attempt. It owns what it is made
/// from.
pub(super) fn base(credential: &Credential, private: &TokenStream, output: &TokenStream, hold: Hold) -> TokenStream {
    let at = Span::mixed_site();
    let options = &credential.options;
    let name = |name| Ident::new(name, at);
    let client = Operand::client(options.client.as_ref(), private, Hold::Briefly, name("__client"));
    let declare = client.variable.as_ref().map(super::declare);
    let client = client.value;
    let request = if credential.spec.kind == Kind::IamAccessToken {
        quote_spanned!(at=> #private::iam_access_token(#client))
    } else {
        let provider = options.provider.as_ref().map(|provider| text(provider, private));
        quote_spanned!(at=> #private::access_token(#client, #provider))
    };
    let settings = options.settings.iter();
    let settings = settings
        .filter(|setting| hold == Hold::Briefly || !is_handler(setting))
        .map(|setting| method(setting, private, output));
    let request = quote_spanned!(at=> #request #(#settings)*);
    match declare {
        Some(declare) => quote_spanned!(at=> { #declare #request }),
        None => request,
    }
}

/// The request for one of several attempts, from the one in the variable `base`. Its handler may borrow from what the
/// body changes or consumes.
pub(super) fn anew(base: &Ident, credential: &Credential, private: &TokenStream, output: &TokenStream) -> TokenStream {
    let handler = credential.options.settings.iter().filter(|setting| is_handler(setting));
    let handler = handler.map(|setting| method(setting, private, output));
    quote_spanned!(Span::mixed_site()=> ::core::clone::Clone::clone(&#base) #(#handler)*)
}

pub(super) fn is_handler(setting: &Setting) -> bool {
    matches!(setting.value, Value::Handler(_))
}

/// The call of the method that tells the request of `setting`.
fn method(setting: &Setting, private: &TokenStream, output: &TokenStream) -> TokenStream {
    let at = Span::mixed_site();
    let argument = match &setting.value {
        Value::Text(expr) => text(expr, private),
        Value::Texts(expr) | Value::Pairs(expr) if elements(expr).is_some_and(|items| items.is_empty()) => {
            // Of an empty list there is no telling what it would be a list of.
            return TokenStream::new();
        }
        Value::Texts(expr) => list(expr, |item| literal_text(item).is_some(), "list", private),
        Value::OneOrMoreTexts(expr) => match literal_text(expr) {
            Some(text) => quote_spanned!(at=> [#text]),
            None => list(expr, |item| literal_text(item).is_some(), "one_or_more", private),
        },
        Value::Pairs(expr) => list(expr, is_literal_pair, "pairs", private),
        Value::Variant { ty, variant, .. } => {
            let (ty, variant) = (Ident::new(ty, at), Ident::new(variant, at));
            quote_spanned!(at=> #private::#ty::#variant)
        }
        Value::Conversion { function, expr } => {
            let (function, expr) = (Ident::new(function, at), reference(expr));
            let failed = failed(private, output);
            quote_spanned! {at=>
                match #private::#function(#expr) {
                    ::core::result::Result::Ok(__value) => __value,
                    #failed
                }
            }
        }
        // A parameter or a field is not to be given away.
        Value::Handler(expr) if is_place(expr) && !matches!(ungrouped(expr), Expr::Reference(_)) => {
            reference(expr).to_token_stream()
        }
        Value::Handler(expr) | Value::AsIs(expr) => expr.to_token_stream(),
    };
    let option = Ident::new(setting.option, at.located_at(setting.span));
    quote_spanned!(at=> .#option(#argument))
}

/// A list that is all literals is passed on as it is; of what any other holds, `function` makes strings.
fn list(expr: &Expr, is_literal: impl Fn(&Expr) -> bool, function: &str, private: &TokenStream) -> TokenStream {
    match ungrouped(expr) {
        Expr::Array(array) if array.elems.iter().all(is_literal) => array.to_token_stream(),
        _ => {
            let at = Span::mixed_site();
            let (function, expr) = (Ident::new(function, at), reference(expr));
            quote_spanned!(at=> #private::#function(#expr))
        }
    }
}

fn is_literal_pair(item: &Expr) -> bool {
    matches!(ungrouped(item), Expr::Tuple(pair) if pair.elems.iter().all(|part| literal_text(part).is_some()))
}
