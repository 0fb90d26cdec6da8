//! The programs that are measured, each ready to be run as a function.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::support::built::{build, scratch, target};
use super::support::sg_audit::repository;

/// Where each program is.
pub struct Programs {
    pub auditor: PathBuf,
    pub echo: PathBuf,
    pub smallest: PathBuf,
    pub pages: PathBuf,
    /// The Python environment of Cloud Custodian.
    custodian: PathBuf,
}

impl Programs {
    /// Builds the function as it is deployed, and the others as small and as fast as they can be.
    pub fn built() -> Self {
        // With both packages selected, or Cargo may turn on other features of the SDK, and would compile it again.
        let built = |profile, programs: &[&str]| {
            let packages = ["--package=typo3-sg-auditor", "--package=sg-audit-function-bench"];
            build(&[&[profile], &packages[..], programs].concat())
        };
        let mut programs = built("--profile=release", &["--bin=typo3-sg-auditor"]);
        let others = ["--bin=echo", "--bin=smallest", "--bin=pages"];
        programs.extend(built("--profile=smallest", &others));
        let mut program = |name| programs.remove(name).expect("a built program");
        let custodian = Command::new("python3")
            .arg(repository().join("tests/python_env.py"))
            .arg(target())
            .arg(repository().join("benches/function/requirements.txt"))
            .stdin(Stdio::null())
            .output()
            .expect("python3 3.10 or newer with venv");
        assert!(custodian.status.success(), "{}", String::from_utf8_lossy(&custodian.stderr));
        let custodian = String::from_utf8(custodian.stdout).expect("a path in UTF-8");
        Self {
            echo: program("echo"),
            smallest: program("smallest"),
            pages: program("pages"),
            custodian: PathBuf::from(custodian.trim()),
            auditor: program("typo3-sg-auditor"),
        }
    }

    /// Cloud Custodian as its own deployment packs it, with a policy that does this job and tells this topic.
    pub fn custodian(&self, topic: &str) -> PathBuf {
        let folder = scratch().join("custodian");
        std::fs::create_dir_all(&folder).expect("a folder");
        let policy = include_str!("beside/custodian.json").replace("TOPIC_ARN", topic);
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
