//! Setting up a local AgentCore Identity.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use zeroize::Zeroizing;

use crate::background::Background;
use crate::calls::CallLog;
use crate::clock::{Clock, UnixMillis};
use crate::credentials::SigningCredentials;
use crate::faults::Faults;
use crate::http::{Endpoint, Server};
use crate::idp::IdentityProvider;
use crate::jwt::TrustedIssuers;
use crate::local::LocalIdentity;
use crate::oauth2::{Authorizations, FailedRenewals, Providers, Turns};
use crate::place::Place;
use crate::quotas::RateQuotas;
use crate::seeds::Seeds;
use crate::service::{Pages, Service};
use crate::start_error::StartError;
use crate::store::Store;
use crate::sts::Sts;
use crate::workload_token::WorkloadTokens;

const DEFAULT_REGION: &str = "us-east-1";
const DEFAULT_ACCOUNT_ID: &str = "123456789012";
const DEFAULT_TOKEN_LIFETIME: Duration = Duration::from_mins(15);

/// Settings for a [`LocalIdentity`]; see [`LocalIdentity::builder`].
#[must_use = "a builder does nothing until it is started"]
pub struct LocalIdentityBuilder {
    workload_identities: BTreeSet<String>,
    return_urls: Vec<(String, String)>,
    api_keys: Vec<(String, Zeroizing<String>)>,
    oauth2_providers: BTreeSet<String>,
    kms_keys: Vec<(String, Zeroizing<String>)>,
    region: String,
    account_id: String,
    token_lifetime: Duration,
    trusted_issuers: Vec<(String, String)>,
    credentials: Option<SigningCredentials>,
    rate_quotas: bool,
    outbound_federation: bool,
    data_dir: Option<PathBuf>,
    address: SocketAddr,
    allow_remote: bool,
}

impl LocalIdentityBuilder {
    pub(crate) fn new() -> Self {
        Self {
            workload_identities: BTreeSet::new(),
            return_urls: Vec::new(),
            api_keys: Vec::new(),
            oauth2_providers: BTreeSet::new(),
            kms_keys: Vec::new(),
            region: DEFAULT_REGION.to_owned(),
            account_id: DEFAULT_ACCOUNT_ID.to_owned(),
            token_lifetime: DEFAULT_TOKEN_LIFETIME,
            trusted_issuers: Vec::new(),
            credentials: None,
            rate_quotas: false,
            outbound_federation: true,
            data_dir: None,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            allow_remote: false,
        }
    }

    /// Has a workload identity of this name, 3 to 255 of `A-Z a-z 0-9 _ . -`. May be repeated. One that a data
    /// directory has already is kept as it is.
    pub fn workload_identity(mut self, name: impl Into<String>) -> Self {
        self.workload_identities.insert(name.into());
        self
    }

    /// Has an API key credential provider of this name, 1 to 128 of `A-Z a-z 0-9 _ -`, with a key of 1 to 65,536
    /// characters. May be repeated, for at most 50 providers. In a data directory, the key replaces the one there was.
    pub fn api_key(mut self, provider: impl Into<String>, key: impl Into<String>) -> Self {
        self.api_keys.push((provider.into(), Zeroizing::new(key.into())));
        self
    }

    /// Allows a workload identity to have people sent back to this URL when they have consented at an OAuth2 provider:
    /// one of its `allowedResourceOauth2ReturnUrls`. It holds for exactly this text, port and query included. May be
    /// repeated; URLs that a data directory has for the identity stay allowed.
    ///
    /// The workload identity must be named with [`workload_identity`](Self::workload_identity) or be in the data
    /// directory.
    pub fn return_url(mut self, workload: impl Into<String>, url: impl Into<String>) -> Self {
        self.return_urls.push((workload.into(), url.into()));
        self
    }

    /// Has an OAuth2 credential provider of this name, 1 to 128 of `A-Z a-z 0-9 _ -`, whose authorization server is the
    /// service's own identity provider, so that every flow works without an account elsewhere. May be repeated, for at
    /// most 50 providers. One that a data directory has already is kept as it is.
    ///
    /// Providers of real vendors, with a client of your own, are made through the control plane by any AWS SDK.
    pub fn oauth2_provider(mut self, name: impl Into<String>) -> Self {
        self.oauth2_providers.insert(name.into());
        self
    }

