//! What each option's value may be. What is literal is checked here, what is not when it runs.

use std::collections::HashSet;

use proc_macro2::Ident;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Expr, ExprLit, ExprUnary, Lit, LitStr, Path, UnOp};

use super::options::{Into, Value};
use crate::catalog::Spec;
use crate::diagnostics::Diagnostics;
use crate::limits::{self, Limit};
use crate::literal::{elements, literal, literal_text, ungrouped};
use crate::suggest::closest;

pub(super) const USER_FEDERATION: &str = "USER_FEDERATION";

/// The flows as the service spells them, and the variants of `AuthFlow`.
const FLOWS: [(&str, &str); 3] =
    [("M2M", "M2m"), (USER_FEDERATION, "UserFederation"), ("ON_BEHALF_OF_TOKEN_EXCHANGE", "OnBehalfOfTokenExchange")];

/// What OAuth2 and others call the flows.
const OTHER_FLOWS: [(&str, &str); 8] = [
    ("CLIENT_CREDENTIALS", "M2M"),
    ("2LO", "M2M"),
    ("AUTHORIZATION_CODE", USER_FEDERATION),
    ("3LO", USER_FEDERATION),
    ("USER", USER_FEDERATION),
    ("OBO", "ON_BEHALF_OF_TOKEN_EXCHANGE"),
    ("TOKEN_EXCHANGE", "ON_BEHALF_OF_TOKEN_EXCHANGE"),
    ("JWT_AUTHORIZATION_GRANT", "ON_BEHALF_OF_TOKEN_EXCHANGE"),
];

/// The algorithms as the service spells them, and the variants of `SigningAlgorithm`.
const ALGORITHMS: [(&str, &str); 2] = [("ES384", "Es384"), ("RS256", "Rs256")];

/// A text within `limit`: `what`.
pub(super) fn text(
    option: &str,
    what: &str,
    limit: &Limit,
    value: Expr,
    diagnostics: &mut Diagnostics,
) -> Option<Expr> {
    let usable = match literal(&value) {
        None => not_a_list(option, &value, diagnostics),
        Some(Lit::Str(text)) => within(limit, text, diagnostics),
        Some(other) => {
            diagnostics.under(other, format_args!("`{option}` takes {what}: `{option} = \"…\"`"));
            false
        }
    };
    usable.then_some(value)
}

fn not_a_list(option: &str, value: &Expr, diagnostics: &mut Diagnostics) -> bool {
    let Some(array) = elements(value) else {
        return true;
    };
    let written = match array.first().and_then(|item| literal_text(item)) {
        Some(first) if array.len() == 1 => first.to_token_stream().to_string(),
        _ => "\"…\"".to_owned(),
    };
    diagnostics.under(value, format_args!("`{option}` takes one value and no list: `{option} = {written}`"));
    false
}

/// A list of texts that are each within `limit`.
pub(super) fn texts(option: &str, limit: &Limit, value: Expr, diagnostics: &mut Diagnostics) -> Option<Expr> {
    if let Some(literal) = literal(&value) {
        let written = match literal {
            Lit::Str(text) => as_list(&text.value()),
            _ => "[\"…\"]".to_owned(),
        };
        diagnostics.under(literal, format_args!("`{option}` takes a list: write `{written}`"));
        return None;
    }
    check_texts(option, limit, &value, diagnostics).then_some(value)
}

/// `text` as the list that its author had in mind.
fn as_list(text: &str) -> String {
    let items = text.split(|c: char| c.is_whitespace() || c == ',').filter(|item| !item.is_empty());
    let items: Vec<String> = items.map(|item| format!("\"{}\"", item.escape_debug())).collect();
    format!("[{}]", items.join(", "))
}

fn check_texts(option: &str, limit: &Limit, value: &Expr, diagnostics: &mut Diagnostics) -> bool {
    let mut usable = true;
    for item in elements(value).unwrap_or_default() {
        usable &= match literal(item) {
            None => true,
            Some(Lit::Str(text)) => within(limit, text, diagnostics),
            Some(other) => {
                diagnostics.under(other, format_args!("`{option}` takes strings: `{option} = [\"…\"]`"));
                false
            }
        };
    }
    usable
}

