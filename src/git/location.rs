//! Where a repository is and how to get in.
//!
//! Guarantees: a credential never shows in `Debug`, in an error or in the address that libgit2 is given; a token is
//! sent to the configured host only, and never over plain http except to this machine; a credential in an address is
//! used instead of the token, which may be another host's.

use std::fmt;
use std::path::PathBuf;

use url::Url;

use super::Error;

/// A text that must not be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the wire only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How to get into a repository. All absent: anonymous https, or whatever the ssh agent offers.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// A token or password for https. GitHub takes any token with the user name below.
    pub token: Option<Secret>,
    /// The user name for https; GitHub's `x-access-token` where absent.
    pub username: Option<String>,
    /// An unencrypted private key for ssh; the agent is asked where absent.
    pub ssh_key: Option<PathBuf>,
}

/// A checked address.
#[derive(Clone, Debug)]
pub(super) struct Location {
    /// What libgit2 is given and errors show: no password, no token.
    pub(super) url: String,
    /// The host for https and http, to which alone the token may go.
    host: Option<String>,
}

/// The user name under which GitHub accepts any token.
const TOKEN_USER: &str = "x-access-token";

impl Location {
    /// Checks `url` and moves a user name and password in it over to `credentials`, whatever is there.
    pub(super) fn parse(url: &str, credentials: &mut Credentials) -> Result<Self, Error> {
        if url.is_empty() || url.starts_with('-') {
            return Err(refuse("the repository's address is empty or starts with a hyphen"));
        }
        if !url.contains("://") {
            return Ok(Self { url: url.to_owned(), host: None });
        }
        // The parse error is not shown: it could hold a part of the password.
        let parsed = Url::parse(url).map_err(|_| refuse("the repository's address is not a URL"))?;
        match parsed.scheme() {
            "https" => Self::web(parsed, credentials),
            "http" if is_loopback(&parsed) => Self::web(parsed, credentials),
            "http" => Err(refuse("plain http is for this machine only; use https")),
            "ssh" => Ok(Self::ssh(parsed)),
            "file" => Ok(Self { url: url.to_owned(), host: None }),
            scheme => Err(refuse(&format!("`{scheme}` is not https, ssh, file or a path"))),
        }
    }

    fn web(mut url: Url, credentials: &mut Credentials) -> Result<Self, Error> {
        let password = url.password().map(decode);
        let username = Some(decode(url.username())).filter(|name| !name.is_empty());
        // `https://TOKEN@host` is a token too.
        if let Some(secret) = password.clone().or_else(|| username.clone()) {
            credentials.token = Some(Secret::new(secret));
            credentials.username = username.filter(|_| password.is_some());
        }
        let cleared = url.set_username("").and_then(|()| url.set_password(None));
        cleared.map_err(|()| refuse("the repository's address has no host"))?;
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self { host: authority(&url), url: url.into() })
    }

    fn ssh(mut url: Url) -> Self {
        // A failure means that there was no password to take away.
        let _ = url.set_password(None);
        Self { url: url.into(), host: None }
    }

    /// What to answer when a host asks who we are; an error means: give up.
    pub(super) fn credential(
        &self,
        credentials: &Credentials,
        url: &str,
        username: Option<&str>,
        allowed: git2::CredentialType,
    ) -> Result<git2::Cred, git2::Error> {
        use git2::CredentialType as Kind;
        if allowed.contains(Kind::USERNAME) {
            return git2::Cred::username(username.unwrap_or("git"));
        }
        if allowed.contains(Kind::SSH_KEY) {
            let user = username.unwrap_or("git");
            return match &credentials.ssh_key {
                Some(path) => git2::Cred::ssh_key(user, None, path, None),
                None => git2::Cred::ssh_key_from_agent(user),
            };
        }
        let same_host = Url::parse(url).is_ok_and(|url| authority(&url) == self.host);
        match &credentials.token {
            Some(token) if allowed.contains(Kind::USER_PASS_PLAINTEXT) && same_host => {
                let user = credentials.username.as_deref().unwrap_or(TOKEN_USER);
                git2::Cred::userpass_plaintext(user, token.expose())
            }
            _ => Err(git2::Error::from_str("no credentials for it")),
        }
    }
}

