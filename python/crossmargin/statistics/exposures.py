"""What every exposure adds to a risk that is a multiple of the book's volatility."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossmargin import _core
from crossmargin.statistics._coerce import Floats, numbers, square

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "Contributions",
    "contributions",
]


@dataclass(frozen=True)
class Contributions:
    """Contributions to `multiple x sqrt(x' Sigma x)`, one entry per exposure.

    Parameters
    ----------
    total
        Risk of the book, money.
    component
        Euler's shares, money; they add up to the total and are negative for a hedge.
    share
        The same as fractions of the total.
    marginal
        Risk per unit of further exposure.
    incremental
        Total less the total without the exposure, money.
    stand_alone
        Risk of the exposure by itself, money.
    beta
        Beta to the book: `(Sigma x)_i / (x' Sigma x)` times the sum of exposures.
    undiversified
        Sum of the exposures' own risks; less the total it is the benefit of diversification.
    order_component, order_marginal, order_incremental, order_notional
        Places of the exposures, the largest first: by component, by component per unit of notional,
        by incremental, by size. They differ: component shows, marginal ranks small reductions,
        incremental ranks full closes.
    """

    total: float
    component: Floats
    share: Floats
    marginal: Floats
    incremental: Floats
    stand_alone: Floats
    beta: Floats
    undiversified: float
    order_component: list[int]
    order_marginal: list[int]
    order_incremental: list[int]
    order_notional: list[int]


def contributions(
    exposures: npt.ArrayLike,
    covariance: npt.ArrayLike,
    *,
    confidence: float | None = None,
    multiple: float | None = None,
) -> Contributions:
    """Return what every exposure adds to a risk that is a multiple of the book's volatility.

    Source: Jorion, Value at Risk, chapter 7; Tasche 1999.

    Parameters
    ----------
    exposures
        Signed, money, shape ``(N,)``.
    covariance
        Of the returns over the horizon, shape ``(N, N)``.
    confidence
        Of a normal value at risk, 0.99 for 99 %.
    multiple
        Volatilities, in the place of a confidence: 1.65, or the expected shortfall of a law of
        volatility 1 (`student_tail(1, ...)`).

    Raises
    ------
    MissingError
        Unless exactly one of confidence and multiple is given.
    NoAnswerError
        For a book without volatility, or a covariance that is not symmetric.
    OutOfRangeError, ShapeError
        For a number outside its range, or other shapes.

    Examples
    --------
    >>> found = contributions([2e6, 1e6], [[0.0025, 0], [0, 0.0144]], multiple=1.65)
    >>> round(found.total), found.component.round().tolist()
    (257738, [105630.0, 152108.0])
    """
    total, undiversified, columns, orders = _core.volatility_contributions(
        numbers("exposures", exposures), square("covariance", covariance)[0], confidence, multiple
    )
    component, share, marginal, incremental, stand_alone, beta_to_book = columns
    by_component, by_marginal, by_incremental, by_notional = orders
    return Contributions(
        total=total,
        component=component,
        share=share,
        marginal=marginal,
        incremental=incremental,
        stand_alone=stand_alone,
        beta=beta_to_book,
        undiversified=undiversified,
        order_component=by_component,
        order_marginal=by_marginal,
        order_incremental=by_incremental,
        order_notional=by_notional,
    )
