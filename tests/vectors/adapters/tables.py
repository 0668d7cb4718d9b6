"""Rows of pasted tables from the fields of a case, and results under the expected names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.vectors.adapters.rulebooks import CURRENCY, rates
from tests.vectors.view import NotApplicableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.vectors.facade import Facade
    from tests.vectors.view import CaseView

SIDES: Final[Mapping[object, str]] = {
    "long": "long",
    "short": "short",
    "buy": "long",
    "sell": "short",
    1: "long",
    -1: "short",
}
QUOTES: Final = ("USDT", "USDC", "BUSD", "USD")

# Our name of a result and the names it has in the files.
RESULT_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "liquidation": ("liquidation_price", "liq_price", "liq", "p_liq", "P_liq", "price"),
    "bankruptcy": ("bankruptcy_price", "bankruptcy_price_raw", "bankruptcy", "bankrupt"),
    "bankruptcy_rounded": ("bankruptcy_price_rounded",),
    "distance": ("distance",),
    "equity": ("equity", "account_equity"),
    "maintenance": ("mm", "total_mm", "maintenance", "maintenance_margin", "MM"),
    "initial": ("im", "total_im", "initial", "initial_margin", "IM"),
    "liquidatable": ("liquidatable", "is_liquidatable", "liquidated", "liquidate", "trigger"),
}


def side_of(value: object) -> str | None:
    """Return ``long`` or ``short`` for the ways in which files write a side, ``None`` for none."""
    if value is None:
        return None
    if value not in SIDES:
        reason = f"the side {value!r} is unknown"
        raise NotApplicableError(reason)
    return SIDES[value]


def coin_of(symbol: str) -> str:
    """Return the coin of a linear contract: ``BTC`` of ``BTCUSDT`` or ``BTC/USDT:USDT``."""
    coin = symbol.split("/", maxsplit=1)[0]
    for quote in QUOTES:
        if coin.endswith(quote) and coin != quote:
            return coin.removesuffix(quote).rstrip("-_")
    return coin


def position(
    symbol: str, contracts: float, *, mark: float, entry: float | None = None, **columns: object
) -> dict[str, object]:
    """Return a row of the positions table, linear, one coin per contract, settled in dollars.

    Without `entry` the profit so far is nil: the case's equity is then the cash.
    """
    return {
        "symbol": symbol,
        "underlying": symbol,
        "settle": CURRENCY,
        "contracts": contracts,
        "contractSize": 1.0,
        "entryPrice": mark if entry is None else entry,
        "markPrice": mark,
        **columns,
    }


def figures(text: str) -> dict[str, float]:
    """Return the figures of an explanation, written `name = value; name = value`."""
    pairs = (part.split(" = ") for part in text.split("; "))
    return {name: float(value) for name, value in pairs}


def table(rows: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Return `rows` with the same columns in each, without the columns that no row fills."""
    columns = [
        name
        for name in dict.fromkeys(name for row in rows for name in row)
        if any(row.get(name) is not None for row in rows)
    ]
    return [{name: row.get(name) for name in columns} for row in rows]


def given(**options: object) -> dict[str, object]:
    """Return the options that have a value."""
    return {name: value for name, value in options.items() if value is not None}


def cash(*amounts: float) -> list[dict[str, object]]:
    """Return a collateral table with balances that exclude unrealised profit."""
    return [{"currency": CURRENCY, "cash": amount} for amount in amounts]


def equity(amount: float) -> list[dict[str, object]]:
    """Return a collateral table with a balance that includes unrealised profit."""
    return [{"currency": CURRENCY, "equity": amount}]


def together(facade: Facade, *amounts: float) -> float:
    """Return what amounts of money are together: the equity of an account that holds them."""
    nothing = position("NOTHING", 0.0, mark=1.0, maintenanceMarginRate=0.0)
    return facade.equity(facade.book(table([nothing]), rates(), collateral=cash(*amounts)))


def named(case: CaseView, results: Mapping[str, object]) -> dict[str, object]:
    """Return `results` under the names that the case expects; names we do not know stay missing."""
    return {
        expected: results[result]
        for expected in case.expected_names
        for result, names in RESULT_NAMES.items()
        if expected in names and result in results
    }
