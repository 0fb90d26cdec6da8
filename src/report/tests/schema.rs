//! The schema of reports says neither more nor less than what reports are.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use strum::IntoEnumIterator;

use super::events::{authorizing, revoking, sample, sweep};
use super::report_schema::{assert_fits, faults, published};
use super::scene::{Scene, default, denied};
use super::scenes::{self, left_alone};
use crate::audit::GroupCheck;
use crate::declared::TfFile;
use crate::ec2::Place;
use crate::evaluate::{Code, Severity};
use crate::finding::{Brief, Digest, DigestEntry};
use crate::report::{ReportJson, SCHEMA};
use crate::settings::{Names, RawSettings, Settings};

impl ReportJson {
    /// Ends the test if the report is not as the schema says. Every report that a test makes JSON of
    /// comes here.
    pub(in crate::report) fn assert_fits_schema(&self) {
        assert_fits(&serde_json::to_value(self).unwrap());
    }
}

/// Notes what a value shows of the schema's properties, words and nulls.
struct Walk<'a> {
    defs: &'a Value,
    seen: BTreeSet<String>,
}

impl<'a> Walk<'a> {
    /// The schema behind a reference, and the name of the definition that holds it.
    fn resolved(&self, schema: &'a Value, path: &str) -> (&'a Value, String) {
        match schema["$ref"].as_str() {
            Some(reference) => {
                let name = reference.rsplit('/').next().unwrap();
                let schema = &self.defs[name];
                let has_fields = schema["properties"].is_object();
                (schema, if has_fields { name.to_owned() } else { path.to_owned() })
            }
            None => (schema, path.to_owned()),
        }
    }

    fn alternatives(schema: &'a Value) -> Vec<&'a Value> {
        schema["anyOf"].as_array().map_or_else(|| vec![schema], |all| all.iter().collect())
    }

    /// What the schema allows.
    fn allowed(&mut self, schema: &'a Value, path: &str) {
        for schema in Self::alternatives(schema) {
            let (schema, path) = self.resolved(schema, path);
            let kinds = schema["type"].as_array().into_iter().flatten().chain([&schema["type"]]);
            for kind in kinds.filter_map(Value::as_str) {
                self.seen
                    .insert(format!("{path}: {}", if kind == "null" { kind } else { "value" }));
            }
            for word in schema["enum"].as_array().into_iter().flatten().chain(schema.get("const")) {
                self.seen.insert(format!("{path}: {word}"));
            }
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                self.allowed(property, &format!("{path}.{name}"));
            }
            if let Some(items) = schema.get("items") {
                self.allowed(items, &format!("{path}[]"));
            }
        }
    }

    /// What a value shows.
    fn shown(&mut self, schema: &'a Value, value: &Value, path: &str) {
        let nullable =
            schema["type"].as_array().is_some_and(|kinds| kinds.iter().any(|it| it == "null"));
        let of_null = |schema: &&Value| schema["type"] == "null";
        let alternatives = Self::alternatives(schema);
        if value.is_null() && (nullable || alternatives.iter().any(of_null)) {
            self.seen.insert(format!("{path}: null"));
            return;
        }
        let schema = alternatives.into_iter().find(|it| !of_null(it)).unwrap();
        let (schema, path) = self.resolved(schema, path);
        if schema["enum"].is_array() || schema.get("const").is_some() {
            self.seen.insert(format!("{path}: {value}"));
        } else {
            self.seen.insert(format!("{path}: value"));
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            self.shown(property, &value[name], &format!("{path}.{name}"));
        }
        for item in value.as_array().into_iter().flatten() {
            self.shown(&schema["items"], item, &format!("{path}[]"));
        }
    }
}

/// The report on a plan: a rule of its own, a block in a file that is known, and what is not known.
fn of_plan() -> Value {
    let of_group = |unknown: Value| {
        let after = json!({"cidr_ipv4": "0.0.0.0/0", "ip_protocol": "tcp", "from_port": 22, "to_port": 22,
            "security_group_id": "sg-0a1b2c3d4e5f67890"});
        json!({"address": "aws_vpc_security_group_ingress_rule.ssh", "mode": "managed",
            "type": "aws_vpc_security_group_ingress_rule", "name": "ssh",
            "change": {"actions": ["create"], "before": null, "after": after, "after_unknown": unknown}})
    };
    let block =
        json!({"cidr_blocks": ["0.0.0.0/0"], "protocol": "tcp", "from_port": 22, "to_port": 22});
    let group = json!({"address": "aws_security_group.web", "mode": "managed",
        "type": "aws_security_group", "name": "web",
        "change": {"actions": ["create"], "before": null,
            "after": {"name": "web", "ingress": [block]}, "after_unknown": {"id": true}}});
    let changes = [of_group(json!({})), of_group(json!({"from_port": true})), group];
    let plan = json!({"format_version": "1.2", "resource_changes": changes}).to_string();
    let text = "resource \"aws_security_group\" \"web\" {\n}\n".to_owned();
    let file = TfFile { path: "main.tf".to_owned(), text };
    let declared = crate::declared::plan(plan.as_bytes(), &|_| vec![file.clone()]).unwrap();
    let now = chrono::DateTime::UNIX_EPOCH;
    let settings = RawSettings::new(Names::COMMAND_LINE);
    let settings = Settings::from_raw(&settings, now.date_naive()).unwrap();
    let mut check = GroupCheck::new(&settings, &declared.lists, now);
    for group in &declared.groups {
        check.declared(group, &declared.changed_lists, false);
    }
    serde_json::to_value(ReportJson::from(&check.report())).unwrap()
}

