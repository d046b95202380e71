//! The directory of a durable store: who may read it, who holds it, and how its files come into being.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::StoreError;
use crate::seal::MasterKey;
use crate::start_error::StartError;

const DATABASE: &str = "identity.redb";
const KEY: &str = "vault.key";
const LOCK: &str = "identity.lock";

/// A data directory that this process holds alone.
pub(super) struct DataDir {
    path: PathBuf,
    lock: File,
}

impl DataDir {
    /// Makes the directory if need be, private to its owner, and takes it for this process.
    pub(super) fn open(path: &Path) -> Result<Self, StartError> {
        if path.is_symlink() && !path.exists() {
            return Err(unfit(
                path,
                "is a symbolic link that leads nowhere; make the directory that it names, or remove it",
            ));
        }
        if !path.exists() {
            create_private_directory(path).map_err(file_error("create", path))?;
        }
        let metadata = fs::metadata(path).map_err(file_error("read", path))?;
        if !metadata.is_dir() {
            return Err(unfit(path, "is not a directory"));
        }
        if let Some(mode) = mode_beyond(&metadata, 0o022) {
            return Err(unfit(
                path,
                format!("others may write to it (mode {mode:03o}); run `chmod go-w` on it, or use another directory"),
            ));
        }
        for name in [LOCK, KEY, DATABASE] {
            let path = path.join(name);
            // Before it is opened, as to open a pipe waits for its other end.
            if path.exists() && !path.is_file() {
                return Err(unfit(&path, "is not a file; move it away, or use another directory"));
            }
        }
        let lock = path.join(LOCK);
        let lock = match create_private_file(&lock) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => File::open(&lock),
            created => created,
        }
        .map_err(file_error("open", &lock))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => Err(unfit(
                path,
                "another local service, of this process or of another, serves from this directory; shut that one \
                     down, or use another directory",
            )),
            Err(TryLockError::Error(source)) => Err(file_error("lock", path)(source)),
        }
    }

    /// The handle that holds the directory until it is dropped.
    pub(super) fn into_lock(self) -> File {
        self.lock
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    fn key(&self) -> PathBuf {
        self.path.join(KEY)
    }

    pub(super) fn has_database(&self) -> Result<bool, StartError> {
        let path = self.database();
        path.try_exists().map_err(file_error("read", &path))
    }

    /// The key, or nothing if there is no key file yet.
    pub(super) fn load_key(&self) -> Result<Option<MasterKey>, StartError> {
        let path = self.key();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(file_error("open", &path)(error)),
        };
        let metadata = file.metadata().map_err(file_error("read", &path))?;
        if let Some(mode) = mode_beyond(&metadata, 0o077) {
            return Err(unfit(
                &path,
                format!(
                    "others may read this key (mode {mode:03o}). Consider what it protects as seen by them; \
                     to go on all the same, run `chmod 600` on it"
                ),
            ));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(MasterKey::LEN + 1));
        let limit = MasterKey::LEN as u64 + 1;
        file.take(limit).read_to_end(&mut bytes).map_err(file_error("read", &path))?;
        MasterKey::from_bytes(&bytes)
            .map(Some)
            .ok_or_else(|| unfit(&path, format!("is damaged: a key has exactly {} bytes", MasterKey::LEN)))
    }

    pub(super) fn create_key(&self) -> Result<MasterKey, StartError> {
        let key = MasterKey::generate()?;
        self.create(&self.key(), |mut file| {
            file.write_all(key.as_bytes()).map_err(StoreError::from)?;
            file.sync_all().map_err(StoreError::from)
        })?;
        Ok(key)
    }

    /// Makes the database: `fill` gets the empty file, and only when it is done does the file get its name.
    pub(super) fn create_database(&self, fill: impl FnOnce(File) -> Result<(), StoreError>) -> Result<(), StartError> {
        self.create(&self.database(), fill)
    }

    pub(super) fn open_database(&self) -> Result<File, StartError> {
        let path = self.database();
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(file_error("open", &path))?;
        let metadata = file.metadata().map_err(file_error("read", &path))?;
        if let Some(mode) = mode_beyond(&metadata, 0o077) {
            return Err(unfit(
                &path,
                format!("others may read or write it (mode {mode:03o}); run `chmod 600` on it to go on all the same"),
            ));
        }
        // redb would make a new database of it.
        if metadata.len() == 0 {
            return Err(unfit(&path, "is empty, so what it held is lost; restore it, or remove it to begin anew"));
        }
        Ok(file)
    }

    pub(super) fn key_is_missing(&self) -> StartError {
        let problem = format!(
            "is missing, and {DATABASE} beside it cannot be read without it. \
             Restore the key, or remove {DATABASE} to begin anew"
        );
        unfit(&self.key(), problem)
    }

    /// A crash at any moment leaves either no file of that name or a whole one.
    fn create(&self, path: &Path, write: impl FnOnce(File) -> Result<(), StoreError>) -> Result<(), StartError> {
        let unfinished = path.with_extension("unfinished");
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(file_error("remove", &unfinished)(error));
            }
            _ => {}
        }
        let file = create_private_file(&unfinished).map_err(file_error("create", &unfinished))?;
        write(file).map_err(|error| unfit(&unfinished, error.to_string()))?;
        fs::rename(&unfinished, path).map_err(file_error("create", path))?;
        sync_directory(&self.path).map_err(file_error("write", &self.path))
    }
}

fn file_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StartError {
    move |source| StartError::File { action, path: path.to_owned(), source }
}

fn unfit(path: &Path, problem: impl Into<String>) -> StartError {
    StartError::DataDir { path: path.to_owned(), problem: problem.into() }
}

#[cfg(unix)]
fn create_private_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn create_private_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(path)
}

fn create_private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// The permission bits, if any of `forbidden` is among them.
#[cfg(unix)]
fn mode_beyond(metadata: &fs::Metadata, forbidden: u32) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    (mode & forbidden != 0).then_some(mode)
}

#[cfg(not(unix))]
fn mode_beyond(_: &fs::Metadata, _: u32) -> Option<u32> {
    None
}

/// Makes a rename in the directory last.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
