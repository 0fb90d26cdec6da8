"""Runs ministack with conditions that may split a parameter, as CloudFormation's may. ministack knows Fn::Select there only.

Usage: python as_cloudformation_does.py
"""

import functools
import sys

from ministack.app import main
from ministack.services.cloudformation import engine


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


original = engine._evaluate_conditions
for module in list(sys.modules.values()):
    if getattr(module, "_evaluate_conditions", None) is original:
        module._evaluate_conditions = patched(original)
sys.exit(main())
