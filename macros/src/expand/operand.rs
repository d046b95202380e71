//! Client and provider of a request, as arguments of the function that makes or sends it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprReference, ExprUnary, Token, UnOp};

use crate::literal::{literal_text, ungrouped};

/// How long an expansion needs the value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// For one fetch.
    Briefly,
    /// Over the body, which may change or consume what the value is made from.
    OverTheBody,
}

/// A value that a fetch takes.
///
/// What is neither a literal nor a place is made into an owned value first: a temporary in it, such as the guard of a
/// lock, would otherwise live until the fetch has answered.
pub(super) struct Operand {
    /// The variable that the argument is made from, and what it is set to.
    pub(super) variable: Option<Variable>,
    /// The argument.
    pub(super) value: TokenStream,
}

/// A variable that an expansion declares.
pub(super) struct Variable {
    pub(super) name: Ident,
    pub(super) ty: Option<TokenStream>,
    pub(super) value: TokenStream,
}

impl Operand {
    /// The client to ask; without one, that of the context or of the process.
    pub(super) fn client(client: Option<&Expr>, private: &TokenStream, hold: Hold, name: Ident) -> Self {
        let at = Span::mixed_site();
        let Some(expr) = client else {
            return Self { variable: None, value: quote_spanned!(at=> ::core::option::Option::None) };
        };
        let client = reference(expr);
        if hold == Hold::Briefly && is_place(expr) {
            let value = quote_spanned!(at=> ::core::option::Option::Some(#name));
            // By way of a variable, because rustc has a clearer word for its type than for that of an argument.
            let ty = Some(quote_spanned!(at=> &#private::IdentityClient));
            return Self { variable: Some(Variable { name, ty, value: client.to_token_stream() }), value };
        }
        Self {
            value: quote_spanned!(at=> ::core::option::Option::Some(&#name)),
            variable: Some(Variable { name, ty: None, value: quote_spanned!(at=> #private::client(#client)) }),
        }
    }

    /// The name of the credential provider.
    pub(super) fn provider(provider: Option<&Expr>, private: &TokenStream, hold: Hold, name: Ident) -> Self {
        let at = Span::mixed_site();
        let Some(expr) = provider else {
            return Self { variable: None, value: TokenStream::new() };
        };
        let text = text(expr, private);
        if literal_text(expr).is_some() || (hold == Hold::Briefly && is_place(expr)) {
            return Self { variable: None, value: text };
        }
        Self {
            value: quote_spanned!(at=> &#name),
            variable: Some(Variable {
                name,
                ty: None,
                value: quote_spanned!(at=> ::std::borrow::ToOwned::to_owned(#text)),
            }),
        }
    }
}

/// `expr` as a `&str`.
pub(super) fn text(expr: &Expr, private: &TokenStream) -> TokenStream {
    if let Some(text) = literal_text(expr) {
        return text.to_token_stream();
    }
    let text = reference(expr);
    quote_spanned!(Span::mixed_site()=> #private::text(#text))
}

/// Whether `expr` names something that is there, so that a reference to it leaves no temporary behind.
pub(super) fn is_place(expr: &Expr) -> bool {
    match ungrouped(expr) {
        Expr::Path(_) => true,
        Expr::Field(field) => is_place(&field.base),
        Expr::Reference(reference) => is_place(&reference.expr),
        Expr::Unary(ExprUnary { op: UnOp::Deref(_), expr, .. }) => is_place(expr),
        _ => false,
    }
}

/// `&expr`, located where `expr` is.
pub(super) fn reference(expr: &Expr) -> Expr {
    Expr::Reference(ExprReference {
        attrs: Vec::new(),
        and_token: Token![&](expr.span()),
        mutability: None,
        expr: Box::new(expr.clone()),
    })
}