/// What happens too seldom to be a scene.
fn seldom() -> Vec<Value> {
    // The groups of a file may be without account, region and ids of rules.
    let exempt = Scene::new()
        .with_baseline(&left_alone::exempting("2026-03-31", ""))
        .with_rules(&["tcp 8000 0.0.0.0/0"])
        .nowhere()
        .check();
    let mut by_service = authorizing(&["tcp 22 0.0.0.0/0"]);
    by_service["detail"]["userIdentity"] =
        json!({"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"});
    let unread = Scene::new()
        .with_rules(&["tcp 80 0.0.0.0/0", "tcp 443 pl-0123456789abcdef0"])
        .failing("prefix_list", denied("GetManagedPrefixListEntries"))
        .run(&revoking(&["tcp 443 0.0.0.0/0"]));
    // A message that is full, and more messages.
    let ssh: Vec<String> = (0..400).map(|n| format!("tcp 22 2001:db8:{n:x}::/48")).collect();
    let ssh: Vec<&str> = ssh.iter().map(String::as_str).collect();
    let split = Scene::reverting().with_rules(&ssh).run(&sample("authorize-open-ssh"));
    let many = Scene::new().with_rules(&ssh).run(&sweep());
    // Nobody knows where it was, and it only told of an event.
    let mut nowhere = Scene::new().run_bytes(b"not JSON", "2026-03-12T08:11:55Z".parse().unwrap());
    let mut digest = nowhere.reports.remove(0);
    let brief = Brief { place: Place::default(), ..Brief::from(&digest.findings[0]) };
    digest.findings.clear();
    digest.digest =
        Some(Digest { entries: vec![DigestEntry { brief, life: None }], is_daily: true });
    [Scene::new().run(&by_service), unread, split, many]
        .iter()
        .flat_map(|told| told.messages.iter().map(default))
        .chain([exempt, digest].map(|it| serde_json::to_value(ReportJson::from(&it)).unwrap()))
        .chain([of_plan()])
        .chain(super::run::all())
        .collect()
}

#[test]
fn every_field_word_and_null_of_the_schema_occurs() {
    let schema = published();
    let walk = || Walk { defs: &schema["$defs"], seen: BTreeSet::new() };
    let mut allowed = walk();
    allowed.allowed(&schema, "report");
    let mut shown = walk();
    let scenes = scenes::all();
    let reports = scenes.iter().flat_map(|(_, told)| &told.reports);
    let reports = reports.map(|report| serde_json::to_value(ReportJson::from(report)).unwrap());
    let messages = scenes.iter().flat_map(|(_, told)| &told.messages).map(default);
    for json in reports.chain(messages).chain(seldom()) {
        shown.shown(&schema, &json, "report");
    }
    let never: Vec<&String> = allowed.seen.difference(&shown.seen).collect();
    assert_eq!(never, [""; 0], "the schema allows what no report has");
}

#[test]
fn the_totals_of_a_report_name_every_code_and_severity() {
    let schema = published();
    for (name, all) in [
        ("code", Code::iter().map(Code::as_str).collect::<BTreeSet<_>>()),
        ("severity", Severity::iter().map(Severity::as_str).collect()),
    ] {
        let words = schema["$defs"][name]["enum"].as_array().unwrap();
        assert_eq!(words.iter().map(|it| it.as_str().unwrap()).collect::<BTreeSet<_>>(), all);
        let by = &schema["$defs"]["totals"]["properties"][format!("by_{name}")];
        assert_eq!(by["minProperties"], all.len(), "{name}");
    }
    let told = Scene::new().run(&authorizing(&["tcp 443 0.0.0.0/0"]));
    let json = serde_json::to_value(ReportJson::from(&told.reports[0])).unwrap();
    let sum = |by: &str| {
        let counts = json["totals"][by].as_object().unwrap().values();
        counts.map(|count| count.as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((sum("by_code"), sum("by_severity")), (vec![0; 10], vec![0; 5]));
}

#[test]
fn a_report_with_another_or_without_a_field_is_noticed() {
    let told = Scene::new().run(&authorizing(&["tcp 22 0.0.0.0/0"]));
    let report = serde_json::to_value(ReportJson::from(&told.reports[0])).unwrap();
    assert_eq!(faults(&report), Vec::<String>::new());
    let changed = |change: fn(&mut Value)| {
        let mut report = report.clone();
        change(&mut report);
        report
    };
    for report in [
        changed(|it| it["findings"][0]["rule"]["ports"] = 22.into()),
        changed(|it| {
            drop(it["findings"][0]["remediation"].as_object_mut().unwrap().remove("hold"))
        }),
        changed(|it| it["totals"]["by_code"]["open-rdp"] = 1.into()),
        changed(|it| drop(it["totals"]["by_code"].as_object_mut().unwrap().remove("left-scope"))),
        changed(|it| it["findings"][0]["severity"] = Value::Null),
        changed(|it| it["findings"][0]["change"]["time"] = "yesterday".into()),
        changed(|it| it["findings"][0]["account"] = "1234".into()),
    ] {
        assert_eq!(faults(&report).len(), 1, "{:?}", faults(&report));
    }
    // A reader must not be surprised by a field that a later version adds.
    let later = changed(|it| it["findings"][0]["age"] = 7.into());
    assert_eq!(faults(&later).len(), 1);
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert!(jsonschema::draft202012::new(&schema).unwrap().is_valid(&later));
    let id = schema["$id"].as_str().unwrap();
    assert!(id.ends_with(&format!(":{}", report["version"])), "{id}");
}

#[test]
fn the_schema_is_a_schema() {
    assert!(jsonschema::draft202012::meta::is_valid(&published()));
}
