"""How numbers and texts of a report are written: three significant digits, nothing that runs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from crossmargin.table import Value

__all__ = ["LETTERS", "NOTHING", "change", "money", "percent", "plain", "quantity", "usage"]

NOTHING: Final = "–"  # noqa: RUF001  # a dash is what an empty cell of a printed table holds
LETTERS: Final = {"ok": "", "watch": "W", "call": "C", "liquidatable": "L", "unknown": "?"}
_LONGEST: Final = 240
_STARTS: Final = ("=", "+", "-", "@", "|", "%", "\t", "\r", "\n")
_UNITS: Final = ((1e9, "bn"), (1e6, "m"), (1e3, "k"), (1.0, ""))
_DIGITS: Final = 3
_WHOLE: Final = 99.95  # percent; from here on a move is written without decimals


def plain(value: object, longest: int = _LONGEST) -> str:
    """Return a text as something to read and nothing else.

    Control characters and marks of writing direction become spaces, so that a name cannot turn the
    line around; a text is cut where it is too long to be a name; and one that a spreadsheet would
    take for a formula, if somebody copies it there, begins with an apostrophe.
    """
    shown = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    if len(shown) > longest:
        shown = shown[: longest - 1] + "…"
    return f"'{shown}" if shown.startswith(_STARTS) else shown


def significant(value: float) -> str:
    """Return a number below a thousand with three significant digits."""
    if value == 0.0:
        return "0"
    places = _DIGITS - 1 - math.floor(math.log10(abs(value)))
    return f"{value:.{min(max(places, 0), 12)}f}"


def money(value: Value) -> str:
    """Return money in thousands or millions; below zero in parentheses."""
    if not isinstance(value, float | int):
        return NOTHING
    size = abs(float(f"{value:.{_DIGITS}g}"))
    unit, word = next((pair for pair in _UNITS if size >= pair[0]), _UNITS[-1])
    digits = significant(size / unit)
    shown = f"{digits.rstrip('0').rstrip('.') if '.' in digits and not word else digits}{word}"
    return f"({shown})" if value < 0 and size else shown


def usage(value: Value) -> str:
    """Return a usage, 1 being liquidation."""
    return f"{value:.2f}" if isinstance(value, float) else NOTHING


def change(now: Value, then: Value) -> str:
    """Return how a usage changed, always with its sign."""
    if not isinstance(now, float) or not isinstance(then, float):
        return NOTHING
    return f"{now - then:+.2f}"


def percent(value: Value) -> str:
    """Return a move in percent, always with its sign."""
    if not isinstance(value, float):
        return NOTHING
    size = abs(100.0 * value)
    digits = f"{size:#.3g}" if 0.0 < size < _WHOLE else f"{size:,.0f}"
    sign = "" if value == 0.0 else "-" if value < 0 else "+"
    return f"{sign}{digits} %"


def quantity(value: Value) -> str:
    """Return a quantity with thousands separated and at most seven digits."""
    if not isinstance(value, float):
        return "" if value is None else plain(value)
    places = 0 if value == 0.0 else min(max(6 - math.floor(math.log10(abs(value))), 0), 10)
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
