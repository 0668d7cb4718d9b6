"""The policy `cheapest_set` against every subset of whole positions, measured by hand."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import crossmargin as cm
from tests.oracle.sheets import Rows, records, rulebook, table

SCAN = {"kind": "scenarios", "numeraire": "report", "unit": "underlying", "orders": "variants"}
TEN_PERCENT = [
    {"underlyings": ["*"], "scenarios": [{"set": "scan", "price_moves": [-0.1, 0.0, 0.1]}]}
]


class Drawn:
    """A drawn book of perpetuals, each on a coin of its own."""

    def __init__(self, seed: int, count: int) -> None:
        draw = np.random.default_rng(seed)
        self.names = [f"C{place}" for place in range(count)]
        self.sizes = [float(draw.choice([-1, 1]) * draw.uniform(1, 50)) for _ in self.names]
        self.marks = [draw.uniform(100, 3000) for _ in self.names]
        self.rates = [float(draw.choice([0.01, 0.02, 0.03, 0.05])) for _ in self.names]
        self.volumes = [draw.uniform(500, 50_000) for _ in self.names]
        self.sigmas = [draw.uniform(0.02, 0.06) for _ in self.names]
        self.halves = [draw.uniform(1e-4, 1e-3) for _ in self.names]
        notionals = [abs(size) * mark for size, mark in zip(self.sizes, self.marks, strict=True)]
        self.margins = [one * rate for one, rate in zip(notionals, self.rates, strict=True)]
        self.costs = [
            one * (half + 2 / 3 * sigma * math.sqrt(abs(size) / volume))
            for one, half, sigma, size, volume in zip(
                notionals, self.halves, self.sigmas, self.sizes, self.volumes, strict=True
            )
        ]
        self.cash = draw.uniform(0.3, 0.95) * sum(self.margins)

    def book(self, **columns: list[Any]) -> cm.Book:
        """Return the book, with more columns of positions."""
        rows: Rows = [
            ["symbol", "contracts", "entryPrice", "markPrice", "maintenanceMarginRate", *columns]
        ]
        rows += [
            [name, size, mark, mark, rate, *(column[place] for column in columns.values())]
            for place, (name, size, mark, rate) in enumerate(
                zip(self.names, self.sizes, self.marks, self.rates, strict=True)
            )
        ]
        market: Rows = [["underlying", "markPrice", "adv", "dailyVol", "halfSpread"]]
        market += map(
            list, zip(self.names, self.marks, self.volumes, self.sigmas, self.halves, strict=True)
        )
        collateral = table("currency cash", ["USD", self.cash])
        return cm.book(rows, "custom", collateral=collateral, market=market)

    def cheapest(self, among: list[int]) -> tuple[float, set[str]] | None:
        """Return the cheapest subset that reaches the margin, by trying all of them."""
        best: tuple[float, set[str]] | None = None
        whole = sum(self.margins)
        for count in range(1, len(among) + 1):
            for some in itertools.combinations(among, count):
                cost = sum(self.costs[place] for place in some)
                left = whole - sum(self.margins[place] for place in some)
                if self.cash - cost >= left and (best is None or cost < best[0]):
                    best = (cost, {self.names[place] for place in some})
        return best


def _order(book: cm.Book, **options: object) -> list[dict[str, Any]]:
    options = {"policy": "cheapest_set", "slippage": "depth"} | options
    return records(cm.liquidation_order(book, scenario="now", options=options))


@pytest.mark.parametrize(
    ("count", "seed"),
    # of 14 positions there are 16,383 subsets, so that a few such books suffice
    [(count, seed) for count, seeds in ((3, 25), (6, 25), (14, 4)) for seed in range(seeds)],
)
def test_what_is_closed_is_the_cheapest_of_all_subsets(count: int, seed: int) -> None:
    drawn = Drawn(1000 * count + seed, count)
    best = drawn.cheapest(list(range(count)))
    rows = _order(drawn.book())
    if best is None:
        assert "none of all" in rows[0]["reason"] or "no step that is left" in rows[-1]["reason"]
        return
    assert {row["symbol"] for row in rows} == best[1]
    assert sum(row["cost"] for row in rows) == pytest.approx(best[0], rel=1e-12)
    assert {row["step"] for row in rows} == {1}


def test_what_is_tagged_to_go_last_is_closed_only_where_nothing_else_suffices() -> None:
    seen = set()
    for seed in range(20):
        drawn = Drawn(seed, 5)
        if seed % 2:
            drawn.cash = 0.15 * sum(drawn.margins)
        others = drawn.cheapest([1, 2, 3, 4])
        best = others or drawn.cheapest(list(range(5)))
        if best is None:
            continue
        rows = _order(drawn.book(liquidateLast=["yes", "", "", "", ""]))
        assert {row["symbol"] for row in rows} == best[1]
        seen.add(others is None)
    assert seen == {True, False}


def test_legs_that_hedge_each_other_are_closed_together() -> None:
    """1.72m long against 0.9m short: either leg alone raises 82k of margin or leaves 90k."""
    rows = table(
        "symbol underlying type contracts entryPrice markPrice",
        ["BTC-A", "BTC", "perpetual", 17.2, 100_000, 100_000],
        ["BTC-B", "BTC", "perpetual", -9.0, 90_000, 100_000],
    )
    rules = rulebook(measure=SCAN, profiles=TEN_PERCENT) | {"id": "ten-percent"}
    book = cm.book(rows, rules, collateral=table("currency cash", ["USD", 171_000.0]))
    found = _order(book, slippage=0.0)
    assert {row["symbol"] for row in found} == {"BTC-A", "BTC-B"}
    assert found[0]["mm_after"] == 0.0
    assert "the cheapest of all 3 sets" in found[0]["reason"]


def test_a_part_of_a_position_is_no_whole_one() -> None:
    with pytest.raises(cm.CrossmarginError, match="sets of whole positions"):
        _order(Drawn(1, 3).book(), step=0.2)
    compared = records(
        cm.liquidation_policies(
            Drawn(1, 3).book(),
            scenario="now",
            policies="cheapest_set,pro_rata",
            options={"step": 0.2},
        )
    )
    assert "sets of whole positions" in compared[0]["end"]
    assert compared[1]["policy"] == "pro_rata"
