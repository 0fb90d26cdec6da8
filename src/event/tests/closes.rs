//! What is handed on to be closed may wait in a queue while another version is deployed.

use serde_json::json;

use super::{Event, decode};
use crate::event::FoundBy;

#[test]
fn a_payload_of_another_version_is_read() {
    let payload = json!({"close": {
        "change": {
            "event_name": "ModifySecurityGroupRules",
            "event_id": "2a7d9e40-b6c3-4e18-8f5a-d90c1e7b3f68",
            "time": "2026-11-02T11:59:19+00:00",
            "actor": "arn:aws:iam::123456789012:user/deployer",
            "of a later version": {"more": [1]},
        },
        "rules": [{
            "account": "123456789012", "region": "eu-central-1", "group": "sg-0a1b2c3d4e5f60718",
            "id": "sgr-0a1b2c3d4e5f60718", "protocol": "tcp", "from_port": 22, "to_port": 22,
            "peer": "0.0.0.0/0", "tags": {"team": "web"}, "found_by": "sweep",
            "of a later version": true,
        }],
    }});
    let [Event::Close(close)] = &decode(payload.to_string().as_bytes())[..] else {
        panic!("something to close")
    };
    let record = close.record.as_ref().expect("the change");
    assert_eq!(record.event_name.as_deref(), Some("ModifySecurityGroupRules"));
    assert_eq!(record.event_id.as_deref(), Some("2a7d9e40-b6c3-4e18-8f5a-d90c1e7b3f68"));
    assert_eq!(record.actor.as_deref(), Some("arn:aws:iam::123456789012:user/deployer"));
    assert_eq!(record.time, Some("2026-11-02T11:59:19Z".parse().unwrap()));
    assert_eq!(record.region, None);
    let [one] = &close.rules[..] else { panic!("one rule") };
    assert_eq!(one.rule.id.as_deref(), Some("sgr-0a1b2c3d4e5f60718"));
    assert_eq!(one.rule.tags["team"], "web");
    assert_eq!((one.rule.description.as_ref(), one.note.as_ref()), (None, None));
    assert_eq!(one.found_by, FoundBy::Sweep);
}
