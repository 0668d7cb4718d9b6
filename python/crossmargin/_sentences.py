"""Sentences of `CM_WHY` about the tables of functions: rows in words, nothing calculated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.cells import SheetError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Rows = Sequence[Sequence[object]]

__all__ = ["of_table"]

MOST: Final = 8
"""Rows that are told at most; the table shows all."""


def of_table(name: str, answer: Rows, arguments: Sequence[object]) -> list[str]:
    """Return sentences about the table that a function gives; none for other functions.

    Parameters
    ----------
    name
        The function.
    answer
        Its rows, the header first.
    arguments
        What it was given.
    """
    teller = _TELLERS.get(name)
    return [] if teller is None or len(answer) < 2 else teller(answer, arguments)  # noqa: PLR2004  # a header alone


def _cures(answer: Rows, arguments: Sequence[object]) -> list[str]:
    """Return one sentence per proposal."""
    del arguments
    plans: dict[object, list[dict[str, object]]] = {}
    for row in _records(answer):
        plans.setdefault(row["rank"], []).append(row)
    found = []
    for rank, rows in plans.items():
        last = rows[-1]
        if len(rows) == 1:
            what = " ".join(_number(last[key]) for key in ("action", "qty", "symbol") if last[key])
            found.append(
                f"Proposal {_number(rank)}: {what}, cost {_number(last['cost'])}; {last['comment']}"
            )
        else:
            largest = ", ".join(str(row["symbol"]) for row in rows[:3])
            found.append(
                f"Proposal {_number(rank)}: {len(rows)} steps, first {largest}; {last['comment']}"
            )
    return found[:MOST]


def _stresses(answer: Rows, arguments: Sequence[object]) -> list[str]:
    """Return one sentence per scenario."""
    del arguments
    found = []
    for row in _records(answer)[:MOST]:
        words = [
            f"{key.replace('_', ' ')} {_number(row[key])}"
            for key in ("pnl", "equity", "mm", "usage", "call_amount", "first_liquidated")
            if row.get(key) is not None and row[key] != ""
        ]
        status = row.get("status") or "no answer"
        note = f"; {row['note']}" if row.get("note") else ""
        found.append(f"{row['scenario']}: {status}; {', '.join(words)}{note}")
    return found


def _maps(answer: Rows, arguments: Sequence[object]) -> list[str]:
    """Return where on a map the figure is largest and smallest, and which nodes are words."""
    axes = [str(one) for one in (*arguments[1:3], "VOL")[:2]]
    moves = answer[0][1:]
    nodes: list[tuple[float, str]] = []
    words: dict[str, str] = {}
    for across, *line in answer[1:]:
        for along, value in zip(moves, line, strict=True):
            place = f"{axes[0]} {_move(along)}, {axes[1]} {_move(across)}"
            if isinstance(value, int | float):
                nodes.append((float(value), place))
            elif value:
                words.setdefault(str(value), place)
    found = []
    if nodes:
        (least, here), (most, there) = min(nodes), max(nodes)
        found.append(
            f"Between {_number(least)} ({here}) and {_number(most)} ({there}) at the nodes that "
            "have a number"
        )
    found += [f"{word}: first at {place}" for word, place in words.items()]
    return found[:MOST]


_TELLERS: Final[dict[str, Callable[[Rows, Sequence[object]], list[str]]]] = {
    "CM_CURE": _cures,
    "CM_STRESS": _stresses,
    "CM_LIQMAP": _maps,
}


def _records(answer: Rows) -> list[dict[str, object]]:
    header, *rows = answer
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


def _number(value: object) -> str:
    if isinstance(value, SheetError):
        return value.reason
    return f"{value:,.10g}" if isinstance(value, int | float) else str(value)


def _move(value: object) -> str:
    """Return a relative move as the first row of a map writes it."""
    return (
        f"{value:+.4%}".replace(".0000", "").replace("%", " %")
        if isinstance(value, int | float)
        else str(value)
    )
