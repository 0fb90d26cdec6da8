//! The table of what is remembered.

use serde_json::Value;

use super::aws::AwsError;
use super::check::{Check, Fact, Remedy, Topic};
use super::stack::{Resource, text};
use super::view::{View, each, fault, fine, not_seen};

pub(super) fn checks(view: &View<'_>) -> Vec<Check> {
    let tables: Vec<&Resource> = view.stack.of_kind("AWS::DynamoDB::Table").collect();
    each(&tables, |table| of_table(view, table))
}

fn of_table(view: &View<'_>, table: &Resource) -> Check {
    let name = table.name.as_str();
    let about = ["--table-name", table.id.as_str()];
    let is = match view.call(&[&["dynamodb", "describe-table"][..], &about].concat()) {
        Ok(is) => is,
        Err(AwsError::NotThere { .. }) => {
            return fault(Topic::Table, name, Fact::TableGone, made_anew(view, table));
        }
        Err(error) => return not_seen(Topic::Table, name, error),
    };
    let state = is.get("Table").map(|it| text(it, "TableStatus")).unwrap_or_default();
    if !["ACTIVE", "UPDATING"].contains(&state) {
        let fact = Fact::TableState { state: state.to_owned() };
        return fault(Topic::Table, name, fact, view.redeploy());
    }
    match view.call(&[&["dynamodb", "describe-time-to-live"][..], &about].concat()) {
        Ok(is) => {
            let is = is.get("TimeToLiveDescription");
            let word = |name| is.map(|it| text(it, name)).unwrap_or_default();
            let is_on = ["ENABLED", "ENABLING"].contains(&word("TimeToLiveStatus"));
            match is_on && Some(word("AttributeName")) == expiry(table) {
                true => fine(Topic::Table, name, Fact::TableFine),
                false => fault(Topic::Table, name, Fact::TableKeeps, expires(view, table)),
            }
        }
        Err(error) => not_seen(Topic::Table, name, error),
    }
}

/// The attribute that says when an entry may be deleted.
fn expiry(table: &Resource) -> Option<&str> {
    table.get("TimeToLiveSpecification")?.get("AttributeName")?.as_str()
}

fn expires(view: &View<'_>, table: &Resource) -> Remedy {
    let attribute = expiry(table).unwrap_or_default();
    let wanted = format!("Enabled=true,AttributeName={attribute}");
    let update = ["dynamodb", "update-time-to-live", "--table-name", &table.id];
    view.mend(&[&update[..], &["--time-to-live-specification", &wanted]].concat())
}

/// Makes the table again under its name, which the function knows: CloudFormation would not notice
/// that it is gone.
fn made_anew(view: &View<'_>, table: &Resource) -> Remedy {
    let json = |name| table.get(name).map(Value::to_string).unwrap_or_default();
    let (attributes, keys) = (json("AttributeDefinitions"), json("KeySchema"));
    let create = ["dynamodb", "create-table", "--table-name", &table.id];
    let billing = ["--billing-mode", "PAY_PER_REQUEST"];
    let keys = ["--attribute-definitions", &attributes, "--key-schema", &keys];
    let wait = ["dynamodb", "wait", "table-exists", "--table-name", &table.id];
    view.mend(&[&create[..], &billing, &keys].concat())
        .then(view.mend(&wait))
        .then(expires(view, table))
}
