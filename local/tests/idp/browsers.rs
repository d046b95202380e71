//! The pages: who is signed in, whose form it is, and what other sites can do with them.

use std::time::Duration;

use crate::support::browser::{Browser, heading, hidden, location, query, text};
use crate::world::World;

#[tokio::test]
async fn a_browser_remembers_who_signed_in_but_consent_is_asked_each_time() {
    let world = World::start().await;
    let mut browser = Browser::of(&world.local);
    browser.decide(&world.authorize(&[]), "ada", "allow").await;
    let again = browser.get(&world.authorize(&[])).await;
    assert_eq!(heading(&again), "Allow access?");
    assert!(text(&again).contains("<strong>ada</strong>"));
    let silent = location(&browser.get(&world.authorize(&[("prompt", "none")])).await);
    assert_eq!(query(&silent)["error"], "consent_required");
    let asked = browser.get(&world.authorize(&[("prompt", "consent")])).await;
    let switch = text(&asked).split_once("<a href=\"").unwrap().1.split_once('"').unwrap().0.replace("&amp;", "&");
    let other = browser.sign_in(&switch, "grace").await;
    assert_eq!(heading(&other), "Allow access?");
    assert!(text(&other).contains("<strong>grace</strong>"));
    world.local.advance_clock(Duration::from_hours(12));
    assert_eq!(heading(&browser.get(&world.authorize(&[])).await), "Sign in");
}

#[tokio::test]
async fn only_the_browser_that_got_a_form_can_send_it() {
    let world = World::start().await;
    let (mut ada, mut eve) = (Browser::of(&world.local), Browser::of(&world.local));
    let page = ada.sign_in(&world.authorize(&[]), "ada").await;
    let form = hidden(&page);
    let eve_page = eve.sign_in(&world.authorize(&[]), "eve").await;
    let allow = |form: &str| [("form".to_owned(), form.to_owned()), ("decision".to_owned(), "allow".to_owned())];
    let send = async |browser: &mut Browser, path: &str, form: &str| {
        let fields = allow(form);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = browser.post(path, &fields).await;
        (answer.status.as_u16(), answer.headers.contains_key("location"))
    };
    assert_eq!(send(&mut eve, "/idp/consent", &form).await, (403, false));
    assert_eq!(send(&mut ada, "/idp/consent", &hidden(&eve_page)).await, (403, false));
    assert_eq!(send(&mut Browser::of(&world.local), "/idp/consent", &form).await, (403, false));
    assert_eq!(send(&mut ada, "/idp/sign-in", &form).await, (403, false));
    assert_eq!(send(&mut ada, "/idp/consent", "").await, (403, false));
    assert_eq!(send(&mut ada, "/idp/consent", &form[1..]).await, (403, false));
    // A form for one person is not for the next that signs in with the same browser.
    let mut shared = ada.clone();
    shared.sign_in(&world.authorize(&[("prompt", "login")]), "grace").await;
    assert_eq!(send(&mut shared, "/idp/consent", &form).await, (403, false));
    world.local.advance_clock(Duration::from_mins(10));
    assert_eq!(send(&mut ada, "/idp/consent", &form).await, (403, false));
}

#[tokio::test]
async fn pages_from_elsewhere_may_link_here_and_no_more() {
    let world = World::start().await;
    let authority = world.client.authority.clone();
    let get =
        async |headers: &[(&str, &str)]| world.client.plain("GET", &world.authorize(&[]), headers, "").await.status;
    let visit = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    assert_eq!(get(&visit).await, 200);
    assert_eq!(get(&[visit[0], visit[1], ("sec-fetch-dest", "iframe")]).await, 403);
    assert_eq!(get(&[visit[0], ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")]).await, 403);
    assert_eq!(get(&[("origin", "https://evil.example.com")]).await, 403);
    let form = ("content-type", "application/x-www-form-urlencoded");
    let own = format!("http://{authority}");
    for (headers, status) in [
        (&[form, ("origin", "http://localhost:1")][..], 403),
        (&[form, ("origin", "null")], 403),
        (&[form, ("origin", &own), ("sec-fetch-site", "cross-site")], 403),
        (&[form, ("origin", &own), ("sec-fetch-site", "same-site")], 403),
        // These get as far as the form, which is none.
        (&[form, ("origin", &own), ("sec-fetch-site", "same-origin")], 403),
    ] {
        let answer = world.client.plain("POST", "/idp/sign-in", headers, "form=x").await;
        assert_eq!(answer.status, status, "{headers:?}");
        let reached_the_page = heading(&answer) == "Please start again";
        assert_eq!(reached_the_page, headers.last() == Some(&("sec-fetch-site", "same-origin")), "{headers:?}");
    }
}

#[tokio::test]
async fn pages_say_what_they_are_and_keep_to_themselves() {
    let world = World::start().await;
    let mut browser = Browser::of(&world.local);
    let sign_in = browser.get(&world.authorize(&[("login_hint", "<i>ada\"")])).await;
    assert!(text(&sign_in).contains("value=\"&lt;i&gt;ada&quot;\""), "{}", text(&sign_in));
    let consent = browser.sign_in(&world.authorize(&[("scope", "<script>")]), "<b>ada</b>").await;
    let error = browser.get(&world.authorize(&[("client_id", "<script>")])).await;
    for page in [&sign_in, &consent, &error] {
        assert!(text(page).contains("Demo identity provider on this machine"));
        assert!(!text(page).contains("<script") && !text(page).contains("<b>ada"), "{}", text(page));
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(page.headers["cache-control"], "no-store");
        assert_eq!(page.headers["x-frame-options"], "DENY");
        assert_eq!(page.headers["referrer-policy"], "same-origin");
    }
    let cookie = sign_in.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Lax") && cookie.contains("Path=/idp"), "{cookie}");
}
