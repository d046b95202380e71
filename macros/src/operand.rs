//! The values of the options that say what to fetch, as arguments of the fetch.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprReference, ExprUnary, Token, UnOp};

use crate::expand::Expansion;
use crate::validate::{literal_text, ungrouped};

/// How long an expansion needs the value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// For one fetch.
    Briefly,
    /// Over the body, which may change or consume what the value is made from.
    OverTheBody,
}

/// A value that a fetch takes.
///
/// What is neither a literal nor a place is made into an owned value first: a temporary in it, such as the guard of a
/// lock, would otherwise live until the fetch has answered.
pub(crate) struct Operand {
    /// The variable that the argument is made from, and what it is set to.
    variable: Option<(TokenStream, TokenStream)>,
    /// The argument.
    pub(crate) value: TokenStream,
}

impl Operand {
    /// The client to ask; without one, that of the context or of the process.
    pub(crate) fn client(expansion: &Expansion<'_>, hold: Hold) -> Self {
        let at = Span::mixed_site();
        let Expansion { options, private, .. } = expansion;
        let Some(expr) = &options.client else {
            return Self::inline(quote_spanned!(at=> ::core::option::Option::None));
        };
        let client = reference(expr);
        if hold == Hold::Briefly && is_place(expr) {
            // By way of a variable, because rustc has a clearer word for its type than for that of an argument.
            return Self {
                variable: Some((quote_spanned!(at=> client: &#private::IdentityClient), client.to_token_stream())),
                value: quote_spanned!(at=> ::core::option::Option::Some(client)),
            };
        }
        Self {
            variable: Some((quote_spanned!(at=> client), quote_spanned!(at=> #private::client(#client)))),
            value: quote_spanned!(at=> ::core::option::Option::Some(&client)),
        }
    }

    /// The name of the credential provider.
    pub(crate) fn provider(expansion: &Expansion<'_>, hold: Hold) -> Self {
        let at = Span::mixed_site();
        let Expansion { options, private, .. } = expansion;
        let Some(expr) = &options.provider else {
            return Self::inline(TokenStream::new());
        };
        if let Some(name) = literal_text(expr) {
            return Self::inline(name.to_token_stream());
        }
        let name = reference(expr);
        let name = quote_spanned!(at=> #private::provider(#name));
        if hold == Hold::Briefly && is_place(expr) {
            return Self::inline(name);
        }
        Self {
            variable: Some((
                quote_spanned!(at=> provider),
                quote_spanned!(at=> ::std::borrow::ToOwned::to_owned(#name)),
            )),
            value: quote_spanned!(at=> &provider),
        }
    }

    fn inline(value: TokenStream) -> Self {
        Self { variable: None, value }
    }

    /// The statement that the argument needs before it, in which `complete` has the last word on the value.
    pub(crate) fn prepare(&self, complete: impl FnOnce(TokenStream) -> TokenStream) -> Option<TokenStream> {
        self.variable.clone().map(|(variable, value)| {
            let value = complete(value);
            quote_spanned!(Span::mixed_site()=> let #variable = #value;)
        })
    }
}

/// Whether `expr` names something that is there, so that a reference to it leaves no temporary behind.
fn is_place(expr: &Expr) -> bool {
    match ungrouped(expr) {
        Expr::Path(_) => true,
        Expr::Field(field) => is_place(&field.base),
        Expr::Reference(reference) => is_place(&reference.expr),
        Expr::Unary(ExprUnary { op: UnOp::Deref(_), expr, .. }) => is_place(expr),
        _ => false,
    }
}

/// `&expr`, located where `expr` is.
fn reference(expr: &Expr) -> Expr {
    Expr::Reference(ExprReference {
        attrs: Vec::new(),
        and_token: Token![&](expr.span()),
        mutability: None,
        expr: Box::new(expr.clone()),
    })
}
