//! What the SDK's own source says: the operations it has, and the codes it tells apart. There is no list of either at
//! run time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// A call the program makes: the service by the name of its crate, and the operation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Call {
    pub(super) service: String,
    pub(super) operation: String,
}

/// One SDK crate.
struct Sdk {
    service: String,
    source: PathBuf,
    /// Operations by the name of the method that starts them.
    operations: BTreeMap<String, String>,
}

/// The codes by which the SDK tells the errors of an operation apart, in order.
pub(super) fn codes(call: &Call) -> Vec<String> {
    let sdk = sdks().iter().find(|sdk| sdk.service == call.service).expect("a crate of ours");
    let (method, name) =
        sdk.operations.iter().find(|(_, name)| **name == call.operation).expect("its operation");
    let errors = fs::read_to_string(sdk.source.join(format!("operation/{method}.rs"))).unwrap();
    // Some protocols are read in a file of their own.
    let parser = fs::read_to_string(sdk.source.join(format!("protocol_serde/shape_{method}.rs")));
    let codes = arms(&parser.unwrap_or_default()).or_else(|| arms(&errors)).unwrap_or_default();
    assert_eq!(codes.len(), variants(&errors, name), "{call:?}: {codes:?} are not all its errors");
    codes
}

/// The codes of the `match error_code`.
fn arms(source: &str) -> Option<Vec<String>> {
    let (_, after) = source.split_once("match error_code {")?;
    let arm = |line: &str| {
        let (code, then) = line.trim().strip_prefix('"')?.split_once("\" => ")?;
        (then == "{" || then.starts_with("crate::operation::")).then(|| code.to_owned())
    };
    // The last arm takes every other code.
    Some(after.lines().take_while(|line| !line.trim().starts_with("_ =>")).filter_map(arm).collect())
}

/// How many modelled errors the operation's enum has.
fn variants(source: &str, operation: &str) -> usize {
    let (_, after) = source.split_once(&format!("pub enum {operation}Error {{\n")).expect("an error enum");
    let (variants, _) = after.split_once("\n}").unwrap();
    variants.lines().filter(|line| line.contains("(crate::types::error::")).count()
}

/// Every call in `src/aws`, from the methods that start one.
pub(super) fn calls() -> BTreeSet<Call> {
    let mut calls = BTreeSet::new();
    for text in sources() {
        let asks =
            |sdk: &&Sdk| ["(", "."].iter().any(|next| text.contains(&format!(".{}{next}", sdk.service)));
        for sdk in sdks().iter().filter(asks) {
            let begun = sdk.operations.iter().filter(|(method, _)| text.contains(&format!(".{method}()")));
            let call =
                |operation: &String| Call { service: sdk.service.clone(), operation: operation.clone() };
            calls.extend(begun.map(|(_, operation)| call(operation)));
        }
    }
    calls
}

/// The names of operations that stand in `src/aws` as texts, which every call needs for its errors.
pub(super) fn named() -> BTreeSet<String> {
    let texts = sources();
    let words = texts.iter().flat_map(|text| text.split('"').skip(1).step_by(2));
    let is_operation =
        |word: &&str| sdks().iter().any(|sdk| sdk.operations.values().any(|name| name == word));
    words.filter(is_operation).map(str::to_owned).collect()
}

fn sources() -> Vec<String> {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/aws")];
    let mut texts = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                // Layout is left out: a chain of methods may be on one line or on several.
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap().lines().map(str::trim);
                texts.push(code.filter(|line| !line.starts_with("//")).collect());
            }
        }
    }
    texts
}

/// The SDK crates the program depends on.
fn sdks() -> &'static [Sdk] {
    static SDKS: OnceLock<Vec<Sdk>> = OnceLock::new();
    SDKS.get_or_init(|| {
        let metadata = metadata();
        let packages = metadata["packages"].as_array().unwrap();
        let own = packages.iter().find(|package| package["name"] == "landfast").unwrap();
        let needed =
            own["dependencies"].as_array().unwrap().iter().map(|needed| needed["name"].as_str().unwrap());
        let services = needed.filter_map(|name| name.strip_prefix("aws-sdk-"));
        let sdks: Vec<_> = services.map(|service| sdk(service, packages)).collect();
        assert!(sdks.len() >= 5, "the services are found by the names of their crates");
        sdks
    })
}

fn sdk(service: &str, packages: &[Value]) -> Sdk {
    let name = format!("aws-sdk-{service}");
    let package = packages.iter().find(|package| package["name"] == name.as_str()).unwrap();
    let source = Path::new(package["manifest_path"].as_str().unwrap()).with_file_name("src");
    let files = fs::read_dir(source.join("operation")).unwrap().map(|entry| entry.unwrap().path());
    let methods = files.filter(|path| path.is_file()).map(|path| path.file_stem().unwrap().to_owned());
    let operations = methods.map(|method| {
        let method = method.into_string().unwrap();
        let text = fs::read_to_string(source.join(format!("operation/{method}.rs"))).unwrap();
        let (_, name) = text.split_once("pub struct ").expect("an operation");
        (method, name[..name.find(';').unwrap()].to_owned())
    });
    Sdk { service: service.to_owned(), operations: operations.collect(), source: source.clone() }
}

/// What cargo knows of the packages; it has them all by the time a test runs.
fn metadata() -> Value {
    let rustc = Command::new(option_env!("RUSTC").unwrap_or("rustc")).arg("-vV").output().unwrap();
    let version = String::from_utf8(rustc.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host");
    // Packages for other platforms need not have been fetched.
    let arguments = ["metadata", "--format-version=1", "--offline", "--locked", "--filter-platform", host];
    let cargo = Command::new(env!("CARGO")).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let cargo = cargo.unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    serde_json::from_slice(&cargo.stdout).unwrap()
}
