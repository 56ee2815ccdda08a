"""Build the packages that Terraform uploads: byte-identical from the same inputs."""

import hashlib
import os
import platform
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from rich.console import Console
from rich.table import Table
from telemetry import catalog

from tools import REPOSITORY, Arguments, CommandError, bytecode, connectors, jars, run, sbom
from tools.engine import EngineMissing


def _lambda_wheels(machine: str) -> tuple[str, ...]:
    """Return pip's choice of wheels for Lambda's runtime on a processor: python3.13 and glibc 2.34."""
    return (
        f"--platform=manylinux2014_{machine}",
        f"--platform=manylinux_2_28_{machine}",
        "--python-version=3.13",
        "--implementation=cp",
    )


# The wheels each target needs: those of this interpreter, or of Lambda on arm64, which Terraform uploads to.
TARGETS: dict[str, tuple[str, ...]] = {"local": (), "aws": _lambda_wheels("aarch64")}
# tests/packages runs what Lambda would run, on this machine's processor.
WHEELS = TARGETS | {"here": _lambda_wheels(platform.machine())}
EPOCH = (1980, 1, 1, 0, 0, 0)
READABLE_FILE = 0o100644 << 16
NOT_SOURCE = ("__pycache__", "requirements.txt", "requirements.lock", "*.md", ".*")
# Unused in Lambda, or different in each installation; METADATA stays for vulnerability scanners.
NOT_SHIPPED = (
    "__pycache__",
    "tests",
    "bin",
    "*.pyi",
    "py.typed",
    "RECORD",
    "INSTALLER",
    "REQUESTED",
    "direct_url.json",
)
# Modules of the layer that go into a Spark job's zip, because Spark's machines have no layer. The batch job
# judges silver as data_quality does, leaves out what was corrected, and waits for late events as long as they
# are accepted.
BORROWED = {
    "batch_analytics": tuple(
        f"telemetry/{name}.py" for name in ("__init__", "corrections", "lateness", "sequences", "silver")
    )
}
# The Java connector that an application needs on AWS, which its service does not bring.
CONNECTORS = {"realtime_analytics": connectors.PUBLISHED}


@dataclass(frozen=True)
class Package:
    """One zip: our files by their name in it, and the wheels or the Java connector beside them.

    A Spark job's `entry` is copied beside the zip: <name>.main.py.
    """

    name: str
    files: Mapping[str, Path]
    requirements: Path | None = None
    prefix: str = ""
    connector: jars.JarSet | None = None
    entry: Path | None = None

    def inputs(self, target: str) -> Mapping[str, Path]:
        """Return all files that the zip depends on, beside its connector."""
        inputs = dict(self.files) | {"build.py": Path(__file__)}
        if self.on_lambda:
            inputs["bytecode.py"] = Path(bytecode.__file__)
        if self.java:
            inputs["connectors.py"] = Path(connectors.__file__)
        if self.entry:
            inputs["main.py"] = self.entry
        if self.requirements and self.requirements.is_file():
            inputs["requirements.txt"] = self.requirements
            inputs["requirements.lock"] = locked(self.requirements)
        return inputs

    @property
    def on_lambda(self) -> bool:
        """Tell a function or a layer from the applications of Flink and Spark, which run another Python."""
        return not (self.connector or self.entry)

    @property
    def java(self) -> list[Path]:
        """Return the sources of a connector of ours, which goes into the same jar."""
        return [path for name, path in sorted(self.files.items()) if name.endswith(".java")]

    def wanted(self, target: str) -> jars.JarSet | None:
        """Return the connector that the zip for a target holds."""
        return self.connector if target == "aws" else None


@dataclass(frozen=True)
class Built:
    """A zip in build/, and whether this run wrote it."""

    path: Path
    is_new: bool


def packages(root: Path = REPOSITORY) -> list[Package]:
    """Return the layer, each function that has a handler, the Flink application and the Spark job."""
    functions = root / "functions"
    layer = functions / "layers" / "telemetry"
    schemas = root / "event-schemas"
    layer_files = {
        **_tree(layer / "telemetry", "python/telemetry"),
        **{f"python/telemetry/schemas/{path.relative_to(schemas)}": path for path in catalog.files(schemas)},
        **{f"python/telemetry/schemas/{name}": schemas / name for name in ("metrics.json", catalog.PATTERNS)},
    }
    return [
        Package("telemetry-layer", layer_files, layer / "requirements.txt", prefix="python/"),
        *(
            Package(
                handler.parent.name,
                _tree(handler.parent, handler.parent.name),
                handler.parent / "requirements.txt",
            )
            for handler in sorted(functions.glob("*/handler.py"))
        ),
        *(_application(main) for main in sorted(functions.glob("*/main.py"))),
    ]


