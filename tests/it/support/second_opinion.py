"""Runs the state machine of an organisation with moto's interpreter, and a function that answers as the real one does.

Usage: python second_opinion.py DEFINITION

The second account has a rest, the third one fails each time. Prints how the execution ended and what was asked for:
{"status": ..., "error": ..., "cause": ..., "asked": {ACCOUNT OR TASK: TIMES}}.
"""

import collections
import http.server
import json
import os
import sys
import threading

ACCOUNTS = ["111122223333", "123456789012", "210987654321"]
asked = collections.Counter()


def invoked(payload):
    if "discover" in payload:
        asked["discover"] += 1
        run = payload["discover"]["run"]
        assert payload["discover"]["input"] == {"accounts": ["organization"]}
        return {"run": run, "expected": f"runs/{run}/expected.json", "accounts": 3, "places": 3}
    if "digest" in payload:
        asked["digest"] += 1
        totals = {"expected": 3, "audited": 2, "unread": 0, "missing": 1}
        answer = {"run": payload["digest"]["run"], "totals": totals, "table": "s3://results/table", "missing": True}
        return {**answer, "cause": f"1 of 3 places are missing; {payload['digest']['machine'].split(':')[-1]}"}
    sweep = payload["sweep"]
    asked[sweep["account"]] += 1
    if sweep["account"] == ACCOUNTS[2]:
        return None
    is_first = sweep["account"] == ACCOUNTS[1] and "done" not in sweep
    rest = {"sweep": {**sweep, "done": []}} if is_first else None
    return {"places": [], "totals": {}, "rest": rest, "wait": is_first}


class Handler(http.server.BaseHTTPRequestHandler):
    """Lambda and S3."""

    def log_message(self, *_):
        pass

    def send(self, body, headers=()):
        self.send_response(200)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = invoked(payload)
        if answer is None:
            error = {"errorType": "NotPublished", "errorMessage": "the finding could not be published"}
            return self.send(json.dumps(error).encode(), [("X-Amz-Function-Error", "Unhandled")])
        self.send(json.dumps(answer).encode())

    def do_GET(self):
        assert self.path.endswith("/expected.json"), self.path
        items = [{"account": account, "regions": ["eu-central-1"]} for account in ACCOUNTS]
        self.send(json.dumps(items).encode(), [("ETag", '"1"')])


aws = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=aws.serve_forever, daemon=True).start()
os.environ["MOTO_PORT"] = str(aws.server_address[1])

import boto3  # noqa: E402
from moto.core.config import default_user_config  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402

default_user_config["stepfunctions"]["execute_state_machine"] = True
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
states = boto3.client(
    "stepfunctions",
    endpoint_url=f"http://{host}:{port}",
    region_name="eu-central-1",
    aws_access_key_id="key",
    aws_secret_access_key="secret",
)
with open(sys.argv[1]) as file:
    definition = file.read()
for name, value in {
    "InvokeFunction": "arn:aws:states:::lambda:invoke",
    "GetObject": "arn:aws:states:::s3:getObject",
    "FunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:auditor",
    "Bucket": "results",
    "Accounts": "organization",
    "Regions": "",
}.items():
    definition = definition.replace("${" + name + "}", value)
# Nobody waits so long here. moto refuses the percentage as an integer, which AWS takes.
definition = definition.replace('"IntervalSeconds": 10', '"IntervalSeconds": 1')
definition = definition.replace('"MaxDelaySeconds": 300', '"MaxDelaySeconds": 1').replace('"Seconds": 60', '"Seconds": 1')
definition = definition.replace('"ToleratedFailurePercentage": 100', '"ToleratedFailurePercentage": 100.0')
role = "arn:aws:iam::123456789012:role/sweep"
machine = states.create_state_machine(name="sweep", definition=definition, roleArn=role)["stateMachineArn"]
started = states.start_execution(stateMachineArn=machine, name="one", input='{"accounts": ["organization"]}')
while True:
    told = states.describe_execution(executionArn=started["executionArn"])
    if told["status"] != "RUNNING":
        break
ended = {name: told.get(name) for name in ("status", "error", "cause")}
print(json.dumps({**ended, "asked": asked}))
