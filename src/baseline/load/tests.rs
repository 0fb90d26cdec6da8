use ipnet::IpNet;

use super::*;
use crate::baseline::samples::{load, today};
use crate::baseline::{DEFAULT, Entry, Lists};
use crate::ec2::{Direction, Peer, Protocol, Rule};
use crate::net::{Set, Traffic};

fn admitted(name: &str, direction: Direction) -> Traffic {
    load(name).admitted(direction, None, &Lists::new()).traffic
}

/// Rows of the tables in the TYPO3 guide: each a protocol and a port, for 0.0.0.0/0 and ::/0.
fn rows(direction: Direction, rows: &[(Protocol, Option<i32>)]) -> Traffic {
    let mut traffic = Traffic::empty();
    for (protocol, port) in rows {
        for peer in ["0.0.0.0/0", "::/0"] {
            let peer = Peer::from(peer.parse::<IpNet>().unwrap());
            let rule = Rule::new(direction, *protocol, *port, *port, peer).unwrap();
            traffic = traffic.union(&rule.traffic());
        }
    }
    traffic
}

const HTTP: (Protocol, Option<i32>) = (Protocol::TCP, Some(80));
const HTTPS: (Protocol, Option<i32>) = (Protocol::TCP, Some(443));
const SSH: (Protocol, Option<i32>) = (Protocol::TCP, Some(22));
const ALL: (Protocol, Option<i32>) = (Protocol::All, None);

#[test]
fn shipped_baselines_admit_the_tables_of_the_guide() {
    for (name, ingress, egress) in [
        ("standard", &[HTTP, HTTPS][..], &[ALL][..]),
        ("restricted-egress", &[HTTP, HTTPS], &[HTTP, HTTPS]),
        ("as-documented", &[HTTP, HTTPS, SSH], &[ALL]),
    ] {
        let (into, out) = (Direction::Ingress, Direction::Egress);
        assert_eq!(admitted(name, into), rows(into, ingress), "{name}");
        assert_eq!(admitted(name, out), rows(out, egress), "{name}");
    }
}

#[test]
fn shipped_baselines_have_the_name_of_their_file() {
    for (name, _) in SHIPPED {
        assert_eq!(load(name).name, name);
    }
    assert!(shipped(DEFAULT).is_some());
    assert_eq!(shipped("custom"), None);
}

#[test]
fn shipped_baselines_expect_http_and_https() {
    for (name, _) in SHIPPED {
        let baseline = load(name);
        let expected = |entry: &Entry| entry.expected.then(|| entry.name.clone());
        let ingress: Vec<_> = baseline.ingress.iter().filter_map(expected).collect();
        assert_eq!(ingress, ["HTTP", "HTTPS"], "{name}");
        assert_eq!(baseline.egress.iter().filter_map(expected).count(), 0, "{name}");
    }
}

#[test]
fn a_path_is_read() {
    let folder = std::env::temp_dir().join(format!("baselines-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.join(name), bytes).unwrap();
        path(name)
    };
    let message = |path: &str| {
        let error = Baseline::load(path, today()).unwrap_err().to_string();
        error.replace(folder.to_str().unwrap(), "FOLDER")
    };

    let good = write("good.yaml", shipped("standard").unwrap().as_bytes());
    assert_eq!(Baseline::load(&good, today()).unwrap(), load("standard"));

    let empty = write("empty.yaml", b"");
    assert_eq!(
        message(&empty),
        "FOLDER/empty.yaml:1: the file is empty; write a baseline, beginning with `version: 1`"
    );
    let latin = write("latin.yaml", b"version: 1\nname: B\xfcro\n");
    assert_eq!(message(&latin), "FOLDER/latin.yaml:2: this is not UTF-8; save the file as UTF-8");
    let long = write("long.yaml", &vec![b'#'; (1 << 20) + 1]);
    assert_eq!(
        message(&long),
        "FOLDER/long.yaml:1: the file is longer than 1 MiB; write fewer and wider entries"
    );
    assert_eq!(
        message(&path("missing.yaml")),
        "`FOLDER/missing.yaml` is neither a shipped baseline nor a file; write standard, restricted-egress, as-documented, or the path of a YAML file"
    );
    let directory = message(folder.to_str().unwrap());
    assert!(directory.starts_with("`FOLDER` cannot be read: "), "{directory}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_similar_name_is_suggested() {
    let message = |name: &str| Baseline::load(name, today()).unwrap_err().to_string();
    assert_eq!(
        message("standrad"),
        "`standrad` is neither a shipped baseline nor a file; did you mean `standard`? write standard, restricted-egress, as-documented, or the path of a YAML file"
    );
    assert!(!message("./standrad").contains("did you mean"));
    assert!(!message("our-site").contains("did you mean"));
}
