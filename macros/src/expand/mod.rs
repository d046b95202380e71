//! From what is meant to tokens: the function, with a prelude that fetches its credentials before its body.
//!
//! Names that the prelude introduces have mixed-site hygiene: the user's code cannot see them. They begin with `__`
//! all the same, because a pattern that is a name of the user's constant, static or unit struct would mean that.

mod fetch;
mod operand;
mod renewed;
mod request;
mod retry;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Attribute, Pat, Path, ReturnType, Token, Type, parse_quote, token};

use self::fetch::Fetch;
use self::operand::{Hold, Variable};
use crate::borrow;
use crate::docs;
use crate::parse::{Body, Function};
use crate::tokens::has_ident;
use crate::types;
use crate::validate::{Credential, Parameter};

/// The path of the runtime's hidden module; if there is none, the error is at the path that the user gave.
fn private(krate: Option<&Path>) -> TokenStream {
    let at = Span::mixed_site();
    let Some(path) = krate else {
        return quote_spanned!(at=> ::agentcore_identity::__private);
    };
    let located = path.segments.last().map_or(at, |last| at.located_at(last.ident.span()));
    quote_spanned!(located=> #path::__private)
}

/// The function with its credentials in it. `mentions` go before the prelude.
pub(crate) fn function(credentials: &[Credential], mut function: Function, mentions: &TokenStream) -> TokenStream {
    let Some(body) = function.body.take() else {
        return signature(&function, &quote!(;));
    };
    for credential in credentials {
        docs::describe(&mut function.attrs, credential);
    }
    let output = output(&function);
    let is_tried_twice = credentials.iter().any(|credential| credential.options.retry_if.is_some());
    let hold = if is_tried_twice { Hold::OverTheBody } else { Hold::Briefly };
    let fetches: Vec<Fetch<'_>> = credentials
        .iter()
        .enumerate()
        .map(|(index, credential)| Fetch::new(credential, (credentials.len() > 1).then_some(index), &output, hold))
        .collect();
    let prelude = match &fetches[..] {
        fetches if is_tried_twice => retry::twice(fetches, &output, &mut function.sig, &body),
        [fetch] => one(fetch, &output, &body),
        fetches => several(fetches, &output, &body),
    };
    signature(&function, &block(&body.attrs, &quote!(#mentions #prelude)))
}

/// The function's result as an expression can name it.
fn output(function: &Function) -> TokenStream {
    match &function.sig.output {
        ReturnType::Type(_, ty) => {
            let mut ty = (**ty).clone();
            types::infer_impl_trait(&mut ty);
            ty.to_token_stream()
        }
        ReturnType::Default => quote!(()),
    }
}

fn one(fetch: &Fetch<'_>, output: &TokenStream, body: &Body) -> TokenStream {
    let at = Span::mixed_site();
    let prepare: Vec<_> = fetch.prepare.iter().map(declare).collect();
    let ask = |received: &TokenStream| {
        let answer = await_one(fetch, output, received);
        if prepare.is_empty() { answer } else { quote_spanned!(at=> { #(#prepare)* #answer }) }
    };
    let body = original(body);
    if types::owned_credential(&fetch.credential.parameter.ty) {
        // The body runs with one copy of the credential less.
        let bind = fetch.bind(&ask(&fetch.receive()));
        return quote!(#bind #body);
    }
    let credential = &fetch.variable;
    let answer = ask(&credential.to_token_stream());
    let bind = fetch.bind(&fetch.receive());
    quote_spanned! {at=>
        let #credential = #answer;
        #bind
        #body
    }
}

fn several(fetches: &[Fetch<'_>], output: &TokenStream, body: &Body) -> TokenStream {
    let prepare = fetches.iter().flat_map(|fetch| &fetch.prepare).map(declare);
    let variables = nested(fetches.iter().map(|fetch| fetch.variable.to_token_stream()), pair);
    let answer = await_all(fetches, output);
    let bind = fetches.iter().map(|fetch| fetch.bind(&fetch.receive()));
    let body = original(body);
    quote_spanned! {Span::mixed_site()=>
        let #variables = {
            #(#prepare)*
            #answer
        };
        #(#bind)*
        #body
    }
}

/// Declares the variable.
fn declare(Variable { name, ty, value }: &Variable) -> TokenStream {
    let ty = ty.as_ref().map(|ty| quote_spanned!(Span::mixed_site()=> : #ty));
    quote_spanned!(Span::mixed_site()=> let #name #ty = #value;)
}

/// Fetches the credential or returns. `received` is an expression over the variable that has it.
fn await_one(fetch: &Fetch<'_>, output: &TokenStream, received: &TokenStream) -> TokenStream {
    let (ask, credential) = (&fetch.ask, &fetch.variable);
    let failed = failed(fetch.private(), output);
    quote_spanned! {Span::mixed_site()=>
        match #ask.await {
            ::core::result::Result::Ok(#credential) => #received,
            #failed
        }
    }
}

/// Fetches all credentials at the same time, in nested pairs, or returns.
fn await_all(fetches: &[Fetch<'_>], output: &TokenStream) -> TokenStream {
    if let [fetch] = fetches {
        return await_one(fetch, output, &fetch.variable.to_token_stream());
    }
    let at = Span::mixed_site();
    let private = fetches[0].private();
    let ask =
        nested(fetches.iter().map(Fetch::future), |one, others| quote_spanned!(at=> #private::both(#one, #others)));
    let failed = failed(private, output);
    quote_spanned! {at=>
        match #ask.await {
            ::core::result::Result::Ok(__credentials) => __credentials,
            #failed
        }
    }
}

/// The arm of a `match` that returns because there is no credential.
fn failed(private: &TokenStream, output: &TokenStream) -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        ::core::result::Result::Err(__error) => return #private::failure::<#output, _>(__error),
    }
}

/// `a`, or `(a, (b, c))` in the words of `combine`.
fn nested(
    each: impl DoubleEndedIterator<Item = TokenStream>,
    combine: impl Fn(&TokenStream, &TokenStream) -> TokenStream,
) -> TokenStream {
    each.rev().reduce(|others, one| combine(&one, &others)).unwrap_or_default()
}

fn pair(one: &TokenStream, others: &TokenStream) -> TokenStream {
    quote_spanned!(Span::mixed_site()=> (#one, #others))
}

/// The body, in the user's own braces.
fn original(body: &Body) -> TokenStream {
    let is_statement = |token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';');
    // rustc would find the braces around a lone expression superfluous.
    let company =
        (!body.tokens.clone().into_iter().any(is_statement)).then(|| quote_spanned!(Span::mixed_site()=> let () = ();));
    let mut tokens = TokenStream::new();
    body.brace.surround(&mut tokens, |inner| {
        inner.extend(company);
        inner.extend(body.tokens.clone());
    });
    tokens
}

/// A function's block. Its braces are ours, and so of an edition in which the temporaries of the block's last
/// expression are dropped before the block's variables, which they may borrow from.
fn block(inner_attrs: &[Attribute], statements: &TokenStream) -> TokenStream {
    let mut tokens = TokenStream::new();
    token::Brace(Span::mixed_site()).surround(&mut tokens, |inner| {
        inner.extend(inner_attrs.iter().map(ToTokens::to_token_stream));
        inner.extend(statements.clone());
    });
    tokens
}

fn signature(function: &Function, rest: &TokenStream) -> TokenStream {
    let Function { attrs, vis, sig, .. } = function;
    quote!(#(#attrs)* #vis #sig #rest)
}

/// The function after a mistake: callers and the body see it as if there were none. It is never run.
pub(crate) fn fallback(credentials: &[Credential], function: &Function, mentions: &TokenStream) -> TokenStream {
    let Some(body) = &function.body else {
        return signature(function, &quote!(;));
    };
    let mut function = function.clone();
    let bindings: Vec<_> =
        credentials.iter().map(|credential| placeholder(&credential.parameter, &mut function)).collect();
    let forgot_async = function.sig.asyncness.is_none()
        && function.sig.ident != "main"
        && has_ident(&body.tokens, "await")
        && !has_ident(&body.tokens, "async");
    if forgot_async {
        function.sig.asyncness = Some(Token![async](Span::mixed_site()));
    }
    let body_tokens = original(body);
    let statements = quote!(#mentions #(#bindings)* #body_tokens);
    function.attrs.push(parse_quote!(#[allow(unused_variables, unused_mut)]));
    signature(&function, &block(&body.attrs, &statements))
}

fn placeholder(Parameter { attrs, pat, ty }: &Parameter, function: &mut Function) -> TokenStream {
    let at = Span::mixed_site();
    if borrow::nothing_to_elide_from(function)
        && let ReturnType::Type(_, output) = &mut function.sig.output
    {
        **output = Type::Verbatim(types::elided_to_static(output.to_token_stream()));
    }
    if types::has_impl_trait(ty) {
        // A string has most of the traits that one would ask of a credential.
        return quote_spanned! {at=>
            #(#attrs)*
            let #pat = {
                fn __placeholder() -> #ty {
                    ::core::option::Option::unwrap(::core::option::Option::<::std::string::String>::None)
                }
                __placeholder()
            };
        };
    }
    let ty = types::elide_lifetimes(ty.to_token_stream());
    quote_spanned! {at=>
        #(#attrs)*
        let #pat: #ty = ::core::option::Option::unwrap(::core::option::Option::None);
    }
}

/// Whether `pat` is a name and nothing else.
fn plain_name(pat: &Pat) -> bool {
    matches!(pat, Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none())
}
