"""Adds to moto's EC2 what it lacks and the tests need: pages, limits on filters, filters by prefix list, prefix lists
that are unknown or being modified, the owners of groups, and the regions that are enabled.

moto ignores MaxResults and returns everything at once, so code that forgets the second page would pass every test.
"""

import base64
import copy
import functools
import hashlib
import json

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupBackend, SecurityGroupRule
from moto.ec2.responses.availability_zones_and_regions import AvailabilityZonesAndRegions
from moto.ec2.responses.security_groups import SecurityGroups
from moto.ec2.responses.vpcs import VPCs

# "Each filter can have up to 200 values" (EC2 user guide, "List and filter your resources").
FILTER_VALUES = 200


def in_pages(describe, member, key, least, most, alone=None):
    """Adds MaxResults and NextToken to a call, as EC2 has them.

    `member` is the list in the answer, and `key` identifies an item. A token says after which item the next page begins,
    and is valid only for the request it was issued for. The parameter `alone` cannot be combined with pages.
    """

    @functools.wraps(describe)
    def page(self):
        # EC2 refuses too many values; moto would accept them.
        for values in self._filters_from_querystring().values():
            if len(values) > FILTER_VALUES:
                raise EC2ClientError("FilterLimitExceeded", f"The maximum number of filter values is {FILTER_VALUES}.")
        size = self._get_param("MaxResults")
        token = self._get_param("NextToken")
        if size is None and token is None:
            return describe(self)
        if alone and self._get_param(alone):
            raise EC2ClientError("InvalidParameterCombination", f"The parameter {alone} cannot be used with MaxResults.")
        size = int(size) if size is not None else most
        if not least <= size <= most:
            raise EC2ClientError("InvalidParameterValue", f"Value ( {size} ) for parameter maxResults is invalid.")
        items = sorted(describe(self).result[member] or [], key=key)
        if token is not None:
            after = read(token, self)
            items = [item for item in items if key(item) > after]
        rest = items[size:]
        next_token = written(key(items[size - 1]), self) if rest else None
        return ActionResult({member: items[:size], "NextToken": next_token})

    return page


def asked(response):
    """A hash of the request without its page."""
    asked = {name: value for name, value in response.querystring.items() if name not in ("MaxResults", "NextToken")}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def written(after, response):
    return base64.b64encode(json.dumps([after, asked(response)]).encode()).decode()


def read(token, response):
    try:
        after, request = json.loads(base64.b64decode(token, validate=True))
    except ValueError:
        after, request = None, None
    if request != asked(response):
        raise EC2ClientError("InvalidPaginationToken", "The specified pagination token is not valid or is expired.")
    return after


def of_named_groups(describe):
    """moto checks every rule of a region against each filter, which is too slow for a thousand changes."""

    @functools.wraps(describe)
    def described(self, sg_rule_ids, filters):
        every = self.groups
        if "group-id" in filters:
            named = filters["group-id"]
            self.groups = {vpc: {id: groups[id] for id in named if id in groups} for vpc, groups in every.items()}
        try:
            return describe(self, sg_rule_ids, filters)
        finally:
            self.groups = every

    return described


def naming(rules_of):
    """Filters groups by the prefix list in their rules. moto raises MotoNotImplementedError for that."""

    def matches(group, lists):
        return any(rule.prefix_list_id in lists for rule in rules_of(group))

    return matches


def of_known_lists(get_entries):
    """Refuses an unknown list, as EC2 does. moto returns no entries."""

    @functools.wraps(get_entries)
    def entries(self):
        list_id = self._get_param("PrefixListId")
        if self.ec2_backend.get_managed_prefix_list_entries(list_id) is None:
            message = f"The prefix list ID '{list_id}' does not exist."
            raise EC2ClientError("InvalidPrefixListID.NotFound", message)
        return get_entries(self)

    return entries


def settling(modify):
    """EC2 takes a while to change a list. One tagged `slow` is still being modified when it is described next."""

    @functools.wraps(modify)
    def modified(self):
        answer = modify(self)
        prefix_list = self.ec2_backend.managed_prefix_lists[self._get_param("PrefixListId")]
        prefix_list.settles = any(tag["key"] == "slow" for tag in prefix_list.get_tags())
        return answer

    return modified


def told_while_settling(describe):
    """Describes a list that is still being modified, with its previous version."""

    @functools.wraps(describe)
    def described(self):
        lists = []
        for prefix_list in describe(self).result["PrefixLists"]:
            if getattr(prefix_list, "settles", False):
                prefix_list.settles = False
                prefix_list = copy.copy(prefix_list)
                prefix_list.state = "modify-in-progress"
                prefix_list.version -= 1
            lists.append(prefix_list)
        return ActionResult({"PrefixLists": lists})

    return described


def enabled(describe):
    """Returns only the regions that are enabled for the account. moto returns all."""

    @functools.wraps(describe)
    def regions(self):
        regions = describe(self).result["Regions"]
        return ActionResult({"Regions": [region for region in regions if region.opt_in_status != "not-opted-in"]})

    return regions


def telling(revoke):
    """Adds the revoked rules to the answer of an ingress revoke. moto leaves them out."""

    @functools.wraps(revoke)
    def revoked(self):
        group = self.ec2_backend.get_security_group_by_name_or_id(self._get_param("GroupId"))
        before = list(group.ingress_rules) if group else []
        answer = revoke(self)
        kept = {rule.id for rule in group.ingress_rules} if group else set()
        taken = [rule for rule in before if rule.id not in kept]
        return ActionResult({**answer.result, "RevokedSecurityGroupRules": taken})

    return revoked


def say_what_was_revoked():
    SecurityGroups.revoke_security_group_ingress = telling(SecurityGroups.revoke_security_group_ingress)


def patch():
    AvailabilityZonesAndRegions.describe_regions = enabled(AvailabilityZonesAndRegions.describe_regions)
    SecurityGroups.describe_security_groups = in_pages(
        SecurityGroups.describe_security_groups, "SecurityGroups", lambda group: group.id, 5, 1000, alone="GroupIds"
    )
    SecurityGroups.describe_security_group_rules = in_pages(
        SecurityGroups.describe_security_group_rules, "SecurityGroupRules", lambda rule: rule.id, 5, 1000
    )
    SecurityGroupBackend.describe_security_group_rules = of_named_groups(
        SecurityGroupBackend.describe_security_group_rules
    )
    VPCs.get_managed_prefix_list_entries = in_pages(
        of_known_lists(VPCs.get_managed_prefix_list_entries), "Entries", lambda entry: entry["Cidr"], 1, 100
    )
    VPCs.modify_managed_prefix_list = settling(VPCs.modify_managed_prefix_list)
    VPCs.describe_managed_prefix_lists = told_while_settling(VPCs.describe_managed_prefix_lists)
    # EC2 returns the owner of the group; moto does not.
    SecurityGroupRule.group_owner_id = property(lambda rule: rule.ec2_backend.account_id)
    SecurityGroup.filter_ip_permission__prefix_list_id = naming(lambda group: group.ingress_rules)
    SecurityGroup.filter_egress__ip_permission__prefix_list_id = naming(lambda group: group.egress_rules)
