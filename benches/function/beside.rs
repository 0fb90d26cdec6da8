//! The programs that are measured, each ready to be run as a function.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where each program is.
pub struct Programs {
    pub auditor: PathBuf,
    pub echo: PathBuf,
    pub smallest: PathBuf,
    /// The Python environment of Cloud Custodian.
    custodian: PathBuf,
}

impl Programs {
    /// Builds them as they would be deployed, whatever this benchmark itself was built with.
    pub fn built() -> Self {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--release", "--locked", "--bin", "typo3-sg-auditor"])
            .args(["--example", "echo", "--example", "smallest"])
            .current_dir(root())
            .status()
            .expect("cargo");
        assert!(built.success(), "the programs beside the function are built");
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a target folder");
        let example = |name: &str| target.join("release/examples").join(name);
        let custodian = Command::new("python3")
            .arg(root().join("tests/python_env.py"))
            .arg(target)
            .arg(root().join("benches/requirements.txt"))
            .stdin(Stdio::null())
            .output()
            .expect("python3 3.10 or newer with venv");
        assert!(custodian.status.success(), "{}", String::from_utf8_lossy(&custodian.stderr));
        let custodian = String::from_utf8(custodian.stdout).expect("a path in UTF-8");
        Self {
            echo: example("echo"),
            smallest: example("smallest"),
            custodian: PathBuf::from(custodian.trim()),
            auditor: target.join("release/typo3-sg-auditor"),
        }
    }

    /// Cloud Custodian as its own deployment packs it, with a policy that does this job and tells this topic.
    pub fn custodian(&self, topic: &str) -> PathBuf {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("custodian");
        std::fs::create_dir_all(&folder).expect("a folder");
        let policy = include_str!("../beside/custodian.json").replace("TOPIC_ARN", topic);
        let handler = "from c7n import handler\n\n\ndef run(event, context):\n    return handler.dispatch_event(event, context)\n";
        let start = format!(
            "#!/bin/sh\ncd '{}'\nexec '{}' -m awslambdaric custodian_policy.run\n",
            folder.display(),
            self.custodian.join("bin/python").display()
        );
        let program = folder.join("bootstrap");
        for (path, text) in [
            (&folder.join("config.json"), policy.as_str()),
            (&folder.join("custodian_policy.py"), handler),
            (&program, &start),
        ] {
            std::fs::write(path, text).expect("a file");
        }
        let made = Command::new("chmod").arg("+x").arg(&program).status().expect("chmod");
        assert!(made.success());
        program
    }
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
