"""Prints what parliament finds in policies.

Standard input: {NAME: policy, ...}.
Standard output: [[NAME, issue, detail], ...].
"""

import importlib.util
import json
import pathlib
import sys
import types


def beside(package, file):
    return str(pathlib.Path(importlib.util.find_spec(package).origin).with_name(file))


# parliament finds its own files through this module, which setuptools no longer has.
sys.modules["pkg_resources"] = types.SimpleNamespace(resource_filename=beside)

import parliament  # noqa: E402

found = []
for name, policy in json.load(sys.stdin).items():
    text = json.dumps(policy)
    # Including the community auditors: credentials, permissions management, privilege escalation.
    analyzed = parliament.analyze_policy_string(text, include_community_auditors=True)
    found += [[name, finding.issue, json.dumps(finding.detail, default=str)] for finding in analyzed.findings]
json.dump(found, sys.stdout)
