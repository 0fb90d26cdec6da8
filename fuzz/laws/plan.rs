//! A plan is refused with a reason, or every rule that it declares is judged, and what is said about
//! it is inert.

use typo3_sg_auditor::declared::{TfFile, plan};

use super::declared::judged;

pub fn check(input: &[u8]) {
    let file =
        || TfFile { path: "main.tf".to_owned(), text: String::from_utf8_lossy(input).into_owned() };
    judged(plan(input, &|_| vec![file()]));
}
