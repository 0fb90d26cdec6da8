//! Each format is read back by a program that others wrote, and docs/ci.md by the ones that it is for.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::page::blocks;
use crate::support::built;
use crate::support::sg_audit::{Ran, ran, repository, sg_audit, sg_audit_with};
use crate::support::venv;

/// Names that would be a formula, markup, a link, a mention, a workflow command or an end of something.
const HOSTILE: [&str; 10] = [
    "=HYPERLINK(\"https://evil.example\")",
    "a;=1+1;@SUM(1)",
    "\t+1\r=2",
    "x](https://evil.example) <img src=https://evil.example> **b**",
    "`` ` `|` \\| | @octocat #1 evil.example www.evil.example",
    "\n::error title=forged::forged\r\n::add-mask::x",
    "]]></failure><failure message=\"forged\"/>",
    "\u{0}\u{8}\u{1b}[31m\u{ffff}\u{202e}&amp;&lt;",
    "```\n# forged\n```",
    "%0A::error::forged",
];

/// One open group for each name, and one that is compliant.
fn groups(names: &[&str]) -> Vec<u8> {
    let group = |id: String, name: &str, port: u16| {
        json!({"GroupId": id, "GroupName": name, "OwnerId": "123456789012", "VpcId": "vpc-0f1e2d3c4b5a69788",
            "SecurityGroupArn": format!("arn:aws:ec2:eu-central-1:123456789012:security-group/{id}"),
            "IpPermissionsEgress": [], "IpPermissions": [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port,
            "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": name}]}]})
    };
    let open = names.iter().zip(1..).map(|(name, n)| group(format!("sg-{n:017x}"), name, 22));
    let all: Vec<Value> =
        open.chain([group("sg-0fedcba9876543210".to_owned(), "web", 443)]).collect();
    json!({ "SecurityGroups": all }).to_string().into_bytes()
}

fn checked(names: &[&str], format: &str) -> Ran {
    let ran = sg_audit_with(&["check", "--groups", "-", "--format", format], &groups(names));
    assert_eq!((ran.err.as_str(), ran.status), ("", i32::from(!names.is_empty())), "{format}");
    ran
}

