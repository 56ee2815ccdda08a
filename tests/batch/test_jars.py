"""The resolver with the real Ivy, on a Maven repository in a directory."""

from pathlib import Path

import pytest
from tools import CommandError, jars
from tools.engine import SPARK

POM = """<project><modelVersion>4.0.0</modelVersion>
<groupId>org.example</groupId><artifactId>{0}</artifactId><version>1.0</version>
<dependencies>{1}</dependencies></project>"""
DEPENDENCY = """<dependency><groupId>org.example</groupId><artifactId>{0}</artifactId>
<version>1.0</version></dependency>"""
SETTINGS = """<ivysettings><settings defaultResolver="here"/><caches defaultCacheDir="{0}/ivy"/>
<resolvers><ibiblio name="here" m2compatible="true" root="{1}"/></resolvers></ivysettings>"""


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with `first`, which needs `second` and `third`; IVY_SETTINGS names it."""
    if missing := SPARK.why_missing():
        pytest.skip(missing)
    root = tmp_path / "repository"
    for name, needs in {"first": ("second", "third"), "second": (), "third": ()}.items():
        folder = root / "org" / "example" / name / "1.0"
        folder.mkdir(parents=True)
        wanted = "".join(DEPENDENCY.format(one) for one in needs)
        (folder / f"{name}-1.0.pom").write_text(POM.format(name, wanted))
        (folder / f"{name}-1.0.jar").write_text(name)
    settings = tmp_path / "ivysettings.xml"
    settings.write_text(SETTINGS.format(tmp_path, root.as_uri()))
    monkeypatch.setenv("IVY_SETTINGS", str(settings))
    # There, only recorded jars are taken.
    monkeypatch.delenv("CI", raising=False)
    return root


def names(wanted: jars.JarSet, directory: Path) -> list[str]:
    """Return the names of the jars that are resolved."""
    return [jar.name for jar in jars.resolve(wanted, directory / "cache", directory / "jars.lock")]


def test_libraries_come_with_what_they_need_but_what_is_excluded(tmp_path: Path) -> None:
    wanted = jars.JarSet("one", ("org.example:first:1.0",), ("org.example:third",))
    assert names(wanted, tmp_path) == ["first-1.0.jar", "second-1.0.jar"]
    alone = jars.JarSet("one", ("org.example:first:1.0",), transitive=False)
    assert names(alone, tmp_path) == ["first-1.0.jar"]
    assert list(jars.read(tmp_path / "jars.lock")) == ["first-1.0.jar", "second-1.0.jar"]


def test_a_library_that_is_not_there_is_named(tmp_path: Path) -> None:
    wanted = jars.JarSet("one", ("org.example:fourth:1.0",))
    with pytest.raises(jars.JarsMissing, match=r"(?s)org.example:fourth:1.0 cannot be downloaded.*not found"):
        names(wanted, tmp_path)
    assert not (tmp_path / "jars.lock").exists()


def test_a_repository_that_serves_another_file_is_refused(tmp_path: Path, repository: Path) -> None:
    wanted = jars.JarSet("one", ("org.example:second:1.0",))
    names(wanted, tmp_path)
    (repository / "org/example/second/1.0/second-1.0.jar").write_text("another")
    for kept in ("cache", "ivy"):
        (tmp_path / kept).rename(tmp_path / f"{kept}-before")
    with pytest.raises(CommandError, match=r"second-1.0.jar is not the jar of jars.lock"):
        names(wanted, tmp_path)
