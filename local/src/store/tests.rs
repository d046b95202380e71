use std::fs;
use std::future::poll_fn;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use redb::{ReadableTable as _, TableHandle as _};

use super::*;
use crate::vendor::Vendor;

fn now() -> UnixMillis {
    UnixMillis::from_seconds(1_800_000_000)
}

fn identity(name: &str) -> WorkloadIdentity {
    WorkloadIdentity {
        name: name.into(),
        id: "id".into(),
        return_urls: vec!["https://example.com/callback".into()],
        tags: Tags::from([("team".into(), "blue".into())]),
        created: now(),
        updated: now(),
    }
}

fn provider(name: &str) -> ApiKeyProvider {
    ApiKeyProvider {
        name: name.into(),
        secret_suffix: "abcdef".into(),
        tags: Tags::new(),
        created: now(),
        updated: now(),
    }
}

fn oauth2_provider(name: &str) -> Oauth2Provider {
    Oauth2Provider {
        name: name.into(),
        vendor: Vendor::Custom,
        client_id: Some("client".into()),
        endpoints: Endpoints::Inline(ServerMetadata {
            issuer: "https://idp.example.com".into(),
            authorization_endpoint: "https://idp.example.com/authorize".into(),
            token_endpoint: "https://idp.example.com/token".into(),
            response_types: vec!["code".into()],
            token_endpoint_auth_methods: vec!["client_secret_post".into()],
        }),
        client_authentication: ClientAuthentication::PrivateKeyJwt(PrivateKeyJwt {
            kms_key_arn: "arn".into(),
            algorithm: AssertionAlgorithm::Es256,
            header_claims: Claims([("kid".into(), "1".into())].into()),
            payload_claims: Claims::default(),
        }),
        on_behalf_of: Some(OnBehalfOf {
            grant: OnBehalfOfGrant::TokenExchange(ActorToken::M2m { scopes: vec!["a".into()] }),
            without_client: true,
        }),
        callback_id: "callback".into(),
        secret_suffix: "abcdef".into(),
        tags: Tags::new(),
        created: now(),
        updated: now(),
    }
}

fn fill(store: &Store) {
    store
        .change_at_start(|change| {
            change.put(&identity("my-agent"))?;
            change.put(&provider("openai"))?;
            change.put_api_key("openai", "sk-under-lock-and-key")?;
            change.put(&oauth2_provider("github"))?;
            change.put_client_secret("github", "client-secret-under-lock")?;
            Ok(change.put_signing_key("arn", b"private-key-under-lock")?)
        })
        .unwrap();
}

struct Directory(tempfile::TempDir);

impl Directory {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn open(&self) -> Result<Store, StartError> {
        Store::in_directory(&self.path(), now())
    }

    fn problem(&self) -> String {
        self.open().err().expect("the directory must be refused").to_string()
    }
}

#[test]
fn a_change_that_fails_changes_nothing() {
    let store = Store::in_memory(now()).unwrap();
    let refusal = ServiceError::new(crate::error::Code::Conflict, "no");
    let outcome = store.change_at_start(|change| {
        change.put(&identity("my-agent"))?;
        Err::<(), _>(refusal.clone())
    });
    assert_eq!(outcome, Err(refusal));
    assert_eq!(store.view().unwrap().get::<WorkloadIdentity>("my-agent").unwrap(), None);
}

#[test]
fn tokens_that_are_good_for_nothing_can_be_removed() {
    let store = Store::in_memory(now()).unwrap();
    let key = |digest: &str| {
        let [provider, workload, identity] = ["idp", "my-agent", "id"].map(str::to_owned);
        TokenKey { provider, workload, identity, digest: digest.to_owned() }
    };
    let (before, after) = (UnixMillis::from_seconds(1_799_999_999), UnixMillis::from_seconds(1_800_000_001));
    let tokens = [
        ("ended", Some(before), false),
        ("renewable", Some(before), true),
        ("valid", Some(after), false),
        ("endless", None, false),
    ];
    store
        .change_at_start(|change| {
            for (digest, expires, can_be_renewed) in tokens {
                let text = || zeroize::Zeroizing::new("token".to_owned());
                let refresh_token = can_be_renewed.then(text);
                let token = StoredToken { access_token: text(), refresh_token, obtained: before, expires };
                change.put_access_token(&key(digest), &token)?;
            }
            Ok(change.remove_ended_access_tokens(now())?)
        })
        .unwrap();
    let view = store.view().unwrap();
    let kept = tokens.map(|(digest, ..)| view.access_token(&key(digest)).unwrap().is_some());
    assert_eq!(kept, [false, true, true, true]);
}

