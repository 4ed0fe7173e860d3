//! Certificates of an identity provider: what they are known by.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest, Sha256};
use x509_cert::Certificate as X509;
use x509_cert::der::Decode;

use super::outline::quoted;

/// A certificate of an identity provider: whoever holds its key can sign in as anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256 of its bytes, in hexadecimal.
    pub fingerprint: String,
    /// Its subject, from when and until when it is valid; absent where it is not X.509 as we know it.
    pub details: Option<Details>,
}

/// What an X.509 certificate says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// The distinguished name, as RFC 4514 writes it.
    pub subject: String,
    /// Valid from, `2026-01-31`.
    pub from: String,
    /// Valid until, `2036-01-31`.
    pub until: String,
    /// Valid until, in seconds since 1970.
    pub expires: i64,
}

impl Certificate {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let details = X509::from_der(bytes).ok().map(|certificate| {
            let certificate = certificate.tbs_certificate();
            let validity = certificate.validity();
            let day = |time: x509_cert::time::Time| {
                let date = time.to_date_time();
                format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
            };
            Details {
                subject: certificate.subject().to_string(),
                from: day(validity.not_before),
                until: day(validity.not_after),
                expires: i64::try_from(validity.not_after.to_unix_duration().as_secs()).unwrap_or(i64::MAX),
            }
        });
        Self { fingerprint: digest(bytes), details }
    }
}

/// The fingerprint comes first: unlike the subject, nobody can choose it.
impl std::fmt::Display for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sha256 {}", self.fingerprint)?;
        match &self.details {
            Some(Details { subject, from, until, .. }) => {
                write!(f, ", {from} to {until}, {}", quoted(subject))
            }
            None => f.write_str(", not X.509 as we know it"),
        }
    }
}

/// The bytes of base64 text, whatever its line breaks and padding; nothing where it is empty or something else.
pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, config);
    let digits: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    engine.decode(digits).ok().filter(|bytes| !bytes.is_empty())
}

/// SHA-256 in hexadecimal.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
