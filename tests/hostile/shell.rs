//! Lines to paste into a shell, where another program takes the place of `aws` and prints its
//! arguments, and into a baseline.

use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use serde_json::{Value, json};
use typo3_sg_auditor::baseline::Baseline;
use typo3_sg_auditor::ec2::command::Command as AwsCommand;
use typo3_sg_auditor::ec2::hold::{Hold, PLACEHOLDER_REASON};
use typo3_sg_auditor::ec2::{Direction, Group};
use typo3_sg_auditor::finding::Finding;

use super::laws::seen::assert_ascii;
use super::output::{Output, now, settings};
use super::{GROUP, HOSTILE, any_text, ec2_with, group, open_ssh, ssh_from};

/// A shell that can only find the program `aws`, in a folder of its own.
struct Shell(PathBuf);

impl Shell {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("sg-audit-{}-{test}", std::process::id()));
        std::fs::create_dir_all(folder.join("bin")).unwrap();
        std::fs::create_dir_all(folder.join("home")).unwrap();
        let aws = folder.join("bin/aws");
        std::fs::write(&aws, "#!/bin/sh\nprintf '%s\\0' \"$@\" END\n").unwrap();
        let mut rights = std::fs::metadata(&aws).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut rights, 0o755);
        std::fs::set_permissions(&aws, rights).unwrap();
        Self(folder)
    }

    /// The arguments of each call of `aws`, from a line that does nothing else.
    fn run(&self, line: &str) -> Vec<Vec<String>> {
        assert_ascii(line);
        for options in [&["-n", "-c"][..], &["-c"]] {
            let shell = Command::new("/bin/sh")
                .args(options)
                .arg(line)
                .env_clear()
                .env("PATH", self.0.join("bin"))
                .current_dir(self.0.join("home"))
                .output()
                .unwrap();
            assert!(shell.status.success() && shell.stderr.is_empty(), "{shell:?} of {line}");
            if options.len() == 1 {
                assert!(is_empty(&self.0.join("home")), "{line}");
                let words = String::from_utf8(shell.stdout).unwrap();
                let mut words: Vec<String> = words.split('\0').map(str::to_owned).collect();
                assert_eq!(words.pop().as_deref(), Some(""));
                let calls = words.split(|word| word == "END").map(<[String]>::to_vec);
                return calls.filter(|call| !call.is_empty()).collect();
            }
        }
        Vec::new()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // If it cannot be removed, it stays in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

fn option<'a>(call: &'a [String], name: &str) -> Option<&'a str> {
    let at = call.iter().position(|word| word == name)?;
    call.get(at + 1).map(String::as_str)
}

/// The findings about a rule with this description and this tag, in a group of this name.
fn findings(text: &str) -> Vec<Finding> {
    let mut event = open_ssh();
    let detail = &mut event["detail"];
    let request = "/requestParameters/ipPermissions/items/0/ipRanges/items/0";
    detail.pointer_mut(request).unwrap()["description"] = json!(text);
    let answer = &mut detail["responseElements"]["securityGroupRuleSet"]["items"][0];
    answer["description"] = json!(text);
    let rule = ssh_from("0.0.0.0/0")
        .with_description(Some(text.to_owned()))
        .with_tags([(format!("k{text}"), text.to_owned())].into());
    let ec2 = ec2_with(Group { name: Some(text.to_owned()), ..group() }, vec![rule]);
    let output = Output::of(&ec2, &settings(), event.to_string().as_bytes());
    output.answer.unwrap().findings
}

fn assert_undo(shell: &Shell, text: &str) {
    let findings = findings(text);
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    let undo = finding.undo.as_ref().unwrap();
    let calls = shell.run(undo);
    assert_eq!(calls.len(), 2, "{undo}");
    for (call, verb) in calls.iter().zip(["authorize", "revoke"]) {
        let verb = format!("{verb}-security-group-ingress");
        assert_eq!(call[..2], ["ec2".to_owned(), verb], "{undo}");
        assert_eq!(option(call, "--region"), Some("eu-central-1"));
        assert_eq!(option(call, "--group-id"), Some(GROUP));
        let options = call.iter().skip(2).step_by(2);
        let known = ["--region", "--group-id", "--ip-permissions", "--tag-specifications"];
        assert!(options.clone().all(|option| known.contains(&option.as_str())), "{call:?}");
    }
    let json = |name| serde_json::from_str::<Value>(option(&calls[0], name).unwrap()).unwrap();
    let described = &json("--ip-permissions")[0]["IpRanges"][0]["Description"];
    assert_eq!(described.as_str().unwrap_or_default(), text);
    let tags = json("--tag-specifications");
    let tag = json!({ "Key": format!("k{text}"), "Value": text });
    assert!(tags[0]["Tags"].as_array().unwrap().contains(&tag), "{tags}");
    assert_eq!(tags.as_array().unwrap().len(), 1);
    let exemption = finding.found_rule().unwrap().exemption.as_ref().unwrap();
    assert_exemption(&exemption.to_line());
}

/// Panics unless the line, with a reason written in, is one exemption of ingress traffic of the
/// group, and nothing else.
fn assert_exemption(line: &str) {
    assert_ascii(line);
    let line = &line.replace(PLACEHOLDER_REASON, "ticket 4711, vendor");
    let text = format!("version: 1\nname: x\ningress: []\negress: []\nexemptions:\n  {line}\n");
    let baseline = Baseline::parse("pasted.yaml", &text, now().date_naive()).unwrap();
    let [exemption] = baseline.exemptions.as_slice() else { panic!("{line}") };
    assert_eq!((exemption.group.as_str(), exemption.direction), (GROUP, Direction::Ingress));
    assert_eq!(exemption.to_line(), *line);
    assert!(baseline.ingress.is_empty() && baseline.egress.is_empty());
}

#[test]
fn hostile_names_and_descriptions_are_single_words_in_a_shell() {
    let shell = Shell::new("hostile");
    for text in HOSTILE {
        assert_undo(&shell, text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_description_is_a_single_word_in_a_shell(text in any_text()) {
        assert_undo(&Shell::new("any"), &text);
    }

    /// `sg-audit allow` takes the reason as a person writes it.
    #[test]
    fn any_reason_is_a_single_word_in_a_shell(reason in any_text(), description in any_text()) {
        let rule = ssh_from("203.0.113.7/32").with_description(Some(description));
        let hold = Hold { until: now(), reason };
        let command = AwsCommand::authorize(None, &GROUP.parse().unwrap(), &[&rule], Some(&hold));
        let calls = Shell::new("allow").run(&command.to_string());
        prop_assert_eq!(calls, [command.arguments().map(str::to_owned).collect::<Vec<_>>()]);
    }
}
