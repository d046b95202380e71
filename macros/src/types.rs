//! What a signature's types say about lifetimes, and the few changes made to them.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, Lifetime, PathArguments, ReturnType, Token, Type, TypeParamBound};

/// A place in a type where a lifetime is.
#[derive(Clone, Copy)]
pub(crate) enum Use<'a> {
    /// `&T` or `'_`.
    Elided,
    Named(&'a Lifetime),
}

/// Calls `visit` for each lifetime of `ty` that the signature's elision rules are about.
///
/// What is elided inside `Fn(&str) -> &str` or `fn(&str) -> &str` is bound there and not by the signature.
pub(crate) fn lifetimes<'a>(ty: &'a Type, visit: &mut dyn FnMut(Use<'a>)) {
    match ty {
        Type::Array(array) => lifetimes(&array.elem, visit),
        Type::Group(group) => lifetimes(&group.elem, visit),
        Type::Paren(paren) => lifetimes(&paren.elem, visit),
        Type::Ptr(pointer) => lifetimes(&pointer.elem, visit),
        Type::Slice(slice) => lifetimes(&slice.elem, visit),
        Type::Tuple(tuple) => tuple.elems.iter().for_each(|elem| lifetimes(elem, visit)),
        Type::Reference(reference) => {
            match &reference.lifetime {
                Some(lifetime) => visit(classify(lifetime)),
                None => visit(Use::Elided),
            }
            lifetimes(&reference.elem, visit);
        }
        Type::Path(path) => {
            if let Some(qself) = &path.qself {
                lifetimes(&qself.ty, visit);
            }
            in_path(&path.path, visit);
        }
        Type::ImplTrait(ty) => in_bounds(&ty.bounds, visit),
        Type::TraitObject(ty) => in_bounds(&ty.bounds, visit),
        Type::FnPtr(pointer) => {
            let named = &mut named_only(visit);
            for input in &pointer.inputs {
                lifetimes(&input.ty, named);
            }
            in_output(&pointer.output, named);
        }
        _ => {}
    }
}

fn in_path<'a>(path: &'a syn::Path, visit: &mut dyn FnMut(Use<'a>)) {
    for segment in &path.segments {
        match &segment.arguments {
            PathArguments::None => {}
            PathArguments::AngleBracketed(arguments) => {
                for argument in &arguments.args {
                    match argument {
                        GenericArgument::Lifetime(lifetime) => visit(classify(lifetime)),
                        GenericArgument::Type(ty) => lifetimes(ty, visit),
                        GenericArgument::AssocType(assoc) => lifetimes(&assoc.ty, visit),
                        GenericArgument::Constraint(constraint) => in_bounds(&constraint.bounds, visit),
                        _ => {}
                    }
                }
            }
            PathArguments::Parenthesized(arguments) => {
                let named = &mut named_only(visit);
                for input in &arguments.inputs {
                    lifetimes(&input.ty, named);
                }
                in_output(&arguments.output, named);
            }
        }
    }
}

fn in_bounds<'a>(bounds: impl IntoIterator<Item = &'a TypeParamBound>, visit: &mut dyn FnMut(Use<'a>)) {
    for bound in bounds {
        match bound {
            TypeParamBound::Trait(bound) => in_path(&bound.path, visit),
            TypeParamBound::Lifetime(lifetime) => visit(classify(lifetime)),
            _ => {}
        }
    }
}

fn in_output<'a>(output: &'a ReturnType, visit: &mut dyn FnMut(Use<'a>)) {
    if let ReturnType::Type(_, ty) = output {
        lifetimes(ty, visit);
    }
}

fn named_only<'a, 'v>(visit: &'v mut dyn FnMut(Use<'a>)) -> impl FnMut(Use<'a>) + 'v {
    move |lifetime| {
        if matches!(lifetime, Use::Named(_)) {
            visit(lifetime);
        }
    }
}

fn classify(lifetime: &Lifetime) -> Use<'_> {
    if lifetime.ident == "_" { Use::Elided } else { Use::Named(lifetime) }
}

/// `ty` without invisible and written parentheses around it.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        ty => ty,
    }
}

/// The last segment of a path without arguments.
pub(crate) fn simple_name(ty: &Type) -> Option<&Ident> {
    match bare(ty) {
        Type::Path(path) => path.path.segments.last().filter(|last| last.arguments.is_none()).map(|last| &last.ident),
        _ => None,
    }
}

/// Whether `ty` is, by its name, a form of a credential that borrows from nothing.
pub(crate) fn owned_credential(ty: &Type) -> bool {
    redacted_credential(ty) || simple_name(ty).is_some_and(|name| name == "String")
}

