//! Every form of function that `#[requires_api_key]` stands on, called for real.

use std::cell::Cell;
use std::fmt::{Debug, Display};
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use agentcore_identity::{ApiKey, Error, IdentityClient, requires_api_key};
use agentcore_identity_tests::{API_KEY, agent, client, local};
use secrecy::{ExposeSecret, SecretString};

const OPENAI: &str = "openai";

/// Runs `work` as an agent whose provider `openai` has [`API_KEY`].
async fn as_agent<F: Future>(work: F) -> F::Output {
    let local = local().await;
    agent(&local).scope(work).await
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

mod types {
    use super::*;

    #[requires_api_key(provider = "openai")]
    async fn owned(api_key: ApiKey) -> Result<String, Error> {
        Ok(api_key.expose().to_owned())
    }

    #[requires_api_key(provider = "openai")]
    async fn borrowed(api_key: &ApiKey) -> Result<String, Error> {
        Ok(api_key.expose().to_owned())
    }

    #[requires_api_key(provider = "openai")]
    async fn text(api_key: &str) -> Result<String, Error> {
        Ok(api_key.to_owned())
    }

    #[requires_api_key(provider = "openai")]
    async fn string(mut api_key: String) -> Result<String, Error> {
        api_key.push('!');
        Ok(api_key)
    }

    #[requires_api_key(provider = "openai")]
    async fn secret(api_key: SecretString) -> Result<String, Error> {
        Ok(api_key.expose_secret().to_owned())
    }

    type Key<'k> = &'k ApiKey;

    #[requires_api_key(provider = "openai")]
    async fn alias<'k>(api_key: Key<'k>) -> Result<String, Error> {
        Ok(api_key.expose().to_owned())
    }

    #[tokio::test]
    async fn each_receives_the_key() {
        as_agent(async {
            assert_eq!(owned().await.unwrap(), API_KEY);
            assert_eq!(borrowed().await.unwrap(), API_KEY);
            assert_eq!(text().await.unwrap(), API_KEY);
            assert_eq!(string().await.unwrap(), format!("{API_KEY}!"));
            assert_eq!(secret().await.unwrap(), API_KEY);
            assert_eq!(alias().await.unwrap(), API_KEY);
        })
        .await;
    }
}

mod names {
    use super::*;

    #[requires_api_key(provider = "openai", into = key)]
    async fn by_name(key: &str) -> Result<String, Error> {
        Ok(key.to_owned())
    }

    #[requires_api_key(provider = "openai", into = "key")]
    async fn by_text(key: &str) -> Result<String, Error> {
        Ok(key.to_owned())
    }

    #[requires_api_key(provider = "openai", into = r#type)]
    async fn raw(r#type: &str, r#mod: u8) -> Result<String, Error> {
        Ok(format!("{type} {mod}"))
    }

    #[requires_api_key(provider = "openai", into = "type")]
    async fn r#async(r#type: &str) -> Result<String, Error> {
        Ok(r#type.to_owned())
    }

    /// The names that an expansion might use for itself.
    #[requires_api_key(provider = provider, client = client, retry_if = |_| false)]
    async fn like_ours(
        client: &IdentityClient,
        provider: &str,
        credential: u8,
        error: u8,
        renewed: u8,
        result: u8,
        api_key: &str,
    ) -> Result<String, Error> {
        Ok(format!("{api_key} {}", credential + error + renewed + result))
    }

    #[tokio::test]
    async fn of_parameters_are_as_written() {
        as_agent(async {
            assert_eq!(by_name().await.unwrap(), API_KEY);
            assert_eq!(by_text().await.unwrap(), API_KEY);
            assert_eq!(raw(7).await.unwrap(), format!("{API_KEY} 7"));
            assert_eq!(r#async().await.unwrap(), API_KEY);
        })
        .await;
        let local = local().await;
        agent(&local)
            .scope(async {
                let answer = like_ours(&client(&local), OPENAI, 1, 2, 3, 4).await.unwrap();
                assert_eq!(answer, format!("{API_KEY} 10"));
            })
            .await;
    }
}

mod providers {
    use std::borrow::Cow;
    use std::sync::Mutex;

    use super::*;

    struct Tenant {
        provider: String,
        shared: Mutex<String>,
    }

    impl Tenant {
        fn provider(&self) -> &str {
            &self.provider
        }

        #[requires_api_key(provider = self.provider())]
        async fn method(&self, api_key: &str) -> Result<String, Error> {
            Ok(api_key.to_owned())
        }

