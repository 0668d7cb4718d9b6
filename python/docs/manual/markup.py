"""Markdown from texts, numbers and tables."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from crossmargin.cells import SheetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["block", "code", "matrix", "plain", "shown", "table"]

_SPECIAL = re.compile(r"([\\*_<>\[\]{}$|~#`])")
_CODE = re.compile(r"(`[^`]+`)")
_WHOLE_BELOW: Final = 1e15
_LARGE: Final = 1000.0
_DIGITS: Final = 6
_FEW: Final = 2
_MANY: Final = 8


def plain(text: str) -> str:
    """Return a text that Markdown shows as it is; what stands in backticks stays code."""
    words = " ".join(text.split())
    return "".join(
        part.replace("|", "\\|") if part.startswith("`") and len(part) > 1 else _escaped(part)
        for part in _CODE.split(words)
    )


def code(text: str) -> str:
    """Return a text as code within a line."""
    return f"`{text}`" if text else ""


def block(text: str, language: str = "") -> str:
    """Return a text as a block of code."""
    return f"```{language or 'text'}\n{text}\n```\n"


def shown(value: object) -> str:
    """Return a cell as a person reads it: six digits, thousands apart; an error by its sign."""
    if isinstance(value, SheetError):
        return value.sign
    if isinstance(value, bool) or not isinstance(value, float | int):
        return "" if value is None else str(value)
    number = float(value)
    if not math.isfinite(number):
        return str(number)
    if abs(number) < _WHOLE_BELOW and math.isclose(number, round(number), rel_tol=1e-12):
        return f"{round(number):,}"
    if abs(number) >= _LARGE:
        return f"{number:,.2f}"
    return f"{number:.{_DIGITS}g}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], align: str = "") -> str:
    """Return a table of texts that are Markdown already.

    Parameters
    ----------
    header
        The words above the columns.
    rows
        Rows as long as the header.
    align
        One letter per column: r for figures, anything else for words.
    """
    letters = align.ljust(len(header), "l")
    rule = [" --: " if letter == "r" else " --- " for letter in letters[: len(header)]]
    lines = [f"| {' | '.join(header)} |", f"|{'|'.join(rule)}|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def matrix(rows: Sequence[Sequence[object]], most: int) -> str:
    """Return cells under their header as a table, cut after `most` rows with a sentence.

    One or two rows of many columns are turned on their side.

    Parameters
    ----------
    rows
        The header first.
    most
        Rows shown at most.
    """
    header, *body = rows
    if 0 < len(body) <= _FEW and len(header) > _MANY:
        sides = zip(header, *body, strict=True)
        cells = [[plain(shown(cell)) for cell in side] for side in sides]
        words = ["column", *(f"row {number}" for number in range(1, len(body) + 1))]
        return f"{table(words, cells)}\n*Turned on its side: the first column is the header row.*\n"
    seen = body[:most]
    align = "".join(
        "r" if any(isinstance(row[place], float | int) for row in body) else "l"
        for place in range(len(header))
    )
    cells = [[plain(shown(cell)) for cell in row] for row in seen]
    text = table([plain(shown(cell)) for cell in header], cells, align)
    left = len(body) - len(seen)
    return text if not left else f"{text}\n*{left} more rows.*\n"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
