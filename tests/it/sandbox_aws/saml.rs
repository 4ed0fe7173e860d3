//! SAML providers of the simulated IAM.

use std::time::Duration;

use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_sdk_iam::types::Tag;

use super::{held, inside, new_account};
use crate::saml::{METADATA, OTHER, signed_by};

async fn iam(aws: &landfast::sandbox::aws::SimulatedAws, name: &str) -> aws_sdk_iam::Client {
    let id = new_account(aws, name).await;
    aws_sdk_iam::Client::new(&inside(aws, &id, "us-east-1").await)
}

#[tokio::test]
async fn a_provider_is_kept_as_it_was_sent_until_it_is_replaced_or_deleted() {
    let aws = held().await;
    let iam = iam(&aws, "pay").await;
    let tag = Tag::builder().key("env").value("prod").build().unwrap();
    let made =
        iam.create_saml_provider().name("ADFS").saml_metadata_document(METADATA).tags(tag).send().await;
    let arn = made.unwrap().saml_provider_arn.unwrap();
    assert!(arn.starts_with("arn:aws:iam::") && arn.ends_with(":saml-provider/ADFS"), "{arn}");
    let seen = iam.get_saml_provider().saml_provider_arn(&arn).send().await.unwrap();
    assert_eq!(seen.saml_metadata_document.as_deref(), Some(METADATA));
    assert_eq!(seen.tags()[0].key(), "env");
    let century = Duration::from_hours(36_525 * 24).as_secs();
    let (made, ends) = (seen.create_date.unwrap().secs(), seen.valid_until.unwrap().secs());
    assert_eq!(u64::try_from(ends - made).unwrap(), century);
    let listed = iam.list_saml_providers().send().await.unwrap();
    assert_eq!(listed.saml_provider_list()[0].arn(), Some(arn.as_str()));

    let next = signed_by(OTHER).replacen("entityID", "validUntil=\"2030-01-01T00:00:00Z\" entityID", 1);
    iam.update_saml_provider().saml_provider_arn(&arn).saml_metadata_document(&next).send().await.unwrap();
    let seen = iam.get_saml_provider().saml_provider_arn(&arn).send().await.unwrap();
    assert_eq!(seen.saml_metadata_document.as_deref(), Some(next.as_str()));
    assert_eq!(seen.valid_until.unwrap().secs(), 1_893_456_000);
    assert_eq!(seen.tags().len(), 1, "an update leaves the tags");
    iam.delete_saml_provider().saml_provider_arn(&arn).send().await.unwrap();
    let gone = iam.get_saml_provider().saml_provider_arn(&arn).send().await.unwrap_err();
    assert_eq!(gone.code(), Some("NoSuchEntity"));
}

#[tokio::test]
async fn what_iam_does_not_take_is_refused_as_iam_refuses_it() {
    let aws = held().await;
    let iam = iam(&aws, "pay").await;
    let create =
        |name: &str, text: &str| iam.create_saml_provider().name(name).saml_metadata_document(text).send();
    let unsigned = METADATA.replace("IDPSSODescriptor", "SPSSODescriptor");
    let broken = signed_by("!");
    for (name, text, code) in [
        ("a b", METADATA, "ValidationError"),
        ("ADFS", "<EntityDescriptor/>", "ValidationError"),
        ("ADFS", &METADATA[..METADATA.len() - 20], "InvalidInput"),
        ("ADFS", &unsigned, "InvalidInput"),
        ("ADFS", &broken, "InvalidInput"),
    ] {
        assert_eq!(create(name, text).await.unwrap_err().code(), Some(code), "{name}");
    }
    create("ADFS", METADATA).await.unwrap();
    assert_eq!(create("ADFS", METADATA).await.unwrap_err().code(), Some("EntityAlreadyExists"));
    let foreign = "arn:aws:iam::111111111111:saml-provider/ADFS";
    let refused = iam.get_saml_provider().saml_provider_arn(foreign).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidInput"));
    let update = iam.update_saml_provider().saml_provider_arn(foreign.replace("ADFS", "x"));
    assert!(update.saml_metadata_document(METADATA).send().await.is_err());
    for n in 1..100 {
        create(&format!("p{n}"), METADATA).await.unwrap();
    }
    assert_eq!(create("p100", METADATA).await.unwrap_err().code(), Some("LimitExceeded"));
}
