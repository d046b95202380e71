//! Expansions with `retry_if`, as tokens.

use proc_macro2::TokenStream;
use quote::quote;

use super::{documentation, expand, unspaced};

/// The expansion with short names for what it has by absolute paths, without spaces.
fn short(arguments: TokenStream, item: TokenStream) -> String {
    let text = unspaced(&expand(arguments, item));
    text.replace("::agentcore_identity::__private::", "").replace("::core::option::Option::", "")
}

#[test]
fn a_body_that_may_run_twice_is_there_once() {
    let docs = documentation("- `api_key`: an API key from the credential provider ``b``.");
    let expanded = short(
        quote!(provider = b, client = self.identity, retry_if = is_rejected),
        quote! {
            async fn ask(self, mut n: u8, (a, b): (u8, B), seen: &mut Seen, _: u8, api_key: &str) -> Answer { body; }
        },
    );
    let expected = quote! {
        #docs
        async fn ask(mut self, n: u8, __parameter_1: (u8, B), seen: &mut Seen, _: u8, ) -> Answer {
            let __client = {
                #[allow(unused_variables, unused_mut)]
                let (a, b) = clone_for_attempt(&__parameter_1, attempt);
                client(&self.identity)
            };
            let __provider = {
                #[allow(unused_variables, unused_mut)]
                let (a, b) = clone_for_attempt(&__parameter_1, attempt);
                ::std::borrow::ToOwned::to_owned(text(&b))
            };
            let mut __credential = match api_key(Some(&__client), &__provider).await {
                ::core::result::Result::Ok(__credential) => __credential,
                ::core::result::Result::Err(__error) => return failure::<Answer, _>(__error),
            };
            let __agentcore_identity_renewed = &::core::sync::atomic::AtomicBool::new(false);
            let mut __kept = Some(clone_for_attempt(&self, attempt));
            loop {
                #[allow(clippy::used_underscore_binding)]
                let __argument_0 = supplied(clone_for_attempt(&n, attempt));
                #[allow(clippy::used_underscore_binding)]
                let __argument_1 = supplied(clone_for_attempt(&__parameter_1, attempt));
                #[allow(clippy::used_underscore_binding)]
                let __argument_2 = supplied(&mut *seen);
                let __attempt = async {
                    if false {
                        let __this = &mut self;
                        let __this = self;
                        return Option::<Answer>::unwrap(None);
                    }
                    #[allow(clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated)]
                    let mut n = __argument_0.take();
                    #[allow(clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated)]
                    #[allow(unused_variables)]
                    let (a, b) = __argument_1.take();
                    #[allow(clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated)]
                    let seen = __argument_2.take();
                    let __credential = ::core::clone::Clone::clone(&__credential);
                    let api_key = <&str as ReceiveApiKey<'_> >::receive(&__credential);
                    { body; }
                };
                let __error = match outcome::<Answer, _>(__attempt.await) {
                    ::core::result::Result::Ok(__value) => return __value,
                    ::core::result::Result::Err(__error) => __error,
                };
                if __agentcore_identity_renewed.load(::core::sync::atomic::Ordering::Relaxed) {
                    return own_failure::<Answer, _>(__error);
                }
                self = match take(&mut __kept) {
                    Some(__kept) => __kept,
                    None => return own_failure::<Answer, _>(__error),
                };
                let mut __again = false;
                if {
                    #[allow(unused_variables, unused_mut)]
                    let (a, b) = clone_for_attempt(&__parameter_1, attempt);
                    wants_retry(&__error, is_rejected)
                } {
                    if let Some(__fresh) = renew_api_key(Some(&__client), &__provider, &__credential).await {
                        __credential = __fresh;
                        __again = true;
                    }
                }
                if !__again {
                    return own_failure::<Answer, _>(__error);
                }
                __agentcore_identity_renewed.store(true, ::core::sync::atomic::Ordering::Relaxed);
            }
        }
    };
    let expected = unspaced(&expected).replace("Option::<Answer>", "<Answer>");
    assert_eq!(expanded, expected);
}

#[test]
fn patterns_are_taken_apart_for_options_that_name_their_parts() {
    let exposed = |arguments: TokenStream| {
        let item = quote! {
            async fn ask((tenant, _): (&str, u8), Page { limit: size }: Page, api_key: ApiKey) -> Answer {}
        };
        let text = short(arguments, item);
        (text.contains("let(tenant,_)=clone_for"), text.contains("letPage{limit:size}=clone_for"))
    };
    assert_eq!(exposed(quote!(provider = "p", retry_if = is_rejected)), (false, false));
    assert_eq!(exposed(quote!(provider = "p", retry_if = |e| e.tenant(limit))), (false, false));
    assert_eq!(exposed(quote!(provider = tenant, retry_if = is_rejected)), (true, false));
    assert_eq!(exposed(quote!(provider = format!("{tenant}-a"), retry_if = |_| size > 1)), (true, true));
}

#[test]
fn a_credential_that_the_body_owns_is_not_cloned_for_it_twice() {
    let cloned = |item: TokenStream| {
        let text = short(quote!(provider = "p", retry_if = is_rejected), item);
        text.contains("let__credential=::core::clone::Clone::clone(&__credential);")
    };
    assert!(!cloned(quote!(
        async fn ask(api_key: ApiKey) -> Answer {}
    )));
    assert!(cloned(quote!(
        async fn ask(api_key: &ApiKey) -> Answer {}
    )));
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
