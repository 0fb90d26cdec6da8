//! What readers get to see. Nothing in here is made up: an event or a set of groups goes in, and the
//! messages or the text that the product makes of it come out.

mod email;
mod events;
mod formats;
mod history;
mod html;
mod inert;
mod json;
mod laws;
mod mails;
#[path = "../../../tests/report_schema.rs"]
mod report_schema;
mod run;
mod scene;
mod scenes;
mod schema;
mod sns;
mod subject;
mod terminal;
mod variants;
mod week;

use strum::IntoEnumIterator;

use super::state::State;

/// Compares a text with the snapshot of that name.
fn snapshot(name: &str, text: &str) {
    insta::with_settings!(
        { prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!(name, text) }
    );
}

#[test]
fn every_state_of_a_subject_is_documented() {
    let page = include_str!("../../../docs/findings.md");
    let (_, section) = page.split_once("\n## The first words of a Subject\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    for state in State::iter() {
        let state = state.as_str();
        let is_there = [format!("`{state}`"), format!("`{state} in <time>`")];
        assert!(is_there.iter().any(|it| section.contains(it)), "{state}");
    }
}

#[test]
fn messages_of_every_scene() {
    for (name, told) in scenes::all() {
        snapshot(name, &told.text());
    }
}
