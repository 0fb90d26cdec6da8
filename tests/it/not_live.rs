//! `--live` in a build that has no AWS in the command line.

use crate::support::sg_audit::sg_audit;

#[test]
fn it_is_said_how_to_get_it() {
    for command in ["check", "history"] {
        let ran = sg_audit(&[command, "--live", "--region", "eu-central-1"]);
        assert_eq!((ran.out.as_str(), ran.status), ("", 2), "{ran}");
        assert!(ran.err.contains("cargo install --path . --features live"), "{ran}");
    }
}
