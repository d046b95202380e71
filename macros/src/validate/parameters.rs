//! Which parameter of a function is to be which credential.

use proc_macro2::{Ident, Span, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{FnArg, Pat, PatType};

use super::{Options, Parameter};
use crate::catalog::Spec;
use crate::diagnostics::Diagnostics;
use crate::parse::Function;
use crate::source;
use crate::stack::Requirement;
use crate::suggest::{closest, list};
use crate::types;

/// What is known of one requirement's parameter.
enum Claim {
    /// The one at this position.
    Position(usize),
    /// There is none of that name.
    Missing,
    /// None, and it has been said why.
    Reported,
}

/// Takes each requirement's parameter out of `function`, as far as there is one.
pub(super) fn take(
    wanted: &[(&Requirement, Options)],
    function: &mut Function,
    diagnostics: &mut Diagnostics,
) -> Vec<Option<Parameter>> {
    let positions = positions(wanted, function, diagnostics);
    let inputs = std::mem::take(&mut function.sig.inputs);
    let parameter = |position: &Option<usize>| match inputs.iter().nth((*position)?) {
        Some(FnArg::Typed(PatType { attrs, pat, ty, .. })) => {
            Some(Parameter { attrs: attrs.clone(), pat: (**pat).clone(), ty: (**ty).clone() })
        }
        _ => None,
    };
    let parameters = positions.iter().map(parameter).collect();
    let stays = |position: &usize| !positions.contains(&Some(*position));
    function.sig.inputs =
        inputs.into_pairs().enumerate().filter(|(position, _)| stays(position)).map(|(_, pair)| pair).collect();
    parameters
}

fn positions(
    wanted: &[(&Requirement, Options)],
    function: &Function,
    diagnostics: &mut Diagnostics,
) -> Vec<Option<usize>> {
    let mut names = Vec::new();
    let mut claims = Vec::new();
    for (requirement, options) in wanted {
        let name = match &options.into {
            Some(into) => into.name.unraw(),
            None => Ident::new(requirement.spec.parameter, Span::call_site()),
        };
        let claim = if names.contains(&name) {
            if !options.into_is_unusable {
                requirement.report(
                    diagnostics,
                    format_args!(
                        "two attributes fill the parameter `{name}`: give each its own, and name this one's with \
                         `into = …`"
                    ),
                );
            }
            Claim::Reported
        } else {
            by_name(requirement.spec, options, &name, function, diagnostics)
        };
        names.push(name);
        claims.push(claim);
    }
    for (index, (requirement, options)) in wanted.iter().enumerate() {
        if !matches!(claims[index], Claim::Missing) {
            continue;
        }
        let unclaimed: Vec<_> = named_parameters(function)
            .filter(|(position, _)| !claims.iter().any(|claim| matches!(claim, Claim::Position(p) if p == position)))
            .collect();
        let by_type = by_type(requirement.spec, &unclaimed);
        if !options.into_is_unusable {
            missing(requirement.spec, options, &names[index], &unclaimed, by_type, function, diagnostics);
        }
        claims[index] = by_type.map_or(Claim::Reported, |(position, _)| Claim::Position(position));
    }
    let position = |claim| match claim {
        Claim::Position(position) => Some(position),
        Claim::Missing | Claim::Reported => None,
    };
    claims.into_iter().map(position).collect()
}

fn by_name(spec: &Spec, options: &Options, name: &Ident, function: &Function, diagnostics: &mut Diagnostics) -> Claim {
    if let Some(into) = options.into.as_ref().filter(|_| name == "self") {
        diagnostics.under(
            &into.value,
            format_args!("`self` cannot be a credential: `into` names another parameter, such as `{}`", spec.parameter),
        );
        return Claim::Reported;
    }
    for (position, input) in function.sig.inputs.iter().enumerate() {
        match input {
            FnArg::Typed(typed) if binds(&typed.pat, name) => return Claim::Position(position),
            FnArg::Typed(typed) if mentions_name(&typed.pat, name) => {
                diagnostics.under(
                    &typed.pat,
                    format_args!(
                        "the credential needs a parameter of its own, and this is a pattern: write `{name}: {}`",
                        source::text(typed.ty.to_token_stream())
                    ),
                );
                return Claim::Position(position);
            }
            _ => {}
        }
    }
    Claim::Missing
}

fn binds(pat: &Pat, name: &Ident) -> bool {
    matches!(pat, Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() && pat.ident.unraw() == *name)
}

fn mentions_name(pat: &Pat, name: &Ident) -> bool {
    fn any(tokens: proc_macro2::TokenStream, name: &Ident) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident.unraw() == *name,
            TokenTree::Group(group) => any(group.stream(), name),
            _ => false,
        })
    }
    any(pat.to_token_stream(), name)
}

