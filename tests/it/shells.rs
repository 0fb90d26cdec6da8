//! The script for bash completes what a person types.

use std::process::{Command, Stdio};

use crate::support::built;
use crate::support::sg_audit::sg_audit;

/// What bash offers for the last of these words.
fn offered(words: &[&str]) -> Vec<String> {
    // As bash does when Tab is pressed: it calls the function with the command, the word and the one before it.
    const PRESS_TAB: &str = r#"
        eval "$("$0" completions bash)"
        function=$(complete -p sg-audit | sed 's/.*-F \([^ ]*\).*/\1/')
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        "$function" sg-audit "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let output = Command::new("bash")
        .args(["--norc", "-c", PRESS_TAB])
        .arg(built::sg_audit())
        .args(words)
        .stdin(Stdio::null())
        .output()
        .expect("bash starts");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(ToOwned::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_their_values() {
    assert_eq!(offered(&["sg-audit", "inv"]), ["invoke"]);
    assert_eq!(offered(&["sg-audit", "check", "--all-"]), ["--all-regions"]);
    assert_eq!(offered(&["sg-audit", "completions", "z"]), ["zsh"]);
    assert_eq!(offered(&["sg-audit", "check", "--format", "j"])[..1], ["json"]);
    let of_baseline = offered(&["sg-audit", "baseline", ""]);
    assert!(of_baseline.iter().any(|word| word == "validate"), "{of_baseline:?}");
    // What does not exist is not offered.
    assert_eq!(offered(&["sg-audit", "chekc"]), [""]);
}

#[test]
fn a_page_for_man_comes_out_on_standard_output() {
    let page = sg_audit(&["man", "baseline", "show"]);
    assert_eq!((page.err.as_str(), page.status), ("", 0));
    assert!(page.out.contains("\n.TH sg-audit-baseline-show 1 "), "{}", page.out);
    let unknown = sg_audit(&["man", "baseline", "shwo"]);
    assert_eq!((unknown.out.as_str(), unknown.status), ("", 2));
}
