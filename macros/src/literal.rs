//! Expressions whose value is known at compile time.

use syn::{Expr, ExprUnary, Lit, LitStr, UnOp};

/// `expr` without invisible and written parentheses around it.
pub(crate) fn ungrouped(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => ungrouped(&group.expr),
        Expr::Paren(paren) => ungrouped(&paren.expr),
        expr => expr,
    }
}

/// The literal that `expr` is, however it is wrapped.
pub(crate) fn literal(expr: &Expr) -> Option<&Lit> {
    match ungrouped(expr) {
        Expr::Lit(literal) => Some(&literal.lit),
        Expr::Reference(reference) => literal(&reference.expr),
        Expr::Unary(ExprUnary { op: UnOp::Deref(_), expr, .. }) => literal(expr),
        // `-5`; `-"x"` is no text.
        Expr::Unary(unary) => literal(&unary.expr).filter(|literal| !matches!(literal, Lit::Str(_))),
        _ => None,
    }
}

/// The text of a string literal, however it is wrapped.
pub(crate) fn literal_text(expr: &Expr) -> Option<&LitStr> {
    match literal(expr) {
        Some(Lit::Str(text)) => Some(text),
        _ => None,
    }
}

/// The items of a list that is written out.
pub(crate) fn elements(expr: &Expr) -> Option<Vec<&Expr>> {
    match ungrouped(expr) {
        Expr::Array(array) => Some(array.elems.iter().collect()),
        Expr::Reference(reference) => elements(&reference.expr),
        _ => None,
    }
}
