"""What Terraform uploads, judged without running it: the packages for Lambda on arm64."""

import _imp
import hashlib
import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path, PurePath
from zipfile import ZipFile

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from lambda_packages import LAYER, built_functions
from planned import Plan
from tools import REPOSITORY

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_ZIPPED, MAX_UNZIPPED, MAX_VARIABLES = 50 * 1000**2, 250 * 1000**2, 4096
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
RESERVED = re.compile(r"_HANDLER|_X_AMZN_TRACE_ID|AWS_|LAMBDA_|TZ$")
PYTHON, GLIBC = (3, 13), (2, 34)
ELF, AARCH64 = b"\x7fELF", 183
# Bytecode of CPython 3.13, of which Python checks no source: PEP 552.
MAGIC, UNCHECKED = (3571).to_bytes(2, "little") + b"\r\n", (1).to_bytes(4, "little")
READABLE_FILE = 0o644
# The runtime has them; another version beside it would be a second SDK in memory.
BROUGHT_BY_AWS = {"boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six.py", "awslambdaric"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a package."""

    name: str
    content: bytes
    mode: int = READABLE_FILE

    @property
    def path(self) -> PurePath:
        """Return the path in the package."""
        return PurePath(self.name)


@pytest.fixture(scope="session")
def archives() -> dict[str, Path]:
    return {built.path.stem: built.path for built in built_functions("aws")}


@pytest.fixture(scope="session")
def contents(archives: dict[str, Path]) -> dict[str, list[Entry]]:
    return {name: read(archive) for name, archive in archives.items()}


def read(archive: Path) -> list[Entry]:
    with ZipFile(archive) as zipped:
        return [
            Entry(entry.filename, zipped.read(entry), entry.external_attr >> 16 & 0o7777)
            for entry in zipped.infolist()
        ]


def faults(entry: Entry) -> Iterator[str]:
    """Say what Lambda's python3.13 on arm64 cannot use of a file in a package."""
    if entry.mode != READABLE_FILE:
        yield f"has mode {entry.mode:o}: Lambda's user could not read it, or could write to it"
    if entry.path.suffix == ".pyc" and not entry.content.startswith(MAGIC + UNCHECKED):
        yield "is bytecode of another Python, or is checked against its source"
    if set(entry.path.parts[:2]) & BROUGHT_BY_AWS:
        yield "is brought by the runtime"
    if entry.path.name == "WHEEL":
        for tag in re.findall(r"^Tag: (.+)$", entry.content.decode(), re.MULTILINE):
            if not fits(tag):
                yield f"is of a wheel for {tag}"
    if entry.content.startswith(ELF) or ".so" in entry.path.suffixes:
        yield from binary_faults(entry)


def fits(tag: str) -> bool:
    """Can Lambda's Python use wheels with this tag?"""
    python, abi, platform = tag.split("-")
    if (abi, platform) == ("none", "any"):
        return python.startswith("py3") or python == "cp313"
    version = re.fullmatch(r"cp3(\d+)", python)
    usable = version and (abi == python == "cp313" or (abi == "abi3" and int(version[1]) <= PYTHON[1]))
    return bool(usable) and bool(re.fullmatch(r"manylinux\w*_aarch64", platform))


def binary_faults(entry: Entry) -> Iterator[str]:
    """Say why the dynamic linker or the interpreter would refuse a shared library."""
    header = entry.content[:20]
    if (
        not header.startswith(ELF)
        or header[4:6] != b"\x02\x01"
        or struct.unpack_from("<H", header, 18)[0] != AARCH64
    ):
        yield "is no 64-bit ELF file for aarch64"
        return
    needed = {(int(major), int(minor)) for major, minor in re.findall(rb"GLIBC_(\d+)\.(\d+)", entry.content)}
    if max(needed, default=GLIBC) > GLIBC:
        yield f"needs glibc {max(needed)}, and Amazon Linux 2023 has {GLIBC}"
    if b"PyInit_" in entry.content and not re.search(
        r"\.(cpython-313-aarch64-linux-gnu|abi3)\.so$", entry.name
    ):
        yield "is an extension module that the interpreter does not look for"


def test_every_file_is_one_that_lambda_can_use(contents: dict[str, list[Entry]]) -> None:
    found = [
        f"{name}: {entry.name} {fault}"
        for name, files in contents.items()
        for entry in files
        for fault in faults(entry)
    ]
    assert found == []
    binaries = [entry.name for entry in contents[LAYER] if entry.content.startswith(ELF)]
    assert {PurePath(name).name.partition(".")[0] for name in binaries} >= {"orjson", "_pydantic_core"}


GOOD = ELF + b"\x02\x01" + bytes(12) + struct.pack("<H", AARCH64)
X86 = ELF + b"\x02\x01" + bytes(12) + struct.pack("<H", 62)
EXTENSION = "python/a.cpython-313-aarch64-linux-gnu.so"


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (Entry("a.py", b"", 0o600), "has mode 600"),
        (Entry("a.py", b"", 0o666), "has mode 666"),
        (Entry("a/b.pyc", (3495).to_bytes(2, "little") + b"\r\n" + UNCHECKED), "bytecode of another Python"),
        (Entry("a/b.pyc", MAGIC + (3).to_bytes(4, "little")), "is checked against its source"),
        (Entry("python/botocore/__init__.py", b""), "brought by the runtime"),
        (Entry(EXTENSION, X86), "no 64-bit ELF file for aarch64"),
        (Entry(EXTENSION, b"MZ"), "no 64-bit ELF file for aarch64"),
        (Entry("python/a.libs/liba-1.so.6", X86), "no 64-bit ELF file for aarch64"),
        (Entry(EXTENSION, GOOD + b"\0GLIBC_2.38\0"), "needs glibc"),
        (Entry("a.cpython-312-aarch64-linux-gnu.so", GOOD + b"\0PyInit_a\0"), "does not look for"),
        (Entry("a.dist-info/WHEEL", b"Tag: cp313-cp313-manylinux_2_28_x86_64\n"), "wheel for"),
        (Entry("a.dist-info/WHEEL", b"Tag: cp313-cp313-musllinux_1_2_aarch64\n"), "wheel for"),
        (Entry("a.dist-info/WHEEL", b"Tag: cp312-cp312-manylinux_2_28_aarch64\n"), "wheel for"),
        (Entry("a.dist-info/WHEEL", b"Tag: cp314-abi3-manylinux_2_28_aarch64\n"), "wheel for"),
    ],
)
def test_a_file_that_lambda_cannot_use_is_named(entry: Entry, fault: str) -> None:
    (found,) = faults(entry)
    assert fault in found


