"""Write wheels for tests that install packages without an index."""

import base64
import hashlib
from pathlib import Path
from zipfile import ZipFile, ZipInfo


def write_wheel(path: Path) -> Path:
    """Write a wheel with one empty module; the same name always gives the same bytes."""
    name, version, *_ = path.name.split("-")
    information = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": "",
        f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{information}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},sha256={_record(text)},{len(text)}\n" for file, text in files.items())
    with ZipFile(path, "w") as wheel:
        for file, text in {**files, f"{information}/RECORD": f"{record}{information}/RECORD,,\n"}.items():
            wheel.writestr(ZipInfo(file), text)
    return path


def _record(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
