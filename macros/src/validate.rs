//! From what was written to what is meant, with every mistake reported where it was made.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Expr, ExprLit, ExprUnary, FnArg, Lit, LitStr, Pat, PatType, Path, ReturnType, UnOp};

use crate::borrow;
use crate::catalog::{self, Spec};
use crate::diagnostics::Diagnostics;
use crate::instrument;
use crate::limits;
use crate::parse::{self, Argument, Function};
use crate::suggest::{closest, list};
use crate::types;

/// The attribute's options, each as far as it is usable.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) provider: Option<Expr>,
    pub(crate) into: Option<Into>,
    pub(crate) client: Option<Expr>,
    pub(crate) retry_if: Option<Expr>,
    /// The path of the runtime crate, if it is not `::agentcore_identity`.
    pub(crate) krate: Option<Path>,
}

/// The value of `into`.
pub(crate) struct Into {
    name: Ident,
    /// What was written, for errors to point at.
    value: Expr,
}

/// Says which options `arguments` set.
pub(crate) fn options(spec: &Spec, arguments: Vec<Argument>, diagnostics: &mut Diagnostics) -> Options {
    let mut options = Options::default();
    let mut given = Vec::new();
    let mut set = HashSet::new();
    for Argument { name, value } in arguments {
        let Some(option) = option_named(spec, &name, diagnostics) else {
            continue;
        };
        given.push(option);
        let Some(value) = value else { continue };
        if !set.insert(option) {
            diagnostics.under(&name, format_args!("`{option}` is given twice: keep one of them"));
            continue;
        }
        match option {
            "provider" => options.provider = provider(value, diagnostics),
            "into" => options.into = into(spec, value, diagnostics),
            "client" => options.client = code(option, "self.identity", value, diagnostics),
            "retry_if" => options.retry_if = code(option, "is_rejected", value, diagnostics),
            "crate" => options.krate = krate(&value, diagnostics),
            _ => unreachable!("`{option}` is in the table of options"),
        }
    }
    if !given.contains(&"provider") && spec.takes("provider") {
        diagnostics.at(
            Span::call_site(),
            format_args!("`#[{}]` needs the name of a credential provider: add `provider = \"…\"`", spec.name),
        );
    }
    options
}

/// The option that `name` stands for, even if it is spelled wrong: then its value counts as given.
fn option_named(spec: &Spec, name: &Ident, diagnostics: &mut Diagnostics) -> Option<&'static str> {
    let spelling = name.unraw().to_string();
    if let Some(option) = spec.options.iter().find(|option| **option == spelling) {
        return Some(option);
    }
    let known = format!("`#[{}]` takes {}", spec.name, list(spec.options.iter().copied()));
    let owners: Vec<&str> = spec.siblings_with(&spelling).iter().map(|spec| spec.name).collect();
    if !owners.is_empty() {
        let owners: Vec<String> = owners.iter().map(|owner| format!("#[{owner}]")).collect();
        let owners = list(owners.iter().map(String::as_str));
        diagnostics.under(name, format_args!("`{spelling}` belongs to {owners}; {known}"));
        return None;
    }
    let meant = spec.translate(&spelling).or_else(|| closest(&spelling, spec.options.iter().copied()));
    let hint = meant.map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
    diagnostics.under(name, format_args!("there is no option `{spelling}`: {hint}{known}"));
    meant
}

fn provider(value: Expr, diagnostics: &mut Diagnostics) -> Option<Expr> {
    match literal(&value) {
        None => Some(value),
        Some(Lit::Str(name)) => match limits::provider_name(&name.value()) {
            Ok(()) => Some(value),
            Err(problem) => {
                diagnostics.under(name, problem);
                None
            }
        },
        Some(other) => {
            diagnostics
                .under(other, "`provider` takes the name of a credential provider, a string: `provider = \"…\"`");
            None
        }
    }
}

fn into(spec: &Spec, value: Expr, diagnostics: &mut Diagnostics) -> Option<Into> {
    let name = parameter_name(&value);
    if name.is_none() {
        diagnostics.under(
            &value,
            format_args!("`into` takes the name of one of the function's parameters: `into = {}`", spec.parameter),
        );
    }
    name.map(|name| Into { name, value })
}

fn parameter_name(value: &Expr) -> Option<Ident> {
    match ungrouped(value) {
        Expr::Path(path) if path.attrs.is_empty() => path.path.get_ident().cloned(),
        Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) => name.parse_with(Ident::parse_any).ok(),
        _ => None,
    }
}

/// An option whose value is code, and not code in quotes.
fn code(option: &str, example: &str, value: Expr, diagnostics: &mut Diagnostics) -> Option<Expr> {
    if let Some(literal) = literal(&value) {
        let written = match literal {
            Lit::Str(text) if text.parse::<Expr>().is_ok() => text.value(),
            _ => example.to_owned(),
        };
        diagnostics
            .under(literal, format_args!("`{option}` takes an expression, not a literal: `{option} = {written}`"));
        return None;
    }
    Some(value)
}

