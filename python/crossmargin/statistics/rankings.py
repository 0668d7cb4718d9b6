"""Millions of numbers in order, and the losses of positions that are ranked so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossmargin import _core
from crossmargin._arrays import integers, numbers
from crossmargin.statistics._coerce import whole

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    _Numbers = npt.NDArray[np.float64]
    _Rows = npt.NDArray[np.int64]

__all__ = ["descending_order", "largest_rows", "losses_in_scenarios"]


def descending_order(values: npt.ArrayLike) -> _Rows:
    """Return the rows from the largest number to the smallest, equal ones in their order.

    Parameters
    ----------
    values
        Numbers, shape ``(N,)``; zero ranks above negative zero.

    Raises
    ------
    OutOfRangeError
        If one is NaN, which has no rank; the message names its index.
    """
    return _core.descending_order(numbers(values))


def largest_rows(values: npt.ArrayLike, count: int) -> _Rows:
    """Return the first `count` rows of `descending_order`, in much less time.

    Parameters
    ----------
    values
        Numbers, shape ``(N,)``.
    count
        How many, at most ``N``.

    Raises
    ------
    OutOfRangeError
        If a number is NaN, or there are fewer than asked for.
    """
    return _core.largest_rows(numbers(values), whole("count", count))


def losses_in_scenarios(  # the columns of the question
    offsets: npt.ArrayLike,
    instrument: npt.ArrayLike,
    quantity: npt.ArrayLike,
    scenario: npt.ArrayLike,
    results: npt.ArrayLike,
    *,
    threads: int | None = None,
) -> _Numbers:
    """Return what each position of many accounts loses in the scenario of its account.

    In its account's worst scenario that is the position's contribution to the worst loss; those of
    an account add up to it.

    Parameters
    ----------
    offsets
        First position of each account and the number of positions, shape ``(A + 1,)``.
    instrument
        Row of each position in `results`, shape ``(P,)``.
    quantity
        Signed quantities, shape ``(P,)``.
    scenario
        Column of each account in `results`, shape ``(A,)``.
    results
        Profit and loss of one unit of each instrument (row) in each scenario (column).
    threads
        At most as many threads; as many as the machine has processors if left out. Their number
        changes no bit of the answer.

    Returns
    -------
    numpy.ndarray
        Losses above zero, gains below, shape ``(P,)``.

    Raises
    ------
    ShapeError
        If lengths do not fit each other.
    NoAnswerError
        If offsets fall, or an instrument or a scenario does not exist; the message names its index.
    """
    return _core.losses_in_scenarios(
        integers("offsets", offsets),
        integers("instrument", instrument),
        numbers(quantity),
        integers("scenario", scenario),
        numbers(results),
        threads,
    )
