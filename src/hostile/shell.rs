//! Lines that are pasted: into a shell, where a program takes the place of `aws` and says what it is
//! given, and into a baseline.

use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::laws::seen::assert_ascii;
use super::told::{Told, home, now, settings};
use super::{HOSTILE, any_text, open_ssh};
use crate::audit::Group;
use crate::baseline::{Baseline, Lists};
use crate::ec2::command::Call;
use crate::ec2::hold::Hold;
use crate::ec2::{Direction, Protocol, Rule};
use crate::finding::Finding;
use crate::memory::MemoryEc2;

const GROUP: &str = "sg-0a1b2c3d4e5f67890";

/// A folder with a program `aws` in it, and nothing else that a shell could find.
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

    /// What `aws` is given each time, by a line that does nothing else.
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
        // What is left over is in a folder for such things.
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

/// What comes of an event about a rule with this description and this tag, in a group of that name.
fn findings(text: &str) -> Vec<Finding> {
    let mut event = open_ssh();
    let detail = &mut event["detail"];
    let request = "/requestParameters/ipPermissions/items/0/ipRanges/items/0";
    detail.pointer_mut(request).unwrap()["description"] = json!(text);
    let answer = &mut detail["responseElements"]["securityGroupRuleSet"]["items"][0];
    answer["description"] = json!(text);
    let peer = "0.0.0.0/0".parse().unwrap();
    let mut rule = Rule::new(Direction::Ingress, Protocol::TCP, Some(22), Some(22), peer).unwrap();
    rule.description = Some(text.to_owned());
    rule.tags = [(format!("k{text}"), text.to_owned())].into();
    let group = Group { id: GROUP.to_owned(), name: Some(text.to_owned()), ..Group::default() };
    let ec2 = MemoryEc2::new([(home(), group, vec![rule])], Lists::new());
    let told = Told::of(&ec2, &settings(), event.to_string().as_bytes());
    told.answer.unwrap().findings
}

fn assert_undo(shell: &Shell, text: &str) {
    let findings = findings(text);
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    let undo = finding.remediation.undo.as_ref().unwrap();
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
    assert_exemption(finding.exemption.as_ref().unwrap());
}

/// The line is one exemption of this group, of this traffic, and nothing else.
fn assert_exemption(line: &str) {
    assert_ascii(line);
    let text = format!("version: 1\nname: x\ningress: []\negress: []\nexemptions:\n  {line}\n");
    let baseline = Baseline::parse("pasted.yaml", &text, now().date_naive()).unwrap();
    let [exemption] = baseline.exemptions.as_slice() else { panic!("{line}") };
    assert_eq!((exemption.group.as_str(), exemption.direction), (GROUP, Direction::Ingress));
    assert_eq!(exemption.to_line(), line);
    assert!(baseline.ingress.is_empty() && baseline.egress.is_empty());
}

#[test]
fn hostile_names_and_descriptions_are_words_to_a_shell() {
    let shell = Shell::new("hostile");
    for text in HOSTILE {
        assert_undo(&shell, text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_description_is_a_word_to_a_shell(text in any_text()) {
        assert_undo(&Shell::new("any"), &text);
    }

    /// `sg-audit allow` takes a reason as a person writes it.
    #[test]
    fn any_reason_is_a_word_to_a_shell(reason in any_text(), description in any_text()) {
        let peer = "203.0.113.7/32".parse().unwrap();
        let mut rule =
            Rule::new(Direction::Ingress, Protocol::TCP, Some(22), Some(22), peer).unwrap();
        rule.description = Some(description);
        let hold = Hold { until: now(), reason };
        let call = Call::authorize(None, GROUP, &[&rule], Some(&hold));
        let given = Shell::new("allow").run(&call.to_string());
        prop_assert_eq!(given, [call.arguments().map(str::to_owned).collect::<Vec<_>>()]);
    }
}
