//! Expansions of the attributes for tokens, and what is said about mistakes in their options.

use proc_macro2::TokenStream;
use quote::quote;

use super::{assert_only_error, documentation, errors, expand_iam, expand_token, unspaced};
use crate::{attribute, catalog};

fn fetch() -> TokenStream {
    quote! {
        async fn fetch(access_token: &str) -> Result<(), E> { body; }
    }
}

/// The request in the expansion, without spaces.
fn request(expanded: &TokenStream) -> String {
    let text = unspaced(expanded);
    let start = text.find("let__request=").map_or_else(|| panic!("{text}"), |at| at + "let__request=".len());
    let end = text[start..].find(";match").unwrap_or_else(|| panic!("{text}"));
    text[start..start + end].replace("::agentcore_identity::__private::", "").replace("::core::option::Option::", "")
}

#[test]
fn a_request_is_made_and_then_awaited() {
    let docs = documentation(
        "- `access_token`: an OAuth2 access token from the credential provider ``github``, with the scopes ``repo`` and \
         ``user``, which the user consents to (`USER_FEDERATION`).",
    );
    let expanded = expand_token(
        quote!(provider = "github", scopes = ["repo", "user"], auth_flow = "USER_FEDERATION", on_auth_url = show),
        quote! {
            async fn repositories(user: &str, access_token: AccessToken) -> Result<(), Error> { body; }
        },
    );
    let expected = quote! {
        #docs
        async fn repositories(user: &str, ) -> Result<(), Error> {
            let access_token = {
                let __request = ::agentcore_identity::__private::access_token(::core::option::Option::None, "github")
                    .scopes(["repo", "user"])
                    .auth_flow(::agentcore_identity::__private::AuthFlow::UserFederation)
                    .on_auth_url(&show);
                match __request.await {
                    ::core::result::Result::Ok(__credential) =>
                        <AccessToken as ::agentcore_identity::__private::ReceiveAccessToken<'_> >::receive(&__credential),
                    ::core::result::Result::Err(__error) =>
                        return ::agentcore_identity::__private::failure::<Result<(), Error> , _>(__error),
                }
            };
            { body; }
        }
    };
    assert_eq!(unspaced(&expanded), unspaced(&expected));
}

#[test]
fn a_jwt_is_requested_likewise() {
    let docs = documentation("- `access_token`: a JWT that AWS STS signs, for the audience ``https://a.example``.");
    let expanded = expand_iam(
        quote!(audience = "https://a.example", signing_algorithm = "RS256", duration_seconds = 60, tags = [("a", "b")]),
        fetch(),
    );
    let expected = quote! {
        #docs
        async fn fetch() -> Result<(), E> {
            let __credential = {
                let __request = ::agentcore_identity::__private::iam_access_token(::core::option::Option::None)
                    .audience(["https://a.example"])
                    .signing_algorithm(::agentcore_identity::__private::SigningAlgorithm::Rs256)
                    .duration_seconds(60)
                    .tags([("a", "b")]);
                match __request.await {
                    ::core::result::Result::Ok(__credential) => __credential,
                    ::core::result::Result::Err(__error) =>
                        return ::agentcore_identity::__private::failure::<Result<(), E> , _>(__error),
                }
            };
            let access_token = <&str as ::agentcore_identity::__private::ReceiveAccessToken<'_> >::receive(&__credential);
            { body; }
        }
    };
    assert_eq!(unspaced(&expanded), unspaced(&expected));
}

#[test]
fn the_workload_token_needs_no_option() {
    let docs = documentation("- `workload_token`: the workload access token of the caller.");
    let expanded = attribute(
        catalog::WORKLOAD_TOKEN,
        quote!(),
        quote! {
            async fn call(workload_token: WorkloadToken) -> Result<(), E> { body; }
        },
    );
    let expected = quote! {
        #docs
        async fn call() -> Result<(), E> {
            let workload_token = match ::agentcore_identity::__private::workload_token().await {
                ::core::result::Result::Ok(__credential) =>
                    <WorkloadToken as ::agentcore_identity::__private::ReceiveWorkloadToken<'_> >::receive(&__credential),
                ::core::result::Result::Err(__error) =>
                    return ::agentcore_identity::__private::failure::<Result<(), E> , _>(__error),
            };
            { body; }
        }
    };
    assert_eq!(unspaced(&expanded), unspaced(&expected));
}

