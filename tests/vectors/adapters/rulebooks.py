"""Rulebooks that cases state themselves, in the schema of the rulebook files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CURRENCY = "USD"
TIERS = "tiers"


def _rulebook(
    identifier: str, measure: Mapping[str, object], currency: str = CURRENCY
) -> dict[str, object]:
    """Return a rulebook with `measure`, reporting and settling in `currency`."""
    return {
        "id": identifier,
        "version": "1",
        "venue": "case",
        "report_currency": currency,
        "settle": currency,
        "source": "the inputs of the case",
        "retrieved": "2026-11-20",
        "effective": "2026-11-20",
        "measure": measure,
    }


def rates(*, orders: str = "additive", inclusive: bool = False) -> dict[str, object]:
    """Return a rulebook where each row of a table carries its own rates.

    With `inclusive` an account is liquidatable already where equity equals the requirement.
    """
    measure = {"kind": "tiers", "maintenance_on": "mark", "orders": orders}
    levels = {"levels": {"maintenance": {"inclusive": True}}} if inclusive else {}
    # a case about initial margin alone gives no maintenance rate; half the initial one stands in
    assumed = {"tiers": {"assumed_share_of_initial": 0.5}}
    return _rulebook("case-rates", measure) | levels | assumed


def price_scan(move: float, *, gross_notional_rate: float) -> dict[str, object]:
    """Return a rulebook that scans `move` down, none and up, and charges gross notional."""
    return _rulebook(
        "case-scan",
        {
            "kind": "scan",
            "price_move": move,
            "numeraire": "report",
            "unit": "underlying",
            "gross_notional_rate": gross_notional_rate,
        },
    )


def value_at_risk(
    confidence: float, *, horizon_days: float, days_per_year: float
) -> dict[str, object]:
    """Return a rulebook that takes the value at risk of normal returns."""
    return _rulebook(
        "case-value-at-risk",
        {
            "kind": "normal_value_at_risk",
            "confidence": confidence,
            "horizon_days": horizon_days,
            "days_per_year": days_per_year,
        },
    )


def scenarios(  # noqa: PLR0913  a rulebook in a few words
    identifier: str,
    profiles: Sequence[Mapping[str, object]],
    *,
    currency: str = CURRENCY,
    measure: Mapping[str, object] | None = None,
    initial: float = 1.0,
    maintenance: float = 1.0,
) -> dict[str, object]:
    """Return a rulebook that takes the worst scenario of `profiles`, each coin its own.

    `measure` has further keys of the measure, `initial` and `maintenance` are the factors of
    the levels.
    """
    kind = {"kind": "scenarios", "numeraire": "report", "unit": "underlying"}
    return _rulebook(identifier, kind | dict(measure or {}), currency) | {
        "levels": {"initial": {"factor": initial}, "maintenance": {"factor": maintenance}},
        "profiles": list(profiles),
    }


def standard(
    profile: Mapping[str, object],
    *,
    currency: str = CURRENCY,
    value_in_equity: bool = False,
) -> dict[str, object]:
    """Return a rulebook of closed formulas that are the same for all coins.

    The value of options is in the equity only with `value_in_equity`.
    """
    level = {"option_value": "all" if value_in_equity else "nothing"}
    return _rulebook("case-standard", {"kind": "tiers"}, currency) | {
        "levels": {"initial": level, "maintenance": level},
        "profiles": [{"underlyings": ["*"], **profile}],
    }


def by_coin(identifier: str, profiles: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Return a rulebook of rates that each coin has of its own."""
    return _rulebook(identifier, {"kind": "tiers"}) | {"profiles": list(profiles)}


def lending() -> dict[str, object]:
    """Return a rulebook where debts are requirements and health is equity over them."""
    # what a debt has grown by since today is in the equity, so that its value of today is required
    return _rulebook("case-lending", {"kind": "tiers", "maintenance_on": "entry"}) | {
        "venue_ratio": "equity_over_maintenance"
    }


def settled_in(currency: str, *, fee: float = 0.0) -> dict[str, object]:
    """Return a rulebook where rows carry their rates and settle in a currency with a price.

    `fee` is taken on what is liquidated.
    """
    rules = _rulebook("case-settled", {"kind": "tiers"}) | {"settle": currency}
    return rules | {"liquidation": {"policy": "pro_rata", "fee": fee}}


def tiered(floors: Sequence[float], rates: Sequence[float]) -> dict[str, object]:
    """Return a rulebook with one table of tiers for every coin."""
    tiers = {"tables": [{"name": TIERS, "floors": list(floors), "maintenance_rates": list(rates)}]}
    return _rulebook("case-tiers", {"kind": "tiers"}) | {"tiers": tiers}


def borrowing(maintenance: float) -> dict[str, object]:
    """Return a rulebook where a share of what is borrowed is required, of every currency."""
    share = {"currencies": ["*"], "initial": maintenance, "maintenance": maintenance}
    return _rulebook("case-borrowing", {"kind": "tiers"}) | {"borrowing": [share]}


def in_tranches(above: float, first: float) -> dict[str, object]:
    """Return a rulebook that closes everything, of positions above some money a fraction first."""
    rules = {"policy": "all_at_once", "large_above": above, "large_first": first}
    return rates() | {"liquidation": rules}


def swapping(required: Mapping[str, float]) -> dict[str, object]:
    """Return a rulebook that sells collateral first and requires shares of what is owed."""
    shares = [
        {"currencies": [currency], "initial": share, "maintenance": share}
        for currency, share in required.items()
    ]
    rules = {"policy": "collateral_first"}
    return rates() | {"borrowing": shares, "liquidation": rules}


def with_fee_on_margin(share: float) -> dict[str, object]:
    """Return a rulebook that closes pro rata for a share of the margin that goes."""
    return rates() | {"liquidation": {"policy": "pro_rata", "maintenance_fee": share}}


def all_at_once(fee: float) -> dict[str, object]:
    """Return a rulebook that closes everything for a fee on it."""
    return rates() | {"liquidation": {"policy": "all_at_once", "fee": fee}}
