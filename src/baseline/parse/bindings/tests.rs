use std::fs;
use std::path::PathBuf;

use crate::baseline::samples::today;
use crate::baseline::{Baseline, BoundKind, Remediation};
use crate::ec2::Scope;

/// A file whose bindings begin on line 6.
fn file(bindings: &str) -> String {
    format!("version: 1\nname: x\ningress: []\negress: []\nbindings:\n{bindings}")
}

fn parse(text: &str) -> Baseline {
    Baseline::parse("our.yaml", text, today()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The message without the name of the file.
fn fault(bindings: &str) -> String {
    let error = Baseline::parse("our.yaml", &file(bindings), today()).expect_err(bindings);
    error.to_string().replace("our.yaml:", "")
}

#[test]
fn a_binding_says_where_it_holds_and_what() {
    let text = file(
        "  - { name: dev, accounts: [\"123456789012\"], ous: [ou-ab12-11111111, r-ab12], \
         tags: {stage: dev}, trust_tags: true, baseline: restricted-egress, ssh_sources: \
         [203.0.113.0/24], scope: \"tag:audit=yes\", remediation: notify }\n",
    );
    let baseline = parse(&text);
    let [dev] = baseline.bindings.as_slice() else { panic!("{baseline:?}") };
    assert_eq!((dev.name.as_str(), dev.at.as_str()), ("dev", "our.yaml:6"));
    assert!(dev.when.accounts.contains(&"123456789012".parse().unwrap()));
    assert_eq!(dev.when.units.len(), 2);
    assert_eq!(dev.when.tags["stage"], "dev");
    assert!(dev.trust_tags);
    let bound = dev.baseline.as_ref().unwrap();
    assert_eq!(
        (bound.baseline.name.as_str(), bound.kind),
        ("restricted-egress", BoundKind::Shipped)
    );
    assert_eq!(dev.scope, Some(Scope::Tag { key: "audit".into(), value: "yes".into() }));
    assert_eq!(dev.remediation, Some(Remediation::Notify));
}

#[test]
fn an_account_keeps_its_zeros_with_quotes_and_without() {
    let baseline = parse(&file(
        "  - { name: a, accounts: [012345678901, \"001234567890\", '000000000001'], remediation: notify }\n",
    ));
    let accounts: Vec<_> =
        baseline.bindings[0].when.accounts.iter().map(ToString::to_string).collect();
    assert_eq!(accounts, ["000000000001", "001234567890", "012345678901"]);
    // Whoever reads the file next may take a number without quotes for one.
    assert!(
        baseline
            .to_yaml()
            .contains("accounts: [\"000000000001\", \"001234567890\", \"012345678901\"]")
    );
    for account in
        ["12345678901", "1.2345678901e11", "0x12345678901", "123_456_789_012", "-12345678901"]
    {
        let said =
            fault(&format!("  - {{ name: a, accounts: [{account}], remediation: notify }}\n"));
        assert!(
            said.starts_with(&format!("6: `{account}` is not an account id; write its 12 digits")),
            "{said}"
        );
    }
    let said = fault("  - { name: a, accounts: [12345678901], remediation: notify }\n");
    assert!(said.ends_with("if its zeros were lost, write \"012345678901\""), "{said}");
}

#[test]
fn faults_in_bindings_are_reported() {
    for (binding, expected) in [
        ("  - dev\n", "6: a binding is `dev`; write `key: value` lines"),
        (
            "  - { name: a, acounts: [\"123456789012\"], remediation: notify }\n",
            "6: a binding has no key `acounts`; write `accounts`, or one of name, accounts, ous, tags, \
             trust_tags, baseline, ssh_sources, scope, remediation",
        ),
        (
            "  - { accounts: [\"123456789012\"], remediation: notify }\n",
            "6: a binding lacks `name`; write name: and a name, which reports show",
        ),
        (
            "  - { name: a, accounts: [\"123456789012\"] }\n",
            "6: this binding changes nothing; write baseline, ssh_sources, scope or remediation",
        ),
        (
            "  - { name: a, accounts: [], remediation: notify }\n",
            "6: `accounts` is empty; write the 12 digits of an account in quotes, or leave it out",
        ),
        (
            "  - { name: a, ous: [dev], remediation: notify }\n",
            "6: `dev` is not the id of an organisational unit; write ou-… or r-…",
        ),
        (
            "  - { name: a, tags: {}, remediation: notify }\n",
            "6: `tags` is empty; write {KEY: VALUE}, or leave it out",
        ),
        (
            "  - { name: a, tags: {stage: [dev]}, remediation: notify }\n",
            "6: the value of a tag is a text; write KEY: VALUE",
        ),
        (
            "  - { name: a, ous: [r-ab12], trust_tags: true, remediation: notify }\n",
            "6: `trust_tags` is for a binding with `tags`; leave it out",
        ),
        (
            "  - { name: a, ous: [r-ab12], scope: some }\n",
            "6: `scope` is `some`; write all, or \"tag:KEY=VALUE\"",
        ),
        (
            "  - { name: a, ous: [r-ab12], remediation: revert }\n",
            "6: `remediation` is `revert`; write notify, revert-ssh or revert-ingress",
        ),
        (
            "  - { name: a, ous: [r-ab12], ssh_sources: [anywhere, 203.0.113.7/24] }\n",
            "6: `anywhere` is not a peer; write a CIDR block, sg-…, account/sg-… or pl-…\n\
             6: `203.0.113.7/24` has host bits set; write 203.0.113.0/24, or 203.0.113.7/32 for that address alone",
        ),
        (
            "  - { name: a, ous: [r-ab12], baseline: restricted-egres }\n",
            "6: there is no baseline `restricted-egres`; did you mean `restricted-egress`? write standard, \
             restricted-egress, as-documented, or the path of a file in the same folder",
        ),
        (
            "  - { name: a, ous: [r-ab12], baseline: other.yaml }\n",
            "6: `other.yaml` cannot be read from here; write the entries under `baselines`",
        ),
        (
            "  - { name: a, remediation: notify }\n  - { name: a, ous: [r-ab12], remediation: notify }\n",
            "7: this binding is never used, because the one on line 6 applies everywhere; write it before \
             that one\n7: another binding is called `a`; write another name",
        ),
    ] {
        assert_eq!(fault(binding), expected, "{binding}");
    }
}

#[test]
fn there_is_a_limit_on_how_many_there_are() {
    let many: String = (0..201)
        .map(|n| format!("  - {{ name: b{n}, accounts: [\"{n:012}\"], remediation: notify }}\n"))
        .collect();
    assert!(fault(&many).starts_with("6: `bindings` has 201 items, more than 200; write fewer"));
    let accounts: Vec<String> = (0..1001).map(|n| format!("\"{n:012}\"")).collect();
    let accounts = accounts.join(", ");
    let said = fault(&format!("  - {{ name: a, accounts: [{accounts}], remediation: notify }}\n"));
    assert_eq!(said, "6: `accounts` has 1001 items, more than 1000; write fewer");
}

const INLINE: &str = "\
version: 1
name: our
peer_sets:
  office: [203.0.113.0/24]
ssh_ports: [22]
ingress: []
egress: []
exemptions:
  - { group: sg-1, direction: ingress, protocol: tcp, ports: [8000], peers: [office], reason: ticket 1, until: 2027-01-31 }
baselines:
  database:
    peer_sets:
      office: [203.0.113.0/24]
    ssh_ports: [22]
    ingress:
      - { name: MySQL, protocol: tcp, ports: [3306], peers: [office] }
    egress: []
bindings:
  - { name: databases, accounts: [\"123456789012\"], baseline: database }
";

#[test]
fn baselines_in_the_same_file_have_its_peer_sets_and_exemptions() {
    let baseline = parse(INLINE);
    let bound = baseline.bindings[0].baseline.as_ref().unwrap();
    assert_eq!((bound.baseline.name.as_str(), bound.kind), ("database", BoundKind::Inline));
    assert_eq!(bound.baseline.ingress[0].name, "MySQL");
    assert_eq!(bound.baseline.exemptions, baseline.exemptions);
    // What is shown is the same file.
    assert_eq!(baseline.to_yaml(), INLINE);
    let without = INLINE.replacen("    peer_sets:\n      office: [203.0.113.0/24]\n", "", 1);
    assert_eq!(parse(&without).to_yaml(), INLINE);
    // Another peer in it is another baseline, and another file.
    let other = INLINE.replace("3306", "5432");
    assert_ne!(parse(&other).sha256(), baseline.sha256());
}

#[test]
fn faults_in_baselines_of_the_same_file_are_reported() {
    let said = |text: &str| {
        let error = Baseline::parse("our.yaml", text, today()).expect_err(text);
        error.to_string().replace("our.yaml:", "")
    };
    assert_eq!(
        said(&INLINE.replace("[3306], peers: [office]", "[99999], peers: [offices]")),
        "16: port `99999` is out of range; write numbers from 0 to 65535\n\
         16: no peer set `offices` is defined; write `office`, or define it under peer_sets"
    );
    assert_eq!(
        said(&INLINE.replace("baseline: database", "baseline: standard")),
        "11: no binding uses the baseline `database`; leave it out"
    );
    assert!(
        said(
            &INLINE
                .replace("  database:", "  standard:")
                .replace("baseline: database", "remediation: notify")
        )
        .contains("12: `standard` cannot be the name of a baseline in this file")
    );
}

/// A folder with files, removed when it goes out of scope.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path = std::env::temp_dir().join(format!("bindings-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        for (file, text) in files {
            let file = path.join("in").join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        Self(path)
    }

    fn load(&self) -> Result<Baseline, String> {
        let file = self.0.join("in/our.yaml");
        Baseline::load(file.to_str().unwrap(), today())
            .map_err(|error| error.to_string().replace(&format!("{}/in/", self.0.display()), ""))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const OTHER: &str = "version: 1\nname: dev servers\ningress: []\negress: []\n";

fn naming(path: &str) -> String {
    file(&format!("  - {{ name: a, ous: [r-ab12], baseline: {path} }}\n"))
}

#[test]
fn a_binding_can_name_a_file_in_the_same_folder() {
    for path in ["dev.yaml", "./dev.yaml", "dev/servers.yaml"] {
        let folder = Folder::new("same", &[("our.yaml", &naming(path)), (path, OTHER)]);
        let baseline = folder.load().unwrap();
        let bound = baseline.bindings[0].baseline.as_ref().unwrap();
        assert_eq!((bound.baseline.name.as_str(), bound.kind), ("dev servers", BoundKind::File));
        // The hash of the file counts in that of the whole.
        fs::write(
            folder.0.join("in").join(path),
            OTHER.replace(
                "egress: []",
                "egress:\n  - { name: All, protocol: all, peers: [anywhere] }",
            ),
        )
        .unwrap();
        assert_ne!(folder.load().unwrap().sha256(), baseline.sha256(), "{path}");
    }
}

#[test]
fn a_file_outside_the_folder_is_refused() {
    let outside = |path: &str| {
        format!(
            "our.yaml:6: `{path}` is not in the folder of this file; write the path of a file in it, \
             such as dev/servers.yaml"
        )
    };
    for path in ["../dev.yaml", "dev/../../dev.yaml", "/etc/passwd", "/opt/../etc/x.yaml"] {
        let folder = Folder::new("outside", &[("our.yaml", &naming(path))]);
        fs::write(folder.0.join("dev.yaml"), OTHER).unwrap();
        assert_eq!(folder.load().unwrap_err(), outside(path));
    }
    let folder = Folder::new("link", &[("our.yaml", &naming("dev.yaml"))]);
    fs::write(folder.0.join("dev.yaml"), OTHER).unwrap();
    std::os::unix::fs::symlink("../dev.yaml", folder.0.join("in/dev.yaml")).unwrap();
    assert_eq!(folder.load().unwrap_err(), outside("dev.yaml"));
}

#[test]
fn faults_of_a_named_file_tell_where_it_is_named_and_where_they_are() {
    let of = |text: &str| {
        Folder::new("faults", &[("our.yaml", &naming("dev.yaml")), ("dev.yaml", text)])
            .load()
            .unwrap_err()
    };
    assert_eq!(
        of("version: 1\nname: x\ningress: []\negress: 1\n"),
        "our.yaml:6: dev.yaml:4: `egress` is `1`; write a list in [ ]"
    );
    assert_eq!(
        of(&naming("our.yaml")),
        "our.yaml:6: dev.yaml:6: a file that a binding names can have no bindings; write them into the \
         file that names it"
    );
    let folder = Folder::new("none", &[("our.yaml", &naming("dev.yaml"))]);
    assert_eq!(
        folder.load().unwrap_err(),
        "our.yaml:6: there is no file `dev.yaml`; write the path of one"
    );
}
