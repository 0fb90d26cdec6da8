"""Tells which EventBridge patterns match which events, by ministack's implementation.

ministack follows EventBridge where a pattern reaches into a list of objects, as those about tags do. moto does not.

Standard input: {"patterns": {NAME: pattern}, "events": {NAME: event}}.
Standard output: {EVENT_NAME: [PATTERN_NAME, ...]}. A pattern that EventBridge would refuse is an error.
"""

import json
import sys

from ministack.services import eventbridge


def matches(pattern, event):
    status, _, body = eventbridge._test_event_pattern({"EventPattern": pattern, "Event": json.dumps(event)})
    assert status == 200, f"{body.decode()} {pattern}"
    return json.loads(body)["Result"]


asked = json.load(sys.stdin)
patterns = {name: json.dumps(pattern) for name, pattern in asked["patterns"].items()}
for pattern in patterns.values():
    matches(pattern, {"source": "nobody", "detail": {}})
found = {
    name: [which for which, pattern in patterns.items() if matches(pattern, event)]
    for name, event in asked["events"].items()
}
json.dump(found, sys.stdout)
