"""The rows of a doctor: what was looked at, how it stands, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from crossmargin.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LOOK", "NOT_CHECKED", "OK", "WRONG", "Check", "any_wrong", "as_table"]

OK: Final = "ok"
WRONG: Final = "wrong"
"""It does not work like this."""
LOOK: Final = "look"
"""It may work; a person should look."""
NOT_CHECKED: Final = "not checked"
"""It cannot be seen from here."""


@dataclass(frozen=True)
class Check:
    """One row.

    Parameters
    ----------
    name
        What was looked at.
    state
        `ok`, `wrong`, `look` or `not checked`.
    found
        What was seen.
    advice
        What to do; empty where nothing is to be done.
    """

    name: str
    state: str
    found: str
    advice: str = ""


def any_wrong(checks: Sequence[Check]) -> bool:
    """Return whether one of the rows says that something does not work.

    Parameters
    ----------
    checks
        The rows.
    """
    return any(check.state == WRONG for check in checks)


def as_table(checks: Sequence[Check]) -> Table:
    """Return the rows as a table with the columns check, state, found and what_to_do.

    Parameters
    ----------
    checks
        The rows.
    """
    rows = [(check.name, check.state, check.found, check.advice or None) for check in checks]
    return Table(("check", "state", "found", "what_to_do"), rows)
