"""Drawn books of the second opinion as pasted tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.second_opinion.shapes import Book, Position

__all__ = ["AS_OF", "as_of_words", "market", "on_whole_seconds", "positions"]

AS_OF = datetime(2026, 1, 10, 9, 14, 9, tzinfo=UTC)
SECONDS_PER_DAY = 86_400.0


def as_of_words() -> str:
    return AS_OF.strftime("%Y-%m-%dT%H:%M:%SZ")


def on_whole_seconds(book: Book) -> Book:
    """Return the book with expiries on whole seconds, which is what a timestamp can say."""
    rounded: list[Position] = []
    for position in book["positions"]:
        days = position["expiry_days"]
        moved = None if days is None else round(days * SECONDS_PER_DAY) / SECONDS_PER_DAY
        rounded.append({**position, "expiry_days": moved})
    return {**book, "positions": rounded}


def _symbol(position: Position, place: int) -> str:
    return f"{position['kind'].upper()}-{place:03d}"


def positions(book: Book) -> list[dict[str, Any]]:
    """Return one row per position; inverse contracts are worth one dollar each."""
    rows: list[dict[str, Any]] = []
    for place, position in enumerate(book["positions"]):
        is_option = position["kind"] == "option"
        is_coin_settled = position["settle"] == position["underlying"]
        quantity, forward = position["quantity"], position["forward"]
        row: dict[str, Any] = {
            "symbol": _symbol(position, place),
            "type": position["kind"],
            "underlying": position["underlying"],
            "settle": position["settle"],
            "expiry": None,
            "quantity": quantity,
            "markPrice": None,
            "unrealizedPnl": 0.0,
            "strike": None,
            "optionType": None,
            "impliedVolatilityFraction": None,
            "forward": None,
        }
        if position["expiry_days"] is not None:
            seconds = round((position["expiry_days"] - book["as_of_days"]) * SECONDS_PER_DAY)
            row["expiry"] = (AS_OF + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
        if is_option:
            row |= {
                "strike": position["strike"],
                "optionType": position["right"],
                "impliedVolatilityFraction": position["implied_volatility"],
                "forward": forward,
            }
        else:
            row["markPrice"] = forward
            if is_coin_settled:
                row["quantity"] = quantity * forward
        rows.append(row)
    return rows


def market(book: Book, stable: Sequence[str] = ("USDC",)) -> list[dict[str, Any]]:
    """Return the index of every coin, and one dollar for every stablecoin."""
    rows = [{"underlying": coin, "indexPrice": price} for coin, price in book["index"].items()]
    return rows + [{"underlying": coin, "indexPrice": 1.0} for coin in stable]
