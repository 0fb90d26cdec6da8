//! docs/report.md explains the report that the program prints, field by field.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use serde_json::Value;

use super::report_schema::{assert_fits, published};
use super::{printed, read, root, sg_audit};

const PAGE: &str = "docs/report.md";

/// What kind of value a schema describes.
fn kind(schema: &Value, defs: &Value) -> String {
    let null = |schema: &Value| schema["type"] == "null";
    if let Some(all) = schema["anyOf"].as_array() {
        let value = all.iter().find(|it| !null(it)).expect("a value");
        return format!("{} or null", kind(value, defs));
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().expect("a name");
        let def = &defs[name];
        return if def["properties"].is_object() {
            format!("[{name}](#{name})")
        } else {
            kind(def, defs)
        };
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words
            .iter()
            .map(|word| word.as_str().map_or("null".to_owned(), |word| format!("`{word}`")))
            .collect();
        return words.join(", ");
    }
    if let Some(constant) = schema.get("const") {
        return format!("`{}`", constant.as_str().map_or(constant.to_string(), str::to_owned));
    }
    let (name, or_null) = match &schema["type"] {
        Value::Array(types) => (types[0].as_str(), " or null"),
        one => (one.as_str(), ""),
    };
    let format = schema["format"].as_str().unwrap_or_default();
    let value = match (name.expect("a type"), format) {
        ("array", _) => return format!("list of {}", kind(&schema["items"], defs)),
        ("object", _) => return "a number for each".to_owned(),
        ("string", "date-time") => "time in UTC",
        ("string", "date") => "date",
        ("string", _) => "text",
        ("integer", _) => "number",
        ("boolean", _) => "true or false",
        (other, _) => panic!("{other} has no name"),
    };
    format!("{value}{or_null}")
}

/// The table of an object's fields.
fn table(schema: &Value, defs: &Value) -> String {
    let mut table = "| field | value | meaning |\n|---|---|---|\n".to_owned();
    let required: BTreeSet<&str> =
        schema["required"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().expect("fields");
    for (name, property) in properties {
        assert!(required.contains(name.as_str()), "{name} is always there");
        let meaning = property["description"].as_str().unwrap_or_else(|| panic!("{name}"));
        writeln!(table, "| `{name}` | {} | {meaning} |", kind(property, defs)).expect("text");
    }
    assert_eq!(required.len(), properties.len());
    table
}

/// The page with today's fields and today's example.
fn today(page: &str) -> String {
    let schema = published();
    let defs = &schema["$defs"];
    let mut parts = page.split("<!-- fields of ");
    let mut today = parts.next().expect("a beginning").to_owned();
    let mut explained = BTreeSet::new();
    for part in parts {
        let (name, rest) = part.split_once(" -->\n\n").expect("a name");
        let (_, rest) = rest.split_once("\n\n").unwrap_or(("", ""));
        let of = if name == "report" { &schema } else { &defs[name] };
        let end = if rest.is_empty() { String::new() } else { format!("\n{rest}") };
        write!(today, "<!-- fields of {name} -->\n\n{}{end}", table(of, defs)).expect("text");
        explained.insert(name.to_owned());
    }
    let objects = defs.as_object().expect("definitions").iter();
    let objects = objects.filter(|(_, def)| def["properties"].is_object()).map(|(name, _)| name);
    let objects: BTreeSet<String> = objects.cloned().chain(["report".to_owned()]).collect();
    assert_eq!(explained, objects, "each object of the schema has a table");

    let (before, block) = today.split_once("\n```console\n$ sg-audit ").expect("an example");
    let (block, after) = block.split_once("\n```").expect("a closed block");
    let command = block.lines().next().expect("a command");
    let json = printed(&sg_audit(&command.split(' ').collect::<Vec<_>>()));
    assert_fits(&serde_json::from_str(&json).expect("JSON and nothing else"));
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let json = json.replace(&version, "\"version\": \"[version]\"");
    format!("{before}\n```console\n$ sg-audit {command}\n{}\n```{after}", json.trim_end())
}

#[test]
fn each_field_of_the_schema_is_explained_beside_a_true_example() {
    let page = read(PAGE);
    let today = today(&page);
    // The same switch as for the snapshots.
    if std::env::var_os("INSTA_UPDATE").is_some_and(|value| value == "always") {
        fs::write(root().join(PAGE), today).expect(PAGE);
    } else {
        assert_eq!(page, today, "INSTA_UPDATE=always brings the page up to date");
    }
}

#[test]
fn the_schema_is_printed_as_it_is_in_the_docs() {
    let ran = sg_audit(&["schema"]);
    assert_eq!((printed(&ran), ran.status.code()), (read("docs/report.schema.json"), Some(0)));
}