    /// Gives the private key that stands in for an asymmetric key of AWS KMS, as providers with the client
    /// authentication `PRIVATE_KEY_JWT` name one: unencrypted PKCS #8 in PEM, RSA of at least 2048 bits or ECDSA on
    /// P-256. In a data directory, it replaces the one there was. May be repeated.
    ///
    /// For a key of KMS for which none is given, the service makes one; its public half is under `/_local/kms-keys`.
    pub fn kms_key(mut self, key_arn: impl Into<String>, private_key_pem: impl Into<String>) -> Self {
        self.kms_keys.push((key_arn.into(), Zeroizing::new(private_key_pem.into())));
        self
    }

    /// The Region for which requests must be signed, and that stands in ARNs. By default `us-east-1`.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// The account in ARNs, 12 digits. By default `123456789012`.
    pub fn account_id(mut self, account_id: impl Into<String>) -> Self {
        self.account_id = account_id.into();
        self
    }

    /// How long a workload access token is valid. By default 15 minutes. One made from a user's JWT ends no later than
    /// the JWT.
    pub fn workload_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// Trusts an issuer of users' JWTs, with its key set in the JSON form of RFC 7517 (RSA, P-256, P-384 and Ed25519
    /// keys). May be repeated.
    ///
    /// Once there is a trusted issuer, a user's JWT must name one as `iss` and its signature must verify. Without any,
    /// the service looks at a JWT's form and lifetime only and accepts every signature: on a laptop there is often no
    /// identity provider to sign one.
    pub fn trusted_issuer(mut self, issuer: impl Into<String>, jwks_json: impl Into<String>) -> Self {
        self.trusted_issuers.push((issuer.into(), jwks_json.into()));
        self
    }

    /// The keys with which clients sign: an id of 16 to 128 of `A-Z a-z 0-9 _` and a secret of at least 16 printable
    /// ASCII characters. By default they are random, and kept in the data directory if there is one.
    pub fn signing_credentials(
        mut self,
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
    ) -> Self {
        self.credentials = Some(SigningCredentials {
            access_key_id: access_key_id.into(),
            secret_access_key: secret_access_key.into(),
        });
        self
    }

    /// Whether the account has outbound web identity federation switched on, as it has by default. Without it, STS
    /// refuses `GetWebIdentityToken` with `OutboundWebIdentityFederationDisabledException`.
    pub fn outbound_federation(mut self, enabled: bool) -> Self {
        self.outbound_federation = enabled;
        self
    }

    /// Throttles as AWS does: 200 calls a second of each data-plane operation, 20 of each control-plane operation.
    ///
    /// Off by default: a test suite calls far faster than an agent, and would be throttled at times that depend on the
    /// machine. To see how a client bears throttling, [`LocalIdentity::fail_next`] is exact.
    pub fn enforce_rate_quotas(mut self) -> Self {
        self.rate_quotas = true;
        self
    }

