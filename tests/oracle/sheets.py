"""An account of the second method as the tables that a user would paste."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crossmargin.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from fractions import Fraction

    from tests.oracle.account import Account
    from tests.oracle.brackets import Brackets

__all__ = [
    "Rows",
    "collateral",
    "market",
    "number",
    "positions",
    "records",
    "rulebook",
    "table",
]

Rows = list[list[Any]]


def table(header: str, *rows: Sequence[Any]) -> Rows:
    """Return a header of words and rows as a range of cells."""
    return [header.split(), *map(list, rows)]


def rulebook(tables: Mapping[str, Brackets] | None = None, **parts: object) -> dict[str, object]:
    """Return a rulebook in dollars with one table of brackets per symbol."""
    listed = [
        {
            "name": symbol,
            "floors": [float(floor) for floor in brackets.floors],
            "maintenance_rates": [float(rate) for rate in brackets.rates],
            "used_by": [symbol],
        }
        for symbol, brackets in (tables or {}).items()
    ]
    return {
        "id": "second-method",
        "version": "1",
        "venue": "test",
        "report_currency": "USD",
        "settle": "USD",
        "source": "the test",
        "retrieved": "2026-11-20",
        "effective": "2026-11-20",
        "measure": {"kind": "tiers", "maintenance_on": "mark"},
        "tiers": {"list_by": "symbol", "tables": listed},
    } | parts


def records(answer: object) -> list[dict[str, Any]]:
    """Return an answer that must be a table as one mapping per row."""
    assert isinstance(answer, Table)
    return [dict(zip(answer.header, row, strict=True)) for row in answer.rows]


def number(answer: object) -> float:
    """Return an answer that must be a number."""
    assert isinstance(answer, float)
    return answer


def _entry(quantity: Fraction, mark: Fraction, pnl: Fraction) -> float:
    """Return the entry price of a linear position that gives this result at the mark."""
    return float(mark - pnl / quantity)


def positions(account: Account) -> Rows:
    """Return the linear legs; unrealised results are given, as venues export them."""
    return table(
        "symbol contracts entryPrice markPrice unrealizedPnl",
        *(
            [
                leg.symbol,
                float(leg.quantity),
                _entry(leg.quantity, leg.mark, leg.pnl),
                float(leg.mark),
                float(leg.pnl),
            ]
            for leg in account.legs
        ),
    )


def collateral(account: Account) -> Rows:
    """Return the balances."""
    return table(
        "currency cash collateralRate",
        *([held.currency, float(held.amount), float(held.rate)] for held in account.balances),
    )


def market(account: Account) -> Rows:
    """Return the index prices of the currencies that are not the reporting one."""
    return table(
        "symbol price",
        *([held.currency, float(held.price)] for held in account.balances if held.price != 1),
    )
