use std::collections::BTreeMap;
use std::fs;

use super::*;
use crate::baseline::SSH_SOURCES;
use crate::baseline::samples::today;
use crate::settings::{FunctionSettings, Names, RawSettings};

const HEAD: &str = "\
version: 1
name: our
ingress:
  - { name: HTTP, protocol: tcp, ports: [80], peers: [anywhere], expected: true }
  - { name: HTTPS, protocol: tcp, ports: [443], peers: [anywhere], expected: true }
  - { name: SSH, protocol: tcp, ports: [22], peers: [ssh-sources] }
egress:
  - { name: All, protocol: all, peers: [anywhere] }
peer_sets:
  ssh-sources: [198.51.100.0/24]
";

/// The settings of a file with these bindings, the first of which is on line 12.
fn read(name: &str, bindings: &str, variables: &[(&str, &str)]) -> Result<Settings, String> {
    read_text(name, &format!("{HEAD}bindings:\n{bindings}"), variables)
}

/// The settings of a file with this text.
fn read_text(name: &str, text: &str, variables: &[(&str, &str)]) -> Result<Settings, String> {
    let path = std::env::temp_dir().join(format!("bound-{name}-{}.yaml", std::process::id()));
    fs::write(&path, text).unwrap();
    let given = path.to_str().unwrap().to_owned();
    let of = |name: &str| {
        let found = variables.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let raw = RawSettings {
        baseline: Some(given.clone()),
        ..RawSettings::from_lookup(Names::ENVIRONMENT, of)
    };
    let settings = Settings::from_raw(&raw, today());
    fs::remove_file(path).unwrap();
    settings.map_err(|error| error.to_string().replace(&given, "our.yaml"))
}

/// Reverts are on.
const REVERTING: [(&str, &str); 4] = [
    ("REMEDIATION", "revert-ingress"),
    ("SWEEP_REMEDIATION", "revert-ssh"),
    ("SSH_SOURCES", "203.0.113.0/24"),
    ("SCOPE", "all"),
];

/// What applies to a group, or all that may apply.
fn of<'s>(
    settings: &'s Settings,
    account: Option<&str>,
    units: Option<&[&str]>,
    tags: Option<&[(&str, &str)]>,
) -> Vec<Option<&'s str>> {
    let account = account.map(|it| it.parse().unwrap());
    let units: Option<Vec<crate::ec2::UnitId>> =
        units.map(|all| all.iter().map(|it| it.parse().unwrap()).collect());
    let tags: Option<BTreeMap<String, String>> = tags.map(|all| {
        all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    });
    let whose = Whose { account: account.as_ref(), units: units.as_deref(), tags: tags.as_ref() };
    settings.candidates(&whose).into_iter().map(|it| it.binding.as_deref()).collect()
}

const THREE: &str = "  \
  - { name: one, accounts: [\"123456789012\"], ssh_sources: [192.0.2.0/24] }
  - { name: dev, ous: [ou-ab12-11111111], tags: {stage: dev}, baseline: restricted-egress }
  - { name: all dev, ous: [ou-ab12-11111111], remediation: notify }
";

#[test]
fn the_first_binding_that_fits_holds() {
    let settings = read("first", THREE, &REVERTING).unwrap();
    let dev: &[&str] = &["ou-ab12-22222222", "ou-ab12-11111111", "r-ab12"];
    let none: &[(&str, &str)] = &[];
    let of = |account, units, tags| of(&settings, Some(account), Some(units), Some(tags));
    assert_eq!(of("123456789012", dev, &[("stage", "dev")]), [Some("one")]);
    assert_eq!(of("210987654321", dev, &[("stage", "dev"), ("a", "b")]), [Some("dev")]);
    assert_eq!(of("210987654321", dev, &[("stage", "Dev")]), [Some("all dev")]);
    assert_eq!(of("210987654321", dev, none), [Some("all dev")]);
    assert_eq!(of("210987654321", &["r-ab12"], &[("stage", "dev")]), [None]);
}

#[test]
fn what_is_not_known_leaves_open_what_holds() {
    let settings = read("open", THREE, &REVERTING).unwrap();
    let other = Some("210987654321");
    let all = [Some("one"), Some("dev"), Some("all dev"), None];
    assert_eq!(of(&settings, None, None, None), all);
    assert_eq!(of(&settings, other, None, None), all[1..]);
    assert_eq!(of(&settings, other, None, Some(&[])), all[2..]);
    assert_eq!(of(&settings, other, Some(&["ou-ab12-11111111"]), None), all[1..3]);
    assert_eq!(of(&settings, other, Some(&["r-ab12"]), None), [None]);
    assert_eq!(of(&settings, Some("123456789012"), None, None), [Some("one")]);
}

