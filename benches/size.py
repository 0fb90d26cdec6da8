"""Prints the size of each crate's code in the function's program, as a table for docs/performance.md.

Usage: python3 benches/size.py PROGRAM

PROGRAM must not be stripped: cargo rustc --release --bin typo3-sg-auditor -- -C strip=none

The sizes come from `nm` (binutils). A symbol counts for the first crate in its name. So generic code counts for the
crate that defines it and not for the crate that uses it: `core` and `alloc` consist mostly of such code.
"""

import collections
import re
import subprocess
import sys

CRATE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\[[0-9a-f]+\])?::")
LEAST = 100_000

listed = subprocess.run(["nm", "-S", "--demangle", sys.argv[1]], check=True, capture_output=True, text=True).stdout
code = collections.Counter()
for line in listed.splitlines():
    address, size, kind, name = (line.split(None, 3) + [""] * 4)[:4]
    if kind in ("t", "T", "w", "W"):
        crate = CRATE.search(name)
        code[crate[1] if crate else "aws-lc" if name.startswith("aws_lc") else "the rest of C and assembly"] += int(size, 16)
whole = sum(code.values())
if not whole:
    sys.exit(f"{sys.argv[1]} has no symbols")
small = sum(size for size in code.values() if size < LEAST)
rows = [(crate, size) for crate, size in code.most_common() if size >= LEAST] + [("crates with less", small), ("all code", whole)]
print("| crate | KiB | of the code |\n|---|---|---|")
for crate, size in rows:
    print(f"| {crate} | {size / 1024:.0f} | {100 * size / whole:.1f} % |")
