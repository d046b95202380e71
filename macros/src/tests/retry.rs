//! Expansions with `retry_if`, as tokens.

use proc_macro2::TokenStream;
use quote::quote;

use super::{assert_expands, documentation, expand, unspaced};

#[test]
fn a_body_that_may_run_twice_is_there_once() {
    let docs = documentation("- `api_key`: an API key from the credential provider ``provider``.");
    assert_expands(
        quote!(provider = provider, client = self.identity, retry_if = is_rejected),
        quote! {
            async fn ask(self, mut n: u8, (a, b): (u8, u8), seen: &mut Seen, _: u8, api_key: &str) -> Answer { body; }
        },
        &quote! {
            #docs
            async fn ask(mut self, n: u8, parameter_1: (u8, u8), seen: &mut Seen, _: u8, ) -> Answer {
                let client = {
                    #[allow(unused_variables, unused_mut)]
                    let (a, b) = ::agentcore_identity::__private::clone_for_attempt(&parameter_1, ::agentcore_identity::__private::attempt);
                    ::agentcore_identity::__private::client(&self.identity)
                };
                let provider = {
                    #[allow(unused_variables, unused_mut)]
                    let (a, b) = ::agentcore_identity::__private::clone_for_attempt(&parameter_1, ::agentcore_identity::__private::attempt);
                    ::std::borrow::ToOwned::to_owned(::agentcore_identity::__private::text(&provider))
                };
                let mut credential = match ::agentcore_identity::__private::api_key(
                    ::core::option::Option::Some(&client),
                    &provider
                ).await {
                    ::core::result::Result::Ok(credential) => credential,
                    ::core::result::Result::Err(error) =>
                        return ::agentcore_identity::__private::failure::<Answer>(error),
                };
                let __agentcore_identity_renewed = &::core::sync::atomic::AtomicBool::new(false);
                let mut kept = ::core::option::Option::Some(::agentcore_identity::__private::clone_for_attempt(&self, ::agentcore_identity::__private::attempt));
                loop {
                    let argument_0 = ::agentcore_identity::__private::clone_for_attempt(&n, ::agentcore_identity::__private::attempt);
                    let argument_1 = ::agentcore_identity::__private::clone_for_attempt(&parameter_1, ::agentcore_identity::__private::attempt);
                    let argument_2 = &mut *seen;
                    let attempt = async {
                        if false {
                            let _this = self;
                            return ::core::option::Option::<Answer>::unwrap(::core::option::Option::None);
                        }
                        #[allow(clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated)]
                        let mut n = argument_0;
                        #[allow(clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated)]
                        let (a, b) = argument_1;
                        #[allow(clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated)]
                        let seen = argument_2;
                        let api_key = <&str as ::agentcore_identity::__private::ReceiveApiKey<'_> >::receive(&credential);
                        { body; }
                    };
                    let error = match attempt.await {
                        ::core::result::Result::Ok(value) => return ::core::result::Result::Ok(value),
                        ::core::result::Result::Err(error) => error,
                    };
                    if __agentcore_identity_renewed.load(::core::sync::atomic::Ordering::Relaxed) {
                        return ::core::result::Result::Err(error);
                    }
                    self = match ::core::option::Option::take(&mut kept) {
                        ::core::option::Option::Some(kept) => kept,
                        ::core::option::Option::None => return ::core::result::Result::Err(error),
                    };
                    let mut again = false;
                    if {
                        #[allow(unused_variables, unused_mut)]
                        let (a, b) = ::agentcore_identity::__private::clone_for_attempt(&parameter_1, ::agentcore_identity::__private::attempt);
                        ::agentcore_identity::__private::wants_retry(&error, is_rejected)
                    } {
                        if let ::core::option::Option::Some(fresh) = ::agentcore_identity::__private::renew_api_key(
                            ::core::option::Option::Some(&client),
                            &provider,
                            &credential
                        ).await {
                            credential = fresh;
                            again = true;
                        }
                    }
                    if !again {
                        return ::core::result::Result::Err(error);
                    }
                    __agentcore_identity_renewed.store(true, ::core::sync::atomic::Ordering::Relaxed);
                }
            }
        },
    );
}

#[test]
fn attempts_are_counted_once_for_all_attributes() {
    let stacked = |between: &dyn Fn(&syn::Block) -> TokenStream| {
        let mut tokens = quote!(
            async fn f(a: ApiKey, b: ApiKey, c: ApiKey) -> Result<(), E> {}
        );
        for into in ["a", "b", "c"] {
            // As attributes that do not know each other do it, one by one.
            let expanded = expand(quote!(provider = "p", retry_if = is_rejected, into = #into), tokens);
            let syn::ItemFn { sig, block, .. } = syn::parse2(expanded).unwrap();
            let block = between(&block);
            tokens = quote!(#sig #block);
        }
        unspaced(&tokens)
    };
    for text in [
        stacked(&|block| quote!(#block)),
        stacked(&|block| quote!({ let span = 1; Instrument::instrument(async move #block, span).await })),
    ] {
        assert_eq!(text.matches("let__agentcore_identity_renewed=").count(), 1, "{text}");
        assert_eq!(text.matches("__agentcore_identity_renewed.load(").count(), 3, "{text}");
        assert_eq!(text.matches("__agentcore_identity_renewed.store(").count(), 3, "{text}");
    }
}
