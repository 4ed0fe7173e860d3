//! Who is calling: access keys, sessions and signatures.
//!
//! *Guarantees*: a request acts for nobody but the owner of the key that signed it. The signature (version 4) is
//! computed again over what arrived and compared; an unknown, expired or wrongly signed key is refused with the
//! codes AWS uses, which differ by protocol.

use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::call::Call;
use super::state::State;
use super::wire::{Protocol, Refusal};

/// Somebody who can call.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    pub(crate) account: String,
    pub(crate) arn: String,
    /// `AIDA…` of a user; `AROA…:session` of a role's session.
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) access_key: String,
    /// Policies of the session: it may do only what these allow too.
    pub(crate) session_policies: Vec<Value>,
    pub(crate) since: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    User { name: String },
    Role { name: String, session: String },
}

impl Principal {
    /// The user or role.
    pub(crate) fn name(&self) -> &str {
        match &self.kind {
            Kind::User { name } | Kind::Role { name, .. } => name,
        }
    }

    /// The name `CloudTrail` lists events by.
    pub(crate) fn user_name(&self) -> &str {
        match &self.kind {
            Kind::User { name } => name,
            Kind::Role { session, .. } => session,
        }
    }
}

/// An access key and whom it stands for.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
    /// On the wall's clock, because clients decide by that when to renew.
    pub(crate) expires: Option<Timestamp>,
    pub(crate) principal: Principal,
}

/// What the `Authorization` header says.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub(crate) access_key: String,
    pub(crate) date: String,
    pub(crate) region: String,
    pub(crate) service: String,
    signed_headers: Vec<String>,
    /// In hexadecimal.
    value: String,
}

impl Signature {
    /// Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let fields = header.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let field = |name: &str| {
            fields
                .split(',')
                .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
        };
        let credential = field("Credential")?;
        let mut scope = credential.split('/');
        let mut part = || scope.next().map(str::to_owned);
        Some(Self {
            access_key: part()?,
            date: part()?,
            region: part()?,
            service: part()?,
            signed_headers: field("SignedHeaders")?.split(';').map(str::to_owned).collect(),
            value: field("Signature")?,
        })
    }

    fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }

    /// True if `secret` signs `request` to this very signature.
    fn is_by(&self, secret: &str, request: &Signed<'_>) -> bool {
        let canonical = self.canonical(request);
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{}\n{}\n{}",
            (request.header)("x-amz-date").unwrap_or_default(),
            self.scope(),
            hex::encode(Sha256::digest(canonical))
        );
        let key = [&self.date, &self.region, &self.service, "aws4_request"]
            .iter()
            .fold(format!("AWS4{secret}").into_bytes(), |key, part| mac(&key, part.as_bytes()));
        hex::encode(mac(&key, to_sign.as_bytes())) == self.value
    }

    fn canonical(&self, request: &Signed<'_>) -> String {
        let header =
            |name: &String| format!("{name}:{}\n", squeeze(&(request.header)(name).unwrap_or_default()));
        let headers = self.signed_headers.iter().map(header).collect::<Vec<_>>().concat();
        format!(
            "{}\n{}\n{}\n{headers}\n{}\n{}",
            request.method,
            request.path,
            request.query,
            self.signed_headers.join(";"),
            hex::encode(Sha256::digest(request.body))
        )
    }
}

/// The parts of a request that a signature covers.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) header: &'a dyn Fn(&str) -> Option<String>,
    pub(crate) body: &'a [u8],
}

fn squeeze(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// Finds who signed `request`.
pub(crate) fn identify(
    state: &State,
    signature: &Signature,
    request: &Signed<'_>,
    protocol: Protocol,
) -> Result<Principal, Refusal> {
    let key = state.keys.get(&signature.access_key).ok_or_else(|| unknown_key(protocol))?;
    if key.token != (request.header)("x-amz-security-token") {
        return Err(unknown_key(protocol));
    }
    if key.expires.is_some_and(|expires| expires <= Timestamp::now()) {
        return Err(expired(protocol));
    }
    if !signature.is_by(&key.secret, request) {
        return Err(Refusal::new(
            403,
            if protocol == Protocol::Json { "InvalidSignatureException" } else { "SignatureDoesNotMatch" },
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
             Access Key and signing method. Consult the service documentation for details.",
        ));
    }
    Ok(key.principal.clone())
}

fn unknown_key(protocol: Protocol) -> Refusal {
    let message = "The security token included in the request is invalid.";
    match protocol {
        Protocol::Query => Refusal::new(403, "InvalidClientTokenId", message),
        Protocol::Json => Refusal::bad("UnrecognizedClientException", message),
    }
}

/// Ends the session that calls, and words the refusal.
pub(crate) fn expire(state: &mut State, call: &Call) -> Refusal {
    if let Some(key) = state.keys.get_mut(&call.principal.access_key) {
        key.expires = Some(Timestamp::now());
    }
    expired(call.protocol())
}

fn expired(protocol: Protocol) -> Refusal {
    let message = "The security token included in the request is expired";
    match protocol {
        Protocol::Query => Refusal::new(403, "ExpiredToken", message),
        Protocol::Json => Refusal::bad("ExpiredTokenException", message),
    }
}
