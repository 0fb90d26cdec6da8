"""Runs a command on a pseudo-terminal and prints its output.

Usage: python3 terminal.py COLUMNS COMMAND...
"""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

columns, command = int(sys.argv[1]), sys.argv[2:]
ours, theirs = pty.openpty()
fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs)
os.close(theirs)
while True:
    try:
        written = os.read(ours, 65536)
    except OSError:  # Linux raises this when the last writer has closed the terminal.
        break
    if not written:
        break
    sys.stdout.buffer.write(written)
sys.exit(process.wait())
