//! The encryption keys.

use serde_json::Value;

use super::aws::AwsError;
use super::check::{Check, Fact, Topic};
use super::same::policy;
use super::stack::{Resource, text};
use super::view::{View, each, fault, fine, not_seen};

pub(super) fn checks(view: &View<'_>) -> Vec<Check> {
    let keys: Vec<&Resource> = view.stack.of_kind("AWS::KMS::Key").collect();
    each(&keys, |key| of_key(view, key))
}

fn of_key(view: &View<'_>, key: &Resource) -> Check {
    let name = key.name.as_str();
    let about = ["--key-id", key.id.as_str()];
    let command = |call: &str| view.mend(&[&["kms", call][..], &about].concat());
    let is = match view.call(&[&["kms", "describe-key"][..], &about].concat()) {
        Ok(is) => is,
        Err(AwsError::NotThere { .. }) => {
            return fault(Topic::Key, name, Fact::KeyGone, view.redeploy());
        }
        Err(error) => return not_seen(Topic::Key, name, error),
    };
    match is.get("KeyMetadata").map(|it| text(it, "KeyState")).unwrap_or_default() {
        "Enabled" => {}
        "Disabled" => return fault(Topic::Key, name, Fact::KeyDisabled, command("enable-key")),
        "PendingDeletion" => {
            let mend = command("cancel-key-deletion").then(command("enable-key"));
            return fault(Topic::Key, name, Fact::KeyGoing, mend);
        }
        state => {
            let fact = Fact::KeyState { state: state.to_owned() };
            return fault(Topic::Key, name, fact, command("enable-key"));
        }
    }
    let get = ["kms", "get-key-policy", "--policy-name", "default"];
    let should = key.get("KeyPolicy");
    match view.call(&[&get[..], &about].concat()) {
        Ok(is) if is.get("Policy").map(policy) == should.map(policy) => {
            fine(Topic::Key, name, Fact::KeyEnabled)
        }
        Ok(_) => {
            let document = should.map(Value::to_string).unwrap_or_default();
            let put = ["kms", "put-key-policy", "--policy-name", "default", "--policy", &document];
            fault(Topic::Key, name, Fact::KeyPolicy, view.mend(&[&put[..], &about].concat()))
        }
        Err(error) => not_seen(Topic::Key, name, error),
    }
}
