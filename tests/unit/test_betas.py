"""Betas that contradict the path are refused and never passed over."""

from __future__ import annotations

from typing import Any

import pytest

import crossmargin as cm
from crossmargin.errors import OutOfRangeError
from tests.oracle.sheets import table

H = "symbol contracts entryPrice markPrice maintenanceMarginRate"


def _book() -> cm.Book:
    return cm.book(
        table(H, ["BTC", 1, 60000, 60000, 0.01], ["ETH", 10, 3000, 3000, 0.02],
              ["USDC", 100, 1, 1, 0.01]), "custom",
        collateral=table("currency cash", ["USD", 20_000.0]),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("betas", "words"),
    [
        ("BTC:1.5,ETH:1.2", "beta of BTC must be 1: it is the coin that drives the path, was 1.5"),
        ("BTC:0,ETH:1.2", "beta of BTC must be 1"),
        ("ETH:1.2,USDC:0.5", "beta of USDC must be 0: a stable currency stays where it is"),
    ],
)
def test_a_beta_that_the_path_contradicts_is_refused(betas: str, words: str) -> None:
    asked: list[Any] = [
        lambda: cm.liquidation_price(_book(), "BTC", path="beta", options={"betas": betas}),
        lambda: cm.margin_grid(_book(), "BTC", options={"path": "beta", "betas": betas}),
    ]
    for ask in asked:
        with pytest.raises(OutOfRangeError, match=words):
            ask()


def test_the_beta_that_the_driver_has_anyway_changes_nothing() -> None:
    without = cm.liquidation_price(_book(), "BTC", path="beta", options={"betas": "ETH:1.2"})
    given = cm.liquidation_price(
        _book(), "BTC", path="beta", options={"betas": "BTC:1,ETH:1.2,USDC:0"}
    )
    assert given == without
