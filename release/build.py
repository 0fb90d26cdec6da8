"""Makes what a release consists of. The same sources and tools make the same bytes.

Usage: python3 release/build.py check TAG            whether this version may be released under this tag
       python3 release/build.py function ARCH OUT    OUT/function-ARCH.zip; ARCH is arm64 or x86_64
       python3 release/build.py command-line OUT     the static sg-audit and the wheel, for this machine's processor
       python3 release/build.py assets OUT           the unpacked templates, the metadata of the Serverless Application
                                                     Repository, and SHA256SUMS

The command line contains both zips, so `function` comes first, for both processors. With PROGRAM=FILE, `function` packs
that file instead of compiling anything.
"""

import gzip
import hashlib
import io
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
ARCHITECTURES = {"arm64": "aarch64", "x86_64": "x86_64"}
# The time of every file in an archive, and the earliest that a zip can have.
EPOCH = 315532800
EXECUTABLE, PLAIN = 0o755, 0o644
METADATA = "AWS::ServerlessRepo::Application"


def version():
    # The first one is that of the workspace.
    return re.search('^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]


def output(*command):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def tools(requirements):
    """The programs of a Python environment that is made on first use."""
    made = output(sys.executable, "tests/python_env.py", str(TARGET), requirements)
    return pathlib.Path(made.strip()) / "bin"


def compiled(*command, tools, **variables):
    """Runs a command that compiles. No path of this machine is left in what it makes."""
    cargo_home = os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo")
    environment = {
        **os.environ,
        "CARGO_TARGET_DIR": str(TARGET),
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "RUSTFLAGS": f"--remap-path-prefix={cargo_home}/registry/src=/registry",
        "SOURCE_DATE_EPOCH": str(EPOCH),
        **variables,
    }
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


def zipped(path, files):
    """Writes files, each with its name, its bytes and its mode, in this order."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content, mode in files:
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content, compresslevel=9)


def check(tag):
    expected = f"v{version()}"
    if tag != expected:
        sys.exit(f"the tag is {tag}, but Cargo.toml has the version of {expected}: correct one of them")
    if not re.search('^repository = "https://.+"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE):
        sys.exit("Cargo.toml has no `repository`, by which `cargo binstall` finds the release: write its address under [package]")
    if "(unreleased)" in (ROOT / "CHANGELOG.md").read_text().split(f"## {version()}", 1)[-1].split("\n", 1)[0]:
        sys.exit(f"CHANGELOG.md calls {version()} unreleased: write the date instead")


def function(arch, out):
    program = os.environ.get("PROGRAM")
    if program is None:
        flags = ["--arm64"] if arch == "arm64" else ["--x86-64"]
        command = ["cargo", "lambda", "build", "--release", "--locked", *flags, "--bin", "typo3-sg-auditor"]
        compiled(*command, tools=tools("tests/build-requirements.txt"))
        program = TARGET / "lambda/typo3-sg-auditor/bootstrap"
    content = pathlib.Path(program).read_bytes()
    # The machine of an ELF file: 62 for x86_64, 183 for arm64.
    machine = {62: "x86_64", 183: "arm64"}.get(int.from_bytes(content[18:20], "little"))
    if content[:4] != b"\x7fELF" or machine != arch:
        sys.exit(f"{program} is not a program for {arch}")
    zipped(out / f"function-{arch}.zip", [("bootstrap", content, EXECUTABLE)])


def command_line(out):
    zips = {f"SG_AUDIT_FUNCTION_{arch.upper()}": str(out / f"function-{arch}.zip") for arch in ARCHITECTURES}
    missing = [path for path in zips.values() if not pathlib.Path(path).is_file()]
    if missing:
        sys.exit(f"{', '.join(missing)}: not there yet; run `function` for both processors first")
    processor = platform.machine()
    target = f"{processor}-unknown-linux-musl"
    programs = tools("release/requirements.txt")
    with tempfile.TemporaryDirectory() as made:
        command = [programs / "maturin", "build", "--release", "--locked", "--strip", "--target", target]
        command += ["--no-default-features", "--features", "bundle", "--auditwheel", "skip", "--out", made]
        compiled(*command, tools=programs, **zips)
        (wheel,) = pathlib.Path(made).glob("*.whl")
        # It is static, so it runs with any C library.
        systems = [f"manylinux_2_17_{processor}", f"manylinux2014_{processor}", f"musllinux_1_1_{processor}"]
        tags = ["tags", "--remove", "--platform-tag", ".".join(systems), wheel]
        subprocess.run(
            [programs / "wheel", *tags], check=True, env={**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH)}
        )
        (wheel,) = pathlib.Path(made).glob("*.whl")
        (out / wheel.name).write_bytes(wheel.read_bytes())
    with zipfile.ZipFile(out / wheel.name) as archive:
        (name,) = [name for name in archive.namelist() if "/scripts/" in name]
        program = archive.read(name)
    folder = f"sg-audit-{version()}-{target}"
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content, mode in [
            ("LICENSE", (ROOT / "LICENSE").read_bytes(), PLAIN),
            ("sg-audit", program, EXECUTABLE),
        ]:
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mode, entry.mtime = len(content), mode, EPOCH
            archive.addfile(entry, io.BytesIO(content))
    # The level says how it is compressed, and the time would say when.
    (out / f"{folder}.tar.gz").write_bytes(gzip.compress(tar.getvalue(), compresslevel=9, mtime=0))


def program_of(out, folder):
    """The sg-audit for this machine's processor, out of its archive."""
    (archive,) = out.glob(f"sg-audit-*-{platform.machine()}-unknown-linux-musl.tar.gz")
    with tarfile.open(archive) as tar:
        (name,) = [name for name in tar.getnames() if name.endswith("/sg-audit")]
        path = folder / "sg-audit"
        path.write_bytes(tar.extractfile(name).read())
    path.chmod(EXECUTABLE)
    return path


def serverless_repo(template):
    """The template with what the Serverless Application Repository asks for."""
    values = json.loads((ROOT / "release/serverless-repo.json").read_text())
    values["SemanticVersion"] = version()
    if "GITHUB_REPOSITORY" in os.environ:
        page = f"{os.environ['GITHUB_SERVER_URL']}/{os.environ['GITHUB_REPOSITORY']}"
        values |= {"HomePageUrl": page, "SourceCodeUrl": f"{page}/tree/v{version()}"}
    # JSON is YAML.
    lines = [f"    {name}: {json.dumps(value)}\n" for name, value in values.items()]
    head, sections, tail = template.partition("\nMetadata:\n")
    if not sections or METADATA in template:
        sys.exit("template.yaml has to have the section Metadata, without what is for the repository")
    return f"{head}{sections}  {METADATA}:\n{''.join(lines)}{tail}"


def assets(out):
    for arch in ARCHITECTURES:
        with tempfile.TemporaryDirectory() as temporary:
            temporary = pathlib.Path(temporary)
            folder = temporary / f"typo3-sg-auditor-{version()}-{arch}"
            subprocess.run([program_of(out, temporary), "unpack", folder, "--arch", arch], check=True)
            if arch == "arm64":
                template = serverless_repo((folder / "template.yaml").read_text())
                (folder / "serverless-repo.yaml").write_text(template)
                for name in ("LICENSE", "README.md"):
                    (folder / name).write_bytes((ROOT / name).read_bytes())
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            named = [(str(path.relative_to(temporary)), path.read_bytes(), PLAIN) for path in files]
            zipped(out / f"{folder.name}.zip", named)
    names = sorted(path.name for path in out.iterdir() if path.is_file() and path.name != "SHA256SUMS")
    sums = [f"{hashlib.sha256((out / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (out / "SHA256SUMS").write_text("".join(sums))


def main(arguments):
    match arguments:
        case ["check", tag]:
            check(tag)
        case ["function", arch, out] if arch in ARCHITECTURES:
            function(arch, made(out))
        case ["command-line", out]:
            command_line(made(out))
        case ["assets", out]:
            assets(made(out))
        case _:
            sys.exit(__doc__)


def made(folder):
    path = pathlib.Path(folder).resolve()
    path.mkdir(parents=True, exist_ok=True)
    return path


if __name__ == "__main__":
    main(sys.argv[1:])
