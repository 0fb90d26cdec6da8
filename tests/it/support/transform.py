"""Lists the resources that CloudFormation makes of a template, after SAM's transform, with the given parameters.

Standard input: {"template": PATH, "parameters": {NAME: VALUE}}.
Standard output: {RESOURCE: TYPE}. A nested stack is one resource.
"""

import json
import os
import sys

os.environ["AWS_DEFAULT_REGION"] = "eu-central-1"

from resolve_template import Template  # noqa: E402
from samtranslator.parser.parser import Parser  # noqa: E402
from samtranslator.translator.translator import Translator  # noqa: E402

asked = json.load(sys.stdin)
template = Template(asked["template"], asked["parameters"])
# As `sam deploy` leaves them.
for resource, member in (("Auditor", "CodeUri"), ("OwnBaseline", "ContentUri")):
    template.source["Resources"][resource]["Properties"][member] = "s3://bucket/key"
transformed = Translator({}, Parser()).translate(template.source, template.values)
found = {
    name: resource["Type"]
    for name, resource in transformed["Resources"].items()
    if "Condition" not in resource or template.holds(resource["Condition"])
}
json.dump(found, sys.stdout)
