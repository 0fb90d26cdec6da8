//! Laws that hold for any input.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{ChangeKind, Kind, decode};
use super::samples::FILES;
use super::{open_ssh, rule_line};

/// JSON with the names and strings that mean something to the decoder.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("eventName".to_owned()),
        Just("eventSource".to_owned()),
        Just("requestParameters".to_owned()),
        Just("responseElements".to_owned()),
        Just("securityGroupRuleSet".to_owned()),
        Just("ipPermissions".to_owned()),
        Just("items".to_owned()),
        Just("ipRanges".to_owned()),
        Just("groupId".to_owned()),
        Just("Records".to_owned()),
        Just("Sns".to_owned()),
        Just("Message".to_owned()),
        Just("Type".to_owned()),
        Just("body".to_owned()),
        Just("requestPayload".to_owned()),
        Just("detail".to_owned()),
        Just("detail-type".to_owned()),
        Just("Scheduled Event".to_owned()),
        Just("sweep".to_owned()),
        Just("resume".to_owned()),
        Just("version".to_owned()),
        Just("close".to_owned()),
        Just("tags".to_owned()),
        Just("hold_tags".to_owned()),
        Just("lost".to_owned()),
        Just("resources".to_owned()),
        Just("detailType".to_owned()),
        Just("sgr-0a1b2c3d4e5f67890".to_owned()),
        Just("rules".to_owned()),
        Just("recipientAccountId".to_owned()),
        Just("awsRegion".to_owned()),
        Just("eu-central-1".to_owned()),
        Just("resourcesSet".to_owned()),
        Just("tagSet".to_owned()),
        Just("DeleteTags".to_owned()),
        Just("ModifyManagedPrefixList".to_owned()),
        Just("PrefixListId".to_owned()),
        Just("RevokeSecurityGroupIngress".to_owned()),
        Just("CloudTrailEvent".to_owned()),
        Just("AuthorizeSecurityGroupIngress".to_owned()),
        Just("ModifySecurityGroupRules".to_owned()),
        Just("sg-0a1b2c3d4e5f67890".to_owned()),
        Just("omitted".to_owned()),
        Just("{\"Records\":[{\"body\":\"[[]]\"}]}".to_owned()),
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 5, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(word.clone(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Every place in `value`, as a JSON pointer.
pub(super) fn places(value: &Value, at: &str, places: &mut Vec<String>) {
    places.push(at.to_owned());
    match value {
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                self::places(element, &format!("{at}/{index}"), places);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                self::places(member, &format!("{at}/{name}"), places);
            }
        }
        _ => {}
    }
}

pub(super) fn remove(value: &mut Value, place: &str) {
    let Some((parent, name)) = place.rsplit_once('/') else { return };
    match value.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            members.remove(&name.replace("~1", "/").replace("~0", "~"));
        }
        Some(Value::Array(elements)) => {
            elements.remove(name.parse().unwrap());
        }
        _ => {}
    }
}

/// The rules that were added, according to the events. There is always an event.
fn authorized(sample: &Value) -> Vec<String> {
    let events = decode(sample.to_string().as_bytes());
    assert!(!events.is_empty());
    let rules = events.into_iter().filter_map(|event| match event.kind {
        Kind::Change(change) => match change.kind {
            ChangeKind::Authorized(rules) => Some(rules),
            _ => None,
        },
        _ => None,
    });
    rules.flatten().map(|rule| rule_line(&rule)).collect()
}

/// A sample with one member dropped or replaced by something of another type may have fewer rules
/// or none, but no rule that the sample does not have.
fn assert_no_rule_is_made_up(bytes: &[u8], change: impl Fn(&mut Value, &str)) {
    let sample: Value = serde_json::from_slice(bytes).unwrap();
    // Without its `errorCode` a failed call is a successful one.
    let mut success = sample.clone();
    remove(&mut success, "/detail/errorCode");
    let before = authorized(&success);
    let mut all = Vec::new();
    places(&sample, "", &mut all);
    for place in all {
        // In another account, a group of this one is another group. The others have nothing to do
        // with rules and would take long.
        let others = ["/recipientAccountId", "/userIdentity/", "/tlsDetails/"];
        if others.iter().any(|other| place.contains(other)) {
            continue;
        }
        let mut changed = sample.clone();
        change(&mut changed, &place);
        for rule in authorized(&changed) {
            assert!(before.contains(&rule), "{place}: {rule} is not among {before:?}");
        }
    }
}

