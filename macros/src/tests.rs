//! Expansions, as tokens.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use crate::{attribute, catalog};

fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    attribute(catalog::API_KEY, arguments, item)
}

#[track_caller]
fn assert_expands(arguments: TokenStream, item: TokenStream, expected: &TokenStream) {
    assert_eq!(unspaced(&expand(arguments, item)), unspaced(expected));
}

/// The text of `tokens` without the spaces, which depend on how the tokens came together.
fn unspaced(tokens: &TokenStream) -> String {
    tokens.to_string().split_whitespace().collect()
}

/// The texts of the `compile_error!`s in `tokens`.
fn errors(tokens: TokenStream) -> Vec<String> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    tokens
        .windows(3)
        .filter_map(|window| match window {
            [TokenTree::Ident(name), TokenTree::Punct(_), TokenTree::Group(text)] if name == "compile_error" => {
                Some(syn::parse2::<syn::LitStr>(text.stream()).unwrap().value())
            }
            _ => None,
        })
        .collect()
}

#[track_caller]
fn assert_error(arguments: TokenStream, item: TokenStream, starts: &str) {
    let errors = errors(expand(arguments, item));
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(errors[0].starts_with(starts), "{}", errors[0]);
}

fn ask() -> TokenStream {
    quote! {
        async fn ask(prompt: &str, api_key: ApiKey) -> Result<String, Error> { call(prompt, api_key); }
    }
}

