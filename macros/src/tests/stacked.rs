//! Several credential attributes on one function.

use proc_macro2::TokenStream;
use quote::quote;

use super::{errors, expand, expand_token, unspaced};
use crate::{attribute, catalog};

#[test]
fn all_are_fetched_at_the_same_time() {
    let item = quote! {
        #[agentcore_identity::requires_access_token(provider = provider, auth_flow = "M2M", client = self.identity)]
        #[must_use]
        #[requires_workload_token(into = wat, crate = krate)]
        async fn f(&self, provider: &str, api_key: ApiKey, access_token: &str, wat: String) -> Result<(), E> { body; }
    };
    let expanded = expand(quote!(provider = self.provider()), item);
    let expected = quote! {
        #[must_use]
        #[doc = ""]
        #[doc = "# Credentials"]
        #[doc = ""]
        #[doc = "- `api_key`: an API key from the credential provider ``self.provider()``."]
        #[doc = "- `access_token`: an OAuth2 access token from the credential provider ``provider``, for the agent itself (`M2M`)."]
        #[doc = "- `wat`: the workload access token of the caller."]
        async fn f(&self, provider: &str, ) -> Result<(), E> {
            #[agentcore_identity::requires_access_token(__taken)]
            const _: () = ();
            #[requires_workload_token(__taken)]
            const _: () = ();
            let (__credential_0, (__credential_1, __credential_2)) = {
                let __provider_0 = ::std::borrow::ToOwned::to_owned(::agentcore_identity::__private::text(&self.provider()));
                let __request_1 = {
                    let __client: &::agentcore_identity::__private::IdentityClient = &self.identity;
                    ::agentcore_identity::__private::access_token(
                        ::core::option::Option::Some(__client),
                        ::agentcore_identity::__private::text(&provider)
                    ).auth_flow(::agentcore_identity::__private::AuthFlow::M2m)
                };
                match ::agentcore_identity::__private::both(
                    ::agentcore_identity::__private::api_key(::core::option::Option::None, &__provider_0),
                    ::agentcore_identity::__private::both(
                        ::core::future::IntoFuture::into_future(__request_1),
                        krate::__private::workload_token()
                    )
                ).await {
                    ::core::result::Result::Ok(__credentials) => __credentials,
                    ::core::result::Result::Err(__error) =>
                        return ::agentcore_identity::__private::failure::<Result<(), E> , _>(__error),
                }
            };
            let api_key = <ApiKey as ::agentcore_identity::__private::ReceiveApiKey<'_> >::receive(&__credential_0);
            let access_token = <&str as ::agentcore_identity::__private::ReceiveAccessToken<'_> >::receive(&__credential_1);
            let wat = <String as krate::__private::ReceiveWorkloadToken<'_> >::receive(&__credential_2);
            { body; }
        }
    };
    assert_eq!(unspaced(&expanded), unspaced(&expected));
}

#[test]
fn each_is_renewed_for_the_errors_that_it_is_about() {
    let item = quote! {
        #[requires_access_token(provider = "p", auth_flow = "USER_FEDERATION", into = token, on_auth_url = |a| show(a, n), retry_if = other)]
        #[requires_workload_token]
        async fn f(&mut self, (n, _): (u8, u8), api_key: ApiKey, token: &str, workload_token: &str) -> Result<(), E> { body; }
    };
    let expanded = unspaced(&expand(quote!(provider = "p", retry_if = is_rejected), item));
    let flat = expanded.replace("::agentcore_identity::__private::", "").replace("::core::option::Option::", "");
    let expose = "#[allow(unused_variables,unused_mut)]let(n,_)=clone_for_attempt(&__parameter_0,attempt);";
    for part in [
        &format!("let__request_1={{{expose}access_token(None,\"p\").auth_flow(AuthFlow::UserFederation)}};"),
        &format!(
            "let(mut__credential_0,(mut__credential_1,__credential_2))={{{expose}matchboth(api_key(None,\"p\"),\
             both(::core::future::IntoFuture::into_future(::core::clone::Clone::clone(&__request_1).on_auth_url(|a|show(a,n))),\
             workload_token())).await"
        ),
        &format!(
            "if{{{expose}wants_retry(&__error,is_rejected)}}{{ifletSome(__fresh)=renew_api_key(None,\"p\",&__credential_0).await{{"
        ),
        &format!(
            "if{{{expose}wants_retry(&__error,other)}}{{ifletSome(__fresh)={{{expose}renew_access_token(\
             ::core::clone::Clone::clone(&__request_1).on_auth_url(|a|show(a,n)),&__credential_1).await}}{{\
             __credential_1=__fresh;__again=true;}}}}"
        ),
    ] {
        assert!(flat.contains(part.as_str()), "{part}\n{flat}");
    }
    assert_eq!(flat.matches("loop{").count(), 1, "{flat}");
}

#[test]
fn all_mistakes_are_told_together() {
    let item = quote! {
        #[requires_access_token(provider = "p q")]
        #[instrument]
        #[requires_iam_access_token(audience = "a", into = jwt, duration_seconds = 5)]
        #[requires_workload_token(into = nobody)]
        async fn f(api_key: ApiKey, access_token: AccessToken, jwt: &str) -> Result<(), E> {}
    };
    let expanded = expand(quote!(timeout = 5, provider = "p"), item);
    let starts: Vec<String> = errors(expanded.clone()).iter().map(|error| error[..28].to_owned()).collect();
    assert_eq!(
        starts,
        [
            "there is no option `timeout`",
            "the name of a credential pro",
            "`#[requires_access_token]` n",
            "a token lives for 60 to 3600",
            "there is no parameter `nobod",
        ]
    );
    let text = expanded.to_string();
    assert!(text.contains("# [instrument]"), "{text}");
    assert!(text.contains("async fn f ()"), "{text}");
    for name in ["api_key", "access_token", "jwt"] {
        assert!(text.contains(&format!("let {name} :")), "{text}");
    }
}

#[test]
fn what_is_written_wrong_as_a_whole_is_left_to_the_compiler() {
    let item = quote! {
        #[requires_workload_token = "wat"]
        async fn f(api_key: ApiKey) -> Result<(), E> {}
    };
    let text = expand(quote!(provider = "p"), item).to_string();
    assert!(text.contains("# [requires_workload_token = \"wat\"]"), "{text}");
}

#[test]
fn two_kinds_of_token_do_not_share_a_parameter() {
    let item = quote! {
        #[requires_iam_access_token(audience = "a")]
        async fn f(access_token: AccessToken) -> Result<(), E> {}
    };
    let errors = errors(expand_token(quote!(provider = "p", auth_flow = "M2M"), item));
    assert_eq!(errors.len(), 1);
    assert!(errors[0].starts_with("two attributes fill the parameter `access_token`"), "{}", errors[0]);
}

#[test]
fn an_attribute_that_was_taken_over_does_away_with_its_item() {
    let mention = |arguments: TokenStream, item: TokenStream| attribute(catalog::API_KEY, arguments, item);
    assert!(
        mention(
            quote!(__taken),
            quote!(
                const _: () = ();
            )
        )
        .is_empty()
    );
    let item = quote!(
        async fn f(api_key: ApiKey) -> Result<(), E> {}
    );
    assert_eq!(errors(mention(quote!(__taken), item)).len(), 1);
    assert_eq!(
        errors(mention(
            quote!(),
            quote!(
                const _: () = ();
            )
        ))
        .len(),
        1
    );
}
