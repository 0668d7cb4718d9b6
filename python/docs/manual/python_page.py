"""The reference of what Python has beside the sheet, from the package's own list of names."""

from __future__ import annotations

import inspect
from typing import Final

import crossmargin
from crossmargin import registry

__all__ = ["PATH", "names", "page"]

PATH: Final = "python-reference.md"
_MODULES: Final = (
    "pricing",
    "calculators",
    "revaluation",
    "joint",
    "statistics",
    "table",
    "errors",
)
"""Modules that are shown whole."""
_IMPORTED: Final = frozenset({"errors"})
"""Those whose names are made in the compiled core."""
_KEY: Final = "Book"
"""What CM_BOOK returns; a key in words, whose methods are the functions."""


def names() -> list[str]:
    """Return the public names that are neither sheet functions nor modules shown whole."""
    of_sheets = {record.function.__name__ for record in registry.records()}
    whole = {f"crossmargin.{module}" for module in _MODULES}
    found = []
    for name in crossmargin.__all__:
        thing = getattr(crossmargin, name)
        home = getattr(thing, "__module__", "")
        is_shown = inspect.ismodule(thing) or home in whole or name == "CrossmarginError"
        if name not in of_sheets and not is_shown and name != _KEY:
            found.append(name)
    return found


def page() -> str:
    """Return the page."""
    lines = [
        "# What Python has beside the sheet",
        "",
        (
            "The functions of sheets have [pages of their own](functions/index.md). These are for "
            "Python alone."
        ),
        "",
        "```{eval-rst}",
    ]
    for name in names():
        thing = getattr(crossmargin, name)
        kind = "autoclass" if inspect.isclass(thing) else "autofunction"
        lines += [f".. {kind}:: {thing.__module__}.{name}", ""]
    for module in _MODULES:
        lines += [f".. automodule:: crossmargin.{module}", "   :members:"]
        lines += ["   :imported-members:"] if module in _IMPORTED else []
        lines.append("")
    return "\n".join([*lines, "```", ""])
