"""Runs a command. When standard input ends, kills the command and every process that it started.

The Runtime Interface Emulator puts the function into a process group of its own, so a signal to the emulator or to its
group does not reach the function. This process is a "subreaper": it inherits the orphans that the emulator leaves.
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
