//! The daemon's own key: what it wrote on `landfast/observed`, it can recognize later.
//!
//! Guarantees: commits carry an SSH signature as git itself makes and checks them; the private key never shows in
//! `Debug` or in an error; a key file we write is readable by its owner only.
//!
//! Assumes: one key for one organization, used for nothing but `landfast/observed`. A tree signed with it elsewhere
//! could be pushed there, and would be believed; for that reason proposals are not signed with it.

use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use git2::Oid;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{HashAlg, LineEnding, PrivateKey, SshSig};

use super::Error;
use crate::model::CommitId;

/// The namespace git uses; a signature made for anything else does not count.
const NAMESPACE: &str = "git";
/// The comment in the key file.
const COMMENT: &str = "landfast";

/// Signs commits and tells which ones it signed.
#[derive(Clone)]
pub struct Signer {
    key: PrivateKey,
    seed: [u8; 32],
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.fingerprint()).finish()
    }
}

impl Signer {
    /// Reads an `OpenSSH` private key: ed25519, without a passphrase.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let refuse = |reason: &str| Error::Key { path: path.to_owned(), reason: reason.to_owned() };
        let text =
            fs::read(path).map_err(|error| refuse(&format!("it cannot be read ({})", error.kind())))?;
        let key = PrivateKey::from_openssh(text).map_err(|_| refuse("it is not an OpenSSH private key"))?;
        if key.is_encrypted() {
            return Err(refuse("it has a passphrase"));
        }
        Self::new(key).ok_or_else(|| refuse("it is not of the type ed25519"))
    }

    /// Makes a new key.
    pub fn generate() -> Self {
        let seed = rand::random();
        let mut key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
        key.set_comment(COMMENT);
        Self { key, seed }
    }

    /// Writes the key to a new file that only its owner may read. An existing file is left alone and is an error.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let text = self.key.to_openssh(LineEnding::LF).map_err(|error| Error::bug(error.to_string()))?;
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|source| Error::Io { doing: "write", path: path.to_owned(), source })
    }

    /// The public key as one line, for `allowed_signers` files and GitHub's list of signing keys.
    pub fn public_key(&self) -> Result<String, Error> {
        self.key.public_key().to_openssh().map_err(|error| Error::bug(error.to_string()))
    }

    /// The fingerprint people compare: `SHA256:…`.
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }

    /// A keyed hash that stands for a secret text: equal for equal texts, of no use without the key.
    pub fn digest_secret(&self, text: &str) -> String {
        // A key of its own, so that what signs commits is not used for anything else.
        let key = mac(&self.seed, b"landfast: digest of secrets, version 1");
        format!("hmac-sha256:{}", hex::encode(mac(&key, text.as_bytes())))
    }

    /// The signature of a commit's content, in the armor that goes into its header.
    pub(super) fn sign(&self, content: &[u8]) -> Result<String, Error> {
        let sign = || self.key.sign(NAMESPACE, HashAlg::Sha512, content)?.to_pem(LineEnding::LF);
        let armored = sign().map_err(|error| Error::bug(format!("signing failed: {error}")))?;
        Ok(armored.trim_end().to_owned())
    }

    /// True when this key signed `commit` for git. Any doubt is a no.
    pub fn verify(&self, repository: &super::Repository, commit: &CommitId) -> Result<bool, Error> {
        let cache = repository.cache()?;
        let commit = super::find(&cache, commit)?.id();
        Ok(self.signed(&cache, commit))
    }

    pub(super) fn signed(&self, repository: &git2::Repository, commit: Oid) -> bool {
        let Ok((signature, content)) = repository.extract_signature(&commit, Some("gpgsig")) else {
            return false;
        };
        let signature = SshSig::from_pem(&*signature);
        signature.is_ok_and(|signature| self.key.public_key().verify(NAMESPACE, &content, &signature).is_ok())
    }

    fn new(key: PrivateKey) -> Option<Self> {
        let KeypairData::Ed25519(pair) = key.key_data() else { return None };
        let seed = pair.private.to_bytes();
        Some(Self { key, seed })
    }
}

fn mac(key: &[u8], text: &[u8]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_being_saved_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let signer = Signer::generate();
        signer.save(&path).unwrap();
        assert_eq!(Signer::from_file(&path).unwrap().fingerprint(), signer.fingerprint());
        assert_eq!(Signer::from_file(&path).unwrap().digest_secret("x"), signer.digest_secret("x"));
        assert!(matches!(signer.save(&path), Err(Error::Io { .. })), "never overwritten");
        assert_eq!(format!("{signer:?}"), format!("Signer({:?})", signer.fingerprint()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn what_is_not_a_key_is_refused_without_showing_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "hunter2").unwrap();
        let error = Signer::from_file(&path).unwrap_err();
        assert!(matches!(&error, Error::Key { .. }) && !format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn a_secret_is_told_apart_only_by_those_who_hold_the_key() {
        let (ours, theirs) = (Signer::generate(), Signer::generate());
        assert_eq!(ours.digest_secret("hunter2"), ours.digest_secret("hunter2"));
        assert_ne!(ours.digest_secret("hunter2"), ours.digest_secret("hunter3"));
        assert_ne!(ours.digest_secret("hunter2"), theirs.digest_secret("hunter2"));
    }
}
