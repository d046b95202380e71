//! What is said about mistakes, and what is left of the function.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::{ask, assert_error, errors, expand};

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
        quote!(provider = "openai", client = make(a b)),
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
        (quote!(openai), "there is no option `openai`: write `provider = \"openai\"`"),
        (quote!(openai, client = c), "there is no option `openai`: write `provider = \"openai\"`"),
        (quote!(provider = "openai", production), "there is no option `production`: `#[requires_api_key]` takes"),
        (quote!(name = "openai"), "there is no option `name`: did you mean `provider`?"),
        (quote!(provder = "openai"), "there is no option `provder`: did you mean `provider`?"),
        (quote!(provider_name = "openai"), "there is no option `provider_name`: did you mean `provider`?"),
        (quote!(provider = "openai", audience = "x"), "`audience` belongs to `#[requires_iam_access_token]`"),
        (quote!(provider = "openai", provider = "openai"), "`provider` is given twice"),
        (quote!(provider = ("")), "the name of a credential provider must not be empty"),
        (quote!(provider = &"a b"), "the name of a credential provider must not contain ' '"),
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
fn a_body_that_awaits_has_forgotten_its_async() {
    let is_async = |item: TokenStream| {
        let text = expand(quote!(provider = "openai"), item).to_string();
        text.contains("] async fn")
    };
    assert!(is_async(quote!(
        fn ask(api_key: ApiKey) -> Result<(), E> {
            call(api_key).await
        }
    )));
    for item in [
        quote!(
            fn ask(api_key: ApiKey) -> Result<(), E> {
                call(api_key)
            }
        ),
        quote!(
            fn ask(api_key: ApiKey) -> Result<(), E> {
                runtime().block_on(async { call(api_key).await })
            }
        ),
        quote!(
            fn main(api_key: ApiKey) -> Result<(), E> {
                call(api_key).await
            }
        ),
    ] {
        assert!(!is_async(item));
    }
}

#[test]
fn the_parameter_that_was_meant_leaves_the_signature() {
    let left = |arguments: TokenStream, item: TokenStream| {
        let expanded = expand(arguments, item);
        let function: syn::ItemFn =
            syn::parse2(expanded.into_iter().take_while(|token| token.to_string() != ":").collect()).unwrap();
        function.sig.inputs.to_token_stream().to_string()
    };
    let provider = || quote!(provider = "openai");
    for (name, ty) in [("apikey", "&str"), ("key", "String"), ("openai_key", "String"), ("k", "ApiKey")] {
        let (name, ty): (TokenStream, TokenStream) = (name.parse().unwrap(), ty.parse().unwrap());
        let item = quote!(async fn ask(prompt: &str, #name: #ty) -> Result<(), E> {});
        assert_eq!(left(provider(), item), "prompt : & str ,", "{name}");
    }
    let item = quote!(
        async fn ask(cache_key: u8, user_key: u8) -> Result<(), E> {}
    );
    assert_eq!(left(provider(), item), "cache_key : u8 , user_key : u8");
    let item = quote! {
        #[requires_api_key(provider = "search")]
        async fn ask(openai: ApiKey, prompt: &str, search: &ApiKey) -> Result<(), E> {}
    };
    assert_eq!(left(provider(), item), "prompt : & str ,");
}

#[test]
fn a_parameter_may_have_been_taken_by_an_attribute_above() {
    let error = |body: TokenStream| {
        let item = quote!(async fn ask(prompt: &str) -> Result<(), E> #body);
        errors(expand(quote!(provider = "openai"), item)).remove(0)
    };
    let alone = "there is no parameter `api_key` for the credential: this function has `prompt`; add `api_key: ApiKey`, \
                 or say which one it is with `into = …`";
    assert_eq!(
        error(quote!({
            call(prompt);
        })),
        alone
    );
    let below = error(quote!({
        ::agentcore_identity::__private::api_key();
        {
            call(prompt);
        }
    }));
    assert!(below.starts_with(alone) && below.contains("; if another attribute above has filled"), "{below}");
}

#[test]
fn a_credential_without_a_size_or_of_any_type_is_told_how_to_be_written() {
    for (ty, text) in [
        ("str", "a parameter has a type of known size: write `&str`"),
        ("[u8]", "a parameter has a type of known size: use `ApiKey`,"),
        ("K", "`K` is what a caller says, and no caller has the credential: use `ApiKey`,"),
    ] {
        let ty: TokenStream = ty.parse().unwrap();
        let item = quote!(async fn ask<K: AsRef<str>>(api_key: #ty) -> Result<(), E> {});
        assert_error(quote!(provider = "openai"), item, text);
    }
    let item = quote!(
        async fn ask<K>(k: K, api_key: credentials::K) -> Result<(), E> {}
    );
    assert_eq!(errors(expand(quote!(provider = "openai"), item)), Vec::<String>::new());
    let item = quote!(
        async fn ask<'a, K: Show, T>(t: &'a T, api_key: K) -> Result<(), E> {}
    );
    let text = expand(quote!(provider = "openai"), item).to_string();
    assert!(text.contains("fn ask < 'a , T >") && text.contains("-> impl Show"), "{text}");
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
fn the_second_attribute_for_one_parameter_goes() {
    let item = quote! {
        #[agentcore_identity::requires_access_token(provider = "b", auth_flow = "M2M", into = "api_key")]
        #[requires_workload_token]
        async fn f(api_key: ApiKey, workload_token: WorkloadToken) -> Result<(), E> {}
    };
    let expanded = expand(quote!(provider = "a"), item);
    let text = expanded.to_string();
    assert_eq!(errors(expanded).len(), 1, "{text}");
    assert!(text.contains("let api_key : ApiKey ="), "{text}");
    assert!(text.contains("let workload_token : WorkloadToken ="), "{text}");
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
