"""Tells which EventBridge patterns match which events, by moto's implementation.

Standard input: {"patterns": {NAME: pattern}, "events": {NAME: event}}.
Standard output: {EVENT_NAME: [PATTERN_NAME, ...]}.
"""

import json
import sys

from moto.events.models import EventPattern

asked = json.load(sys.stdin)
patterns = {name: EventPattern.load(json.dumps(pattern)) for name, pattern in asked["patterns"].items()}
matches = {
    name: [which for which, pattern in patterns.items() if pattern.matches_event(event)]
    for name, event in asked["events"].items()
}
json.dump(matches, sys.stdout)
