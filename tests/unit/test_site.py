"""The documents' site: it builds without a warning, and every link in its pages leads somewhere."""

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from tools import REPOSITORY

CONFIG = REPOSITORY / "docs" / "site" / "mkdocs.yml"


class Page(HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and name == "id":
                self.anchors.add(value)
            if value and name in ("href", "src"):
                self.links.add(value)


def dead(site: Path) -> list[str]:
    """Return the links that lead nowhere, behind the page that has them."""
    pages = {path: Page(path) for path in site.rglob("*.html") if path.name != "404.html"}
    found = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            anchors = pages[target].anchors if target in pages else None
            lost = parts.fragment and anchors is not None and unquote(parts.fragment) not in anchors
            if not parts.scheme and (not target.exists() or lost):
                found.append(f"{path.relative_to(site)}: {link}")
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build what `make site` builds, beside it."""
    root = tmp_path_factory.mktemp("site")
    recipe = (REPOSITORY / "Makefile").read_text().partition("\nsite:")[2].partition("\n\n")[0]
    command = recipe.partition("\n")[2].replace("\t@", "").replace("$(BIN)", str(Path(sys.executable).parent))
    config = CONFIG.read_text().replace("../../build/", f"{root}/")
    (root / "mkdocs.yml").write_text(config)
    command = command.replace("build/site-source", f"{root}/site-source")
    command = command.replace("docs/site/mkdocs.yml", f"{root}/mkdocs.yml")
    built = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=REPOSITORY, env=dict(os.environ), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    return root / "site"


def test_every_link_leads_somewhere(site: Path) -> None:
    assert len(list(site.rglob("*.html"))) > 60
    assert dead(site) == []


def test_a_dead_link_is_found(site: Path) -> None:
    page = site / "docs" / "wrong.html"
    page.write_text(
        '<a href="nowhere.html">a</a><a href="limits.html#no-such-heading">b</a><a href="slo.html">c</a>'
    )
    assert len(dead(site)) == 2
    page.unlink()


def test_pages_can_be_searched(site: Path) -> None:
    index = (site / "search" / "search_index.json").read_text()
    assert "quarantine" in index
    assert "docs/glossary.html" in index
