//! Expansions of correct attributes, as tokens.

use proc_macro2::TokenStream;
use quote::quote;

use super::{ask, assert_expands, documentation, errors, expand, unspaced};

#[test]
fn a_prelude_and_the_body_as_it_was() {
    let docs = documentation("- `api_key`: an API key from the credential provider ``openai``.");
    assert_expands(
        quote!(provider = "openai"),
        ask(),
        &quote! {
            #docs
            async fn ask(prompt: &str, ) -> Result<String, Error> {
                let api_key = match ::agentcore_identity::__private::api_key(
                    ::core::option::Option::None,
                    "openai"
                ).await {
                    ::core::result::Result::Ok(__credential) =>
                        <ApiKey as ::agentcore_identity::__private::ReceiveApiKey<'_> >::receive(&__credential),
                    ::core::result::Result::Err(__error) =>
                        return ::agentcore_identity::__private::failure::<Result<String, Error> , _>(__error),
                };
                { call(prompt, api_key); }
            }
        },
    );
}

#[test]
fn every_option_and_every_attribute_has_its_place() {
    let docs = documentation("- `r#type`: an API key from the credential provider ``self.provider()``.");
    assert_expands(
        quote!(provider = self.provider(), client = self.identity, into = "type", crate = krate),
        quote! {
            /// Asks.
            #[must_use]
            pub(crate) async unsafe fn ask<'k, T>(
                &self,
                /// Stripped.
                #[allow(unused)] mut r#type: &'k str,
                /// Stripped.
                value: T
            ) -> Result<impl Show, Error> where 'k: 'static, T: Show {
                #![allow(dead_code)]
                value
            }
        },
        &quote! {
            /// Asks.
            #[must_use]
            #docs
            pub(crate) async unsafe fn ask<T>(&self, value: T) -> Result<impl Show, Error> where T: Show {
                #![allow(dead_code)]
                let __credential = {
                    let __client: &krate::__private::IdentityClient = &self.identity;
                    let __provider = ::std::borrow::ToOwned::to_owned(krate::__private::text(&self.provider()));
                    match krate::__private::api_key(::core::option::Option::Some(__client), &__provider).await {
                        ::core::result::Result::Ok(__credential) => __credential,
                        ::core::result::Result::Err(__error) =>
                            return krate::__private::failure::<Result<_, Error> , _>(__error),
                    }
                };
                #[allow(unused)]
                let mut r#type = <&'_ str as krate::__private::ReceiveApiKey<'_> >::receive(&__credential);
                {
                    let () = ();
                    value
                }
            }
        },
    );
}

#[test]
fn only_a_temporary_value_is_owned() {
    let text = |arguments: TokenStream| {
        let item = quote!(
            async fn ask(name: &str, api_key: &str) -> Result<(), Error> {}
        );
        unspaced(&expand(arguments, item))
    };
    for place in ["name", "NAMES::OPENAI", "self.provider", "&self.0.provider", "(*name)", "&**self.provider"] {
        let place: TokenStream = place.parse().unwrap();
        let expanded = text(quote!(provider = #place, client = #place));
        let place = unspaced(&place);
        assert!(expanded.contains(&format!("IdentityClient=&{place};match")), "{expanded}");
        assert!(expanded.contains(&format!("__private::text(&{place})).await")), "{expanded}");
        assert!(!expanded.contains("to_owned"), "{expanded}");
    }
    for value in ["self.provider()", "*self.provider.lock().unwrap()", "&names[0]", "tenant?.provider", "{ name }"] {
        let value: TokenStream = value.parse().unwrap();
        let expanded = text(quote!(provider = #value, client = #value));
        assert!(expanded.contains("let__client=::agentcore_identity::__private::client("), "{expanded}");
        assert!(expanded.contains("let__provider=::std::borrow::ToOwned::to_owned("), "{expanded}");
        assert!(expanded.contains("::Some(&__client),&__provider).await"), "{expanded}");
    }
    for literal in ["\"openai\"", "(\"openai\")", "&\"openai\"", "*\"openai\""] {
        let literal: TokenStream = literal.parse().unwrap();
        let expanded = text(quote!(provider = #literal, retry_if = is_rejected));
        assert!(expanded.contains("::None,\"openai\").await"), "{expanded}");
        assert!(expanded.contains("::None,\"openai\",&__credential).await"), "{expanded}");
    }
}

#[test]
fn a_half_typed_body_still_expands() {
    let body = quote!({ let answer = client. match api_key. { 1 => } });
    let item = quote!(async fn ask(api_key: ApiKey) -> Result<String, Error> #body);
    let expanded = expand(quote!(provider = "openai"), item);
    assert_eq!(errors(expanded.clone()), Vec::<String>::new());
    assert!(expanded.to_string().contains("let answer = client . match api_key ."), "{expanded}");
}

#[test]
fn what_is_no_literal_text_is_for_the_compiler_to_refuse() {
    let expanded = expand(quote!(provider = -"openai"), ask());
    assert!(unspaced(&expanded).contains("text(&-\"openai\")"), "{expanded}");
}
