"""Calculations without a book: one position, bracket amounts, ranks, and whole columns at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossmargin import _core
from crossmargin.errors import MissingError, UnknownWordError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

__all__ = [
    "AdlRank",
    "SinglePrice",
    "adl_rank_value",
    "linear_liquidation_prices",
    "single_liquidation_price",
    "tier_amounts",
]

_SINGLE_OPTIONS = (
    "mark",
    "maintenance_amount",
    "maint_amount",
    "fee",
    "leverage",
    "maintenance_on",
    "tick",
    "side",
)


@dataclass(frozen=True)
class SinglePrice:
    """The prices of one position.

    Parameters
    ----------
    liquidation_price
        Price at which equity equals maintenance margin, quote currency per coin; None if no price
        above zero does.
    bankruptcy_price
        Price at which equity is zero; None likewise.
    bankruptcy_price_rounded
        The same on the tick that closes earlier: up for a long, down for a short; None without one.
    distance
        Relative move from the mark (or entry) to the liquidation price, as a positive fraction.
    already_liquidatable
        Whether equity is at or below the maintenance margin at the entry (or mark) already.
    reason
        Why there is no liquidation price; empty when there is one.
    """

    liquidation_price: float | None
    bankruptcy_price: float | None
    bankruptcy_price_rounded: float | None
    distance: float | None
    already_liquidatable: bool
    reason: str


@dataclass(frozen=True)
class AdlRank:
    """Rank value of a position in Binance's queue of auto-deleveraging; the largest goes first."""

    pnl_percent: float
    leverage_pnl: float


def single_liquidation_price(
    quantity: float,
    entry: float,
    collateral: float | None = None,
    maintenance_rate: float = 0.0,
    *,
    kind: str = "linear",
    other_maintenance: float = 0.0,
    options: Mapping[str, object] | None = None,
) -> SinglePrice:
    """Return the liquidation price of one position with its margin, without a book.

    Linear: `collateral + q (P - start) = other + m |q| P - amount`; inverse:
    `collateral + q (1 / start - 1 / P) = other + m |q| / P - amount` in coin.

    Parameters
    ----------
    quantity
        Signed quantity: coins (linear) or quote currency (inverse); or positive with `side`.
    entry
        Average entry price, quote currency per coin.
    collateral
        Margin without unrealised profit and loss since entry (since the mark with the option
        `mark`): quote currency (linear), coins (inverse). None with the option `leverage`: the
        entry notional over the leverage.
    maintenance_rate
        Maintenance margin rate, a fraction.
    kind
        `linear` or `inverse`.
    other_maintenance
        Maintenance margin of everything else in the account.
    options
        `mark` (price from which the collateral counts), `maintenance_amount`, `fee` (taker fee
        added to the rate), `leverage`, `maintenance_on` (`mark` or `entry`), `tick`, `side`
        (`long`, `short`).

    Returns
    -------
    SinglePrice
        Liquidation and bankruptcy price.

    Raises
    ------
    OutOfRangeError
        For a quantity of zero, a price that is not positive, a rate outside 0 to 1.
    UnknownWordError
        For an unknown option or word.

    Examples
    --------
    >>> single_liquidation_price(1, 100, 5, 0.004, other_maintenance=4).liquidation_price
    99.39759036144578
    """
    given = dict(options or {})
    unknown = [name for name in given if name not in _SINGLE_OPTIONS]
    if unknown:
        raise UnknownWordError(
            f"unknown option '{unknown[0]}'; known: {', '.join(_SINGLE_OPTIONS)}"
        )
    size = _signed(quantity, given.get("side"))
    inverse = _word(kind, "kind", ("linear", "inverse")) == "inverse"
    on = _word(str(given.get("maintenance_on", "mark")), "maintenance_on", ("mark", "entry"))
    liquidation, bankruptcy, rounded, distance, already, reason = _core.single_prices(
        size,
        entry,
        maintenance_rate,
        collateral=collateral,
        leverage=_number(given, "leverage"),
        start=_number(given, "mark"),
        inverse=inverse,
        fee=_number(given, "fee") or 0.0,
        amount=_number(given, "maintenance_amount") or _number(given, "maint_amount") or 0.0,
        other=other_maintenance,
        on_entry=on == "entry",
        tick=_number(given, "tick"),
    )
    return SinglePrice(
        liquidation_price=liquidation,
        bankruptcy_price=bankruptcy,
        bankruptcy_price_rounded=rounded,
        distance=distance,
        already_liquidatable=already,
        reason=reason,
    )


