//! What `sg-audit` carries: the templates, and in releases the built function.

use super::super::args::Arch;

/// The file name of the core stack's template.
pub(super) const TEMPLATE: &str = "template.yaml";

const SOURCE: &str = include_str!("../../../template.yaml");

/// Files that are written as they are in the sources.
pub(super) const OTHERS: [(&str, &str); 7] = [
    ("layer/README.md", include_str!("../../../layer/README.md")),
    ("stacks/forwarder.yaml", include_str!("../../../stacks/forwarder.yaml")),
    ("stacks/hook.yaml", include_str!("../../../stacks/hook.yaml")),
    ("stacks/observability.yaml", include_str!("../../../stacks/observability.yaml")),
    ("stacks/organisation.asl.json", include_str!("../../../stacks/organisation.asl.json")),
    ("stacks/organisation.yaml", include_str!("../../../stacks/organisation.yaml")),
    ("stacks/watch.yaml", include_str!("../../../stacks/watch.yaml")),
];

/// The settings of `sam deploy`, which belong to the user once they are written.
pub(super) const SETTINGS: [(&str, &str); 1] =
    [("samconfig.toml", include_str!("../../../samconfig.toml"))];

/// The lines of the template that are different in a folder without sources: where the code is, how
/// it is built, and what it is built for.
const CODE: &str = "\n      CodeUri: .\n";
const BUILD: &str = "\n    Metadata:\n      BuildMethod: rust-cargolambda\n      BuildProperties:\n        Binary: typo3-sg-auditor\n";
const ARCHITECTURE: &str = "\n      Architectures:\n        - arm64\n";

// A template without these lines would be deployed with the sources as its code.
const _: () = assert!(count(SOURCE, CODE) == 1, "template.yaml has to have `CodeUri: .` once");
const _: () = assert!(count(SOURCE, BUILD) == 1, "template.yaml has to say once how it is built");
const _: () = assert!(count(SOURCE, ARCHITECTURE) == 1, "template.yaml has to have `- arm64` once");

/// The zip with the function for a processor. The processor is in the name, so that a template can
/// never find the function for another one.
pub(super) fn zip_name(arch: Arch) -> String {
    format!("function-{}.zip", arch.as_str())
}

/// The template for a folder that has the function's zip beside it.
pub(super) fn deployable(arch: Arch) -> String {
    SOURCE
        .replacen(CODE, &format!("\n      CodeUri: {}\n", zip_name(arch)), 1)
        .replacen(BUILD, "\n", 1)
        .replacen(
            ARCHITECTURE,
            &format!("\n      Architectures:\n        - {}\n", arch.as_str()),
            1,
        )
}

/// The zip with the built function. It is the same for each build of the same sources.
#[cfg(feature = "bundle")]
pub(super) fn function(arch: Arch) -> Option<&'static [u8]> {
    Some(match arch {
        Arch::Arm64 => include_bytes!(env!("SG_AUDIT_FUNCTION_ARM64")),
        Arch::X86_64 => include_bytes!(env!("SG_AUDIT_FUNCTION_X86_64")),
    })
}

/// A build of the sources has none.
#[cfg(not(feature = "bundle"))]
pub(super) fn function(_: Arch) -> Option<&'static [u8]> {
    None
}

/// How often a part that begins with a line feed is in a text.
const fn count(text: &str, part: &str) -> usize {
    let (mut text, part) = (text.as_bytes(), part.as_bytes());
    let mut found = 0;
    while let [first, rest @ ..] = text {
        if *first == b'\n' && begins(text, part) {
            found += 1;
        }
        text = rest;
    }
    found
}

const fn begins(mut text: &[u8], mut part: &[u8]) -> bool {
    while let [wanted, more @ ..] = part {
        match text {
            [first, rest @ ..] if *first == *wanted => text = rest,
            _ => return false,
        }
        part = more;
    }
    true
}
