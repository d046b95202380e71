//! As much of a browser as the pages need: it keeps cookies, and follows nothing by itself.

use std::collections::BTreeMap;

use agentcore_identity_local::LocalIdentity;

use super::{Answer, Client};

#[derive(Clone)]
pub(crate) struct Browser {
    client: Client,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn of(local: &LocalIdentity) -> Self {
        Self { client: Client::of(local), cookies: BTreeMap::new() }
    }

    fn cookie_header(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, answer: &Answer) {
        for header in answer.headers.get_all("set-cookie") {
            let (name, value) = header.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    pub(crate) async fn get(&mut self, target: &str) -> Answer {
        let answer = self.client.plain("GET", target, &[("cookie", &self.cookie_header())], "").await;
        self.keep(&answer);
        answer
    }

    pub(crate) async fn post(&mut self, target: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = format!("http://{}", self.client.authority);
        let headers = [
            ("cookie", self.cookie_header()),
            ("origin", origin),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let answer = self.client.plain("POST", target, &headers, &body).await;
        self.keep(&answer);
        answer
    }

    /// Signs in on the page that `target` leads to, and returns the page that comes next.
    pub(crate) async fn sign_in(&mut self, target: &str, user: &str) -> Answer {
        let page = self.get(target).await;
        assert_eq!(heading(&page), "Sign in");
        let next = self.post("/idp/sign-in", &[("form", &hidden(&page)), ("user", user)]).await;
        self.get(&location(&next)).await
    }

    /// Signs in and decides, and returns where the browser is sent then.
    pub(crate) async fn decide(&mut self, target: &str, user: &str, decision: &str) -> String {
        let page = self.sign_in(target, user).await;
        assert_eq!(heading(&page), "Allow access?");
        location(&self.post("/idp/consent", &[("form", &hidden(&page)), ("decision", decision)]).await)
    }
}

pub(crate) fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).unwrap()
}

pub(crate) fn heading(answer: &Answer) -> &str {
    between(text(answer), "<h1>", "</h1>")
}

pub(crate) fn hidden(answer: &Answer) -> String {
    between(text(answer), "name=\"form\" value=\"", "\"").to_owned()
}

pub(crate) fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", text(answer));
    answer.headers["location"].to_str().unwrap().to_owned()
}

/// The parameters of a URL's query.
pub(crate) fn query(url: &str) -> BTreeMap<String, String> {
    let query = url.split_once('?').unwrap().1;
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).and_then(|(_, rest)| rest.split_once(end)).map(|(inside, _)| inside).unwrap_or_default()
}
