//! `retry_if`: the body in a loop that runs it once more with renewed credentials.
//!
//! The body is in the expansion once, inside an `async` block, so that `return` and `?` end an attempt. Each attempt
//! gets its own parameters: references as they are, everything else cloned.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, FnArg, Pat, PatIdent, PatType, ReceiverKind, Signature, Token, Type};

use super::fetch::Fetch;
use super::operand::Variable;
use super::renewed;
use super::{await_all, declare, nested, original, pair, plain_name};
use crate::parse::Body;
use crate::tokens::variables;
use crate::types;
use crate::validate::{Options, Value};

/// A parameter that each attempt gets anew.
struct Argument {
    /// The statement that makes the attempt's own value, called `hidden`, from the parameter.
    supply: TokenStream,
    /// The statement that binds it, inside of the attempt, as the user's pattern says.
    bind: TokenStream,
    /// The same without `hidden` between, if options have names that the signature no longer has.
    expose: TokenStream,
}

pub(super) fn twice(fetches: &[Fetch<'_>], output: &TokenStream, sig: &mut Signature, body: &Body) -> TokenStream {
    let at = Span::mixed_site();
    let private = fetches[0].private();
    let arguments = arguments(private, fetches, sig);
    let (supply, bind): (Vec<_>, Vec<_>) = arguments.iter().map(|a| (&a.supply, &a.bind)).unzip();
    let receiver = Receiver::of(private, output, sig);
    let Receiver { keep, capture, restore } = &receiver;

    let with_names = |value: TokenStream| {
        if arguments.iter().all(|argument| argument.expose.is_empty()) {
            return value;
        }
        let expose = arguments.iter().map(|argument| &argument.expose);
        quote_spanned!(at=> { #(#expose)* #value })
    };
    let with_names_for_handlers = |fetches: &[Fetch<'_>], value: TokenStream| {
        if fetches.iter().any(Fetch::asks_with_a_handler) { with_names(value) } else { value }
    };
    let prepare = fetches.iter().flat_map(|fetch| &fetch.prepare).map(|Variable { name, ty, value }| {
        declare(&Variable { name: name.clone(), ty: ty.clone(), value: with_names(value.clone()) })
    });
    let variables = fetches.iter().map(|Fetch { variable, renew, .. }| {
        let mutable = renew.as_ref().map(|_| Token![mut](at));
        quote_spanned!(at=> #mutable #variable)
    });
    let variables = nested(variables, pair);
    let answer = with_names_for_handlers(fetches, await_all(fetches, output));
    let renewals = fetches.iter().filter_map(|fetch| {
        let Fetch { variable, renew, credential, .. } = fetch;
        let private = fetch.private();
        let retry_if = credential.options.retry_if.as_ref()?;
        let wants_retry = with_names(quote_spanned!(at=> #private::wants_retry(&__error, #retry_if)));
        let renewed = with_names_for_handlers(std::slice::from_ref(fetch), quote_spanned!(at=> #renew.await));
        Some(quote_spanned! {at=>
            if #wants_retry {
                if let ::core::option::Option::Some(__fresh) = #renewed {
                    #variable = __fresh;
                    __again = true;
                }
            }
        })
    });
    // The attempt owns what it borrows from: that it may not borrow longer is then an error where the user does.
    let owned = fetches.iter().filter(|fetch| !types::owned_credential(&fetch.credential.parameter.ty));
    let owned = owned
        .map(|Fetch { variable, .. }| quote_spanned!(at=> let #variable = ::core::clone::Clone::clone(&#variable);));
    let credentials = fetches.iter().map(|fetch| fetch.bind(&fetch.receive()));
    let (renewed, body) = renewed::shared(body);
    let body = original(&body);
    // An `async` block has no return type to write down: the branch that is never taken tells it.
    quote_spanned! {at=>
        #(#prepare)*
        let #variables = #answer;
        let #renewed = &::core::sync::atomic::AtomicBool::new(false);
        #keep
        loop {
            #(#supply)*
            let __attempt = async {
                if false {
                    #capture
                    return ::core::option::Option::<#output>::unwrap(::core::option::Option::None);
                }
                #(#bind)*
                #(#owned)*
                #(#credentials)*
                #body
            };
            let __error = match #private::outcome::<#output, _>(__attempt.await) {
                ::core::result::Result::Ok(__value) => return __value,
                ::core::result::Result::Err(__error) => __error,
            };
            if #renewed.load(::core::sync::atomic::Ordering::Relaxed) {
                return #private::own_failure::<#output, _>(__error);
            }
            #restore
            let mut __again = false;
            #(#renewals)*
            if !__again {
                return #private::own_failure::<#output, _>(__error);
            }
            #renewed.store(true, ::core::sync::atomic::Ordering::Relaxed);
        }
    }
}

fn arguments(private: &TokenStream, fetches: &[Fetch<'_>], sig: &mut Signature) -> Vec<Argument> {
    let options = fetches.iter().flat_map(|fetch| expressions(&fetch.credential.options));
    let in_options: Vec<String> = options.flat_map(|expr| variables(expr.to_token_stream())).collect();
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

fn expressions(options: &Options) -> impl Iterator<Item = &Expr> {
    let settings = options.settings.iter().filter_map(|setting| match &setting.value {
        Value::Text(expr)
        | Value::Texts(expr)
        | Value::OneOrMoreTexts(expr)
        | Value::Pairs(expr)
        | Value::Conversion { expr, .. }
        | Value::Handler(expr)
        | Value::AsIs(expr) => Some(expr),
        Value::Variant { .. } => None,
    });
    [&options.provider, &options.client, &options.retry_if].into_iter().flatten().chain(settings)
}

impl Argument {
    /// Moves the parameter's pattern and attributes into the attempt. The body need not use what is `in_options`.
    fn take(private: &TokenStream, index: usize, typed: &mut PatType, in_options: &[String]) -> Self {
        let at = Span::mixed_site();
        let located = at.located_at(typed.pat.span());
        let hidden = format_ident!("__argument_{index}", span = at);
        let pat = (*typed.pat).clone();
        let is_plain = plain_name(&pat);
        let outer = match &pat {
            Pat::Ident(pat) if is_plain => pat.ident.clone(),
            _ => format_ident!("__parameter_{index}", span = located),
        };
        let value = match types::bare(&typed.ty) {
            Type::Reference(reference) if reference.mutability.is_some() => quote_spanned!(located=> &mut *#outer),
            Type::Reference(_) => outer.to_token_stream(),
            _ => cloned(private, &outer, typed.pat.span()),
        };
        let is_in_options = variables(pat.to_token_stream()).iter().any(|name| in_options.contains(name));
        let spared = is_in_options.then(|| quote_spanned!(at=> #[allow(unused_variables)]));
        *typed.pat =
            Pat::Ident(PatIdent { attrs: Vec::new(), by_ref: None, mutability: None, ident: outer, subpat: None });
        let attrs = std::mem::take(&mut typed.attrs);
        typed.attrs.extend(attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned());
        let cfgs = &typed.attrs;
        Self {
            supply: quote_spanned! {at=>
                #(#cfgs)*
                #[allow(clippy::used_underscore_binding)]
                let #hidden = #private::supplied(#value);
            },
            bind: quote_spanned! {at=>
                #[allow(clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated)]
                #(#attrs)*
                #spared
                let #pat = #hidden.take();
            },
            expose: if is_plain || !is_in_options {
                TokenStream::new()
            } else {
                quote_spanned!(at=> #(#cfgs)* #[allow(unused_variables, unused_mut)] let #pat = #value;)
            },
        }
    }
}

/// A clone of `place`. That it cannot be cloned is an error at `span`.
fn cloned(private: &TokenStream, place: &impl ToTokens, span: Span) -> TokenStream {
    let at = Span::mixed_site();
    let borrowed = quote_spanned!(span=> &#place);
    // The error is under the second argument, whose type lacks the trait.
    let attempt = quote_spanned!(at=> #private::attempt).into_iter().map(|mut token| {
        token.set_span(token.span().located_at(span));
        token
    });
    quote_spanned!(at=> #private::clone_for_attempt(#borrowed, #(#attempt)*))
}

/// What a second attempt does about `self`, which cannot be bound anew.
#[derive(Default)]
struct Receiver {
    /// Before the first attempt.
    keep: TokenStream,
    /// In the branch of the attempt that is never taken. It says how the `async` block captures `self`: as the
    /// function does, by value or as `&mut`. Left to itself it may capture `&self`, and be `Send` only if that is.
    capture: TokenStream,
    /// Before the options are evaluated again, for the second attempt.
    restore: TokenStream,
}

impl Receiver {
    fn of(private: &TokenStream, output: &TokenStream, sig: &mut Signature) -> Self {
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
            Some(true) => Self { capture: quote_spanned!(at=> let __this = &mut *#this;), ..Self::default() },
            None => {
                receiver.mutability.get_or_insert(Token![mut](this.span));
                let again = cloned(private, &this, this.span);
                Self {
                    keep: quote_spanned!(at=> let mut __kept = ::core::option::Option::Some(#again);),
                    // Of what is `Copy`, a use by value alone would capture a reference.
                    capture: quote_spanned!(at=> let __this = &mut #this; let __this = #this;),
                    restore: quote_spanned! {at=>
                        #this = match ::core::option::Option::take(&mut __kept) {
                            ::core::option::Option::Some(__kept) => __kept,
                            ::core::option::Option::None => return #private::own_failure::<#output, _>(__error),
                        };
                    },
                }
            }
        }
    }
}