/// A parameter that has a name: its position, and itself with the name.
type Named<'a> = (usize, (&'a PatType, &'a Ident));

fn named_parameters(function: &Function) -> impl Iterator<Item = Named<'_>> {
    function.sig.inputs.iter().enumerate().filter_map(|(position, input)| match input {
        FnArg::Typed(typed) => match &*typed.pat {
            Pat::Ident(pat) => Some((position, (typed, &pat.ident))),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    })
}

/// The parameter whose type says that it is the one that was meant, though the name is another.
fn by_type<'a>(spec: &Spec, parameters: &[Named<'a>]) -> Option<Named<'a>> {
    let mut of_type = parameters.iter().filter(|(_, (typed, _))| types::is_or_refers_to(&typed.ty, spec.credential));
    match (of_type.next(), of_type.next()) {
        (Some(only), None) => Some(*only),
        _ => None,
    }
}

fn missing(
    spec: &Spec,
    options: &Options,
    name: &Ident,
    parameters: &[Named<'_>],
    by_type: Option<Named<'_>>,
    function: &Function,
    diagnostics: &mut Diagnostics,
) {
    let names: Vec<String> = parameters.iter().map(|(_, (_, ident))| ident.to_string()).collect();
    let meant = by_type.map(|(_, (_, ident))| ident.to_string()).or_else(|| {
        let close = closest(&name.to_string(), names.iter().map(String::as_str));
        close.map(str::to_owned)
    });
    let credential = spec.credential;
    let advice = match meant {
        Some(meant) => format!("perhaps it is `into = {meant}`"),
        None if options.into.is_none() && !names.is_empty() => {
            format!("add `{name}: {credential}`, or say which one it is with `into = …`")
        }
        None => format!("add `{name}: {credential}`"),
    };
    let there_are = if names.is_empty() {
        "this function has none".to_owned()
    } else {
        format!("this function has {}", list(names.iter().map(String::as_str)))
    };
    let message = format!(
        "there is no parameter `{name}` for the credential: {there_are}; {advice}; if another attribute above has filled \
         `{name}` already, give each its own with `into = …`"
    );
    match &options.into {
        Some(into) => diagnostics.under(&into.value, message),
        None => diagnostics.at(function.sig.paren_token.span.join(), message),
    }
}

pub(super) fn check_type(spec: &Spec, parameter: &Parameter, diagnostics: &mut Diagnostics) {
    let credential = spec.credential;
    let forms = format!("`{credential}`, `&{credential}`, `&str`, `String` or `SecretString`");
    if types::has_impl_trait(&parameter.ty) {
        diagnostics
            .under(&parameter.ty, format_args!("`impl Trait` does not say what the credential is to be: use {forms}"));
        return;
    }
    let mut is_static = false;
    types::lifetimes(&parameter.ty, &mut |lifetime| {
        is_static |= matches!(lifetime, types::Use::Named(name) if name.ident == "static");
    });
    if is_static {
        diagnostics.under(
            &parameter.ty,
            format_args!("the credential lives only for the call, not for `'static`: use {forms}"),
        );
    }
}
