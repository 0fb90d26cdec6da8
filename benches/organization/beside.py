"""Looks for open SSH in the accounts of an organisation, with `sg-audit check --live` and with c7n-org, one after the
other over the same groups in moto, and writes the table in docs/performance.md.

Usage: python3 benches/organization/beside.py SG_AUDIT TARGET [ACCOUNTS] [GROUPS]

SG_AUDIT is a program that was built with `cargo build --features live --bin sg-audit`. Python environments are made under
the folder TARGET. By default there are 20 accounts with 100 groups each; every tenth group is open.

moto answers one request at a time. So the table also has the requests that each tool made, and the time that moto took.
"""

import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs/performance.md"
BEGIN, END = "<!-- written by the bench `organization` -->", "<!-- end of what the bench `organization` wrote -->"
REGION = "eu-central-1"
EVERY = 10
POLICY = {
    "policies": [
        {
            "name": "open-ssh",
            "resource": "aws.security-group",
            "filters": [
                {
                    "type": "ingress",
                    "match-operator": "and",
                    "IpProtocol": "tcp",
                    "Ports": [22],
                    "Cidr": {"value": "0.0.0.0/0"},
                }
            ],
        }
    ]
}
# Runs in the environment of the tests, which has moto: fills it, and serves it until its standard input ends. Each line
# of standard input is answered with the requests since the last one, and the seconds that they took.
SERVER = """
import collections, json, os, sys, threading, time
import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

accounts, groups, every, region = json.loads(sys.argv[1])
dispatch = DomainDispatcherApplication(create_backend_app)
lock, seen = threading.Lock(), [0, 0.0]

def serve(environ, start_response):
    with lock:
        began = time.perf_counter()
        answer = list(dispatch(environ, start_response))
        seen[0] += 1
        seen[1] += time.perf_counter() - began
        return answer

server = make_server("127.0.0.1", 0, serve, threaded=True, request_handler=MotoRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
sts = boto3.client("sts", region_name=region, endpoint_url=url)
for account in accounts:
    role = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole", RoleSessionName="fill")
    keys = role["Credentials"]
    ec2 = boto3.client("ec2", region_name=region, endpoint_url=url, aws_access_key_id=keys["AccessKeyId"],
                       aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"])
    for number in range(groups):
        group = ec2.create_security_group(GroupName=f"typo3-{number}", Description="a web server")["GroupId"]
        ports = [80, 443] + ([22] if number % every == 0 else [])
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
            for port in ports])
print(url, flush=True)
for _ in sys.stdin:
    with lock:
        print(json.dumps(seen), flush=True)
        seen[:] = [0, 0.0]
"""


def environment(target, requirements):
    make = [sys.executable, ROOT / "tests/python_env.py", target, requirements]
    return pathlib.Path(subprocess.run(make, check=True, capture_output=True, text=True).stdout.strip())


def run(command, server, **options):
    """How it ended, what it wrote, its seconds, and the requests to moto with their seconds."""
    server.stdin.write("\n")
    server.stdin.flush()
    server.stdout.readline()
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    out, err = process.communicate()
    seconds = time.perf_counter() - began
    server.stdin.write("\n")
    server.stdin.flush()
    requests, busy = json.loads(server.stdout.readline())
    return process.returncode, out, err, seconds, requests, busy


def main(sg_audit, target, accounts=20, groups=100):
    accounts = [f"{210_000_000_000 + number:012}" for number in range(int(accounts))]
    groups = int(groups)
    moto = environment(target, ROOT / "tests/requirements.txt")
    custodian = environment(target, HERE / "requirements.txt")
    variables = {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE04",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
    }
    plan = json.dumps([accounts, groups, EVERY, REGION])
    server = subprocess.Popen(
        [moto / "bin/python", "-B", "-c", SERVER, plan],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=variables,
    )
    variables["AWS_ENDPOINT_URL"] = server.stdout.readline().strip()
    if not variables["AWS_ENDPOINT_URL"]:
        sys.exit("moto did not start")
    bad = len(accounts) * -(-groups // EVERY)
    # Each account has the default group of its default VPC besides.
    all_groups = len(accounts) * (groups + 1)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        status, out, err, seconds, requests, busy = run(
            [sg_audit, "check", "--live", "--organization", ",".join(accounts), "--format", "json"], server, env=variables
        )
        if status != 1:
            sys.exit(f"sg-audit ended with {status}: {err}")
        report = json.loads(out)
        found = sum(finding["code"] == "open-ssh" for finding in report["findings"])
        assert (found, report["groups_audited"]) == (bad, all_groups), (found, report["groups_audited"], err)
        built = "" if pathlib.Path(sg_audit).resolve().parent.name == "release" else ", not optimised"
        rows.append((f"`sg-audit check --live --organization`{built}", seconds, requests, busy))

        configured = [
            {
                "account_id": account,
                "name": account,
                "role": f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole",
                "regions": [REGION],
            }
            for account in accounts
        ]
        (folder / "accounts.json").write_text(json.dumps({"accounts": configured}))
        (folder / "policy.json").write_text(json.dumps(POLICY))
        status, out, err, seconds, requests, busy = run(
            [custodian / "bin/c7n-org", "run", "-c", "accounts.json", "-u", "policy.json", "-s", "out", "--cache-period", "0"],
            server, env=variables, cwd=folder,
        )
        resources = [json.loads(file.read_text()) for file in folder.glob("out/**/resources.json")]
        found = sum(len(groups) for groups in resources)
        if status or found != bad:
            sys.exit(f"c7n-org ended with {status} and found {found} of {bad} open groups:\n{out}{err}")
        rows.append(("c7n-org", seconds, requests, busy))
    server.stdin.close()

    versions = subprocess.run(
        [custodian / "bin/pip", "list", "--format", "json"], check=True, capture_output=True, text=True
    ).stdout
    version = next(package["version"] for package in json.loads(versions) if package["name"].replace("_", "-") == "c7n-org")
    lines = [
        f"Measured on {datetime.date.today()}: {os.cpu_count()} cores, {platform.system()} {platform.machine()}, c7n-org {version}, "
        f"{len(accounts)} accounts with {groups + 1} groups each, {bad} of them open to the Internet; one run each.",
        "",
        "| with | s | groups a second | requests | of the time, in moto |",
        "|---|---|---|---|---|",
    ]
    for name, seconds, requests, busy in rows:
        lines.append(
            f"| {name} | {seconds:.1f} | {all_groups / seconds:.0f} | {requests} | {100 * busy / seconds:.0f} % |"
        )
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}")
    print("\n".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
