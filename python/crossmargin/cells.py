"""The words of the sheet side: a cell's content, a cell's error."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Literal

from crossmargin._texts import LONGEST_SENTENCE, cut, visible

__all__ = ["ERROR_TEXTS", "CellContent", "SheetError", "Sign", "because", "reason_of_none"]

Sign = Literal["#N/A", "#VALUE!", "#NUM!"]

ERROR_TEXTS: Final = frozenset(
    {
        "#NULL!",
        "#DIV/0!",
        "#VALUE!",
        "#REF!",
        "#NAME?",
        "#NUM!",
        "#N/A",
        "#SPILL!",
        "#CALC!",
        "#FIELD!",
        "#BLOCKED!",
        "#CONNECT!",
        "#GETTING_DATA",
    }
)
"""How hosts hand over the error of an input cell."""


@dataclass(frozen=True)
class SheetError:
    """An error that a cell shows, and the sentence that `CM_WHY` gives for it.

    Parameters
    ----------
    sign
        What the cell shows: `#VALUE!` for a wrong type or word, `#NUM!` for an impossible number,
        `#N/A` where data are missing or no answer exists.
    reason
        One sentence that names the argument, the value and the rule. A value may be any text that
        somebody pasted, so what does not print is spelled out and the end of a long one is cut.
    """

    sign: Sign
    reason: str

    def __post_init__(self) -> None:
        reason = cut(visible(self.reason), LONGEST_SENTENCE)
        object.__setattr__(self, "reason", reason)  # the dataclass is frozen


@dataclass(frozen=True)
class CellContent:
    """What stands in a referenced cell or range.

    Parameters
    ----------
    value
        A number, a text, None for an empty cell, or the rows of a range.
    formula
        The text of the formula if the reference is one cell that has one, else empty. It is read,
        never evaluated.
    arguments
        The cells that the formula's own references stand for, where the host could resolve them.
    """

    value: object
    formula: str = ""
    arguments: tuple[object, ...] | None = None


_reason: ContextVar[str] = ContextVar("reason", default="")


def because(reason: str) -> float | None:
    """Return None as an answer that does not exist, and keep the sentence that says why.

    Parameters
    ----------
    reason
        One sentence.
    """
    _reason.set(reason)
    return None  # the answer itself


def reason_of_none() -> str:
    """Return, once, the sentence kept by the latest :func:`because`; empty if there is none."""
    reason = _reason.get()
    _reason.set("")
    return reason
