"""Options on several underlyings under scenarios of all their prices and volatilities together.

Values are Black's (1976), undiscounted, per unit of the underlying in quote currency; every option
is revalued. A book is taken in once, netted and grouped by what moves it::

    strikes = Strikes([50_000, 2_800], [58_000, 3_000], 0.1, [0.7, 0.8], underlying=[0, 1])
    book = JointBook(strikes, index=[0, 1], is_call=[False, True], quantity=[-2.0, 15.0])
    found = book.tail(price_moves, volatility_moves, confidence=0.99)
    found.expected_shortfall, found.components

Moves are logarithms of ratios, an underlying in each row. The answers do not depend on the number
of threads, to the last bit. Memory is a few numbers per scenario,
never one per option and scenario.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from crossmargin import _core
from crossmargin._arrays import integers, numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from crossmargin.revaluation import Strikes

    _Numbers = npt.NDArray[np.float64]

__all__ = ["JointBook", "JointTail", "Method"]

Method = Literal["full", "screened", "delta_gamma"]


@dataclass(frozen=True, slots=True, eq=False)
class JointTail:
    """The tail of a book, and how it was found.

    Attributes
    ----------
    expected_shortfall, value_at_risk
        Losses above zero, quote currency.
    components
        What each position bears of the expected shortfall, shape ``(P,)``: the mean of its losses
        in the scenarios of the tail, with their weights. They sum to the expected shortfall.
    scenarios, weights
        The scenarios of the tail, in rising order, and their weights in the expected shortfall.
    method
        ``"full"`` if every scenario was valued, ``"screened"`` if only those that could be in the
        tail, ``"delta_gamma"`` if only those that seem to be in it.
    valued
        How many scenarios were valued exactly.
    bound
        Largest bound of the surrogate's error at a scenario that was valued, quote currency; 0 if
        every scenario was.
    error
        Largest error of the surrogate, or of delta and gamma, that was seen, quote currency.
    difference
        By delta and gamma: the exact mean loss in the scenarios of the tail less the one reported;
        None for the other methods, whose tails are exact.
    refined
        How often the surrogate was made finer.
    fallback
        Why a book was valued in full though screening was asked for; empty otherwise.
    """

    expected_shortfall: float
    value_at_risk: float
    components: _Numbers
    scenarios: npt.NDArray[np.int64]
    weights: _Numbers
    method: Method
    valued: int
    bound: float
    error: float
    difference: float | None
    refined: int
    fallback: str


class JointBook:
    """Positions in options on several underlyings, netted and grouped by what moves them.

    Parameters
    ----------
    strikes
        The strikes that ``index`` counts in, of ``U`` underlyings; of one if none is said. Their
        tenor weight multiplies the logarithm of the volatility's move.
    index
        Strike of each position, from 0, shape ``(P,)``.
    is_call
        Whether each position is in the call, shape ``(P,)``.
    quantity
        Quantity in units of the underlying, short below zero, shape ``(P,)``.

    Raises
    ------
    ShapeError
        If the lengths differ.
    NoAnswerError
        If a strike does not exist.
    OutOfRangeError
        If a quantity is not finite.
    """

    __slots__ = ("_core",)

    def __init__(
        self,
        strikes: Strikes,
        index: npt.ArrayLike,
        is_call: npt.ArrayLike,
        quantity: npt.ArrayLike,
    ) -> None:
        self._core = _core.JointBook(
            strikes._core,  # noqa: SLF001  # the two classes share the core
            integers("index", index),
            np.ascontiguousarray(is_call, dtype=np.bool_),
            numbers(quantity),
        )

    def __len__(self) -> int:
        return len(self._core)

    def profits(
        self,
        price_moves: npt.ArrayLike,
        volatility_moves: npt.ArrayLike,
        *,
        threads: int | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> _Numbers:
        """Return profit and loss in each scenario, quote currency, shape ``(S,)``.

        Parameters
        ----------
        price_moves, volatility_moves
            Logarithms of the ratios of forwards and of volatilities to today's, shape ``(U, S)``.
        threads
            At most as many threads; as many as the machine has processors if left out.
        progress
            Called with the steps done and the steps known of, now and then. What it raises stops
            the calculation and is raised; so does Ctrl-C.

        Raises
        ------
        ShapeError
            If a row has another length, or there is not one for each underlying.
        OutOfRangeError
            If a move is not finite, or ``threads`` is below 1.
        """
        return self._core.profits(
            numbers(price_moves), numbers(volatility_moves), threads, progress
        )

    def tail(  # noqa: PLR0913  # one keyword per question
        self,
        price_moves: npt.ArrayLike,
        volatility_moves: npt.ArrayLike,
        confidence: float = 0.99,
        *,
        probabilities: npt.ArrayLike | None = None,
        method: Method = "full",
        threads: int | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> JointTail:
        """Return value at risk, expected shortfall and the positions' components.

        Parameters
        ----------
        price_moves, volatility_moves
            Logarithms of the ratios of forwards and of volatilities to today's, shape ``(U, S)``.
        confidence
            0.99 is 99 %.
        probabilities
            Of the scenarios, shape ``(S,)``, in any unit; alike if left out.
        method
            ``"full"`` values every scenario. ``"screened"`` tabulates each underlying's book over
            its forward and volatility, finds by it the scenarios that can be in the tail, and
            values those: the same bits at a fraction of the work, unless the table errs by more
            than three times as much, for its own estimate, as in every scenario that was valued.
            Where that saves nothing it values every scenario and says why in ``fallback``.
            ``"delta_gamma"`` takes delta, gamma and vega for the book: an approximation, which is
            often right for a value at risk and wrong for an expected shortfall; the scenarios of
            its tail are valued beside it, and ``difference`` and ``error`` say how far it is off.
            Its components are those exact ones.
        threads
            At most as many threads; as many as the machine has processors if left out.
        progress
            Called with the steps done and the steps known of, now and then. What it raises stops
            the calculation and is raised; so does Ctrl-C.

        Raises
        ------
        ShapeError
            If a row has another length, or there is not one for each underlying.
        OutOfRangeError
            If a number is not finite or outside its range.
        NoAnswerError
            If there are too few scenarios for the confidence.
        UnknownWordError
            If the method is another word.
        """
        found = self._core.tail(
            numbers(price_moves),
            numbers(volatility_moves),
            confidence,
            None if probabilities is None else numbers(probabilities),
            method,
            threads,
            progress,
        )
        return JointTail(**found)
