//! The lifetimes of a signature once the injected parameter has left it.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{FnArg, GenericParam, Lifetime, LifetimeParam, Receiver, ReceiverKind, ReturnType, Type, WherePredicate};

use crate::diagnostics::Diagnostics;
use crate::parse::Function;
use crate::types::{self, Use};
use crate::validate::{Credential, Parameter};

/// The lifetimes of one or more types.
#[derive(Default)]
struct Lifetimes<'a> {
    elided: usize,
    named: Vec<&'a Lifetime>,
}

impl<'a> Lifetimes<'a> {
    fn add(&mut self, lifetime: Use<'a>) {
        match lifetime {
            Use::Elided => self.elided += 1,
            Use::Named(name) => self.named.push(name),
        }
    }

    fn of(ty: &'a Type) -> Self {
        let mut lifetimes = Self::default();
        types::lifetimes(ty, &mut |lifetime| lifetimes.add(lifetime));
        lifetimes
    }

    fn is_empty(&self) -> bool {
        self.elided == 0 && self.named.is_empty()
    }
}

/// Reports a result that borrows from a credential, which is gone when the function returns; or else one that borrows
/// from what a second attempt would need.
pub(crate) fn check_result(function: &Function, credentials: &[Credential], diagnostics: &mut Diagnostics) {
    let ReturnType::Type(_, output) = &function.sig.output else {
        return;
    };
    let result = Lifetimes::of(output);
    if credentials.iter().any(|credential| borrows_from(&credential.parameter, &result, function)) {
        diagnostics.under(
            output,
            "the result borrows from the injected credential, which lives only for the call: return an owned value, \
             such as a `String`",
        );
        return;
    }
    let attempted_twice = credentials.iter().any(|credential| credential.options.retry_if.is_some());
    if attempted_twice && borrows_mutably(function, &result) {
        diagnostics.under(
            output,
            "with `retry_if` the body may run twice, so the result cannot borrow from a `&mut` parameter: return an \
             owned value",
        );
    }
}

fn borrows_from(parameter: &Parameter, result: &Lifetimes<'_>, function: &Function) -> bool {
    let sig = &function.sig;
    let injected = Lifetimes::of(&parameter.ty);
    let mut others = Lifetimes::default();
    for input in &sig.inputs {
        of_input(input, &mut |lifetime, _| others.add(lifetime));
    }
    let bounds = bounds(function);
    (result.elided > 0 && others.is_empty() && !injected.is_empty())
        || sig.generics.lifetimes().any(|LifetimeParam { lifetime: name, .. }| {
            result.named.contains(&name)
                && injected.named.contains(&name)
                && !others.named.contains(&name)
                && !types::mentions(bounds.clone(), name)
        })
}

/// Whether the result elides a lifetime that no parameter has.
pub(crate) fn nothing_to_elide_from(function: &Function) -> bool {
    let ReturnType::Type(_, output) = &function.sig.output else {
        return false;
    };
    let mut inputs = Lifetimes::default();
    for input in &function.sig.inputs {
        of_input(input, &mut |lifetime, _| inputs.add(lifetime));
    }
    Lifetimes::of(output).elided > 0 && inputs.is_empty()
}

/// Calls `visit` with each lifetime of `input`, and whether it is that of a `&mut`.
fn of_input<'a>(input: &'a FnArg, visit: &mut dyn FnMut(Use<'a>, bool)) {
    match input {
        FnArg::Receiver(Receiver { kind: ReceiverKind::Reference(_, lifetime, mutability), .. }) => match lifetime {
            Some(name) if name.ident != "_" => visit(Use::Named(name), mutability.is_some()),
            _ => visit(Use::Elided, mutability.is_some()),
        },
        FnArg::Receiver(Receiver { kind: ReceiverKind::Typed(_, ty), .. }) => of_type(ty, visit),
        FnArg::Receiver(_) => {}
        FnArg::Typed(typed) => of_type(&typed.ty, visit),
    }
}

fn of_type<'a>(ty: &'a Type, visit: &mut dyn FnMut(Use<'a>, bool)) {
    let mut mutable = matches!(types::bare(ty), Type::Reference(reference) if reference.mutability.is_some());
    types::lifetimes(ty, &mut |lifetime| {
        // The outermost reference comes first, and is the only one that a second attempt borrows anew.
        visit(lifetime, std::mem::take(&mut mutable));
    });
}

fn borrows_mutably(function: &Function, result: &Lifetimes<'_>) -> bool {
    let inputs = &function.sig.inputs;
    let of_self = |input: &&FnArg| {
        let mut borrows = false;
        of_input(input, &mut |_, _| borrows = true);
        matches!(input, FnArg::Receiver(_)) && borrows
    };
    // What the result elides is the lifetime of a borrowed `self`, or else of the only parameter that borrows.
    let mut elided = false;
    match inputs.first().filter(of_self) {
        Some(receiver) => of_input(receiver, &mut |_, mutable| elided |= mutable),
        None => inputs.iter().for_each(|input| of_input(input, &mut |_, mutable| elided |= mutable)),
    }
    let mut named = false;
    for input in inputs {
        of_input(input, &mut |lifetime, mutable| {
            named |= mutable && matches!(lifetime, Use::Named(name) if result.named.contains(&name));
        });
    }
    named || (result.elided > 0 && elided)
}

/// Removes the lifetimes that only the injected parameter needed.
pub(crate) fn drop_unused_lifetimes(function: &mut Function, parameter: &Parameter) {
    let injected = Lifetimes::of(&parameter.ty).named;
    if injected.is_empty() {
        return;
    }
    let mut elsewhere = bounds(function);
    function.sig.inputs.to_tokens(&mut elsewhere);
    function.sig.output.to_tokens(&mut elsewhere);
    if let Some(body) = &function.body {
        elsewhere.extend(body.tokens.clone());
    }
    let unused = |lifetime: &Lifetime| injected.contains(&lifetime) && !types::mentions(elsewhere.clone(), lifetime);

    let generics = &mut function.sig.generics;
    generics.params = std::mem::take(&mut generics.params)
        .into_pairs()
        .filter(|pair| !matches!(pair.value(), GenericParam::Lifetime(param) if unused(&param.lifetime)))
        .collect();
    if generics.params.is_empty() {
        generics.lt_token = None;
        generics.gt_token = None;
    }
    if let Some(clause) = &mut generics.where_clause {
        clause.predicates = std::mem::take(&mut clause.predicates)
            .into_pairs()
            .filter(|pair| !matches!(pair.value(), WherePredicate::Lifetime(bound) if unused(&bound.lifetime)))
            .collect();
        if clause.predicates.is_empty() {
            generics.where_clause = None;
        }
    }
}

/// The bounds of the signature, without what they say about the lifetimes that they are bounds of.
fn bounds(function: &Function) -> TokenStream {
    let generics = &function.sig.generics;
    let mut tokens = TokenStream::new();
    for param in &generics.params {
        match param {
            GenericParam::Lifetime(param) => param.bounds.to_tokens(&mut tokens),
            param => param.to_tokens(&mut tokens),
        }
    }
    for predicate in generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
        match predicate {
            WherePredicate::Lifetime(bound) => bound.bounds.to_tokens(&mut tokens),
            predicate => predicate.to_tokens(&mut tokens),
        }
    }
    tokens
}
