"""The meaning of the keys of a rulebook, read from the page that describes them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

__all__ = ["PAGE", "meaning"]

PAGE: Final = Path(__file__).parents[3] / "rust_core" / "engine" / "rulebooks" / "README.md"
_CODE = re.compile(r"`([^`]+)`")
_RULE = re.compile(r"\|[-| ]+\|")
_CELL = re.compile(r"(?<!\\)\|")


def meaning(table: str, key: str) -> str:
    """Return what the schema says about a key or a word, as Markdown.

    Parameters
    ----------
    table
        The heading above the table, or the word at the head of its first column, such as `on`.
    key
        The key or word in its first column.

    Raises
    ------
    KeyError
        If the schema does not describe it: then a key has been added without its meaning.
    """
    return _meanings()[table, key]


@cache
def _meanings() -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    heading = first = ""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if line.startswith("#"):
            heading = line.lstrip("# ")
        if not line.startswith("|") or _RULE.fullmatch(line):
            continue
        cells = [cell.strip() for cell in _CELL.split(line)[1:-1]]
        if number + 1 < len(lines) and _RULE.fullmatch(lines[number + 1]):
            first = cells[0].strip("`")
            continue
        for name in _CODE.findall(cells[0]):
            found[heading, name.split(" ")[-1]] = cells[-1]
            found[first, name.split(" ")[-1]] = cells[-1]
    return found
