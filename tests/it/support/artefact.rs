//! Which build of the function the tests run.

use std::path::PathBuf;

use super::built;

/// Names another program to run in the function's place: what `sam build` left (`Auditor/bootstrap`).
const VARIABLE: &str = "SG_AUDITOR_FUNCTION";

/// The program that Cargo built for the tests, or the one that the variable `SG_AUDITOR_FUNCTION` names.
pub fn function() -> PathBuf {
    let Some(named) = std::env::var_os(VARIABLE) else {
        return built::function().to_owned();
    };
    let path = PathBuf::from(named);
    assert!(path.is_absolute(), "{VARIABLE} has to be an absolute path");
    assert!(path.is_file(), "{VARIABLE} names {}, which is no file", path.display());
    path
}
