"""The documents: every link, path and command leads somewhere, and every shell variable is set."""

import re
from pathlib import Path

import pytest
from tools import schemas

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = (
    ".ci", ".github", "clients", "docs", "event-schemas", "functions", "infrastructure", "notebooks",
    "scripts", "tests",
)  # fmt: skip
DOCUMENTS = sorted(
    [*REPOSITORY.glob("*.md"), *(path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*.md"))]
)
PATH = re.compile(rf"(?:{'|'.join(map(re.escape, FOLDERS))})/[^\s`]*")
# Files that the reader of a document writes or makes.
WRITTEN_BY_READERS = {
    "event-schemas/guild_joined/1-0-0.json",
    "infrastructure/bootstrap/terraform.tfstate",
    "infrastructure/bootstrap/terraform.tfvars",
    "infrastructure/environments/backend.hcl",
}
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


def missing_paths(text: str) -> set[str]:
    """Return the paths in backticks that begin with a folder of the repository and lead nowhere.

    Patterns (`*`, `{a,b}`) and placeholders (`<name>`) are no paths.
    """
    quoted = [PATH.match(code) for code in re.findall(r"`([^`\n]+)`", text)]
    paths = {path[0] for path in quoted if path and not set(path[0]) & set("*{}<>…")}
    return {path for path in paths - WRITTEN_BY_READERS if not (REPOSITORY / path).exists()}


@each_document
def test_paths_exist(path: Path) -> None:
    assert missing_paths(path.read_text()) == set()


def test_a_path_that_leads_nowhere_is_found() -> None:
    text = "`tests/unit` `tests/plan/limits.py` `tests/<layer>` `tests/*.py` `build/x` `scripts/no -h`"
    assert missing_paths(text) == {"tests/plan/limits.py", "scripts/no"}


def unset_variables(text: str) -> set[str]:
    """Return the variables that bash blocks use and none of them sets."""
    blocks = re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    code = "\n".join(re.sub(r"'[^']*'", "''", block) for block in blocks)
    set_here = set(re.findall(r"(?:^|[\s;(])(\w+)=", code)) | set(re.findall(r"\bfor (\w+) in\b", code))
    return set(re.findall(r"\$\{?([A-Za-z_]\w*)", code)) - set_here


@each_document
def test_shell_variables_are_set(path: Path) -> None:
    assert unset_variables(path.read_text()) == set()


def test_a_variable_that_is_not_set_is_found() -> None:
    text = "```bash\nname=a\nsend --to $name --by \"$queue\" --query '$[0]'\n```\n"
    assert unset_variables(text) == {"queue"}


def test_the_guide_of_schemas_names_every_generated_file() -> None:
    guide = (REPOSITORY / "event-schemas/README.md").read_text()
    unnamed = {path for path in schemas.generated(REPOSITORY) if f"{Path(path).name}`" not in guide}
    assert unnamed == set()


def test_decisions_are_numbered_without_gaps_and_have_three_parts() -> None:
    found = sorted((REPOSITORY / "docs" / "adr").glob("[0-9]*.md"))
    assert [path.name[:4] for path in found] == [f"{number:04}" for number in range(1, len(found) + 1)]
    for path in found:
        text = path.read_text()
        assert text.startswith(f"# {path.name[:4]} "), path
        parts = ("**Context.**", "**Decision.**", "**Consequences.**")
        assert [text.count(part) for part in parts] == [1, 1, 1], path


def test_the_list_of_decisions_has_each_one_by_its_title() -> None:
    decisions = REPOSITORY / "docs" / "adr"
    listed = [line for line in (decisions / "README.md").read_text().splitlines() if line.startswith("- ")]
    titles = {
        path.name: path.read_text().splitlines()[0].removeprefix("# ") for path in decisions.glob("[0-9]*.md")
    }
    assert listed == [f"- [{title}]({name})" for name, title in sorted(titles.items())]


def test_messages_that_are_explained_exist() -> None:
    lines = (REPOSITORY / "docs" / "troubleshooting.md").read_text().splitlines()
    seen = [line.split(" | ")[0] for line in lines if line.startswith("| ")]
    messages = [message for cell in seen for message in re.findall(r"[`\"]([^`\"]+)[`\"]", cell)]
    parts = {part.strip() for message in messages for part in message.split("…") if len(part.strip()) > 5}
    assert len(parts) > 15
    sources = [*(REPOSITORY / "scripts").rglob("*.py"), *(REPOSITORY / "functions").rglob("*.py")]
    # A message may be written in two lines, and have its values in braces.
    text = re.sub(r'"\s*\n\s*f?"', "", "\n".join(path.read_text() for path in sources))
    missing = {part for part in parts if re.sub(r"^port |^process ", "", part) not in text}
    assert not missing
