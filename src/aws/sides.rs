//! Two handles on one connection: who is given [`Readers`] cannot write, whatever account they enter.

use super::{Cloud, Error, Pace, Reader, Writer};
use crate::model::{Access, AccountId, CommitId, Organization};

/// The reading side: makes readers and nothing else.
#[derive(Clone)]
pub struct Readers(Cloud);

/// The writing side.
#[derive(Clone)]
pub struct Writers(Cloud);

impl Cloud {
    /// The two sides of this connection.
    pub fn sides(self) -> (Readers, Writers) {
        (Readers(self.clone()), Writers(self))
    }
}

impl Readers {
    /// Reads Organizations.
    pub fn management(&self, organization: &Organization) -> Reader {
        self.0.management_reader(organization)
    }

    /// Reads inside one account.
    pub fn account(&self, account: &AccountId, access: &Access) -> Reader {
        self.0.reader(account, access)
    }

    /// Reads with the credentials as they are, in the account they belong to.
    pub async fn own(&self) -> Result<Reader, Error> {
        self.0.own_reader().await
    }

    /// Checks that the credentials belong to the organization the repository is for.
    pub async fn verify(&self, organization: &Organization) -> Result<(), Error> {
        self.0.verify(organization).await
    }

    /// Gives back what the connection to an account takes up while nobody uses it. Its sessions stay open.
    pub fn rest(&self, account: &AccountId) {
        self.0.rest(account);
    }

    /// How fast time passes there.
    pub fn pace(&self) -> Pace {
        self.0.pace()
    }
}

impl Writers {
    /// Reads and writes Organizations, under a session that names the revision.
    pub fn management(&self, organization: &Organization, revision: &CommitId) -> (Reader, Writer) {
        (self.0.management_reader(organization), self.0.management_writer(organization, revision))
    }

    /// Reads and writes inside one account, under a session that names the revision.
    pub fn account(&self, account: &AccountId, access: &Access, revision: &CommitId) -> (Reader, Writer) {
        (self.0.reader(account, access), self.0.writer(account, access, revision))
    }
}
