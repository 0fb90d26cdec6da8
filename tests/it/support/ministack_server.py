"""ministack on a free port of the loopback: prints the port and a folder for what is deployed to it, serves, and ends
when its standard input does, together with the functions that it runs. The folder goes with it.

Usage: python ministack_server.py PARENT_FOLDER
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
# In seconds, for what takes a fraction of one on an idle machine.
LIMIT = 60


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def start(port, folder):
    """The server, once it listens; None where it ended instead, as it does when another took the port."""
    settings = {
        "GATEWAY_PORT": str(port),
        # It binds every interface unless told otherwise, and a fixed port for MQTT.
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "TMPDIR": folder,
        "HOME": folder,
        # For the functions, which have the server's variables beside those of the template.
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }
    with open(f"{folder}/log", "wb") as log:
        server = subprocess.Popen(
            [sys.executable, SUPERVISE, sys.executable, "-B", "-m", "ministack"],
            env={**os.environ, **settings},
            # A pipe of its own: what `supervise` started ends when this is closed, and would outlive a signal to it.
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
    # A port that was free can be taken before the server binds it; then others are tried.
    for port in (free_port() for _ in range(5)):
        if server := start(port, folder):
            print(port, folder, flush=True)
            select.select([sys.stdin, os.pidfd_open(server.pid)], [], [])
            end_of(server)
            break
        with open(f"{folder}/log") as log:
            sys.stderr.write(log.read())
