//! `retry_if`: the body in a loop that runs it once more with a renewed credential.
//!
//! The body is in the expansion once, inside an `async` block, so that `return` and `?` end an attempt. Each attempt
//! gets its own parameters: references as they are, everything else cloned.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, FnArg, Pat, PatIdent, PatType, ReceiverKind, Signature, Token, Type};

use crate::expand::{Expansion, original, plain_name};
use crate::parse::Body;
use crate::types;
use crate::validate::literal_text;

/// A parameter that each attempt gets anew.
struct Argument {
    /// The statement that makes the attempt's own value, called `hidden`, from the parameter.
    supply: TokenStream,
    /// The statement that binds it, inside of the attempt, as the user's pattern says.
    bind: TokenStream,
    /// The same without `hidden` between, if the signature no longer has the user's names.
    expose: TokenStream,
}

pub(crate) fn twice(expansion: &Expansion<'_>, retry_if: &Expr, sig: &mut Signature, body: &Body) -> TokenStream {
    let at = Span::mixed_site();
    let private = &expansion.private;
    let arguments = arguments(expansion, retry_if, sig);
    let (supply, bind): (Vec<_>, Vec<_>) = arguments.iter().map(|a| (&a.supply, &a.bind)).unzip();
    let receiver = Receiver::of(private, sig);
    let Receiver { keep, capture, restore } = &receiver;

    let with_names = |expr: Option<&Expr>, tokens: TokenStream| match expr {
        Some(expr) if literal_text(expr).is_none() && arguments.iter().any(|a| !a.expose.is_empty()) => {
            let expose = arguments.iter().map(|argument| &argument.expose);
            quote_spanned!(at=> { #(#expose)* #tokens })
        }
        _ => tokens,
    };
    let client = with_names(expansion.options.client.as_ref(), expansion.client());
    let provider = expansion.provider();
    let provider = with_names(
        expansion.options.provider.as_ref(),
        quote_spanned!(at=> ::std::borrow::ToOwned::to_owned(#private::provider(#provider))),
    );
    let wants_retry = with_names(Some(retry_if), quote_spanned!(at=> #private::wants_retry(&error, #retry_if)));
    let same_client = quote_spanned!(at=> ::core::clone::Clone::clone(&client));
    let fetch = expansion.fetch(&same_client, &quote_spanned!(at=> &provider));
    let (credential, output) = (expansion.bind(), &expansion.output);
    let body = original(body);
    // An `async` block has no return type to write down: the branch that is never taken tells it.
    quote_spanned! {at=>
        let client = #client;
        let provider = #provider;
        let mut credential = #fetch;
        let mut renewed = false;
        #keep
        loop {
            #(#supply)*
            let attempt = async {
                if false {
                    #capture
                    return ::core::option::Option::<#output>::unwrap(::core::option::Option::None);
                }
                #(#bind)*
                #credential
                #body
            };
            let error = match attempt.await {
                ::core::result::Result::Ok(value) => return ::core::result::Result::Ok(value),
                ::core::result::Result::Err(error) => error,
            };
            let again = !renewed && #wants_retry;
            if !again {
                return ::core::result::Result::Err(error);
            }
            match #private::renew_api_key(#same_client, &provider, &credential).await {
                ::core::option::Option::Some(fresh) => credential = fresh,
                ::core::option::Option::None => return ::core::result::Result::Err(error),
            }
            renewed = true;
            #restore
        }
    }
}

fn arguments(expansion: &Expansion<'_>, retry_if: &Expr, sig: &mut Signature) -> Vec<Argument> {
    let private = &expansion.private;
    let options = expansion.options;
    let in_options: Vec<Ident> = [&options.provider, &options.client]
        .into_iter()
        .flatten()
        .chain([retry_if])
        .flat_map(|expr| names(expr.to_token_stream()))
        .collect();
    let typed = sig.inputs.iter_mut().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    typed
        .enumerate()
        .filter(|(_, typed)| !matches!(*typed.pat, Pat::Wild(_)))
        .map(|(index, typed)| Argument::take(private, index, typed, &in_options))
        .collect()
}

impl Argument {
    /// Moves the parameter's pattern and attributes into the attempt. The body need not use what is `in_options`.
    fn take(private: &TokenStream, index: usize, typed: &mut PatType, in_options: &[Ident]) -> Self {
        let at = Span::mixed_site();
        let located = at.located_at(typed.pat.span());
        let hidden = format_ident!("argument_{index}", span = at);
        let pat = (*typed.pat).clone();
        let is_plain = plain_name(&pat);
        let outer = match &pat {
            Pat::Ident(pat) if is_plain => pat.ident.clone(),
            _ => format_ident!("parameter_{index}", span = located),
        };
        let value = match types::bare(&typed.ty) {
            Type::Reference(reference) if reference.mutability.is_some() => quote_spanned!(located=> &mut *#outer),
            Type::Reference(_) => outer.to_token_stream(),
            _ => cloned(private, &outer, typed.pat.span()),
        };
        let spared = names(pat.to_token_stream())
            .iter()
            .any(|name| in_options.contains(name))
            .then(|| quote_spanned!(at=> #[allow(unused_variables)]));
        *typed.pat =
            Pat::Ident(PatIdent { attrs: Vec::new(), by_ref: None, mutability: None, ident: outer, subpat: None });
        let attrs = std::mem::take(&mut typed.attrs);
        typed.attrs.extend(attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned());
        let cfgs = &typed.attrs;
        Self {
            supply: quote_spanned!(at=> #(#cfgs)* let #hidden = #value;),
            bind: quote_spanned! {at=>
                #[allow(clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated)]
                #(#attrs)*
                #spared
                let #pat = #hidden;
            },
            expose: if is_plain {
                TokenStream::new()
            } else {
                quote_spanned!(at=> #(#cfgs)* #[allow(unused_variables, unused_mut)] let #pat = #value;)
            },
        }
    }
}

/// A clone of `place`. That it cannot be cloned is an error at `span`.
fn cloned(private: &TokenStream, place: &impl ToTokens, span: Span) -> TokenStream {
    let borrowed = quote_spanned!(span=> &#place);
    quote_spanned!(Span::mixed_site()=> #private::clone_for_attempt(#borrowed))
}

/// The identifiers in `tokens`.
fn names(tokens: TokenStream) -> Vec<Ident> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(ident) => vec![ident],
            TokenTree::Group(group) => names(group.stream()),
            _ => Vec::new(),
        })
        .collect()
}

/// What a second attempt does about `self`, which cannot be bound anew.
#[derive(Default)]
struct Receiver {
    /// Before the first attempt.
    keep: TokenStream,
    /// In the branch of the attempt that is never taken. It says how the `async` block captures `self`: as the
    /// function does, by value or as `&mut`. Left to itself it may capture `&self`, and be `Send` only if that is.
    capture: TokenStream,
    /// Before the second attempt.
    restore: TokenStream,
}

impl Receiver {
    fn of(private: &TokenStream, sig: &mut Signature) -> Self {
        let Some(FnArg::Receiver(receiver)) = sig.inputs.first_mut() else {
            return Self::default();
        };
        let at = Span::mixed_site();
        let this = receiver.self_token;
        let mutable = match &receiver.kind {
            ReceiverKind::Reference(_, _, mutability) => Some(mutability.is_some()),
            ReceiverKind::Typed(_, ty) => match types::bare(ty) {
                Type::Reference(reference) => Some(reference.mutability.is_some()),
                _ => None,
            },
            _ => None,
        };
        match mutable {
            Some(false) => Self::default(),
            Some(true) => Self { capture: quote_spanned!(at=> let _this = &mut *#this;), ..Self::default() },
            None => {
                receiver.mutability.get_or_insert(Token![mut](this.span));
                let again = cloned(private, &this, this.span);
                Self {
                    keep: quote_spanned!(at=> let mut kept = ::core::option::Option::Some(#again);),
                    capture: quote_spanned!(at=> let _this = #this;),
                    restore: quote_spanned! {at=>
                        #this = match ::core::option::Option::take(&mut kept) {
                            ::core::option::Option::Some(kept) => kept,
                            ::core::option::Option::None => return ::core::result::Result::Err(error),
                        };
                    },
                }
            }
        }
    }
}
