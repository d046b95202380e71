//! The attributes of `agentcore-identity`, which re-exports them: depend on that crate, not on this one.
//!
//! An attribute is parsed (`parse`), checked (`validate`) and expanded (`expand`, `retry`); every mistake found on the
//! way is reported together with the others. What an expansion calls is in the hidden module `__private` of
//! `agentcore-identity`, where the work is done.

use proc_macro::TokenStream;
use quote::{ToTokens, quote};

mod borrow;
mod catalog;
mod diagnostics;
mod docs;
mod expand;
mod instrument;
mod limits;
mod operand;
mod parse;
mod retry;
mod source;
mod suggest;
#[cfg(test)]
mod tests;
mod types;
mod validate;

use catalog::Spec;
use diagnostics::Diagnostics;
use parse::Item;

/// Gives an `async fn` an API key from Amazon Bedrock AgentCore Identity, at each call.
///
/// The key arrives in a parameter that callers do not see:
///
/// ```
/// use agentcore_identity::{ApiKey, Error, requires_api_key};
///
/// #[requires_api_key(provider = "openai")]
/// async fn ask(prompt: &str, api_key: ApiKey) -> Result<String, Error> {
///     # async fn call_the_model(_: &str, _: &str) -> String { String::new() }
///     Ok(call_the_model(prompt, api_key.expose()).await)
/// }
///
/// # async fn caller() -> Result<(), Error> {
/// let answer = ask("hello").await?;
/// # drop(answer); Ok(()) }
/// ```
///
/// # Options
///
/// | option | value | without it |
/// |---|---|---|
/// | `provider = expr` | the name of the credential provider: a string, or anything that is `AsRef<str>` | required |
/// | `into = name` | the parameter to fill: its name, or that in quotes | `api_key` |
/// | `client = expr` | the client to ask: anything that is, or derefs to, an `IdentityClient`, by value or by reference | the request context's client, or else the process default |
/// | `retry_if = expr` | a `fn(&E) -> bool` over the function's error, see below | the body runs once |
/// | `crate = path` | where the crate `agentcore-identity` is | `::agentcore_identity` |
///
/// Values are expressions, evaluated at each call with the function's parameters in scope, `self` included. A provider
/// name that is a literal is checked at compile time: 1 to 128 characters, each a letter, a digit, `-` or `_`.
///
/// ```
/// # use agentcore_identity::{ApiKey, Error, IdentityClient, requires_api_key};
/// struct Tenant {
///     provider: String,
///     identity: IdentityClient,
/// }
///
/// impl Tenant {
///     #[requires_api_key(provider = self.provider, client = self.identity, into = key)]
///     async fn ask(&self, prompt: &str, key: &str) -> Result<String, Error> {
///         # let _ = (prompt, key);
///         # Ok(String::new())
///         // …
///     }
/// }
/// ```
///
/// # The parameter
///
/// Its type says how the function wants the key: `ApiKey`, `&ApiKey`, `&str`, `String`, or `SecretString` of the crate
/// `secrecy`. `ApiKey` is redacted when it is printed and wiped when it is dropped; a `&str` or a `String` is neither.
/// The parameter has a name and no other pattern, and may be `mut`.
///
/// # The function
///
/// Any `async fn` with a body will do: free, method or trait method, generic, `unsafe`, made by a macro. It returns a
/// `Result` whose error implements `From<agentcore_identity::Error>`, as `anyhow::Error` and `Box<dyn Error + Send +
/// Sync>` do. When there is no credential, the body does not run and the caller gets that error. The future is `Send`
/// if the body's is. The result cannot borrow from the key, which lives only for the call.
///
/// # `retry_if`
///
/// When the body fails with an error for which `retry_if` says true, the key is dropped from the cache and fetched
/// anew. If the fresh key is a different one, the body runs once more with it; in every other case the caller gets the
/// body's first error. This makes the rotation of a key invisible:
///
/// ```
/// # use agentcore_identity::{Error, requires_api_key};
/// # #[derive(Debug)]
/// enum AskError {
///     Identity(Error),
///     Status(u16),
/// }
/// # impl From<Error> for AskError { fn from(error: Error) -> Self { Self::Identity(error) } }
///
/// fn is_unauthorized(error: &AskError) -> bool {
///     matches!(error, AskError::Status(401))
/// }
///
/// #[requires_api_key(provider = "openai", retry_if = is_unauthorized)]
/// async fn ask(prompt: &str, api_key: &str) -> Result<String, AskError> {
///     # let _ = (prompt, api_key);
///     # Err(AskError::Status(401))
///     // …
/// }
/// ```
///
/// A second attempt gets the parameters that the first one got: references as they are, everything else cloned, so it
/// has to be `Clone`. What the first attempt did through a `&mut` stays done, and the result cannot borrow from one.
///
/// # Beside other attributes
///
/// Attributes run from top to bottom. Put this one above those that turn the function into one that is not `async`
/// (`#[tokio::main]`, `#[tokio::test]`) and above `#[tracing::instrument]`, which would otherwise see the parameter: an
/// `ApiKey` or a `SecretString` is redacted in the span, and a key of any other type that would be recorded is a compile
/// error.
/// `#[async_trait]` rewrites a whole `impl` before the attributes inside it run, so it does not go together with this
/// one: use `async fn` in traits, or call an annotated function from the method.
///
/// A function may have several credentials, each from its own attribute:
///
/// ```
/// # use agentcore_identity::{ApiKey, Error, requires_api_key};
/// #[requires_api_key(provider = "openai", into = openai)]
/// #[requires_api_key(provider = "search", into = search)]
/// async fn research(topic: &str, openai: ApiKey, search: ApiKey) -> Result<String, Error> {
///     # let _ = (topic, openai, search);
///     # Ok(String::new())
///     // …
/// }
/// ```
///
/// With `retry_if` on several of them the body still runs at most twice in all: the first error that one of them is
/// about renews that one's key, and an error of the second attempt is the caller's.
///
/// # Expansion
///
/// `ask` of the first example becomes approximately this. What is written `__private` is not for use by hand.
///
/// ```text
/// async fn ask(prompt: &str) -> Result<String, Error> {
///     let api_key = match __private::api_key(None, "openai").await {
///         Ok(credential) => <ApiKey as __private::ReceiveApiKey>::receive(&credential),
///         Err(error) => return __private::failure(error),
///     };
///     {
///         Ok(call_the_model(prompt, api_key.expose()).await)
///     }
/// }
/// ```
///
/// A `provider` or `client` that is not a literal, a path or a field is evaluated to an owned value first: a lock that
/// it takes is free again before the credential is fetched. With `retry_if` the body is an `async` block in a loop that
/// runs at most twice.
#[proc_macro_attribute]
pub fn requires_api_key(arguments: TokenStream, item: TokenStream) -> TokenStream {
    attribute(catalog::API_KEY, arguments.into(), item.into()).into()
}

