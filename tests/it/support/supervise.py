"""Runs a command, and ends it with every process that it started when standard input ends.

The Runtime Interface Emulator puts the function into a process group of its own, so neither a signal to the emulator
nor one to its group reaches the function. As "subreaper", this process inherits what the emulator leaves behind.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys

PR_SET_CHILD_SUBREAPER = 36


def children():
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as stat:
                parent = stat.read().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if int(parent) == os.getpid():
            yield int(entry)


ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
select.select([sys.stdin, os.pidfd_open(command.pid)], [], [])
while True:
    for pid in children():
        os.kill(pid, signal.SIGKILL)
    try:
        os.waitpid(-1, 0)
    except ChildProcessError:
        break
