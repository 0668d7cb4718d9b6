"""Which rulebook: a name, a file, a text, a mapping, or rows of a sheet."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from crossmargin import _core
from crossmargin.errors import UnknownWordError
from crossmargin.frames import as_table, check_is_here, is_file
from crossmargin.table import Table

__all__ = ["one", "several", "under"]

MODES = {"cross", "isolated", "pm"}

Given = tuple[str, str, str]
Rows = list[list[object]]


@runtime_checkable
class SupportsItem(Protocol):
    """A scalar of an array library."""

    def item(self) -> object:
        """Return it as Python writes it."""


_TABLE_FILES = {".csv", ".tsv", ".txt", ".parquet", ".pq"}


def one(rulebook: object) -> tuple[str, str]:
    """Return the form (`id`, `toml`, `json`) and the text of one rulebook.

    Parameters
    ----------
    rulebook
        The id of a built-in rulebook (`custom`) or its id and version (`custom@1`), the path of a
        TOML file, TOML text, a mapping, or rows with the columns key and value, as `CM_RULEBOOKS`
        shows them: cells, a table, a data frame or the path of a CSV file.

    Raises
    ------
    UnknownWordError
        If it is none of these; the message says what was looked for. A name such as
        `//server/file.toml` is refused unread, since a cell may have come with a pasted book.
    RulebookError
        If the rows do not describe a rulebook; the message names key and row.
    """
    rows = _rows(rulebook)
    if rows is not None:
        return _of_rows(rows)
    if isinstance(rulebook, Mapping):
        return "json", _json(rulebook)
    if isinstance(rulebook, Path):
        return "toml", _file(rulebook)
    if not isinstance(rulebook, str):
        raise UnknownWordError(f"a rulebook must be a name, a file or a mapping, was {rulebook!r}")
    text = rulebook.strip()
    if "\n" not in text:
        check_is_here(text, "a rulebook")
    if text.endswith(".toml") and "\n" not in text:
        return "toml", _file(Path(text))
    return ("toml" if "\n" in text else "id"), text


def _of_rows(rows: Rows) -> tuple[str, str]:
    """Return form and text of the rulebook that rows describe; one cell holds its name."""
    if len(rows) == 1 and len(rows[0]) == 1:
        return one(rows[0][0])
    if not _is_flat(rows):
        raise UnknownWordError(
            "the rows of a rulebook need the columns key and value, as CM_RULEBOOKS shows them"
        )
    return "toml", _core.rulebook_text_of_rows(rows)


def several(rulebook: object) -> tuple[list[Given], object]:
    """Return (account, form, text) for each rulebook, and a bracket table if one came along.

    Parameters
    ----------
    rulebook
        As :func:`one`; or rows of two columns account -> rulebook, where a rulebook is anything
        that :func:`one` takes; or a table of brackets whose column `rulebook` names, in its first
        filled cell, the rulebook that they complete.
    """
    rows = _rows(rulebook)
    if rows is None or _is_flat(rows) or (len(rows) == 1 and len(rows[0]) == 1):
        form, text = one(rulebook)
        return [("", form, text)], None
    header = _header(rows)
    if "rulebook" in header and len(header) > 2:  # noqa: PLR2004  # two columns are a list of accounts
        return _with_brackets(rows, header.index("rulebook"))
    return _by_account(rows), None


def under(rulebooks: object) -> list[Given]:
    """Return (name, form, text) of the rulebooks or modes of a comparison.

    Parameters
    ----------
    rulebooks
        Names with semicolons between, cells of names, or, in Python, a sequence of what
        :func:`one` takes.
    """
    if isinstance(rulebooks, str):
        wanted: list[object] = [part.strip() for part in rulebooks.split(";")]
    elif isinstance(rulebooks, Sequence):
        rows = [row if isinstance(row, list | tuple) else [row] for row in rulebooks]
        wanted = [cell for row in rows for cell in row]
    else:
        wanted = [rulebooks]
    wanted = [item for item in wanted if not _is_blank(item)]
    if not wanted:
        raise UnknownWordError("a comparison needs at least one rulebook")
    found: list[Given] = []
    for item in wanted:
        if isinstance(item, str) and item.lower() in MODES:
            found.append((item.lower(), "mode", item.lower()))
        else:
            form, text = one(item)
            named = item if isinstance(item, str) and form == "id" else f"rulebook {len(found) + 1}"
            found.append((str(named), form, text))
    return found


def _rows(rulebook: object) -> Rows | None:
    """Return the rows of a table, header first, or None for what is no table."""
    if isinstance(rulebook, Table):
        return [list[object](row) for row in (rulebook.header, *rulebook.rows)]
    is_frame = hasattr(rulebook, "__dataframe__") or hasattr(rulebook, "__arrow_c_stream__")
    if is_frame or (
        isinstance(rulebook, str | Path) and Path(rulebook).suffix.lower() in _TABLE_FILES
    ):
        if isinstance(rulebook, str):
            check_is_here(rulebook, "a rulebook")
        rulebook = as_table(rulebook)
    if isinstance(rulebook, Mapping):
        columns = {str(name).strip().lower() for name in rulebook}
        if not columns >= {"key", "value"}:
            return None
        names = list(rulebook)
        return [names, *map(list, zip(*(rulebook[name] for name in names), strict=True))]
    if isinstance(rulebook, Sequence) and not isinstance(rulebook, str):
        return [list(row) for row in rulebook]
    return None


def _header(rows: Rows) -> list[str]:
    return [str(cell or "").strip().lower() for cell in rows[0]] if rows else []


def _is_flat(rows: Rows) -> bool:
    return {"key", "value"} <= set(_header(rows))


def _json(rulebook: Mapping[object, object]) -> str:
    try:
        return json.dumps(_finite(rulebook), allow_nan=False, default=_scalar)
    except (TypeError, ValueError) as problem:
        raise UnknownWordError(
            "the mapping of a rulebook holds numbers, texts, true, false, lists and mappings only: "
            f"{problem}"
        ) from None


def _finite(value: object) -> object:
    """Return `value` with words for numbers that are none, so that the core refuses them by key."""
    if isinstance(value, Mapping):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _scalar(value: object) -> object:
    """Return the number in a scalar of an array library, or the text of a day."""
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, SupportsItem):
        return _finite(value.item())
    raise TypeError(f"no {type(value).__name__}")


def _file(path: Path) -> str:
    if not is_file(path):
        raise UnknownWordError(f"there is no rulebook file {str(path)!r:.80}")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise UnknownWordError(f"rulebook file {path} cannot be read: {problem}") from None


def _is_blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _by_account(rows: Rows) -> list[Given]:
    given: list[Given] = []
    for number, row in enumerate(rows, start=1):
        cells = [cell for cell in row if not _is_blank(cell)]
        if not cells:
            continue
        if number == 1 and _header(rows)[:2] == ["account", "rulebook"]:
            continue
        if len(cells) != 2:  # noqa: PLR2004  # account and rulebook
            raise UnknownWordError(
                f"row {number} of the rulebook list needs an account and a rulebook, was "
                f"{[str(cell).strip() for cell in cells]}"
            )
        account, rulebook = cells
        given.append((str(account).strip(), *one(rulebook)))
    if not given:
        raise UnknownWordError("the rulebook list account -> rulebook is empty")
    return given


def _with_brackets(rows: Rows, column: int) -> tuple[list[Given], Rows | None]:
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
