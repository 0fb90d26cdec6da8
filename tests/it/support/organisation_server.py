"""Stands in for EC2, STS and Organizations where a test sweeps an organisation. It keeps no groups: it makes them when they
are asked for. moto and ministack list all accounts on one page, and know neither `State` nor a place that is throttled.

Usage: python organisation_server.py

Prints its port. Standard input: a line of JSON replaces the plan, and is answered with a line of what was called since the
last one. The server ends with its standard input. A plan:

    {"accounts": {ID: STATE}, "page": ACCOUNTS, "regions": [NAME], "groups": NUMBER, "bad": EVERY_NTH,
     "status": whether accounts have `Status` and not `State`,
     "places": {"ID/REGION": {"groups": NUMBER, "fails": [CODE, HTTP_STATUS], "times": NUMBER or null}},
     "roles": {ID: "AccessDenied"}, "unpublished": [ID whose messages SNS does not take]}

SNS is here too, so that what was published is known: it is in the answer, as `published`, by account and run.
"""

import collections
import http.server
import json
import re
import sys
import threading
import urllib.parse

GROUPS_A_PAGE = 100
NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
OWN = "123456789012"
plan = {}
called = collections.Counter()
published = []
failed = collections.Counter()
lock = threading.Lock()


def xml(action, inner):
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{action}Response xmlns="{NAMESPACE}">{inner}</{action}Response>'


def place(account, region):
    return plan["places"].get(f"{account}/{region}", {})


def fault(account, region):
    found = place(account, region)
    if "fails" not in found:
        return None
    with lock:
        failed[account, region] += 1
        if found.get("times") is not None and failed[account, region] > found["times"]:
            return None
    return found["fails"]


def regions():
    items = "".join(f"<item><regionName>{name}</regionName></item>" for name in plan["regions"])
    return xml("DescribeRegions", f"<regionInfo>{items}</regionInfo>")


def groups(account, region, form):
    count = place(account, region).get("groups", plan["groups"])
    first = int(form.get("NextToken", "0"))
    end = min(count, first + GROUPS_A_PAGE)
    items = "".join(
        f"<item><groupId>sg-{number:017x}</groupId><groupName>typo3-{number}</groupName><vpcId>vpc-0a1b2c3d</vpcId>"
        f"<ownerId>{account}</ownerId><groupDescription>a group</groupDescription></item>"
        for number in range(first, end)
    )
    token = f"<nextToken>{end}</nextToken>" if end < count else ""
    return xml("DescribeSecurityGroups", f"<securityGroupInfo>{items}</securityGroupInfo>{token}")


def rules(form):
    items = ""
    for name, group in form.items():
        if not name.startswith("Filter.1.Value"):
            continue
        number = int(group.removeprefix("sg-"), 16)
        port = 22 if plan["bad"] and number % plan["bad"] == 0 else 443
        items += (
            f"<item><securityGroupRuleId>sgr-{number:017x}</securityGroupRuleId><groupId>{group}</groupId>"
            f"<isEgress>false</isEgress><ipProtocol>tcp</ipProtocol><fromPort>{port}</fromPort><toPort>{port}</toPort>"
            "<cidrIpv4>0.0.0.0/0</cidrIpv4></item>"
        )
    return xml("DescribeSecurityGroupRules", f"<securityGroupRuleSet>{items}</securityGroupRuleSet>")


def role(account):
    key = f"ASIA{account}EX"
    return (
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>'
        f"<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>"
        "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )


def parent(child):
    above = {"ou-abcd-22222222": "ou-abcd-11111111", "ou-abcd-11111111": "r-abcd", "r-abcd": None}
    inner = sorted(plan["accounts"])[1::2]
    above = above.get(child, "ou-abcd-22222222" if child in inner else "ou-abcd-11111111")
    return {"Parents": [{"Id": above}] if above else []}


def accounts(asked):
    names = sorted(plan["accounts"])
    first = int(asked.get("NextToken") or 0)
    end = min(len(names), first + plan["page"])
    member = "Status" if plan.get("status") else "State"
    answer = {"Accounts": [{"Id": name, member: plan["accounts"][name]} for name in names[first:end]]}
    if end < len(names):
        answer["NextToken"] = str(end)
    return answer


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, status, kind, body):
        body = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        target = self.headers.get("X-Amz-Target", "")
        if target:
            action = target.rsplit(".", 1)[1]
            with lock:
                called[action] += 1
            asked = json.loads(body or "{}")
            if action == "ListOrganizationalUnitsForParent":
                below = [{"Id": "ou-abcd-22222222"}] if asked["ParentId"] == "ou-abcd-11111111" else []
                answer = {"OrganizationalUnits": below}
            elif action == "ListAccountsForParent":
                names = sorted(plan["accounts"])
                half = names[::2] if asked["ParentId"] == "ou-abcd-11111111" else names[1::2]
                answer = {"Accounts": [{"Id": name, "State": plan["accounts"][name]} for name in half]}
            elif action == "ListParents" and plan.get("parents"):
                refused = json.dumps({"__type": plan["parents"], "message": "no"})
                return self.send(400, "application/x-amz-json-1.1", refused)
            elif action == "ListParents":
                answer = parent(asked["ChildId"])
            else:
                answer = accounts(asked)
            return self.send(200, "application/x-amz-json-1.1", json.dumps(answer))
        form = dict(urllib.parse.parse_qsl(body))
        action = form["Action"]
        with lock:
            called[action] += 1
        scope = re.search(r"Credential=([^/]+)/[0-9]+/([^/]+)/", self.headers["Authorization"])
        key, region = scope[1], scope[2]
        account = key[4:16] if key.startswith("ASIA") and key[4:16].isdigit() else OWN
        if action == "Publish":
            message = json.loads(json.loads(form["Message"])["default"])
            about = sorted({finding["account"] for finding in message["findings"]})
            if set(about) & set(plan["unpublished"]):
                error = "<ErrorResponse><Error><Code>InternalError</Code><Message>no</Message></Error></ErrorResponse>"
                return self.send(500, "text/xml", error)
            with lock:
                published.append({"accounts": about, "subject": form["Subject"], "run": message["run"]})
            answer = "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"
            return self.send(200, "text/xml", answer)
        if action == "GetCallerIdentity":
            answer = (
                "<GetCallerIdentityResponse><GetCallerIdentityResult>"
                f"<Arn>arn:aws:iam::{account}:user/somebody</Arn><UserId>AIDA</UserId><Account>{account}</Account>"
                "</GetCallerIdentityResult></GetCallerIdentityResponse>"
            )
            return self.send(200, "text/xml", answer)
        if action == "AssumeRole":
            member = form["RoleArn"].split(":")[4]
            refused = plan["roles"].get(member)
            if refused:
                error = f"<ErrorResponse><Error><Code>{refused}</Code><Message>not authorized</Message></Error></ErrorResponse>"
                return self.send(403, "text/xml", error)
            return self.send(200, "text/xml", role(member))
        refused = fault(account, region) if action == "DescribeSecurityGroups" else None
        if refused:
            code, status = refused
            error = f"<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors></Response>"
            return self.send(status, "text/xml", error)
        answer = {
            "DescribeRegions": regions,
            "DescribeSecurityGroups": lambda: groups(account, region, form),
            "DescribeSecurityGroupRules": lambda: rules(form),
        }[action]()
        self.send(200, "text/xml", answer)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
for line in sys.stdin:
    plan = json.loads(line)
    with lock:
        before = {"calls": dict(called), "published": list(published)}
        called.clear()
        published.clear()
        failed.clear()
    print(json.dumps(before), flush=True)
