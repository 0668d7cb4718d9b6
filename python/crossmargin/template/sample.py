"""The template's sample: books that we wrote, with venue figures for the sheet Recon."""

from __future__ import annotations

from importlib import resources
from importlib.metadata import version
from typing import Final

from crossmargin import registry
from crossmargin.template.values import COLUMNS, Inputs, Rows, Value, read_csv

__all__ = ["sample", "shown_version", "with_venue_figures"]

_RULEBOOK: Final = "hyperliquid"
_OPTION_RULEBOOK: Final = "deribit-spm"
_AS_OF: Final = "2026-01-13T12:00:00Z"
_WRONG_ON_PURPOSE: Final = {"ETH": 1.02}  # so that Recon shows a difference too


def sample() -> Inputs:
    """Return the sample books, with venue figures for Recon."""
    folder = resources.files("crossmargin") / "samples"
    tables = {}
    for name in (
        *("positions", "collateral", "orders", "market", "history", "limits"),
        *("options/positions", "options/collateral", "options/market"),
        *("accounts/positions", "accounts/collateral", "accounts/market", "accounts/rules"),
    ):
        with resources.as_file(folder / f"{name}.csv") as path:
            tables[name] = read_csv(path)
    return Inputs(
        positions=with_venue_figures(tables["positions"], tables["collateral"]),
        collateral=tables["collateral"],
        orders=tables["orders"],
        market=tables["market"],
        brackets=[list(COLUMNS["brackets"])],
        rulebook=_RULEBOOK,
        as_of=_AS_OF,
        option_positions=tables["options/positions"],
        option_collateral=tables["options/collateral"],
        option_market=tables["options/market"],
        option_rulebook=_OPTION_RULEBOOK,
        option_as_of=_AS_OF,
        account_positions=tables["accounts/positions"],
        account_collateral=tables["accounts/collateral"],
        account_market=tables["accounts/market"],
        account_rules=tables["accounts/rules"],
        account_as_of=_AS_OF,
        history=tables["history"],
        limits=tables["limits"],
    )


def shown_version() -> str:
    """Return what the cell of CM_VERSION shows until it is calculated on the reader's computer."""
    return f"crossmargin {version('crossmargin')}; calculate to see the engine of this computer"


def with_venue_figures(positions: Rows, collateral: Rows) -> Rows:
    """Return the positions with figures as a venue's screen would show them.

    They are our own, rounded, one of them changed on purpose: the sample is a book that we wrote,
    and no venue has ever seen it.

    Parameters
    ----------
    positions
        The positions, header first.
    collateral
        The balances, header first.
    """
    key = registry.call("CM_BOOK", [positions, _RULEBOOK, collateral])
    tiers = _by_symbol(registry.call("CM_TIERS", [key]))
    prices = _by_symbol(registry.call("CM_LIQPRICE", [key]))
    symbol = positions[0].index("symbol")
    names: list[Value] = ["notional", "initialMargin", "maintenanceMargin", "liquidationPrice"]
    rows: Rows = [[*positions[0], *names]]
    for row in positions[1:]:
        coin = str(row[symbol])
        price = prices[coin]["nearest"]
        if isinstance(price, float):
            price = float(f"{price * _WRONG_ON_PURPOSE.get(coin, 1.0):.6g}")
        margin = registry.call("CM_IM", [key, coin])
        rows.append([
            *row,
            _cents(tiers[coin]["notional"]),
            _cents(margin),
            _cents(tiers[coin]["mm_now"]),
            price if isinstance(price, float) else None,
        ])  # fmt: skip
    return rows


def _by_symbol(answer: object) -> dict[str, dict[str, object]]:
    if not isinstance(answer, list):
        raise TypeError(f"the sample book must be readable, was {answer!r}")
    return {str(row[0]): dict(zip(answer[0], row, strict=True)) for row in answer[1:]}


def _cents(value: object) -> float:
    if not isinstance(value, float):
        raise TypeError(f"a figure of the sample must be a number, was {value!r}")
    return round(value, 2)