#[test]
fn options_are_told_in_the_order_in_which_they_are_written() {
    let expanded = expand_token(
        quote!(
            custom_state = state(),
            auth_flow = self.flow,
            client = self.identity,
            custom_parameters = self.parameters,
            scopes = SCOPES,
            resources = [],
            provider = self.provider(),
            audiences = [first, "second"],
            token_poller = self.poller.clone(),
            on_auth_url = |a| self.show(a),
            force_authentication = !self.known,
            callback_url = "https://a.example",
        ),
        fetch(),
    );
    let failed = "Err(__error)=>return::agentcore_identity::__private::failure::<Result<(),E>,_>(__error),";
    let failed = format!("::core::result::Result::{}", failed.replace("::agentcore_identity::__private::", ""));
    assert_eq!(
        request(&expanded),
        [
            "{let__client:&IdentityClient=&self.identity;access_token(Some(__client),text(&self.provider()))",
            ".custom_state(text(&state()))",
            &format!(".auth_flow(matchauth_flow(&self.flow){{::core::result::Result::Ok(__value)=>__value,{failed}}})"),
            ".custom_parameters(pairs(&self.parameters))",
            ".scopes(list(&SCOPES))",
            ".audiences(list(&[first,\"second\"]))",
            ".token_poller(self.poller.clone())",
            ".on_auth_url(|a|self.show(a))",
            ".force_authentication(!self.known)",
            ".callback_url(\"https://a.example\")}",
        ]
        .concat()
    );
}