    /// Keeps providers, workload identities and access tokens in this directory, which is made if it is not there: what
    /// was answered survives a `SIGKILL` at any moment. API keys, client secrets, private keys and tokens are encrypted
    /// with the key in `vault.key`; all files are private to their owner. By default, everything is in memory and ends
    /// with the service.
    ///
    /// Not kept are open authorizations, and what the service's own identity provider issued: people who consented
    /// there are asked again.
    ///
    /// One process at a time can serve from a directory. To open it again in the same process,
    /// [`LocalIdentity::shutdown`] the first one.
    pub fn data_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(path.into());
        self
    }

    /// The address to listen on. By default `127.0.0.1` and a free port. One that is not loopback is an error without
    /// [`allow_remote`](Self::allow_remote).
    pub fn bind(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Lets other machines call, as a container's port mapping needs it. Whoever reaches the port and has the signing
    /// credentials gets every API key and access token, unencrypted: use it on a network that you trust.
    pub fn allow_remote(mut self) -> Self {
        self.allow_remote = true;
        self
    }

    /// Starts the service on the current Tokio runtime. It runs until it is dropped or [shut
    /// down](LocalIdentity::shutdown), and no longer than that runtime: a `#[tokio::test]` cannot use the service of
    /// another.
    ///
    /// # Errors
    /// When a setting is not usable, what is to be seeded is refused, the address is taken, or the data directory is
    /// not readable, not private, damaged, or in use by another process.
    ///
    /// # Panics
    /// Outside a Tokio runtime with I/O and time enabled.
    pub async fn start(self) -> Result<LocalIdentity, StartError> {
        if !self.address.ip().to_canonical().is_loopback() && !self.allow_remote {
            return Err(StartError::Configuration(format!(
                "{} is not a loopback address, and other machines could reach the API keys and access tokens through it; \
                 listen on 127.0.0.1, or allow remote callers explicitly",
                self.address
            )));
        }
        let listening = |source| StartError::Listen { address: self.address, source };
        let listener = TcpListener::bind(self.address).await.map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        let (allow_remote, seeded) = (self.allow_remote, self.workload_identities.clone());
        let url = format!("http://{}", reachable(address));
        let service = if self.data_dir.is_some() {
            tokio::task::spawn_blocking(|| self.service(url)).await.unwrap_or(Err(StartError::Interrupted))?
        } else {
            self.service(url)?
        };
        let endpoint = Arc::new(Endpoint { service: Arc::new(service), allow_remote });
        let server = Server::start(listener, Arc::clone(&endpoint));
        tracing::info!(%address, "local AgentCore Identity listens");
        Ok(LocalIdentity::new(endpoint, server, seeded))
    }

    fn service(self, url: String) -> Result<Service, StartError> {
        let place = Place::new(self.region, self.account_id).map_err(StartError::Configuration)?;
        if self.token_lifetime.is_zero() {
            return Err(StartError::Configuration(
                "a workload token lifetime of zero lets no token be used".to_owned(),
            ));
        }
        if let Some(credentials) = &self.credentials {
            credentials.check().map_err(StartError::Configuration)?;
        }
        let mut issuers = TrustedIssuers::default();
        for (issuer, jwks) in &self.trusted_issuers {
            issuers.add(issuer, jwks).map_err(StartError::Configuration)?;
        }
        let now = UnixMillis::of_machine();
        let mut store = match &self.data_dir {
            Some(directory) => Store::in_directory(directory, now)?,
            None => Store::in_memory(now)?,
        };
        Seeds {
            workload_identities: self.workload_identities,
            return_urls: self.return_urls,
            api_keys: self.api_keys,
            oauth2_providers: self.oauth2_providers,
            kms_keys: self.kms_keys,
            credentials: self.credentials,
        }
        .sow(&mut store, &url, now)?;
        let idp = IdentityProvider::new(&url, store.sealer("identity-provider")?)?;
        issuers.add_own(idp.issuer(), idp.public_keys());
        Ok(Service {
            idp,
            sts: Sts::new(&url, self.outbound_federation)?,
            place,
            tokens: WorkloadTokens::new(store.sealer("workload-access-token")?, self.token_lifetime),
            pages: Pages::new(store.sealer("page-token")?),
            store,
            issuers,
            clock: Clock::default(),
            calls: CallLog::default(),
            faults: Faults::default(),
            quotas: self.rate_quotas.then(RateQuotas::default),
            providers: Providers::new(&url),
            authorizations: Authorizations::default(),
            turns: Turns::default(),
            failed_renewals: FailedRenewals::default(),
            background: Background::default(),
            url,
        })
    }
}

/// The address under which this machine reaches a listener: `0.0.0.0` is none to connect to.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip().to_canonical() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

impl fmt::Debug for LocalIdentityBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let providers: Vec<&str> = self.api_keys.iter().map(|(provider, _)| provider.as_str()).collect();
        f.debug_struct("LocalIdentityBuilder")
            .field("address", &self.address)
            .field("region", &self.region)
            .field("workload_identities", &self.workload_identities)
            .field("api_key_providers", &providers)
            .field("oauth2_providers", &self.oauth2_providers)
            .field("data_dir", &self.data_dir)
            .finish_non_exhaustive()
    }
}
