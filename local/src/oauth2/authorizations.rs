//! Authorizations under way: from the link that a person gets, over their consent, to the word of the application that
//! it was they who gave it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use aws_lc_rs::error::Unspecified;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::TokenRequest;
use super::client::Attempt;
use crate::clock::UnixMillis;
use crate::digest::sha256_hex;
use crate::error::{Code, ServiceError};
use crate::random;
use crate::store::{Registration, StoredToken, TokenKey};
use crate::sync::lock;
use crate::workload_token::{User, UserIdentifier};

pub(crate) const SESSION_URI_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// How long a person has to consent, and the application to confirm it.
pub(super) const LIFE: Duration = Duration::from_mins(10);

/// How long what became of it can be asked.
const REMEMBERED: Duration = Duration::from_hours(1);

/// No developer has this many at once; a loop that starts them without end must not eat the memory.
const MOST: usize = 10_000;

const MEMBER: &str = "sessionUri";

/// For whom an authorization is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) workload: String,
    /// The id of the workload identity.
    pub(crate) identity: String,
    pub(crate) user: User,
}

impl Owner {
    /// Where the token that `request` asks for is kept.
    pub(crate) fn key(&self, request: &TokenRequest) -> TokenKey {
        request.key(&self.workload, &self.identity, Some(&self.user))
    }

    fn is_same_person(&self, other: &Self) -> bool {
        self.identity == other.identity && self.user.is_same_person(&other.user)
    }
}

/// How far an authorization is, as the workload sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// For the person, or for the application.
    Waiting,
    /// The token is in the vault.
    Completed,
    Failed,
}

/// An authorization that waits for a person or for the application.
#[derive(Clone)]
pub(crate) struct OpenAuthorization {
    pub(crate) session_uri: String,
    pub(crate) provider: String,
    pub(crate) workload: String,
    pub(crate) user: String,
    pub(crate) age: Duration,
}

/// Why a browser is not led on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Nothing is known of it: never was, or is long over.
    Unknown,
    Expired,
    /// The person has been here, and consented.
    Consented,
    Failed(String),
    /// The answer comes to another browser than the one that was sent for it.
    AnotherBrowser,
}

/// An authorization that a browser has come for.
#[derive(Clone)]
pub(super) struct Visited {
    pub(super) session_uri: String,
    pub(super) owner: Owner,
    pub(super) request: TokenRequest,
    pub(super) registration: Registration,
}

/// A browser that has come back from the provider.
pub(super) enum Returned {
    /// With an answer to what it was sent with.
    Answered(Visited, Attempt),
    /// Again, as its answer from here was lost, while that from the provider is being looked into.
    TooSoon,
    /// Again, when everything is done that is to be done here.
    Done(Visited),
}

/// A confirmed authorization, whose token is to be kept.
pub(crate) struct Confirmed {
    pub(crate) owner: Owner,
    pub(crate) request: TokenRequest,
    pub(crate) registration: Registration,
    pub(crate) token: StoredToken,
}

#[derive(Default)]
pub(crate) struct Authorizations(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    all: HashMap<String, Authorization>,
    /// Which authorization a `state` belongs to.
    states: HashMap<String, String>,
}

struct Authorization {
    started: UnixMillis,
    owner: Owner,
    request: TokenRequest,
    /// What the provider was when it began.
    registration: Registration,
    stage: Stage,
}

enum Stage {
    /// The link is out. With a visit: a browser was sent on to the provider.
    Open(Option<Visit>),
    /// The browser is back, and its code is being exchanged.
    Exchanging(Browser),
    /// The provider gave a token, and the application is to say whose it is.
    Consented(Browser, StoredToken),
    /// The token is being written.
    Confirming,
    Completed,
    Expired,
    Failed(String),
}

/// The browser that was sent on: a digest of its cookie.
#[derive(Clone, PartialEq, Eq)]
struct Browser(String);

impl Browser {
    fn of(cookie: &str) -> Self {
        Self(sha256_hex(cookie.as_bytes()))
    }
}