#[test]
fn a_function_that_shows_the_link_is_not_given_away() {
    for (handler, argument) in [
        (quote!(show), "&show"),
        (quote!(self.show), "&self.show"),
        (quote!(&show), "&show"),
        (quote!((show)), "&(show)"),
        (quote!(*show), "&*show"),
        (quote!(move |a| tx.send(a)), "move|a|tx.send(a)"),
        (quote!(shower()), "shower()"),
    ] {
        let expanded =
            expand_token(quote!(provider = "p", auth_flow = "USER_FEDERATION", on_auth_url = #handler), fetch());
        let request = request(&expanded);
        assert!(request.ends_with(&format!(".on_auth_url({argument})")), "{request}");
    }
}

#[test]
fn the_documentation_says_what_is_asked_for() {
    let says = |expanded: TokenStream, what: &str| {
        let text = expanded.to_string();
        assert!(text.contains(what), "{text}");
    };
    says(
        expand_token(quote!(provider = "p", auth_flow = "M2M"), fetch()),
        "an OAuth2 access token from the credential provider ``p``, for the agent itself (`M2M`).",
    );
    says(
        expand_token(quote!(provider = P, scopes = ["a"], auth_flow = "ON_BEHALF_OF_TOKEN_EXCHANGE"), fetch()),
        "``P``, with the scope ``a``, on behalf of the user (`ON_BEHALF_OF_TOKEN_EXCHANGE`).",
    );
    says(
        expand_token(quote!(provider = P, scopes = self.scopes(), auth_flow = self.flow), fetch()),
        "``P``, with the scopes ``self.scopes()``, by the flow ``self.flow``.",
    );
    says(expand_iam(quote!(audience = ["a", B]), fetch()), "signs, for the audiences ``a`` and ``B``.");
}

#[test]
fn each_mistake_in_an_access_token_is_told_once() {
    let consent = |option: TokenStream| quote!(provider = "p", auth_flow = "M2M", #option);
    let user = |option: TokenStream| quote!(provider = "p", auth_flow = "USER_FEDERATION", #option);
    let cases = [
        (quote!(auth_flow = "M2M"), "`#[requires_access_token]` needs the name of a credential provider"),
        (quote!(provider = "p"), "`#[requires_access_token]` needs a flow: add `auth_flow = \"M2M\"`"),
        (
            quote!(provider = "p", auth_flow = "m2m"),
            "there is no such flow: did you mean \"M2M\"? the flow is \"M2M\",",
        ),
        (
            quote!(provider = "p", auth_flow = "UserFederation"),
            "there is no such flow: did you mean \"USER_FEDERATION\"?",
        ),
        (quote!(provider = "p", auth_flow = "3LO"), "there is no such flow: did you mean \"USER_FEDERATION\"?"),
        (
            quote!(provider = "p", auth_flow = "token-exchange"),
            "there is no such flow: did you mean \"ON_BEHALF_OF_TOKEN_EXCHANGE\"?",
        ),
        (quote!(provider = "p", auth_flow = "magic"), "there is no such flow: the flow is \"M2M\","),
        (quote!(provider = "p", auth_flow = 2), "`auth_flow` takes a string: the flow is"),
        (user(quote!(scopes = "repo user")), "`scopes` takes a list: write `[\"repo\", \"user\"]`"),
        (user(quote!(scopes = 5)), "`scopes` takes a list: write `[\"…\"]`"),
        (user(quote!(scopes = ["a", 5])), "`scopes` takes strings: `scopes = [\"…\"]`"),
        (user(quote!(scopes = &[""])), "a scope must not be empty"),
        (user(quote!(resources = ["a", ""])), "a resource must not be empty"),
        (user(quote!(audiences = [""])), "an audience must not be empty"),
        (user(quote!(callback_url = "agent.example")), "a callback URL must begin with a scheme"),
        (
            user(quote!(callback_url = ["https://a.example"])),
            "`callback_url` takes one value and no list: `callback_url = \"https://a.example\"`",
        ),
        (user(quote!(callback_url = 5)), "`callback_url` takes a URL, a string"),
        (user(quote!(custom_state = "")), "a custom state must not be empty"),
        (
            user(quote!(force_authentication = "True")),
            "`force_authentication` takes `true` or `false`: `force_authentication = true`",
        ),
        (user(quote!(force_authentication = 0)), "`force_authentication` takes `true` or `false`"),
        (user(quote!(on_auth_url = "show")), "`on_auth_url` takes an expression, not a literal: `on_auth_url = show`"),
        (user(quote!(on_auth_url = || ())), "`on_auth_url` takes a function of one `PendingAuthorization`"),
        (user(quote!(custom_parameters = "a=b")), "`custom_parameters` takes a list of pairs"),
        (user(quote!(custom_parameters = ["a"])), "each item is a pair: `custom_parameters = [(\"key\", \"value\")]`"),
        (user(quote!(custom_parameters = [("a", "b", "c")])), "each item is a pair"),
        (user(quote!(custom_parameters = [("a", 5)])), "key and value are strings"),
        (user(quote!(custom_parameters = [("a b", c)])), "the key of a custom parameter must not contain ' '"),
        (user(quote!(custom_parameters = [(a, "")])), "the value of a custom parameter must not be empty"),
        (user(quote!(custom_parameters = [("a", b), ("a", c)])), "this key is there twice"),
        (user(quote!(custom_parameters = { "a": "b" })), "`custom_parameters` takes a list of pairs"),
        (user(quote!(audience = ["x"])), "there is no option `audience`: did you mean `audiences`?"),
        (user(quote!(signing_algorithm = "ES384")), "`signing_algorithm` belongs to `#[requires_iam_access_token]`"),
        (
            user(quote!(resource_oauth2_return_url = url)),
            "there is no option `resource_oauth2_return_url`: did you mean `callback_url`?",
        ),
        (user(quote!(session_id = "x")), "there is no option `session_id`: the client keeps the session"),
        (
            user(quote!(agent_identity_token = t)),
            "there is no option `agent_identity_token`: who is calling is said by",
        ),
        (consent(quote!(on_auth_url = show)), "`on_auth_url` is for `auth_flow = \"USER_FEDERATION\"`"),
        (consent(quote!(callback_url = url)), "`callback_url` is for `auth_flow = \"USER_FEDERATION\"`"),
        (consent(quote!(force_authentication = true)), "`force_authentication` is for"),
        (consent(quote!(token_poller = poller)), "`token_poller` is for"),
        (consent(quote!(custom_state = state)), "`custom_state` is for"),
    ];
    for (arguments, text) in cases {
        assert_only_error(expand_token(arguments, fetch()), text);
    }
}

#[test]
fn each_mistake_in_a_jwt_is_told_once() {
    let cases = [
        (quote!(), "`#[requires_iam_access_token]` needs to know who is to accept the token: add `audience"),
        (quote!("https://a.example"), "this value has no name: write `audience = \"https://a.example\"`"),
        (quote!(audience = []), "a token is for 1 to 10 audiences, and this list has 0"),
        (quote!(audience = ""), "an audience must not be empty"),
        (quote!(audience = ["a", ""]), "an audience must not be empty"),
        (quote!(audience = 5), "`audience` takes a string or a list of strings"),
        (quote!(audiences = ["a"]), "there is no option `audiences`: did you mean `audience`?"),
        (
            quote!(audience = "a", provider = "p"),
            "`provider` belongs to `#[requires_api_key]` and `#[requires_access_token]`",
        ),
        (
            quote!(audience = "a", signing_algorithm = "es-384"),
            "there is no such algorithm here: did you mean \"ES384\"?",
        ),
        (quote!(audience = "a", signing_algorithm = "ES256"), "there is no such algorithm here: AWS STS signs with"),
        (quote!(audience = "a", signing_algorithm = 256), "`signing_algorithm` takes a string"),
        (quote!(audience = "a", duration_seconds = 59), "a token lives for 60 to 3600 seconds, and this is 59"),
        (quote!(audience = "a", duration_seconds = 3_601), "a token lives for 60 to 3600 seconds, and this is 3_601"),
        (quote!(audience = "a", duration_seconds = -60), "a token lives for 60 to 3600 seconds"),
        (
            quote!(audience = "a", duration_seconds = "300"),
            "`duration_seconds` takes a whole number of 60 to 3600 seconds",
        ),
        (quote!(audience = "a", tags = [("a\n", "b")]), r"the key of a tag must not contain '\n'"),
        (quote!(audience = "a", tags = [("a", "!")]), "the value of a tag must not contain '!'"),
        (quote!(audience = "a", tags = { "a" => "b" }), "`tags` takes a list of pairs"),
    ];
    for (arguments, text) in cases {
        assert_only_error(expand_iam(arguments, fetch()), text);
    }
    let tags = (0..51).map(|n| {
        let key = format!("k{n}");
        quote!((#key, "v"))
    });
    assert_only_error(
        expand_iam(quote!(audience = "a", tags = [#(#tags),*]), fetch()),
        "a token has at most 50 tags, and these are 51",
    );
}

#[test]
fn what_is_at_the_limit_is_right() {
    for arguments in [
        quote!(audience = "a", duration_seconds = 60),
        quote!(audience = ["a"; 10], duration_seconds = 3600),
        quote!(audience = ["a", "b"], duration_seconds = seconds, tags = [], signing_algorithm = ALGORITHM),
        quote!(audience = "a", tags = [("a", "")]),
    ] {
        assert_eq!(errors(expand_iam(arguments, fetch())), Vec::<String>::new());
    }
    let arguments = quote!(provider = "p", auth_flow = FLOW, on_auth_url = show, scopes = []);
    assert_eq!(errors(expand_token(arguments, fetch())), Vec::<String>::new());
}
