"""The documents' prose: sentences that are understood at first reading, in the field's terms."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
WORDS = 35
# What these documents once said, and what readers know it as.
TERMS = {
    r"\bdoors?\b": "REST API or stream",
    r"\bforgetting\b": "erasure",
    r"\bof before\b": "previous, or earlier",
    r"\b(is|are|was|were) told(?! (apart|when|which|to))\b": "is named, listed or reported",
    r"\bthe code wants\b|\bwants an?\b|\bwants no\b": "needs, requires",
    r"\bat hand\b": "available",
    r"\bsays? so\b": "what it says",
    r"\bwhat it is of\b": "the name of the thing",
}


def documents() -> list[Path]:
    listed = subprocess.check_output(["git", "ls-files", "*.md"], text=True, cwd=REPOSITORY)
    return [REPOSITORY / name for name in listed.split()]


def passages(text: str) -> Iterator[str]:
    """Yield paragraphs, list items and table cells without code."""
    text = re.sub(r"^( *)```.*?^\1```", "", text, flags=re.DOTALL | re.MULTILINE)
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-*|>#]|\d+\.)\s?)", text):
        plain = re.sub(r"\]\([^)]*\)", "]", re.sub(r"`[^`]*`", "code", " ".join(block.split())))
        yield from plain.strip("|").split("|") if plain.startswith("|") else [plain]


def long_sentences(text: str) -> list[str]:
    return [
        sentence
        for passage in passages(text)
        for sentence in re.split(r"(?<=[.:;?!])\s", passage)
        if len(sentence.split()) > WORDS
    ]


def private_terms(text: str) -> list[str]:
    return [
        f"{found[0]!r}: write {better}"
        for passage in passages(text)
        for pattern, better in TERMS.items()
        if (found := re.search(pattern, passage, re.IGNORECASE))
    ]


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_sentences_are_short_and_terms_known(path: Path) -> None:
    assert not long_sentences(path.read_text())
    assert not private_terms(path.read_text())


def test_a_long_sentence_and_a_private_term_are_found() -> None:
    assert long_sentences("A word. " + "word " * 36) == ["word " * 35 + "word"]
    assert not long_sentences(
        "| " + "word " * 20 + "| " + "word " * 20 + "|\n\n```\n" + "word " * 99 + "\n```\n"
    )
    assert private_terms("The code of before.\n\nBoth `doors` are open.") == [
        "'of before': write previous, or earlier"
    ]
    assert private_terms("An event at the\ndoor") == ["'door': write REST API or stream"]
