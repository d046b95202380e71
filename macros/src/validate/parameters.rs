//! Which parameter of a function is to be which credential.

use proc_macro2::{Ident, Span};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{FnArg, GenericParam, Pat, PatType, Signature, Type, TypeParam, parse_quote};

use super::{Options, Parameter};
use crate::catalog::Spec;
use crate::diagnostics::Diagnostics;
use crate::parse::Function;
use crate::source;
use crate::stack::Requirement;
use crate::suggest::{closest, list};
use crate::tokens;
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
        let earlier = names.iter().zip(&claims).find(|(earlier, _)| **earlier == name).map(|(_, claim)| claim);
        let claim = match earlier {
            None => by_name(requirement.spec, options, &name, function, diagnostics),
            Some(Claim::Missing) => Claim::Missing,
            Some(_) => {
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
            }
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
        let credential = requirement.spec.credential;
        let alike = wanted
            .iter()
            .zip(&claims)
            .filter(|((other, _), claim)| matches!(claim, Claim::Missing) && other.spec.credential == credential);
        let meant =
            by_type(credential, alike.count(), &unclaimed).or_else(|| by_similar_name(&names[index], &unclaimed));
        if !options.into_is_unusable {
            missing(requirement, options, &names[index], &unclaimed, meant, function, diagnostics);
        }
        claims[index] = meant.map_or(Claim::Reported, |(position, _)| Claim::Position(position));
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
    let typed = || {
        function.sig.inputs.iter().enumerate().filter_map(|(position, input)| match input {
            FnArg::Typed(typed) => Some((position, typed)),
            FnArg::Receiver(_) => None,
        })
    };
    if let Some((position, _)) = typed().find(|(_, typed)| is_named(&typed.pat, name)) {
        return Claim::Position(position);
    }
    // What binds the name among others may be another's: only where no parameter has that name was it meant.
    let within = typed().find(|(_, typed)| tokens::has_variable(typed.pat.to_token_stream(), name));
    let Some((position, typed)) = within else {
        return Claim::Missing;
    };
    diagnostics.under(
        &typed.pat,
        format_args!(
            "the credential needs a parameter of its own, and this is a pattern: write `{name}: {}`",
            source::text(typed.ty.to_token_stream())
        ),
    );
    Claim::Position(position)
}

fn is_named(pat: &Pat, name: &Ident) -> bool {
    matches!(pat, Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() && pat.ident.unraw() == *name)
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

/// The first parameter whose type says that it is a `credential`, if there are as many as attributes that want one.
fn by_type<'a>(credential: &str, wanted: usize, parameters: &[Named<'a>]) -> Option<Named<'a>> {
    let of_type = || parameters.iter().filter(|(_, (typed, _))| types::is_or_refers_to(&typed.ty, credential));
    if of_type().count() == wanted { of_type().next().copied() } else { None }
}

/// The parameter whose name is `name` but for a slip, or the only one that ends with the same word.
fn by_similar_name<'a>(name: &Ident, parameters: &[Named<'a>]) -> Option<Named<'a>> {
    let named: Vec<(String, Named<'a>)> =
        parameters.iter().map(|parameter| (parameter.1.1.unraw().to_string(), *parameter)).collect();
    let name = name.to_string();
    if let Some(close) = closest(&name, named.iter().map(|(other, _)| other.as_str())) {
        return named.iter().find(|(other, _)| other == close).map(|(_, parameter)| *parameter);
    }
    let word = |name: &str| name.rsplit('_').next().map(str::to_owned);
    let mut alike = named.iter().filter(|(other, _)| word(other) == word(&name));
    match (alike.next(), alike.next()) {
        (Some((_, only)), None) => Some(*only),
        _ => None,
    }
}

fn missing(
    requirement: &Requirement,
    options: &Options,
    name: &Ident,
    parameters: &[Named<'_>],
    meant: Option<Named<'_>>,
    function: &Function,
    diagnostics: &mut Diagnostics,
) {
    let names: Vec<String> = parameters.iter().map(|(_, (_, ident))| ident.to_string()).collect();
    let credential = requirement.spec.credential;
    let advice = match meant {
        Some((_, (_, meant))) => format!("perhaps it is `into = {meant}`"),
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
    // Another attribute's prelude in the body is the only trace of a parameter that is gone.
    let was_expanded = function.body.as_ref().is_some_and(|body| tokens::has_ident(&body.tokens, "__private"));
    let taken = if was_expanded {
        format!("; if another attribute above has filled `{name}` already, give each its own with `into = …`")
    } else {
        String::new()
    };
    let message = format!("there is no parameter `{name}` for the credential: {there_are}; {advice}{taken}");
    match &options.into {
        Some(into) => diagnostics.under(&into.value, message),
        None if requirement.is_topmost() => diagnostics.at(function.sig.paren_token.span.join(), message),
        None => requirement.report(diagnostics, message),
    }
}

/// The name that `ty` is, without a path before it.
fn sole_name(ty: &Type) -> Option<&Ident> {
    match types::bare(ty) {
        Type::Path(path) if path.qself.is_none() => path.path.get_ident(),
        _ => None,
    }
}

/// The type parameter that `ty` is. It leaves a signature that has no other use for it, and so no way to infer it.
fn take_type_parameter(ty: &Type, sig: &mut Signature) -> Option<TypeParam> {
    let name = sole_name(ty)?;
    let found = sig.generics.type_params().find(|param| param.ident == *name)?.clone();
    let Signature { inputs, output, generics, .. } = sig;
    let is_it = |param: &GenericParam| matches!(param, GenericParam::Type(param) if param.ident == found.ident);
    let others = generics.params.iter().filter(|param| !is_it(param));
    let elsewhere = quote!(#inputs #output #(#others)*);
    if generics.where_clause.is_none() && !tokens::has_ident(&elsewhere, &found.ident.to_string()) {
        generics.params = std::mem::take(&mut generics.params).into_iter().filter(|param| !is_it(param)).collect();
    }
    Some(found)
}

/// Reports a type that no credential can have. One without a size goes on as a reference to it.
pub(super) fn check_type(spec: &Spec, parameter: &mut Parameter, sig: &mut Signature, diagnostics: &mut Diagnostics) {
    let credential = spec.credential;
    let forms = format!("`{credential}`, `&{credential}`, `&str`, `String` or `SecretString`");
    let is_text = sole_name(&parameter.ty).is_some_and(|name| name == "str");
    if is_text || matches!(types::bare(&parameter.ty), Type::Slice(_)) {
        let advice = if is_text { "write `&str`".to_owned() } else { format!("use {forms}") };
        diagnostics.under(&parameter.ty, format_args!("a parameter has a type of known size: {advice}"));
        let ty = &parameter.ty;
        parameter.ty = parse_quote!(&#ty);
        return;
    }
    if let Some(TypeParam { ident, bounds, .. }) = take_type_parameter(&parameter.ty, sig) {
        diagnostics.under(
            &parameter.ty,
            format_args!("`{ident}` is what a caller says, and no caller has the credential: use {forms}"),
        );
        parameter.ty = if bounds.is_empty() { parse_quote!(impl Sized) } else { parse_quote!(impl #bounds) };
        return;
    }
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