        #[requires_api_key(provider = self.provider)]
        async fn field(&self, api_key: &str) -> Result<String, Error> {
            Ok(api_key.to_owned())
        }

        /// The lock is free again in the body.
        #[requires_api_key(provider = self.shared.lock().unwrap().clone())]
        async fn locked(&self, api_key: &str) -> Result<String, Error> {
            assert!(self.shared.try_lock().is_ok());
            Ok(api_key.to_owned())
        }
    }

    impl Tenant {
        /// A name that borrows from the lock's guard, which is neither `Send` nor to be held over a fetch.
        #[requires_api_key(provider = &**self.shared.lock().unwrap())]
        async fn borrowed_from_a_lock(&self, api_key: &str) -> Result<String, Error> {
            assert!(self.shared.try_lock().is_ok());
            Ok(api_key.to_owned())
        }

        #[requires_api_key(provider = &**self.shared.lock().unwrap(), retry_if = |_| self.shared.try_lock().is_err())]
        async fn borrowed_from_a_lock_for_two_attempts(&self, api_key: &str) -> Result<String, Error> {
            assert!(self.shared.try_lock().is_ok());
            Ok(api_key.to_owned())
        }
    }

    #[requires_api_key(provider = OPENAI)]
    async fn constant(api_key: &str) -> Result<String, Error> {
        Ok(api_key.to_owned())
    }

    #[requires_api_key(provider = format!("{prefix}{suffix}"))]
    async fn computed(prefix: &str, suffix: String, api_key: &str) -> Result<String, Error> {
        Ok(format!("{api_key} {suffix}"))
    }

    #[requires_api_key(provider = name)]
    async fn any_text(name: impl AsRef<str>, api_key: &str) -> Result<String, Error> {
        Ok(api_key.to_owned())
    }

    #[requires_api_key(provider = first, retry_if = |_| first.is_empty())]
    async fn from_a_pattern((first, _second): (String, String), api_key: &str) -> Result<String, Error> {
        Ok(format!("{first} {api_key}"))
    }

    /// The longest name that the attribute accepts is one that the client and the service accept.
    #[requires_api_key(
        provider = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    )]
    async fn longest(api_key: &str) -> Result<String, Error> {
        Ok(api_key.to_owned())
    }

    #[tokio::test]
    async fn are_expressions_over_the_parameters() {
        as_agent(async {
            let tenant = Tenant { provider: OPENAI.to_owned(), shared: Mutex::new(OPENAI.to_owned()) };
            assert_eq!(tenant.method().await.unwrap(), API_KEY);
            assert_eq!(tenant.field().await.unwrap(), API_KEY);
            assert_eq!(assert_send(tenant.locked()).await.unwrap(), API_KEY);
            assert_eq!(assert_send(tenant.borrowed_from_a_lock()).await.unwrap(), API_KEY);
            assert_eq!(assert_send(tenant.borrowed_from_a_lock_for_two_attempts()).await.unwrap(), API_KEY);
            assert_eq!(constant().await.unwrap(), API_KEY);
            assert_eq!(computed("open", "ai".to_owned()).await.unwrap(), format!("{API_KEY} ai"));
            assert_eq!(any_text(Cow::Borrowed(OPENAI)).await.unwrap(), API_KEY);
            assert_eq!(any_text(Arc::<str>::from(OPENAI)).await.unwrap(), API_KEY);
            let pair = (OPENAI.to_owned(), String::new());
            assert_eq!(from_a_pattern(pair).await.unwrap(), format!("openai {API_KEY}"));
        })
        .await;
    }

    #[tokio::test]
    async fn that_are_wrong_at_run_time_are_an_error() {
        as_agent(async {
            let error = any_text("no such provider").await.unwrap_err();
            assert!(matches!(error, Error::InvalidRequest { .. }), "{error:?}");
            let error = longest().await.unwrap_err();
            assert!(matches!(error, Error::ProviderNotFound { .. }), "{error:?}");
            let error = any_text("missing").await.unwrap_err();
            assert!(matches!(error, Error::ProviderNotFound { .. }), "{error:?}");
        })
        .await;
    }
}

mod clients {
    use std::sync::Mutex;

    use agentcore_identity::RequestContext;
    use agentcore_identity_tests::WORKLOAD;

    use super::*;

    struct Agent<C> {
        identity: C,
    }

    impl Agent<IdentityClient> {
        #[requires_api_key(provider = "openai", client = self.identity)]
        async fn field(&self, api_key: &str) -> Result<String, Error> {
            Ok(api_key.to_owned())
        }

