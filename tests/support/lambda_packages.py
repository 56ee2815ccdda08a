"""The zips that Lambda gets: the layer and the functions, without the applications of Flink and Spark."""

from pathlib import Path
from zipfile import ZipFile

from tools import REPOSITORY, build

LAYER = "telemetry-layer"


def built_functions(target: str) -> list[build.Built]:
    """Build the layer and the functions for a target, or for this machine's processor: `here`."""
    wanted = [package for package in build.packages() if package.name == LAYER or _is_function(package)]
    return [build._build(package, target, REPOSITORY / "build") for package in wanted]


def _is_function(package: build.Package) -> bool:
    return f"{package.name}/handler.py" in package.files


def unpacked(archive: Path, directory: Path) -> Path:
    """Unpack an archive with its modes."""
    directory.mkdir(parents=True)
    with ZipFile(archive) as zipped:
        for entry in zipped.infolist():
            Path(zipped.extract(entry, directory)).chmod(entry.external_attr >> 16 & 0o777)
    return directory
