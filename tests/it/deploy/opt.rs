//! What a function finds under /opt. ministack notes its layers and puts them nowhere.

use std::fs;

use crate::support::ministack::{self, Built, succeeded};
use crate::support::stack::Stack;
use crate::support::venv;

/// As docs/settings.md has it, with a port that no other baseline admits.
pub const BASELINE: &str = r#"version: 1
name: our-site
peer_sets:
  ssh-sources: []
ssh_ports: [22]
ingress:
  - { name: HTTP,  protocol: tcp, ports: [80],   peers: [anywhere], expected: true }
  - { name: HTTPS, protocol: tcp, ports: [443],  peers: [anywhere], expected: true }
  - { name: Solr,  protocol: tcp, ports: [8983], peers: [198.51.100.0/24] }
  - { name: SSH,   protocol: tcp, ports: [22],   peers: [ssh-sources] }
egress:
  - { name: All traffic, protocol: all, peers: [anywhere] }
"#;

/// Has the function look for its baseline, and for its roots of trust where they are set, in a folder that stands for the
/// mount of /opt.
pub fn stand_in(built: &Built) {
    let code = built.folder.join("code");
    fs::rename(code.join("bootstrap"), code.join("function")).expect("the function");
    let root = built.folder.display();
    let bootstrap = format!(
        "#!/bin/sh\nexport BASELINE=\"{root}$BASELINE\"\n\
         [ -z \"$SSL_CERT_FILE\" ] || export SSL_CERT_FILE=\"{root}$SSL_CERT_FILE\"\n\
         exec \"${{0%/*}}/function\"\n"
    );
    // Over the copy of an executable, so it is one.
    fs::copy(code.join("function"), code.join("bootstrap")).expect("an executable");
    fs::write(code.join("bootstrap"), bootstrap).expect("its start");
}

/// Puts into that folder what the deployed function's layers have.
pub fn fill(built: &Built, stack: &Stack) {
    let mut python = ministack::server().command("python");
    python.arg("-B").arg(venv::script("opt.py")).arg(&stack.outputs["Function"]);
    succeeded(python.current_dir(&built.folder));
}
