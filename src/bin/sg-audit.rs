//! The command line: `sg-audit --help` tells what it does.

use std::process::ExitCode;

fn main() -> ExitCode {
    typo3_sg_auditor::cli::run(std::env::args_os()).into()
}
