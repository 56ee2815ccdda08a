"""The zips that Lambda gets: the layer and the functions, without the applications of Flink and Spark."""

from pathlib import Path
from zipfile import ZipFile

from tools import build

LAYER = "telemetry-layer"


def built_functions(target: str) -> list[build.Built]:
    """Build the layer and the functions for a target."""
    applications = [package for package in build.packages() if package.entry or package.connectors]
    return build.build(target, left_out=applications)


def unpacked(archive: Path, directory: Path) -> Path:
    """Unpack an archive with its modes."""
    directory.mkdir(parents=True)
    with ZipFile(archive) as zipped:
        for entry in zipped.infolist():
            Path(zipped.extract(entry, directory)).chmod(entry.external_attr >> 16 & 0o777)
    return directory
