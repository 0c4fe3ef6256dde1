"""CONTRIBUTING's table of words leads somewhere: each word that a stranger tries, to files and names that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
TABLE = TEXT.partition("### Where to find it")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| (?P<words>[^|]+) \| (?P<where>[^|]+) \|$", TABLE, re.MULTILINE)[1:]
WORDS = {word.strip() for words, _ in ROWS for word in words.split(",")}
PLACES = sorted({place for _, where in ROWS for place in re.findall(r"`([^`]+)`", where)})
SOURCE = ROOT / "provider/src/nestedlab"


@pytest.mark.parametrize(
    "word",
    ["timeout", "retry", "drift", "boot order", "parallel", "orphan", "rollback", "preview", "refresh", "import"],
)
def test_a_word_that_a_stranger_tries_is_there(word: str) -> None:
    assert word in WORDS


@pytest.mark.parametrize("place", [place for place in PLACES if "/" in place or place.endswith(".py")])
def test_a_file_that_is_named_exists(place: str) -> None:
    assert (SOURCE / place).exists() or (ROOT / place).exists()


@pytest.mark.parametrize("place", [place for place in PLACES if "/" not in place and not place.endswith(".py")])
def test_a_name_that_is_named_is_in_the_code(place: str) -> None:
    if place.startswith("pulumi "):
        return
    name = place.rpartition(".")[2]
    texts = (file.read_text(encoding="utf-8") for file in SOURCE.rglob("*.py"))
    assert any(re.search(rf"\b{name}\b", text) for text in texts)


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)", TABLE))
def test_a_page_that_is_linked_exists(link: str) -> None:
    assert (ROOT / link).is_file()
