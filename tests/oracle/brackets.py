"""Maintenance tables: a rate per bracket of notional and the amount that makes it continuous."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Brackets", "exact"]


def exact(number: float | str | Fraction) -> Fraction:
    """Return a number as the fraction that its shortest decimal text says."""
    return number if isinstance(number, Fraction) else Fraction(str(number))


@dataclass(frozen=True)
class Brackets:
    """Marginal rates from floors on: the margin is the area under the step function."""

    floors: tuple[Fraction, ...]
    rates: tuple[Fraction, ...]

    @classmethod
    def of(cls, floors: Sequence[float | str], rates: Sequence[float | str | Fraction]) -> Brackets:
        """Return the table of these floors and rates."""
        return cls(tuple(map(exact, floors)), tuple(map(exact, rates)))

    @classmethod
    def flat(cls, rate: float | str | Fraction) -> Brackets:
        """Return a table of one rate."""
        return cls((Fraction(0),), (exact(rate),))

    @classmethod
    def of_leverages(cls, floors: Sequence[float | str], leverages: Sequence[int]) -> Brackets:
        """Return the table whose rates are half the initial margin at these leverages."""
        return cls.of(floors, [Fraction(1, 2 * leverage) for leverage in leverages])

    def maintenance(self, notional: Fraction) -> Fraction:
        """Return the margin of a notional, bracket by bracket: no cumulative amount is used."""
        tops = [*self.floors[1:], notional]
        return sum(
            (
                rate * (min(notional, max(top, floor)) - floor)
                for floor, top, rate in zip(self.floors, tops, self.rates, strict=True)
                if notional > floor
            ),
            Fraction(0),
        )
