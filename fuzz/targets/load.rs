//! Any bytes in any file get an answer, and one that remembers gives the same.

#![no_main]

use std::collections::BTreeMap;

use landfast::load::{File, Loader, Tree, check};
use landfast::model::CommitId;
use libfuzzer_sys::fuzz_target;

const PATHS: [&str; 6] = [
    "landfast.yaml",
    "organization/organization.yaml",
    "baselines/a/baseline.yaml",
    "accounts/one/account.yaml",
    "accounts/one/net.template.yaml",
    "accounts/one/idp.xml",
];

// Files are parted by a byte that no text has.
fuzz_target!(|data: &[u8]| {
    let parts = data.split(|byte| *byte == 0xff);
    let files = PATHS.iter().zip(parts).map(|(path, bytes)| ((*path).to_owned(), File::Blob(bytes.into())));
    let files: BTreeMap<_, _> = files.collect();
    let tree = Tree { revision: CommitId::parse("0".repeat(40)).unwrap(), files };
    let (fresh, mut loader) = (check(&tree, None), Loader::default());
    for _ in 0..2 {
        let remembered = loader.check(&tree, None);
        assert_eq!((remembered.desired, remembered.diagnostics), (fresh.desired.clone(), fresh.diagnostics.clone()));
    }
});
