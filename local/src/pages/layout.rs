//! The frame around every page: one style sheet, no script, nothing from elsewhere.

use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");

/// A whole page with one thing to read or to do. `title` is its heading, and stands in the browser's tab.
pub(crate) fn page(title: &str, body: Markup) -> String {
    frame(title, "narrow", body)
}

/// A whole page with much to see.
pub(crate) fn wide_page(title: &str, body: Markup) -> String {
    frame(title, "wide", body)
}

#[expect(clippy::needless_pass_by_value, reason = "markup is made for one page")]
fn frame(title: &str, width: &str, body: Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Local AgentCore Identity" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { "Local AgentCore Identity" }
                main class=(width) {
                    h1 { (title) }
                    (body)
                }
            }
        }
    };
    page.into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_shows_is_text() {
        for frame in [page, wide_page] {
            let page = frame("<b>", html! { p { ("<script>alert(1)</script>") } });
            assert!(page.contains("<h1>&lt;b&gt;</h1>"), "{page}");
            assert!(page.contains("&lt;script&gt;") && !page.contains("<script"), "{page}");
        }
    }
}