        #[requires_api_key(provider = "openai", client = &self.identity)]
        async fn reference(&self, api_key: &str) -> Result<String, Error> {
            Ok(api_key.to_owned())
        }
    }

    impl Agent<Arc<IdentityClient>> {
        #[requires_api_key(provider = "openai", client = self.identity)]
        async fn shared(&self, api_key: &str) -> Result<String, Error> {
            Ok(api_key.to_owned())
        }
    }

    impl Agent<Mutex<IdentityClient>> {
        /// The guard is gone before the fetch: it would keep the future from being `Send`.
        #[requires_api_key(provider = "openai", client = self.identity.lock().unwrap())]
        async fn locked(&self, api_key: &str) -> Result<String, Error> {
            assert!(self.identity.try_lock().is_ok());
            Ok(api_key.to_owned())
        }
    }

    #[requires_api_key(provider = "openai", client = make())]
    async fn made(make: impl Fn() -> IdentityClient, api_key: &str) -> Result<String, Error> {
        Ok(api_key.to_owned())
    }

    #[tokio::test]
    async fn are_whatever_derefs_to_one() {
        let local = local().await;
        // The context has no client: what works does so through the explicit one.
        RequestContext::builder()
            .workload_name(WORKLOAD)
            .build()
            .scope(async {
                let agent = Agent { identity: client(&local) };
                assert_eq!(agent.field().await.unwrap(), API_KEY);
                assert_eq!(agent.reference().await.unwrap(), API_KEY);
                let agent = Agent { identity: Arc::new(client(&local)) };
                assert_eq!(agent.shared().await.unwrap(), API_KEY);
                let agent = Agent { identity: Mutex::new(client(&local)) };
                assert_eq!(assert_send(agent.locked()).await.unwrap(), API_KEY);
                assert_eq!(made(|| client(&local)).await.unwrap(), API_KEY);
            })
            .await;
    }
}

mod methods {
    use super::*;

    #[derive(Clone)]
    struct Agent {
        asked: u8,
    }

    impl Agent {
        #[requires_api_key(provider = "openai")]
        async fn by_reference(&self, prompt: &str, api_key: &ApiKey) -> Result<String, Error> {
            Ok(format!("{prompt} {} {}", self.asked, api_key.expose()))
        }

        #[requires_api_key(provider = "openai")]
        async fn by_mutable_reference(&mut self, api_key: &str) -> Result<&str, Error> {
            self.asked += 1;
            assert_eq!(api_key, API_KEY);
            Ok("borrowed from self")
        }

        #[requires_api_key(provider = "openai")]
        async fn by_value(mut self, api_key: &str) -> Result<(Self, String), Error> {
            self.asked += 1;
            Ok((self, api_key.to_owned()))
        }

        #[requires_api_key(provider = "openai")]
        async fn by_arc(self: Arc<Self>, api_key: &str) -> Result<u8, Error> {
            assert_eq!(api_key, API_KEY);
            Ok(self.asked)
        }

        #[requires_api_key(provider = "openai")]
        async fn by_pin(self: Pin<&mut Self>, api_key: &str) -> Result<u8, Error> {
            assert_eq!(api_key, API_KEY);
            Ok(self.get_mut().asked)
        }

        #[requires_api_key(provider = "openai")]
        async fn by_box(self: Box<Self>, api_key: &str) -> Result<u8, Error> {
            assert_eq!(api_key, API_KEY);
            Ok(self.asked)
        }
    }

    trait Ask {
        const PROVIDER: &'static str;

        async fn ask(&self, prompt: &str) -> Result<String, Error>;

        #[requires_api_key(provider = Self::PROVIDER)]
        async fn ask_politely(&self, prompt: &str, api_key: &str) -> Result<String, Error> {
            assert_eq!(api_key, API_KEY);
            self.ask(&format!("please, {prompt}")).await
        }
    }

    impl Ask for Agent {
        const PROVIDER: &'static str = OPENAI;

        #[requires_api_key(provider = Self::PROVIDER)]
        async fn ask(&self, prompt: &str, api_key: &str) -> Result<String, Error> {
            Ok(format!("{prompt} {api_key}"))
        }
    }

