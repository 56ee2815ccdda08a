"""The bill of materials of a package: which wheels and jars of others it holds, as CycloneDX 1.6."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5


@dataclass(frozen=True, order=True)
class Component:
    """One library in a package, with the SHA-256 sum of the file that it was installed from."""

    purl: str
    name: str
    version: str
    sha256: str
    licence: str = ""

    def entry(self) -> dict[str, Any]:
        """Return it as CycloneDX writes it."""
        return {
            "type": "library",
            "bom-ref": self.purl,
            "name": self.name,
            "version": self.version,
            "purl": self.purl,
            "hashes": [{"alg": "SHA-256", "content": self.sha256}],
            **({"licenses": [{"expression": self.licence}]} if self.licence else {}),
        }


def wheels(report: Path) -> list[Component]:
    """Return what pip's report of an installation says was installed."""
    return [_wheel(entry) for entry in json.loads(report.read_text())["install"]]


def _wheel(entry: dict[str, Any]) -> Component:
    metadata, sums = entry["metadata"], entry["download_info"]["archive_info"]["hashes"]
    name, version = metadata["name"].lower().replace("_", "-"), metadata["version"]
    licence = metadata.get("license_expression", "")
    return Component(f"pkg:pypi/{name}@{version}", name, version, sums["sha256"], licence)


def jar(coordinate: str, file: Path) -> Component:
    """Return a Java library, by its group:artifact:version."""
    group, name, version = coordinate.split(":")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Component(f"pkg:maven/{group}/{name}@{version}", name, version, digest)


def write(archive: Path, components: Iterable[Component]) -> Path:
    """Write the bill of materials beside a package, the same for the same package."""
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, digest)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": archive.name,
                "name": archive.name,
                "hashes": [{"alg": "SHA-256", "content": digest}],
            }
        },
        "components": [component.entry() for component in sorted(components)],
    }
    path = path_of(archive)
    path.write_text(json.dumps(bill, indent=2) + "\n")
    return path


def path_of(archive: Path) -> Path:
    """Return where the bill of materials of a package is."""
    return archive.with_suffix(".cdx.json")
