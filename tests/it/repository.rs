//! The README and the documents are true: their commands print what they show, their tables match the code and the
//! template, and the files that they name exist.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use chrono::NaiveDate;
use strum::IntoEnumIterator;
use typo3_sg_auditor::evaluate::Code;
use typo3_sg_auditor::evaluate::severity::DATABASES;
use typo3_sg_auditor::settings::FunctionSettings;

use crate::support::sg_audit::{repository, sg_audit};

/// How the README starts a command that runs the built program.
const PROGRAM: [&str; 2] = ["cargo run --no-default-features -- ", "sg-audit "];

fn read(file: &str) -> String {
    fs::read_to_string(repository().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Every page that a person reads, by its path.
fn pages() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    for folder in ["", "docs/", "docs/adr/", "fuzz/", "layer/"] {
        let inside = fs::read_dir(repository().join(folder)).expect("a folder");
        let names = inside.map(|file| file.unwrap().file_name().into_string().unwrap());
        for name in names.filter(|name| name.ends_with(".md")) {
            let file = format!("{folder}{name}");
            let text = read(&file);
            pages.insert(file, text);
        }
    }
    pages
}

/// The text without its fenced blocks.
fn prose(text: &str) -> String {
    let mut is_fenced = false;
    let is_prose = |line: &&str| {
        let is_fence = line.starts_with("```");
        is_fenced ^= is_fence;
        !is_fence && !is_fenced
    };
    text.lines().filter(is_prose).map(|line| format!("{line}\n")).collect()
}

/// The anchors that GitHub makes of the page's headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for line in prose(text).lines().filter(|line| line.starts_with('#')) {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let is_kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
        let anchor: String = heading.chars().filter(is_kept).collect();
        anchors.insert(anchor.replace(' ', "-"));
    }
    anchors
}

/// The insides of the fenced blocks with this mark.
pub fn blocks<'a>(text: &'a str, mark: &str) -> Vec<&'a str> {
    let open = format!("\n```{mark}\n");
    text.split(open.as_str())
        .skip(1)
        .map(|rest| rest.split("\n```").next().expect("a closed block"))
        .collect()
}

/// What the program prints, standard error last, as a terminal shows it.
fn printed(command: &str) -> String {
    let arguments = PROGRAM
        .iter()
        .find_map(|program| command.strip_prefix(program))
        .unwrap_or_else(|| panic!("`{command}` is in a console block and cannot be run here"));
    assert!(!arguments.contains(['\'', '"', '\\', '|', '>']), "no shell is here for `{command}`");
    let ran = sg_audit(&arguments.split_whitespace().collect::<Vec<_>>());
    format!("{}{}", ran.out, ran.err)
}

/// The rows of the table under a heading, each with its cells, without code marks.
pub fn table(text: &str, heading: &str) -> Vec<Vec<String>> {
    let section = text.split(&format!("\n{heading}\n")).nth(1).expect(heading);
    let section = section.split("\n#").next().expect("a section");
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| {
        let cells = row.trim_matches('|').split(" | ");
        cells.map(|cell| cell.trim().replace('`', "")).collect()
    })
    .collect()
}

/// The page with today's output of its commands.
fn with_todays_outputs(readme: &str) -> String {
    let mut pages = readme.split("\n```console\n");
    let mut today = pages.next().expect("a beginning").to_owned();
    for page in pages {
        let (block, rest) = page.split_once("\n```").expect("a closed block");
        let commands = block.lines().filter_map(|line| line.strip_prefix("$ "));
        let shown: Vec<String> = commands
            .map(|command| format!("$ {command}\n{}", printed(command).trim_end()))
            .collect();
        today.push_str(&format!("\n```console\n{}\n```{rest}", shown.join("\n\n")));
    }
    let (before, after) = today.split_once("\n```text\nSubject: ").expect("a mail");
    let (_, rest) = after.split_once("\n```").expect("a closed block");
    let (_, command) = before.rsplit_once("<!-- ").expect("a comment with the mail's command");
    let mail = mail(&printed(command.trim_end().trim_end_matches(" -->")));
    format!("{before}\n```text\n{mail}\n```{rest}")
}

