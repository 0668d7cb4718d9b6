"""Charges for leaving large positions, against the formulas of methods.md by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

import crossmargin
from crossmargin.errors import CrossmarginError
from tests.oracle.sheets import Rows, number, rulebook, table

POSITIONS = table(
    "symbol contracts entryPrice markPrice maintenanceMarginRate inverse settle contractSize",
    ["BTC-PERPETUAL", 3000, 60000, 60000, 0.01, "no", "USD", 1],
    ["BTC-27MAR26", -500, 60000, 60000, 0.01, "no", "USD", 1],
)
MARKET: Rows = table(
    "underlying indexPrice dailyVol adv spread", ["BTC", 60000, 0.04, 20000, 0.0004]
)


def _margin(charge: dict[str, Any], market: Rows = MARKET) -> float:
    charge = {"name": "liquidity", "stage": "outside", "source": "general", **charge}
    rules = rulebook(
        profiles=[{"underlyings": ["*"], "charges": [charge]}],
        levels={
            "initial": {"factor": 1.0, "trigger": 1.0, "haircut": False},
            "maintenance": {"factor": 1.0, "trigger": 1.0, "haircut": False},
            "source": "general",
        },
    )
    book = crossmargin.book(
        POSITIONS,
        rules,
        collateral=table("currency cash", ["USD", 1e8]),
        market=market,
        as_of="2026-01-13T12:00:00Z",
    )
    return number(crossmargin.maintenance_margin(book)) - 0.01 * 3500 * 60000


@pytest.mark.parametrize(("size", "coins"), [("net", 2500.0), ("gross", 3500.0)])
def test_the_square_root_impact_is_charged_on_net_or_gross(size: str, coins: float) -> None:
    # methods.md 3.5: |Q| P [s/2 + 2/3 Y sigma sqrt((|Q| - theta V) / V)]
    impact = 2 / 3 * 1.0 * 0.04 * math.sqrt((coins - 0.05 * 20000) / 20000)
    expected = coins * 60000 * (0.0002 + impact)
    found = _margin({"on": "impact", "size": size, "free_share": 0.05})
    assert found == pytest.approx(expected, rel=1e-9)


def test_the_days_of_an_even_sale_add_to_a_measure_of_one_day() -> None:
    # methods.md 3.6: sqrt((1 + T)(1 + 2T) / (6T)) with T = 2500 / (0.025 x 20000) = 5
    factor = math.sqrt(6 * 11 / 30)
    expected = 2.33 * 2500 * 60000 * 0.04 * (factor - 1)
    found = _margin({"on": "unwind", "rate": 2.33, "participation": 0.025})
    assert found == pytest.approx(expected, rel=1e-9)
    assert _margin({"on": "unwind", "rate": 2.33, "participation": 0.5}) == pytest.approx(
        0, abs=1e-3
    )


def test_what_a_charge_needs_and_nobody_gives_is_named() -> None:
    bare = table("underlying indexPrice dailyVol", ["BTC", 60000, 0.04])
    with pytest.raises(CrossmarginError, match="average daily volume of BTC is missing: a charge"):
        _margin({"on": "impact"}, bare)
    with pytest.raises(CrossmarginError, match="participation"):
        _margin({"on": "unwind", "rate": 1.0})
    with pytest.raises(CrossmarginError, match="is not read by a charge on impact"):
        _margin({"on": "impact", "participation": 0.1})
