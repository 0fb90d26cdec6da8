//! Links, headings, files, parameters and outputs that the pages name exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::page::blocks;
use super::{pages, read, root};

/// The text without its fenced blocks.
fn prose(text: &str) -> String {
    let mut is_fenced = false;
    let is_prose = |line: &&str| {
        let is_fence = line.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        !is_fence && !is_fenced
    };
    text.lines().filter(is_prose).map(|line| format!("{line}\n")).collect()
}

/// The anchors that GitHub makes of the page's headings. It numbers those that come twice.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for line in prose(text).lines().filter(|line| line.starts_with('#')) {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let is_kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
        let anchor: String = heading.chars().filter(is_kept).collect();
        let anchor = anchor.replace(' ', "-");
        let names = std::iter::once(anchor.clone()).chain((1..).map(|n| format!("{anchor}-{n}")));
        let free = names.into_iter().find(|name| !anchors.contains(name));
        anchors.extend(free);
    }
    anchors
}

/// Where the links of a text lead to, those to other sites left out.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let links = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    links.filter(|link| !link.starts_with("https://")).map(ToOwned::to_owned).collect()
}

/// The file that a link in a page leads to, by its path from the root, and the anchor.
fn target(page: &str, link: &str) -> (String, Option<String>) {
    let (file, anchor) = match link.split_once('#') {
        Some((file, anchor)) => (file, Some(anchor.to_owned())),
        None => (link, None),
    };
    if file.is_empty() {
        return (page.to_owned(), anchor);
    }
    let mut path = PathBuf::new();
    for part in Path::new(page).parent().expect("a folder").join(file).components() {
        match part {
            Component::ParentDir => assert!(path.pop(), "{page} links out of here: {link}"),
            part => path.push(part),
        }
    }
    (path.to_str().expect("UTF-8").to_owned(), anchor)
}

/// The text of a file, or nothing if there is none.
fn text_of(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_default()
}

/// What is wrong with the links of a page.
fn broken(page: &str, text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    for link in links(text) {
        let (file, anchor) = target(page, &link);
        let there = if file == page { text.to_owned() } else { text_of(&file) };
        let is_there = match anchor {
            Some(anchor) => anchors(&there).contains(&anchor),
            None => file == page || root().join(&file).exists(),
        };
        if !is_there {
            broken.push(format!("{page} links to {link}"));
        }
    }
    broken
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_exist() {
    let pages = pages();
    let broken: Vec<String> = pages.iter().flat_map(|(page, text)| broken(page, text)).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    let all: Vec<String> = pages.values().flat_map(|text| links(text)).collect();
    let with_anchors = all.iter().filter(|link| link.contains('#')).count();
    assert!(pages.len() > 20 && with_anchors > 20, "{with_anchors} of {} pages", pages.len());
}

#[test]
fn a_broken_link_is_found() {
    for text in [
        "[x](nowhere.md)",
        "[x](../README.md#nowhere)",
        "[x](#here)",
        "# There\n```text\n# Here\n```\n[x](#here)",
        "# Here\n[x](#here-1)",
        "[x](findings.md#open-ssh-1)",
    ] {
        assert_eq!(broken("docs/x.md", text).len(), 1, "{text}");
    }
    for text in [
        "# Is it here?\n[x](#is-it-here)",
        "# `a-b`, c_d\n[x](#a-b-c_d)",
        "# Here\n# Here\n[x](#here-1)",
        "[x](findings.md#open-ssh) [y](adr/0001-layered-intervals.md) [z](../events)",
        "```text\n[x](nowhere.md)\n```",
    ] {
        assert_eq!(broken("docs/x.md", text), [""; 0], "{text}");
    }
}

#[test]
fn the_index_leads_to_every_page() {
    let index = read("docs/index.md");
    let linked: BTreeSet<String> =
        links(&index).iter().map(|link| target("docs/index.md", link).0).collect();
    // It is a part of settings.md.
    const BY_ANOTHER: [&str; 2] = ["docs/index.md", "layer/README.md"];
    let missing: Vec<String> = pages()
        .into_keys()
        .filter(|page| !linked.contains(page) && !BY_ANOTHER.contains(&page.as_str()))
        .collect();
    assert!(missing.is_empty(), "docs/index.md does not link to {missing:?}");
    assert!(links(&read("README.md")).contains(&"docs/index.md".to_owned()));
}

#[test]
fn every_file_that_is_named_exists() {
    const FOLDERS: [&str; 11] = [
        "baselines/",
        "benches/",
        "docs/",
        "events/",
        "examples/",
        "src/",
        "tests/",
        "fuzz/",
        "release/",
        ".ci/",
        ".github/",
    ];
    for (page, text) in pages() {
        let words = text.split(|c: char| c.is_whitespace() || "`()[]\"',;*<>".contains(c));
        for word in words.map(|word| word.trim_end_matches(['.', ':'])) {
            // A line of it may be named.
            let file = word.split(['#', ':']).next().expect("a name");
            if FOLDERS.iter().any(|folder| file.starts_with(folder)) && !is_made(file) {
                let there = [root().join(file), root().join(format!("{file}.md"))];
                assert!(there.iter().any(|file| file.exists()), "{page} names {word}");
            }
        }
    }
}

/// What is made on the way, and what has a place in it for another name.
fn is_made(file: &str) -> bool {
    file.starts_with("fuzz/scratch") || file.contains("TARGET")
}

/// The keys of a section of a template.
fn keys<'a>(template: &'a str, section: &str) -> Vec<&'a str> {
    let (_, rest) = template.split_once(&format!("\n{section}:\n")).expect("a section");
    let lines = rest.lines().take_while(|line| line.is_empty() || line.starts_with(' '));
    let key = |line: &'a str| line.strip_prefix("  ")?.strip_suffix(':');
    lines.filter_map(key).filter(|key| !key.starts_with([' ', '#'])).collect()
}

