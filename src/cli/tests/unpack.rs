//! What `unpack` writes can be deployed, and it replaces nothing that somebody wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::super::args::{Arch, UnpackArgs};
use super::super::unpack::with_function;
use super::*;

const ZIP: &[u8] = b"PK function";

/// A folder that does not exist yet, and is removed at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sg-audit-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn unpack(&self, arch: Arch, overwrite: bool) -> Result<Answer, Vec<String>> {
        let args = UnpackArgs { folder: self.0.clone(), arch, overwrite };
        with_function(&args, ZIP).map_err(|error| error.lines())
    }

    fn unpacked(name: &str) -> Self {
        let folder = Self::new(name);
        folder.unpack(Arch::Arm64, false).unwrap();
        folder
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.0.join(name).parent().unwrap()).unwrap();
        fs::write(self.0.join(name), text).unwrap();
    }

    /// Every file by its path in the folder.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        fn walk(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(root, &path, files);
                } else {
                    let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                    files.insert(name, fs::read(&path).unwrap());
                }
            }
        }
        let mut files = BTreeMap::new();
        walk(&self.0, &self.0, &mut files);
        files
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn sources() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_template_names_the_function_beside_it_and_its_processor() {
    for (arch, name) in [(Arch::Arm64, "arm64"), (Arch::X86_64, "x86_64")] {
        let folder = Folder::new(&format!("arch-{name}"));
        let answer = folder.unpack(arch, false).unwrap();
        assert_eq!((answer.status, answer.notes.len()), (0, 0));
        let zip = format!("function-{name}.zip");
        assert_eq!(fs::read(folder.0.join(&zip)).unwrap(), ZIP);
        let template = folder.read("template.yaml");
        for line in [format!("\n      CodeUri: {zip}\n"), format!("\n        - {name}\n")] {
            assert_eq!(template.matches(&line).count(), 1, "{line}");
        }
        for left in ["BuildMethod", "BuildProperties", "CodeUri: .\n", "Binary:"] {
            assert!(!template.contains(left), "{left}");
        }
        let others = ["arm64", "x86_64"].map(|it| template.matches(&format!("- {it}\n")).count());
        assert_eq!(others.iter().sum::<usize>(), 1, "one processor");
        assert!(answer.out.contains(&zip) && answer.out.contains("sam deploy"), "{}", answer.out);
    }
}

#[test]
fn every_line_but_those_of_the_build_is_that_of_the_sources() {
    let folder = Folder::unpacked("lines");
    let source = fs::read_to_string(sources().join("template.yaml")).unwrap();
    let built = folder.read("template.yaml");
    let (source, built): (Vec<&str>, Vec<&str>) =
        (source.lines().collect(), built.lines().collect());
    assert_eq!(source.len(), built.len() + 4);
    let gone: Vec<&str> =
        source.iter().filter(|line| !built.contains(line)).map(|line| line.trim()).collect();
    assert_eq!(
        gone,
        [
            "Metadata:",
            "BuildMethod: rust-cargolambda",
            "BuildProperties:",
            "Binary: typo3-sg-auditor",
            "CodeUri: ."
        ]
    );
}

#[test]
fn every_template_of_the_sources_is_written() {
    let folder = Folder::unpacked("all");
    let mut expected = BTreeSet::new();
    for inside in ["", "stacks/"] {
        let Ok(entries) = fs::read_dir(sources().join(inside)) else { continue };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let templates = names.filter(|name| {
            name.ends_with(".yaml") && (name.contains("template") || !inside.is_empty())
        });
        expected.extend(templates.map(|name| format!("{inside}{name}")));
    }
    let written = folder.files();
    let templates: BTreeSet<String> =
        written.keys().filter(|name| name.ends_with(".yaml")).cloned().collect();
    assert_eq!(templates, expected);
    for name in &expected {
        let source = fs::read_to_string(sources().join(name)).unwrap();
        // Only one of them has code to build.
        assert_eq!(source.contains("CodeUri: .\n"), name == "template.yaml", "{name}");
        assert_eq!(source.contains("BuildMethod"), name == "template.yaml", "{name}");
        if name != "template.yaml" {
            assert_eq!(folder.read(name), source);
        }
    }
    for name in ["samconfig.toml", "layer/README.md"] {
        assert_eq!(folder.read(name), fs::read_to_string(sources().join(name)).unwrap());
    }
    // Nothing is left of how it was written.
    assert!(written.keys().all(|name| !name.contains("part")), "{:?}", written.keys());
}

#[test]
fn the_sums_are_those_of_the_files() {
    let folder = Folder::unpacked("sums");
    let mut files = folder.files();
    let sums = String::from_utf8(files.remove("SHA256SUMS").unwrap()).unwrap();
    // It is the user's, and may change.
    files.remove("samconfig.toml").unwrap();
    let named: BTreeSet<&str> = sums.lines().map(|line| line.split_once("  ").unwrap().1).collect();
    assert_eq!(named, files.keys().map(String::as_str).collect());
    for line in sums.lines() {
        let (sum, name) = line.split_once("  ").unwrap();
        assert_eq!(
            sum,
            crate::text::escape::hex(&<sha2::Sha256 as sha2::Digest>::digest(&files[name]))
        );
    }
}

