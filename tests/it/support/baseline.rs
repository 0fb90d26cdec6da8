//! A baseline as a site writes it, in a file that goes with the test.

use std::fs;
use std::path::PathBuf;

use super::built;

/// The file. It is removed when dropped.
pub struct Baseline {
    path: PathBuf,
}

impl Baseline {
    /// What `standard` has, these entries for ingress, and these exemptions; each a line of YAML. `name` makes the file
    /// the test's own.
    pub fn new(name: &str, ingress: &[String], exemptions: &[String]) -> Self {
        let lines = |lines: &[String]| lines.iter().map(|line| format!("  - {line}\n")).collect();
        let ingress: String = lines(ingress);
        let mut text = format!(
            "version: 1
name: our-site
peer_sets:
  ssh-sources: []
ssh_ports: [22]
ingress:
  - {{ name: HTTP, protocol: tcp, ports: [80], peers: [anywhere], expected: true }}
  - {{ name: HTTPS, protocol: tcp, ports: [443], peers: [anywhere], expected: true }}
  - {{ name: SSH, protocol: tcp, ports: [22], peers: [ssh-sources] }}
{ingress}egress:
  - {{ name: All traffic, protocol: all, peers: [anywhere] }}
"
        );
        if !exemptions.is_empty() {
            let exemptions: String = lines(exemptions);
            text = format!("{text}exemptions:\n{exemptions}");
        }
        let path = built::scratch().join(format!("{name}.yaml"));
        fs::write(&path, text).expect("a baseline");
        Self { path }
    }

    /// What `BASELINE` is set to.
    pub fn path(&self) -> &str {
        self.path.to_str().expect("UTF-8")
    }
}

impl Drop for Baseline {
    fn drop(&mut self) {
        // It is in a folder for what may be lost.
        let _ = fs::remove_file(&self.path);
    }
}