struct Visit {
    attempt: Attempt,
    browser: Browser,
}

impl Authorizations {
    /// Begins an authorization, and returns its session URI.
    ///
    /// # Errors
    /// `ThrottlingException` if there are too many.
    pub(crate) fn begin(
        &self,
        owner: Owner,
        request: TokenRequest,
        registration: Registration,
        now: UnixMillis,
    ) -> Result<String, ServiceError> {
        let uri = format!("{SESSION_URI_PREFIX}{}", secret()?);
        let mut inner = lock(&self.0);
        inner.forget_old(now);
        if inner.all.len() >= MOST {
            return Err(ServiceError::new(
                Code::Throttling,
                format!("There are {MOST} authorizations of the last hour already; poll with their sessionUri"),
            ));
        }
        let stage = Stage::Open(None);
        inner.all.insert(uri.clone(), Authorization { started: now, owner, request, registration, stage });
        Ok(uri)
    }

    /// How far the authorization is that this very person of this workload identity began with this very request.
    ///
    /// # Errors
    /// `ValidationException` if there is none.
    pub(crate) fn poll(
        &self,
        uri: &str,
        owner: &Owner,
        request: &TokenRequest,
        now: UnixMillis,
    ) -> Result<Progress, ServiceError> {
        let mut inner = lock(&self.0);
        // Another's gets the answer of one that never was, so that nobody learns what others do.
        let authorization = inner.get(uri, now).filter(|found| found.owner.is_same_person(owner)).ok_or_else(|| {
            ServiceError::invalid_member(
                MEMBER,
                "this workload identity and user began no such authorization in the last hour; call without sessionUri \
                 to begin one",
            )
        })?;
        let differences = authorization.request.differences(request);
        if !differences.is_empty() {
            return Err(ServiceError::parameters_differ(format!(
                "{MEMBER}: the authorization was begun with other values of {}; repeat every parameter of the call that \
                 began it, or call without sessionUri to begin another",
                differences.join(", ")
            )));
        }
        Ok(match &authorization.stage {
            Stage::Open(_) | Stage::Exchanging(_) | Stage::Consented(..) | Stage::Confirming => Progress::Waiting,
            Stage::Completed => Progress::Completed,
            Stage::Expired | Stage::Failed(_) => Progress::Failed,
        })
    }

    /// Ends an authorization badly, unless it has ended already.
    pub(crate) fn fail(&self, uri: &str, reason: impl Into<String>) {
        let mut inner = lock(&self.0);
        let Some(authorization) = inner.all.get_mut(uri) else { return };
        if !authorization.stage.has_ended() {
            authorization.stage = Stage::Failed(reason.into());
        }
    }

    /// [`fail`](Self::fail), unless a browser has come back meanwhile.
    pub(super) fn fail_open(&self, uri: &str, reason: impl Into<String>) {
        let mut inner = lock(&self.0);
        let Some(authorization) = inner.all.get_mut(uri) else { return };
        if matches!(authorization.stage, Stage::Open(_)) {
            authorization.stage = Stage::Failed(reason.into());
        }
    }

    /// The authorizations that have not ended, the oldest first.
    pub(crate) fn open(&self, now: UnixMillis) -> Vec<OpenAuthorization> {
        let mut inner = lock(&self.0);
        inner.expire(now);
        let open = inner.all.iter().filter(|(_, it)| !it.stage.has_ended());
        let describe = |(uri, it): (&String, &Authorization)| OpenAuthorization {
            session_uri: uri.clone(),
            provider: it.request.provider.clone(),
            workload: it.owner.workload.clone(),
            user: it.owner.user.name().to_owned(),
            age: now.since(it.started),
        };
        let mut open: Vec<_> = open.map(describe).collect();
        open.sort_by(|one, other| other.age.cmp(&one.age).then_with(|| one.session_uri.cmp(&other.session_uri)));
        open
    }

