//! Tokens as a person would have typed them.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// The text of `tokens`, spaced for reading rather than for parsing.
pub(crate) fn text(tokens: TokenStream) -> String {
    let mut text = String::new();
    write(tokens, &mut text);
    text
}

fn write(tokens: TokenStream, text: &mut String) {
    let mut previous: Option<TokenTree> = None;
    let mut joint = false;
    for token in tokens {
        if previous.as_ref().is_some_and(|previous| !joint && spaced(previous, &token)) {
            text.push(' ');
        }
        joint = matches!(&token, TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint);
        match &token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{ ", " }"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                write(group.stream(), text);
                text.push_str(close);
            }
            other => text.push_str(&other.to_string()),
        }
        previous = Some(token);
    }
}

fn spaced(left: &TokenTree, right: &TokenTree) -> bool {
    let tight_before = match right {
        TokenTree::Punct(punct) => matches!(punct.as_char(), '.' | ',' | ';' | ':' | '?' | '!'),
        TokenTree::Group(group) => {
            group.delimiter() != Delimiter::Brace && !matches!(left, TokenTree::Punct(p) if p.as_char() != '>')
        }
        _ => false,
    };
    let tight_after = match left {
        TokenTree::Punct(punct) => matches!(punct.as_char(), '.' | ':' | '&' | '!' | '*' | '\''),
        _ => false,
    };
    !tight_before && !tight_after
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_typed() {
        for source in [
            "self.provider()",
            "crate::providers::OPENAI",
            "&self.names[0]",
            "format!(\"{}-{}\", a, b.c)",
            "tenant?.provider(1)",
        ] {
            assert_eq!(text(source.parse().unwrap()), source);
        }
    }
}
