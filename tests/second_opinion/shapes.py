"""The shape of a book: plain dicts, so that a case can be printed, stored and read anywhere."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

__all__ = ["DAYS_PER_YEAR", "Book", "Kind", "Position", "Right", "days_left", "years_left"]

Kind = Literal["perpetual", "future", "option"]
Right = Literal["call", "put"]

DAYS_PER_YEAR = 365.0


class Position(TypedDict):
    """One instrument held; `forward` is its own mark, or the forward of an option's expiry."""

    underlying: str
    kind: Kind
    settle: str  # the coin itself, or USDC
    expiry_days: float | None  # counted on the same axis as the book's `as_of_days`
    forward: float
    quantity: float  # coins, long > 0
    strike: NotRequired[float]
    right: NotRequired[Right]
    implied_volatility: NotRequired[float]


class Book(TypedDict):
    """All positions of one account, with the index of every underlying in USD."""

    as_of_days: float
    index: dict[str, float]
    positions: list[Position]


def days_left(book: Book, position: Position) -> float:
    """Return the days to expiry; a perpetual counts as zero days."""
    if position["expiry_days"] is None:
        return 0.0
    return max(0.0, position["expiry_days"] - book["as_of_days"])


def years_left(book: Book, position: Position) -> float:
    """Return the time to expiry in years of 365 days."""
    return days_left(book, position) / DAYS_PER_YEAR
