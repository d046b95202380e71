//! From what was written to what is meant, with every mistake reported where it was made.

mod options;
mod parameters;
mod values;

use syn::{Attribute, Pat, ReturnType};

pub(crate) use self::options::{Options, Setting, Value};
use crate::borrow;
use crate::catalog::Spec;
use crate::diagnostics::Diagnostics;
use crate::instrument;
use crate::parse::Function;
use crate::stack::Requirement;
use crate::tokens;

/// A credential that a function is to have.
pub(crate) struct Credential {
    pub(crate) spec: &'static Spec,
    pub(crate) options: Options,
    pub(crate) parameter: Parameter,
}

/// The parameter that a credential is bound to, out of the signature.
#[derive(Clone)]
pub(crate) struct Parameter {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) pat: Pat,
    pub(crate) ty: syn::Type,
}

/// Says which credentials are required, takes their parameters out of `function`, and checks that it can be given them.
///
/// The parameters leave the signature even if there is a mistake, so that no call is wrong because of it.
pub(crate) fn credentials(
    requirements: &[Requirement],
    function: &mut Function,
    diagnostics: &mut Diagnostics,
) -> Vec<Credential> {
    let wanted: Vec<(&Requirement, Options)> = requirements
        .iter()
        .map(|requirement| {
            let arguments = requirement.arguments(diagnostics);
            (requirement, options::options(requirement, arguments, diagnostics))
        })
        .collect();
    strip_docs_of_parameters(function);
    if let Some(topmost) = requirements.first() {
        check_function(topmost.spec, function, diagnostics);
    }
    let parameters = parameters::take(&wanted, function, diagnostics);
    let mut credentials: Vec<Credential> = wanted
        .into_iter()
        .zip(parameters)
        .filter_map(|((Requirement { spec, .. }, options), parameter)| {
            Some(Credential { spec, options, parameter: parameter? })
        })
        .collect();
    for Credential { spec, parameter, .. } in &mut credentials {
        parameters::check_type(spec, parameter, &mut function.sig, diagnostics);
        if let Some(body) = &function.body {
            instrument::check(spec, body, parameter, diagnostics);
        }
    }
    borrow::check_result(function, &credentials, diagnostics);
    for Credential { parameter, .. } in &credentials {
        borrow::drop_unused_lifetimes(function, parameter);
    }
    credentials
}

/// rustc takes no doc comments on parameters, which it notices only after the attributes.
fn strip_docs_of_parameters(function: &mut Function) {
    for input in &mut function.sig.inputs {
        match input {
            syn::FnArg::Receiver(receiver) => &mut receiver.attrs,
            syn::FnArg::Typed(typed) => &mut typed.attrs,
        }
        .retain(|attr| !attr.path().is_ident("doc"));
    }
}

fn check_function(spec: &Spec, function: &Function, diagnostics: &mut Diagnostics) {
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
}

fn check_async(spec: &Spec, function: &Function, diagnostics: &mut Diagnostics) {
    let Function { sig, body, .. } = function;
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
    let (function, attribute) = (&sig.ident, spec.name);
    if body.as_ref().is_some_and(|body| tokens::has_ident(&body.tokens, "async")) {
        diagnostics.under(
            sig.fn_token,
            format_args!(
                "fetching a credential takes an `async fn`: if another attribute has made this function from an \
                 `async fn`, put `#[{attribute}]` above that attribute; else write `async fn {function}`"
            ),
        );
    } else {
        diagnostics.under(
            sig.fn_token,
            format_args!("fetching a credential takes an `async fn`: write `async fn {function}`"),
        );
    }
}