def _application(main: Path) -> Package:
    """Return the package of an application's main.py and the Python package beside it.

    Flink finds both in one zip, with its connector; Spark takes the entry as a file of its own.
    """
    name = main.parent.name
    files = _tree(main.parent, name, ignored=(*NOT_SOURCE, main.name))
    if name in CONNECTORS:
        return Package(name, {main.name: main, **files}, connector=CONNECTORS[name])
    files |= {
        borrowed: main.parents[1] / "layers" / "telemetry" / borrowed for borrowed in BORROWED.get(name, ())
    }
    return Package(name, files, entry=main)


def build(target: str, root: Path = REPOSITORY, left_out: Collection[str] = ()) -> list[Built]:
    """Write build/<target>/<package>.zip where its inputs changed.

    Raises CommandError where the wheels cannot be installed, where Lambda's Python is missing, or where a
    connector is not the one of the lock; JarsMissing where a connector cannot be had.
    """
    wanted = [package for package in packages(root) if package.name not in left_out]
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda package: _build(package, target, root / "build"), wanted))


def unobtainable(root: Path = REPOSITORY) -> dict[str, str]:
    """Return the packages whose connector or bytecode cannot be had now, and why."""
    lacks = bytecode.missing()
    found = {package.name: lacks for package in packages(root) if lacks and package.on_lambda}
    for package in packages(root):
        try:
            if package.connector:
                jars.resolve(package.connector, root / "build" / "jars")
            if package.java:
                connectors.require_compiler()
                jars.resolve(connectors.API, root / "build" / "jars")
        except (EngineMissing, jars.JarsMissing) as missing:
            found[package.name] = str(missing)
    return found


def _build(package: Package, target: str, directory: Path) -> Built:
    archive = directory / target / f"{package.name}.zip"
    stamp = archive.with_suffix(".inputs")
    inputs = package.inputs(target)
    connector = package.wanted(target)
    digest = _digest(inputs, target, connector.digest if connector else "")
    entry = archive.with_suffix(".main.py")
    complete = (
        archive.is_file() and sbom.path_of(archive).is_file() and (entry.is_file() or not package.entry)
    )
    if complete and stamp.is_file() and stamp.read_text() == digest:
        return Built(archive, is_new=False)
    files, components = dict(package.files), list[sbom.Component]()
    if "requirements.lock" in inputs:
        installed = _wheels(inputs["requirements.lock"], target, directory / "wheels" / target)
        wheels = _tree(installed / "packages", ignored=NOT_SHIPPED)
        files |= {package.prefix + name: path for name, path in wheels.items()}
        components += sbom.wheels(installed / "report.json")
    if connector:
        (files["lib/connectors.jar"],) = jars.resolve(connector, directory / "jars")
        (coordinate,) = connector.coordinates
        components.append(sbom.jar(coordinate, files["lib/connectors.jar"]))
        if package.java:
            complete_jar = archive.with_suffix(".connectors.jar")
            api = jars.resolve(connectors.API, directory / "jars")
            connectors.with_factories(files["lib/connectors.jar"], package.java, api, complete_jar)
            files["lib/connectors.jar"] = complete_jar
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        if package.on_lambda and target != "local":
            files |= bytecode.compiled(files, Path(made))
        _write(archive, ((name, files[name].read_bytes()) for name in sorted(files)))
    sbom.write(archive, components)
    if package.entry:
        entry.write_bytes(package.entry.read_bytes())
    stamp.write_text(digest)
    return Built(archive, is_new=True)


def _write(archive: Path, files: Iterable[tuple[str, bytes]]) -> None:
    partial = archive.with_suffix(f".{os.getpid()}.partial")
    with ZipFile(partial, "w") as zipped:
        for name, content in files:
            entry = ZipInfo(name, EPOCH)
            entry.create_system = 3
            entry.external_attr = READABLE_FILE
            zipped.writestr(entry, content, ZIP_DEFLATED, compresslevel=9)
    partial.replace(archive)


