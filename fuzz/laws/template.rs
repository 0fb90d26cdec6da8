//! A template is refused with a reason, or every rule that it declares is judged, and what is said about
//! it is inert.

use std::collections::BTreeMap;

use typo3_sg_auditor::declared::{TemplateFile, template};

use super::declared::judged;

pub fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let beside = |_: &str, url: &str| Some((url.to_owned(), text.clone().into_owned()));
    let file = TemplateFile { path: "stack.yaml", text: &text, beside: &beside };
    judged(template(&file, &BTreeMap::new()));
}
