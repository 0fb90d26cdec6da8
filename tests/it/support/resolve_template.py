"""Resolves a template with the given parameters: lists each resource whose condition is true, with plain values.

Standard input: [{"template": PATH, "parameters": {NAME: VALUE}, "types": [TYPE, ...] or absent, "stack": NAME,
"region": NAME, "partition": NAME}, ...]. The last three have defaults.
Standard output: for each, {RESOURCE: {"Type": text, "Ref": text, "Properties": {...}}}, of these types or of all. "Ref"
is the value of a reference to the resource. The resources of a nested stack are among them, with the parameters that the
template gives it.

This covers what our emulators do not resolve: conditional policies, alarms, the dashboard. Names and ARNs look as
CloudFormation makes them.
"""

import functools
import json
import pathlib
import re
import sys

from samtranslator.yaml_helper import yaml_parse

ACCOUNT = "123456789012"
# The service and the prefix of the resource in an ARN, by type.
ARNS = {
    "AWS::CloudWatch::Alarm": ("cloudwatch", "alarm:"),
    "AWS::DynamoDB::Table": ("dynamodb", "table/"),
    "AWS::Events::Rule": ("events", "rule/"),
    "AWS::IAM::Role": ("iam", "role/"),
    "AWS::KMS::Key": ("kms", "key/"),
    "AWS::Logs::LogGroup": ("logs", "log-group:"),
    "AWS::Serverless::Function": ("lambda", "function:"),
    "AWS::Serverless::StateMachine": ("states", "stateMachine:"),
    "AWS::SNS::Topic": ("sns", ""),
    "AWS::SQS::Queue": ("sqs", ""),
    "AWS::StepFunctions::StateMachine": ("states", "stateMachine:"),
}
# What has no default.
REQUIRED = {"AlertEmail": "you@example.com"}
# How long a generated name can be, by type. CloudFormation cuts the stack's name where it would be longer. The name of a
# key is an id, which always has this length.
LONGEST = {
    "AWS::CloudWatch::Alarm": 255,
    "AWS::DynamoDB::Table": 255,
    "AWS::KMS::Key": 36,
    "AWS::Logs::LogGroup": 512,
    "AWS::SNS::Topic": 256,
    "AWS::SQS::Queue": 80,
}
OTHERS_LONGEST = 64
# The members that name a resource, by type.
GIVEN = {
    "AWS::Events::Rule": "Name",
    "AWS::IAM::Role": "RoleName",
    "AWS::Serverless::StateMachine": "Name",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}
NOTHING = object()


@functools.cache
def source(path):
    with open(path) as file:
        return yaml_parse(file.read())