#[test]
fn a_sample_without_a_member_has_no_other_rule() {
    for (_, bytes) in FILES.iter() {
        assert_no_rule_is_made_up(bytes, remove);
    }
}

#[test]
fn a_sample_with_a_member_of_another_type_has_no_other_rule() {
    let others =
        [json!(null), json!({}), json!([[]]), json!(true), json!("x"), json!({"omitted": true})];
    for (_, bytes) in FILES.iter() {
        for other in &others {
            assert_no_rule_is_made_up(bytes, |sample, place| {
                *sample.pointer_mut(place).unwrap() = other.clone();
            });
        }
    }
}

/// With anything in the request or the response replaced, the event still has the same rules, or is
/// not understood.
#[test]
fn no_change_of_a_member_hides_a_rule() {
    let watched = ["authorize-open-ssh", "authorize-open-ssh-with-office"];
    for (_, bytes) in FILES.iter().filter(|(name, _)| watched.contains(&name.as_str())) {
        let sample: Value = serde_json::from_slice(bytes).unwrap();
        let before = authorized(&sample);
        let mut all = Vec::new();
        places(&sample, "", &mut all);
        all.retain(|place| {
            place.contains("/requestParameters") || place.contains("/responseElements")
        });
        for other in [json!(null), json!({}), json!(true), json!("x")] {
            for place in &all {
                let mut changed = sample.clone();
                *changed.pointer_mut(place).unwrap() = other.clone();
                let events = decode(changed.to_string().as_bytes());
                let understood = events.iter().all(|event| match &event.kind {
                    Kind::Change(change) => {
                        !matches!(change.kind, ChangeKind::Unknown(_) | ChangeKind::Retagged(_))
                    }
                    Kind::Undecodable { .. } | Kind::Lost(_) => false,
                    Kind::List(_)
                    | Kind::Tags(_)
                    | Kind::HoldTags(_)
                    | Kind::Watched(_)
                    | Kind::Hook(_)
                    | Kind::Job(_)
                    | Kind::Ignored(_)
                    | Kind::NotAudited { .. } => true,
                });
                if understood {
                    assert_eq!(authorized(&changed), before, "{place} = {other}");
                }
            }
        }
    }
}

#[test]
fn six_megabytes_are_read() {
    let deep = "[".repeat(6_000_000);
    let long = format!("\"{}\"", "x".repeat(6_000_000));
    let many = format!("[{}0]", "0,".repeat(2_900_000));
    for (payload, events) in [(deep, 1), (long, 1), (many, 1)] {
        assert_eq!(decode(payload.as_bytes()).len(), events);
    }

    let mut record = open_ssh();
    record["userAgent"] = json!("ü".repeat(3_000_000));
    let agent = super::event(&record).record.user_agent.unwrap();
    assert_eq!(agent.chars().count(), 1024);
}

proptest! {
    #[test]
    fn any_bytes_are_at_least_one_event(payload in vec(any::<u8>(), 0..400)) {
        prop_assert!(!decode(&payload).is_empty());
    }

    #[test]
    fn any_json_is_at_least_one_event(value in any_json()) {
        prop_assert!(!decode(value.to_string().as_bytes()).is_empty());
    }

    #[test]
    fn a_cut_sample_is_at_least_one_event(file in any::<prop::sample::Index>(), length in 0..6000usize) {
        let (_, bytes) = file.get(&FILES);
        prop_assert!(!decode(&bytes[..length.min(bytes.len())]).is_empty());
    }

    #[test]
    fn a_sample_with_anything_in_it_is_at_least_one_event(
        file in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        value in any_json(),
    ) {
        let mut sample: Value = serde_json::from_slice(&file.get(&FILES).1).unwrap();
        let mut all = Vec::new();
        places(&sample, "", &mut all);
        let place = place.get(&all).as_str();
        *sample.pointer_mut(place).unwrap() = value;
        prop_assert!(!decode(sample.to_string().as_bytes()).is_empty());
    }
}
