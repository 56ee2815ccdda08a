"""The package of the C# client for Unity: what its package manager demands of names and files.

https://docs.unity3d.com/Manual/upm-manifestPkg.html and cus-layout.html. npm, whose format it has, packs it.
"""

import json
import re
import subprocess
from pathlib import Path

import mono
import npm_packages

PACKAGE = json.loads((mono.CLIENT / "package.json").read_text())


def packed() -> set[Path]:
    """Return the files that npm would pack."""
    npm_packages.node()
    answer = subprocess.run(
        ["npm", "pack", "--dry-run", "--json", "--ignore-scripts"],
        cwd=mono.CLIENT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    (found,) = json.loads(answer.stdout)
    assert (found["name"], found["version"]) == (PACKAGE["name"], PACKAGE["version"])
    return {Path(file["path"]) for file in found["files"]}


def test_the_manifest_has_what_unity_demands() -> None:
    assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9_-]+){2,}", PACKAGE["name"])
    assert len(PACKAGE["name"]) <= 50
    assert re.fullmatch(r"\d+\.\d+\.\d+", PACKAGE["version"])
    assert re.fullmatch(r"\d{4}\.\d", PACKAGE["unity"])
    assert PACKAGE["version"] in (mono.CLIENT / "PlayerAnalytics.csproj").read_text()
    for sample in PACKAGE["samples"]:
        assert sample.keys() == {"displayName", "description", "path"}
        # Unity imports a folder with this ending only when a developer asks for the sample.
        assert sample["path"].endswith("~")
        assert [*(mono.CLIENT / sample["path"]).glob("*.cs")]


def test_every_asset_has_an_id_of_its_own() -> None:
    """Unity ignores files of a package that have no .meta file, because it cannot write there."""
    files = {path for path in packed() if not path.parts[0].endswith("~")}
    metas = {path for path in files if path.suffix == ".meta"}
    folders = {folder for path in files for folder in path.parents if folder != Path()}
    assert {path.with_suffix("") if path.suffix == ".meta" else path for path in metas} == (
        files - metas
    ) | folders
    ids = [re.search(r"^guid: ([0-9a-f]{32})$", (mono.CLIENT / path).read_text(), re.M) for path in metas]
    assert all(ids)
    assert len({found[1] for found in ids if found}) == len(metas) > 10


def test_the_library_needs_no_engine() -> None:
    (assembly,) = (mono.CLIENT / "src").glob("*.asmdef")
    settings = json.loads(assembly.read_text())
    assert (settings["name"], settings["noEngineReferences"]) == (assembly.stem, True)
    assert not [path for path in mono.library() if "UnityEngine" in path.read_text()]
