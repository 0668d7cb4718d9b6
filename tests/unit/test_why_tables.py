"""CM_WHY about tables: what a cure, a stress or a map says, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crossmargin import functions as cm
from tests.oracle.sheets import records, table

if TYPE_CHECKING:
    from crossmargin._core import Book

H = "symbol contracts entryPrice markPrice maintenanceMarginRate"


@pytest.fixture(scope="module")
def book() -> Book:
    return cm.book(
        table(H, ["BTC", 2, 60000, 60000, 0.01], ["ETH", -20, 3000, 3000, 0.02]),
        "custom",
        collateral=table("currency cash", ["USD", 3000.0]),
    )


def _said(book: Book, topic: str) -> list[str]:
    found = cm.why(book, topic=topic).column("sentence")
    assert all(len(str(one)) <= 255 for one in found)
    return [str(one) for one in found]


def test_a_cure_is_told_proposal_by_proposal(book: Book) -> None:
    said = _said(book, "CM_CURE;usage=0.5;close")
    rows = records(cm.cure(book, target="usage=0.5", allowed="close"))
    first = rows[0]
    told = next(one for one in said if one.startswith("Proposal 1: "))
    assert f"close {first['qty']:,.10g} {first['symbol']}" in told
    assert first["comment"].split("; ")[0] in told
    ranks = {row["rank"] for row in rows}
    assert sum(one.startswith("Proposal ") for one in said) == len(ranks)


def test_a_stress_is_told_scenario_by_scenario(book: Book) -> None:
    (row,) = records(cm.stresses(book, "OCT2025"))
    said = " ".join(_said(book, "CM_STRESS;OCT2025"))
    assert f"{row['scenario']}: {row['status']}" in said
    assert f"pnl {row['pnl']:,.10g}" in said
    # no equity is left there, so that usage has no number: its word stands in the sentence
    assert (row["usage"], row["status"]) == (None, "bankrupt")
    assert "usage bankrupt" in said
    assert "SheetError" not in said


def test_a_map_is_told_by_its_ends_and_by_the_nodes_without_a_number(book: Book) -> None:
    said = " ".join(_said(book, "CM_LIQMAP;BTC;ETH"))
    found = cm.liquidation_map(book, "BTC", "ETH")
    numbers = [one for line in found.rows for one in line[1:] if isinstance(one, float)]
    assert f"Between {min(numbers):,.10g} (BTC +50 %, ETH -50 %)" in said
    assert f"and {max(numbers):,.10g} (" in said
    # the long loses 60,000 where both halve, with 3,000 of cash and 30,000 from the short
    assert "bankrupt: first at BTC -50 %, ETH -50 %" in said


def test_functions_without_a_teller_and_refusals_say_what_they_said(book: Book) -> None:
    said = _said(book, "CM_CURE;usage=2")
    assert any("above 0 and at most 1" in one for one in said)
    assert not any(one.startswith("Proposal") for one in said)
    assert any("rows" in one for one in _said(book, "CM_SUMMARY"))
