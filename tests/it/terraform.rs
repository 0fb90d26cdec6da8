//! examples/terraform fits what `sg-audit unpack` writes.

use std::fs;
use std::process::Command;

use crate::support::built;
use crate::support::sg_audit::repository;
use crate::support::venv;

const EXAMPLE: &str = "examples/terraform/main.tf";

/// What is wrong with the text of a Terraform file.
fn faults(name: &str, text: &str) -> String {
    let file = built::scratch().join(format!("{}-{name}.tf", std::process::id()));
    fs::write(&file, text).expect("a file");
    let output = Command::new(venv::program("python"))
        .arg("-B")
        .arg(venv::script("terraform.py"))
        .args([&file, &repository().join("template.yaml")])
        .output()
        .expect("Python starts");
    fs::remove_file(&file).expect("the file");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn the_example_is_whole_and_each_mistake_in_it_is_found() {
    let example = fs::read_to_string(repository().join(EXAMPLE)).expect("the example");
    assert_eq!(faults("example", &example), "");
    for (name, from, to, fault) in [
        ("syntax", "variable \"bucket\" {", "variable \"bucket\" ", "is not HCL"),
        ("variable", "bucket = var.bucket", "bucket = var.buckets", "var.buckets is not declared"),
        (
            "local",
            "content = local.packaged",
            "content = local.packed",
            "local.packed is not declared",
        ),
        ("argument", "template_url =", "template_uri =", "has no argument template_uri"),
        (
            "resource",
            "aws_s3_object.template.key",
            "aws_s3_object.temp.key",
            "aws_s3_object.temp is not",
        ),
        (
            "line",
            "      ContentUri: layer",
            "      ContentUri: layers",
            "no line ContentUri: layers",
        ),
    ] {
        assert!(example.contains(from), "{name}");
        let found = faults(name, &example.replacen(from, to, 1));
        assert!(found.contains(fault), "{name}: {found}");
    }
}