fn krate(value: &Expr, diagnostics: &mut Diagnostics) -> Option<Path> {
    let path = match ungrouped(value) {
        Expr::Path(path) if path.qself.is_none() => Some(path.path.clone()),
        Expr::Lit(ExprLit { lit: Lit::Str(path), .. }) => path.parse_with(Path::parse_mod_style).ok(),
        _ => None,
    };
    if path.is_none() {
        diagnostics
            .under(value, "`crate` takes the path of the crate `agentcore-identity`: `crate = ::agentcore_identity`");
    }
    path
}

/// `expr` without invisible and written parentheses around it.
pub(crate) fn ungrouped(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => ungrouped(&group.expr),
        Expr::Paren(paren) => ungrouped(&paren.expr),
        expr => expr,
    }
}

/// The literal that `expr` is, however it is wrapped.
fn literal(expr: &Expr) -> Option<&Lit> {
    match ungrouped(expr) {
        Expr::Lit(literal) => Some(&literal.lit),
        Expr::Reference(reference) => literal(&reference.expr),
        Expr::Unary(ExprUnary { op: UnOp::Deref(_), expr, .. }) => literal(expr),
        // `-5`; `-"x"` is no text.
        Expr::Unary(unary) => literal(&unary.expr).filter(|literal| !matches!(literal, Lit::Str(_))),
        _ => None,
    }
}

/// The parameter that the credential is bound to, out of the signature.
#[derive(Clone)]
pub(crate) struct Parameter {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) pat: Pat,
    pub(crate) ty: syn::Type,
}

/// Takes the parameter to inject out of `function`, and checks that the function can be given a credential.
///
/// The parameter leaves the signature even if there is a mistake, so that no call is wrong because of it.
pub(crate) fn function(
    spec: &Spec,
    options: &Options,
    function: &mut Function,
    diagnostics: &mut Diagnostics,
) -> Option<Parameter> {
    strip_docs_of_parameters(function);
    if function.body.is_none() {
        diagnostics.under(
            &function.sig.ident,
            format_args!(
                "a function without a body has no use for a credential: put `#[{}]` on the implementations, \
                 and leave the parameter out here",
                spec.name
            ),
        );
    }
    check_async(spec, function, diagnostics);
    if function.body.is_some() && matches!(function.sig.output, ReturnType::Default) {
        diagnostics.under(
            &function.sig.ident,
            "a function that needs a credential returns a `Result`, for when there is none: add a return type such as \
             `-> Result<(), agentcore_identity::Error>`",
        );
    }
    let (index, parameter) = find(spec, options, function, diagnostics)?;
    check_type(&parameter, diagnostics);
    if let Some(body) = &function.body {
        instrument::check(spec.name, body, &parameter, diagnostics);
    }
    let inputs = std::mem::take(&mut function.sig.inputs);
    function.sig.inputs =
        inputs.into_pairs().enumerate().filter(|(position, _)| *position != index).map(|(_, pair)| pair).collect();
    borrow::check_result(function, &parameter, options.retry_if.is_some(), diagnostics);
    borrow::drop_unused_lifetimes(function, &parameter);
    Some(parameter)
}

/// rustc takes no doc comments on parameters, which it notices only after the attributes.
fn strip_docs_of_parameters(function: &mut Function) {
    for input in &mut function.sig.inputs {
        match input {
            FnArg::Receiver(receiver) => &mut receiver.attrs,
            FnArg::Typed(typed) => &mut typed.attrs,
        }
        .retain(|attr| !attr.path().is_ident("doc"));
    }
}

fn check_async(spec: &Spec, function: &Function, diagnostics: &mut Diagnostics) {
    let sig = &function.sig;
    if sig.asyncness.is_some() {
        return;
    }
    let by_async_trait = sig.generics.lifetimes().any(|param| param.lifetime.ident == "async_trait");
    if by_async_trait {
        diagnostics.under(
            &sig.ident,
            format_args!(
                "`#[async_trait]` has rewritten this function before `#[{}]` could see it: write the trait and its \
                 implementations with plain `async fn`, or put the credential on an `async fn` outside of the trait \
                 and call that one from here",
                spec.name
            ),
        );
        return;
    }
    diagnostics.under(
        sig.fn_token,
        format_args!(
            "fetching a credential takes an `async fn`: write `async fn {}`; if another attribute has made this \
             function from an `async fn`, put `#[{}]` above that attribute",
            sig.ident, spec.name
        ),
    );
}