#[test]
fn a_second_time_changes_nothing() {
    let folder = Folder::unpacked("twice");
    let before = folder.files();
    folder.unpack(Arch::Arm64, false).unwrap();
    assert_eq!(folder.files(), before);
}

#[test]
fn a_newer_version_replaces_what_an_older_one_wrote() {
    let folder = Folder::unpacked("upgrade");
    let newest = folder.files();
    // As an older version left it.
    folder.write("template.yaml", "older");
    let sum = crate::text::escape::hex(&<sha2::Sha256 as sha2::Digest>::digest(b"older"));
    folder.write("SHA256SUMS", &format!("{sum}  template.yaml\n"));
    folder.write("samconfig.toml", "mine");
    folder.write("layer/our-site.yaml", "mine too");
    let answer = folder.unpack(Arch::Arm64, false).unwrap();
    assert_eq!(folder.read("template.yaml").as_bytes(), newest["template.yaml"]);
    assert_eq!(folder.read("samconfig.toml"), "mine");
    assert_eq!(folder.read("layer/our-site.yaml"), "mine too");
    assert!(answer.out.contains("samconfig.toml (left as it is)"), "{}", answer.out);
}

#[test]
fn another_processor_takes_over_the_folder() {
    let folder = Folder::unpacked("other-arch");
    folder.unpack(Arch::X86_64, false).unwrap();
    let template = folder.read("template.yaml");
    assert!(template.contains("CodeUri: function-x86_64.zip\n") && template.contains("- x86_64\n"));
    assert!(!template.contains("arm64"), "neither the old zip nor the old processor");
}

#[test]
fn what_somebody_changed_is_not_replaced_unless_asked() {
    let folder = Folder::unpacked("changed");
    folder.write("template.yaml", "my own");
    folder.write("stacks/forwarder.yaml", "this one too");
    let before = folder.files();
    let [line] = &folder.unpack(Arch::X86_64, false).unwrap_err()[..] else { panic!() };
    assert!(line.contains("stacks/forwarder.yaml, template.yaml"), "{line}");
    assert!(line.contains("nothing was written") && line.contains("--overwrite"), "{line}");
    assert_eq!(folder.files(), before);
    folder.unpack(Arch::Arm64, true).unwrap();
    assert_ne!(folder.read("template.yaml"), "my own");
}

#[test]
fn a_folder_with_other_files_of_these_names_is_refused() {
    // A clone of the sources is such a folder.
    let clone = Folder::new("clone");
    clone.write("template.yaml", &fs::read_to_string(sources().join("template.yaml")).unwrap());
    let [line] = &clone.unpack(Arch::Arm64, false).unwrap_err()[..] else { panic!() };
    assert!(line.contains("template.yaml"), "{line}");
    assert_eq!(clone.files().len(), 1);
    // Sums that are not sums allow nothing.
    for sums in ["", "  template.yaml\n", "template.yaml\n", "\u{0}\u{1}", "0000  template.yaml\n"]
    {
        clone.write("SHA256SUMS", sums);
        clone.unpack(Arch::Arm64, false).unwrap_err();
    }
}

#[test]
fn a_link_in_the_place_of_a_file_is_replaced_and_not_followed() {
    let folder = Folder::unpacked("link");
    let outside = File::new("outside.yaml", "not yours");
    fs::remove_file(folder.0.join("template.yaml")).unwrap();
    symlink(outside.path(), folder.0.join("template.yaml")).unwrap();
    folder.unpack(Arch::Arm64, false).unwrap_err();
    folder.unpack(Arch::Arm64, true).unwrap();
    assert_eq!(fs::read_to_string(outside.path()).unwrap(), "not yours");
    assert!(!folder.0.join("template.yaml").is_symlink());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let file = File::new("a-file", "");
    let inside = Folder(Path::new(file.path()).join("auditor"));
    for place in [inside, Folder(PathBuf::from(file.path()))] {
        let lines = place.unpack(Arch::Arm64, false).unwrap_err();
        assert!(lines[0].contains("cannot be written: choose a folder"), "{lines:?}");
        assert!(lines[1].starts_with("  cause: "), "{lines:?}");
    }
    // A folder in the place of a file.
    let folder = Folder::new("folder-in-place");
    fs::create_dir_all(folder.0.join("template.yaml")).unwrap();
    let lines = folder.unpack(Arch::Arm64, false).unwrap_err();
    assert!(lines[0].contains("template.yaml cannot be read"), "{lines:?}");
}

#[cfg(not(feature = "bundle"))]
#[test]
fn a_build_without_the_function_says_where_it_is_to_be_had() {
    let folder = Folder::new("none");
    let [line] = &answer(&["unpack", folder.0.to_str().unwrap()]).unwrap_err()[..] else {
        panic!()
    };
    assert!(line.contains("pip install sg-audit") && line.contains("sam build"), "{line}");
    assert!(!folder.0.exists());
    let help = Arguments::command().render_long_help().to_string();
    assert!(!help.contains("unpack"), "{help}");
    // Typed by somebody who knows it from another machine, its help explains it.
    let mut command = Arguments::command();
    let unpack = command.find_subcommand_mut("unpack").unwrap().render_long_help().to_string();
    assert!(unpack.contains("--arch") && unpack.contains("sg-audit unpack auditor"), "{unpack}");
}
