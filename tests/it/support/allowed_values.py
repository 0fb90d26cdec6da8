"""Tells which values a template's parameter accepts, and names the regions that AWS's SDK for Python knows.

Standard input: {"template": PATH, "parameter": NAME, "values": [text, ...]}.
Standard output: {"accepted": [text, ...], "regions": [text, ...]}.
"""

import json
import pathlib
import re
import sys

import botocore
from samtranslator.yaml_helper import yaml_parse

asked = json.load(sys.stdin)
parameter = yaml_parse(pathlib.Path(asked["template"]).read_text())["Parameters"][asked["parameter"]]


def accepted(value):
    # CloudFormation holds the whole value against the pattern.
    return re.fullmatch(parameter.get("AllowedPattern", ".*"), value) and (
        int(parameter.get("MinLength", 0)) <= len(value) <= int(parameter.get("MaxLength", 4096))
    )


partitions = json.loads((pathlib.Path(botocore.__file__).parent / "data/partitions.json").read_text())
names = [region for partition in partitions["partitions"] for region in partition["regions"]]
# Services without a region have a name of their own there, such as aws-global.
regions = [name for name in names if not name.endswith("-global")]
json.dump({"accepted": [value for value in asked["values"] if accepted(value)], "regions": regions}, sys.stdout)