fn find(
    spec: &Spec,
    options: &Options,
    function: &Function,
    diagnostics: &mut Diagnostics,
) -> Option<(usize, Parameter)> {
    let sig = &function.sig;
    let name = match &options.into {
        Some(into) => into.name.unraw(),
        None => Ident::new(spec.parameter, Span::call_site()),
    };
    if let Some(into) = options.into.as_ref().filter(|_| name == "self") {
        diagnostics.under(
            &into.value,
            format_args!("`self` cannot be a credential: `into` names another parameter, such as `{}`", spec.parameter),
        );
        return None;
    }
    for (index, input) in sig.inputs.iter().enumerate() {
        match input {
            FnArg::Typed(typed) if binds(&typed.pat, &name) => return Some((index, parameter(typed))),
            FnArg::Typed(typed) if mentions_name(&typed.pat, &name) => {
                diagnostics.under(
                    &typed.pat,
                    format_args!(
                        "the credential needs a parameter of its own, and this is a pattern: write `{name}: {}`",
                        source_of(&typed.ty)
                    ),
                );
                return Some((index, parameter(typed)));
            }
            _ => {}
        }
    }

    let candidates: Vec<(usize, &PatType, &Ident)> = sig
        .inputs
        .iter()
        .enumerate()
        .filter_map(|(index, input)| match input {
            FnArg::Typed(typed) => match &*typed.pat {
                Pat::Ident(pat) => Some((index, typed, &pat.ident)),
                _ => None,
            },
            FnArg::Receiver(_) => None,
        })
        .collect();
    // The name is wrong, but a type of ours says which parameter was meant.
    let by_type = match candidates.iter().filter(|(_, typed, _)| is_credential(&typed.ty)).collect::<Vec<_>>()[..] {
        [candidate] => Some(candidate),
        _ => None,
    };
    let names: Vec<String> = candidates.iter().map(|(_, _, ident)| ident.to_string()).collect();
    let meant = by_type.map(|(_, _, ident)| ident.to_string()).or_else(|| {
        let close = closest(&name.to_string(), names.iter().map(String::as_str));
        close.map(str::to_owned)
    });
    let advice = match meant {
        Some(meant) => format!("perhaps it is `into = {meant}`"),
        None if options.into.is_none() && !names.is_empty() => {
            format!("add `{name}: ApiKey`, or say which one it is with `into = …`")
        }
        None => format!("add `{name}: ApiKey`"),
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
        None => diagnostics.at(sig.paren_token.span.join(), message),
    }
    by_type.map(|(index, typed, _)| (*index, parameter(typed)))
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

fn parameter(typed: &PatType) -> Parameter {
    Parameter { attrs: typed.attrs.clone(), pat: (*typed.pat).clone(), ty: (*typed.ty).clone() }
}

fn is_credential(ty: &syn::Type) -> bool {
    match types::bare(ty) {
        syn::Type::Reference(reference) => is_credential(&reference.elem),
        ty => types::simple_name(ty).is_some_and(|name| name == "ApiKey"),
    }
}

fn source_of(ty: &syn::Type) -> String {
    crate::source::text(ty.to_token_stream())
}

fn check_type(parameter: &Parameter, diagnostics: &mut Diagnostics) {
    const FORMS: &str = "`ApiKey`, `&ApiKey`, `&str`, `String` or `SecretString`";
    if types::has_impl_trait(&parameter.ty) {
        diagnostics
            .under(&parameter.ty, format_args!("`impl Trait` does not say what the credential is to be: use {FORMS}"));
        return;
    }
    let mut is_static = false;
    types::lifetimes(&parameter.ty, &mut |lifetime| {
        is_static |= matches!(lifetime, types::Use::Named(name) if name.ident == "static");
    });
    if is_static {
        diagnostics.under(
            &parameter.ty,
            format_args!("the credential lives only for the call, not for `'static`: use {FORMS}"),
        );
    }
}

/// Reports and removes the attributes in `attrs` that would fill the parameter that this one fills.
pub(crate) fn conflicts(spec: &Spec, options: &Options, attrs: &mut Vec<Attribute>, diagnostics: &mut Diagnostics) {
    let name = match &options.into {
        Some(into) => into.name.unraw().to_string(),
        None => spec.parameter.to_owned(),
    };
    attrs.retain(|attr| {
        let Some(other) = attr.path().segments.last().and_then(|last| catalog::named(&last.ident.unraw().to_string()))
        else {
            return true;
        };
        if target(other, attr) != name {
            return true;
        }
        diagnostics.under(
            attr,
            format_args!(
                "two attributes fill the parameter `{name}`: give each its own, and name this one's with `into = …`"
            ),
        );
        false
    });
}

/// The parameter that the attribute `attr` fills.
fn target(spec: &Spec, attr: &Attribute) -> String {
    let tokens = match &attr.meta {
        syn::Meta::List(list) => list.tokens.clone(),
        _ => proc_macro2::TokenStream::new(),
    };
    // Its own mistakes are for itself to report.
    parse::arguments(spec, tokens, &mut Diagnostics::default())
        .iter()
        .filter(|argument| argument.name == "into")
        .find_map(|argument| parameter_name(argument.value.as_ref()?))
        .map_or_else(|| spec.parameter.to_owned(), |name| name.unraw().to_string())
}

/// The text of a string literal, however it is wrapped.
pub(crate) fn literal_text(expr: &Expr) -> Option<&LitStr> {
    match literal(expr) {
        Some(Lit::Str(text)) => Some(text),
        _ => None,
    }
}
