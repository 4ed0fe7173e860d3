//! Documents that say the same, documents that do not, and documents that are no metadata.

use super::outline::SCHEMA_INSTANCE;
use super::*;

/// `CN=one,O=Acme`, 2026 to 2036; its fingerprint by openssl.
const ONE: &str = "MIIBITCByAIBATAKBggqhkjOPQQDAjAdMQ0wCwYDVQQKDARBY21lMQwwCgYDVQQDDANvbmUwHhcNMjYwMTAxMDAwMDAwWhcNMzYwMTAxMDAwMDAwWjAdMQ0wCwYDVQQKDARBY21lMQwwCgYDVQQDDANvbmUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQ3duUNNj+XXsRSEPRb5WRgrneMf/WPyo+YADSiWKIeEsu9PbGJsGugH6P5fZdsB6j+oegx42g+Q+IApBICbC8xMAoGCCqGSM49BAMCA0gAMEUCIQD2yvcAo8AYG+3+ImKEjjComrzEsIQhSpaeOVdnAhnSpQIgN5QWlupx2TMhbqx5/ktngkkk824Xc2d+fERdgc6eAGo=";
const FINGERPRINT: &str = "28ef3f35a899bc587a2c5c7e62e2d0a725482ff0f24e3e4253e8094ff5cbb648";

/// Metadata of 1,000 characters and more, its entity's descriptor holding this.
fn around(inside: &str) -> String {
    format!(
        "<EntityDescriptor xmlns=\"{METADATA}\" xmlns:ds=\"{SIGNATURE}\" entityID=\"https://login.example.com\">\
         {inside}</EntityDescriptor><!--{}-->",
        "-  ".repeat(400)
    )
}

fn provider(certificate: &str, more: &str) -> String {
    around(&format!(
        "<IDPSSODescriptor><KeyDescriptor use=\"signing\"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}\
         </ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>{more}</IDPSSODescriptor>"
    ))
}

fn refused(text: &str) -> String {
    SamlMetadata::parse(text).expect_err("a fault").to_string()
}