#[test]
fn every_parameter_that_is_set_somewhere_exists() {
    let templates = ["template.yaml", "stacks/forwarder.yaml", "stacks/organisation.yaml"];
    let parts = ["stacks/hook.yaml", "stacks/observability.yaml", "stacks/watch.yaml"];
    let templates: Vec<String> = templates.iter().chain(&parts).map(|file| read(file)).collect();
    let known: BTreeSet<&str> =
        templates.iter().flat_map(|template| keys(template, "Parameters")).collect();
    let mut set = BTreeSet::new();
    for (page, text) in pages() {
        let commands = blocks(&text, "sh").into_iter().flat_map(|block| {
            let overrides = block.split("--parameter-overrides").skip(1).flat_map(|rest| {
                let words = rest.split_whitespace();
                words.take_while(|word| *word == "\\" || word.contains('=')).map(str::to_owned)
            });
            let keys = block
                .split("ParameterKey=")
                .skip(1)
                .map(|rest| format!("{}=", rest.split([',', ' ', '\'']).next().expect("a name")));
            overrides.chain(keys).collect::<Vec<_>>()
        });
        let prose = prose(&text);
        let spans = prose.split('`').skip(1).step_by(2).map(str::to_owned);
        for word in commands.chain(spans) {
            let Some((name, _)) = word.split_once('=') else { continue };
            let is_name = name.starts_with(char::is_uppercase)
                && name.contains(char::is_lowercase)
                && name.chars().all(char::is_alphanumeric);
            if is_name {
                assert!(known.contains(name), "{page} sets {name}");
                set.insert(name.to_owned());
            }
        }
    }
    assert!(set.len() > 10, "{set:?}");
}

#[test]
fn every_output_of_the_stack_that_is_named_exists() {
    let template = read("template.yaml");
    let outputs = keys(&template, "Outputs");
    let mut named = 0;
    for (page, text) in pages() {
        let words = prose(&text).replace('\n', " ");
        for rest in words.split("output `").skip(1) {
            let name = rest.split('`').next().expect("a name");
            let parts = ["stacks/forwarder.yaml", "stacks/organisation.yaml"];
            let is_of_part = parts.iter().any(|part| keys(&read(part), "Outputs").contains(&name));
            assert!(outputs.contains(&name) || is_of_part, "{page} names the output {name}");
            named += 1;
        }
    }
    assert!(named > 2, "{named}");
}
