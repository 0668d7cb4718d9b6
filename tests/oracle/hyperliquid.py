"""The real Hyperliquid book as an account in exact fractions, read from the file by itself."""

from __future__ import annotations

import csv
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from tests.oracle.account import Account, Balance, Leg
from tests.oracle.brackets import Brackets, exact

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CASH", "account", "margin_tables", "rows"]

CASH: Final = "60940575.2080"
# Coins without a table in the file that the margin-tiers page lists (venues.md, section 5).
_FROM_THE_PAGE: Final = {"ADA": "10/5@20M", "APT": "10/5@20M"}


def rows(folder: Path) -> list[dict[str, str]]:
    """Return the positions as texts."""
    with (folder / "data/hyperliquid_cross_book_20260113.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def margin_tables(folder: Path) -> dict[str, Brackets]:
    """Return the margin tables by name."""
    tables: dict[str, list[tuple[str, int]]] = {}
    with (folder / "data/hyperliquid_margin_tables.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            tables.setdefault(row["margin_table"], []).append(
                (row["notional_lower_bound_usd"], int(row["max_leverage"]))
            )
    return {
        name: Brackets.of_leverages([floor for floor, _ in pairs], [cap for _, cap in pairs])
        for name, pairs in tables.items()
    }


def _brackets(row: dict[str, str], tables: dict[str, Brackets]) -> Brackets:
    name = row["margin_table"] or _FROM_THE_PAGE.get(row["coin"])
    if name:
        return tables[name]
    return Brackets.flat(1 / (2 * exact(row["leverage"])))


def account(folder: Path, *, mirrored: bool = False) -> Account:
    """Return the account; mirrored: every long short, every gain a loss."""
    sign = -1 if mirrored else 1
    tables = margin_tables(folder)
    legs = tuple(
        Leg(
            symbol=row["coin"],
            coin=row["coin"],
            quantity=sign * exact(row["size"]),
            mark=exact(row["mark_price"]),
            pnl=sign * exact(row["unrealized_pnl"]),
            brackets=_brackets(row, tables),
        )
        for row in rows(folder)
    )
    return Account(legs, (Balance("USDC", Fraction(CASH)),), settle="USDC")
