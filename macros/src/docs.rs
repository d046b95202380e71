//! What rustdoc says of an annotated function.

use quote::ToTokens;
use syn::{Attribute, Expr, Lit, Meta, Pat, parse_quote};

use crate::source;
use crate::validate::{Options, Parameter, literal_text};

const HEADING: &str = "# Credentials";

/// Adds to the function's documentation which credential it fetches.
pub(crate) fn describe(attrs: &mut Vec<Attribute>, options: &Options, parameter: &Parameter) {
    let Some(provider) = &options.provider else {
        return;
    };
    let provider = match literal_text(provider) {
        Some(name) => name.value(),
        None => source::text(provider.to_token_stream()),
    };
    let name = match &parameter.pat {
        Pat::Ident(pat) => pat.ident.to_string(),
        pat => source::text(pat.to_token_stream()),
    };
    let mut lines = Vec::new();
    if last_heading(attrs).as_deref() != Some(HEADING) {
        lines.extend([String::new(), HEADING.to_owned(), String::new()]);
    }
    // Two backticks, because an expression may have one in it.
    lines.push(format!("- `{name}`: an API key from the credential provider ``{provider}``."));
    attrs.extend(lines.iter().map(|line| -> Attribute { parse_quote!(#[doc = #line]) }));
}

/// The last heading of the documentation, which is ours if another attribute has been here before.
fn last_heading(attrs: &[Attribute]) -> Option<String> {
    let lines: Vec<String> = attrs.iter().filter_map(doc_text).collect();
    lines.iter().flat_map(|text| text.lines()).map(str::trim).rfind(|line| line.starts_with('#')).map(str::to_owned)
}

fn doc_text(attr: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attr.meta else {
        return None;
    };
    match &meta.value {
        Expr::Lit(literal) if meta.path.is_ident("doc") => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
