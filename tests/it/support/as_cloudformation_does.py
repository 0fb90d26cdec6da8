"""Runs ministack with what it lacks of CloudFormation: conditions may split a parameter, where ministack knows Fn::Select
only; and an alarm may be about an expression, of which ministack gets the first metric.
AWS::CloudFormation::LambdaHook has a name, and nothing asks it.

Usage: python as_cloudformation_does.py
"""

import functools
import sys

from ministack.app import main
from ministack.services.cloudformation import engine, provisioners


def split(value, parameters):
    """The value with each Fn::Select of a Fn::Split of a parameter replaced by what it is."""
    if isinstance(value, list):
        return [split(inner, parameters) for inner in value]
    if not isinstance(value, dict):
        return value
    if "Fn::Select" in value and isinstance(value["Fn::Select"][1], dict) and "Fn::Split" in value["Fn::Select"][1]:
        index, inner = value["Fn::Select"]
        delimiter, parameter = inner["Fn::Split"]
        return str(parameters[parameter["Ref"]]["Value"]).split(delimiter)[int(index)]
    return {name: split(inner, parameters) for name, inner in value.items()}


def patched(evaluate):
    @functools.wraps(evaluate)
    def evaluated(template, parameters):
        return evaluate({**template, "Conditions": split(template.get("Conditions", {}), parameters)}, parameters)

    return evaluated


def first_metric(record):
    @functools.wraps(record)
    def recorded(name, properties):
        stats = [metric["MetricStat"] for metric in properties.get("Metrics", []) if "MetricStat" in metric]
        if not stats:
            return record(name, properties)
        first = {**stats[0]["Metric"], "Statistic": stats[0]["Stat"], "Period": stats[0]["Period"]}
        return {**record(name, {**properties, **first, "Metrics": None}), "Metrics": properties["Metrics"]}

    return recorded


provisioners._cw_metric_alarm_record = first_metric(provisioners._cw_metric_alarm_record)


def hook(logical_id, properties, stack):
    name = properties["Alias"].replace("::", "-")
    return f"arn:aws:cloudformation:us-east-1:123456789012:type/hook/{name}", {}


provisioners._RESOURCE_HANDLERS["AWS::CloudFormation::LambdaHook"] = {"create": hook, "delete": lambda *_: None}
original = engine._evaluate_conditions
for module in list(sys.modules.values()):
    if getattr(module, "_evaluate_conditions", None) is original:
        module._evaluate_conditions = patched(original)
sys.exit(main())
