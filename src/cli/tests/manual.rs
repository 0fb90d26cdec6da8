//! Completions and manual pages are made of the commands that there are.

use clap::Command as Built;

use super::*;

/// Every command that does something, with the words that name it.
fn commands() -> Vec<Vec<String>> {
    fn leaves(command: &Built, names: &[String], all: &mut Vec<Vec<String>>) {
        for inner in command.get_subcommands() {
            let names = [names, &[inner.get_name().to_owned()]].concat();
            if inner.has_subcommands() {
                leaves(inner, &names, all);
            } else {
                all.push(names);
            }
        }
    }
    let mut all = Vec::new();
    leaves(&Arguments::command(), &[], &mut all);
    all
}

fn page(names: &[String]) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    answer(&[&["man"], &names[..]].concat()).unwrap().out
}

fn headings(page: &str) -> Vec<&str> {
    page.lines().filter_map(|line| line.strip_prefix(".SH ")).collect()
}

#[test]
fn every_command_has_a_manual_page_with_examples() {
    let commands = commands();
    assert!(commands.len() > 5, "{commands:?}");
    for names in commands {
        let page = page(&names);
        let title = format!("sg-audit-{}", names.join("-"));
        assert!(page.contains(&format!(".TH {title} 1 ")), "{page}");
        let headings = headings(&page);
        assert_eq!(headings[..4], ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS"], "{names:?}");
        assert_eq!(headings.last(), Some(&"EXAMPLES"), "{names:?}");
        let examples = page.split(".SH EXAMPLES\n.nf\n").nth(1).unwrap();
        assert!(examples.lines().count() > 1, "each example is a line: {examples}");
    }
}

#[test]
fn the_manual_page_of_the_program_names_its_commands_and_statuses() {
    let page = page(&[]);
    let expected = [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "SUBCOMMANDS",
        "\"EXIT STATUS\"",
        "EXAMPLES",
    ];
    assert_eq!(headings(&page), expected);
    for command in Arguments::command().get_subcommands().filter(|it| !it.is_hide_set()) {
        assert!(page.contains(&format!("sg\\-audit\\-{}(1)", command.get_name())), "{page}");
    }
}

#[test]
fn a_manual_page_of_no_command_is_refused() {
    for names in [&["chekc"][..], &["check", "show"], &["baseline", "check"]] {
        let [line] = &answer(&[&["man"], names].concat()).unwrap_err()[..] else { panic!() };
        assert!(line.contains(&format!("no command `{}`", names.join(" "))), "{line}");
    }
}

#[test]
fn each_shell_gets_a_script_that_knows_every_command_and_format() {
    for (shell, mark) in [
        ("bash", "complete -F _sg__audit "),
        ("zsh", "#compdef sg-audit"),
        ("fish", "complete -c sg-audit"),
    ] {
        let script = answer(&["completions", shell]).unwrap().out;
        assert!(script.contains(mark), "{shell}");
        for word in commands().concat().iter().map(String::as_str).chain(["json", "region"]) {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    assert!(Arguments::try_parse_from(["sg-audit", "completions", "cmd"]).is_err());
}
