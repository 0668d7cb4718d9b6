"""What must hold for every drawn book, whatever its figures are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.second_opinion import black76, books
from tests.second_opinion.__main__ import MODELS, case
from tests.second_opinion.deribit_spm import deribit_spm

if TYPE_CHECKING:
    from tests.second_opinion.shapes import Book


@pytest.mark.parametrize("venue", books.VENUES)
def test_drawn_books_keep_their_promises(venue: str) -> None:
    drawn = books.books(venue)
    assert len(drawn) >= 50
    assert drawn == books.books(venue)
    for book in drawn:
        assert any(position["kind"] == "option" for position in book["positions"])
        for position in book["positions"]:
            assert position["quantity"] != 0.0
            if position["kind"] != "option":
                continue
            assert 0.2 <= (position["expiry_days"] or 0.0) <= 400.0
            assert 0.4 - 1e-9 <= position["strike"] / position["forward"] <= 2.5 + 1e-9
            assert 0.2 <= position["implied_volatility"] <= 2.5


@pytest.mark.parametrize("venue", [*MODELS, "derive-pm2"])
def test_every_drawn_book_has_a_finite_result(venue: str) -> None:
    for seed in range(64):
        json.dumps(case(venue, seed), allow_nan=False)


def test_deribit_books_reach_every_rule() -> None:
    pairs = [
        (pool, one)
        for book in books.books("deribit-spm")
        for pool, found in deribit_spm(book)["pools"].items()
        for one in found["underlyings"].values()
    ]
    assert sum(one["delta_shock"] > 0.0 for _, one in pairs) >= 5
    assert sum(one["worst_scenario"]["table"] == "extended" for _, one in pairs) >= 5
    assert sum(pool == "USDC" for pool, _ in pairs) >= 20
    assert sum(pool != "USDC" for pool, _ in pairs) >= 20


@pytest.mark.parametrize("venue", ["deribit-spm", "paradex-pm"])
def test_a_long_option_never_loses_more_than_its_value(venue: str) -> None:
    for seed in range(books.STYLES.index("long-only"), 64, len(books.STYLES)):
        book = books.book(venue, seed)
        result = MODELS[venue](book)
        for settle, pool in result["pools"].items():
            for name, one in pool["underlyings"].items():
                value = 0.0
                for position in book["positions"]:
                    if (position["underlying"], position["settle"]) != (name, settle):
                        continue
                    worth = position["quantity"] * black76.value(
                        position["right"],
                        position["forward"],
                        position["strike"],
                        position["implied_volatility"],
                        (position["expiry_days"] or 0.0) / 365.0,
                    )
                    value += worth if settle == "USDC" else worth / position["forward"]
                assert min(one["summed"]) >= -value * (1.0 + 1e-12)


@pytest.mark.parametrize("venue", MODELS)
def test_scenario_results_grow_in_proportion_to_the_book(venue: str) -> None:
    for seed in range(0, 64, 5):
        book = books.book(venue, seed)
        doubled: Book = {
            **book,
            "positions": [{**one, "quantity": 2.0 * one["quantity"]} for one in book["positions"]],
        }
        plain, larger = MODELS[venue](book)["pools"], MODELS[venue](doubled)["pools"]
        for settle, pool in plain.items():
            for name, one in pool["underlyings"].items():
                twice = [2.0 * profit for profit in one["summed"]]
                assert larger[settle]["underlyings"][name]["summed"] == pytest.approx(twice)