class Template:
    def __init__(self, path, parameters, stack="stack", region="eu-central-1", partition="aws"):
        self.source = source(path)
        known = self.source["Parameters"]
        assert parameters.keys() <= known.keys(), f"no parameters of {path}: {parameters.keys() - known.keys()}"
        defaults = {name: parameter["Default"] for name, parameter in known.items() if "Default" in parameter}
        # CloudFormation compares strings, and treats numbers as strings.
        required = {name: value for name, value in REQUIRED.items() if name in known}
        self.values = {name: str(value) for name, value in {**required, **defaults, **parameters}.items()}
        self.folder = pathlib.Path(path).parent
        self.stack, self.region, self.partition = stack, region, partition
        place = f"arn:{partition}:cloudformation:{region}:{ACCOUNT}"
        self.values |= {
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": partition,
            "AWS::Region": region,
            "AWS::StackId": f"{place}:stack/{stack}/0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f",
            "AWS::StackName": stack,
        }

    def resources(self, types):
        return self.own(types) | self.nested(types)

    def nested(self, types):
        found = {}
        for name, stack in self.own(["AWS::CloudFormation::Stack"]).items():
            properties = stack["Properties"]
            inner = self.inner(name, properties).resources(types)
            assert not found.keys() & inner.keys(), f"two stacks have a resource of one name: {name}"
            found |= inner
        return found

    def inner(self, name, properties):
        path = str(self.folder / properties["TemplateURL"])
        return Template(path, properties["Parameters"], self.reference(name), self.region, self.partition)

    def own(self, types):
        return {
            name: {
                "Type": resource["Type"],
                "Ref": self.reference(name),
                "Properties": self.plain(resource.get("Properties", {})),
            }
            for name, resource in self.source["Resources"].items()
            if types is None or resource["Type"] in types
            if "Condition" not in resource or self.holds(resource["Condition"])
        }

    def name(self, resource):
        kind = self.source["Resources"][resource]["Type"]
        given = self.source["Resources"][resource].get("Properties", {})
        member = GIVEN.get(kind)
        if member in given:
            return self.plain(given[member])
        end = f"-{resource}-1A2B3C4D5E6F"
        return self.stack[: LONGEST.get(kind, OTHERS_LONGEST) - len(end)] + end

    def attribute(self, resource, attribute):
        kind = self.source["Resources"][resource]["Type"]
        if kind == "AWS::CloudFormation::Stack":
            inner = self.inner(resource, self.plain(self.source["Resources"][resource]["Properties"]))
            return inner.plain(inner.source["Outputs"][attribute.removeprefix("Outputs.")]["Value"])
        if attribute != "Arn":
            assert (kind, attribute) == ("AWS::SQS::Queue", "QueueName"), f"{resource}.{attribute}"
            return self.name(resource)
        if kind == "AWS::S3::Bucket":
            return f"arn:{self.partition}:s3:::{self.name(resource).lower()}"
        service, before = ARNS[kind]
        region = "" if service == "iam" else self.region
        after = ":*" if service == "logs" else ""
        return f"arn:{self.partition}:{service}:{region}:{ACCOUNT}:{before}{self.name(resource)}{after}"

    def reference(self, name):
        if name == "AWS::NoValue":
            return NOTHING
        if name in self.values:
            return self.values[name]
        kind = self.source["Resources"][name]["Type"]
        if kind in ("AWS::SNS::Topic", "AWS::Serverless::StateMachine", "AWS::StepFunctions::StateMachine"):
            return self.attribute(name, "Arn")
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{self.region}.amazonaws.com/{ACCOUNT}/{self.name(name)}"
        if kind == "AWS::S3::Bucket":
            return self.name(name).lower()
        return self.name(name)

    def holds(self, condition):
        if isinstance(condition, str):
            return self.holds(self.source["Conditions"][condition])
        ((function, value),) = condition.items()
        match function:
            case "Condition":
                return self.holds(value)
            case "Fn::Equals":
                one, other = map(self.plain, value)
                return str(one) == str(other)
            case "Fn::Not":
                return not self.holds(value[0])
            case "Fn::And":
                return all(map(self.holds, value))
            case "Fn::Or":
                return any(map(self.holds, value))
        raise ValueError(function)

    def filled(self, value):
        text, own = value if isinstance(value, list) else (value, {})
        own = {name: self.plain(inner) for name, inner in own.items()}

        def fill(match):
            name = match[1]
            if name in own:
                return str(own[name])
            return str(self.attribute(*name.split(".")) if "." in name else self.reference(name))

        return re.sub(r"\$\{([^!}]+)\}", fill, text)

    def plain(self, value):
        if isinstance(value, list):
            return [inner for inner in map(self.plain, value) if inner is not NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, inner),) = value.items()
            match function:
                case "Ref":
                    return self.reference(inner)
                case "Fn::GetAtt":
                    return self.attribute(*(inner.split(".", 1) if isinstance(inner, str) else inner))
                case "Fn::If":
                    return self.plain(inner[1] if self.holds(inner[0]) else inner[2])
                case "Fn::Sub":
                    return self.filled(inner)
                case "Fn::Join":
                    return inner[0].join(map(str, self.plain(inner[1])))
                case "Fn::Split":
                    return self.plain(inner[1]).split(inner[0])
                case "Fn::Select":
                    return self.plain(inner[1])[int(inner[0])]
                case "Fn::FindInMap":
                    table, first, second = map(self.plain, inner)
                    return self.source["Mappings"][table][first][second]
        members = ((name, self.plain(inner)) for name, inner in value.items())
        return {name: inner for name, inner in members if inner is not NOTHING}


if __name__ == "__main__":
    resolved = []
    for asked in json.load(sys.stdin):
        types = asked.pop("types", None)
        path = asked.pop("template")
        resolved.append(Template(path, **asked).resources(types))
    json.dump(resolved, sys.stdout)