fn attribute(
    spec: &Spec,
    arguments: proc_macro2::TokenStream,
    item: proc_macro2::TokenStream,
) -> proc_macro2::TokenStream {
    let mut diagnostics = Diagnostics::default();
    let mut function = match syn::parse2(item.clone()) {
        Ok(Item::Function(function)) => *function,
        Ok(Item::Other { keyword, kind }) => {
            let inside = if kind == "impl" { ": put it on the methods inside" } else { "" };
            let name = spec.name;
            diagnostics.at(keyword, format_args!("`#[{name}]` goes on an `async fn`, not on `{kind}`{inside}"));
            return with_errors(item, diagnostics);
        }
        Err(error) => {
            diagnostics.push(error);
            return with_errors(item, diagnostics);
        }
    };
    let arguments = parse::arguments(spec, arguments, &mut diagnostics);
    let options = validate::options(spec, arguments, &mut diagnostics);
    validate::conflicts(spec, &options, &mut function.attrs, &mut diagnostics);
    let parameter = validate::function(spec, &options, &mut function, &mut diagnostics);
    match (diagnostics.into_compile_errors(), parameter) {
        (None, Some(parameter)) => expand::function(&options, &parameter, function),
        (errors, parameter) => {
            let function = expand::fallback(parameter.as_ref(), &function);
            quote!(#function #errors)
        }
    }
}

fn with_errors(item: impl ToTokens, diagnostics: Diagnostics) -> proc_macro2::TokenStream {
    let errors = diagnostics.into_compile_errors();
    quote!(#item #errors)
}