/// Whether `ty` is, by its name, one that prints no credential.
pub(crate) fn redacted_credential(ty: &Type) -> bool {
    const NAMES: [&str; 4] = ["ApiKey", "AccessToken", "WorkloadToken", "SecretString"];
    simple_name(ty).is_some_and(|name| NAMES.iter().any(|redacted| name == redacted))
}

/// Whether `ty` is, by its name, `name` or a reference to that.
pub(crate) fn is_or_refers_to(ty: &Type, name: &str) -> bool {
    match bare(ty) {
        Type::Reference(reference) => is_or_refers_to(&reference.elem, name),
        ty => simple_name(ty).is_some_and(|simple| simple == name),
    }
}

/// Whether `impl Trait` is somewhere in `ty`.
pub(crate) fn has_impl_trait(ty: &Type) -> bool {
    let mut ty = ty.clone();
    infer_impl_trait(&mut ty)
}

/// Replaces each `impl Trait` by `_`, which is how an expression names such a type, and says whether there was one.
pub(crate) fn infer_impl_trait(ty: &mut Type) -> bool {
    match ty {
        Type::ImplTrait(opaque) => {
            let underscore = Token![_](opaque.impl_token.span);
            *ty = Type::Infer(syn::TypeInfer { attrs: Vec::new(), underscore_token: underscore });
            true
        }
        Type::Array(array) => infer_impl_trait(&mut array.elem),
        Type::Group(group) => infer_impl_trait(&mut group.elem),
        Type::Paren(paren) => infer_impl_trait(&mut paren.elem),
        Type::Ptr(pointer) => infer_impl_trait(&mut pointer.elem),
        Type::Slice(slice) => infer_impl_trait(&mut slice.elem),
        Type::Reference(reference) => infer_impl_trait(&mut reference.elem),
        Type::Tuple(tuple) => tuple.elems.iter_mut().fold(false, |found, elem| infer_impl_trait(elem) | found),
        Type::TraitObject(object) => object.bounds.iter_mut().fold(false, |found, bound| match bound {
            TypeParamBound::Trait(bound) => infer_in_path(&mut bound.path) | found,
            _ => found,
        }),
        Type::Path(path) => infer_in_path(&mut path.path),
        _ => false,
    }
}

fn infer_in_path(path: &mut syn::Path) -> bool {
    path.segments.iter_mut().fold(false, |found, segment| {
        let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else {
            return found;
        };
        arguments.args.iter_mut().fold(found, |found, argument| match argument {
            GenericArgument::Type(ty) => infer_impl_trait(ty) | found,
            GenericArgument::AssocType(assoc) => infer_impl_trait(&mut assoc.ty) | found,
            _ => found,
        })
    })
}

/// Replaces every lifetime in `tokens` by `'_`.
pub(crate) fn elide_lifetimes(tokens: TokenStream) -> TokenStream {
    each_lifetime(tokens, &mut |name| Ident::new("_", name.span()))
}

/// Writes `'static` where `tokens`, a type, elide a lifetime.
pub(crate) fn elided_to_static(tokens: TokenStream) -> TokenStream {
    let mut explicit = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let bare_reference = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '&')
            && !matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == '\'');
        explicit.extend([match token {
            TokenTree::Group(group) => regroup(&group, elided_to_static(group.stream())),
            token => token,
        }]);
        if bare_reference {
            Lifetime::new("'static", Span::mixed_site()).to_tokens(&mut explicit);
        }
    }
    each_lifetime(explicit, &mut |name| {
        if name == "_" { Ident::new("static", name.span()) } else { name }
    })
}

fn each_lifetime(tokens: TokenStream, replace: &mut dyn FnMut(Ident) -> Ident) -> TokenStream {
    let mut after_tick = false;
    tokens
        .into_iter()
        .map(|token| {
            let names_lifetime = after_tick;
            after_tick = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\'');
            match token {
                TokenTree::Ident(ident) if names_lifetime => replace(ident).into(),
                TokenTree::Group(group) => regroup(&group, each_lifetime(group.stream(), replace)),
                token => token,
            }
        })
        .collect()
}

/// `group` with `stream` in it instead.
pub(crate) fn regroup(group: &proc_macro2::Group, stream: TokenStream) -> TokenTree {
    let mut regrouped = proc_macro2::Group::new(group.delimiter(), stream);
    regrouped.set_span(group.span());
    regrouped.into()
}

/// Whether `lifetime` is somewhere in `tokens`.
pub(crate) fn mentions(tokens: TokenStream, lifetime: &Lifetime) -> bool {
    let mut found = false;
    each_lifetime(tokens, &mut |name| {
        found |= name == lifetime.ident;
        name
    });
    found
}
