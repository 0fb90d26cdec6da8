"""Prints what a stack has deployed: its outputs, its resources, and which of the given events each rule matches.

Usage: python deployed.py STACK

Standard input: {EVENT_NAME: event}.
Standard output: {"outputs": {NAME: VALUE}, "resources": {RESOURCE: [TYPE, NAME]}, "matches": {RULE: [EVENT_NAME, ...]}}.
RESOURCE and RULE are names in the template, or in that of a nested stack; only rules with a pattern are in "matches".
"""

import json
import sys

import boto3

stack, events = sys.argv[1], json.load(sys.stdin)
cloudformation, eventbridge = boto3.client("cloudformation"), boto3.client("events")


def matches(pattern, event):
    return eventbridge.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]


def of(stack):
    for resource in cloudformation.describe_stack_resources(StackName=stack)["StackResources"]:
        yield resource
        if resource["ResourceType"] == "AWS::CloudFormation::Stack":
            yield from of(resource["PhysicalResourceId"])


resources, matched = {}, {}
for resource in of(stack):
    name, kind = resource["PhysicalResourceId"], resource["ResourceType"]
    if kind == "AWS::Events::Rule":
        name = name.rpartition("/")[2]
    resources[resource["LogicalResourceId"]] = [kind, name]
    if kind != "AWS::Events::Rule":
        continue
    rule = eventbridge.describe_rule(Name=name)
    if pattern := rule.get("EventPattern"):
        matched[resource["LogicalResourceId"]] = [name for name, event in events.items() if matches(pattern, event)]
outputs = cloudformation.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
outputs = {output["OutputKey"]: output["OutputValue"] for output in outputs}
print(json.dumps({"outputs": outputs, "resources": resources, "matches": matched}))
