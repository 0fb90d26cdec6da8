//! Holds reports against `docs/report.schema.json`. The library's own tests, tests/hostile and tests/it include this
//! file.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

/// The schema as it is published.
pub fn published() -> Value {
    serde_json::from_str(include_str!("../docs/report.schema.json")).expect("JSON")
}

/// The schema that a test holds reports against. Readers ignore fields that they do not know; here, a field that the
/// schema does not know is a fault.
fn strict(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(members) => {
            for (_, member) in members.iter_mut() {
                *member = strict(member.take());
            }
            if members.contains_key("properties") {
                members.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
        }
        Value::Array(members) => members.iter_mut().for_each(|it| *it = strict(it.take())),
        _ => {}
    }
    schema
}

/// What is wrong with a report.
pub fn faults(report: &Value) -> Vec<String> {
    static STRICT: LazyLock<Validator> = LazyLock::new(|| {
        let options = jsonschema::draft202012::options().should_validate_formats(true);
        options.build(&strict(published())).expect("a schema")
    });
    if STRICT.is_valid(report) {
        return Vec::new();
    }
    STRICT.iter_errors(report).map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
}

/// Ends the test if the report is not as the schema says.
pub fn assert_fits(report: &Value) {
    let faults = faults(report);
    assert!(faults.is_empty(), "{:.2000}", faults.join("\n"));
}