/// The one mail in what `sg-audit invoke` prints, where it is indented.
fn mail(output: &str) -> String {
    let (_, mail) = output.split_once("\nWould be published:\n\n").expect("a mail");
    let (mail, _) = mail.split_once("\n\nCalls to EC2").expect("calls");
    let lines: Vec<&str> =
        mail.lines().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
    lines.join("\n")
}

#[test]
fn the_commands_of_the_readme_print_what_it_shows() {
    const FIRST: &str = "cargo run --no-default-features -- invoke events/authorize-open-ssh.json";
    let readme = read("README.md");
    let (_, first) = readme.split_once("\n```console\n$ ").expect("a console block");
    assert!(first.starts_with(&format!("{FIRST}\n")), "{first:.120}");
    let today = with_todays_outputs(&readme);
    // The same switch as for the snapshots.
    if std::env::var_os("INSTA_UPDATE").is_some_and(|value| value == "always") {
        fs::write(repository().join("README.md"), &today).unwrap();
    } else {
        assert_eq!(readme, today, "INSTA_UPDATE=always brings the README up to date");
    }
}

#[test]
fn the_documented_settings_are_those_of_the_function_and_the_template() {
    let asked = RefCell::new(BTreeSet::new());
    let day = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    FunctionSettings::from_env(
        |name| {
            asked.borrow_mut().insert(name.to_owned());
            None
        },
        day,
    )
    .expect_err("nothing is set");
    let asked = asked.into_inner();

    let template = read("template.yaml");
    let (_, variables) = template.split_once("\n        Variables:\n").expect("variables");
    let set: BTreeMap<&str, &str> = variables
        .lines()
        .map_while(|line| line.strip_prefix("          ")?.split_once(": !Ref "))
        .collect();
    assert_eq!(set.keys().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), asked);

    let parameters = parameters(&template);
    let documented = table(&read("README.md"), "## Settings");
    let mut named = BTreeSet::new();
    for row in &documented {
        let [parameter, variable, default, ..] = &row[..] else { panic!("{row:?}") };
        let expected = parameters.get(parameter.as_str()).unwrap_or_else(|| panic!("{row:?}"));
        let default = if default == "none set" { "" } else { default };
        assert_eq!(&default, expected, "the default of {parameter}");
        if variable != "–" {
            assert_eq!(set.get(variable.as_str()), Some(&parameter.as_str()), "{variable}");
        }
        named.insert(parameter.as_str());
    }
    assert_eq!(named, parameters.keys().copied().collect(), "every parameter is documented");
    let variables: BTreeSet<&str> = documented.iter().map(|row| row[1].as_str()).collect();
    // The template makes the topic, so it is not a setting.
    for name in asked.iter().filter(|name| *name != "TOPIC_ARN") {
        assert!(variables.contains(name.as_str()), "{name} is not documented");
    }
}

#[test]
fn the_documented_rights_are_those_of_the_template() {
    let actions = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != ':');
        let action = |word: &&str| {
            // What has a second colon is the key of a condition (`kms:EncryptionContext:…`).
            ["ec2:", "kms:", "lambda:", "logs:", "sns:", "sqs:", "sts:", "xray:"].iter().any(
                |service| {
                    word.strip_prefix(service)
                        .is_some_and(|it| it.starts_with(char::is_uppercase) && !it.contains(':'))
                },
            )
        };
        words.filter(action).map(ToOwned::to_owned).collect()
    };
    let readme = read("README.md");
    let documented = table(&readme, "## What it may do").concat().join(" ");
    assert_eq!(actions(&documented), actions(&read("template.yaml")));
}

#[test]
fn the_baseline_that_is_shown_is_valid() {
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/documented.yaml");
    let settings = read("docs/settings.md");
    let [baseline] = blocks(&settings, "yaml")[..] else { panic!("not one block of YAML") };
    fs::write(file, baseline).unwrap();
    let ran = sg_audit(&["baseline", "validate", file]);
    // There may be a warning about an exemption that ends soon.
    assert_eq!(ran.status, 0, "{}{}", ran.out, ran.err);
}

