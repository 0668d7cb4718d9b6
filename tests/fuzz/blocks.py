"""Cells drawn for a seed: tables as venues export them, broken here and there, and nonsense."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

__all__ = ["HOSTILE", "SHAPES", "Rows", "broken", "nonsense", "scalar", "shaped", "table_named"]

Rows = list[list[Any]]

SHAPES: Final[dict[str, Any]] = json.loads(
    Path(__file__).with_name("shapes.json").read_text(encoding="utf-8")
)
HOSTILE: Final[list[str]] = [*SHAPES["texts"], "\ud800", "BTC\udfff", "=" * 300, "x" * 32_767]
_NUMBERS: Final = [float(text) for text in SHAPES["numbers"]]
_SAMPLES: Final = Path(__file__).resolve().parents[2] / "python" / "crossmargin" / "samples"
_TABLES: Final = ("positions", "collateral", "market", "orders", "brackets", "history")


def _sample(name: str) -> Rows:
    with (_SAMPLES / name).open(encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines)
    return [list(header), *([row[0], *map(float, row[1:])] for row in rows)]


_HISTORY: Final = _sample("history.csv")
_HEADERS: Final = sorted(
    {
        str(name)
        for book in SHAPES["books"]
        for table in _TABLES
        if isinstance(book.get(table), list)
        for name in book[table][0]
    }
)


def scalar(draw: random.Random) -> Any:
    """Return a cell of any kind that a host can hand over."""
    (made,) = draw.choices(_KINDS, _WEIGHTS)
    return made(draw)


def _letters(draw: random.Random) -> str:
    planes = [draw.choice(_PLANES) for _ in range(draw.randint(0, 12))]
    return "".join(chr(draw.randint(low, high)) for low, high in planes)


_PLANES: Final = (
    (0x00, 0x1F), (0x20, 0x7E), (0x7F, 0x24F), (0x600, 0x6FF), (0x2000, 0x206F), (0xD800, 0xDFFF),
    (0x1F600, 0x1F64F),
)  # fmt: skip
_KINDS: Final[tuple[Callable[[random.Random], Any], ...]] = (
    lambda draw: draw.choice(HOSTILE),
    lambda draw: draw.choice(_NUMBERS),
    lambda draw: draw.gauss(0.0, 1.0) * 10.0 ** draw.randint(-12, 12),
    lambda _: None,
    lambda draw: draw.choice([True, False]),
    lambda draw: draw.choice(_HEADERS),
    _letters,
)
_WEIGHTS: Final = (35, 25, 10, 10, 5, 8, 7)


def nonsense(draw: random.Random) -> Rows:
    """Return a block of cells without a shape, often with headers that mean something."""
    width = draw.randint(0, 6)
    header = [draw.choice(_HEADERS) if draw.random() < 0.7 else scalar(draw) for _ in range(width)]
    rows = [[scalar(draw) for _ in range(width)] for _ in range(draw.randint(0, 5))]
    block = [header, *rows]
    return block[1:] if draw.random() < 0.05 else block


def broken(draw: random.Random, table: Rows, changes: int) -> Rows:
    """Return a copy of a table with that many of its cells, rows or columns changed."""
    made = [list(row) for row in table]
    for _ in range(changes):
        if not made or not made[0]:
            break
        row = draw.randrange(len(made))
        (change,) = draw.choices(_CHANGES, _HOW_OFTEN)
        change(draw, made, row, draw.randrange(max(1, len(made[row]))))
    return made


def _nudge(draw: random.Random, made: Rows, row: int, column: int) -> None:
    """Change a number a little, which often leaves a book that counts."""
    for old in made[row][column : column + 1]:
        if isinstance(old, float) and math.isfinite(old):
            made[row][column] = old * draw.choice([-1, 0.5, 0.99, 1.01, 2, 10, 1e3, 1e-3])


def _overwrite(draw: random.Random, made: Rows, row: int, column: int) -> None:
    made[row][column : column + 1] = [scalar(draw)]


def _repeat(_: random.Random, made: Rows, row: int, __: int) -> None:
    made.insert(row, list(made[row]))


def _drop_row(_: random.Random, made: Rows, row: int, __: int) -> None:
    del made[row]


def _drop_column(_: random.Random, made: Rows, __: int, column: int) -> None:
    for cells in made:
        del cells[column : column + 1]


def _add_column(draw: random.Random, made: Rows, _: int, column: int) -> None:
    for cells in made:
        cells.insert(column, scalar(draw))


def _shuffle(draw: random.Random, made: Rows, _: int, __: int) -> None:
    draw.shuffle(made)


def _cut_row(_: random.Random, made: Rows, row: int, column: int) -> None:
    del made[row][column:]


_CHANGES: Final[tuple[Callable[[random.Random, Rows, int, int], None], ...]] = (
    _nudge, _overwrite, _repeat, _drop_row, _drop_column, _add_column, _shuffle, _cut_row,
)  # fmt: skip
_HOW_OFTEN: Final = (45, 25, 8, 6, 5, 4, 3, 4)


def _few(draw: random.Random) -> int:
    return draw.choice([0, 0, 0, 1, 1, 1, 2, 5])


def shaped(draw: random.Random) -> dict[str, Any]:
    """Return the arguments of a book: tables of one venue, most of them nearly whole."""
    book = draw.choice(SHAPES["books"])
    if book.get("rare") and draw.random() < 0.9:  # it counts for seconds
        book = SHAPES["books"][0]
    made: dict[str, Any] = {"rulebook": book["rulebook"], "as_of": SHAPES["as_of"]}
    for name in ("positions", "collateral", "market", "orders"):
        if name in book:
            made[name] = broken(draw, book[name], _few(draw))
        elif draw.random() < 0.05:
            made[name] = nonsense(draw)
    if "history" in book:
        made["history"] = _HISTORY
    if draw.random() < 0.1:
        made["rulebook"] = draw.choice(
            [known["rulebook"] for known in SHAPES["books"] if "rare" not in known]
        )
    if draw.random() < 0.05:
        made["as_of"] = scalar(draw)
    if draw.random() < 0.05:
        made["positions"] = nonsense(draw)
    return made


def table_named(draw: random.Random, name: str) -> Rows:
    """Return a table such as an argument of this name expects, broken here and there."""
    if name == "prices":
        start = draw.randrange(1, 500)
        rows = [_HISTORY[0], *_HISTORY[start : start + draw.randint(1, 40)]]
        return broken(draw, rows, _few(draw))
    tables: dict[str, Rows] = SHAPES["tables"]
    for known, table in tables.items():
        if name.startswith(known.rstrip("s")):
            return broken(draw, table, _few(draw))
    book = draw.choice(SHAPES["books"])
    found = book.get(name)
    return broken(draw, found, _few(draw)) if isinstance(found, list) else nonsense(draw)
