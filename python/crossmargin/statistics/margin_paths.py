"""How much margins rise when markets fall, and what rules do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossmargin import _core
from crossmargin.statistics._coerce import numbers, whole

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "EmirOptions",
    "Procyclicality",
    "emir_options",
    "procyclicality",
    "step_multiplier",
]


@dataclass(frozen=True)
class Procyclicality:
    """Measures of a path of margins of a portfolio that stays the same.

    Parameters
    ----------
    peak_to_trough
        Largest margin over the smallest.
    largest_increase
        Over the steps asked for, money; below 0 if margins only fell.
    largest_ratio
        Of a margin to the one so many steps before.
    """

    peak_to_trough: float
    largest_increase: float
    largest_ratio: float


@dataclass(frozen=True)
class EmirOptions:
    """A margin under the options (a), (b) and (c) of Article 28 of Regulation (EU) 153/2013.

    Parameters
    ----------
    buffered
        The margin with a buffer.
    blended
        The margin with a weight on stress; the text weights observations, a blend of two margins is
        the common way.
    floored
        The margin, but at least that of ten years of volatility.
    """

    buffered: float
    blended: float
    floored: float


def procyclicality(margins: npt.ArrayLike, *, steps: int) -> Procyclicality:
    """Return how much the margin of a portfolio that stays the same has risen.

    Source: Murphy, Vasios and Vause 2014.

    Parameters
    ----------
    margins
        By date, money, above 0.
    steps
        Dates between the margins that are compared: 5 or 20 are usual.

    Raises
    ------
    OutOfRangeError, NoAnswerError
        For a margin that is not above 0, or steps of 0 or no fewer than the margins.

    Examples
    --------
    >>> found = procyclicality([100, 97, 120, 160], steps=2)
    >>> found.largest_increase, round(found.peak_to_trough, 4)
    (63.0, 1.6495)
    """
    return Procyclicality(
        *_core.margin_procyclicality(numbers("margins", margins), whole("steps", steps))
    )


def emir_options(
    margin: float, *, stressed: float, ten_years: float, share: float = 0.25
) -> EmirOptions:
    """Return a margin under the three options of EMIR against procyclicality.

    Source: Regulation (EU) 153/2013, Article 28(1). For reference, not legal advice.

    Parameters
    ----------
    margin
        Without any, money.
    stressed
        Margin of stressed observations, money.
    ten_years
        Margin with the volatility of ten years, money.
    share
        Of the buffer and of the weight on stress; 0.25 by the text.

    Raises
    ------
    OutOfRangeError
        For a margin below 0 or a share outside 0 to 1.

    Examples
    --------
    >>> emir_options(100, stressed=180, ten_years=110)
    EmirOptions(buffered=125.0, blended=120.0, floored=110.0)
    """
    return EmirOptions(*_core.emir_options(margin, stressed, ten_years, share))


def step_multiplier(
    stress: float, *, thresholds: npt.ArrayLike, multipliers: npt.ArrayLike
) -> float:
    """Return the multiplier of margins at a stress index: the next one from each threshold on.

    Parameters
    ----------
    stress
        The index.
    thresholds
        Rising, shape ``(K,)``.
    multipliers
        The first one below all thresholds, shape ``(K + 1,)``.

    Raises
    ------
    OutOfRangeError, NoAnswerError, ShapeError
        For numbers that are not finite, thresholds that do not rise, other lengths.

    Examples
    --------
    >>> step_multiplier(1.5, thresholds=[1, 2], multipliers=[1, 1.5, 2])
    1.5
    """
    return _core.step_multiplier(
        stress, numbers("thresholds", thresholds), numbers("multipliers", multipliers)
    )