    /// Whose authorization this is, for the log of calls: workload and provider.
    pub(crate) fn subject(&self, uri: &str) -> Option<(String, String)> {
        let inner = lock(&self.0);
        let found = inner.all.get(uri)?;
        Some((found.owner.workload.clone(), found.request.provider.clone()))
    }

    /// What the link of an authorization leads to.
    pub(super) fn visit(&self, uri: &str, now: UnixMillis) -> Result<Visited, Refusal> {
        let mut inner = lock(&self.0);
        let authorization = inner.get(uri, now).ok_or(Refusal::Unknown)?;
        match &authorization.stage {
            Stage::Open(_) => Ok(authorization.visited(uri)),
            stage => Err(stage.refusal()),
        }
    }

    /// Notes that a browser was sent on to the provider. The last one that was is the one that may come back: so a link
    /// that a program has looked at first, as mail and chat programs do, still works for its person.
    pub(super) fn send_on(&self, uri: &str, attempt: Attempt, cookie: &str, now: UnixMillis) -> Result<(), Refusal> {
        let mut guard = lock(&self.0);
        let inner = &mut *guard;
        let authorization = inner.get(uri, now).ok_or(Refusal::Unknown)?;
        let Stage::Open(visit) = &mut authorization.stage else { return Err(authorization.stage.refusal()) };
        let state = attempt.state.clone();
        let earlier = visit.replace(Visit { attempt, browser: Browser::of(cookie) });
        if let Some(earlier) = earlier {
            inner.states.remove(&earlier.attempt.state);
        }
        inner.states.insert(state, uri.to_owned());
        Ok(())
    }

    /// Takes in a browser that has come back. What it was sent with is good for one exchange.
    pub(super) fn take_back(
        &self,
        callback_id: &str,
        state: &str,
        cookie: impl FnOnce(&str) -> Option<String>,
        now: UnixMillis,
    ) -> Result<Returned, Refusal> {
        let mut guard = lock(&self.0);
        let inner = &mut *guard;
        let uri = inner.states.get(state).cloned().ok_or(Refusal::Unknown)?;
        let found = inner.get(&uri, now).ok_or(Refusal::Unknown)?;
        if found.registration.callback_id != callback_id {
            return Err(Refusal::Unknown);
        }
        let browser = cookie(&uri).map(|cookie| Browser::of(&cookie));
        let visited = found.visited(&uri);
        // The state stays good: the browser that was sent can still come back.
        match &mut found.stage {
            Stage::Open(visit) => {
                let taken = visit.take_if(|visit| browser.as_ref() == Some(&visit.browser));
                let Visit { attempt, browser } = taken.ok_or(Refusal::AnotherBrowser)?;
                found.stage = Stage::Exchanging(browser);
                Ok(Returned::Answered(visited, attempt))
            }
            Stage::Exchanging(sent) | Stage::Consented(sent, _) if browser.as_ref() != Some(sent) => {
                Err(Refusal::AnotherBrowser)
            }
            Stage::Exchanging(_) => Ok(Returned::TooSoon),
            Stage::Consented(..) => Ok(Returned::Done(visited)),
            over => Err(over.refusal()),
        }
    }

    /// Keeps the token until the application says whose it is.
    pub(super) fn consented(&self, uri: &str, token: StoredToken, now: UnixMillis) -> Result<(), Refusal> {
        let mut inner = lock(&self.0);
        let found = inner.get(uri, now).ok_or(Refusal::Unknown)?;
        let Stage::Exchanging(browser) = &found.stage else { return Err(found.stage.refusal()) };
        found.stage = Stage::Consented(browser.clone(), token);
        Ok(())
    }

