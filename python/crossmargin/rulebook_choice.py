"""Which rulebook: a name, a file, a text, a mapping, or a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from crossmargin.errors import UnknownWordError

__all__ = ["one", "several"]

Given = tuple[str, str, str]


def one(rulebook: object) -> tuple[str, str]:
    """Return the form (`id`, `toml`, `json`) and the text of one rulebook.

    Parameters
    ----------
    rulebook
        The id of a built-in rulebook, the path of a TOML file, TOML text, or a mapping.

    Raises
    ------
    UnknownWordError
        If it is none of these; the message says what was looked for.
    """
    if isinstance(rulebook, Mapping):
        return "json", json.dumps(rulebook)
    if isinstance(rulebook, Path):
        return "toml", rulebook.read_text(encoding="utf-8")
    if not isinstance(rulebook, str):
        raise UnknownWordError(f"a rulebook must be a name, a file or a mapping, was {rulebook!r}")
    text = rulebook.strip()
    if "\n" in text:
        return "toml", text
    if text.endswith(".toml"):
        path = Path(text)
        if not path.is_file():
            raise UnknownWordError(f"there is no rulebook file {text}")
        return "toml", path.read_text(encoding="utf-8")
    return "id", text


def several(rulebook: object) -> tuple[list[Given], object]:
    """Return (account, form, text) for each rulebook, and a bracket table if one came along.

    Parameters
    ----------
    rulebook
        As :func:`one`; or rows of two columns account -> rulebook; or a table of brackets whose
        column `rulebook` names, in its first filled cell, the rulebook that they complete.
    """
    if isinstance(rulebook, Sequence) and not isinstance(rulebook, str):
        rows = [list(row) for row in rulebook]
        header = [str(cell or "").strip().lower() for cell in rows[0]] if rows else []
        if "rulebook" in header and len(header) > 2:  # noqa: PLR2004  # two columns are a list of accounts
            return _with_brackets(rows, header.index("rulebook"))
        return _by_account(rows), None
    form, text = one(rulebook)
    return [("", form, text)], None


def _by_account(rows: Sequence[Sequence[object]]) -> list[Given]:
    given: list[Given] = []
    for number, row in enumerate(rows, start=1):
        cells = [str(cell).strip() for cell in row if cell is not None and str(cell).strip()]
        if not cells:
            continue
        if number == 1 and [cell.lower() for cell in cells] == ["account", "rulebook"]:
            continue
        if len(cells) != 2:  # noqa: PLR2004  # account and rulebook
            raise UnknownWordError(
                f"row {number} of the rulebook list needs an account and a rulebook, was {cells}"
            )
        given.append((cells[0], *one(cells[1])))
    if not given:
        raise UnknownWordError("the rulebook list account -> rulebook is empty")
    return given


def _with_brackets(
    rows: Sequence[Sequence[object]], column: int
) -> tuple[list[Given], list[list[object]] | None]:
    names = [
        str(row[column]).strip()
        for row in rows[1:]
        if column < len(row) and row[column] is not None and str(row[column]).strip()
    ]
    if not names:
        raise UnknownWordError("the column rulebook of the bracket table names no rulebook")
    form, text = one(names[0])
    rest = [[*row[:column], *row[column + 1 :]] for row in rows]
    brackets = [
        row for row in rest[1:] if any(cell is not None and str(cell).strip() for cell in row)
    ]
    return [("", form, text)], ([rest[0], *brackets] if brackets else None)
