"""Adds to moto's CloudTrail what it lacks and the tests need: the selectors of trails of other regions, and those that a
new trail has.

A trail of another region is known by its ARN here too, as for GetTrailStatus, where moto knows it. A new trail records all
management events ("Logging management events" in the CloudTrail user guide).
"""

import functools

from moto.cloudtrail.models import CloudTrailBackend, Trail


def of_every_region(get_trail):
    @functools.wraps(get_trail)
    def found(self, name_or_arn):
        shadows = self.describe_trails(include_shadow_trails=True)
        return next((trail for trail in shadows if trail.arn == name_or_arn), None) or get_trail(self, name_or_arn)

    return found


def with_selector(init):
    @functools.wraps(init)
    def made(self, *arguments, **named):
        init(self, *arguments, **named)
        self.event_selectors = [{"ReadWriteType": "All", "IncludeManagementEvents": True}]

    return made


def patch():
    CloudTrailBackend.get_trail = of_every_region(CloudTrailBackend.get_trail)
    Trail.__init__ = with_selector(Trail.__init__)
