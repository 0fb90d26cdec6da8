//! A hook refuses what a stack wants.

use serde_json::{Value, json};

use super::Scenes;
use crate::report::tests::scene::{Scene, denied};

/// A request of `tests/hook/`.
fn request(name: &str) -> Value {
    let path = format!("{}/tests/hook/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

pub(super) fn all() -> Scenes {
    let mut unknown = request("create-rule");
    unknown["requestData"]["targetModel"]["resourceProperties"] = json!({
        "GroupId": "sg-0a1b2c3d4e5f67890", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
        "SourcePrefixListId": "pl-0123456789abcdef0",
    });
    vec![
        ("prevented", Scene::reverting().run(&request("create-group"))),
        ("prevented-by-cloud-control", Scene::reverting().run(&request("cloud-control-create"))),
        (
            "prevented-undecided",
            Scene::reverting()
                .failing("prefix_list", denied("GetManagedPrefixListEntries"))
                .run(&unknown),
        ),
    ]
}
