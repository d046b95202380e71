//! From tokens to the attribute's arguments and the function below it.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Expr, LitStr, Result, Signature, Token, Visibility, braced, token};

use crate::catalog::Spec;
use crate::diagnostics::Diagnostics;

/// One `name = value`.
pub(crate) struct Argument {
    pub(crate) name: Ident,
    /// `None` if there is no usable value, which has been reported.
    pub(crate) value: Option<Expr>,
}

/// Parses what stands between the attribute's parentheses. Goes on after a mistake, to find the next one.
pub(crate) fn arguments(spec: &Spec, input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> Result<Vec<Argument>> {
    let mut arguments = Vec::new();
    while !input.is_empty() {
        arguments.push(argument(spec, input, diagnostics)?);
        if !input.is_empty() && !input.peek(Token![,]) {
            diagnostics.at(input.span(), "expected `,` between two options");
            skip_to_comma(input)?;
        }
        input.parse::<Option<Token![,]>>()?;
    }
    Ok(arguments)
}

fn argument(spec: &Spec, input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> Result<Argument> {
    if input.peek(Ident::peek_any) {
        let name = input.call(Ident::parse_any)?;
        let value = value(spec, &name, input, diagnostics)?;
        return Ok(Argument { name, value });
    }

    // Whatever it is, it is taken for the first option: that it is missing would be the same mistake told twice.
    let meant = spec.options[0];
    let name = Ident::new(meant, input.span());
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        let text = format!("\"{}\"", literal.value().escape_debug());
        diagnostics.under(&literal, format_args!("this value has no name: write `{meant} = {text}`"));
    } else {
        diagnostics.at(input.span(), format_args!("expected an option, such as `{meant} = …`"));
        skip_to_comma(input)?;
        while input.peek(Token![,]) && input.peek2(Token![,]) {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(Argument { name, value: None })
}

fn value(spec: &Spec, name: &Ident, input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> Result<Option<Expr>> {
    let unknown = !spec.takes(&name.to_string());
    if !input.peek(Token![=]) || input.peek(Token![==]) {
        if unknown && (input.is_empty() || input.peek(Token![,])) {
            // The name is wrong too; that is what validation reports.
            return Ok(None);
        }
        diagnostics.under(name, format_args!("`{name}` takes a value: write `{name} = …`"));
        skip_to_comma(input)?;
        return Ok(None);
    }
    input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        diagnostics.under(name, format_args!("`{name}` has no value: write `{name} = …`"));
        return Ok(None);
    }
    // On a copy, because a failure inside of parentheses would be remembered as a failure of all that follows.
    let ahead = input.fork();
    match ahead.parse() {
        Ok(value) => {
            input.advance_to(&ahead);
            Ok(Some(value))
        }
        Err(_) if input.peek(token::Brace) && (name == "custom_parameters" || name == "tags") => {
            let map: TokenTree = input.parse()?;
            diagnostics.under(map, format_args!("`{name}` takes a list of pairs: `{name} = [(\"key\", \"value\")]`"));
            skip_to_comma(input)?;
            Ok(None)
        }
        Err(error) => {
            diagnostics.push(error);
            skip_to_comma(input)?;
            Ok(None)
        }
    }
}

fn skip_to_comma(input: ParseStream<'_>) -> Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// What the attribute stands on.
pub(crate) enum Item {
    Function(Box<Function>),
    Other {
        /// The keyword that says what it is, such as `struct`.
        keyword: Span,
        kind: String,
    },
}

/// A function whose body is left as it was written.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// `None` for the declaration of a trait's method.
    pub(crate) body: Option<Body>,
}

#[derive(Clone)]
pub(crate) struct Body {
    /// `#![…]` at the top of the body.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) brace: token::Brace,
    pub(crate) tokens: TokenStream,
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis: Visibility = input.parse()?;
        if !starts_function(&input.fork()) {
            let keyword = input.span();
            let mut kind = input.parse::<TokenTree>()?.to_string();
            while matches!(kind.as_str(), "unsafe" | "auto") && input.peek(Ident::peek_any) {
                kind = input.parse::<TokenTree>()?.to_string();
            }
            input.parse::<TokenStream>()?;
            return Ok(Item::Other { keyword, kind });
        }
        let sig: Signature = input.parse()?;
        let body = if input.parse::<Option<Token![;]>>()?.is_some() { None } else { Some(input.parse()?) };
        Ok(Item::Function(Box::new(Function { attrs, vis, sig, body })))
    }
}

impl Parse for Body {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let content;
        let brace = braced!(content in input);
        Ok(Body { attrs: content.call(Attribute::parse_inner)?, brace, tokens: content.parse()? })
    }
}

fn starts_function(ahead: ParseStream<'_>) -> bool {
    while ahead.peek(Token![const])
        || ahead.peek(Token![async])
        || ahead.peek(Token![unsafe])
        || ahead.peek(Token![extern])
        || ahead.peek(LitStr)
    {
        if ahead.parse::<TokenTree>().is_err() {
            return false;
        }
    }
    ahead.peek(Token![fn])
}
