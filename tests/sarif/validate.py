"""Validates the SARIF of `sg-audit` with Microsoft's own tool and GitHub's rules, for every template of the corpus and a plan.

Usage: python3 validate.py SG_AUDIT MULTITOOL

MULTITOOL is the program of the npm package @microsoft/sarif-multitool-linux, which needs no .NET of its own.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# The tool wants a web page of the program's author, and no such page is known.
KNOWN = {"SARIF2005"}


def sarif(folder, program, *arguments):
    ran = subprocess.run(
        [program, "check", *arguments, "--ssh-source", "203.0.113.0/24", "--format", "sarif"],
        cwd=folder, stdout=subprocess.PIPE, text=True,
    )
    assert ran.returncode == 1, ran.returncode
    return ran.stdout


def faults(folder, multitool, log):
    (folder / "log.sarif").write_text(log)
    subprocess.run(
        [multitool, "validate", "log.sarif", "--rule-kind", "Sarif;Ghas", "--output", "found.sarif", "--log", "ForceOverwrite"],
        cwd=folder, check=True, stdout=subprocess.DEVNULL,
        env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
    )
    run = json.loads((folder / "found.sarif").read_text())["runs"][0]
    return {result["ruleId"] for result in run.get("results", [])}


def main(program, multitool):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        templates = [path.name for path in sorted((ROOT / "tests/templates").iterdir()) if path.suffix != ".md"]
        for template in templates:
            shutil.copy(ROOT / "tests/templates" / template, folder)
        shutil.copy(ROOT / "tests/plans/rule-ssh.json", folder / "plan.json")
        (folder / "main.tf").write_text('resource "aws_vpc_security_group_ingress_rule" "x" {\n}\n')
        both = {
            "templates": sarif(folder, program, "--template", *templates),
            "a plan": sarif(folder, program, "--plan", "plan.json"),
        }
        for what, log in both.items():
            found = faults(folder, multitool, log)
            if found - KNOWN:
                sys.exit(f"the SARIF of {what} breaks {sorted(found - KNOWN)}")
            results = len(json.loads(log)["runs"][0]["results"])
            assert results > 0, what
            print(f"the SARIF of {what} is valid: {results} results")
        # The tool notices what GitHub would refuse.
        broken = json.loads(both["a plan"])
        broken["runs"][0]["results"][0]["locations"] = []
        assert faults(folder, multitool, json.dumps(broken)) - KNOWN, "the tool finds nothing wrong"


if __name__ == "__main__":
    # Both run in a folder of their own.
    main(*(str(pathlib.Path(path).resolve()) for path in sys.argv[1:]))