/// A template's parameters with their defaults, but those that have none.
pub fn parameters(template: &str) -> BTreeMap<&str, &str> {
    let (_, rest) = template.split_once("\nParameters:\n").expect("parameters");
    let section = rest.split("\nRules:\n").next().expect("a section");
    let section = section.split("\nConditions:\n").next().expect("a section");
    let mut name = "";
    let mut parameters = BTreeMap::new();
    for line in section.lines() {
        match line.strip_prefix("  ") {
            Some(inner) if !inner.starts_with(' ') => name = inner.trim_end_matches(':'),
            Some(inner) => {
                if let Some(default) = inner.strip_prefix("  Default: ") {
                    parameters.insert(name, default.trim_matches('"'));
                }
            }
            None => {}
        }
    }
    parameters
}

#[test]
fn every_code_is_documented() {
    let codes: BTreeSet<String> = Code::iter().map(|code| code.as_str().to_owned()).collect();
    let table: BTreeSet<String> = table(&read("README.md"), "## Findings")
        .into_iter()
        .map(|row| row.into_iter().next().expect("a cell"))
        .collect();
    assert_eq!(table, codes, "README.md");
    let findings = read("docs/findings.md");
    let headings: BTreeSet<String> = findings
        .lines()
        .filter_map(|line| Some(line.strip_prefix("## `")?.strip_suffix('`')?.to_owned()))
        .collect();
    assert_eq!(headings, codes, "docs/findings.md");
    for port in DATABASES {
        assert!(findings.contains(&format!(" {port}")), "port {port} is not in docs/findings.md");
    }
}

#[test]
fn the_documented_instruction_counts_are_those_of_the_bench() {
    let counts = read("benches/pure/instructions.tsv");
    let counts: Vec<Vec<String>> =
        counts.lines().map(|line| line.split('\t').map(ToOwned::to_owned).collect()).collect();
    let documented = table(&read("docs/performance.md"), "## Instruction counts");
    assert!(counts.len() > 1);
    // A table of what each case is follows.
    assert_eq!(documented.get(..counts.len()), Some(&counts[..]));
    for count in &counts[1..] {
        let explained = documented[counts.len()..].iter().flat_map(|row| row[0].split(", "));
        assert!(explained.into_iter().any(|case| case == count[0]), "{}", count[0]);
    }
}

#[test]
fn every_file_that_is_named_exists() {
    const FOLDERS: [&str; 7] =
        ["baselines/", "benches/", "docs/", "events/", "src/", "tests/", ".ci/"];
    for (page, text) in pages() {
        let words = text.split(|c: char| c.is_whitespace() || "`()[]\"',;*<>".contains(c));
        for word in words.map(|word| word.trim_end_matches(['.', ':'])) {
            if FOLDERS.iter().any(|folder| word.starts_with(folder)) {
                assert!(repository().join(word).exists(), "{page} names {word}");
            }
        }
    }
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_exist() {
    let pages = pages();
    let root = repository().canonicalize().expect("the repository");
    let mut with_anchors = 0;
    for (page, text) in &pages {
        let prose = prose(text);
        let links = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.starts_with("https://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            // Links go from the page's own folder.
            let own = repository().join(page);
            let path =
                if file.is_empty() { own } else { own.parent().expect("a folder").join(file) };
            let target = path.canonicalize();
            let target = target.unwrap_or_else(|error| panic!("{page} links to {link}: {error}"));
            if !anchor.is_empty() {
                with_anchors += 1;
                let name = target.strip_prefix(&root).expect("a file of the repository");
                let there = &pages[name.to_str().expect("UTF-8")];
                assert!(anchors(there).contains(anchor), "{page} links to {link}");
            }
        }
    }
    assert!(pages.len() > 20 && with_anchors > 20, "{with_anchors} of {} pages", pages.len());
}
