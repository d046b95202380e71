//! Methods of every receiver, and of traits.

use std::pin::Pin;
use std::sync::Arc;

use agentcore_identity::{ApiKey, Error, requires_api_key};
use agentcore_identity_tests::API_KEY;

use crate::{OPENAI, as_agent};

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
