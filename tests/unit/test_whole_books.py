"""The benchmark of whole books answers as a plain loop over accounts, underlyings and expiries."""

from __future__ import annotations

import numpy as np
import pytest

from tests.bench import portfolio


@pytest.fixture(scope="module")
def book() -> portfolio.Book:
    return portfolio.made_book(60, 20, expiries=3, strikes=8)


@pytest.mark.parametrize("discounted", [True, False])
def test_worst_losses_are_those_of_a_plain_loop(book: portfolio.Book, *, discounted: bool) -> None:
    expected = portfolio.plain_losses(book, discounted=discounted)
    found = portfolio.ours(book, discounted=discounted)()
    assert (expected > 0).sum() > 50
    assert portfolio.difference(found, expected) <= portfolio.WITHIN


def test_the_number_of_threads_changes_no_bit(book: portfolio.Book) -> None:
    np.testing.assert_array_equal(
        portfolio.ours(book, threads=1)(), portfolio.ours(book, threads=2)()
    )


def test_discounts_make_a_difference(book: portfolio.Book) -> None:
    discounted = portfolio.ours(book)()
    assert np.all(discounted >= portfolio.ours(book, discounted=False)() - 1e-9)
    assert discounted.max() > 0
