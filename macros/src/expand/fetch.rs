//! How each credential of a function is come by.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::spanned::Spanned;

use super::operand::{Hold, Operand, Variable};
use super::request;
use crate::catalog::Kind;
use crate::types;
use crate::validate::{Credential, Parameter};

/// One credential, on its way from the service to the parameter.
pub(super) struct Fetch<'a> {
    pub(super) credential: &'a Credential,
    /// The hidden module of the runtime crate.
    private: TokenStream,
    /// The variable that has the credential.
    pub(super) variable: Ident,
    /// What has to be there before the request is sent.
    pub(super) prepare: Vec<Variable>,
    /// What is awaited for the credential.
    pub(super) ask: TokenStream,
    /// What is awaited for another credential than the one in `variable`, if `retry_if` asks for that.
    pub(super) renew: Option<TokenStream>,
}

impl<'a> Fetch<'a> {
    /// `index` is where it is among several.
    pub(super) fn new(credential: &'a Credential, index: Option<usize>, output: &TokenStream, hold: Hold) -> Self {
        let at = Span::mixed_site();
        let named = |name: &str| match index {
            Some(index) => format_ident!("__{name}_{index}", span = at),
            None => format_ident!("__{name}", span = at),
        };
        let private = super::private(credential.options.krate.as_ref());
        let mut variable = named("credential");
        // What is wrong with borrowing it is wrong with the parameter.
        variable.set_span(at.located_at(credential.parameter.pat.span()));
        let mut fetch =
            Self { credential, variable, prepare: Vec::new(), ask: TokenStream::new(), renew: None, private };
        match credential.spec.kind {
            Kind::ApiKey => fetch.of_key(hold, named("client"), named("provider")),
            Kind::AccessToken | Kind::IamAccessToken => fetch.of_token(hold, named("request"), output),
            Kind::WorkloadToken => {
                let private = &fetch.private;
                fetch.ask = quote_spanned!(at=> #private::workload_token());
            }
        }
        fetch
    }

    fn of_key(&mut self, hold: Hold, client: Ident, provider: Ident) {
        let Self { private, variable, credential: Credential { options, .. }, .. } = self;
        let client = Operand::client(options.client.as_ref(), private, hold, client);
        let provider = Operand::provider(options.provider.as_ref(), private, hold, provider);
        let at = Span::mixed_site();
        let (client_value, provider_value) = (&client.value, &provider.value);
        self.ask = quote_spanned!(at=> #private::api_key(#client_value, #provider_value));
        self.renew = options
            .retry_if
            .as_ref()
            .map(|_| quote_spanned!(at=> #private::renew_api_key(#client_value, #provider_value, &#variable)));
        self.prepare = [client.variable, provider.variable].into_iter().flatten().collect();
    }

    fn of_token(&mut self, hold: Hold, name: Ident, output: &TokenStream) {
        let Self { private, variable, credential, .. } = self;
        let at = Span::mixed_site();
        let base = request::base(credential, private, output, hold);
        self.ask = match hold {
            Hold::Briefly => quote_spanned!(at=> #name),
            Hold::OverTheBody => request::anew(&name, credential, private, output),
        };
        if credential.options.retry_if.is_some() {
            let ask = &self.ask;
            self.renew = Some(quote_spanned!(at=> #private::renew_access_token(#ask, &#variable)));
        }
        self.prepare = vec![Variable { name, ty: None, value: base }];
    }

    /// What is awaited, as an argument for what awaits several.
    pub(super) fn future(&self) -> TokenStream {
        let ask = &self.ask;
        match self.credential.spec.kind {
            Kind::AccessToken | Kind::IamAccessToken => {
                quote_spanned!(Span::mixed_site()=> ::core::future::IntoFuture::into_future(#ask))
            }
            Kind::ApiKey | Kind::WorkloadToken => ask.clone(),
        }
    }

    pub(super) fn private(&self) -> &TokenStream {
        &self.private
    }

    /// Whether what is awaited is made with the user's own code, which may name any parameter.
    pub(super) fn asks_with_a_handler(&self) -> bool {
        self.credential.options.settings.iter().any(request::is_handler)
    }

    /// Binds the parameter to `value`.
    pub(super) fn bind(&self, value: &TokenStream) -> TokenStream {
        let Parameter { attrs, pat, .. } = &self.credential.parameter;
        quote_spanned! {Span::mixed_site()=>
            #(#attrs)*
            let #pat = #value;
        }
    }

    /// The credential in scope, as the parameter's type has it.
    pub(super) fn receive(&self) -> TokenStream {
        let Self { private, variable, credential, .. } = self;
        let at = Span::mixed_site();
        let ty = types::elide_lifetimes(credential.parameter.ty.to_token_stream());
        let receive = format_ident!("Receive{}", credential.spec.credential, span = at);
        let borrowed = quote_spanned!(variable.span()=> &#variable);
        quote_spanned!(at=> <#ty as #private::#receive<'_>>::receive(#borrowed))
    }
}
