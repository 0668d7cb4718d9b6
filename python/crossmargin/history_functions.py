"""Histories of prices, implied volatilities and bases, which margins by a tail are made of.

Standard library and the compiled core only.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crossmargin import _core, explain
from crossmargin._types import Block, HistoryResult, Options
from crossmargin.errors import OutOfRangeError, UnknownWordError
from crossmargin.frames import as_table, check_is_here
from crossmargin.registry import register

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["history"]

OPTIONS = ("coin", "step", "partial", "join", "clash")


@register("CM_HISTORY", category="Book", example="=CM_HISTORY(History[#All])")
def history(prices: Block, *, options: Options | None = None) -> HistoryResult:
    """History of prices, implied volatilities and bases; in a sheet its text key.

    CM_BOOK takes the key by its option history, CM_CORREL and CM_CHECK take it as it is. Rows by
    date and symbol with a column close, or a column per coin such as BTC, BTC vol 30d, BTC basis
    30d; dates in any order. Nothing is filled in: gaps, stale levels, young series, jumps and
    uneven steps stay and are listed by CM_CHECK.

    Parameters
    ----------
    prices
        The table with its header row, or the key of a history; in Python also a data frame, a
        mapping of columns, the path of a CSV or Parquet file, or a list of these, joined by date.
    options
        coin=BTC for a table that names no coin; step=1 keeps the last bar of each day (2 of every
        two days); partial=1 leaves out cells that cannot be used; join= takes the key of another
        history, whose dates and series are added; clash=first lets the history named first count
        where both have a level and they differ, which is refused otherwise.

    Returns
    -------
    History
        The history; `key` begins with the hash of its contents.

    Raises
    ------
    TableError
        If a cell cannot be used (the first is named, CM_CHECK lists all) or two histories clash.
    OutOfRangeError
        If the step is shorter than that of the bars.

    References
    ----------
    Nothing is estimated here; moves are made by the functions that use the history.
    """
    given = dict(options or {})
    unknown = next((name for name in given if name not in OPTIONS), None)
    if unknown is not None:
        raise UnknownWordError(f"unknown option '{unknown}'; known: {', '.join(OPTIONS)}")
    parts = [_read(part, given) for part in _parts(prices)]
    if given.get("join"):
        parts += [_read(part, given) for part in _parts(given["join"])]
    if len(parts) == 1:
        return parts[0]
    return _core.join_histories(parts, str(given.get("clash", "refuse")))


def _parts(prices: object) -> list[object]:
    """Return the tables of a list of them, or the one that is given."""
    if isinstance(prices, Sequence) and not isinstance(prices, str):
        parts: list[object] = list(prices)
        if parts and all(map(_is_whole, parts)):
            return parts
    return [prices]


def _is_whole(part: object) -> bool:
    """Return whether something is a table by itself and no row of one."""
    frame = hasattr(part, "__dataframe__") or hasattr(part, "__arrow_c_stream__")
    return frame or isinstance(part, str | Path | _core.History)


def _read(part: object, options: Mapping[str, object]) -> _core.History:
    known = explain.history(part)
    if known is not None:
        return known
    part = explain.plain(part)
    if isinstance(part, str) and not Path(part).suffix:
        raise UnknownWordError(
            "a history is a table, the key that CM_HISTORY returns, or in Python the path of a "
            f"file, was '{part}'"
        )
    if isinstance(part, str):
        check_is_here(part, "a history")
    step, coin = options.get("step"), options.get("coin")
    return _core.History(
        as_table(_dated(part)),
        coin=None if coin is None else str(coin),
        step=None if step is None else _days(step),
        partial=str(options.get("partial", "0")).strip().lower() in {"1", "true", "yes"},
    )


def _dated(part: object) -> object:
    """Return a frame whose dates are its index, as pandas keeps them, with a column of dates."""
    if type(getattr(part, "index", None)).__name__ != "DatetimeIndex":
        return part
    return part.rename_axis("date").reset_index()  # type: ignore[attr-defined]  # pandas alone


def _days(step: object) -> float:
    text = str(step).strip().lower().removesuffix("d")
    try:
        return float(text)
    except ValueError:
        raise OutOfRangeError(f"step must be a number of days, was '{step}'") from None
