//! The credential attributes of one function. The one that is expanded takes over those that stand below it, so that
//! their credentials are fetched at the same time.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::{Attribute, Meta, Path};

use crate::catalog::{self, Spec};
use crate::diagnostics::Diagnostics;
use crate::parse::{self, Argument};

/// One credential attribute of a function.
pub(crate) struct Requirement {
    pub(crate) spec: &'static Spec,
    written: Written,
}

enum Written {
    /// The attribute that is expanded, of which there are but the arguments.
    Arguments(TokenStream),
    Below(Box<Attribute>),
}

impl Requirement {
    /// What stands between the attribute's parentheses.
    pub(crate) fn arguments(&self, diagnostics: &mut Diagnostics) -> Vec<Argument> {
        let parser = |input: syn::parse::ParseStream<'_>| parse::arguments(self.spec, input, diagnostics);
        let parsed = match &self.written {
            Written::Arguments(tokens) => syn::parse::Parser::parse2(parser, tokens.clone()),
            Written::Below(attr) => match &attr.meta {
                Meta::List(list) => list.parse_args_with(parser),
                _ => return Vec::new(),
            },
        };
        parsed.unwrap_or_else(|error| {
            diagnostics.push(error);
            Vec::new()
        })
    }

    /// Whether it is the attribute that is expanded.
    pub(crate) fn is_topmost(&self) -> bool {
        matches!(self.written, Written::Arguments(_))
    }

    /// Reports what is wrong with the attribute as a whole.
    pub(crate) fn report(&self, diagnostics: &mut Diagnostics, message: impl std::fmt::Display) {
        match &self.written {
            Written::Arguments(_) => diagnostics.at(Span::call_site(), message),
            Written::Below(attr) => diagnostics.under(attr, message),
        }
    }

    fn path(&self) -> Option<&Path> {
        match &self.written {
            Written::Arguments(_) => None,
            Written::Below(attr) => Some(attr.path()),
        }
    }
}

/// The attribute that is expanded, and those that it takes out of `attrs`.
pub(crate) fn requirements(
    spec: &'static Spec,
    arguments: TokenStream,
    attrs: &mut Vec<Attribute>,
) -> Vec<Requirement> {
    let below = attrs.extract_if(.., |attr| !matches!(attr.meta, Meta::NameValue(_)) && spec_of(attr).is_some());
    let below =
        below.filter_map(|attr| Some(Requirement { spec: spec_of(&attr)?, written: Written::Below(Box::new(attr)) }));
    std::iter::once(Requirement { spec, written: Written::Arguments(arguments) }).chain(below).collect()
}

fn spec_of(attr: &Attribute) -> Option<&'static Spec> {
    let name = attr.path().segments.last()?.ident.unraw().to_string();
    catalog::named(&name)
}

/// The argument of an attribute that another one has taken over.
const TAKEN: &str = "__taken";

/// The attributes that have been taken over, on items that they do away with. Without these an attribute would be
/// imported for nothing, or nobody would notice that it is not imported.
pub(crate) fn mentions(requirements: &[Requirement]) -> TokenStream {
    let taken = Ident::new(TAKEN, Span::mixed_site());
    requirements.iter().filter_map(Requirement::path).map(|path| quote!(#[#path(#taken)] const _: () = ();)).collect()
}

/// Whether an attribute with these `arguments` stands on such an item.
pub(crate) fn is_mention(arguments: &TokenStream, item: &TokenStream) -> bool {
    let mut arguments = arguments.clone().into_iter();
    let taken = |token| matches!(token, proc_macro2::TokenTree::Ident(name) if name == TAKEN);
    arguments.next().is_some_and(taken)
        && arguments.next().is_none()
        && syn::parse2::<syn::ItemConst>(item.clone()).is_ok_and(|item| item.ident == "_")
}