/// Who is to accept a JWT that AWS STS signs: one or several.
pub(super) fn audience(value: Expr, diagnostics: &mut Diagnostics) -> Option<Expr> {
    const OPTION: &str = "audience";
    let usable = match (literal(&value), elements(&value)) {
        (Some(Lit::Str(text)), _) => within(&limits::IAM_AUDIENCE, text, diagnostics),
        (Some(other), _) => {
            diagnostics.under(other, "`audience` takes a string or a list of strings: `audience = \"https://…\"`");
            false
        }
        (None, Some(items)) if !(1..=limits::IAM_AUDIENCES_MAX).contains(&items.len()) => {
            let max = limits::IAM_AUDIENCES_MAX;
            diagnostics
                .under(&value, format_args!("a token is for 1 to {max} audiences, and this list has {}", items.len()));
            false
        }
        (None, _) => check_texts(OPTION, &limits::IAM_AUDIENCE, &value, diagnostics),
    };
    usable.then_some(value)
}

pub(super) fn auth_flow(value: Expr, diagnostics: &mut Diagnostics) -> Option<Value> {
    let known = || {
        let [a, b, c] = FLOWS.map(|(flow, _)| flow);
        format!("the flow is \"{a}\", \"{b}\" or \"{c}\"")
    };
    match literal(&value) {
        None => Some(Value::Conversion { function: "auth_flow", expr: value }),
        Some(Lit::Str(text)) => {
            let flow = text.value();
            if let Some((written, variant)) = FLOWS.into_iter().find(|(name, _)| *name == flow) {
                return Some(Value::Variant { ty: "AuthFlow", variant, written });
            }
            let elsewhere = OTHER_FLOWS.into_iter().find(|(other, _)| same_word(other, &flow)).map(|(_, name)| name);
            let meant = elsewhere.or_else(|| closest(&flow, FLOWS.map(|(name, _)| name)));
            let hint = meant.map(|meant| format!("did you mean \"{meant}\"? ")).unwrap_or_default();
            diagnostics.under(text, format_args!("there is no such flow: {hint}{}", known()));
            None
        }
        Some(other) => {
            diagnostics.under(other, format_args!("`auth_flow` takes a string: {}", known()));
            None
        }
    }
}

pub(super) fn signing_algorithm(value: Expr, diagnostics: &mut Diagnostics) -> Option<Value> {
    const KNOWN: &str = "AWS STS signs with \"ES384\" or \"RS256\"";
    match literal(&value) {
        None => Some(Value::Conversion { function: "signing_algorithm", expr: value }),
        Some(Lit::Str(text)) => {
            let algorithm = text.value();
            if let Some((written, variant)) = ALGORITHMS.into_iter().find(|(name, _)| *name == algorithm) {
                return Some(Value::Variant { ty: "SigningAlgorithm", variant, written });
            }
            // One digit off is another algorithm, so only the spelling is corrected.
            let meant = ALGORITHMS.into_iter().find(|(name, _)| same_word(name, &algorithm));
            let hint = meant.map(|(name, _)| format!("did you mean \"{name}\"? ")).unwrap_or_default();
            diagnostics.under(text, format_args!("there is no such algorithm here: {hint}{KNOWN}"));
            None
        }
        Some(other) => {
            diagnostics.under(other, format_args!("`signing_algorithm` takes a string: {KNOWN}"));
            None
        }
    }
}

/// Whether the two differ in case and punctuation at the most.
fn same_word(a: &str, b: &str) -> bool {
    let fold = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    fold(a) == fold(b)
}

pub(super) fn duration_seconds(value: Expr, diagnostics: &mut Diagnostics) -> Option<Expr> {
    let (min, max) = (limits::DURATION_SECONDS.start(), limits::DURATION_SECONDS.end());
    let problem = match literal(&value) {
        None => return Some(value),
        Some(Lit::Int(number)) if !negative(&value) => match number.base10_parse::<u32>() {
            Ok(seconds) if limits::DURATION_SECONDS.contains(&seconds) => return Some(value),
            _ => format!("a token lives for {min} to {max} seconds, and this is {number}"),
        },
        Some(Lit::Int(_)) => format!("a token lives for {min} to {max} seconds"),
        Some(_) => {
            format!("`duration_seconds` takes a whole number of {min} to {max} seconds: `duration_seconds = 300`")
        }
    };
    diagnostics.under(&value, problem);
    None
}