/// What a program of the Python environment reads.
fn read_back(format: &str, text: &str) -> Value {
    let mut child = Command::new(venv::program("python"))
        .arg(venv::script("read_back.py"))
        .arg(format)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("Python reads");
    let output = child.wait_with_output().expect("Python ends");
    assert!(output.status.success(), "{format}: {text}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("{value}"))
}

#[test]
fn junit_has_a_case_for_each_group_and_those_that_comply_pass() {
    let suites = read_back("junit", &checked(&["typo3-shop"], "junit").out);
    let [suite] = &list(&suites)[..] else { panic!("{suites}") };
    assert_eq!(suite["name"], "account 123456789012 in eu-central-1");
    assert_eq!(
        (&suite["tests"], &suite["failures"], &suite["errors"]),
        (&json!(2), &json!(1), &json!(0))
    );
    let [open, web] = &list(&suite["cases"])[..] else { panic!("{suite}") };
    assert_eq!(open["name"], "sg-00000000000000001 (typo3-shop)");
    assert_eq!(open["results"][0]["kind"], "Failure");
    assert_eq!(open["results"][0]["type"], "open-ssh");
    let text = open["results"][0]["text"].as_str().expect("a text");
    assert!(text.contains("aws ec2 revoke-security-group-ingress"), "{text}");
    assert_eq!((&web["name"], &web["results"]), (&json!("sg-0fedcba9876543210 (web)"), &json!([])));

    let passed = read_back("junit", &checked(&[], "junit").out);
    assert_eq!((&passed[0]["tests"], &passed[0]["failures"]), (&json!(1), &json!(0)));
    let hostile = read_back("junit", &checked(&HOSTILE, "junit").out);
    assert_eq!(hostile[0]["failures"], HOSTILE.len());
    for case in list(&hostile[0]["cases"]) {
        assert!(list(&case["results"]).len() < 2, "{case}");
    }

    let unaudited = sg_audit(&["invoke", "events/truncated.json", "--format", "junit"]);
    let read = read_back("junit", &unaudited.out);
    assert_eq!((&read[0]["errors"], unaudited.status), (&json!(1), 2), "{}", unaudited.out);
}

#[test]
fn csv_has_a_line_for_each_finding_and_no_formula() {
    let read = read_back("csv", &checked(&["typo3-shop", "b\u{fc}ro, \"Nord\""], "csv").out);
    let [names, first, second] = &list(&read["comma"])[..] else { panic!("{read}") };
    let of = |row: &Value, column: &str| {
        let at = list(names).iter().position(|name| name == column).expect(column);
        row[at].as_str().expect("text").to_owned()
    };
    assert_eq!(of(first, "severity"), "critical");
    assert_eq!(of(first, "code"), "open-ssh");
    assert_eq!(of(first, "group_id"), "sg-00000000000000001");
    assert_eq!(of(first, "rule"), "tcp 22 from 0.0.0.0/0");
    assert_eq!(of(second, "group_name"), "b\u{fc}ro, \"Nord\"");
    assert!(of(second, "fix").starts_with("aws ec2 "), "{second}");
    assert_eq!(list(&read_back("csv", &checked(&[], "csv").out)["comma"]).len(), 1);

    let hostile = read_back("csv", &checked(&HOSTILE, "csv").out);
    assert_eq!(list(&hostile["comma"]).len(), 1 + HOSTILE.len());
    for (delimiter, rows) in hostile.as_object().expect("two readings") {
        for cell in list(rows).iter().flat_map(list) {
            let cell = cell.as_str().expect("text").trim_start();
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{delimiter}: {cell}");
        }
    }
}

#[test]
fn markdown_has_a_row_for_each_finding_and_links_to_the_console_only() {
    let read = read_back("markdown", &checked(&["typo3-shop"], "markdown").out);
    assert_eq!(read["headings"], json!(["Security groups: 1 finding in 1 group: 1 critical"]));
    let [_, row] = &list(&read["rows"])[..] else { panic!("{read}") };
    let text = |cell: &Value| -> String {
        list(cell).iter().map(|piece| piece["text"].as_str().expect("text")).collect()
    };
    let cells: Vec<String> = list(row).iter().map(text).collect();
    assert_eq!(cells[..2], ["critical", "open-ssh"]);
    assert_eq!(cells[2], "typo3-shop sg-00000000000000001 eu-central-1 123456789012");
    assert_eq!(cells[3], "tcp 22 from anywhere");
    assert!(read["fences"][0].as_str().expect("commands").contains("\naws ec2 revoke-"), "{read}");
    let none = read_back("markdown", &checked(&[], "markdown").out);
    assert_eq!(
        (&none["headings"][0], list(&none["rows"]).len()),
        (&json!("Security groups: no findings"), 0)
    );

    let hostile = read_back("markdown", &checked(&HOSTILE, "markdown").out);
    assert_eq!(list(&hostile["rows"]).len(), 1 + HOSTILE.len());
    for row in &list(&hostile["rows"])[1..] {
        let [severity, finding, group, what] = &list(row)[..] else { panic!("{row}") };
        assert_eq!(
            (text(severity), text(finding), text(what)),
            ("critical".into(), "open-ssh".into(), "tcp 22 from anywhere".into())
        );
        let kinds: Vec<&Value> = list(group).iter().map(|piece| &piece["kind"]).collect();
        assert_eq!(
            kinds,
            ["code_inline", "text", "link_open", "text", "link_close", "text"],
            "{group}"
        );
    }
    assert_eq!((list(&hostile["headings"]).len(), list(&hostile["fences"]).len()), (1, 1));
    for link in list(&hostile["links"]) {
        let link = link.as_str().expect("an address");
        assert!(link.starts_with("https://eu-central-1.console.aws.amazon.com/"), "{link}");
    }
    for html in list(&hostile["html"]) {
        let own =
            ["<details>", "<summary>Commands that put this right</summary>", "</details>", ""];
        assert!(own.contains(&html.as_str().expect("text")), "{html}");
    }
}

#[test]
fn markdown_fits_a_comment_whatever_is_found() {
    let names = vec!["typo3-shop"; 900];
    let page = checked(&names, "markdown").out;
    assert!(page.chars().count() < 65_536, "{}", page.len());
    let read = read_back("markdown", &page);
    let shown = list(&read["rows"]).len() - 1;
    let left_out = format!("The table has no room for {} more findings.", 900 - shown);
    assert!(shown > 100 && page.contains(&left_out), "{shown}: {page:.200}");
}

/// A workflow command, by the grammar that GitHub documents: `::name key=value,…::message`.
fn workflow_command(line: &str) -> (String, BTreeMap<String, String>, String) {
    let (head, message) = line.strip_prefix("::").expect(line).split_once("::").expect(line);
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let data = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%");
    let property = |text: &str| data(&text.replace("%3A", ":").replace("%2C", ","));
    let properties = properties.split(',').filter_map(|it| it.split_once('='));
    let properties = properties.map(|(key, value)| (key.to_owned(), property(value)));
    (name.to_owned(), properties.collect(), data(message))
}

#[test]
fn github_gets_an_annotation_for_each_finding() {
    let out = checked(&["typo3-shop"], "github").out;
    let commands: Vec<_> = out.lines().map(workflow_command).collect();
    let [(level, properties, message), (last, _, totals)] = &commands[..] else { panic!("{out}") };
    assert_eq!((level.as_str(), last.as_str()), ("error", "notice"));
    assert_eq!(properties["title"], "critical: open-ssh in sg-00000000000000001");
    assert!(message.starts_with("SSH is open to the Internet on typo3-shop\n"), "{message}");
    assert!(message.contains("\nto close it: aws ec2 revoke-security-group-ingress"), "{message}");
    assert!(totals.starts_with("1 finding in 1 group: 1 critical; 2 groups and "), "{totals}");

    let hostile = checked(&HOSTILE, "github").out;
    let commands: Vec<_> = hostile.lines().map(workflow_command).collect();
    assert_eq!(commands.len(), HOSTILE.len() + 1, "{hostile}");
    for (level, properties, _) in &commands[..HOSTILE.len()] {
        assert_eq!((level.as_str(), properties.len()), ("error", 1), "{hostile}");
    }
}

#[test]
fn sarif_is_refused_with_the_reason() {
    let ran = sg_audit_with(&["check", "--groups", "-", "--format", "sarif"], &groups(&[]));
    assert_eq!((ran.out.as_str(), ran.status), ("", 2));
    assert!(
        ran.err.contains("a line in a file") && ran.err.contains("--format github"),
        "{}",
        ran.err
    );
    let usage = sg_audit(&["invoke", "--help"]);
    assert!(!usage.out.contains("sarif"), "{}", usage.out);
}

/// The steps of the jobs of this name in a page, each as the lines that its shell runs.
fn jobs(page: &str, name: &str) -> (Vec<String>, Vec<String>) {
    let page = fs::read_to_string(repository().join(page)).expect("a page");
    let blocks: Vec<Value> =
        blocks(&page, "yaml").into_iter().map(|it| read_back("yaml", it)).collect();
    let [github, gitlab] = &blocks[..] else { panic!("two jobs") };
    let text = |value: &Value| value.as_str().expect("a script").to_owned();
    let steps = list(&github["jobs"][name]["steps"]).iter();
    let github = steps.filter_map(|step| step.get("run")).map(text).collect();
    (github, list(&gitlab[name]["script"]).iter().map(text).collect())
}

/// A folder with an `aws` that prints these groups, beside `sg-audit`.
fn folder(name: &str, names: &[&str]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("bin")).unwrap();
    fs::write(folder.join("answer.json"), groups(names)).unwrap();
    let aws = folder.join("bin/aws");
    let answer = folder.join("answer.json");
    // It knows the one command that it is to be given.
    let script = format!(
        "#!/bin/sh\n[ \"$*\" = 'ec2 describe-security-groups' ] && exec cat '{}'\nexit 252\n",
        answer.display()
    );
    fs::write(&aws, script).unwrap();
    fs::set_permissions(&aws, fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink(built::sg_audit(), folder.join("bin/sg-audit")).unwrap();
    folder
}

fn run(folder: &PathBuf, options: &[&str], script: &str) -> Ran {
    let path = format!("{}:/usr/bin:/bin", folder.join("bin").display());
    let output = Command::new("bash")
        .args(options)
        .args(["-c", script])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .env("GITHUB_STEP_SUMMARY", folder.join("summary.md"))
        .stdin(Stdio::null())
        .output()
        .expect("bash starts");
    ran(&output)
}

#[test]
fn the_step_for_github_and_the_job_for_gitlab_do_what_the_page_says() {
    let (github, gitlab) = jobs("docs/ci.md", "security-groups");
    for (name, names, status) in [("open", &["typo3-shop"][..], 1), ("compliant", &[], 0)] {
        let there = folder(&format!("ci-{name}"), names);
        // As GitHub runs a step: every line has to succeed.
        let step = run(&there, &["-e"], &github.join("\n"));
        assert_eq!((step.err.as_str(), step.status), ("", status), "{}", step.out);
        assert_eq!(step.out.contains("::error title=critical"), status == 1, "{}", step.out);
        let summary = read_back("markdown", &fs::read_to_string(there.join("summary.md")).unwrap());
        assert_eq!(list(&summary["headings"]).len(), 1, "{summary}");

        let job = run(&there, &["-e", "-o", "pipefail"], &gitlab.join("\n"));
        assert_eq!((job.err.as_str(), job.status), ("", status), "{}", job.out);
        let suites =
            read_back("junit", &fs::read_to_string(there.join("security-groups.xml")).unwrap());
        assert_eq!(suites[0]["failures"], status, "{suites}");
    }
    // Where AWS refuses, the job fails, and for a reason that is told.
    let refused = folder("ci-refused", &[]);
    fs::write(
        refused.join("bin/aws"),
        "#!/bin/sh\necho 'Unable to locate credentials' >&2\nexit 253\n",
    )
    .unwrap();
    for (options, script) in
        [(&["-e"][..], github.join("\n")), (&["-e", "-o", "pipefail"], gitlab.join("\n"))]
    {
        let ran = run(&refused, options, &script);
        assert_eq!(
            (ran.status, ran.err.as_str()),
            (253, "Unable to locate credentials\n"),
            "{}",
            ran.out
        );
    }
}

/// A `terraform` beside `sg-audit` whose plan is one of the corpus, and which notes that it applied it.
fn planned(name: &str, plan: &str) -> PathBuf {
    let there = folder(name, &[]);
    let plan = repository().join(format!("tests/plans/{plan}.json"));
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in\n'init -input=false') ;;\n'plan -input=false -out tfplan'|'plan -out tfplan') \
         touch tfplan ;;\n'show -json tfplan') [ -f tfplan ] && exec cat '{}' ;;\n'apply tfplan') touch applied ;;\n\
         *) exit 252 ;;\nesac\n",
        plan.display()
    );
    let terraform = there.join("bin/terraform");
    fs::write(&terraform, script).unwrap();
    fs::set_permissions(&terraform, fs::Permissions::from_mode(0o755)).unwrap();
    there
}

