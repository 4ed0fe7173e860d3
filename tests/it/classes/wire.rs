//! A server that gives one answer, and the program's readers on it.

use std::collections::BTreeMap;

use landfast::aws::{Cloud, Detection, Error, Keys, Pace, Reader, Settings};
use landfast::model::{AccountId, Organization, OrganizationId, Region, Source};
use serde_json::Value;

use crate::paper::access;
use crate::stub::{Answer, Stub, session_or};

/// The reader, and the server for as long as it is used.
pub(super) struct Answered {
    reader: Reader,
    _stub: Stub,
}

impl std::ops::Deref for Answered {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

/// Reads the management account of an organization that answers everything with `body`.
pub(super) async fn organizations(body: Value) -> Answered {
    let stub = Stub::start(move |_, _| Answer::json(200, &body)).await;
    let organization = Organization {
        id: OrganizationId::parse("o-exampleorgid").unwrap(),
        management_account: AccountId::parse("999988887777").unwrap(),
        home_region: region(),
        access: access(),
        policies: landfast::model::Policies::default(),
        ous: BTreeMap::new(),
        source: Source::default(),
    };
    let reader = connected(&stub).await.management_reader(&organization);
    Answered { reader, _stub: stub }
}

/// A drift detection in this state.
pub(super) async fn detection(state: &str) -> Result<Detection, Error> {
    let operation = "DescribeStackDriftDetectionStatus";
    let body = format!(
        "<{operation}Response><{operation}Result><StackId>x</StackId><StackDriftDetectionId>d</StackDriftDetectionId>\
         <DetectionStatus>{state}</DetectionStatus><StackDriftStatus>IN_SYNC</StackDriftStatus>\
         <DetectionStatusReason>why</DetectionStatusReason><Timestamp>2026-01-01T00:00:00Z</Timestamp>\
         </{operation}Result></{operation}Response>"
    );
    let stub = Stub::start(move |_, request| session_or(request, || Answer::xml(200, &body))).await;
    let reader = connected(&stub).await.reader(&AccountId::parse("111122223333").unwrap(), &access());
    reader.detection(&region(), "d").await
}

async fn connected(stub: &Stub) -> Cloud {
    let settings = Settings {
        endpoint_url: Some(stub.url.clone()),
        keys: Some(Keys::new("AKIAEXAMPLE", "secret")),
        pace: Pace::times(1000.0),
        ..Settings::new(region())
    };
    Cloud::connect(settings).await
}

fn region() -> Region {
    Region::parse("eu-west-1").unwrap()
}