fn negative(value: &Expr) -> bool {
    matches!(ungrouped(value), Expr::Unary(ExprUnary { op: UnOp::Neg(_), .. }))
}

pub(super) fn boolean(option: &str, value: Expr, diagnostics: &mut Diagnostics) -> Option<Expr> {
    match literal(&value) {
        None | Some(Lit::Bool(_)) => Some(value),
        Some(other) => {
            let written = match other {
                Lit::Str(text) if text.value().eq_ignore_ascii_case("false") => "false",
                _ => "true",
            };
            diagnostics.under(other, format_args!("`{option}` takes `true` or `false`: `{option} = {written}`"));
            None
        }
    }
}

pub(super) fn custom_parameters(value: Expr, diagnostics: &mut Diagnostics) -> Option<Expr> {
    let (key, text) = (&limits::CUSTOM_PARAMETER_KEY, &limits::CUSTOM_PARAMETER_VALUE);
    pairs("custom_parameters", key, text, value, diagnostics)
}

pub(super) fn tags(value: Expr, diagnostics: &mut Diagnostics) -> Option<Expr> {
    let max = limits::TAGS_MAX;
    if let Some(items) = elements(&value).filter(|items| items.len() > max) {
        diagnostics.under(&value, format_args!("a token has at most {max} tags, and these are {}", items.len()));
        return None;
    }
    pairs("tags", &limits::TAG_KEY, &limits::TAG_VALUE, value, diagnostics)
}

fn pairs(option: &str, key: &Limit, text: &Limit, value: Expr, diagnostics: &mut Diagnostics) -> Option<Expr> {
    let example = format!("`{option} = [(\"key\", \"value\")]`");
    if let Some(literal) = literal(&value) {
        diagnostics.under(literal, format_args!("`{option}` takes a list of pairs: {example}"));
        return None;
    }
    let mut usable = true;
    let mut keys = HashSet::new();
    for item in elements(&value).unwrap_or_default() {
        let pair = match ungrouped(item) {
            Expr::Tuple(tuple) => tuple.elems.iter().collect::<Vec<_>>(),
            item if literal(item).is_some() => Vec::new(),
            _ => continue,
        };
        let &[name, content] = &pair[..] else {
            diagnostics.under(item, format_args!("each item is a pair: {example}"));
            usable = false;
            continue;
        };
        for (part, limit) in [(name, key), (content, text)] {
            usable &= match literal(part) {
                None => true,
                Some(Lit::Str(text)) => within(limit, text, diagnostics),
                Some(other) => {
                    diagnostics.under(other, format_args!("key and value are strings: {example}"));
                    false
                }
            };
        }
        if let Some(name) = literal_text(name)
            && !keys.insert(name.value())
        {
            diagnostics.under(name, "this key is there twice: keep one of them");
            usable = false;
        }
    }
    usable.then_some(value)
}

fn within(limit: &Limit, text: &LitStr, diagnostics: &mut Diagnostics) -> bool {
    let checked = limit.check(&text.value());
    if let Err(problem) = &checked {
        diagnostics.under(text, problem);
    }
    checked.is_ok()
}

pub(super) fn into(spec: &Spec, value: Expr, diagnostics: &mut Diagnostics) -> Option<Into> {
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
pub(super) fn code(option: &str, example: &str, value: Expr, diagnostics: &mut Diagnostics) -> Option<Expr> {
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

/// A function of one parameter.
pub(super) fn handler(option: &str, value: Expr, diagnostics: &mut Diagnostics) -> Option<Expr> {
    // rustc has two words for it, of which one leads astray.
    if let Expr::Closure(closure) = ungrouped(&value)
        && closure.inputs.len() != 1
    {
        diagnostics.under(
            closure,
            format_args!("`{option}` takes a function of one `PendingAuthorization`: `{option} = |authorization| …`"),
        );
        return None;
    }
    code(option, "show", value, diagnostics)
}

pub(super) fn krate(value: &Expr, diagnostics: &mut Diagnostics) -> Option<Path> {
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