#[test]
fn the_jobs_for_pull_requests_and_the_pipeline_do_what_the_page_says() {
    let (github, gitlab) = jobs("docs/before.md", "plan");
    let page = fs::read_to_string(repository().join("docs/before.md")).expect("docs/before.md");
    let applies = |block: &&str| block.contains("terraform apply");
    let pipeline = blocks(&page, "sh").into_iter().find(applies).expect("the pipeline");
    for (plan, status) in [("rule-ssh", 1), ("web-only", 0)] {
        let there = planned(&format!("plan-{plan}"), plan);
        let step = run(&there, &["-e"], &github.join("\n"));
        assert_eq!((step.err.as_str(), step.status), ("", status), "{}", step.out);
        assert_eq!(step.out.contains("::error"), status == 1, "{}", step.out);

        let job = run(&there, &["-e", "-o", "pipefail"], &gitlab.join("\n"));
        assert_eq!((job.err.as_str(), job.status), ("", status), "{}", job.out);
        let suites =
            read_back("junit", &fs::read_to_string(there.join("security-groups.xml")).unwrap());
        assert_eq!(suites[0]["failures"], status, "{suites}");

        let applied = run(&there, &["-o", "pipefail"], pipeline);
        assert_eq!(applied.status, status, "{}{}", applied.out, applied.err);
        assert_eq!(there.join("applied").exists(), status == 0, "{plan}");
    }
}
