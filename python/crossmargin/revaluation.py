"""Books of options under price and volatility scenarios, by full revaluation.

Values are Black's (1976), undiscounted, per unit of the underlying in quote currency. A book is
taken in once, netted and grouped; each call after that crosses into the core once::

    strikes = Strikes([50_000, 60_000], forward=58_000, years=0.1, volatility=[0.7, 0.65])
    scenarios = Scenarios(price_move=[-0.15, 0.0, 0.15], volatility_move=[0.45, 0.0, -0.3])
    account = Account(strikes, index=[0, 1], is_call=[False, True], quantity=[-2.0, 1.5])
    account.scenario_pnl(scenarios)

Arrays of the right type (float64, int64, bool) are read where they are; nobody may write to them
during a call. The answers do not depend on the number of threads, to the last bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crossmargin import _core
from crossmargin._arrays import integers, numbers
from crossmargin.errors import MissingError
from crossmargin.joint import JointBook, JointTail

if TYPE_CHECKING:
    import numpy.typing as npt

    _Numbers = npt.NDArray[np.float64]

__all__ = ["Account", "Accounts", "JointBook", "JointTail", "Scenarios", "Strikes"]


class Strikes:
    """Strikes to be revalued; each stands for a call and a put.

    Parameters
    ----------
    strike
        Strikes, shape ``(M,)``, quote currency per unit, above zero.
    forward
        Forward price of each strike's expiry, one number or shape ``(M,)``, same unit.
    years
        Years to expiry, one number or shape ``(M,)``, zero or above.
    volatility
        Yearly volatility as a fraction (0.6 is 60 %), one number or shape ``(M,)``.
    tenor_weight
        What a scenario's volatility move is multiplied by at this strike, one number or shape
        ``(M,)``; 1 if left out.
    expiry
        Number of the expiry, from 0, shape ``(M,)``; needed for discounts.
    underlying
        Number of the underlying, from 0, shape ``(M,)``. If left out, all strikes move together.

    Raises
    ------
    ShapeError
        If a column has another length.
    OutOfRangeError
        If a number is outside its range; the message names its index.
    """

    __slots__ = ("_core", "_has_expiry")

    def __init__(  # noqa: PLR0913, PLR0917  # one argument per column
        self,
        strike: npt.ArrayLike,
        forward: npt.ArrayLike,
        years: npt.ArrayLike,
        volatility: npt.ArrayLike,
        tenor_weight: npt.ArrayLike | None = None,
        expiry: npt.ArrayLike | None = None,
        underlying: npt.ArrayLike | None = None,
    ) -> None:
        self._core = _core.Strikes(
            numbers(strike),
            numbers(forward),
            numbers(years),
            numbers(volatility),
            None if tenor_weight is None else numbers(tenor_weight),
            None if expiry is None else integers("expiry", expiry),
            None if underlying is None else integers("underlying", underlying),
        )
        self._has_expiry = expiry is not None

    def __len__(self) -> int:
        return len(self._core)


class Scenarios:
    """Moves of price and volatility, common to all strikes.

    Parameters
    ----------
    price_move
        Relative move of the price, shape ``(S,)``, above -1: the forward becomes
        ``forward * (1 + price_move)``.
    volatility_move
        Relative move of the volatility, shape ``(S,)``: it becomes
        ``volatility * (1 + tenor_weight * volatility_move)``; at or below zero the option is worth
        its intrinsic value.

    Raises
    ------
    MissingError
        If there is no scenario.
    ShapeError
        If the lengths differ.
    OutOfRangeError
        If a number is not finite, or a price would not stay above zero.
    """

    __slots__ = ("_core",)

    def __init__(self, price_move: npt.ArrayLike, volatility_move: npt.ArrayLike) -> None:
        self._core = _core.Scenarios(numbers(price_move), numbers(volatility_move))

    def __len__(self) -> int:
        return len(self._core)


class Account:
    """One account's options, netted per strike and right.

    Parameters
    ----------
    strikes
        The strikes that ``index`` counts in.
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
        called = np.ascontiguousarray(is_call, dtype=np.bool_)
        self._core = _core.Account(
            strikes._core,  # noqa: SLF001  # the two classes share the core
            integers("index", index),
            called,
            numbers(quantity),
        )

    def scenario_pnl(self, scenarios: Scenarios) -> _Numbers:
        """Return profit and loss under each scenario, quote currency, shape ``(S,)``."""
        return self._core.scenario_pnl(scenarios._core)  # noqa: SLF001  # the two classes share the core