    #[tokio::test]
    async fn of_every_receiver() {
        as_agent(async {
            let mut agent = Agent { asked: 0 };
            assert_eq!(agent.by_reference("hi").await.unwrap(), format!("hi 0 {API_KEY}"));
            assert_eq!(agent.by_mutable_reference().await.unwrap(), "borrowed from self");
            let (agent, key) = agent.by_value().await.unwrap();
            assert_eq!((agent.asked, key.as_str()), (2, API_KEY));
            assert_eq!(Arc::new(agent.clone()).by_arc().await.unwrap(), 2);
            assert_eq!(Pin::new(&mut agent.clone()).by_pin().await.unwrap(), 2);
            assert_eq!(Box::new(agent).by_box().await.unwrap(), 2);
        })
        .await;
    }

    #[tokio::test]
    async fn of_traits() {
        as_agent(async {
            assert_eq!(Agent { asked: 0 }.ask_politely("why?").await.unwrap(), format!("please, why? {API_KEY}"));
        })
        .await;
    }
}

mod signatures {
    use super::*;

    #[requires_api_key(provider = "openai")]
    async fn generic<T, const N: usize>(values: [T; N], api_key: &str) -> Result<String, Error>
    where
        T: Debug + Send,
    {
        Ok(format!("{values:?} {N} {api_key}"))
    }

    #[requires_api_key(provider = "openai")]
    async fn lifetimes<'p, 'k, 'm: 'p>(prompt: &'p str, model: &'m str, api_key: &'k str) -> Result<&'p str, Error>
    where
        'k: 'k,
    {
        assert_eq!(api_key, API_KEY);
        Ok(if model.is_empty() { prompt } else { model })
    }

    #[requires_api_key(provider = "openai")]
    async fn elided(prompt: &str, api_key: &str) -> Result<&str, Error> {
        assert_eq!(api_key, API_KEY);
        Ok(prompt)
    }

    #[requires_api_key(provider = "openai")]
    async fn opaque(prompt: impl Display, api_key: &str) -> Result<impl Display, Error> {
        Ok(format!("{prompt} {api_key}"))
    }

    #[requires_api_key(provider = "openai")]
    async fn boxed(api_key: String) -> Result<Box<dyn Display + Send>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Box::new(api_key))
    }

    #[requires_api_key(provider = "openai")]
    async fn aliased(prompt: &str, api_key: &str) -> anyhow::Result<String> {
        anyhow::ensure!(!prompt.is_empty(), "no prompt");
        Ok(format!("{prompt} {api_key}"))
    }

    #[requires_api_key(provider = "openai")]
    async fn patterns(
        (mut a, b): (u8, u8),
        [c, ..]: [u8; 3],
        _: &str,
        mut text: String,
        api_key: &str,
    ) -> Result<String, Error> {
        a += b + c;
        text.push_str(api_key);
        Ok(format!("{a} {text}"))
    }

    /// An outer comment.
    #[allow(clippy::mixed_attributes_style, reason = "both styles are to work, and at once")]
    #[requires_api_key(provider = "openai")]
    #[must_use = "the answer is what was asked for"]
    #[inline]
    pub(crate) async fn attributes(
        /// What to say.
        prompt: &str,
        /// Never seen by the caller.
        #[allow(unused_variables)]
        api_key: &str,
        #[cfg(any())] gone: u8,
    ) -> Result<String, Error> {
        #![allow(unused_mut)]
        //! An inner comment.
        let mut answer = prompt.to_owned();
        Ok(answer)
    }

    #[requires_api_key(provider = "openai")]
    async fn last(first: u8, #[allow(unused_mut)] mut api_key: String, second: u8) -> Result<String, Error> {
        Ok(format!("{first} {api_key} {second}"))
    }

    #[requires_api_key(provider = "openai")]
    async fn function_pointers(render: fn(&str) -> &str, api_key: &str) -> Result<String, Error> {
        Ok(render(api_key).to_owned())
    }

    #[requires_api_key(provider = "openai")]
    async fn early_return(prompt: &str, api_key: &str) -> Result<usize, Error> {
        if prompt.is_empty() {
            return Ok(0);
        }
        Ok(api_key.len())
    }

    #[tokio::test]
    async fn of_every_kind() {
        as_agent(async {
            assert_eq!(generic([1, 2]).await.unwrap(), format!("[1, 2] 2 {API_KEY}"));
            assert_eq!(lifetimes("p", "").await.unwrap(), "p");
            assert_eq!(elided("p").await.unwrap(), "p");
            assert_eq!(opaque("p").await.unwrap().to_string(), format!("p {API_KEY}"));
            assert_eq!(boxed().await.unwrap().to_string(), API_KEY);
            assert_eq!(aliased("p").await.unwrap(), format!("p {API_KEY}"));
            assert_eq!(aliased("").await.unwrap_err().to_string(), "no prompt");
            assert_eq!(patterns((1, 2), [3, 0, 0], "", String::from("t")).await.unwrap(), format!("6 t{API_KEY}"));
            assert_eq!(attributes("p").await.unwrap(), "p");
            assert_eq!(last(1, 2).await.unwrap(), format!("1 {API_KEY} 2"));
            assert_eq!(function_pointers(|text| &text[..2]).await.unwrap(), "sk");
            assert_eq!(early_return("").await.unwrap(), 0);
            assert_eq!(early_return("p").await.unwrap(), API_KEY.len());
        })
        .await;
    }

    #[requires_api_key(provider = "openai")]
    async fn countdown(n: u8, api_key: &str) -> Result<String, Error> {
        if n == 0 { Ok(api_key.to_owned()) } else { Box::pin(countdown(n - 1)).await }
    }

    #[tokio::test]
    async fn that_recur() {
        as_agent(async { assert_eq!(countdown(3).await.unwrap(), API_KEY) }).await;
    }

    #[requires_api_key(provider = "openai")]
    async fn not_sync(seen: Cell<u8>, marker: PhantomData<Cell<u8>>, api_key: &str) -> Result<u8, Error> {
        tokio::task::yield_now().await;
        seen.set(u8::from(api_key == API_KEY));
        let _ = marker;
        Ok(seen.get())
    }

    #[tokio::test]
    async fn that_are_send() {
        as_agent(async { assert_eq!(assert_send(not_sync(Cell::new(0), PhantomData)).await.unwrap(), 1) }).await;
    }
}

