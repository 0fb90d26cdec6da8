"""Prints what is wrong with a Terraform file, a line for each fault. Terraform itself would have to download providers.

Usage: python terraform.py MAIN.TF TEMPLATE

TEMPLATE is what `sg-audit unpack` wrote. Each line of it that the file replaces has to be there.
"""

import re
import sys

import hcl2

# The arguments that are used, of those that the documentation of the providers lists.
ARGUMENTS = {
    "archive_file": {"type", "source_dir", "output_path"},
    "aws_cloudformation_stack": {"name", "template_url", "parameters", "capabilities"},
    "aws_s3_bucket": {"bucket"},
    "aws_s3_object": {"bucket", "key", "source", "content"},
}
META = {"for_each", "depends_on", "count", "provider", "lifecycle"}
# What expressions may begin with besides the names of resources.
KNOWN = {"var", "local", "data", "each", "path"}


def unquoted(text):
    return text.strip('"')


def blocks(parsed, kind):
    """Each resource or data source: its type, its name, and its arguments."""
    for block in parsed.get(kind, []):
        for type_, named in block.items():
            for name, arguments in named.items():
                yield unquoted(type_), unquoted(name), arguments


def own(arguments):
    return {unquoted(name) for name in arguments if not name.startswith("__")}


def without_comments(text):
    return re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)


def main(path, template_path):
    with open(path) as file:
        text = file.read()
    with open(template_path) as file:
        template = file.read()
    try:
        parsed = hcl2.loads(text)
    except Exception as error:  # The parser's own errors have no common type.
        print(f"is not HCL: {type(error).__name__}")
        return
    declared = {f"{type_}.{name}" for type_, name, _ in blocks(parsed, "resource")}
    declared |= {f"data.{type_}.{name}" for type_, name, _ in blocks(parsed, "data")}
    declared |= {f"var.{unquoted(name)}" for block in parsed.get("variable", []) for name in block}
    declared |= {f"local.{name}" for block in parsed.get("locals", []) for name in own(block)}
    for kind in ("resource", "data"):
        for type_, name, arguments in blocks(parsed, kind):
            for unknown in sorted(own(arguments) - META - ARGUMENTS.get(type_, set())):
                print(f"{type_}.{name} has no argument {unknown}")
    used = set()
    for reference in re.findall(r"(?<![\w.\"/-])(?:data\.)?\w+\.\w+", without_comments(text)):
        first = reference.split(".")[0]
        if first in KNOWN - {"each", "path"} or first in ARGUMENTS:
            used.add(reference)
            if reference not in declared:
                print(f"{reference} is not declared")
    for reference in sorted(declared - used):
        if reference.startswith(("var.", "local.")):
            print(f"{reference} is not used")
    if "aws_cloudformation_stack.auditor" not in declared:
        print("there is no stack")
    # Lines in quotation marks, as they are replaced.
    for line in re.findall(r'replace\([\w.]+, "\\n( +\w+: [\w.-]*)', text):
        if f"\n{line}" not in template:
            print(f"the template has no line {line.strip()}")


main(*sys.argv[1:])