#[test]
fn an_outline_says_one_element_a_line_and_certificates_by_fingerprint_validity_and_subject() {
    let metadata = SamlMetadata::parse(&provider(ONE, "<NameIDFormat>a  \n b</NameIDFormat>")).unwrap();
    insta::assert_snapshot!(metadata.outline, @r#"
    EntityDescriptor entityID="https://login.example.com"
      IDPSSODescriptor
        KeyDescriptor use="signing"
          ds:KeyInfo
            ds:X509Data
              ds:X509Certificate: sha256 28ef3f35a899bc587a2c5c7e62e2d0a725482ff0f24e3e4253e8094ff5cbb648, 2026-01-01 to 2036-01-01, "CN=one,O=Acme"
        NameIDFormat: "a b"
    "#);
    assert_eq!(metadata.certificates.len(), 1);
    assert_eq!(metadata.certificates[0].fingerprint, FINGERPRINT);
    let details = metadata.certificates[0].details.as_ref().unwrap();
    assert_eq!((details.subject.as_str(), details.expires), ("CN=one,O=Acme", 2_082_758_400));
    assert_eq!(outline(&metadata.text), metadata.outline);
}

#[test]
fn layout_prefixes_order_of_attributes_and_line_breaks_of_certificates_do_not_count() {
    let plain = provider(ONE, "<A x=\"1\" y=\"2\"/><B>one two</B>");
    let lines: Vec<_> = ONE.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    let broken = format!("\r\n  {}", lines.join("\r\n  "));
    let other = provider(
        &broken,
        "\n  <!-- a comment --><A y='2'\n x='1' ></A><?pi?><B>\n one\n two <![CDATA[]]></B>\n",
    );
    assert_eq!(outline(&plain), outline(&other));
    let prefixed = plain
        .replace("xmlns=", "xmlns:md=")
        .replace("xmlns:ds=", "xmlns=")
        .replace("ds:", "")
        .replace("<EntityDescriptor", "<md:EntityDescriptor")
        .replace("/EntityDescriptor", "/md:EntityDescriptor")
        .replace("IDPSSODescriptor", "md:IDPSSODescriptor")
        .replace("KeyDescriptor", "md:KeyDescriptor")
        .replace("<A ", "<md:A ")
        .replace("B>", "md:B>");
    assert_eq!(outline(&plain), outline(&prefixed));
    let typed = |prefix: &str| {
        let of =
            format!("<A xmlns:xsi=\"{SCHEMA_INSTANCE}\" xmlns:{prefix}=\"urn:t\" xsi:type=\"{prefix}:T\"/>");
        outline(&provider(ONE, &of))
    };
    assert_eq!(typed("p"), typed("q"));
}

#[test]
fn whatever_is_said_otherwise_counts() {
    let all = [
        "<A x=\"1\"/>",
        "<A x=\"2\"/>",
        "<A y=\"1\"/>",
        "<A/>",
        "<A>1</A>",
        "<A>1 2</A>",
        "<A>12</A>",
        "<A><B/></A>",
        "<A/><B/>",
        "<B/><A/>",
        "<ds:A/>",
        "<A xmlns=\"urn:other\"/>",
        "<A xmlns=\"\"/>",
        "<A x=\"1&quot; y=&quot;1\"/>",
        "<A x=\"1\" y=\"1\"/>",
        "<A>&#10;  B</A>",
        "<A>&quot;</A>",
        "<A xml:lang=\"1\"/>",
        "<A lang=\"1\"/>",
        "<A><B/>text</A>",
        "<A>text<B/></A>",
        "<ds:SignatureValue>AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA</ds:SignatureValue>",
        "<ds:SignatureValue>AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB</ds:SignatureValue>",
    ];
    let outlines: std::collections::BTreeSet<_> =
        all.iter().map(|more| outline(&provider(ONE, more))).collect();
    assert_eq!(outlines.len(), all.len());
}

#[test]
fn what_iam_would_not_take_is_refused_with_its_place() {
    assert_eq!(refused("<a/>"), "it has 4 characters, and IAM takes 1000 to 10000000");
    let long = " ".repeat(1000);
    assert!(refused(&format!("<a>\n<b></a>{long}")).starts_with("not well-formed XML"));
    assert_eq!(
        refused(&format!("<a/>{long}")),
        "its root is <a>, where SAML metadata has <EntityDescriptor>"
    );
    let unnamed = provider(ONE, "").replace("entityID", "id");
    assert_eq!(refused(&unnamed), "it has no entityID");
    assert_eq!(
        refused(&around("<SPSSODescriptor/>")),
        "it describes no identity provider: there is no <IDPSSODescriptor>"
    );
    assert_eq!(
        refused(&around("<IDPSSODescriptor/>")),
        "its identity provider has no certificate to check signatures with"
    );
    assert_eq!(refused(&provider("not base64!", "")), "the certificate is not base64");
    assert_eq!(refused(&provider(&ONE[..120], "")), "the certificate is damaged or cut off");
    let fault =
        SamlMetadata::parse(&provider(&ONE[..120], "").replace("<KeyDescriptor", "\n <KeyDescriptor"));
    assert_eq!((fault.as_ref().unwrap_err().line, fault.unwrap_err().column), (2, 56));
}

#[test]
fn entities_and_depth_are_bounded() {
    let bomb = format!(
        "<!DOCTYPE a [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>{}",
        provider(ONE, "<A>&b;</A>")
    );
    assert!(refused(&bomb).contains("DTD"), "{}", refused(&bomb));
    let deep = provider(ONE, &format!("{}{}", "<A>".repeat(20_000), "</A>".repeat(20_000)));
    assert_eq!(refused(&deep), "elements are nested more than 64 deep");
    assert!(outline(&deep).starts_with("(unreadable: elements are nested more than 64 deep; sha256 "));
    assert_ne!(outline(&deep), outline(&deep.replace("-->", " -->")));
}

#[test]
fn a_certificate_in_an_unknown_shape_is_told_by_its_fingerprint() {
    // A sequence of nothing: complete as DER, and no certificate.
    let metadata = SamlMetadata::parse(&provider("MAA=", "")).unwrap();
    assert_eq!(metadata.certificates[0].details, None);
    assert!(metadata.outline.contains(", not X.509 as we know it\n"));
}
