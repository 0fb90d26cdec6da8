"""Runs the AWS CLI in processes that have it loaded already, since a new one takes half a second to load it.

Usage: python aws_server.py FOLDER

Puts a program `aws` into FOLDER, which has this server run the AWS CLI with its own arguments, variables, working folder
and standard streams. Prints a line once it does. When standard input ends, so does the server.
"""

import contextlib
import gc
import io
import os
import pathlib
import signal
import socket
import sys
import threading

from awscli.clidriver import create_clidriver

# What `sg-audit doctor` and the commands that it prints call.
SERVICES = [
    "cloudformation",
    "cloudtrail",
    "cloudwatch",
    "ec2",
    "events",
    "iam",
    "kms",
    "lambda",
    "logs",
    "organizations",
    "s3",
    "sns",
    "sqs",
    "sts",
]
CLIENT = """#!{python} -SI
import os, socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect({path!r})
words = [os.getcwd(), str(len(sys.argv) - 1), *sys.argv[1:], *(f"{{name}}={{value}}" for name, value in os.environ.items())]
message = os.fsencode("\\0".join(words))
socket.send_fds(client, [b"%010d" % len(message)], [0, 1, 2])
client.sendall(message)
answer = client.recv(16)
sys.exit(int(answer) if answer else 255)
"""


def received(connection):
    """Returns what a client wants to be run, and its standard streams."""
    length, streams, _, _ = socket.recv_fds(connection, 10, 3)
    message = b""
    while len(message) < int(length):
        part = connection.recv(1 << 16)
        if not part:
            raise EOFError
        message += part
    folder, count, *words = os.fsdecode(message).split("\0")
    return streams, folder, words[: int(count)], words[int(count) :]


def run(driver, connection):
    """Runs the AWS CLI in this process, for one client."""
    streams, folder, arguments, variables = received(connection)
    for own, stream in enumerate(streams):
        os.dup2(stream, own)
    os.environ.clear()
    os.environ.update(variable.split("=", 1) for variable in variables)
    os.chdir(folder)
    # What was made when the server started is bound to its own streams.
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")
    try:
        status = driver.main(arguments)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 255
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(str(status).encode())


def main(folder):
    path = str(folder / "socket")
    driver = create_clidriver()
    loader = driver.session.get_component("data_loader")
    for service in SERVICES:
        loader.load_service_model(service, "service-2")
        loader.load_service_model(service, "endpoint-rule-set-1")
    # What a first call loads, later ones find.
    with contextlib.redirect_stdout(io.StringIO()):
        driver.main(["sts", "get-caller-identity"])
    gc.freeze()
    program = folder / "aws"
    program.write_text(CLIENT.format(python=sys.executable, path=path))
    program.chmod(0o755)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        print("ready", flush=True)
        threading.Thread(target=lambda: (sys.stdin.buffer.read(), os._exit(0)), daemon=True).start()
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                try:
                    run(driver, connection)
                finally:
                    os._exit(0)
            connection.close()


main(pathlib.Path(sys.argv[1]))
