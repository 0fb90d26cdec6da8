"""What a stack has deployed: its outputs, its resources, and the events that each of its rules matches.

Usage: python deployed.py STACK < {NAME: EVENT}

Prints {"outputs": {NAME: VALUE}, "resources": {RESOURCE: [TYPE, NAME]}, "matches": {RULE: [NAME of an event]}}, with the
resources and the rules that have a pattern by their names in the template.
"""

import json
import sys

import boto3

stack, events = sys.argv[1], json.load(sys.stdin)
cloudformation, eventbridge = boto3.client("cloudformation"), boto3.client("events")


def matches(pattern, event):
    return eventbridge.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]


resources, matched = {}, {}
for resource in cloudformation.describe_stack_resources(StackName=stack)["StackResources"]:
    name, kind = resource["PhysicalResourceId"], resource["ResourceType"]
    if kind == "AWS::Events::Rule":
        name = name.rpartition("/")[2]
    resources[resource["LogicalResourceId"]] = [kind, name]
    if kind != "AWS::Events::Rule":
        continue
    rule = eventbridge.describe_rule(Name=name)
    if pattern := rule.get("EventPattern"):
        matched[resource["LogicalResourceId"]] = [name for name, event in events.items() if matches(pattern, event)]
outputs = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
outputs = {output["OutputKey"]: output["OutputValue"] for output in outputs}
print(json.dumps({"outputs": outputs, "resources": resources, "matches": matched}))
