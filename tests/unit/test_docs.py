"""The documents: every link leads somewhere, every command is one."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = ("docs", "event-schemas", "infrastructure", "notebooks")
DOCUMENTS = sorted(
    [*REPOSITORY.glob("*.md"), *(path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*.md"))]
)
each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(REPOSITORY)))


def anchors(path: Path) -> set[str]:
    """Return what GitHub calls a document's headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_document
def test_links_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", path.read_text()):
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@each_document
def test_commands_exist(path: Path) -> None:
    text = path.read_text()
    made = set(re.findall(r"^(\w+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    for name in re.findall(r"(?<![\w/])scripts/([a-z][a-z-]*)(?![\w/.-])", text):
        assert (REPOSITORY / "scripts" / name).exists(), name
    for block in re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        assert set(re.findall(r"^make (\w+)", block, re.MULTILINE)) <= made, block