/// `reason` with every trace of the credentials and of `user:password@` in addresses taken out.
pub(super) fn sanitize(reason: &str, credentials: &Credentials) -> String {
    let secret = credentials.token.as_ref().map(Secret::expose).filter(|secret| !secret.is_empty());
    let text = secret.map_or_else(|| reason.to_owned(), |secret| reason.replace(secret, "***"));
    let words = text.split(' ').map(|word| match word.split_once("://") {
        Some((scheme, rest)) => match rest.rsplit_once('@') {
            Some((_, host)) => format!("{scheme}://{host}"),
            None => word.to_owned(),
        },
        None => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// True where the token that is for the repository at `home` may be used at `url` too: at github.com, for which it is
/// in the first place, on the same host, or where `home` is on no host at all.
pub fn may_share_token(home: &str, url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return true };
    if authority(&url).is_some_and(|authority| authority == "https://github.com:443") {
        return true;
    }
    match Url::parse(home) {
        // With a credential of its own, the token is for somebody else.
        Ok(home) if matches!(home.scheme(), "https" | "http") => {
            home.username().is_empty() && home.password().is_none() && authority(&home) == authority(&url)
        }
        Ok(home) if home.scheme() == "ssh" => home.host_str() == url.host_str(),
        Ok(_) => true,
        Err(_) => scp_host(home).is_none_or(|host| url.host_str() == Some(host)),
    }
}

/// The host of `git@host:path`.
fn scp_host(url: &str) -> Option<&str> {
    let (host, _) = url.split_once(':').filter(|(host, _)| !host.contains('/'))?;
    Some(host.rsplit_once('@').map_or(host, |(_, host)| host))
}

/// Scheme, host and port: what a redirect must not change if it is to see the token.
fn authority(url: &Url) -> Option<String> {
    let port = url.port_or_known_default()?;
    Some(format!("{}://{}:{port}", url.scheme(), url.host_str()?))
}

/// True when `url` leads to this machine, so that nobody listens in on plain http.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Undoes percent-encoding; a password in a URL is always encoded.
fn decode(text: &str) -> String {
    // A `+` stands for itself here, unlike in a form.
    let text = text.replace('+', "%2B");
    form_urlencoded::parse(format!("={text}").as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

fn refuse(reason: &str) -> Error {
    Error::Location { reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_the_url_is_moved_out_of_it() {
        for url in ["https://x:t%2Bop@example.com/a/b.git", "https://t+op@example.com/a/b.git"] {
            let mut credentials = Credentials::default();
            let location = Location::parse(url, &mut credentials).unwrap();
            assert_eq!(location.url, "https://example.com/a/b.git");
            assert_eq!(credentials.token.as_ref().unwrap().expose(), "t+op");
            assert!(!format!("{location:?} {credentials:?}").contains("op"));
        }
    }

    #[test]
    fn a_credential_in_the_url_wins_over_the_token() {
        let both = [("https://me:theirs@example.com/a", Some("me")), ("https://theirs@example.com/a", None)];
        for (url, username) in both {
            let mut credentials = Credentials { token: Some(Secret::new("ours")), ..Credentials::default() };
            Location::parse(url, &mut credentials).unwrap();
            assert_eq!(credentials.token.as_ref().unwrap().expose(), "theirs", "{url}");
            assert_eq!(credentials.username.as_deref(), username, "{url}");
        }
        let mut credentials = Credentials { token: Some(Secret::new("ours")), ..Credentials::default() };
        Location::parse("https://example.com/a", &mut credentials).unwrap();
        assert_eq!(credentials.token.as_ref().unwrap().expose(), "ours");
    }

    #[test]
    fn a_token_for_one_repository_does_not_go_to_another_ones_host() {
        let observed = "https://git.example.com/acme/observed";
        for same in [
            "https://git.example.com/acme/aws",
            "ssh://git@git.example.com/acme/aws",
            "git@git.example.com:acme/aws",
            "/srv/aws",
            "file:///srv/aws",
        ] {
            assert!(may_share_token(same, observed), "{same}");
        }
        for other in [
            "https://github.com/acme/aws",
            "https://git.example.com:8443/acme/aws",
            "https://own@git.example.com/acme/aws",
            "ssh://git@github.com/acme/aws",
            "git@github.com:acme/aws",
        ] {
            assert!(!may_share_token(other, observed), "{other}");
            assert!(may_share_token(other, "https://github.com/acme/observed"), "{other}");
        }
        assert!(!may_share_token("git@github.com:acme/aws", "https://github.com.evil.example/x"));
    }

    #[test]
    fn a_token_goes_to_the_configured_host_only() {
        let mut credentials = Credentials { token: Some(Secret::new("top")), ..Credentials::default() };
        let location = Location::parse("https://example.com/a", &mut credentials).unwrap();
        let ask = |url| {
            location.credential(&credentials, url, None, git2::CredentialType::USER_PASS_PLAINTEXT).is_ok()
        };
        assert!(ask("https://example.com/a"));
        assert!(!ask("https://evil.example/a"));
        assert!(!ask("http://example.com/a"));
        assert!(!ask("https://example.com:8443/a"));
    }

    #[test]
    fn only_safe_ways_to_a_repository_are_taken() {
        let parse = |url: &str| Location::parse(url, &mut Credentials::default());
        for good in
            ["https://h/x", "http://127.0.0.1:3000/x", "ssh://git@h/x", "git@h:x/y", "file:///x", "/x"]
        {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-oProxyCommand=x", "http://example.com/x", "git://h/x", "ext::sh://x"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_error_text_loses_its_credentials() {
        let credentials = Credentials { token: Some(Secret::new("tok")), ..Credentials::default() };
        assert_eq!(sanitize("bad tok at https://a:b@h/x now", &credentials), "bad *** at https://h/x now");
    }
}