#[test]
fn a_binding_changes_what_it_says_and_nothing_else() {
    let settings = read("says", THREE, &REVERTING).unwrap();
    let [one, dev, all_dev] = settings.bound.as_slice() else { panic!("{settings:?}") };
    let sources = |of: &Settings| {
        of.baseline.peer_sets[SSH_SOURCES].iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(sources(&one.settings), ["192.0.2.0/24"]);
    assert_eq!(one.settings.baseline.name, "our");
    assert_eq!(one.settings.remediation, Remediation::RevertIngress);
    assert_eq!(sources(&dev.settings), ["203.0.113.0/24"]);
    assert_eq!(dev.settings.baseline.name, "restricted-egress");
    // It is for changes and for the sweep.
    let reverts = [all_dev.settings.remediation, all_dev.settings.sweep_remediation];
    assert_eq!(reverts, [Remediation::Notify; 2]);
    // Without the setting, the sources are those of the file, in a shipped baseline too.
    let settings = read("says", THREE, &[]).unwrap();
    assert_eq!(sources(&settings.bound[1].settings), ["198.51.100.0/24"]);
}

#[test]
fn a_binding_never_does_more_than_the_settings() {
    let bindings = "  - { name: bold, ous: [r-ab12], remediation: revert-ingress }\n";
    let settings = read("bold", bindings, &[]).unwrap();
    assert_eq!(settings.bound[0].settings.remediation, Remediation::Notify);
    assert_eq!(settings.bound[0].settings.sweep_remediation, Remediation::Notify);
    assert_eq!(
        settings.held_back()[0].split_once(": ").unwrap().1,
        "the binding `bold` says revert-ingress, but a binding never does more than the settings, so it \
         is notify there"
    );
    // So no binding reverts by a default.
    let said = read("bold", bindings, &[("REMEDIATION", "revert-ssh")]).unwrap_err();
    assert_eq!(
        said,
        "SSH_SOURCES is required because REMEDIATION is `revert-ssh`: write who may use SSH, or none for nobody\n\
         SCOPE is required because REMEDIATION is `revert-ssh`: write all, or tag:KEY=VALUE"
    );
}

#[test]
fn faults_that_only_settings_show_are_reported() {
    let tcp = |n: u32| format!("10.{}.{}.0/24", n / 256, n % 256);
    let many = (0..41).map(tcp).collect::<Vec<_>>().join(", ");
    for (bindings, variables, expected) in [
        (
            "  - { name: a, ous: [r-ab12], baseline: as-documented, ssh_sources: [192.0.2.0/24] }\n".to_owned(),
            &[][..],
            "BASELINE: our.yaml:12: `ssh_sources` has no effect, because no ingress entry of the baseline \
             `as-documented` names the peer set `ssh-sources`; name it in an entry, or leave \
             `ssh_sources` out",
        ),
        (
            format!("  - {{ name: a, ous: [r-ab12], ssh_sources: [{many}] }}\n"),
            &REVERTING[..],
            "BASELINE: our.yaml:12: 41 SSH sources are more than the 40 rules that a revert puts back; \
             write fewer and wider blocks, a prefix list, or remediation: notify",
        ),
    ] {
        assert_eq!(read("faults", &bindings, variables).unwrap_err(), expected);
    }
    let quiet =
        format!("  - {{ name: a, ous: [r-ab12], ssh_sources: [{many}], remediation: notify }}\n");
    assert!(read("faults", &quiet, &REVERTING).is_ok());
}

#[test]
fn a_tag_can_only_tighten_unless_it_is_trusted() {
    let fault = |name: &str, what: &str, than: &str| {
        format!(
            "BASELINE: our.yaml:12: the binding `{name}` is chosen by tags, and {what} {than}; make it \
             stricter, or write trust_tags: true if only people you trust can tag groups"
        )
    };
    let none = "what applies without a binding";
    let cases = [
        ("baseline: as-documented", fault("t", "its ingress entry `SSH` admits more than", none)),
        ("ssh_sources: [0.0.0.0/0]", fault("t", "its ingress entry `SSH` admits more than", none)),
        (
            "ssh_sources: [203.0.113.0/24, sg-1]",
            fault("t", "its ingress entry `SSH` admits more than", none),
        ),
        ("scope: \"tag:a=b\"", fault("t", "its scope leaves out groups of", none)),
        ("remediation: revert-ssh", fault("t", "its remediation does less than", none)),
        ("remediation: notify", fault("t", "its remediation does less than", none)),
    ];
    for (says, expected) in &cases {
        let binding = format!("  - {{ name: t, tags: {{stage: dev}}, {says} }}\n");
        assert_eq!(&read("tags", &binding, &REVERTING).unwrap_err(), expected, "{says}");
        let trusted = binding.replace("tags:", "trust_tags: true, tags:");
        assert!(read("tags", &trusted, &REVERTING).is_ok(), "{says}");
    }
    for says in
        ["ssh_sources: []", "ssh_sources: [203.0.113.128/25]", "remediation: revert-ingress"]
    {
        let binding = format!("  - {{ name: t, tags: {{stage: dev}}, {says} }}\n");
        assert!(read("tags", &binding, &REVERTING).is_ok(), "{says}");
    }
    // It is compared with everything that applies without the tag: here a later binding is stricter.
    let later = "  - { name: t, accounts: [\"123456789012\"], tags: {a: b}, ssh_sources: [203.0.113.0/24] }\n  \
                 - { name: strict, ous: [r-ab12], ssh_sources: [] }\n";
    let than = "the binding `strict`";
    assert_eq!(
        read("tags", later, &REVERTING).unwrap_err(),
        fault("t", "its ingress entry `SSH` admits more than", than)
    );
    // Not with one that no group of the same account can have.
    let apart = later.replace("ous: [r-ab12]", "accounts: [\"210987654321\"]");
    assert!(read("tags", &apart, &REVERTING).is_ok());
    // A binding of the same account without tags is all that can hold instead.
    let floor = "  - { name: t, accounts: [\"123456789012\"], tags: {a: b}, baseline: standard }\n  \
                 - { name: floor, accounts: [\"123456789012\"], baseline: as-documented }\n";
    assert!(read("tags", floor, &REVERTING).is_ok());
}

#[test]
fn a_tag_never_exempts_more_by_a_set_of_the_same_name() {
    let path = std::env::temp_dir().join(format!("bound-desks-{}.yaml", std::process::id()));
    let exemption = "exemptions:\n  - { group: sg-1, direction: ingress, protocol: tcp, ports: [8080], \
                     peers: [desks], reason: \"INC-1\", until: 2026-03-30 }\n";
    let of = |desks: &str| format!("{HEAD}  desks: [{desks}]\n{exemption}");
    let binding = format!(
        "bindings:\n  - {{ name: t, tags: {{stage: dev}}, baseline: {} }}\n",
        path.file_name().unwrap().to_str().unwrap()
    );
    let read = |theirs: &str| {
        fs::write(&path, of(theirs)).unwrap();
        let text = of("203.0.113.0/24") + &binding;
        read_text("desks-of", &text, &REVERTING)
    };
    assert!(read("203.0.113.0/25").is_ok());
    let error = read("203.0.112.0/23").unwrap_err();
    assert!(error.contains("it exempts more than what applies without a binding"), "{error}");
    fs::remove_file(&path).unwrap();
}

#[test]
fn a_binding_leaves_out_groups_only_by_the_tag_that_is_watched() {
    let path = std::env::temp_dir().join(format!("bound-scope-{}.yaml", std::process::id()));
    let binding =
        "bindings:\n  - { name: b, accounts: [\"210987654321\"], scope: \"tag:audit=yes\" }\n";
    fs::write(&path, format!("{HEAD}{binding}")).unwrap();
    let given = path.to_str().unwrap();
    let read = |scope: &str| {
        let settings = FunctionSettings::from_env(
            |name| match name {
                "TOPIC_ARN" => Some("arn:aws:sns:eu-central-1:123456789012:findings".to_owned()),
                "BASELINE" => Some(given.to_owned()),
                "SCOPE" => Some(scope.to_owned()),
                _ => None,
            },
            today(),
        );
        settings.map(|_| ()).map_err(|error| error.to_string().replace(given, "our.yaml"))
    };
    for watched in ["tag:audit=yes", "tag:audit=no"] {
        assert_eq!(read(watched), Ok(()));
    }
    for other in ["all", "tag:team=web"] {
        let said = read(other).unwrap_err();
        assert!(
            said.contains("our.yaml:12: nobody would notice if a group loses the tag"),
            "{said}"
        );
        assert!(said.contains("set SCOPE to tag:audit=yes"), "{said}");
    }
    fs::remove_file(path).unwrap();
}