/// A disk that has no room left from some moment on.
#[derive(Debug)]
struct Disk {
    memory: InMemoryBackend,
    full: Arc<AtomicBool>,
}

impl Disk {
    fn room(&self) -> io::Result<()> {
        if self.full.load(Ordering::Relaxed) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.memory.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.memory.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.room().and_then(|()| self.memory.set_len(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.room().and_then(|()| self.memory.sync_data())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.room().and_then(|()| self.memory.write(offset, data))
    }
}

#[test]
fn a_full_disk_refuses_changes_and_leaves_what_is_there() {
    let full = Arc::new(AtomicBool::new(false));
    let database = open(Disk { memory: InMemoryBackend::new(), full: Arc::clone(&full) }).unwrap();
    let vault = MasterKey::generate().unwrap().sealer("vault").unwrap();
    let inner = Inner { database, vault, _lock: None };
    inner.initialise(now()).unwrap();
    inner.change(|change| Ok(change.put(&identity("my-agent"))?)).unwrap();

    full.store(true, Ordering::Relaxed);
    for _ in 0..2 {
        let refused = inner.change(|change| Ok(change.put(&identity("another"))?)).unwrap_err();
        assert_eq!((refused.code(), refused.status()), ("InternalServerException", 500));
    }
    let Err(error) = inner.database.begin_write() else { panic!("nothing may be written any more") };
    let text = StoreError::from(error).to_string();
    assert!(text.contains("since an earlier write failed") && text.contains("start it again"), "{text}");
    let view = inner.view().unwrap();
    assert_eq!(view.get("my-agent").unwrap(), Some(identity("my-agent")));
    assert_eq!(view.get::<WorkloadIdentity>("another").unwrap(), None);
}

#[test]
fn a_directory_keeps_everything() {
    let directory = Directory::new();
    let store = directory.open().unwrap();
    fill(&store);
    let credentials = store.credentials().clone();
    let sealed = store.sealer("purpose").unwrap().seal("", b"text").unwrap();
    drop(store);

    let store = Store::in_directory(&directory.path(), UnixMillis::from_seconds(0)).unwrap();
    let view = store.view().unwrap();
    assert_eq!(view.get("my-agent").unwrap(), Some(identity("my-agent")));
    assert_eq!(view.get("openai").unwrap(), Some(provider("openai")));
    assert_eq!(view.api_key("openai").unwrap().unwrap().as_str(), "sk-under-lock-and-key");
    assert_eq!(view.get("github").unwrap(), Some(oauth2_provider("github")));
    assert_eq!(view.client_secret("github").unwrap().unwrap().as_str(), "client-secret-under-lock");
    assert_eq!(view.signing_key("arn").unwrap().unwrap().as_slice(), b"private-key-under-lock");
    assert_eq!(store.credentials().secret_access_key, credentials.secret_access_key);
    assert_eq!(store.created(), now());
    assert_eq!(store.sealer("purpose").unwrap().open("", &sealed).unwrap().as_slice(), b"text");
}

/// Turns the store in a directory into one of the format that knows no OAuth2.
fn downgrade(store: &Store) -> Result<(), StoreError> {
    let transaction = store.inner.database.begin_write()?;
    let kept = ["workload-identities", "api-key-providers", "api-keys", "settings"];
    let later: Vec<_> = transaction.list_tables()?.filter(|table| !kept.contains(&table.name())).collect();
    assert!(!later.is_empty());
    for table in later {
        transaction.delete_table(table)?;
    }
    let settings = redb::TableDefinition::<&str, &[u8]>::new("settings");
    transaction.open_table(settings)?.insert("format", b"1".as_slice())?;
    Ok(transaction.commit()?)
}

#[test]
fn a_store_without_oauth2_is_upgraded() {
    let directory = Directory::new();
    let store = directory.open().unwrap();
    fill(&store);
    downgrade(&store).unwrap();
    drop(store);

    let store = directory.open().unwrap();
    let view = store.view().unwrap();
    assert_eq!(view.get("my-agent").unwrap(), Some(identity("my-agent")));
    assert_eq!(view.api_key("openai").unwrap().unwrap().as_str(), "sk-under-lock-and-key");
    assert_eq!(view.get::<Oauth2Provider>("github").unwrap(), None);
    drop(view);
    fill(&store);
    drop(store);
    let store = directory.open().unwrap();
    assert_eq!(store.view().unwrap().get("github").unwrap(), Some(oauth2_provider("github")));
}

#[test]
fn a_store_of_another_format_is_refused_and_left_as_it_is() {
    let (directory, other) = (Directory::new(), Directory::new());
    let set_format = |format: &[u8]| {
        let store = directory.open().unwrap();
        let set = || -> Result<(), StoreError> {
            let transaction = store.inner.database.begin_write()?;
            let settings = redb::TableDefinition::<&str, &[u8]>::new("settings");
            transaction.open_table(settings)?.insert("format", format)?;
            Ok(transaction.commit()?)
        };
        set().unwrap();
    };
    set_format(b"3");
    let problem = directory.problem();
    assert!(problem.contains("its format is \"3\", and this version reads none above \"2\""), "{problem}");

    // With another database's key, not even an upgrade is written.
    let store = other.open().unwrap();
    downgrade(&store).unwrap();
    drop(store);
    fs::write(other.file("vault.key"), [7; MasterKey::LEN]).unwrap();
    let before = fs::read(other.file("identity.redb")).unwrap();
    assert!(other.problem().contains("does not open with the key in vault.key"));
    let after = fs::read(other.file("identity.redb")).unwrap();
    let tables = |bytes: &[u8]| bytes.windows(16).filter(|window| window == b"oauth2-providers").count();
    assert_eq!(tables(&after), tables(&before));
}

#[test]
fn files_are_private_and_hold_no_secret_in_the_clear() {
    let directory = Directory::new();
    let store = directory.open().unwrap();
    fill(&store);
    let secret = store.credentials().secret_access_key.clone();
    drop(store);
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(directory.path()), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(directory.path()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(path.clone()), 0o600, "{}", path.display());
        let bytes = fs::read(&path).unwrap();
        let ours = ["sk-under-lock-and-key", "client-secret-under-lock", "private-key-under-lock"];
        for secret in ours.into_iter().chain([secret.as_str()]) {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{}", path.display());
        }
        names.push(path.file_name().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(names, ["identity.lock", "identity.redb", "vault.key"]);
}

#[test]
fn one_process_at_a_time() {
    let directory = Directory::new();
    let _held = directory.open().unwrap();
    let problem = directory.problem();
    assert!(problem.contains("of this process or of another, serves from this directory"), "{problem}");
}

#[tokio::test]
async fn closing_waits_for_a_change_that_was_left_under_way() {
    let directory = Directory::new();
    let store = directory.open().unwrap();
    let (arrive, has_arrived) = tokio::sync::oneshot::channel();
    let (go_on, may_go_on) = std::sync::mpsc::channel();
    let change = store.change(move |change| {
        arrive.send(()).unwrap();
        may_go_on.recv().unwrap();
        Ok(change.put(&identity("my-agent"))?)
    });
    tokio::select! {
        _ = change => panic!("the change must not end before it is told to go on"),
        arrived = has_arrived => arrived.unwrap(),
    }
    let mut closing = pin!(store.close());
    let first_poll = poll_fn(|context| Poll::Ready(closing.as_mut().poll(context))).await;
    assert!(first_poll.is_pending());
    go_on.send(()).unwrap();
    closing.await;
    let store = directory.open().unwrap();
    assert_eq!(store.view().unwrap().get("my-agent").unwrap(), Some(identity("my-agent")));
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let directory = Directory::new();
    drop(directory.open().unwrap());
    fs::set_permissions(directory.file("vault.key"), fs::Permissions::from_mode(0o640)).unwrap();
    let problem = directory.problem();
    assert!(problem.contains("vault.key: others may read this key (mode 640)"), "{problem}");
}

#[test]
fn a_database_that_others_can_read_is_refused() {
    let directory = Directory::new();
    drop(directory.open().unwrap());
    for mode in [0o640, 0o604, 0o602] {
        fs::set_permissions(directory.file("identity.redb"), fs::Permissions::from_mode(mode)).unwrap();
        let problem = directory.problem();
        let expected = format!("identity.redb: others may read or write it (mode {mode:03o})");
        assert!(problem.contains(&expected), "{problem}");
    }
}

#[test]
fn a_directory_that_others_can_write_is_refused() {
    let directory = Directory::new();
    fs::create_dir(directory.path()).unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(directory.problem().contains("others may write to it (mode 777)"));
}

#[test]
fn a_file_in_the_place_of_the_directory_is_refused() {
    let directory = Directory::new();
    fs::write(directory.path(), "").unwrap();
    assert!(directory.problem().contains("is not a directory"));
}

#[test]
fn a_link_that_leads_nowhere_is_named() {
    let directory = Directory::new();
    std::os::unix::fs::symlink("nowhere", directory.path()).unwrap();
    assert!(directory.problem().contains("data: is a symbolic link that leads nowhere"));
}

#[test]
fn a_directory_in_the_place_of_a_file_is_named() {
    for name in ["identity.lock", "vault.key", "identity.redb"] {
        let directory = Directory::new();
        fs::create_dir_all(directory.file(name)).unwrap();
        let problem = directory.problem();
        assert!(problem.contains(&format!("{name}: is not a file; move it away")), "{problem}");
    }
}

#[test]
fn a_missing_key_is_not_replaced() {
    let directory = Directory::new();
    drop(directory.open().unwrap());
    fs::remove_file(directory.file("vault.key")).unwrap();
    let problem = directory.problem();
    assert!(problem.contains("vault.key: is missing") && problem.contains("Restore the key"), "{problem}");
    assert!(!directory.file("vault.key").exists());
}

#[test]
fn a_damaged_or_foreign_key_is_named() {
    let (directory, other) = (Directory::new(), Directory::new());
    drop(directory.open().unwrap());
    drop(other.open().unwrap());
    fs::copy(other.file("vault.key"), directory.file("vault.key")).unwrap();
    let problem = directory.problem();
    assert!(
        problem.contains("identity.redb: what is sealed in it does not open with the key in vault.key"),
        "{problem}"
    );
    fs::write(directory.file("vault.key"), "short").unwrap();
    let problem = directory.problem();
    assert!(problem.contains("vault.key: is damaged: a key has exactly 32 bytes"), "{problem}");
}

#[test]
fn a_start_that_was_interrupted_is_taken_up_again() {
    let directory = Directory::new();
    drop(directory.open().unwrap());
    // Interrupted after the key was made, with a database that was not finished.
    fs::rename(directory.file("identity.redb"), directory.file("identity.unfinished")).unwrap();
    let store = directory.open().unwrap();
    fill(&store);
    assert!(!directory.file("identity.unfinished").exists());
}

#[test]
fn a_damaged_database_is_refused_or_whole_but_never_a_panic() {
    let directory = Directory::new();
    let store = directory.open().unwrap();
    fill(&store);
    drop(store);
    let path = directory.file("identity.redb");
    let whole = fs::read(&path).unwrap();
    let mut refused = 0;
    let damages = (0..whole.len()).step_by(4093).map(|at| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        bytes
    });
    let cuts = [0, 1, 9, 64, 4096, whole.len() / 2].map(|length| whole[..length].to_vec());
    for bytes in damages.chain(cuts).chain([vec![b'x'; 8192]]) {
        fs::write(&path, bytes).unwrap();
        match directory.open() {
            Ok(store) => {
                let view = store.view().unwrap();
                assert_eq!(view.get("my-agent").unwrap(), Some(identity("my-agent")));
                assert_eq!(view.api_key("openai").unwrap().unwrap().as_str(), "sk-under-lock-and-key");
            }
            Err(error) => {
                refused += 1;
                assert!(error.to_string().contains("identity.redb"), "{error}");
            }
        }
    }
    assert!(refused >= 7, "only {refused} were refused");
}

#[test]
fn a_sealed_key_opens_in_its_own_place_only() {
    let store = Store::in_memory(now()).unwrap();
    fill(&store);
    let copy = || -> Result<(), StoreError> {
        let definition = redb::TableDefinition::<&str, &[u8]>::new("api-keys");
        let transaction = store.inner.database.begin_write()?;
        {
            let mut table = transaction.open_table(definition)?;
            let sealed = table.get("openai")?.unwrap().value().to_vec();
            table.insert("anthropic", sealed.as_slice())?;
        }
        Ok(transaction.commit()?)
    };
    copy().unwrap();
    let view = store.view().unwrap();
    assert!(view.api_key("openai").unwrap().is_some());
    assert!(matches!(view.api_key("anthropic"), Err(StoreError::WrongKey)));
}