fn documentation(credential: &str) -> TokenStream {
    quote! {
        #[doc = ""]
        #[doc = "# Credentials"]
        #[doc = ""]
        #[doc = #credential]
    }
}

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
                    ::core::result::Result::Ok(credential) =>
                        <ApiKey as ::agentcore_identity::__private::ReceiveApiKey<'_> >::receive(&credential),
                    ::core::result::Result::Err(error) =>
                        return ::agentcore_identity::__private::failure::<Result<String, Error> >(error),
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
                let credential = {
                    let client: &krate::__private::IdentityClient = &self.identity;
                    let provider = ::std::borrow::ToOwned::to_owned(krate::__private::provider(&self.provider()));
                    match krate::__private::api_key(::core::option::Option::Some(client), &provider).await {
                        ::core::result::Result::Ok(credential) => credential,
                        ::core::result::Result::Err(error) =>
                            return krate::__private::failure::<Result<_, Error> >(error),
                    }
                };
                #[allow(unused)]
                let mut r#type = <&'_ str as krate::__private::ReceiveApiKey<'_> >::receive(&credential);
                {
                    let () = ();
                    value
                }
            }
        },
    );
}

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
                    ::std::borrow::ToOwned::to_owned(::agentcore_identity::__private::provider(&provider))
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
                    let again = !__agentcore_identity_renewed.load(::core::sync::atomic::Ordering::Relaxed) && {
                        #[allow(unused_variables, unused_mut)]
                        let (a, b) = ::agentcore_identity::__private::clone_for_attempt(&parameter_1, ::agentcore_identity::__private::attempt);
                        ::agentcore_identity::__private::wants_retry(&error, is_rejected)
                    };
                    if !again {
                        return ::core::result::Result::Err(error);
                    }
                    match ::agentcore_identity::__private::renew_api_key(
                        ::core::option::Option::Some(&client),
                        &provider,
                        &credential
                    ).await {
                        ::core::option::Option::Some(fresh) => credential = fresh,
                        ::core::option::Option::None => return ::core::result::Result::Err(error),
                    }
                    __agentcore_identity_renewed.store(true, ::core::sync::atomic::Ordering::Relaxed);
                    self = match ::core::option::Option::take(&mut kept) {
                        ::core::option::Option::Some(kept) => kept,
                        ::core::option::Option::None => return ::core::result::Result::Err(error),
                    };
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
        assert!(expanded.contains(&format!("__private::provider(&{place})).await")), "{expanded}");
        assert!(!expanded.contains("to_owned"), "{expanded}");
    }
    for value in ["self.provider()", "*self.provider.lock().unwrap()", "&names[0]", "tenant?.provider", "{ name }"] {
        let value: TokenStream = value.parse().unwrap();
        let expanded = text(quote!(provider = #value, client = #value));
        assert!(expanded.contains("letclient=::agentcore_identity::__private::client("), "{expanded}");
        assert!(expanded.contains("letprovider=::std::borrow::ToOwned::to_owned("), "{expanded}");
        assert!(expanded.contains("::Some(&client),&provider).await"), "{expanded}");
    }
    for literal in ["\"openai\"", "(\"openai\")", "&\"openai\"", "*\"openai\""] {
        let literal: TokenStream = literal.parse().unwrap();
        let expanded = text(quote!(provider = #literal, retry_if = is_rejected));
        assert!(expanded.contains("::None,\"openai\").await"), "{expanded}");
        assert!(expanded.contains("::None,\"openai\",&credential).await"), "{expanded}");
    }
}

#[test]
fn attempts_are_counted_once_for_all_attributes() {
    let stacked = |between: &dyn Fn(&syn::Block) -> TokenStream| {
        let mut tokens = quote!(
            async fn f(a: ApiKey, b: ApiKey, c: ApiKey) -> Result<(), E> {}
        );
        for into in ["a", "b", "c"] {
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

#[test]
fn a_mistake_leaves_the_function_as_callers_know_it() {
    let item = quote! {
        async fn ask(prompt: &str, api_key: ApiKey) -> Result<String, Error> { call(prompt, api_key); }
    };
    let expanded = expand(quote!(), item);
    let function = quote! {
        #[allow(unused_variables, unused_mut)]
        async fn ask(prompt: &str, ) -> Result<String, Error> {
            let api_key: ApiKey = ::core::option::Option::unwrap(::core::option::Option::None);
            { call(prompt, api_key); }
        }
    };
    assert!(expanded.to_string().starts_with(&function.to_string()), "{expanded}");
    assert_eq!(errors(expanded).len(), 1);
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
fn half_typed_arguments_still_give_a_function() {
    for arguments in [
        quote!(p),
        quote!(provider),
        quote!(provider =),
        quote!(provider = "openai", i),
        quote!(provider = "openai", into =),
        quote!(provider = self.),
        quote!(, ,),
        quote!(provider = "openai",, client = c),
        quote!("openai", provider = "openai"),
    ] {
        let text = arguments.to_string();
        let expanded = expand(arguments, ask());
        assert_eq!(errors(expanded.clone()).len(), 1, "{text}: {expanded}");
        assert!(expanded.to_string().contains("async fn ask (prompt : & str ,)"), "{text}: {expanded}");
    }
}

#[test]
fn each_mistake_is_told_once() {
    let cases = [
        (quote!(), "`#[requires_api_key]` needs the name of a credential provider"),
        (quote!("openai"), "this value has no name: write `provider = \"openai\"`"),
        (quote!(provder = "openai"), "there is no option `provder`: did you mean `provider`?"),
        (quote!(provider_name = "openai"), "there is no option `provider_name`: did you mean `provider`?"),
        (quote!(provider = "openai", audience = "x"), "`audience` belongs to `#[requires_iam_access_token]`"),
        (quote!(provider = "openai", provider = "openai"), "`provider` is given twice"),
        (quote!(provider = ("")), "the name of a credential provider is not empty"),
        (quote!(provider = &"a b"), "the name of a credential provider does not contain ' '"),
        (quote!(provider = -5), "`provider` takes the name of a credential provider, a string"),
        (quote!(provider = !b"x"), "`provider` takes the name of a credential provider, a string"),
        (quote!(provider = "openai", into = a.b), "`into` takes the name of one of the function's parameters"),
        (quote!(provider = "openai", crate = a + b), "`crate` takes the path of the crate"),
        (quote!(provider = "openai", retry_if = "is_rejected"), "`retry_if` takes an expression, not a literal"),
        (quote!(provider = "openai", client = 5), "`client` takes an expression, not a literal"),
    ];
    for (arguments, text) in cases {
        assert_error(arguments, ask(), text);
    }
}

#[test]
fn what_is_no_literal_text_is_for_the_compiler_to_refuse() {
    let expanded = expand(quote!(provider = -"openai"), ask());
    assert!(unspaced(&expanded).contains("provider(&-\"openai\")"), "{expanded}");
}

#[test]
fn independent_mistakes_are_told_together() {
    let expanded = expand(
        quote!(provider = "", timeout = 5),
        quote!(
            fn ask(key: String) {}
        ),
    );
    let errors = errors(expanded);
    let starts: Vec<_> = errors.iter().map(|error| &error[..12]).collect();
    assert_eq!(starts, ["the name of ", "there is no ", "fetching a c", "a function t", "there is no "]);
}

#[test]
fn what_is_not_a_function_stays_as_it_is() {
    for item in [
        quote!(
            pub struct Agent;
        ),
        quote!(
            impl Agent {}
        ),
        quote!(
            const LIMIT: u8 = 1;
        ),
        quote!(
            unsafe extern "C" {}
        ),
        quote!(
            macro_rules! m {
                () => {};
            }
        ),
    ] {
        let expanded = expand(quote!(provider = "openai"), item.clone());
        assert!(expanded.to_string().starts_with(&item.to_string()), "{expanded}");
        assert_eq!(errors(expanded).len(), 1);
    }
}

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

#[test]
fn several_attributes_share_one_section_of_documentation() {
    let item = quote! {
        /// # Credentials
        ///
        /// Some.
        ///
        /// # Errors
        ///
        /// Many.
        #[requires_api_key(provider = "b", into = b)]
        async fn f(a: ApiKey, b: ApiKey) -> Result<(), E> {}
    };
    let outer = expand(quote!(provider = "a", into = a), item);
    let mut function: syn::ItemFn = syn::parse2(outer).unwrap();
    function.attrs.retain(|attr| !attr.path().is_ident("requires_api_key"));
    let both = expand(quote!(provider = "b", into = b), quote!(#function)).to_string();
    // The user's, which is not the last section, and ours.
    assert_eq!(both.matches("# Credentials").count(), 2, "{both}");
    assert!(both.find("provider ``a``").unwrap() < both.find("provider ``b``").unwrap(), "{both}");
}

#[test]
fn the_second_attribute_for_one_parameter_goes() {
    let item = quote! {
        #[agentcore_identity::requires_access_token(provider = "b", scopes = ["s"], into = "api_key")]
        #[requires_workload_token]
        async fn f(api_key: ApiKey, workload_token: WorkloadToken) -> Result<(), E> {}
    };
    let expanded = expand(quote!(provider = "a"), item);
    let text = expanded.to_string();
    assert_eq!(errors(expanded).len(), 1, "{text}");
    assert!(!text.contains("requires_access_token"), "{text}");
    assert!(text.contains("requires_workload_token"), "{text}");
}

#[test]
fn async_trait_gets_its_own_hint() {
    let item = quote! {
        fn ask<'life0, 'life1, 'async_trait>(&'life0 self, api_key: &'life1 str)
            -> Pin<Box<dyn Future<Output = Result<(), E>> + Send + 'async_trait>>
        where 'life0: 'async_trait, 'life1: 'async_trait, Self: 'async_trait
        { Box::pin(async move { let api_key = api_key; }) }
    };
    assert_error(quote!(provider = "openai"), item, "`#[async_trait]` has rewritten this function");
}
