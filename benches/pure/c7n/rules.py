"""Runs Cloud Custodian's filters on the security groups in a file, for benches/pure/rules.rs.

Usage: python rules.py GROUPS_FILE

GROUPS_FILE is the output of `aws ec2 describe-security-groups`. The script loads everything and prints the number of
groups. Then it does one round for each line of standard input, and prints the processor time in seconds and how many
groups matched. It does not call AWS.
"""

import copy
import json
import sys
import time

from c7n.config import Config
from c7n.policy import PolicyCollection
from c7n.resources import load_resources

# The closest that the filters come to the ingress of the baseline `standard` with 203.0.113.0/24 as the SSH source:
# ports that are not in the baseline, and SSH from blocks outside the source.
POLICY = {
    "name": "not-in-baseline",
    "resource": "aws.security-group",
    "filters": [
        {
            "or": [
                {"type": "ingress", "OnlyPorts": [22, 80, 443]},
                {"type": "ingress", "Ports": [22], "Cidr": {"value_type": "cidr", "op": "not-in", "value": ["203.0.113.0/24"]}},
                {"type": "ingress", "Ports": [22], "CidrV6": {"value": "::/0"}},
            ]
        }
    ],
}


def main() -> None:
    with open(sys.argv[1]) as file:
        groups = json.load(file)["SecurityGroups"]
    load_resources(("aws.security-group",))
    options = Config.empty(region="eu-central-1", account_id="123456789012")
    policy = next(iter(PolicyCollection.from_data({"policies": [POLICY]}, options)))
    print(len(groups), flush=True)
    for _ in sys.stdin:
        # The filters write their matches into the groups.
        fresh = copy.deepcopy(groups)
        began = time.thread_time()
        matched = policy.resource_manager.filter_resources(fresh)
        took = time.thread_time() - began
        print(took, len(matched), flush=True)


if __name__ == "__main__":
    main()
