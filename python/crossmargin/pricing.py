"""Values, sensitivities and implied volatilities of European options on a forward, by columns.

Black's formula of 1976, undiscounted, years of 365 days. Arguments are numbers or arrays and are
broadcast against each other; results have their common shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, overload

from crossmargin import _core
from crossmargin.errors import ShapeError, UnknownWordError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

__all__ = [
    "OptionGreeks",
    "SpotOption",
    "black76",
    "implied_volatilities",
    "normal_implied_volatility",
    "option_greeks",
    "option_on_spot",
    "option_values",
    "settlement_delta",
    "spot_implied_volatility",
]

_RIGHTS = ("call", "put")


@dataclass(frozen=True)
class OptionGreeks:
    """Sensitivities of options per unit of the underlying, each an array of the common shape.

    Parameters
    ----------
    delta
        Change of value per 1.00 of the forward.
    gamma
        Change of delta per 1.00 of the forward.
    vega
        Change of value per 1.00 of volatility, which is 100 percentage points.
    theta
        Change of value per year that passes, the forward standing still.
    theta_per_day
        A 365th of it.
    """

    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats
    theta_per_day: Floats


def option_values(
    right: npt.ArrayLike,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    volatility: npt.ArrayLike,
    years: npt.ArrayLike,
) -> Floats:
    """Return the undiscounted values of European options on a forward.

    At a forward, strike, volatility or time of zero the value is its limit.

    Parameters
    ----------
    right
        `call` or `put`, or an array of them.
    forward
        Forward prices of the expiry, quote currency per unit.
    strike
        Strikes, in the same unit.
    volatility
        Yearly volatilities; 0.6 is 60 %.
    years
        Time to expiry, years of 365 days.

    Returns
    -------
    numpy.ndarray
        Values per unit of the underlying, in the currency of the forward.

    Raises
    ------
    OutOfRangeError
        If a number is not finite or below zero; it names argument and index.
    UnknownWordError
        For another right than `call` and `put`.
    ShapeError
        If the shapes cannot be broadcast.

    Examples
    --------
    >>> option_values("call", 100, [90, 100, 110], 0.6, 0.25).round(6).tolist()
    [17.01288, 11.923538, 8.141012]
    """
    is_call, columns, shape = _columns(
        right, forward=forward, strike=strike, volatility=volatility, years=years
    )
    return _core.option_values(is_call, **columns).reshape(shape)


def option_greeks(
    right: npt.ArrayLike,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    volatility: npt.ArrayLike,
    years: npt.ArrayLike,
) -> OptionGreeks:
    """Return the sensitivities of undiscounted European options on a forward.

    Parameters
    ----------
    right
        `call` or `put`, or an array of them.
    forward
        Forward prices of the expiry, quote currency per unit, above zero.
    strike
        Strikes, in the same unit, above zero.
    volatility
        Yearly volatilities, above zero; 0.6 is 60 %.
    years
        Time to expiry, years of 365 days, above zero.

    Returns
    -------
    OptionGreeks
        Delta, gamma, vega and theta, which say their units.

    Raises
    ------
    OutOfRangeError
        If a number is not finite and above zero; it names argument and index.
    UnknownWordError
        For another right than `call` and `put`.
    ShapeError
        If the shapes cannot be broadcast.

    Examples
    --------
    >>> greeks = option_greeks(["call", "put"], 100, 100, 0.6, 0.25)
    >>> greeks.delta.round(6).tolist()
    [0.559618, -0.440382]
    """
    is_call, columns, shape = _columns(
        right, forward=forward, strike=strike, volatility=volatility, years=years
    )
    return OptionGreeks(
        *(column.reshape(shape) for column in _core.option_greeks(is_call, **columns))
    )


@overload
def implied_volatilities(
    right: npt.ArrayLike,
    price: npt.ArrayLike,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    *,
    refuse: Literal["raise"] = "raise",
) -> Floats: ...
@overload
def implied_volatilities(
    right: npt.ArrayLike,
    price: npt.ArrayLike,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    *,
    refuse: Literal["nan"],
) -> tuple[Floats, npt.NDArray[np.str_]]: ...
def implied_volatilities(
    right: npt.ArrayLike,
    price: npt.ArrayLike,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    *,
    refuse: Literal["raise", "nan"] = "raise",
) -> Floats | tuple[Floats, npt.NDArray[np.str_]]:
    """Return the volatilities at which options have these undiscounted values.

    A price outside what any volatility gives is refused, and so is one that does not determine a
    volatility: where one rounding of the price would move it by more than 1e-6.

    Parameters
    ----------
    right
        `call` or `put`, or an array of them.
    price
        Undiscounted values per unit of the underlying, in the currency of the forward.
    forward
        Forward prices of the expiry, quote currency per unit, above zero.
    strike
        Strikes, in the same unit, above zero.
    years
        Time to expiry, years of 365 days, above zero.
    refuse
        `raise` an error at the first price that is refused, or put `nan` in its place.

    Returns
    -------
    numpy.ndarray or tuple of two
        Yearly volatilities; with `nan` also the reasons, empty text where there is an answer.

    Raises
    ------
    OutOfRangeError, NoAnswerError
        With `raise`, for the first price that is refused; it names the index.
    UnknownWordError
        For another right than `call` and `put`, or another way to refuse.
    ShapeError
        If the shapes cannot be broadcast.

    Examples
    --------
    >>> implied_volatilities("call", [17.01288, 11.923538], 100, [90, 100], 0.25).round(6).tolist()
    [0.6, 0.6]
    """
    if refuse not in ("raise", "nan"):
        raise UnknownWordError(f"unknown refuse '{refuse}'; known: raise, nan")
    is_call, columns, shape = _columns(
        right, price=price, forward=forward, strike=strike, years=years
    )
    volatilities, refused = _core.implied_volatilities(
        is_call, **columns, keep_going=refuse == "nan"
    )
    if refuse == "raise":
        return volatilities.reshape(shape)
    import numpy as np  # noqa: PLC0415  # the sheet hosts have no numpy

    reasons = dict(refused)
    texts = np.array([reasons.get(index, "") for index in range(len(volatilities))], dtype=np.str_)
    return volatilities.reshape(shape), texts.reshape(shape)


def _columns(
    right: npt.ArrayLike, **numbers: npt.ArrayLike
) -> tuple[Flags, dict[str, Floats], tuple[int, ...]]:
    """Return who is a call, the numbers as columns of one length, and the shape they came in."""
    import numpy as np  # noqa: PLC0415  # the sheet hosts have no numpy

    words = np.asarray(right, dtype=np.str_)
    if not np.isin(words, _RIGHTS).all():
        words = np.char.lower(np.char.strip(words))
        unknown = np.flatnonzero(~np.isin(words, _RIGHTS))
        if unknown.size:
            word, index = words.ravel()[unknown[0]], unknown[0]
            raise UnknownWordError(
                f"unknown right '{word}' (index {index}); known: {', '.join(_RIGHTS)}"
            )
    given = [words == "call", *(np.asarray(each, dtype=np.float64) for each in numbers.values())]
    try:
        is_call, *columns = np.broadcast_arrays(*given)
    except ValueError:
        shapes = zip(("right", *numbers), given, strict=True)
        listed = ", ".join(f"{name} {array.shape}" for name, array in shapes)
        raise ShapeError(f"shapes cannot be broadcast: {listed}") from None
    flat = {
        name: np.ascontiguousarray(column, dtype=np.float64).ravel()
        for name, column in zip(numbers, columns, strict=True)
    }
    return np.ascontiguousarray(is_call, dtype=np.bool_).ravel(), flat, is_call.shape


@dataclass(frozen=True)
class SpotOption:
    """Value and sensitivities of one option on a spot price, per unit of the underlying.

    Parameters
    ----------
    value
        Discounted value.
    delta
        Change of value per 1.00 of the spot price.
    gamma
        Change of delta per 1.00 of the spot price.
    vega
        Change of value per 1.00 of volatility.
    theta
        Change of value per year that passes.
    theta_per_day
        A 365th of it.
    rho
        Change of value per 1.00 of the interest rate.
    dividend_rho
        Change of value per 1.00 of the dividend yield.
    elasticity
        Delta x spot / value.
    forward
        The forward that the option is priced on, spot x exp((rate - dividend yield) x years).
    """

    value: float
    delta: float
    gamma: float
    vega: float
    theta: float
    theta_per_day: float
    rho: float
    dividend_rho: float
    elasticity: float
    forward: float


def _is_call(right: str) -> bool:
    if right not in _RIGHTS:
        raise UnknownWordError(f"right must be call or put, was {right!r}")
    return right == "call"


def black76(
    forward: float, strike: float, volatility: float, years: float, *, discount: float = 1.0
) -> tuple[float, float]:
    """Return the discounted values of the call and the put of one strike (Black 1976).

    Parameters
    ----------
    forward, strike
        Quote currency per unit, zero or above.
    volatility
        Yearly volatility, zero or above.
    years
        Time to expiry, zero or above.
    discount
        Value today of 1.00 at expiry.

    Raises
    ------
    OutOfRangeError
        If a number is not finite or outside its range.

    Examples
    --------
    >>> [round(value, 6) for value in black76(1500, 1500, 1.0, 7 / 365)]
    [82.805081, 82.805081]
    """
    return _core.black76(forward, strike, volatility, years, discount)


def settlement_delta(
    delta: float, mark_price: float, elapsed_seconds: float, *, window_seconds: float = 1800.0
) -> tuple[float, float]:
    """Return what is left of a delta while the settlement price is being averaged (Deribit).

    In the last half hour the delta of expiring contracts decays in proportion to the time left,
    and so does the premium of a coin-settled option, which is coins too. Books do this by
    themselves under rulebooks with `settlement_average_seconds`.

    Parameters
    ----------
    delta
        Delta before the window, coins.
    mark_price
        Mark of the option, coins; zero for futures and for options settled in money.
    elapsed_seconds
        Seconds that have passed of the window, zero or above.
    window_seconds
        Length of the window, above zero.

    Returns
    -------
    tuple of float
        The delta, and the net transaction delta `share left x (delta - mark price)`, coins.

    Raises
    ------
    OutOfRangeError
        If a number is not finite or outside its range.

    Examples
    --------
    >>> settlement_delta(1.0, 0.3, 15 * 60)
    (0.5, 0.35)
    """
    return _core.settlement_delta(delta, mark_price, elapsed_seconds, window_seconds)


def option_on_spot(
    right: str,
    spot: float,
    strike: float,
    volatility: float,
    years: float,
    *,
    rate: float = 0.0,
    dividend_yield: float = 0.0,
) -> SpotOption:
    """Return value and sensitivities of a European option on a spot price with a yield.

    Parameters
    ----------
    right
        `call` or `put`.
    spot, strike
        Quote currency per unit, above zero.
    volatility
        Yearly volatility, above zero.
    years
        Time to expiry, above zero.
    rate, dividend_yield
        Continuous, per year.

    Raises
    ------
    OutOfRangeError
        If a number is not finite or outside its range.
    UnknownWordError
        For another right.

    Examples
    --------
    >>> round(option_on_spot("call", 100, 100, 0.2, 1, rate=0.05).value, 5)
    10.45058
    """
    terms = (_is_call(right), spot, strike, volatility, years, rate, dividend_yield)
    return SpotOption(*_core.spot_option(*terms))


def spot_implied_volatility(
    right: str,
    price: float,
    spot: float,
    strike: float,
    years: float,
    *,
    rate: float = 0.0,
    dividend_yield: float = 0.0,
) -> float:
    """Return the volatility at which an option on a spot price is worth `price`.

    Parameters
    ----------
    right
        `call` or `put`.
    price
        Discounted price, between intrinsic value and bound.
    spot, strike, years, rate, dividend_yield
        As in :func:`option_on_spot`.

    Raises
    ------
    OutOfRangeError
        If no volatility gives the price.
    """
    terms = (_is_call(right), price, spot, strike, years, rate, dividend_yield)
    return _core.spot_implied_volatility(*terms)


def normal_implied_volatility(
    right: str, price: float, forward: float, strike: float, years: float
) -> float:
    """Return the volatility of the normal law (Bachelier) at which an option is worth `price`.

    Parameters
    ----------
    right
        `call` or `put`.
    price
        Undiscounted price.
    forward, strike
        Quote currency per unit.
    years
        Time to expiry, above zero.

    Raises
    ------
    OutOfRangeError
        If no volatility gives the price.

    Examples
    --------
    >>> round(normal_implied_volatility("call", 20, 100, 90, 30), 9)
    6.614292466
    """
    return _core.normal_implied_volatility(_is_call(right), price, forward, strike, years)
