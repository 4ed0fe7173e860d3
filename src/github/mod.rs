//! GitHub: issues and pull requests over its REST API.
//!
//! Guarantees: the only folder that names octocrab. Reading and writing are different types. Every request is sent
//! once, with a limit on its time; after any doubt about a write the next round lists before it sends again. Lists
//! are read to their last page or not at all, and what they do not show yet of our own writes is read by itself. While
//! GitHub asks to wait, nothing is sent. The token cannot be printed.
//!
//! Assumes: a tokio runtime is running when [`connect`] is called.

mod error;
mod lag;
mod publish;
mod read;
mod transport;
mod write;

pub use error::Error;
pub use publish::{Published, propose, publish};
pub use read::{Pull, Reader};
pub use write::{NewPull, Writer};

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use lag::Lag;
use transport::Transport;

use crate::model::Invalid;

/// A repository at GitHub: `owner/name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The user or organization.
    pub owner: String,
    /// The repository.
    pub name: String,
}

impl FromStr for Repository {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let valid = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        };
        match text.split_once('/') {
            Some((owner, name)) if valid(owner) && valid(name) => {
                Ok(Self { owner: owner.to_owned(), name: name.to_owned() })
            }
            _ => Err(Invalid { text: text.to_owned(), expected: "a repository as owner/name" }),
        }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// A secret that GitHub knows us by. It is never printed.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Wraps the secret, without the white space a file may end with.
    pub fn new(secret: &str) -> Self {
        Self(secret.trim().to_owned())
    }

    fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

/// Where GitHub is and what we may do there.
#[derive(Clone, Debug)]
pub struct Config {
    /// The API's address without a path's last `/`; absent for `https://api.github.com`.
    pub api_url: Option<String>,
    /// The repository.
    pub repository: Repository,
    /// The token.
    pub token: Token,
    /// How long one request may take in all; absent for 30 s.
    pub timeout: Option<Duration>,
}

/// Prepares both sides. Nothing is sent yet.
pub fn connect(config: &Config) -> Result<(Reader, Writer), Error> {
    let transport = Arc::new(Transport::new(config)?);
    let lag = Arc::<Lag>::default();
    Ok((Reader::new(Arc::clone(&transport), Arc::clone(&lag)), Writer::new(transport, lag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_printed() {
        let repository = "acme/aws".parse().unwrap();
        let config = Config { api_url: None, repository, token: Token::new("ghp_secret\n"), timeout: None };
        assert!(!format!("{config:?}").contains("secret"));
        assert_eq!(config.token.secret(), "ghp_secret");
    }

    #[tokio::test]
    async fn a_token_goes_over_plain_http_to_this_machine_only() {
        let to = |url: &str| {
            let (repository, token) = ("acme/aws".parse().unwrap(), Token::new("ghp_secret"));
            connect(&Config { api_url: Some(url.to_owned()), repository, token, timeout: None }).map(drop)
        };
        for good in
            ["https://example.com/api/v3/", "http://127.0.0.1:3000", "http://localhost", "http://[::1]:1"]
        {
            assert!(to(good).is_ok(), "{good}");
        }
        for bad in [
            "http://example.com",
            "HTTP://example.com",
            "http://localhost.example.com",
            "http://127.0.0.1@example.com",
            "ftp://127.0.0.1",
            "example.com",
        ] {
            assert!(matches!(to(bad), Err(Error::Address { .. })), "{bad}");
        }
    }

    #[test]
    fn a_repository_is_an_owner_and_a_name() {
        assert!("acme/aws-accounts".parse::<Repository>().is_ok());
        for bad in ["acme", "acme/", "/x", "a/b/c", "a b/c", "acme/../x?"] {
            assert!(bad.parse::<Repository>().is_err(), "{bad}");
        }
    }
}
