//! Lifetimes of the signature and of the result.

use proc_macro2::TokenStream;
use quote::quote;

use super::{assert_error, errors, expand};

#[test]
fn lifetimes_leave_with_the_parameter_that_needed_them() {
    let generics = |item: TokenStream| {
        let expanded = expand(quote!(provider = "openai"), item);
        let function: syn::ItemFn = syn::parse2(expanded).unwrap();
        quote::ToTokens::to_token_stream(&function.sig.generics).to_string()
    };
    assert_eq!(
        generics(quote!(
            async fn f<'k>(api_key: &'k str) -> Result<(), E> {}
        )),
        ""
    );
    assert_eq!(
        generics(quote!(
            async fn f<'k, 'p>(p: &'p str, api_key: &'k str) -> R<&'p str> {}
        )),
        "< 'p >"
    );
    assert_eq!(
        generics(quote!(
            async fn f<'p>(p: &'p str, api_key: &'p str) -> R<&'p str> {}
        )),
        "< 'p >"
    );
    assert_eq!(
        generics(quote!(
            async fn f<'k, T: Show + 'k>(t: T, api_key: &'k str) -> R<T> {}
        )),
        "< 'k , T : Show + 'k >"
    );
    assert_eq!(
        generics(quote!(
            async fn f<'k>(api_key: &'k str) -> R {
                let k: &'k str = "";
            }
        )),
        "< 'k >"
    );
}

#[test]
fn a_result_that_borrows_from_the_credential_is_refused() {
    let text = "the result borrows from the injected credential";
    for item in [
        quote!(
            async fn f(api_key: &str) -> Result<&str, E> {}
        ),
        quote!(
            async fn f(self, n: u8, api_key: &str) -> Result<Cow<'_, str>, E> {}
        ),
        quote!(
            async fn f<'k>(&self, p: &str, api_key: &'k str) -> Result<&'k str, E> {}
        ),
        quote!(
            async fn f<'k>(api_key: &'k str) -> Result<Box<dyn Show + 'k>, E> {}
        ),
        quote!(
            async fn f<'k>(api_key: Key<'k>) -> Result<impl Show + 'k, E> {}
        ),
    ] {
        assert_error(quote!(provider = "openai"), item, text);
    }
    for item in [
        quote!(
            async fn f(&self, api_key: &str) -> Result<&str, E> {}
        ),
        quote!(
            async fn f(p: &str, api_key: &str) -> Result<&str, E> {}
        ),
        quote!(
            async fn f<'p>(p: &'p str, api_key: &'p str) -> Result<&'p str, E> {}
        ),
        quote!(
            async fn f<'k, 'p: 'k>(p: &'p str, api_key: &'k str) -> Result<&'k str, E> {}
        ),
        quote!(
            async fn f(api_key: &str) -> Result<fn(&str) -> &str, E> {}
        ),
        quote!(
            async fn f(api_key: &str) -> Result<Box<dyn Fn(&str) -> &str>, E> {}
        ),
        quote!(
            async fn f(api_key: &str) -> Result<&'static str, E> {}
        ),
    ] {
        assert_eq!(errors(expand(quote!(provider = "openai"), item.clone())), Vec::<String>::new(), "{item}");
    }
}

#[test]
fn a_result_that_borrows_mutably_is_refused_only_if_there_are_two_attempts() {
    let text = "with `retry_if` the body may run twice";
    let twice = || quote!(provider = "openai", retry_if = is_rejected);
    for item in [
        quote!(
            async fn f(&mut self, api_key: &str) -> Result<&str, E> {}
        ),
        quote!(
            async fn f(self: &mut Self, api_key: &str) -> Result<&str, E> {}
        ),
        quote!(
            async fn f(buffer: &mut Vec<u8>, api_key: &str) -> Result<&[u8], E> {}
        ),
        quote!(
            async fn f<'b>(&self, buffer: &'b mut Vec<u8>, api_key: &str) -> Result<&'b [u8], E> {}
        ),
    ] {
        assert_error(twice(), item.clone(), text);
        assert_eq!(errors(expand(quote!(provider = "openai"), item)), Vec::<String>::new());
    }
    for item in [
        quote!(
            async fn f(&self, buffer: &mut Vec<u8>, api_key: &str) -> Result<&str, E> {}
        ),
        quote!(
            async fn f<'s>(&mut self, s: &'s str, api_key: &str) -> Result<&'s str, E> {}
        ),
    ] {
        assert_eq!(errors(expand(twice(), item)), Vec::<String>::new());
    }
}
