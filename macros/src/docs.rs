//! What rustdoc says of an annotated function.

use quote::ToTokens;
use syn::{Attribute, Expr, Lit, Meta, Pat, parse_quote};

use crate::catalog::Kind;
use crate::literal::{elements, literal_text};
use crate::source;
use crate::suggest;
use crate::validate::{Credential, Options, Value};

const HEADING: &str = "# Credentials";

/// Adds to the function's documentation which credential it fetches.
pub(crate) fn describe(attrs: &mut Vec<Attribute>, credential: &Credential) {
    let name = match &credential.parameter.pat {
        Pat::Ident(pat) => pat.ident.to_string(),
        pat => source::text(pat.to_token_stream()),
    };
    let what = what(credential.spec.kind, &credential.options);
    let mut lines = Vec::new();
    if last_heading(attrs).as_deref() != Some(HEADING) {
        lines.extend([String::new(), HEADING.to_owned(), String::new()]);
    }
    lines.push(format!("- `{name}`: {what}."));
    attrs.extend(lines.iter().map(|line| -> Attribute { parse_quote!(#[doc = #line]) }));
}

fn what(kind: Kind, options: &Options) -> String {
    let provider = options.provider.as_ref().map(value).unwrap_or_default();
    match kind {
        Kind::ApiKey => format!("an API key from the credential provider {provider}"),
        Kind::AccessToken => {
            let scopes = match options.setting("scopes") {
                Some(Value::Texts(scopes)) => format!(", with the {}", several("scope", scopes)),
                _ => String::new(),
            };
            let flow = options.setting("auth_flow").map(flow).unwrap_or_default();
            format!("an OAuth2 access token from the credential provider {provider}{scopes}{flow}")
        }
        Kind::IamAccessToken => {
            let audience = match options.setting("audience") {
                Some(Value::OneOrMoreTexts(audience)) => format!(", for the {}", several("audience", audience)),
                _ => String::new(),
            };
            format!("a JWT that AWS STS signs{audience}")
        }
        Kind::WorkloadToken => "the workload access token of the caller".to_owned(),
    }
}

fn flow(flow: &Value) -> String {
    match flow {
        Value::Variant { variant: "M2m", written, .. } => format!(", for the agent itself (`{written}`)"),
        Value::Variant { variant: "UserFederation", written, .. } => {
            format!(", which the user consents to (`{written}`)")
        }
        Value::Variant { written, .. } => format!(", on behalf of the user (`{written}`)"),
        Value::Conversion { expr, .. } => format!(", by the flow {}", value(expr)),
        _ => String::new(),
    }
}

/// "scope `a`", "scopes `a` and `b`", or "scopes `SCOPES`".
fn several(noun: &str, list: &Expr) -> String {
    match elements(list).as_deref() {
        Some([item]) => format!("{noun} {}", value(item)),
        Some(items) => {
            let items: Vec<String> = items.iter().map(|item| value(item)).collect();
            format!("{noun}s {}", suggest::sentence(&items))
        }
        None if literal_text(list).is_some() => format!("{noun} {}", value(list)),
        None => format!("{noun}s {}", value(list)),
    }
}

/// The text that `expr` is, or what was written. In two backticks, because an expression may have one in it.
fn value(expr: &Expr) -> String {
    let text = match literal_text(expr) {
        Some(text) => text.value(),
        None => source::text(expr.to_token_stream()),
    };
    format!("``{text}``")
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
