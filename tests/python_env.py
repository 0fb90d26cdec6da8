"""Creates a Python environment for a requirements file and prints its path. Reuses one that exists already.

Usage: python3 tests/python_env.py TARGET_FOLDER [REQUIREMENTS]

REQUIREMENTS defaults to requirements.txt beside this file. The environment is TARGET_FOLDER/it-venv-HASH, and the hash
depends on the contents of that file and on the Python in use. A lock lets several test runs start at the same time. A
marker file is written last, so an environment without it is known to be incomplete and is created again.
"""

import fcntl
import hashlib
import pathlib
import shutil
import subprocess
import sys

REQUIREMENTS = pathlib.Path(__file__).with_name("requirements.txt")


def main(target: pathlib.Path, requirements: pathlib.Path = REQUIREMENTS) -> None:
    if sys.version_info < (3, 10):
        sys.exit(f"the tests need Python 3.10 or newer, and `python3` is {sys.version.split()[0]}: install a newer one")
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        sys.exit("the tests need Python's venv and ensurepip: install them (on Debian: apt-get install python3-venv)")

    made_of = requirements.read_bytes() + sys.executable.encode() + sys.version.encode()
    path = target.resolve() / f"it-venv-{hashlib.sha256(made_of).hexdigest()[:12]}"
    mark = path / "complete"
    target.mkdir(parents=True, exist_ok=True)
    with open(target / "it-venv.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists():
            shutil.rmtree(path, ignore_errors=True)
            venv.create(path, with_pip=True)
            install = [path / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            result = subprocess.run([*install, "--no-deps", "-r", requirements], stdout=sys.stderr)
            if result.returncode != 0:
                sys.exit(f"pip could not install {requirements}: the Python package registry must be reachable")
            mark.touch()
    print(path)


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:]))
