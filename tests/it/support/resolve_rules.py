"""Resolves the EventBridge rules of a template with the given parameters, by moto's CloudFormation.

Standard input: [{"template": PATH, "parameters": {NAME: VALUE}}, ...].
Standard output: for each, {RULE: {"name": text, "pattern": object or null, "schedule": text or null,
"inputs": [text or null]}}, where RULE is the rule's name in the template.
"""

import json
import os
import sys

os.environ.update(
    AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none", AWS_SESSION_TOKEN="none", AWS_DEFAULT_REGION="eu-central-1"
)

import boto3  # noqa: E402
from moto import mock_aws  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402

# A stand-in for the serverless function. Nothing looks at its properties.
FUNCTION = {
    "Type": "AWS::Lambda::Function",
    "Properties": {
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Code": {"ZipFile": ""},
    },
}


def plain(path):
    """The template without what moto does not support: the transform, assertions, conditional policies."""
    with open(path) as file:
        template = yaml_parse(file.read())
    template.pop("Transform", None)
    template.pop("Rules", None)
    resources = template["Resources"]
    for name, resource in list(resources.items()):
        match resource["Type"]:
            case "AWS::Serverless::Function":
                resources[name] = FUNCTION
            case "AWS::IAM::Role":
                resource["Properties"]["Policies"] = []
            case "AWS::Events::EventBusPolicy" | "AWS::CloudWatch::Dashboard" | "AWS::Serverless::LayerVersion":
                del resources[name]
    return json.dumps(template)


def rules(template, parameters):
    with mock_aws():
        cloudformation, events = boto3.client("cloudformation"), boto3.client("events")
        cloudformation.create_stack(
            StackName="stack",
            TemplateBody=plain(template),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        resolved = {}
        for resource in cloudformation.describe_stack_resources(StackName="stack")["StackResources"]:
            if resource.get("ResourceType") != "AWS::Events::Rule":
                continue
            rule = events.describe_rule(Name=resource["PhysicalResourceId"])
            targets = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
            resolved[resource["LogicalResourceId"]] = {
                "name": rule["Name"],
                "pattern": json.loads(rule.get("EventPattern") or "null"),
                "schedule": rule.get("ScheduleExpression"),
                "inputs": [target.get("Input") for target in targets],
            }
        return resolved


json.dump([rules(**asked) for asked in json.load(sys.stdin)], sys.stdout)