def tier_amounts(
    rates: Sequence[float],
    *,
    floors: Sequence[float] | None = None,
    caps: Sequence[float | None] | None = None,
    first_amount: float = 0.0,
) -> list[float]:
    """Return the cumulative maintenance amounts that make a bracket table continuous.

    `amount_n = floor_n (rate_n - rate_(n-1)) + amount_(n-1)`.

    Parameters
    ----------
    rates
        Maintenance margin rates by rising bracket, fractions.
    floors
        Notional from which each bracket applies.
    caps
        Notional up to which each applies, instead of floors; the last one is not used.
    first_amount
        Amount of the first bracket.

    Returns
    -------
    list of float
        One amount per bracket, in the currency of the floors.

    Raises
    ------
    MissingError
        If neither floors nor caps are given.
    ShapeError, OutOfRangeError
        If lengths differ, floors do not rise or a rate is outside 0 to 1.

    Examples
    --------
    >>> tier_amounts([0.004, 0.005], floors=[0, 300_000])
    [0.0, 300.0]
    """
    if floors is None:
        if caps is None:
            raise MissingError("floors or caps of the brackets are missing: one of them is needed")
        floors = [0.0, *(cap for cap in caps[:-1] if cap is not None)]
    return _core.cumulative_amounts(
        [float(floor) for floor in floors], [float(rate) for rate in rates], float(first_amount)
    )


def adl_rank_value(unrealised_pnl: float, wallet_balance: float, margin_ratio: float) -> AdlRank:
    """Return the value by which Binance ranks positions for auto-deleveraging.

    `max(0, unrealised) / max(1, wallet) x margin ratio`; source:
    binance.com/en/support/faq/360033525471.

    Parameters
    ----------
    unrealised_pnl
        Unrealised profit, settlement currency.
    wallet_balance
        Wallet balance, settlement currency.
    margin_ratio
        Maintenance margin over margin balance, a fraction.

    Raises
    ------
    OutOfRangeError
        If an argument is not finite, or the ratio is below zero.
    """
    percent, value = _core.rank_value(unrealised_pnl, wallet_balance, margin_ratio)
    return AdlRank(pnl_percent=percent, leverage_pnl=value)


def linear_liquidation_prices(
    quantity: npt.ArrayLike,
    entry: npt.ArrayLike,
    collateral: npt.ArrayLike,
    *,
    floors: Sequence[float],
    rates: Sequence[float],
) -> npt.NDArray[np.float64]:
    """Return the liquidation prices of many accounts that hold one linear position each.

    Parameters
    ----------
    quantity
        Signed quantities, coins, shape (accounts,).
    entry
        Entry prices, quote currency per coin, shape (accounts,).
    collateral
        Collateral without profit and loss, quote currency, shape (accounts,).
    floors
        Notional from which each bracket applies, shape (brackets,).
    rates
        Maintenance margin rates, fractions, shape (brackets,).

    Returns
    -------
    numpy.ndarray
        Prices, shape (accounts,); NaN where no price above zero liquidates the account, as numpy
        has no other word for it.

    Raises
    ------
    ShapeError, OutOfRangeError
        If lengths differ or the brackets are no table.

    Notes
    -----
    The columns are borrowed, not copied: do not write to them from another thread during the call.
    """
    import numpy as np  # noqa: PLC0415  # the sheet hosts have no numpy

    return _core.linear_liquidation_prices(
        np.ascontiguousarray(quantity, dtype=np.float64),
        np.ascontiguousarray(entry, dtype=np.float64),
        np.ascontiguousarray(collateral, dtype=np.float64),
        list(floors),
        list(rates),
    )


def _number(given: Mapping[str, object], name: str) -> float | None:
    value = given.get(name)
    if value is None or value == "":
        return None
    try:
        return float(str(value))
    except ValueError:
        raise UnknownWordError(f"{name} must be a number, was {value!r}") from None


def _word(word: str, what: str, known: Sequence[str]) -> str:
    lower = word.strip().lower()
    if lower not in known:
        raise UnknownWordError(f"unknown {what} '{word}'; known: {', '.join(known)}")
    return lower


def _signed(quantity: float, side: object) -> float:
    if side is None:
        return float(quantity)
    word = _word(str(side), "side", ("long", "short"))
    if quantity < 0:
        raise UnknownWordError("with a side the quantity must be positive")
    return float(quantity) if word == "long" else -float(quantity)
