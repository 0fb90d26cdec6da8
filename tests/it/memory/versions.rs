//! Entries that another version of the auditor wrote.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use typo3_sg_auditor::audit::Ledger;
use typo3_sg_auditor::aws::AwsLedger;
use typo3_sg_auditor::ledger::item::{Item, finding_key, waiting_key};
use typo3_sg_auditor::ledger::{Before, Opened, Resolution, Sighting};

use super::same::Chance;
use super::table;
use crate::support::moto;

fn attributes(item: Item) -> HashMap<String, AttributeValue> {
    item.into_iter().map(|(name, value)| (name, value.into())).collect()
}

struct Table {
    client: Client,
    name: String,
    ledger: AwsLedger,
}

impl Table {
    async fn new() -> Self {
        let url = moto::server().url();
        let (config, name) = (table::config(&url), table::made(&url).await);
        let ledger = AwsLedger::new(&config, &name, Duration::from_secs(60));
        Self { client: Client::new(&config), name, ledger }
    }

    /// Sets an attribute of an item, as another version does.
    async fn set(&self, key: Item, attribute: &str, text: &str) {
        let call = self.client.update_item().table_name(&self.name).set_key(Some(attributes(key)));
        let call = call.update_expression("SET #name = :text");
        let call = call.expression_attribute_names("#name", attribute);
        let call = call.expression_attribute_values(":text", AttributeValue::S(text.to_owned()));
        call.send().await.expect("the item");
    }
}

#[tokio::test]
async fn a_finding_that_is_not_understood_does_not_stop_what_is_asked_of_others() {
    let table = Table::new().await;
    let mut chance = Chance(7);
    let [one, other] = ["one", "other"].map(|fingerprint| {
        let mut brief = chance.brief();
        (brief.fingerprint, brief.is_open) = (fingerprint.to_owned(), true);
        let opening = Opened { at: brief.seen, occasion: fingerprint.to_owned() };
        Sighting { brief, opening, is_introduced: true }
    });
    let both = [one.clone(), other.clone()];
    let first = table.ledger.see(&both).await.expect("the table answers");
    assert_eq!(first, [Before::Nothing, Before::Nothing]);
    for (attribute, text) in [("brief", "{\"mood\": \"gloomy\"}"), ("first_seen", "yesterday")] {
        let key = || finding_key(&one.brief.place, &one.brief.fingerprint);
        table.set(key(), attribute, text).await;
        let place = table.ledger.place(&one.brief.place).await.expect("the table answers");
        assert!(place.not_understood.contains("one"), "{attribute}: {place:?}");
        let again = table.ledger.see(&both).await.expect("the table answers");
        assert_eq!(again[0], Before::NotUnderstood, "{attribute}");
        assert!(again[1].entry().is_some(), "{attribute}: {again:?}");
        table.set(key(), attribute, text).await;
        let gone = both.each_ref().map(|sighting| Resolution {
            place: sighting.brief.place.clone(),
            fingerprint: sighting.brief.fingerprint.clone(),
            at: sighting.brief.seen,
        });
        let resolved = table.ledger.resolve(&gone).await.expect("the table answers");
        let resolved: Vec<_> = resolved.iter().map(|it| it.brief.fingerprint.as_str()).collect();
        assert_eq!(resolved, ["other"], "{attribute}");
    }
}

#[tokio::test]
async fn what_waits_with_members_that_are_not_known_waits_no_longer_once_it_is_told() {
    let table = Table::new().await;
    let waiting = Chance(7).waiting();
    table.ledger.wait(std::slice::from_ref(&waiting)).await.expect("the table answers");
    let mut content = serde_json::to_value(&waiting).expect("JSON");
    content["entry"]["brief"]["mood"] = "gloomy".into();
    table.set(waiting_key(&waiting), "content", &content.to_string()).await;
    // What was written and not read tells of another text, so it is another entry.
    table.ledger.digested(&[waiting], None).await.expect("the table answers");
    let waits = table.ledger.waiting().await.expect("the table answers");
    assert_eq!(waits.findings.len(), 1);
    table.ledger.digested(&waits.findings, None).await.expect("the table answers");
    let waits = table.ledger.waiting().await.expect("the table answers");
    assert_eq!(waits.findings, []);
}
