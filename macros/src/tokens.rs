//! Which names occur in tokens that are not parsed.

use proc_macro2::{Ident, Literal, Spacing, TokenStream, TokenTree};
use syn::ext::IdentExt;

/// Whether the identifier `name` is somewhere in `tokens`.
pub(crate) fn has_ident(tokens: &TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => has_ident(&group.stream(), name),
        _ => false,
    })
}

/// The names in `tokens` that may be those of variables, be it an expression's or those that a pattern binds. None is
/// left out but those of fields, methods, lifetimes and parts of longer paths.
pub(crate) fn variables(tokens: TokenStream) -> Vec<String> {
    let mut names = Vec::new();
    collect(tokens, &mut names);
    names
}

/// Whether a variable of this name may be in `tokens`, also in the braces of a format string.
pub(crate) fn has_variable(tokens: TokenStream, name: &Ident) -> bool {
    let name = name.unraw().to_string();
    variables(tokens).contains(&name)
}

fn collect(tokens: TokenStream, names: &mut Vec<String>) {
    let mut tokens = tokens.into_iter().peekable();
    let mut before = Before::Other;
    while let Some(token) = tokens.next() {
        match &token {
            TokenTree::Ident(ident) => {
                let is_key = matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
                if !is_key && !matches!(before, Before::Member) && !names_nothing(ident) {
                    names.push(ident.unraw().to_string());
                }
            }
            TokenTree::Group(group) => collect(group.stream(), names),
            TokenTree::Literal(literal) => captured(literal, names),
            TokenTree::Punct(_) => {}
        }
        before = before.then(&token);
    }
}

fn names_nothing(ident: &Ident) -> bool {
    ident == "mut" || ident == "ref" || ident == "_"
}

/// What an identifier comes after.
#[derive(Clone, Copy)]
enum Before {
    /// One `:`, which may be the first of two.
    Colon,
    /// `.`, `::` or `'`, after which there is no variable.
    Member,
    Other,
}

impl Before {
    fn then(self, token: &TokenTree) -> Self {
        let TokenTree::Punct(punct) = token else {
            return Self::Other;
        };
        match (self, punct.as_char()) {
            (Self::Colon, ':') | (_, '\'') => Self::Member,
            (_, ':') if punct.spacing() == Spacing::Joint => Self::Colon,
            // `..limit` is a range up to a variable.
            (Self::Member, '.') => Self::Other,
            (_, '.') => Self::Member,
            _ => Self::Other,
        }
    }
}

/// The variables that `literal` takes if it is a format string, as in `{name}`, `{name:?}` and `{:width$}`.
fn captured(literal: &Literal, names: &mut Vec<String>) {
    let text = literal.to_string().replace("{{", "");
    for (start, _) in text.match_indices('{') {
        let within = &text[start + 1..];
        let within = &within[..within.find('}').unwrap_or(within.len())];
        let words = within.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        names.extend(words.map(str::to_owned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_variables(source: &str, expected: &[&str]) {
        assert_eq!(variables(source.parse().unwrap()), expected, "{source}");
    }

    #[test]
    fn of_expressions() {
        assert_variables("p.limit", &["p"]);
        assert_variables("&mut self.names[limit..end].len()", &["self", "limit", "end"]);
        assert_variables("crate::names::OPENAI", &[]);
        assert_variables(
            "|error: &E| matches!(error, E::Status(n) if n > r#limit)",
            &["E", "matches", "error", "n", "if", "n", "limit"],
        );
        assert_variables("Tenant { name: tenant, ..other }", &["Tenant", "tenant", "other"]);
        assert_variables(
            r##"format!("{tenant}-{:>width$}-{{x}}", r#"{id:?}"#)"##,
            &["format", "tenant", "width", "id"],
        );
    }

    #[test]
    fn of_patterns() {
        assert_variables("Settings { api_key: other, model, .. }", &["Settings", "other", "model"]);
        assert_variables("(ref mut a, Kind::B(b), [first, .., last])", &["a", "b", "first", "last"]);
    }
}