    /// Confirms that the user of an authorization is the one who consented. [`confirmed`](Self::confirmed) or
    /// [`fail`](Self::fail) must follow.
    ///
    /// # Errors
    /// `AccessDeniedException`. That another user is named ends the authorization: somebody else has consented.
    pub(crate) fn confirm(&self, uri: &str, user: &UserIdentifier, now: UnixMillis) -> Result<Confirmed, ServiceError> {
        let mut inner = lock(&self.0);
        let refused =
            |problem: &str| ServiceError::new(Code::AccessDenied, format!("Invalid or expired session: {problem}"));
        let unknown = || {
            refused(
                "no user with this very identifier began it in the last 10 minutes. Pass the user id, or the JWT character \
                 for character, with which the workload access token was made",
            )
        };
        let found = inner.get(uri, now).ok_or_else(unknown)?;
        if !found.owner.user.is(user) {
            if matches!(found.stage, Stage::Consented(..)) {
                found.stage = Stage::Failed(
                    "It was finished by another user than the one who began it, so the token was thrown away."
                        .to_owned(),
                );
            }
            return Err(unknown());
        }
        match std::mem::replace(&mut found.stage, Stage::Confirming) {
            Stage::Consented(_, token) => Ok(Confirmed {
                owner: found.owner.clone(),
                request: found.request.clone(),
                registration: found.registration.clone(),
                token,
            }),
            stage => {
                let problem = match &stage {
                    Stage::Open(_) | Stage::Exchanging(_) => {
                        "the user has not consented yet; complete it when the browser comes to the return URL"
                    }
                    Stage::Expired => "it has expired; 10 minutes are its life",
                    Stage::Failed(_) => "it has failed, as the user was told; begin another",
                    _ => "it was completed before; a session_id is good for one time",
                };
                let error = refused(problem);
                found.stage = stage;
                Err(error)
            }
        }
    }

    /// The token is in the vault.
    pub(crate) fn confirmed(&self, uri: &str) {
        if let Some(found) = lock(&self.0).all.get_mut(uri) {
            found.stage = Stage::Completed;
        }
    }
}

impl Inner {
    fn get(&mut self, uri: &str, now: UnixMillis) -> Option<&mut Authorization> {
        let found = self.all.get_mut(uri).filter(|found| now.since(found.started) < REMEMBERED)?;
        found.expire(now);
        Some(found)
    }

    fn expire(&mut self, now: UnixMillis) {
        self.all.values_mut().for_each(|authorization| authorization.expire(now));
    }

    fn forget_old(&mut self, now: UnixMillis) {
        self.all.retain(|_, authorization| now.since(authorization.started) < REMEMBERED);
        let all = &self.all;
        self.states.retain(|_, uri| all.contains_key(uri));
    }
}

impl Authorization {
    fn expire(&mut self, now: UnixMillis) {
        let ends = matches!(self.stage, Stage::Open(_) | Stage::Exchanging(_) | Stage::Consented(..));
        if ends && now.since(self.started) >= LIFE {
            self.stage = Stage::Expired;
        }
    }

    fn visited(&self, uri: &str) -> Visited {
        Visited {
            session_uri: uri.to_owned(),
            owner: self.owner.clone(),
            request: self.request.clone(),
            registration: self.registration.clone(),
        }
    }
}

impl Stage {
    fn has_ended(&self) -> bool {
        matches!(self, Self::Completed | Self::Expired | Self::Failed(_))
    }

    /// Why a browser is not led on at this stage.
    fn refusal(&self) -> Refusal {
        match self {
            Self::Open(_) => Refusal::Unknown,
            Self::Exchanging(_) | Self::Consented(..) | Self::Confirming | Self::Completed => Refusal::Consented,
            Self::Expired => Refusal::Expired,
            Self::Failed(reason) => Refusal::Failed(reason.clone()),
        }
    }
}

/// 256 bits in characters that a URI, a cookie and a `state` bear as they are.
pub(super) fn secret() -> Result<String, Unspecified> {
    Ok(URL_SAFE_NO_PAD.encode(random::bytes::<32>()?))
}

/// The session URI is what binds a browser to a user.
impl fmt::Debug for OpenAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAuthorization")
            .field("provider", &self.provider)
            .field("workload", &self.workload)
            .field("user", &self.user)
            .field("age", &self.age)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