mod generated {
    use super::*;

    macro_rules! annotated {
        ($vis:vis $name:ident, $provider:expr, $prompt:ident: $prompt_type:ty, $key:ident: $type:ty, $body:block) => {
            #[requires_api_key(provider = $provider, into = $key)]
            $vis async fn $name($prompt: $prompt_type, $key: $type) -> Result<String, Error> $body
        };
        ($item:item) => {
            #[requires_api_key(provider = "openai")]
            $item
        };
    }

    annotated!(pub(crate) literal, "openai", prompt: &str, key: &str, { Ok(format!("{prompt} {key}")) });
    annotated!(expression, ["x", OPENAI][1], prompt: &str, api_key: ApiKey, {
        let key = api_key.expose();
        Ok(format!("{prompt} {key}"))
    });
    annotated! {
        async fn whole_item(prompt: &str, api_key: &str) -> Result<String, Error> {
            Ok(format!("{prompt} {api_key}"))
        }
    }

    #[tokio::test]
    async fn by_macro_rules() {
        as_agent(async {
            let expected = format!("p {API_KEY}");
            assert_eq!(literal("p").await.unwrap(), expected);
            assert_eq!(expression("p").await.unwrap(), expected);
            assert_eq!(whole_item("p").await.unwrap(), expected);
        })
        .await;
    }
}

mod company {
    use super::*;

    #[requires_api_key(provider = "openai", into = first)]
    #[requires_api_key(provider = "anthropic", into = second)]
    #[agentcore_identity::requires_api_key(provider = "openai")]
    async fn stacked(prompt: &str, first: &str, second: String, api_key: ApiKey) -> Result<String, Error> {
        Ok(format!("{prompt} {first} {second} {}", api_key.expose() == first))
    }

    #[requires_api_key(provider = "openai")]
    #[tracing::instrument]
    async fn above_instrument(prompt: &str, api_key: &str) -> Result<String, Error> {
        Ok(format!("{prompt} {api_key}"))
    }

    #[tracing::instrument(skip_all, err)]
    #[requires_api_key(provider = "openai")]
    async fn below_instrument(prompt: &str, api_key: &str) -> Result<String, Error> {
        Ok(format!("{prompt} {api_key}"))
    }

    #[tokio::test]
    async fn of_other_attributes() {
        let local = local().await;
        local.set_api_key("anthropic", "sk-other").await.unwrap();
        agent(&local)
            .scope(async {
                assert_eq!(stacked("p").await.unwrap(), format!("p {API_KEY} sk-other true"));
                assert_eq!(above_instrument("p").await.unwrap(), format!("p {API_KEY}"));
                assert_eq!(below_instrument("p").await.unwrap(), format!("p {API_KEY}"));
            })
            .await;
    }
}