def test_packages_are_within_lambdas_sizes(
    archives: dict[str, Path], contents: dict[str, list[Entry]]
) -> None:
    assert max(archive.stat().st_size for archive in archives.values()) < MAX_ZIPPED
    unzipped = {name: sum(len(entry.content) for entry in files) for name, files in contents.items()}
    layer = unzipped.pop(LAYER)
    assert layer + max(unzipped.values()) < MAX_UNZIPPED


def test_each_python_file_has_bytecode_of_itself(contents: dict[str, list[Entry]]) -> None:
    """Python never checks it against its source, so what is stale would run."""
    for name, files in contents.items():
        found = {entry.name: entry.content for entry in files}
        sources = [path for path in map(PurePath, found) if path.suffix == ".py"]
        beside = {str(path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc"): path for path in sources}
        assert beside.keys() == {path for path in found if path.endswith(".pyc")}, name
        for compiled, source in beside.items():
            kept = _imp.source_hash(int.from_bytes(MAGIC, "little"), found[str(source)])
            assert found[compiled][8:16] == kept, compiled


def test_handlers_and_variables_are_within_lambdas_rules(
    contents: dict[str, list[Entry]], plan: Plan
) -> None:
    for name, function in plan.functions().items():
        module, _, _ = function["handler"].rpartition(".")
        assert f"{module.replace('.', '/')}.py" in {entry.name for entry in contents[name]}
        (environment,) = function["environment"]
        size = sum(len(f"{key}{text}".encode()) for key, text in environment["variables"].items())
        assert size <= MAX_VARIABLES, name
        assert [key for key in environment["variables"] if RESERVED.match(key)] == [], name
        assert len(function["layers"]) == 1, "all functions share the layer"


def test_the_packages_that_are_run_differ_in_wheels_alone(contents: dict[str, list[Entry]]) -> None:
    """tests/packages runs those of this machine's processor; their other files are the same, byte by byte."""
    here = {built.path.stem: read(built.path) for built in built_functions("here")}
    for name, files in contents.items():
        ours = {entry.name: entry.content for entry in here[name] if portable(entry)}
        assert ours == {entry.name: entry.content for entry in files if portable(entry)}, name


def portable(entry: Entry) -> bool:
    return not (
        entry.content.startswith(ELF)
        or entry.path.parent.suffix in (".dist-info", ".libs")
        or "sboms" in entry.name
    )


def test_bills_of_materials_list_what_the_packages_hold(archives: dict[str, Path]) -> None:
    """CycloneDX's schema judges the form, METADATA in the zip the names, and the lock files the hashes."""
    functions = REPOSITORY / "functions"
    locks = {path.parent.name: path.read_text() for path in functions.glob("**/requirements.lock")}
    judge, held = JsonStrictValidator(SchemaVersion.V1_6), 0
    for name, archive in archives.items():
        text = archive.with_suffix(".cdx.json").read_text()
        assert judge.validate_str(text) is None
        bill = json.loads(text)
        (digest,) = bill["metadata"]["component"]["hashes"]
        assert digest["content"] == hashlib.sha256(archive.read_bytes()).hexdigest()
        with ZipFile(archive) as zipped:
            metadata = [
                zipped.read(path).decode() for path in zipped.namelist() if path.endswith("/METADATA")
            ]
        inside = {(head["Name"], head["Version"]) for head in map(message_from_string, metadata)}
        listed = {(part["name"], part["version"]) for part in bill["components"]}
        assert listed == {(shown.lower().replace("_", "-"), version) for shown, version in inside}
        for part in bill["components"]:
            lock = locks["telemetry" if name == LAYER else name]
            (hashes,) = re.findall(
                rf"^{part['name']}=={part['version']} .*\n((?: +--hash.*\n)+)", lock, re.MULTILINE
            )
            assert part["hashes"][0]["content"] in hashes
        held += len(listed)
    assert held > len(locks)
