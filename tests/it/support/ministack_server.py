"""Runs ministack on a free port of the loopback interface.

Usage: python ministack_server.py PARENT_FOLDER

Prints the port and a folder for whatever is deployed to it. When standard input ends, it stops ministack and the
functions that ministack runs, and deletes the folder.
"""

import os
import pathlib
import select
import socket
import subprocess
import sys
import tempfile
import time

SUPERVISE = pathlib.Path(__file__).with_name("supervise.py")
MINISTACK = pathlib.Path(__file__).with_name("as_cloudformation_does.py")
# Seconds until a start counts as failed. On an idle machine it takes a fraction of a second.
LIMIT = 60


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def start(port, folder):
    """Returns the server once it listens, or None if it exited or timed out, for example because the port was taken."""
    settings = {
        "GATEWAY_PORT": str(port),
        # By default it binds every interface, and a fixed port for MQTT.
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "TMPDIR": folder,
        "HOME": folder,
        # For the functions, which inherit the server's variables besides those of the template.
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }
    with open(f"{folder}/log", "wb") as log:
        server = subprocess.Popen(
            [sys.executable, SUPERVISE, sys.executable, "-B", MINISTACK],
            env={**os.environ, **settings},
            # A pipe of its own: closing it ends everything that `supervise` started. A signal to `supervise` would not.
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
    end = time.monotonic() + LIMIT
    while server.poll() is None and time.monotonic() < end:
        if listens(port):
            return server
        time.sleep(0.05)
    end_of(server)
    return None


def end_of(server):
    server.stdin.close()
    server.wait()


with tempfile.TemporaryDirectory(prefix="ministack-", dir=sys.argv[1], ignore_cleanup_errors=True) as folder:
    # Another process can take the free port before the server binds it, so try up to five ports.
    for port in (free_port() for _ in range(5)):
        if server := start(port, folder):
            print(port, folder, flush=True)
            select.select([sys.stdin, os.pidfd_open(server.pid)], [], [])
            end_of(server)
            break
        with open(f"{folder}/log") as log:
            sys.stderr.write(log.read())