def _digest(inputs: Mapping[str, Path], target: str, connector: str) -> str:
    lines = [_wheel_tags(target), connector]
    lines += [f"{hashlib.sha256(inputs[name].read_bytes()).hexdigest()} {name}" for name in sorted(inputs)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _wheel_tags(target: str) -> str:
    return " ".join(WHEELS[target]) or f"{sys.implementation.cache_tag} {sysconfig.get_platform()}"


def locked(requirements: Path) -> Path:
    """Return the lock file of a requirements file. Raises CommandError where the two name other packages."""
    lock = requirements.with_suffix(".lock")
    wanted, found = _pinned(requirements), _pinned(lock) if lock.is_file() else set[str]()
    if different := sorted(wanted ^ found):
        raise CommandError(
            f"{requirements} and {lock.name} differ in {', '.join(different)}. Write each package with its "
            "exact version into the first, and run `make lock`"
        )
    return lock


def _pinned(file: Path) -> set[str]:
    """Return the packages that a requirements file or a lock file names, as name==version."""
    lines = (line.split(";")[0].rstrip(" \\") for line in file.read_text().splitlines())
    return {line.lower().replace("_", "-") for line in lines if re.match(r"[A-Za-z0-9]", line)}


def _wheels(lock: Path, target: str, cache: Path) -> Path:
    """Return a directory with the wheels of a lock file, in packages/, and pip's report of them."""
    key = hashlib.sha256(_wheel_tags(target).encode() + lock.read_bytes()).hexdigest()[:16]
    installed = cache / key
    if installed.is_dir():
        return installed
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as directory:
        partial = Path(directory) / key
        partial.mkdir()
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
        choice = [
            "--require-hashes",
            "--only-binary=:all:",
            *WHEELS[target],
            f"--target={partial / 'packages'}",
            f"--report={partial / 'report.json'}",
            f"--requirement={lock}",
        ]
        answer = subprocess.run([*pip, *choice], capture_output=True, text=True, check=False)
        if answer.returncode:
            errors = [line for line in answer.stderr.splitlines() if not line.startswith("WARNING")]
            raise CommandError(f"pip cannot install {lock} for {target}:\n" + "\n".join(errors))
        if not installed.is_dir():
            partial.rename(installed)
    return installed


def _tree(directory: Path, name: str = "", ignored: tuple[str, ...] = NOT_SOURCE) -> dict[str, Path]:
    """Return the files below a directory by their path in the zip."""
    return {str(Path(name) / path.relative_to(directory)): path for path in _files(directory, ignored)}


def _files(directory: Path, ignored: tuple[str, ...]) -> Iterator[Path]:
    for path in directory.iterdir():
        if not any(path.match(pattern) for pattern in ignored):
            if path.is_dir():
                yield from _files(path, ignored)
            else:
                yield path


def main() -> None:
    """Build what the command line names and tell the sizes."""
    parser = Arguments(
        prog="scripts/build",
        description=__doc__,
        examples=(
            "scripts/build",
            "scripts/build --target aws",
        ),
    )
    parser.add_argument(
        "--target", choices=[*TARGETS, "all"], default="all", help="what runs them (default: all)"
    )
    options = parser.parse_args()
    table, missing = Table(box=None, show_header=False), dict[str, str]()
    for target in TARGETS if options.target == "all" else [options.target]:
        # Who builds for AWS must hear of it; who builds for this machine as well goes on.
        left_out = unobtainable() if options.target == "all" and target == "aws" else {}
        for name, why in left_out.items():
            archive = REPOSITORY / "build" / target / f"{name}.zip"
            archive.unlink(missing_ok=True)
            table.add_row(str(archive.relative_to(REPOSITORY)), "", "left out, see below")
            missing[name] = why
        for built in build(target, left_out=left_out):
            size = f"{built.path.stat().st_size / 1024:,.0f} KiB"
            table.add_row(
                str(built.path.relative_to(REPOSITORY)), size, "built" if built.is_new else "unchanged"
            )
    Console().print(table)
    for name, why in missing.items():
        print(f"\n{name} cannot be deployed to AWS from this build: {why}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
