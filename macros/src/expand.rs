//! From what is meant to tokens: the function, with a prelude that fetches the credential before its body.
//!
//! Names that the prelude introduces have mixed-site hygiene: the user's code cannot see them, whatever they are called.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Attribute, Pat, Path, ReturnType, Type, parse_quote, token};

use crate::borrow;
use crate::docs;
use crate::operand::{Hold, Operand};
use crate::parse::{Body, Function};
use crate::retry;
use crate::types;
use crate::validate::{Options, Parameter};

/// What every part of an expansion is made from.
pub(crate) struct Expansion<'a> {
    pub(crate) options: &'a Options,
    pub(crate) parameter: &'a Parameter,
    /// The hidden module of the runtime crate.
    pub(crate) private: TokenStream,
    /// The function's result as an expression can name it.
    pub(crate) output: TokenStream,
}

impl<'a> Expansion<'a> {
    fn new(options: &'a Options, parameter: &'a Parameter, function: &Function) -> Self {
        let output = match &function.sig.output {
            ReturnType::Type(_, ty) => {
                let mut ty = (**ty).clone();
                types::infer_impl_trait(&mut ty);
                ty.to_token_stream()
            }
            ReturnType::Default => quote!(()),
        };
        Self { options, parameter, private: private(options.krate.as_ref()), output }
    }

    /// Fetches the credential or returns. `received` is an expression over the `credential`.
    pub(crate) fn fetch(&self, client: &Operand, provider: &Operand, received: &TokenStream) -> TokenStream {
        let Self { private, output, .. } = self;
        let (client, provider) = (&client.value, &provider.value);
        quote_spanned! {Span::mixed_site()=>
            match #private::api_key(#client, #provider).await {
                ::core::result::Result::Ok(credential) => #received,
                ::core::result::Result::Err(error) => return #private::failure::<#output>(error),
            }
        }
    }

    /// Binds the parameter to `value`.
    pub(crate) fn bind(&self, value: &TokenStream) -> TokenStream {
        let Parameter { attrs, pat, .. } = self.parameter;
        quote_spanned! {Span::mixed_site()=>
            #(#attrs)*
            let #pat = #value;
        }
    }

    /// The `credential` in scope, as the parameter's type has it.
    pub(crate) fn receive(&self) -> TokenStream {
        let private = &self.private;
        let ty = types::elide_lifetimes(self.parameter.ty.to_token_stream());
        quote_spanned!(Span::mixed_site()=> <#ty as #private::ReceiveApiKey<'_>>::receive(&credential))
    }
}

/// The path of the runtime's hidden module; if there is none, the error is at the path that the user gave.
fn private(krate: Option<&Path>) -> TokenStream {
    let at = Span::mixed_site();
    let Some(path) = krate else {
        return quote_spanned!(at=> ::agentcore_identity::__private);
    };
    let located = path.segments.last().map_or(at, |last| at.located_at(last.ident.span()));
    quote_spanned!(located=> #path::__private)
}

/// The function with the credential in it.
pub(crate) fn function(options: &Options, parameter: &Parameter, mut function: Function) -> TokenStream {
    let Some(body) = function.body.take() else {
        return signature(&function, &quote!(;));
    };
    docs::describe(&mut function.attrs, options, parameter);
    let expansion = Expansion::new(options, parameter, &function);
    let prelude = match &options.retry_if {
        None => once(&expansion, &body),
        Some(retry_if) => retry::twice(&expansion, retry_if, &mut function.sig, &body),
    };
    signature(&function, &block(&body.attrs, &prelude))
}

fn once(expansion: &Expansion<'_>, body: &Body) -> TokenStream {
    let at = Span::mixed_site();
    let client = Operand::client(expansion, Hold::Briefly);
    let provider = Operand::provider(expansion, Hold::Briefly);
    let prepare: Vec<_> =
        [&client, &provider].into_iter().filter_map(|operand| operand.prepare(|value| value)).collect();
    let fetch = |received: &TokenStream| {
        let fetch = expansion.fetch(&client, &provider, received);
        if prepare.is_empty() { fetch } else { quote_spanned!(at=> { #(#prepare)* #fetch }) }
    };
    let body = original(body);
    if types::owned_credential(&expansion.parameter.ty) {
        // The body runs with one copy of the credential less.
        let bind = expansion.bind(&fetch(&expansion.receive()));
        return quote!(#bind #body);
    }
    let fetch = fetch(&quote_spanned!(at=> credential));
    let bind = expansion.bind(&expansion.receive());
    quote_spanned! {at=>
        let credential = #fetch;
        #bind
        #body
    }
}

/// The body, in the user's own braces.
pub(crate) fn original(body: &Body) -> TokenStream {
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
pub(crate) fn fallback(parameter: Option<&Parameter>, function: &Function) -> TokenStream {
    let Some(body) = &function.body else {
        return signature(function, &quote!(;));
    };
    let mut function = function.clone();
    let binding = parameter.map(|parameter| placeholder(parameter, &mut function));
    let body_tokens = original(body);
    let statements = quote!(#binding #body_tokens);
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
                fn placeholder() -> #ty {
                    ::core::option::Option::unwrap(::core::option::Option::<::std::string::String>::None)
                }
                placeholder()
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
pub(crate) fn plain_name(pat: &Pat) -> bool {
    matches!(pat, Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none())
}