class Accounts:
    """Many accounts' options, compressed by rows.

    Parameters
    ----------
    strikes
        The ``M`` strikes that ``instrument`` counts in.
    offsets
        First position of each account and the number of positions, shape ``(A + 1,)``.
    instrument
        Instrument of each position, shape ``(P,)``: the call of strike ``m`` is ``m``, its put
        ``M + m``.
    quantity
        Quantity in units of the underlying, short below zero, shape ``(P,)``.

    Raises
    ------
    ShapeError
        If the lengths differ.
    NoAnswerError
        If offsets fall or an instrument does not exist.
    OutOfRangeError
        If a quantity is not finite.
    """

    __slots__ = ("_core", "_has_expiry")

    def __init__(
        self,
        strikes: Strikes,
        offsets: npt.ArrayLike,
        instrument: npt.ArrayLike,
        quantity: npt.ArrayLike,
    ) -> None:
        self._core = _core.Accounts(
            strikes._core,  # noqa: SLF001  # the two classes share the core
            integers("offsets", offsets),
            integers("instrument", instrument),
            numbers(quantity),
        )
        self._has_expiry = strikes._has_expiry  # noqa: SLF001  # the two classes share the core

    def __len__(self) -> int:
        return len(self._core)

    def worst_loss(
        self,
        scenarios: Scenarios,
        long_discount: npt.ArrayLike | None = None,
        short_discount: npt.ArrayLike | None = None,
        *,
        threads: int | None = None,
    ) -> _Numbers:
        """Return each account's worst loss over all scenarios, quote currency, shape ``(A,)``.

        Without underlyings all strikes move together, and the number is below zero where an account
        gains in every scenario. With underlyings, each moves on its own: its worst loss is floored
        at zero, and the losses are added.

        Parameters
        ----------
        scenarios
            The moves.
        long_discount, short_discount
            Factors per expiry number, shape ``(E,)``, zero or above. In each scenario an account's
            net shocked value of an expiry is multiplied by the long factor if it is zero or above,
            else by the short one; the value before the scenario is taken off without a factor.
        threads
            At most as many threads; as many as the machine has processors if left out.

        Raises
        ------
        MissingError
            If only one of the discounts is given, or the strikes have no expiry numbers.
        ShapeError
            If there are fewer factors than expiries.
        OutOfRangeError
            If a factor is below zero or not finite, or ``threads`` is below 1.
        """
        discounts = None
        if long_discount is not None or short_discount is not None:
            if long_discount is None or short_discount is None:
                given, missing = "long_discount", "short_discount"
                if long_discount is None:
                    given, missing = missing, given
                raise MissingError(f"{missing} is missing: it is needed beside {given}")
            if not self._has_expiry:
                raise MissingError("expiry is missing: discounts need the expiry of each strike")
            discounts = (numbers(long_discount), numbers(short_discount))
        return self._core.worst_loss(scenarios._core, discounts, threads)  # noqa: SLF001  # as above

    def liquidation_prices(
        self,
        need: npt.ArrayLike,
        *,
        lowest: float,
        price: float | None = None,
        points: int = 128,
        threads: int | None = None,
    ) -> _Numbers:
        """Return the nearest price below today's at which each account is worth less than it needs.

        All forwards move in the ratio in which the price of the one underlying does; volatilities
        and time stay as they are. Every strike is valued once on a grid of prices, the first point
        at which an account is worth less brackets its price, and exact values find it to 1e-11 of
        itself (an estimate of the error, in rounding's limits).

        A stretch that is narrower than the grid's step, in which an account is worth less than it
        needs but at neither of the points around it, can be missed. Where that must be excluded,
        `crossmargin.liquidation_zones` (CM_LIQZONES) proves the zones of a book, with its margin
        evaluated anew at every price.

        Parameters
        ----------
        need
            What the options of each account must be worth, quote currency, shape ``(A,)``: its
            requirement less its cash, for example.
        lowest
            The lowest price that is looked at, quote currency, above zero and below today's.
        price
            Today's price of the underlying, quote currency; the forward of the strikes if left
            out, which they must then share.
        points
            Points of the grid from today's price to the lowest, both among them, evenly spaced in
            the logarithm, 4 to 65536.
        threads
            At most as many threads; as many as the machine has processors if left out.

        Returns
        -------
        numpy.ndarray
            Prices, quote currency, shape ``(A,)``: today's where an account is worth less than it
            needs already; NaN where it is not down to the lowest price, as numpy has no other word
            for it.

        Raises
        ------
        ShapeError
            If there are not as many needs as accounts.
        MissingError
            If the forwards differ and no price is given.
        NoAnswerError
            If the strikes have several underlyings, whose prices move apart.
        OutOfRangeError
            If a number is outside its range.
        """
        return self._core.liquidation_prices(numbers(need), lowest, price, points, threads)
