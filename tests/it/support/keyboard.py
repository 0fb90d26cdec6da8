"""Runs a command whose standard input is a pseudo-terminal, on which somebody ends the input at once.

Usage: python3 keyboard.py COMMAND...
"""

import os
import pty
import subprocess
import sys

END_OF_INPUT = b"\x04"

ours, theirs = pty.openpty()
process = subprocess.Popen(sys.argv[1:], stdin=theirs)
os.close(theirs)
os.write(ours, END_OF_INPUT)
sys.exit(process.wait())
